"""What lines amount to in the derived tables. An effect reads nothing but the programme and derived tables."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from services.reporting import mistake_store, mistakes, records, step_mistakes, store
from shared.contracts.catalogue import (
    FACTS,
    AnonymousSheetRecorded,
    AttendanceRecorded,
    HeadsCounted,
    OutcomeRecorded,
    ParticipationStarted,
    PeriodConfirmed,
    PersonTagged,
    ScoreComputed,
    SessionHeld,
    SessionRemoved,
    StandingReached,
    StepEntered,
    StepLeft,
    SubjectErased,
    TagsRetired,
)
from shared.contracts.closing_facts import ClosingFinal, ProgrammeClosed, ProgrammeReopened, StreamSealed
from shared.contracts.encounter_facts import EncounterRecorded
from shared.contracts.errors import FactNotWritable
from shared.contracts.facts import Fact
from shared.contracts.mistake_facts import PauseRemoved, StepRemoved
from shared.contracts.purpose_facts import PurposeEnded
from shared.contracts.record_facts import FollowUpRecorded, ParticipationEnded, ParticipationResumed
from shared.contracts.rights_facts import NotSamePerson, PersonRestricted, RestrictionLifted, SamePerson
from shared.contracts.start_facts import EuraCounted
from shared.contracts.step_facts import ProductRecorded, StepPaused, StepResumed
from shared.journal.erasing import note_purposes_ended, note_received, note_tags_retired
from shared.journal.lines import BadLine, body_of, read_body
from shared.ops.clock import day_of
from shared.ops.metrics import counter
from shared.programmes import Programme

aside_total = counter("polku_reporting_lines_aside_total", "Received lines kept but not in the figures", "reason")


Read = tuple[int, Fact | None, str | None]
"""A line's number, its fact if it has an effect, and else why it is set aside."""


def read_lines(rows: Iterable[Sequence[Any]]) -> list[Read]:
    """Read lines: each row begins with number, kind, version, subject and the bytes, None where they were erased."""
    kept = [row for row in rows if row[4] is not None]
    alike = defaultdict[type[Fact] | None, list[int]](list)
    for at, row in enumerate(kept):
        alike[FACTS.get((row[1] or "", row[2] or 0))].append(at)
    read: list[Any] = [None] * len(kept)
    for known, places in alike.items():
        some = [kept[at] for at in places]
        subjects = [row[3].hex() if row[3] is not None else None for row in some]
        usual = (
            known.read_usual(subjects, [body_of(row[4]) for row in some]) if known in EFFECTS else [None] * len(some)
        )
        for at, row, subject, fact in zip(places, some, subjects, usual, strict=True):
            read[at] = (row[0], fact, None) if fact is not None else (row[0], *_read(known, subject, row[4]))
    return read


@dataclass(slots=True)
class Effects:
    """What a run of lines makes of the derived tables; the last state of each entity wins."""

    rows: store.Rows = field(default_factory=lambda: defaultdict(dict))
    erased: dict[str, int] = field(default_factory=dict)
    retired: dict[int, int] = field(default_factory=dict)
    purposes: list[tuple[str, str, str, int]] = field(default_factory=list)
    forms_removed: list[tuple[bytes, bytes]] = field(default_factory=list)

    def write(self, connection: Connection, stream: str) -> None:
        """Write them; whoever was erased, and what was retired, is gone from lines and derived tables. Each kind of it
        is one pass through the stream: a member may say as much of it in a batch as there are lines."""
        if self.retired:
            note_tags_retired(connection, stream, self.retired)
            store.forget_tags(connection, stream, self.retired)
        if self.purposes:
            note_purposes_ended(connection, stream, self.purposes)
            store.forget_purposes(connection, stream, ((subject, purpose) for subject, purpose, *_ in self.purposes))
        if self.forms_removed:
            mistake_store.remove_scores(connection, stream, self.forms_removed)
        store.put_derived(connection, self.rows)
        if self.erased:
            note_received(connection, stream, self.erased)
            store.forget_subjects(connection, stream, self.erased)
        if self.erased or self.purposes or self.retired:
            store.forget_aside(connection, stream)


@dataclass(slots=True)
class Derivation:
    """Turns the lines of one stream after line `after` into effects. It asks `connection` which sessions and which rows
    of steps there are of earlier lines, and remembers those that it has made itself: what it made need not be there
    yet."""

    connection: Connection
    stream: str
    programme: Programme
    after: int
    effects: Effects = field(default_factory=Effects)
    made: dict[bytes, bool] = field(default_factory=dict)
    seen: set[bytes] = field(default_factory=set)
    steps: step_mistakes.Lines = field(init=False)
    seq: int = 0

    def __post_init__(self) -> None:
        self.steps = step_mistakes.Lines(self.connection, self.stream, self.after)

    def take(self, lines: Sequence[Read], gone: Iterable[str] = ()) -> Effects:
        """The effects of these lines, in order; one that is refused or of a newer release is set aside, and why. `gone`
        are those subjects of the lines who were erased before."""
        # Who is erased stays so, whatever still comes.
        self.effects = Effects(erased={**dict.fromkeys(gone, self.seq), **self.effects.erased})
        named = {fact["session"] for _, fact, _ in lines if fact is not None and "session" in fact.members}
        self.seen = store.held_sessions(self.connection, self.stream, map(bytes.fromhex, named))
        erased = self.effects.erased
        for self.seq, fact, reason in lines:
            if fact is not None:
                if erased and fact.subject in erased:
                    continue  # and nothing of another's that the line names is touched
                reason = EFFECTS[type(fact)](self, fact)
            if reason is not None:
                aside_total.labels(reason).inc()
                self._set("reporting_aside", seq=self.seq, reason=reason)
        return self.effects

    def _set(self, table: str, **columns: Any) -> None:
        columns["stream"] = self.stream
        self.effects.rows[table][_KEY_OF[table](columns)] = columns

    def _remove(self, table: str, entity: bytes) -> None:
        self.effects.rows[table][self.stream, entity] = None

    def _has_session(self, session: bytes) -> bool:
        return self.made.get(session, session in self.seen)

    def standing(self, fact: Fact) -> str | None:
        since = day_of(fact["occurred_on"])
        self._set("reporting_person", subject=_subject(fact), standing=fact["standing"], since=since)
        return self._continues(fact)

    def started(self, fact: Fact) -> str | None:
        self._set("reporting_start", subject=_subject(fact), **records.start_row(self.programme, fact.body))
        return self._continues(fact)

    def _continues(self, fact: Fact) -> str | None:
        """That this person was another partner's before. Nothing of theirs is changed, or even looked for."""
        if fact["continues"]:
            self._set("reporting_continues", subject=_subject(fact), continues=bytes.fromhex(fact["continues"]))
        return None

    def ended(self, fact: Fact) -> str | None:
        self._set("reporting_exit", subject=_subject(fact), **records.exit_row(self.programme, fact.body))
        return None

    def resumed(self, fact: Fact) -> str | None:
        self._remove("reporting_exit", _subject(fact))
        return None

    def followed_up(self, fact: Fact) -> str | None:
        self._set("reporting_follow_up", subject=_subject(fact), **records.follow_up_row(fact.body))
        return None

    def encounter(self, fact: Fact) -> str | None:
        heads = _named(fact, "location", "staff", "people_new", "people_known", "women")
        heads["area"] = self.programme.now("areas", fact["area"]) if fact["area"] else None
        told = {name: " ".join(fact[name] or ()) for name in ("topics", "guided_to")}
        day = date.fromisoformat(fact["occurred_on"])
        self._set("reporting_encounter", encounter=bytes.fromhex(fact["encounter"]), occurred_on=day, **heads, **told)
        return None

    def session(self, fact: Fact) -> str | None:
        activity = self.programme.now("activities", fact["activity"])
        if activity not in self.programme.activity_by_key:
            return "unknown_activity"
        session = bytes.fromhex(fact["session"])
        self.made[session] = True
        self._set(
            "reporting_session",
            session=session,
            activity=activity,
            occurred_on=date.fromisoformat(fact["occurred_on"]),
            minutes=fact["minutes"],
            location=fact["location"],
            area=self.programme.now("areas", fact["area"]) if fact["area"] else None,
        )
        return None

    def attendance(self, fact: Fact) -> str | None:
        body = fact.body  # nine of ten lines are such
        session = bytes.fromhex(body["session"])
        if not self._has_session(session):
            return "foreign_session"
        self._set(
            "reporting_attendance",
            attendance=bytes.fromhex(body["attendance"]),
            session=session,
            subject=_subject(fact),
            role=body["role"],
            minutes=body.get("minutes"),
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
        self.effects.erased.setdefault(str(fact.subject), self.seq)
        return None

    def tagged(self, fact: Fact) -> str | None:
        self._set("reporting_tag", subject=_subject(fact), key_no=fact["key_no"], tag=bytes.fromhex(fact["tag"]))
        return None

    def tags_retired(self, fact: Fact) -> str | None:
        tags = self.effects.rows["reporting_tag"]
        for key in [key for key in tags if key[2] == fact["key_no"]]:
            del tags[key]
        self.effects.retired[fact["key_no"]] = self.seq
        return None

    def purpose_ended(self, fact: Fact) -> str | None:
        purpose, raw = fact["purpose"], _subject(fact)
        for table in store.OF_PURPOSE[purpose]:
            pending = self.effects.rows[table.name]
            for key in [key for key, row in pending.items() if row is not None and row["subject"] == raw]:
                del pending[key]
        self.effects.purposes.append((str(fact.subject), purpose, fact["ending"], self.seq))
        self._set("reporting_ending", ending=bytes.fromhex(fact["ending"]), subject=raw, purpose=purpose)
        return None

    def same(self, fact: Fact) -> str | None:
        since = date.fromisoformat(fact["occurred_on"])
        self._set("reporting_same", subject=_subject(fact), same_as=bytes.fromhex(fact["same_as"]), since=since)
        return None

    def not_same(self, fact: Fact) -> str | None:
        key = (self.stream, _subject(fact), bytes.fromhex(fact["same_as"]))
        self.effects.rows["reporting_same"][key] = None
        return None

    def restricted(self, fact: Fact) -> str | None:
        self._set("reporting_restricted", subject=_subject(fact))
        return None

    def lifted(self, fact: Fact) -> str | None:
        self._remove("reporting_restricted", _subject(fact))
        return None

    def step(self, fact: Fact) -> str | None:
        key = self.programme.now("steps", fact["step"])
        step = self.programme.step_by_key.get(key)
        if step is None:
            return "unknown_step"
        if step.level != "individual":
            return "step_of_nobody"
        day = date.fromisoformat(fact["occurred_on"])
        subject, what = _subject(fact), _WHAT[type(fact)]
        self._set("reporting_step", seq=self.seq, subject=subject, step=key, what=what, occurred_on=day)
        self.steps.add(self.seq, (subject, key, what, day))
        return None

    def step_removed(self, fact: Fact) -> str | None:
        step = self.programme.now("steps", fact["step"])
        for what, day in step_mistakes.named(fact):
            seq = self.steps.take_back((_subject(fact), step, what, day))
            if seq is not None:
                self.effects.rows["reporting_step"][self.stream, seq] = None
        return None

    def product(self, fact: Fact) -> str | None:
        if fact["product"] not in self.programme.product_by_key:
            return "unknown_product"
        day = date.fromisoformat(fact["occurred_on"])
        self._set("reporting_product", product=fact["product"], state=fact["state"], occurred_on=day)
        return None

    def outcome(self, fact: Fact) -> str | None:
        known = self.programme.outcome_by_key.get(self.programme.now("outcomes", fact["outcome"]))
        activity = self.programme.now("activities", fact["activity"])
        if known is None or known.activity != activity:
            return "unknown_outcome"
        self._set(
            "reporting_outcome",
            outcome_id=bytes.fromhex(fact["outcome_id"]),
            subject=_subject(fact),
            activity=activity,
            outcome=known.key,
            occurred_on=date.fromisoformat(fact["occurred_on"]),
        )
        return None

    def confirmed(self, fact: Fact) -> str | None:
        if fact["period"] not in self.programme.period_by_key:
            return "unknown_period"
        self._set("reporting_confirmed", period=fact["period"], occurred_on=date.fromisoformat(fact["occurred_on"]))
        return None

    def nothing(self, _fact: Fact) -> str | None:
        """That a node closes a programme is no figure; the seal is the receiver's to see (`journal.deciding`)."""
        return None

    def eura_counted(self, fact: Fact) -> str | None:
        self._set("reporting_eura", starts=fact["starts"], exits=fact["exits"])
        return None

    def session_removed(self, fact: Fact) -> str | None:
        session = bytes.fromhex(fact["session"])
        if not self._has_session(session):
            return "foreign_session"
        self.made[session] = False
        self._remove("reporting_session", session)
        self._remove("reporting_heads", session)
        return None


_KEY_OF = {table: itemgetter(*names) for table, names in store.KEYS.items()}
_WHAT: dict[type[Fact], str] = {StepEntered: "entered", StepLeft: "left", StepPaused: "paused", StepResumed: "resumed"}
_SCORE = ("definition", "scale", "score")
CLOSING: tuple[type[Fact], ...] = (ProgrammeClosed, ClosingFinal, ProgrammeReopened, StreamSealed)

EFFECTS: dict[type[Fact], Callable[[Derivation, Fact], str | None]] = {
    StandingReached: Derivation.standing,
    ParticipationStarted: Derivation.started,
    SessionHeld: Derivation.session,
    AttendanceRecorded: Derivation.attendance,
    HeadsCounted: Derivation.heads,
    ScoreComputed: Derivation.score,
    AnonymousSheetRecorded: Derivation.sheet,
    SubjectErased: Derivation.erase,
    **dict.fromkeys(_WHAT, Derivation.step),
    **dict.fromkeys((StepRemoved, PauseRemoved), Derivation.step_removed),
    ProductRecorded: Derivation.product,
    OutcomeRecorded: Derivation.outcome,
    PeriodConfirmed: Derivation.confirmed,
    SessionRemoved: Derivation.session_removed,
    PersonTagged: Derivation.tagged,
    TagsRetired: Derivation.tags_retired,
    ParticipationEnded: Derivation.ended,
    EuraCounted: Derivation.eura_counted,
    ParticipationResumed: Derivation.resumed,
    FollowUpRecorded: Derivation.followed_up,
    PurposeEnded: Derivation.purpose_ended,
    SamePerson: Derivation.same,
    NotSamePerson: Derivation.not_same,
    PersonRestricted: Derivation.restricted,
    RestrictionLifted: Derivation.lifted,
    EncounterRecorded: Derivation.encounter,
    **mistakes.EFFECTS,
    **dict.fromkeys(CLOSING, Derivation.nothing),
}


def _read(known: type[Fact] | None, subject: str | None, data: bytes) -> tuple[Fact | None, str | None]:
    """The fact of a line if it has an effect, or why it is set aside."""
    try:
        body = read_body(data)
    except BadLine:
        return None, "bad_line"
    if known is None:
        return None, "newer"
    if known not in EFFECTS:
        return None, "foreign_kind"
    try:
        return known.read(subject, body), None
    except FactNotWritable:
        return None, "bad_body"


def _named(fact: Fact, *members: str) -> dict[str, Any]:
    return {member: fact[member] for member in members}


def _subject(fact: Fact) -> bytes:
    return bytes.fromhex(fact.subject or "")
