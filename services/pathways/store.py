"""Tables of pathways and the only statements that change them.

What pathways knows of people, sessions and attendance it has heard from intake's and activities' facts; no service
reads another's tables.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    select,
    update,
)

from services.pathways.domain import Stay
from services.pathways.rules import Task, Track
from shared.programmes.shelf import Shelf
from shared.programmes.workflow import MappedList
from shared.storage import metadata
from shared.storage.forgetting import forget_subject
from shared.storage.once import key_table
from shared.storage.people import known_people
from shared.storage.upsert import upsert

shelf = Shelf("pathways")
keys = key_table("pathways")

person = Table(
    "pathways_person",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
)

session = Table(
    "pathways_session",
    metadata,
    Column("session", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("activity", String(40), nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("heads", Integer),
    Index("pathways_session_day", "programme", "occurred_on"),
)
"""Sessions as heard, with their last head-count."""

attendance = Table(
    "pathways_attendance",
    metadata,
    Column("attendance", LargeBinary, primary_key=True),
    Column("session", LargeBinary, nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("role", String(20), nullable=False),
    Index("pathways_attendance_session", "session"),
    Index("pathways_attendance_subject", "subject"),
)

stay = Table(
    "pathways_stay",
    metadata,
    Column("stay", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("step", String(40), nullable=False),
    Column("entered_on", Date, nullable=False),
    Column("left_on", Date),
    Index("pathways_stay_subject", "subject"),
)
"""People's times on individual steps."""

outcome = Table(
    "pathways_outcome",
    metadata,
    Column("outcome_id", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("activity", String(40), nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("occurred_on", Date, nullable=False),
    Index("pathways_outcome_subject", "subject"),
)

confirmed = Table(
    "pathways_confirmed",
    metadata,
    Column("programme", String(40), primary_key=True),
    Column("period", String(40), primary_key=True),
    Column("occurred_on", Date, nullable=False),
)
"""Reporting periods that this partner has confirmed."""

track = Table(
    "pathways_track",
    metadata,
    Column("programme", String(40), primary_key=True),
    Column("rule", String(40), primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
    Column("settled_on", Date),
    Column("repeat_on", Date),
    Column("cause", String(200)),
    Column("round", Integer, nullable=False),
    Column("stopped", Boolean, nullable=False, server_default=false()),
    Index("pathways_track_repeat", "repeat_on"),
    Index("pathways_track_subject", "subject"),
)
"""Where a rule stands for a person (`rules.Track`). Whoever changes tasks of the two locks this row first."""

task = Table(
    "pathways_task",
    metadata,
    Column("task", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("rule", String(40), nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("cause", String(200), nullable=False),
    Column("round", Integer, nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("text_ref", LargeBinary),
    Column("thing", LargeBinary),
    Column("state", String(20), nullable=False),
    Column("reason", String(40)),
    Column("closed_on", Date),
    UniqueConstraint("programme", "rule", "subject", "cause", "round", name="pathways_task_once"),
    Index("pathways_task_due", "programme", "state", "due_on"),
    Index("pathways_task_thing", "thing"),
)
"""Tasks; `state` is open or how it was closed, `thing` the agreed action, planned meeting or entry of a plan.

The constraint is what makes a task once, whatever is done again.
"""

_SESSION = select(session).where(session.c.session == bindparam("id"))  # built once: it is asked for every attendance


def put_person(connection: Connection, subject: str, programme: str) -> None:
    """Know a person of a programme."""
    upsert(connection, person, [{"subject": bytes.fromhex(subject), "programme": programme}])


find_people = partial(known_people, person)
"""Those of these people who are known here, with their programme: `known_people`."""


def people_of(connection: Connection, programme: str) -> list[str]:
    """Everybody of the programme who is known here."""
    query = select(person.c.subject).where(person.c.programme == programme).order_by(person.c.subject)
    return [raw.hex() for raw in connection.execute(query).scalars()]


def forget_person(connection: Connection, subject: str) -> None:
    """Delete all that is kept of an erased person."""
    forget_subject(connection, "pathways", keys, subject)


def clear_person(connection: Connection, subject: str) -> int:
    """Delete all but that the person is one of the node's, whose, and what was left open and when they left, which are
    of their record; how many rows."""
    keep = (person.name, "pathways_worker", "pathways_left", "pathways_leaving")
    return forget_subject(connection, "pathways", keys, subject, keep=keep)


def put_session(connection: Connection, session_id: str, **columns: Any) -> None:
    """Know a session, or change what is known of it."""
    raw = bytes.fromhex(session_id)
    changed = connection.execute(update(session).where(session.c.session == raw).values(**columns))
    if not changed.rowcount:
        connection.execute(insert(session), {"session": raw, **columns})


def find_session(connection: Connection, session_id: str) -> Any | None:
    """What is known of a session."""
    return connection.execute(_SESSION, {"id": bytes.fromhex(session_id)}).one_or_none()


def remove_session(connection: Connection, session_id: str) -> None:
    """A session did not take place after all."""
    connection.execute(delete(session).where(session.c.session == bytes.fromhex(session_id)))


def put_attendance(connection: Connection, attendance_id: str, session_id: str, subject: str, role: str) -> None:
    """Know who was at a session; the last word on an attendance holds."""
    ids = {"attendance": attendance_id, "session": session_id, "subject": subject}
    upsert(connection, attendance, [{name: bytes.fromhex(value) for name, value in ids.items()} | {"role": role}])


def remove_attendance(connection: Connection, attendance_id: str) -> None:
    """Somebody was not there after all."""
    connection.execute(delete(attendance).where(attendance.c.attendance == bytes.fromhex(attendance_id)))


def find_took_part(connection: Connection, subjects: Iterable[str]) -> set[tuple[str, str]]:
    """(person, activity) for every activity at whose sessions these people were participants."""
    wanted = [bytes.fromhex(subject) for subject in set(subjects)]
    query = (
        select(attendance.c.subject, session.c.activity)
        .join(session, session.c.session == attendance.c.session)
        .where(attendance.c.subject.in_(wanted), attendance.c.role == "participant")
    )
    return {(row.subject.hex(), row.activity) for row in connection.execute(query.distinct())}


def find_stays(connection: Connection, subjects: Iterable[str]) -> dict[tuple[str, str], list[Stay]]:
    """These people's times on steps, by (person, step)."""
    wanted = [bytes.fromhex(subject) for subject in set(subjects)]
    return _stays(connection, stay.c.subject.in_(wanted))


def find_stays_of(connection: Connection, programme: str) -> dict[tuple[str, str], list[Stay]]:
    """Everybody's times on steps of the programme, by (person, step)."""
    return _stays(connection, stay.c.programme == programme)


def _stays(connection: Connection, which: ColumnElement[bool]) -> dict[tuple[str, str], list[Stay]]:
    found: dict[tuple[str, str], list[Stay]] = defaultdict(list)
    for row in connection.execute(select(stay).where(which)):
        found[row.subject.hex(), row.step].append(Stay(row.stay.hex(), row.entered_on, row.left_on))
    return found


def put_stays(connection: Connection, programme: str, stays: dict[tuple[str, str], list[Stay]]) -> None:
    """Keep these times on steps, by (person, step), as they are now."""
    rows = [
        {
            "stay": bytes.fromhex(one.stay),
            "programme": programme,
            "subject": bytes.fromhex(subject),
            "step": step,
            "entered_on": one.entered_on,
            "left_on": one.left_on,
        }
        for (subject, step), several in stays.items()
        for one in several
    ]
    upsert(connection, stay, rows)


def move(connection: Connection, programme: str, mapping: Mapping[tuple[MappedList, str], str]) -> None:
    """Keep under the new keys what is kept under old ones: steps, activities and outcomes."""
    named = {table.name: table for table in metadata.sorted_tables}  # those of other modules of this service too
    columns = {
        "steps": [(named[name], "step") for name in ("pathways_stay", "pathways_pause") if name in named],
        "activities": [(session, "activity"), (outcome, "activity")],
        "outcomes": [(outcome, "outcome"), *((named[name], "next") for name in ("pathways_plan",) if name in named)],
    }
    for (part, key), becomes in mapping.items():
        for table, column in columns.get(part, ()):
            here = (table.c.programme == programme) & (table.c[column] == key)
            connection.execute(update(table).where(here).values({column: becomes}))


def add_outcomes(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Add outcomes; ids and subjects as bytes."""
    if rows:
        connection.execute(insert(outcome), rows)


def outcomes_of(connection: Connection, programme: str, subject: str) -> list[Any]:
    """The rows of a person's outcomes, the oldest first."""
    c = outcome.c
    query = select(outcome).where(c.programme == programme, c.subject == bytes.fromhex(subject))
    return list(connection.execute(query.order_by(c.occurred_on, c.outcome_id)))


def remove_outcome(connection: Connection, programme: str, subject: str, outcome_id: str) -> bool:
    """An outcome was recorded of this person by mistake; whether it was there."""
    c = outcome.c
    this = (c.programme == programme) & (c.subject == bytes.fromhex(subject))
    return bool(connection.execute(delete(outcome).where(this, c.outcome_id == bytes.fromhex(outcome_id))).rowcount)


def confirmed_on(connection: Connection, programme: str, period: str) -> date | None:
    """The day on which the period was last confirmed, or None."""
    query = select(confirmed.c.occurred_on).where(confirmed.c.programme == programme, confirmed.c.period == period)
    day: date | None = connection.execute(query).scalar_one_or_none()
    return day


def put_confirmed(connection: Connection, programme: str, period: str, day: date) -> None:
    """Keep that the period is confirmed."""
    upsert(connection, confirmed, [{"programme": programme, "period": period, "occurred_on": day}])


def locked_track(connection: Connection, programme: str, rule: str, subject: str) -> Track:
    """Where the rule stands for the person; nobody else changes it or its tasks until the transaction ends."""
    here = (track.c.programme == programme) & (track.c.rule == rule) & (track.c.subject == bytes.fromhex(subject))
    row = connection.execute(select(track).where(here).with_for_update()).one_or_none()
    return Track(row.settled_on, row.repeat_on, row.cause, row.round, row.stopped) if row else Track()


def put_track(connection: Connection, programme: str, rule: str, subject: str, now: Track) -> None:
    """Keep where the rule stands for the person."""
    row: dict[str, Any] = {"programme": programme, "rule": rule, "subject": bytes.fromhex(subject)}
    row |= {"settled_on": now.settled_on, "repeat_on": now.repeat_on, "cause": now.cause, "round": now.round}
    row["stopped"] = now.stopped
    upsert(connection, track, [row])


def due_tracks(connection: Connection, today: date) -> list[tuple[str, str, str]]:
    """(programme, rule, person) of repetitions whose day has come."""
    query = select(track.c.programme, track.c.rule, track.c.subject).where(track.c.repeat_on <= today)
    ordered = query.order_by(track.c.repeat_on, track.c.programme, track.c.rule, track.c.subject)
    return [(row.programme, row.rule, row.subject.hex()) for row in connection.execute(ordered)]


def open_tasks(connection: Connection, programme: str, rule: str, subject: str) -> dict[Task, str]:
    """The open tasks of a rule for a person, with their ids."""
    here = (task.c.programme == programme) & (task.c.rule == rule) & (task.c.subject == bytes.fromhex(subject))
    rows = connection.execute(select(task).where(here, task.c.state == "open").order_by(task.c.due_on, task.c.task))
    return {_task(row): row.task.hex() for row in rows}


def count_open_tasks(connection: Connection, programme: str) -> int:
    """Open tasks of the programme."""
    here = (task.c.programme == programme) & (task.c.state == "open")
    return int(connection.execute(select(func.count()).select_from(task).where(here)).scalar_one())


def find_task(connection: Connection, task_id: str) -> Any | None:
    """A task's row, or None."""
    return connection.execute(select(task).where(task.c.task == bytes.fromhex(task_id))).one_or_none()


def _task(row: Any) -> Task:
    text_ref, thing = (raw.hex() if raw else None for raw in (row.text_ref, row.thing))
    return Task(row.cause, row.round, row.opened_on, row.due_on, text_ref, thing)


def add_task(connection: Connection, task_id: str, programme: str, rule: str, subject: str, new: Task) -> None:
    """Add an open task. IntegrityError if the same was made before: then the whole transaction is void."""
    row: dict[str, Any] = {"task": bytes.fromhex(task_id), "subject": bytes.fromhex(subject)}
    row |= {"programme": programme, "rule": rule}
    row |= {"cause": new.cause, "round": new.round, "opened_on": new.opened_on, "due_on": new.due_on}
    row |= {name: bytes.fromhex(value) if value else None for name, value in _references(new).items()}
    connection.execute(insert(task), row | {"state": "open"})


def _references(new: Task) -> dict[str, str | None]:
    return {"text_ref": new.text_ref, "thing": new.thing}


def open_tasks_of(connection: Connection, thing: str) -> list[str]:
    """The open tasks that an agreed action or planned meeting has made."""
    query = select(task.c.task).where(task.c.thing == bytes.fromhex(thing), task.c.state == "open")
    return [row.hex() for row in connection.execute(query).scalars()]


def tasks_of_thing(connection: Connection, thing: str) -> list[Any]:
    """The rows of all tasks that something has made, also of those that are closed, the oldest first."""
    query = select(task).where(task.c.thing == bytes.fromhex(thing)).order_by(task.c.opened_on, task.c.task)
    return list(connection.execute(query))


def rules_in_motion(connection: Connection, programme: str, subject: str) -> list[str]:
    """The rules that have a task open for a person, will open one, or were stopped when the person left."""
    mine = (track.c.programme == programme) & (track.c.subject == bytes.fromhex(subject))
    own = (task.c.programme == programme) & (task.c.rule == track.c.rule) & (task.c.subject == track.c.subject)
    is_open = exists().where(own, task.c.state == "open")
    moves = track.c.repeat_on.is_not(None) | track.c.stopped | is_open
    return list(connection.execute(select(track.c.rule).where(mine, moves).order_by(track.c.rule)).scalars())


def close_task(connection: Connection, task_id: str, how: str, reason: str | None, day: date) -> None:
    """Close a task."""
    closing = update(task).where(task.c.task == bytes.fromhex(task_id))
    connection.execute(closing.values(state=how, reason=reason, closed_on=day))
