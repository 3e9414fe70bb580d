"""`polku receiver`: the plain process that takes in what the partners' nodes sent, derives the figures from it, and
ships the lead's own stream to the nodes."""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Engine

from services.node.leadstream import LeadCouriers
from services.node.measuring import LeadMeasures
from services.node.opening import open_database
from services.node.rounds import assert_plain, one_round, run_rounds
from services.node.uplink import LeadCarrier, lead_carrier
from services.reporting import operations, queries
from shared.contracts.errors import InvalidInvite, PartnerAlreadyJoined
from shared.journal import Journal, erasing
from shared.journal.crypto import Keys, load_keys
from shared.journal.joining import MAX_JOIN, open_join
from shared.journal.receiving import Receiver
from shared.ops.logging import setup_logging
from shared.ops.metrics import counter
from shared.ops.settings import Home

log = logging.getLogger(__name__)

IDLE_SECONDS = 2.0
"""A folder cannot wake anybody, so it is looked at."""

joins_total = counter("polku_receiver_joins_total", "Answers to invites that came, by outcome", "outcome")


def run_receiver(home: Home, health_port: int | None = None, *, child: bool) -> None:
    """Take in what the partners' nodes have sent, and derive the figures, until told to stop."""
    assert_plain()
    setup_logging("receiver")
    work = ReceiverRounds(home, open_database(home), load_keys(home.keys))
    run_rounds(home, work.round, {}, health_port, child=child, watched=work.watched)


class ReceiverRounds:
    """What the receiver does in a round: answers to invites, segments, figures, the lead's own stream."""

    def __init__(self, home: Home, engine: Engine, keys: Keys, carrier: LeadCarrier | None = None) -> None:
        carrier = self._carrier = carrier or lead_carrier(home)
        self._home, self._engine = home, engine
        self._receiver = Receiver(engine, carrier, keys.newest("signing"), keys.privates("receiving"))
        self._joins = _Joins(home, engine, keys, carrier)
        self._couriers = LeadCouriers(engine, carrier, keys.newest("signing"))
        self._measures = LeadMeasures(engine)
        self._readable = False
        self._failed: frozenset[str] = frozenset()

    def round(self, now: datetime) -> float:
        """One round; after how many seconds the next is due."""
        with one_round(self._home):
            return self._round(now)

    def _round(self, now: datetime) -> float:
        if not self._readable:
            operations.derive_what_has_become_readable(self._engine)
            self._readable = True
        self._carrier.serve(*queries.boxes(self._engine))
        self._joins.round(now)
        took = self._receiver.round(queries.admitted_keys(self._engine), now)
        self._failed = took.failed
        more = operations.derive(self._engine) or took.progress
        self._couriers.round(now)
        erasing.scrub(self._engine)
        self._measures.look(now)
        return 0.0 if more else IDLE_SECONDS

    def check(self) -> str | None:
        """For `/ready`."""
        return f"not read or answered: {', '.join(sorted(self._failed))}" if self._failed else None

    def watched(self) -> list[int]:
        """What becomes readable when the broker has something."""
        return self._carrier.watched()


@dataclass(slots=True)
class _Joins:
    """The answers to invites that come through the carrier; each content is looked at once."""

    home: Home
    engine: Engine
    keys: Keys
    carrier: LeadCarrier
    _seen: set[bytes] = field(default_factory=set)

    def round(self, now: datetime) -> None:
        """Admit the nodes whose answers have come."""
        for data in self.carrier.read_joins(MAX_JOIN):
            digest = sha256(data).digest()
            if digest in self._seen:
                continue
            try:
                join = open_join(data, list(self.keys.privates("receiving").values()))
                new = operations.accept_join(Journal(self.engine, self.home.name), join, now)
            except (InvalidInvite, PartnerAlreadyJoined) as error:
                joins_total.labels("refused").inc()
                log.warning("an answer to an invite was refused", extra={"why": error.code})
            else:
                joins_total.labels("admitted" if new else "known").inc()
            self._seen.add(digest)  # last: what the database could not take now is looked at again
