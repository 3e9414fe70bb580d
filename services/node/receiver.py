"""`polku receiver`: the plain process that takes in what the partners' nodes sent, derives the figures from it, and
ships the lead's own stream to the nodes."""

import contextlib
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256

from sqlalchemy import Engine

from services.node.leadstream import LeadCouriers
from services.node.measuring import LeadMeasures
from services.node.opening import open_database
from services.node.rounds import RoundFailed, assert_plain, one_round, run_rounds
from services.node.terms import LeadStatements, due_renewal, signer_when
from services.node.uplink import LeadCarrier, lead_carrier
from services.node.waking import Bell
from services.reporting import operations, partner_queries, partners
from services.reporting.beside import Deriver, DerivingEnded
from shared.contracts.errors import HomeHeld, InvalidInvite, PartnerAlreadyJoined
from shared.journal import Journal, erasing
from shared.journal.carrier import ERASED, KEYS
from shared.journal.crypto import Keys, current_keys
from shared.journal.expelling import write_expelled
from shared.journal.joining import MAX_JOIN, open_join
from shared.journal.posting import LeadPost
from shared.journal.received import SEALED, read_heads
from shared.journal.receiving import Admitted, Receiver
from shared.journal.renewing import MAX_KEYS, read_renewals
from shared.journal.returning import MAX_ERASED, read_ended, read_erased
from shared.journal.unit import last_position
from shared.ops.logging import setup_logging
from shared.ops.metrics import counter
from shared.ops.settings import Home
from shared.storage import snapshot

log = logging.getLogger(__name__)

IDLE_SECONDS = 2.0
"""A folder cannot wake anybody, so it is looked at."""

joins_total = counter("polku_receiver_joins_total", "Answers to invites that came, by outcome", "outcome")


def run_receiver(home: Home, health_port: int | None = None, *, child: bool) -> None:
    """Take in what the partners' nodes have sent, and derive the figures, until told to stop."""
    assert_plain()
    setup_logging("receiver")
    work = ReceiverRounds(home, open_database(home))
    if child:
        run_rounds(home, work.round, {}, health_port, child=True, watched=work.watched)
        return
    bell = Bell(home)

    def round_(now: datetime) -> float:
        bell.hush()
        return work.round(now)

    with contextlib.closing(bell):
        run_rounds(home, round_, {}, health_port, child=False, watched=lambda: [bell.fileno(), *work.watched()])


class ReceiverRounds:
    """What the receiver does in a round: answers to invites, segments, figures, the lead's own stream, letters."""

    def __init__(self, home: Home, engine: Engine, carrier: LeadCarrier | None = None) -> None:
        carrier = self._carrier = carrier or lead_carrier(home)
        self._home, self._engine = home, engine
        self._keys = current_keys(home.keys)
        self._begin(self._keys)
        self._told: set[str] = set()
        self._expelled: set[str] = set()
        self._post = LeadPost(carrier)
        self._measures = LeadMeasures(engine)
        self._deriver = Deriver(engine)
        self._readable = False
        self._recorded = -1
        self._failed: frozenset[str] = frozenset()

    def _begin(self, keys: Keys) -> None:
        """Begin with these keys."""
        engine, carrier, signer, opens = self._engine, self._carrier, keys.newest("signing"), keys.privates("receiving")
        self._receiver = Receiver(engine, carrier, signer, opens)
        self._joins = _Joins(self._home, engine, keys, carrier)
        self._renewals = _Renewals(self._home, engine, carrier)
        own = LeadStatements(keys)
        self._couriers = LeadCouriers(engine, carrier, signer, opens, keys.publics("signing"), own.item)
        self._forgotten = _Forgotten(Journal(engine, self._home.name), keys, carrier)

    def round(self, now: datetime) -> float:
        """One round; after how many seconds the next is due."""
        with one_round(self._home):
            try:
                return self._round(now)
            except DerivingEnded as error:
                raise RoundFailed(str(error)) from None

    def _round(self, now: datetime) -> float:
        keys = current_keys(self._home.keys)
        if keys is not self._keys:
            self._keys = keys
            self._begin(keys)
        if not self._readable:
            operations.derive_what_has_become_readable(self._engine)
            self._readable = True
        self._carrier.serve(*partner_queries.boxes(self._engine))
        self._tell_expelled(now)
        self._joins.round(now)
        admitted = partner_queries.admitted_keys(self._engine, now)
        if self._renewals.round(admitted, now):
            admitted = partner_queries.admitted_keys(self._engine, now)
        more = self._deriver.beside(partial(self._take, admitted, now))
        more = operations.answer_endings(Journal(self._engine, self._home.name), now) or more
        more = self._apply_accepted(now) or more
        self._couriers.round(now)
        self._forgotten.round(admitted, now)
        for programme, members in _by_programme(admitted).items():
            self._post.round(programme, members, now)
        erasing.scrub(self._engine)
        self._measures.look(now)
        return 0.0 if more else IDLE_SECONDS

    def _tell_expelled(self, now: datetime) -> None:
        """Once in a process's life, and when somebody is expelled."""
        gone = partner_queries.expelled_nodes(self._engine)
        for stream, (partner, at) in gone.items():
            if stream not in self._told:
                with snapshot(self._engine) as connection:
                    signer = signer_when(connection, stream.split("/")[1], self._keys, at)
                with contextlib.suppress(OSError):
                    self._carrier.tell(stream, partner, write_expelled(stream, at, signer))
                    self._told.add(stream)
        if gone.keys() != self._expelled:
            with contextlib.suppress(HomeHeld):
                partners.record_expelled(Journal(self._engine, self._home.name), now)
                self._expelled = set(gone)

    def _take(self, admitted: Admitted, now: datetime) -> int:
        """Take in what has come; how many lines."""
        took = self._receiver.round(admitted, now)
        self._failed = took.failed
        return took.lines

    def _apply_accepted(self, now: datetime) -> bool:
        """Once when the process begins, then when the lead has recorded something; again as long as one has to wait for
        lines. Whether it was done.

        Not beside deriving: both change lines that are stored, each under locks that the other needs.
        """
        with snapshot(self._engine) as connection:
            recorded = last_position(connection)
        if recorded == self._recorded:
            return False
        done = partners.apply_accepted(self._engine, now)
        self._recorded = recorded if done else -1
        return done

    def check(self) -> str | None:
        """For `/ready`."""
        return f"not read or answered: {', '.join(sorted(self._failed))}" if self._failed else None

    def watched(self) -> list[int]:
        """What becomes readable when the broker has something."""
        return self._carrier.watched()


@dataclass(slots=True)
class _Forgotten:
    """Whom the nodes know to be erased, if a restored lead has them again, and which purposes have ended since a stream
    was sealed. Each content is looked at once, and again when the stream has been sealed since."""

    journal: Journal
    keys: Keys
    carrier: LeadCarrier
    _seen: dict[str, tuple[bytes, bool]] = field(default_factory=dict)

    def round(self, admitted: Admitted, now: datetime) -> None:
        """Erase them again."""
        for stream, node_keys in admitted.items():
            with contextlib.suppress(OSError, HomeHeld):  # held: the receipts wait, not the erasing
                data = self.carrier.read(stream, ERASED, MAX_ERASED + 1)
                if data is None:
                    continue
                with snapshot(self.journal.engine) as connection:
                    head = read_heads(connection, [stream]).get(stream)
                sealed = head is not None and head.state == SEALED
                if (data, sealed) != self._seen.get(stream):
                    of = stream, node_keys, self.keys.privates("receiving")
                    partners.erase_received(self.journal.engine, stream, set(read_erased(data, *of) or ()))
                    # Before the seal an ending is a line. The next few, so that one node holds nobody up.
                    if not sealed or not partners.end_received(self.journal, stream, read_ended(data, *of), now):
                        self._seen[stream] = data, sealed


def _by_programme(admitted: Admitted) -> dict[str, dict[str, Mapping[str, bytes]]]:
    """Per programme the admitted nodes, each with its signing keys."""
    found: dict[str, dict[str, Mapping[str, bytes]]] = defaultdict(dict)
    for stream, keys in admitted.items():
        node, programme = stream.split("/")
        found[programme][node] = keys
    return found


@dataclass(slots=True)
class _Renewals:
    """New keys: what the nodes state of theirs goes into the directory, and what is ours onto our own stream."""

    home: Home
    engine: Engine
    carrier: LeadCarrier
    _seen: dict[str, bytes] = field(default_factory=dict)
    _own: set[str] = field(default_factory=set)

    def round(self, admitted: Admitted, now: datetime) -> bool:
        """Look at what has been stated since; whether a node's keys have changed."""
        changed = False
        journal = Journal(self.engine, self.home.name)
        with contextlib.suppress(HomeHeld):  # after a restore; it is looked at again
            for stream in admitted:
                with contextlib.suppress(OSError):
                    data = self.carrier.read(stream, KEYS, MAX_KEYS + 1)
                    if data and data != self._seen.get(stream):
                        for renewal in read_renewals(data):
                            changed |= partners.accept_keys(journal, stream, renewal, now)
                        self._seen[stream] = data
            for programme in _by_programme(admitted):
                self._state_own(journal, programme, now)
        return changed

    def _state_own(self, journal: Journal, programme: str, now: datetime) -> None:
        if programme in self._own:
            return
        with snapshot(self.engine) as connection:
            renewal = due_renewal(connection, programme, current_keys(self.home.keys), now)
        if renewal is not None:
            partners.record_own_keys(journal, programme, renewal, now)
        self._own.add(programme)


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
            except HomeHeld:
                return  # after a restore; it is looked at again
            except (InvalidInvite, PartnerAlreadyJoined) as error:
                joins_total.labels("refused").inc()
                log.warning("an answer to an invite was refused", extra={"why": error.code})
            else:
                joins_total.labels("admitted" if new else "known").inc()
            self._seen.add(digest)  # last: what the database could not take now is looked at again
