"""A carrier that fails for one node ends nobody's process and holds up no other node's letters."""

from datetime import UTC, datetime
from pathlib import Path

from shared.journal.carrier import POST, channel_to
from shared.journal.filecarrier import FileCarrier
from shared.journal.posting import LeadPost

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
AWAY, THERE = "kaupunki-0a1b2c3d", "yhdistys-0a1b2c3d"
PROGRAMME = "lahde"


class OneIsAway(FileCarrier):
    """Nothing can be asked or written for one of the nodes."""

    asked: list[str]

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        self.asked.append(channel)
        if channel == channel_to(AWAY, PROGRAMME):
            raise OSError("the node speaks by another carrier now")
        return super().read(channel, name, limit)


def test_letters_to_a_node_that_cannot_be_reached_hold_up_no_other_node(tmp_path: Path) -> None:
    carrier = OneIsAway(tmp_path)
    carrier.asked = []
    carrier.write(channel_to(THERE, PROGRAMME), POST, b"old letters")
    LeadPost(carrier).round(PROGRAMME, {AWAY: {}, THERE: {}}, NOW)
    assert channel_to(AWAY, PROGRAMME) in carrier.asked
    assert carrier.read(channel_to(THERE, PROGRAMME), POST, 100) != b"old letters"
