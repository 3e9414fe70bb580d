"""What pathways does when it hears a fact, and when the clock has moved: the workflow itself.

`heard` is the handler of every kind in `KINDS`; it runs inside the follower's unit of work, so that what it keeps, the
tasks it opens and closes, their facts and the cursor are one transaction. `look_at_clock` is the timer's.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import Engine

from services.pathways import (
    closing_store,
    leaving,
    leaving_store,
    queries,
    step_store,
    stepping,
    store,
    worker_store,
)
from services.pathways.leaving_store import Leaving
from services.pathways.rules import Event, at_day, at_event, concerns
from services.pathways.task_changes import apply, close
from shared.contracts.errors import UnknownProgramme
from shared.contracts.facts import Fact
from shared.contracts.purpose_facts import PathwaysCleared
from shared.contracts.purposes import PURPOSE_OF_SERVICE
from shared.contracts.record_facts import ParticipationEnded
from shared.journal import Journal, Line, Unit
from shared.ops.clock import day_of, parse_wire_time, today_in_helsinki
from shared.ops.metrics import gauge
from shared.programmes import Programme, TaskRule
from shared.programmes.workflow import FILTERS, MappedList
from shared.storage import snapshot

late_tasks = gauge("polku_pathways_late_tasks", "Open tasks whose day has passed", "programme")
lateness_seconds = gauge(
    "polku_pathways_lateness_seconds", "How late the latest open task is, in whole days; 0: none is late", "programme"
)


@dataclass(slots=True)
class _Memo:
    """What has been read in one unit of work, so that a hundred lines of it do not read it a hundred times."""

    unit: Unit | None = None
    definitions: dict[str, Programme | None] = field(default_factory=dict)
    sessions: dict[str, tuple[str, date] | None] = field(default_factory=dict)


_memo = _Memo()


def _memo_of(unit: Unit) -> _Memo:
    """The memo of this unit; a new unit, also the one after a failure, begins with an empty one."""
    global _memo
    memo = _memo
    if memo.unit is not unit:
        _memo = memo = _Memo(unit)
    return memo


def heard(unit: Unit, line: Line, fact: Fact) -> None:
    """Take one fact in."""
    _HEARD[fact.kind](unit, line, fact)


def _standing_reached(unit: Unit, line: Line, fact: Fact) -> None:
    subject, definition = str(fact.subject), _definition(unit, _programme(line))
    store.put_person(unit.connection, subject, _programme(line))
    away = leaving_store.find(unit.connection, subject)
    if away is not None and away.record_erased and fact["standing"] == "esf_participant":  # begins anew
        heard = _written(line)
        _is_back(unit, definition, subject, Event("participation_resumed", heard, heard, _cause(line), {}))
    _event(unit, line, fact, _day(fact, "occurred_on"), {"standing": fact["standing"]})


def _coded(unit: Unit, line: Line, fact: Fact) -> None:
    """A fact that says its day, and no more than what may narrow a condition."""
    words = FILTERS[fact.kind.partition(".")[2]]
    _event(unit, line, fact, _day(fact, "occurred_on"), {word: fact[word] for word in words})


def _session_held(unit: Unit, line: Line, fact: Fact) -> None:
    activity = _now(unit, line, "activities", fact["activity"])
    columns = {"programme": _programme(line), "activity": activity, "occurred_on": _day(fact, "occurred_on")}
    store.put_session(unit.connection, fact["session"], **columns)
    _memo_of(unit).sessions.pop(fact["session"], None)


def _heads_counted(unit: Unit, _line: Line, fact: Fact) -> None:
    if store.find_session(unit.connection, fact["session"]) is not None:
        store.put_session(unit.connection, fact["session"], heads=fact["heads"])


def _attendance_recorded(unit: Unit, line: Line, fact: Fact) -> None:
    subject = str(fact.subject)
    store.put_attendance(unit.connection, fact["attendance"], fact["session"], subject, fact["role"])
    if fact["role"] != "participant" or not _waits_for(unit, line, "attendance_recorded"):
        return
    held = _session(unit, fact["session"])
    if held is not None:
        activity, day = held
        _event(unit, line, fact, day, {"activity": activity})


def _session(unit: Unit, session: str) -> tuple[str, date] | None:
    """Activity and day of a session."""
    known = _memo_of(unit).sessions
    if session not in known:
        row = store.find_session(unit.connection, session)
        known[session] = (row.activity, row.occurred_on) if row else None
    return known[session]


def _attendance_removed(unit: Unit, _line: Line, fact: Fact) -> None:
    store.remove_attendance(unit.connection, fact["attendance"])


def _session_removed(unit: Unit, _line: Line, fact: Fact) -> None:
    store.remove_session(unit.connection, fact["session"])
    _memo_of(unit).sessions.pop(fact["session"], None)


def _step(unit: Unit, line: Line, fact: Fact) -> None:
    _event(unit, line, fact, _day(fact, "occurred_on"), {"step": _now(unit, line, "steps", fact["step"])})


def _outcome_recorded(unit: Unit, line: Line, fact: Fact) -> None:
    activity, outcome = (_now(unit, line, part, fact[word]) for part, word in _OUTCOME)
    codes = {"activity": activity, "outcome": outcome}
    _event(unit, line, fact, _day(fact, "occurred_on"), codes)


def _action_agreed(unit: Unit, line: Line, fact: Fact) -> None:
    more = {"text_ref": fact["text_ref"], "thing": fact["action"]}
    _event(unit, line, fact, None, {}, due_on=_day(fact, "due_on"), **more)


def _meeting_planned(unit: Unit, line: Line, fact: Fact) -> None:
    _event(unit, line, fact, _day(fact, "on"), {}, thing=fact["meeting"])


def _action_withdrawn(unit: Unit, line: Line, fact: Fact) -> None:
    _withdraw(unit, line, fact, fact["action"])


def _meeting_withdrawn(unit: Unit, line: Line, fact: Fact) -> None:
    _withdraw(unit, line, fact, fact["meeting"])


def _withdraw(unit: Unit, line: Line, fact: Fact, thing: str, reason: str = "mistake") -> None:
    """Dismiss what was to be done about something that was written down by mistake, or is not wanted any more."""
    for task_id in store.open_tasks_of(unit.connection, thing):
        close(unit, str(fact.subject), task_id, "dismissed", reason, _written(line))


def _participation_ended(unit: Unit, line: Line, fact: Fact) -> None:
    """Somebody left, or the exit that holds is another one. Who has no start may close tasks by it and opens none: what
    leaving asks is of the fund's record (decision 0240)."""
    subject, programme = str(fact.subject), _programme(line, fact)
    definition, recorded = _definition(unit, programme), fact.kind == ParticipationEnded.kind
    before = leaving_store.find(unit.connection, subject)
    now = Leaving(date.fromisoformat(fact["occurred_on"]), fact["reason"])
    leaving_store.put(unit.connection, subject, programme, now)
    if before not in (None, now) and definition is not None:
        leaving.corrected(unit, definition, subject, _written(line))
    _event(unit, line, fact, now.left_on, {"reason": now.reason}, on="participation_ended", opens=recorded)
    if definition is not None:
        leaving.left(unit, definition, subject, now, _written(line))
        leaving.asked_after_all(unit, definition, subject, before, now, _written(line), _cause(line))


def _participation_resumed(unit: Unit, line: Line, fact: Fact) -> None:
    definition, subject, heard = _definition(unit, _programme(line, fact)), str(fact.subject), _written(line)
    event = Event("participation_resumed", _day(fact, "occurred_on") or heard, heard, _cause(line), {})
    _is_back(unit, definition, subject, event)


def _is_back(unit: Unit, definition: Programme | None, subject: str, event: Event) -> None:
    leaving_store.forget(unit.connection, subject)
    if definition is not None:
        leaving.back(unit, definition, subject, event)


def _exit_form_recorded(unit: Unit, line: Line, fact: Fact) -> None:
    _event(unit, line, fact, None, {})  # signed perhaps before the last day: what counts is that it was written down


def _plan_entry_recorded(unit: Unit, line: Line, fact: Fact) -> None:
    if fact["what"] == "review":
        _event(unit, line, fact, _day(fact, "day"), {}, on="plan_reviewed")
    elif fact["what"] == "action":
        _plan_action(unit, line, fact)


def _plan_action(unit: Unit, line: Line, fact: Fact) -> None:
    """An action is agreed, is to be done by another day or somebody else, is done, or is given up."""
    definition, codes, state = _definition(unit, _programme(line, fact)), {"who": fact["who"]}, fact["state"]
    for row in store.tasks_of_thing(unit.connection, fact["entry"]):
        rule = definition.task_by_key.get(row.rule) if definition else None
        stays = state == "open" and (rule is None or rule.opens.holds("plan_action", codes))
        if row.state == "open" and not stays:
            how, reason = ("met", None) if state == "done" else ("dismissed", "not_needed")
            close(unit, str(fact.subject), row.task.hex(), how, reason, _written(line))
    if state == "open":
        more = {"text_ref": fact["text_ref"], "thing": fact["entry"], "due_on": _day(fact, "day")}
        _event(unit, line, fact, None, codes, on="plan_action", **more)


def _plan_entry_withdrawn(unit: Unit, line: Line, fact: Fact) -> None:
    _withdraw(unit, line, fact, fact["entry"], "not_needed")


def _worker_changed(unit: Unit, _line: Line, fact: Fact) -> None:
    worker_store.put_worker(unit.connection, str(fact.subject), fact["programme"], fact["worker"])


def _subject_erased(unit: Unit, _line: Line, fact: Fact) -> None:
    store.forget_person(unit.connection, str(fact.subject))


def _purpose_ended(unit: Unit, line: Line, fact: Fact) -> None:
    if fact["purpose"] == PURPOSE_OF_SERVICE["pathways"]:
        rows = store.clear_person(unit.connection, str(fact.subject))
        unit.record(PathwaysCleared(fact.subject, ending=fact["ending"], programme=_programme(line, fact), rows=rows))
    elif fact["purpose"] == "esf_record":  # of a start record little is kept here, so no receipt is asked for
        closing_store.forget_left(unit.connection, str(fact.subject))
        leaving_store.forget_exit(unit.connection, str(fact.subject), _day(fact, "occurred_on") or _written(line))
        if (definition := _definition(unit, _programme(line, fact))) is not None:
            leaving.exit_erased(unit, definition, str(fact.subject), _written(line))
        step_store.forget_seen(unit.connection, str(fact.subject), "participation_started")


_HEARD: Mapping[str, Callable[[Unit, Line, Fact], None]] = {
    "intake.standing_reached": _standing_reached,
    "intake.purpose_ended": _purpose_ended,
    "intake.participation_started": _coded,
    "activities.session_held": _session_held,
    "activities.heads_counted": _heads_counted,
    "activities.attendance_recorded": _attendance_recorded,
    "activities.attendance_removed": _attendance_removed,
    "activities.session_removed": _session_removed,
    "activities.conversation_held": _coded,
    "activities.action_agreed": _action_agreed,
    "activities.action_withdrawn": _action_withdrawn,
    "activities.meeting_planned": _meeting_planned,
    "activities.meeting_withdrawn": _meeting_withdrawn,
    "pathways.step_entered": _step,
    "pathways.step_left": _step,
    "pathways.outcome_recorded": _outcome_recorded,
    "measurement.answers_recorded": _coded,
    "pathways.plan_entry_recorded": _plan_entry_recorded,
    "pathways.plan_entry_withdrawn": _plan_entry_withdrawn,
    "intake.participation_ended": _participation_ended,
    "intake.participation_resumed": _participation_resumed,
    "intake.client_left": _participation_ended,
    "intake.client_returned": _participation_resumed,
    "intake.follow_up_recorded": _coded,
    "intake.exit_form_recorded": _exit_form_recorded,
    "intake.record_attempted": _coded,
    "intake.eura_entered": _coded,
    "intake.visitor_met": _coded,
    "intake.subject_erased": _subject_erased,
    "intake.worker_changed": _worker_changed,
}
KINDS = tuple(_HEARD)
"""The kinds of facts, version 1, that pathways hears; one that this release does not declare is never heard."""


def _programme(line: Line, fact: Fact | None = None) -> str:
    """The programme of a line's stream, or of the fact where the stream is the node's own."""
    key = line.stream.partition("/")[2]
    return str(fact["programme"]) if key == "local" and fact is not None else key


def _day(fact: Fact, member: str) -> date | None:
    return day_of(fact[member])


def _written(line: Line) -> date:
    return today_in_helsinki(parse_wire_time(line.recorded_at))


def _cause(line: Line) -> str:
    return f"{line.stream} {line.epoch} {line.seq}"


def _definition(unit: Unit, programme: str) -> Programme | None:
    known = _memo_of(unit).definitions
    if programme not in known:
        try:
            known[programme] = store.shelf.get(unit.connection, programme)
        except UnknownProgramme:
            known[programme] = None
    return known[programme]


_OUTCOME: tuple[tuple[MappedList, str], ...] = (("activities", "activity"), ("outcomes", "outcome"))


def _now(unit: Unit, line: Line, part: MappedList, key: str) -> str:
    """The key under which the version in use counts what was written as `key`."""
    definition = _definition(unit, _programme(line))
    return definition.now(part, key) if definition else key


def _waits_for(unit: Unit, line: Line, *kinds: str) -> bool:
    """Whether any rule or step of the programme looks at these facts."""
    definition = _definition(unit, _programme(line))
    if definition is not None and any(stepping.waited_for(definition, kind) for kind in kinds):
        return True
    conditions = (c for rule in (definition.tasks if definition else ()) for c in (rule.opens, rule.closes))
    return any(condition is not None and condition.on in kinds for condition in conditions)


def _event(
    unit: Unit,
    line: Line,
    fact: Fact,
    day: date | None,
    codes: Mapping[str, str | None],
    *,
    due_on: date | None = None,
    text_ref: str | None = None,
    thing: str | None = None,
    on: str = "",
    opens: bool = True,
) -> None:
    """Hold a fact about a person against every rule and step of its programme; `on`: as what rules wait for it, if
    that is not its kind; `opens`: whether it opens tasks, and does not only close them."""
    programme = _programme(line, fact)
    definition = _definition(unit, programme)
    written, named = _written(line), on or fact.kind.partition(".")[2]
    event = Event(named, day or written, written, _cause(line), codes, due_on, text_ref, thing)
    stepping.note(unit, programme, definition, str(fact.subject), event)
    if definition is None:
        return
    for rule in definition.tasks:
        if not concerns(rule, event):
            continue
        asks = rule.opens.holds(event.on, event.codes)
        if not asks or (opens and leaving.may_open(unit, rule, str(fact.subject))):
            _hold(unit, definition, rule, str(fact.subject), event)
        else:
            leaving.refused(unit, definition, rule, str(fact.subject), event)


def _hold(unit: Unit, definition: Programme, rule: TaskRule, subject: str, event: Event) -> None:
    place = (definition.key, rule.key, subject)
    track = store.locked_track(unit.connection, *place)
    if event.on == "plan_action" and not _is_news(unit, rule, subject, event):
        return
    tasks = store.open_tasks(unit.connection, *place)
    change = at_event(rule, definition.period.end, track, list(tasks), event)
    known = tasks | apply(unit, place, change)
    for task in change.met:
        if task in known:  # a programme that is closed opens none
            close(unit, subject, known[task], "met", None, event.day)


def _is_news(unit: Unit, rule: TaskRule, subject: str, event: Event) -> bool:
    """Whether an action of a plan opens a task: one for each day that it is to be done by, however often it is written
    down. What was to be done by another day is so no longer."""
    mine = [row for row in store.tasks_of_thing(unit.connection, str(event.thing)) if row.rule == rule.key]
    if mine and (event.due_on is None or any(row.due_on == event.due_on for row in mine)):
        return False
    for row in mine:
        if row.state == "open":
            close(unit, subject, row.task.hex(), "dismissed", "not_needed", event.heard)
    return True


def look_at_clock(journal: Journal, now: datetime) -> Iterator[int]:
    """Open the repetitions whose day has come in Helsinki; yields the journal position of each that is opened. Before
    that, once, what is open of people who left before a release that ends it.

    Each is a transaction of its own: it holds one lock, so the timer and the follower never wait for each other.
    """
    today = today_in_helsinki(now)
    yield from leaving.settle_earlier(journal, now)
    with snapshot(journal.engine) as connection:
        due = store.due_tracks(connection, today)
    for place in due:
        with journal.unit(now) as unit:
            _look(unit, place, today)
        if unit.pos is not None:
            yield unit.pos


def measure(engine: Engine, now: datetime) -> None:
    """Say how late the tasks are that wait for a worker."""
    for programme, (count, days) in queries.lateness(engine, now).items():
        late_tasks.labels(programme).set(count)
        lateness_seconds.labels(programme).set(days * 86_400)


def _look(unit: Unit, place: tuple[str, str, str], today: date) -> None:
    definition = _definition(unit, place[0])
    rule = definition.task_by_key.get(place[1]) if definition else None
    track = store.locked_track(unit.connection, *place)
    if rule is None:  # a later version of the programme file has it no more
        store.put_track(unit.connection, *place, replace(track, repeat_on=None))
        return
    apply(unit, place, at_day(rule, track, today))
