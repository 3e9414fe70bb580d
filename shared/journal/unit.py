"""The unit of work: state change, facts and audit entries, committed together or not at all.

    with journal.unit(now) as unit:
        store.add_session(unit.connection, …)
        unit.record(SessionHeld(…), programme)
        unit.audit(by, "record_sessions", …)
    unit.pos                                        # the last position it committed

The facts are kept until the block ends. Only then, as the transaction's last statements, the home's row of
`journal_head` is locked, positions and sequence numbers are given out, chains are computed, lines are inserted. So

- numbers follow the order of commits: whoever sees position n sees every position before it;
- a rollback leaves no hole, because nothing was numbered yet;
- the lock is held for the shortest time, and no process has to be the one that numbers (measured: architecture §4).

A unit with facts is refused while the home is held after a restore (`holding`), and if one of them names an erased
person; recording `SubjectErased` or `TagsRetired` erases (`erasing`). What may be recorded for a programme that is
closed here says `closing`. A unit in which somebody acts (it has an audit
entry) is refused if a fact is about a restricted person; `PersonRestricted` and `RestrictionLifted` say who is one.

On SQLite the database's one write lock is taken at the beginning (`shared.storage.transaction`), with the same effect.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, case, delete, insert, literal, select, update

from shared.contracts.catalogue import SubjectErased, TagsRetired
from shared.contracts.errors import HomeHeld, UnknownPerson
from shared.contracts.facts import Fact, Reach
from shared.contracts.mistake_facts import MISTAKE_FACTS
from shared.contracts.purpose_facts import RECEIPTS, PersonInformed, PurposeEnded
from shared.contracts.purposes import PURPOSE_OF_SERVICE, purpose_of
from shared.contracts.rights_facts import PersonRestricted, RestrictionLifted
from shared.journal import closing
from shared.journal.audit import AuditEntry, chained
from shared.journal.erasing import end_purpose, erase, erased_among, retire_tags, subject_digest
from shared.journal.holding import is_held
from shared.journal.lines import Line, chain_next, chain_start, line_digest, serialise
from shared.journal.tables import journal_audit, journal_head, journal_line
from shared.ops.clock import wire_time
from shared.storage import transaction
from shared.storage.restricting import (
    EVERYTHING,
    WITHDRAWN,
    clearing,
    refuse_restricted,
    restricted,
    restricted_among,
)
from shared.storage.upsert import add_missing, upsert

LOCAL = "local"
HOME_ROW = ""
AUDIT_ROW = "audit"
_BATCH = 500
_AUDIT_OWN = {"n", "at", "by", "action", "first", "last"}


def new_id() -> str:
    """128 random bits as 32 hex digits: every id, subject and salt is one."""
    return secrets.token_hex(16)


@dataclass(slots=True)
class Unit:
    """One unit of work, open. `pos` is None until it has committed facts."""

    connection: Connection
    now: datetime
    pos: int | None = None
    right: bool = False
    """Whether a right of the person is exercised: then a restriction does not stand in its way."""
    mistake: bool = False
    """Whether what was wrong is taken back by telling again what was so before: nor then."""
    late: bool = False
    """Whether what is recorded was done and shown before, and is only told now: a closing stands in its way no
    more than in what nobody does."""
    home: str = ""
    _facts: list[tuple[str, Fact]] = field(default_factory=list)
    _audit: list[dict[str, Any]] = field(default_factory=list)

    def record(self, fact: Fact, programme: str | None = None) -> None:
        """Record `fact` at commit: in its programme's stream if its reach is the lead, else in the local one."""
        if fact.reach is Reach.LEAD and (programme is None or programme == LOCAL):
            raise ValueError(f"{fact.kind} goes to a programme's stream: name the programme")
        self._facts.append((str(programme) if fact.reach is Reach.LEAD else LOCAL, fact))

    def audit(self, by: str, action: str, **detail: str | int | Sequence[str]) -> None:
        """Note who did this; `detail` holds codes, counts and reasons, never a name.

        People are given as `subject` or `subjects` and kept as `erasing.subject_digest`: entries are never changed.
        """
        if taken := _AUDIT_OWN & detail.keys():
            raise ValueError(f"an audit entry's own members are not for details: {', '.join(sorted(taken))}")
        self._audit.append({"by": by, "action": action, **{name: _named(name, v) for name, v in detail.items()}})


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of the home called `home` ("lead", or a node's name) in the database of `engine`."""

    engine: Engine
    home: str

    @contextmanager
    def unit(self, now: datetime, *, right: bool = False, mistake: bool = False, late: bool = False) -> Iterator[Unit]:
        """Open a unit of work; it commits when the block ends and rolls back if the block raises."""
        with transaction(self.engine) as connection:
            unit = Unit(connection, now, right=right, mistake=mistake, late=late, home=self.home)
            yield unit
            if unit._facts or unit._audit:
                self._commit_facts(unit)

    def _commit_facts(self, unit: Unit) -> None:
        connection, when = unit.connection, wire_time(unit.now)
        programmes = {place for place, _ in unit._facts} | {
            programme for place, fact in unit._facts if (programme := closing.programme_of(place, fact, LOCAL))
        }
        streams = {f"{self.home}/{programme}" for programme in programmes | {LOCAL}}
        known, states = _locked_heads(connection, {*streams, AUDIT_ROW} if unit._audit else streams)
        facts: list[tuple[str, str, Fact]] = []
        if unit._facts:
            _refuse(connection, unit._facts)
            acting = bool(unit._audit) and not unit.late
            facts = closing.admitted(states, self.home, unit._facts, local=LOCAL, acting=acting, right=unit.right)
            if unit._audit and not unit.right:
                _refuse_restricted(connection, unit._facts, mistake=unit.mistake)
        pos = known[HOME_ROW][1]
        first = pos + 1
        erasures: list[tuple[Callable[..., int], dict[str, Any]]] = []
        heads: dict[str, tuple[int, int, bytes]] = {}
        rows: list[dict[str, Any]] = []
        for programme, place, fact in facts:
            stream = f"{self.home}/{place}"
            epoch, seq, chain = heads.get(stream) or known.get(stream) or _head(connection, stream)
            pos, seq = pos + 1, seq + 1
            line = serialise(
                Line(stream, epoch, seq, fact.kind, fact.v, when, fact.subject, os.urandom(16).hex(), fact.body)
            )
            digest = line_digest(line)
            heads[stream] = epoch, seq, chain_next(chain, digest)
            rows.append(
                {
                    "pos": pos,
                    "stream": stream,
                    "epoch": epoch,
                    "seq": seq,
                    "kind": fact.kind,
                    "subject": bytes.fromhex(fact.subject) if fact.subject else None,
                    "digest": digest,
                    "line": line,
                }
            )
            at = {"stream": stream, "seq": seq, "pos": pos}
            if place != programme:  # sealed: it is erased of the programme's stream all the same
                at |= {"stream": f"{self.home}/{programme}", "seq": known[f"{self.home}/{programme}"][1]}
            if isinstance(fact, SubjectErased):
                erasures.append((erase, {"subject": fact.subject, **at}))
            elif isinstance(fact, TagsRetired):
                erasures.append((retire_tags, {"key_no": fact["key_no"], **at}))
            elif isinstance(fact, PurposeEnded):
                erasures.append((end_purpose, {"subject": fact.subject, **_ending(fact), **at}))
            if isinstance(fact, _RESTRICTING):
                _restrict(connection, programme, fact)
        for start in range(0, len(rows), _BATCH):
            connection.execute(insert(journal_line), rows[start : start + _BATCH])
        if rows:
            heads[HOME_ROW] = (1, pos, b"")
            unit.pos = pos
        if unit._audit:
            _, number, chain = known.get(AUDIT_ROW) or _head(connection, AUDIT_ROW)
            span = {"first": first, "last": pos} if rows else {}
            entries = [AuditEntry(number + i, when, {**entry, **span}) for i, entry in enumerate(unit._audit, 1)]
            stored, chain = chained(chain, entries)
            connection.execute(insert(journal_audit), stored)
            heads[AUDIT_ROW] = (1, number + len(entries), chain)
        _set_heads(connection, heads)
        for stream, state in closing.changed(((place, fact) for _, place, fact in facts), self.home).items():
            this = journal_head.c.name == stream
            connection.execute(update(journal_head).where(this).values(closed=state))
        for erasing, what in erasures:
            erasing(connection, now=unit.now, **what)


def _named(name: str, value: str | int | Sequence[str]) -> str | int | Sequence[str]:
    if name == "subject" and isinstance(value, str):
        return subject_digest(value)
    if name == "subjects" and not isinstance(value, int):
        return [subject_digest(subject) for subject in value]
    return value


def _locked_heads(connection: Connection, names: set[str]) -> tuple[dict[str, tuple[int, int, bytes]], dict[str, int]]:
    """Epoch, last seq and chain of the home (seq is its last position) and of those of `names` that have a row; and
    how far each is closed (`closing`).

    One statement, because from here to the commit nobody else numbers. The home's row sorts first: it is the lock
    that everybody waits for, and what was committed meanwhile is read anew when the wait is over. A stream's first
    row, made meanwhile, is not seen here: `_head` looks again.
    """
    c = journal_head.c
    query = select(c.name, c.epoch, c.seq, c.chain, c.closed).where(c.name.in_([HOME_ROW, *sorted(names)]))
    rows = connection.execute(query.order_by(c.name).with_for_update()).all()
    return {row.name: (row.epoch, row.seq, row.chain) for row in rows}, {row.name: row.closed for row in rows}


def _refuse(connection: Connection, facts: Sequence[tuple[str, Fact]]) -> None:
    """Refuse facts of a held home and of erased people; under the lock, so nobody is erased in between."""
    if is_held(connection):
        raise HomeHeld()
    programmes = {fact.subject: programme for programme, fact in facts if fact.subject}
    for subject in erased_among(connection, programmes):
        raise UnknownPerson(field="participant", programme=programmes[subject])


def _refuse_restricted(connection: Connection, facts: Sequence[tuple[str, Fact]], *, mistake: bool) -> None:
    """Under the lock: who is restricted meanwhile has not been restricted for nothing. What was wrong is taken back all
    the same, as it is corrected: a restriction lasts until it is (GDPR, article 18(1)(a))."""
    known = restricted_among(connection, {fact.subject for _, fact in facts})
    but_mistakes = {subject: purposes - {EVERYTHING} for subject, purposes in known.items()}
    for _, fact in facts:
        here = but_mistakes if mistake or isinstance(fact, MISTAKE_FACTS) else known
        refuse_restricted(here, fact.subject, purpose_of(fact.kind), fact.kind.partition(".")[0])


_RESTRICTING = (PersonRestricted, RestrictionLifted, PurposeEnded, PersonInformed, *RECEIPTS)


def _restrict(connection: Connection, programme: str, fact: Fact) -> None:
    """What a fact changes of what may be recorded about its person."""
    raw = bytes.fromhex(fact.subject or "")
    grounds: dict[str, str] = {}
    free: list[str] = []
    if isinstance(fact, PersonRestricted):
        grounds[EVERYTHING] = "restricted"
    elif isinstance(fact, RestrictionLifted):
        free = [EVERYTHING]
    elif isinstance(fact, PersonInformed):
        free = fact["consents"] or []
    elif isinstance(fact, PurposeEnded):
        ended = fact["purpose"]
        grounds = {clearing(service): "clearing" for service, purpose in PURPOSE_OF_SERVICE.items() if purpose == ended}
        if fact["why"] == WITHDRAWN:
            grounds[ended] = WITHDRAWN
    else:  # a receipt
        free = [clearing(fact.kind.partition(".")[0])]
    if grounds:
        common = {"subject": raw, "programme": programme, "since": fact["occurred_on"]}
        upsert(connection, restricted, [common | {"purpose": key, "ground": why} for key, why in grounds.items()])
    if free:
        this = (restricted.c.subject == raw) & restricted.c.purpose.in_(free)
        connection.execute(delete(restricted).where(this))


def _ending(fact: Fact) -> dict[str, Any]:
    return {"purpose": fact["purpose"], "ending": fact["ending"]}


def _head(connection: Connection, stream: str) -> tuple[int, int, bytes]:
    """Epoch, last seq and chain of a stream; its row is made on first use, safe under the home's lock."""
    query = select(journal_head.c.epoch, journal_head.c.seq, journal_head.c.chain)
    row = connection.execute(query.where(journal_head.c.name == stream)).one_or_none()
    if row is None:
        start = (1, 0, chain_start(stream))
        connection.execute(insert(journal_head), {"name": stream, "epoch": 1, "seq": 0, "chain": start[2]})
        return start
    return row.epoch, row.seq, row.chain


def _set_heads(connection: Connection, heads: dict[str, tuple[int, int, bytes]]) -> None:
    """One statement for all: under the lock every way to the server and back counts."""
    c = journal_head.c
    seqs = case({name: literal(seq, c.seq.type) for name, (_, seq, _) in heads.items()}, value=c.name)
    chains = case({name: literal(chain, c.chain.type) for name, (_, _, chain) in heads.items()}, value=c.name)
    connection.execute(update(journal_head).where(c.name.in_(list(heads))).values(seq=seqs, chain=chains))


def last_position(connection: Connection) -> int:
    """The position of the last line of the home's journal; 0: none."""
    return int(connection.execute(select(journal_head.c.seq).where(journal_head.c.name == HOME_ROW)).scalar_one())


def prepare(connection: Connection) -> None:
    """Make the home's row of a new journal: it is the lock, so it must be there before the first unit."""
    add_missing(connection, journal_head, {"name": HOME_ROW, "epoch": 1, "seq": 0, "chain": b""})
