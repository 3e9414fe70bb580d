"""A lead and a node, and the lead's own stream on its way to the node through a folder."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from shared.contracts.catalogue import NodeAdmitted, ProgrammeVersion
from shared.contracts.facts import Fact
from shared.journal import Journal, crypto
from shared.journal.carrier import channel_to
from shared.journal.directory import lead_stream
from shared.journal.filecarrier import FileCarrier
from shared.journal.receiving import Receiver, Taken
from shared.journal.sending import Courier, Sent
from tests.journal.exchange_kit import START, make_key, public

NODE, PROGRAMME = "pori-0a1b2c3d", "lahde"


def admitted(node: str = NODE, partner: str = "yhdistys", key: str = "1") -> NodeAdmitted:
    return NodeAdmitted(partner=partner, node=node, signing_key=key * 64, receiving_key="2" * 64)


def version(part: int = 1, parts: int = 1) -> ProgrammeVersion:
    return ProgrammeVersion(programme=PROGRAMME, digest="0" * 64, part=part, parts=parts, text="{}")


@dataclass
class Down:
    """What the lead records reaches the node when `ship` is called."""

    lead: Engine
    node: Engine
    folder: Path
    now: datetime = START
    lead_key: crypto.Key = field(default_factory=lambda: make_key("signing"))
    node_key: crypto.Key = field(default_factory=lambda: make_key("signing"))
    node_receiving: crypto.Key = field(default_factory=lambda: make_key("receiving"))

    @property
    def journal(self) -> Journal:
        """The node's."""
        return Journal(self.node, NODE)

    def record(self, *facts: Fact, programme: str = PROGRAMME) -> None:
        """The lead records facts."""
        with Journal(self.lead, "lead").unit(self.now) as unit:
            for fact in facts:
                unit.record(fact, programme)

    def ship(self, programme: str = PROGRAMME, signer: crypto.Key | None = None) -> tuple[Sent, Taken]:
        """A round of both ends, each a process that has just started; `signer` writes in the lead's place."""
        channel, carrier = channel_to(NODE, programme), FileCarrier(self.folder)
        assert self.node_receiving.public is not None
        courier = Courier(
            self.lead, carrier, signer or self.lead_key, public(self.node_key), self.node_receiving.public
        )
        opens = {self.node_receiving.id: self.node_receiving.secret()}
        receiver = Receiver(self.node, carrier, self.node_key, opens, lambda _stream: channel)
        sent = courier.round([channel], self.now)[channel]
        taken = receiver.round({lead_stream(programme): public(self.lead_key)}, self.now)
        self.now += timedelta(seconds=5)
        return sent, taken
