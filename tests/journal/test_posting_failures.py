"""A carrier that fails for one node ends nobody's process and holds up no other node's letters."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.journal.carrier import POST, channel_to
from shared.journal.filecarrier import FileCarrier
from shared.journal.post import MAX_POST, pack, unpack, write_letter
from shared.journal.posting import LeadPost
from tests.journal.exchange_kit import make_key, public

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
AWAY, THERE, THIRD = "kaupunki-0a1b2c3d", "yhdistys-0a1b2c3d", "opisto-0a1b2c3d"
PROGRAMME = "lahde"


class OneIsAway(FileCarrier):
    """Nothing can be asked or written in one of the channels."""

    away = channel_to(AWAY, PROGRAMME)
    asked: list[str]

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        self.asked.append(channel)
        if channel == self.away:
            raise OSError("the node speaks by another carrier now")
        return super().read(channel, name, limit)


def test_letters_to_a_node_that_cannot_be_reached_hold_up_no_other_node(tmp_path: Path) -> None:
    carrier = OneIsAway(tmp_path)
    carrier.asked = []
    carrier.write(channel_to(THERE, PROGRAMME), POST, b"old letters")
    LeadPost(carrier).round(PROGRAMME, {AWAY: {}, THERE: {}}, NOW)
    assert channel_to(AWAY, PROGRAMME) in carrier.asked
    assert carrier.read(channel_to(THERE, PROGRAMME), POST, 100) != b"old letters"


def test_a_node_whose_letters_cannot_be_read_holds_up_no_other_nodes_letters(tmp_path: Path) -> None:
    carrier, signer, sealed_to = OneIsAway(tmp_path), make_key("signing"), make_key("receiving").public
    carrier.asked, carrier.away = [], f"{AWAY}/{PROGRAMME}"
    assert sealed_to is not None
    _, letter = write_letter("ab" * 16, PROGRAMME, THERE, signer, THIRD, sealed_to, b"for your eyes", NOW)
    carrier.write(f"{THERE}/{PROGRAMME}", POST, pack([letter], []))
    LeadPost(carrier).round(PROGRAMME, {AWAY: {}, THERE: public(signer), THIRD: {}}, NOW)
    assert carrier.away in carrier.asked
    assert unpack(carrier.read(channel_to(THIRD, PROGRAMME), POST, MAX_POST) or b"") == ([letter], [])


@pytest.mark.parametrize(("entries", "why"), [(3, {"malformed": 3}), (300_000, {"too_many": 1})])
def test_a_node_whose_letters_are_none_gets_one_line_of_the_log_a_round(
    entries: int, why: dict[str, int], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    carrier = FileCarrier(tmp_path)
    item = json.dumps({"polku_post": 1, "letters": [""] * entries, "acks": []}, separators=(",", ":"))
    carrier.write(f"{THERE}/{PROGRAMME}", POST, item.encode())
    LeadPost(carrier).round(PROGRAMME, {THERE: {}}, NOW)
    assert [(record.getMessage(), getattr(record, "why", None)) for record in caplog.records] == [
        ("letters were refused", why)
    ]
