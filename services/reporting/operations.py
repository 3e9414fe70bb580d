"""Use cases of reporting: the lead's own facts, and deriving figures from the lines that have arrived."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, select

from services.reporting import store
from shared.contracts.catalogue import (
    FACTS,
    AnonymousSheetRecorded,
    AttendanceRecorded,
    AttendanceRemoved,
    HeadsCounted,
    NodeAdmitted,
    OutcomeRecorded,
    ParticipationStarted,
    PeriodConfirmed,
    PersonTagged,
    ProgrammeVersion,
    ScoreComputed,
    SessionHeld,
    SessionRemoved,
    StandingReached,
    StepEntered,
    StepLeft,
    SubjectErased,
    TagsRetired,
)
from shared.contracts.errors import (
    FactNotWritable,
    InvalidInvite,
    PartnerAlreadyJoined,
    UnknownCode,
    UnknownProgramme,
)
from shared.contracts.facts import Fact
from shared.contracts.referral_facts import ParticipationEnded
from shared.journal import Journal
from shared.journal.carry_tables import received_head, received_line, received_segment
from shared.journal.erasing import note_received, note_tags_retired
from shared.journal.joining import Join
from shared.journal.lines import BadLine, chain_next, chain_start, read_body
from shared.ops.metrics import counter
from shared.programmes import Programme, canonical
from shared.programmes import parse as parse_programme
from shared.programmes.shelf import pieces
from shared.storage import LINES_AT_ONCE, transaction
from shared.storage.upsert import read_many

DERIVE_BATCH = LINES_AT_ONCE
"""Lines of one derive transaction, by dialect."""

READ_AT_ONCE = 2_500
"""Lines of it in memory at the same time: a line may have 64 KiB."""

derived_total = counter("polku_reporting_lines_derived_total", "Received lines taken into the derived tables")
aside_total = counter("polku_reporting_lines_aside_total", "Received lines kept but not in the figures", "reason")


def load_programme(journal: Journal, document: dict[str, Any], by: str, now: datetime) -> tuple[Programme, int | None]:
    """Record a new version of a programme on the lead's stream and derive its figures anew; the same adds no line.

    Returns the programme and the journal position, None if nothing was new. Raises `InvalidProgramme`.
    """
    programme = parse_programme(document)
    with journal.unit(now) as unit:
        try:
            if store.shelf.get(unit.connection, programme.key).digest == programme.digest:
                return programme, None
        except UnknownProgramme:
            pass  # its first version
        for piece in pieces(ProgrammeVersion, programme, canonical(document).decode()):
            store.shelf.put(unit.connection, piece)
            unit.record(piece, programme.key)
        store.forget_derived(unit.connection, store.streams_of(unit.connection, programme.key))
        unit.audit(by, "load_programme", programme=programme.key, digest=programme.digest)
    return programme, unit.pos


def admit_partner(
    journal: Journal, programme: str, partner: str, token_digest: bytes, *, valid: timedelta, by: str, now: datetime
) -> datetime:
    """Note that an invite is given out; returns when it expires. Raises `UnknownCode` or `PartnerAlreadyJoined`."""
    with journal.unit(now) as unit:
        definition = store.shelf.get(unit.connection, programme)
        if partner not in definition.partner_by_key:
            raise UnknownCode(field="partner", programme=programme, value=partner)
        if store.find_partner(unit.connection, programme, partner) is not None:
            raise PartnerAlreadyJoined(partner=partner, programme=programme)
        expires = now + valid
        store.add_invite(unit.connection, token_digest, programme, partner, expires)
        unit.audit(by, "admit_partner", programme=programme, partner=partner)
    return expires


def accept_join(journal: Journal, join: Join, now: datetime) -> bool:
    """Admit the node that sent back a valid invite; False if it had been admitted already.

    Raises `InvalidInvite` with the reason, or `PartnerAlreadyJoined` by another node.
    """
    with journal.unit(now) as unit:
        known = store.find_invite(unit.connection, join.token_digest)
        if known is None or (known.programme, known.partner) != (join.programme, join.partner):
            raise InvalidInvite(reason="it was not given out by this lead")
        present = store.find_partner(unit.connection, join.programme, join.partner)
        if present is not None:
            if (present.node, present.signing_key) == (join.node, join.signing_key):
                return False
            raise PartnerAlreadyJoined(partner=join.partner, programme=join.programme)
        if known.used_by is not None:
            raise InvalidInvite(reason="it has been used")
        if known.expires_at.replace(tzinfo=now.tzinfo) < now:
            raise InvalidInvite(reason="it has expired")
        stream = f"{join.node}/{join.programme}"
        if (other := store.find_stream(unit.connection, stream)) is not None:
            # One stream has one partner: a second invite does not make the node another one too.
            raise PartnerAlreadyJoined(partner=other.partner, programme=join.programme)
        store.use_invite(unit.connection, join.token_digest, join.node)
        row = {"partner": join.partner, "node": join.node}
        keys = {"signing_key": join.signing_key, "receiving_key": join.receiving_key}
        store.add_node(unit.connection, {"stream": stream, "programme": join.programme, **row, **keys})
        hexed = {name: key.hex() for name, key in keys.items()}
        unit.record(NodeAdmitted(None, **row, **hexed), join.programme)
        unit.audit("receiver", "admit_node", programme=join.programme, **row)
    return True


@dataclass(slots=True)
class _Derivation:
    """The effects of a run of lines of one stream; the last state of each entity wins."""

    connection: Connection
    stream: str
    programme: Programme
    rows: store.Rows = field(default_factory=lambda: defaultdict(dict))
    seen: set[bytes] = field(default_factory=set)
    erased: dict[str, int] = field(default_factory=dict)
    retired: dict[int, int] = field(default_factory=dict)
    seq: int = 0

    def take(self, lines: Iterable[tuple[Any, ...]]) -> None:
        """The effects of these lines (seq, kind, version, subject, bytes), in order; one that is refused or of a newer
        release is set aside, and why."""
        read = [(seq, *_read(*line)) for seq, *line in lines]
        named = {fact["session"] for _, fact, _ in read if fact is not None and "session" in fact.members}
        self.seen = store.held_sessions(self.connection, self.stream, map(bytes.fromhex, named))
        for self.seq, fact, reason in read:
            if fact is not None:
                reason = _EFFECTS[type(fact)](self, fact)
            if reason is not None:
                aside_total.labels(reason).inc()
                self._set("reporting_aside", seq=self.seq, reason=reason)

    def _set(self, table: str, **columns: Any) -> None:
        row = {"stream": self.stream, **columns}
        self.rows[table][tuple([row[name] for name in store.KEYS[table]])] = row

    def _remove(self, table: str, entity: bytes) -> None:
        self.rows[table][self.stream, entity] = None

    def _has_session(self, session: bytes) -> bool:
        key, here = (self.stream, session), self.rows["reporting_session"]
        return here[key] is not None if key in here else session in self.seen

    def standing(self, fact: Fact) -> str | None:
        since = date.fromisoformat(fact["occurred_on"]) if fact["occurred_on"] else None
        self._set("reporting_person", subject=_subject(fact), standing=fact["standing"], since=since)
        return self._continues(fact)

    def participation(self, fact: Fact) -> str | None:
        return self._continues(fact)  # the ESF indicators are derived from it when they come

    def _continues(self, fact: Fact) -> str | None:
        """That this person was another partner's before. Nothing of theirs is changed, or even looked for."""
        if fact["continues"]:
            self._set("reporting_continues", subject=_subject(fact), continues=bytes.fromhex(fact["continues"]))
        return None

    def ended(self, fact: Fact) -> str | None:
        return None  # a person who was transferred counts as they did; the ESF indicators will look at it

    def session(self, fact: Fact) -> str | None:
        if fact["activity"] not in self.programme.activity_by_key:
            return "unknown_activity"
        self._set(
            "reporting_session",
            session=bytes.fromhex(fact["session"]),
            activity=fact["activity"],
            occurred_on=date.fromisoformat(fact["occurred_on"]),
            minutes=fact["minutes"],
            location=fact["location"],
            area=fact["area"],
        )
        return None

    def attendance(self, fact: Fact) -> str | None:
        session = bytes.fromhex(fact["session"])
        if not self._has_session(session):
            return "foreign_session"
        self._set(
            "reporting_attendance",
            attendance=bytes.fromhex(fact["attendance"]),
            session=session,
            subject=_subject(fact),
            role=fact["role"],
            minutes=fact["minutes"],
        )
        return None

    def heads(self, fact: Fact) -> str | None:
        session = bytes.fromhex(fact["session"])
        if not self._has_session(session):
            return "foreign_session"
        self._set("reporting_heads", session=session, heads=fact["heads"], women=fact["women"], basis=fact["basis"])
        return None

    def score(self, fact: Fact) -> str | None:
        return self._measured("reporting_score", fact, subject=_subject(fact), **_named(fact, *_SCORE))

    def sheet(self, fact: Fact) -> str | None:
        return self._measured("reporting_sheet", fact)

    def _measured(self, table: str, fact: Fact, **more: Any) -> str | None:
        if (fact["instrument"], fact["version"]) not in self.programme.instrument_use:
            return "unknown_instrument"
        day, what = date.fromisoformat(fact["occurred_on"]), _named(fact, "instrument", "version", "occasion")
        self._set(table, assessment=bytes.fromhex(fact["assessment"]), occurred_on=day, **what, **more)
        return None

    def erase(self, fact: Fact) -> str | None:
        self.erased[str(fact.subject)] = self.seq
        return None

    def tagged(self, fact: Fact) -> str | None:
        self._set("reporting_tag", subject=_subject(fact), key_no=fact["key_no"], tag=bytes.fromhex(fact["tag"]))
        return None

    def tags_retired(self, fact: Fact) -> str | None:
        tags = self.rows["reporting_tag"]
        for key in [key for key in tags if key[2] == fact["key_no"]]:
            del tags[key]
        self.retired[fact["key_no"]] = self.seq
        return None

    def write(self) -> None:
        """Write the effects; who was erased, and what was retired, is gone from lines and derived tables alike."""
        for key_no, seq in self.retired.items():
            note_tags_retired(self.connection, self.stream, key_no, seq)
            store.forget_tags(self.connection, self.stream, key_no)
        store.put_derived(self.connection, self.rows)
        for subject, seq in self.erased.items():
            note_received(self.connection, self.stream, subject, seq)
            store.forget_subject(self.connection, self.stream, subject)

    def step(self, fact: Fact) -> str | None:
        step = self.programme.step_by_key.get(fact["step"])
        if step is None:
            return "unknown_step"
        # No figure is made of steps yet; that a line names one which people never enter is said all the same.
        return None if step.level == "individual" else "step_of_nobody"

    def outcome(self, fact: Fact) -> str | None:
        known = self.programme.outcome_by_key.get(fact["outcome"])
        if known is None or known.activity != fact["activity"]:
            return "unknown_outcome"
        self._set(
            "reporting_outcome",
            outcome_id=bytes.fromhex(fact["outcome_id"]),
            subject=_subject(fact),
            activity=fact["activity"],
            outcome=fact["outcome"],
            occurred_on=date.fromisoformat(fact["occurred_on"]),
        )
        return None

    def confirmed(self, fact: Fact) -> str | None:
        if fact["period"] not in self.programme.period_by_key:
            return "unknown_period"
        self._set("reporting_confirmed", period=fact["period"], occurred_on=date.fromisoformat(fact["occurred_on"]))
        return None

    def attendance_removed(self, fact: Fact) -> str | None:
        # Removing what is not there is no error: its line may have been refused, and then there is nothing to undo.
        self._remove("reporting_attendance", bytes.fromhex(fact["attendance"]))
        return None

    def session_removed(self, fact: Fact) -> str | None:
        session = bytes.fromhex(fact["session"])
        if not self._has_session(session):
            return "foreign_session"
        self._remove("reporting_session", session)
        self._remove("reporting_heads", session)
        return None


_SCORE = ("definition", "scale", "score")


_EFFECTS: dict[type[Fact], Callable[[_Derivation, Fact], str | None]] = {
    StandingReached: _Derivation.standing,
    ParticipationStarted: _Derivation.participation,
    SessionHeld: _Derivation.session,
    AttendanceRecorded: _Derivation.attendance,
    HeadsCounted: _Derivation.heads,
    ScoreComputed: _Derivation.score,
    AnonymousSheetRecorded: _Derivation.sheet,
    SubjectErased: _Derivation.erase,
    StepEntered: _Derivation.step,
    StepLeft: _Derivation.step,
    OutcomeRecorded: _Derivation.outcome,
    PeriodConfirmed: _Derivation.confirmed,
    AttendanceRemoved: _Derivation.attendance_removed,
    SessionRemoved: _Derivation.session_removed,
    PersonTagged: _Derivation.tagged,
    TagsRetired: _Derivation.tags_retired,
    ParticipationEnded: _Derivation.ended,
}


def _read(kind: str | None, v: int | None, subject: bytes | None, data: bytes) -> tuple[Fact | None, str | None]:
    """The fact of a line if it has an effect, or why it is set aside."""
    try:
        body = read_body(data)
    except BadLine:
        return None, "bad_line"
    known = FACTS.get((kind or "", v or 0))
    if known is None:
        return None, "newer"
    if known not in _EFFECTS:
        return None, "foreign_kind"
    try:
        return known.read(subject.hex() if subject is not None else None, body), None
    except FactNotWritable:
        return None, "bad_body"


def _named(fact: Fact, *members: str) -> dict[str, Any]:
    return {member: fact[member] for member in members}


def _subject(fact: Fact) -> bytes:
    return bytes.fromhex(fact.subject or "")


# Between two numbers, and without a LIMIT: then no plan reads what lies further on, whatever the database guesses.
_NEXT = (
    select(*(received_line.c[name] for name in ("seq", "epoch", "digest", "kind", "v", "subject", "line")))
    .where(
        received_line.c.stream == bindparam("stream"),
        received_line.c.seq > bindparam("after"),
        received_line.c.seq <= bindparam("to"),
    )
    .order_by(received_line.c.seq)
)


def derive(engine: Engine) -> bool:
    """Take the next received lines into the derived tables, one transaction per stream; False if there were none."""
    with engine.connect() as connection:
        heads = connection.execute(
            select(received_head.c.stream, received_head.c.seq, store.cursor.c.seq.label("done"))
            .outerjoin(store.cursor, store.cursor.c.stream == received_head.c.stream)
            .where(received_head.c.node != "lead")
        ).all()
    behind = [row.stream for row in heads if row.seq > (row.done or 0)]
    for stream in behind:
        with transaction(engine) as connection:
            _derive_stream(connection, stream)
    return bool(behind)


def derive_what_has_become_readable(engine: Engine) -> None:
    """Forget what was derived of streams with lines of a newer release that this release knows: derived anew."""
    aside, line = store.aside, received_line
    at = (line.c.stream == aside.c.stream) & (line.c.seq == aside.c.seq)
    query = select(aside.c.stream, line.c.kind, line.c.v).join_from(aside, line, at).where(aside.c.reason == "newer")
    with engine.connect() as connection:
        streams = sorted({row.stream for row in connection.execute(query.distinct()) if (row.kind, row.v) in FACTS})
    for stream in streams:
        with transaction(engine) as connection:
            store.forget_derived(connection, [stream])


def _derive_stream(connection: Connection, stream: str) -> None:
    store.lock_derived(connection, stream)
    derived_total.inc(derive_next(connection, connection, stream))


def derive_next(source: Connection, target: Connection, stream: str, last: int | None = None) -> int:
    """Take the stream's next received lines (up to line `last`) of `source` into the derived tables of `target`,
    where its cursor says; returns how many. An effect reads nothing but the programme and derived tables."""
    at = target.execute(select(store.cursor).where(store.cursor.c.stream == stream)).one_or_none()
    seq, chain = (at.seq, at.chain) if at else (0, chain_start(stream))
    most = DERIVE_BATCH[source.dialect.name]
    # Where a segment ends the node has signed the chain: a cursor there is one that a certificate can prove.
    c = received_segment.c
    ends = select(func.max(c.last)).where(c.stream == stream, c.last > seq, c.last <= seq + most)
    to = min(bound for bound in (last, source.execute(ends).scalar_one(), seq + most) if bound is not None)
    derivation, count = _Derivation(target, stream, store.shelf.get(source, stream.split("/")[1])), 0
    for after in range(seq, to, READ_AT_ONCE):
        rows = read_many(source, _NEXT, {"stream": stream, "after": after, "to": min(after + READ_AT_ONCE, to)})
        derivation.take((number, *line) for number, _, _, *line in rows if line[-1] is not None)
        for row in rows:
            chain, last_read, count = chain_next(chain, row[2]), row, count + 1
    if count:
        derivation.write()
        store.set_cursor(target, stream, last_read[1], last_read[0], chain)
    return count
