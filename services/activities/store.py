"""Tables of activities and the only statements that change them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from services.activities.domain import KnownSession, NewAttendance, NewConversation, NewSession
from shared.contracts.catalogue import StandingReached
from shared.journal.reading import lines_about
from shared.programmes.shelf import Shelf
from shared.storage import metadata
from shared.storage.forgetting import forget_subject
from shared.storage.once import key_table
from shared.storage.people import known_people
from shared.storage.upsert import upsert

shelf = Shelf("activities")
keys = key_table("activities")

session = Table(
    "activities_session",
    metadata,
    Column("session", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("activity", String(40), nullable=False),
    Column("counts", String(10), nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("start", String(5)),
    Column("minutes", Integer),
    Column("location", String(40)),
    Column("area", String(40)),
    Column("languages", String(200), nullable=False),
    Column("heads", Integer),
    Column("women", Integer),
    Column("basis", String(20)),
    Index("activities_session_day", "programme", "occurred_on"),
)
"""Sessions; `counts` is what the programme file said of the activity, "people" or "heads"."""

attendance = Table(
    "activities_attendance",
    metadata,
    Column("attendance", LargeBinary, primary_key=True),
    Column("session", LargeBinary, nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("role", String(20), nullable=False),
    Column("minutes", Integer),
    Index("activities_attendance_session", "session"),
    Index("activities_attendance_subject", "subject"),
)

person = Table(
    "activities_person",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("standing", String(40)),
    Column("died_on", Date),
)
"""The people of this node whom an attendance may name, as intake's facts say; `standing` null: heard by a release that
did not keep it. `died_on`: the last day of who has died; of an exit, part of their record for the fund."""


conversation = Table(
    "activities_conversation",
    metadata,
    Column("session", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False),
    Column("how", String(40), nullable=False),
    Column("topics", String(2100), nullable=False),
    Column("text_ref", LargeBinary),
    Index("activities_conversation_subject", "subject"),
)
"""What a talk was about; day, length and person stand with its session and its attendance."""

action = Table(
    "activities_action",
    metadata,
    Column("action", LargeBinary, primary_key=True),
    Column("session", LargeBinary, nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("place", Integer, nullable=False),
    Column("text_ref", LargeBinary, nullable=False),
    Column("due_on", Date),
    Index("activities_action_session", "session"),
    Index("activities_action_subject", "subject"),
)
"""What was agreed on in a talk, in the order it was written down."""

meeting = Table(
    "activities_meeting",
    metadata,
    Column("meeting", LargeBinary, primary_key=True),
    Column("session", LargeBinary, nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("on_day", Date, nullable=False),
    Column("start", String(5)),
    Index("activities_meeting_session", "session"),
    Index("activities_meeting_subject", "subject"),
)

counter = Table(
    "activities_counter",
    metadata,
    Column("session", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("activity", String(40), nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("location", String(40)),
    Column("revision", Integer, nullable=False),
    Column("heads", Integer, nullable=False),
    Column("women", Integer),
    Column("done", Boolean, nullable=False),
    Column("told_heads", Integer),
    Column("told_women", Integer),
    Column("tapped_at", DateTime(timezone=True), nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
    Index("activities_counter_open", "programme", "done"),
)
"""Counts on their way, one tap at a time, of the session that each becomes. `told_heads` and `told_women` are what the
last facts said, null before the first; the session's row is made with them."""


def add_sessions(connection: Connection, programme: str, added: Iterable[tuple[str, str, NewSession]]) -> None:
    """Add (session id, what its activity counts, session)."""
    rows = [
        {
            "session": bytes.fromhex(session_id),
            "programme": programme,
            "activity": new.activity,
            "counts": counts,
            "occurred_on": new.occurred_on,
            "start": new.start,
            "minutes": new.minutes,
            "location": new.location,
            "area": new.area,
            "languages": " ".join(new.languages),
            "heads": new.heads,
            "women": new.women,
            "basis": new.basis,
        }
        for session_id, counts, new in added
    ]
    if rows:
        connection.execute(insert(session), rows)


def find_sessions(connection: Connection, ids: Iterable[str]) -> dict[str, KnownSession]:
    """Those of these sessions that exist, by id."""
    rows = sessions_named(connection, set(ids))
    return {r.session.hex(): KnownSession(r.programme, r.occurred_on, r.minutes, r.counts, r.activity) for r in rows}


def sessions_named(connection: Connection, ids: Iterable[str]) -> Sequence[Any]:
    """Those of these sessions that exist, the oldest first."""
    c, wanted = session.c, [bytes.fromhex(one) for one in ids]
    return connection.execute(select(session).where(c.session.in_(wanted)).order_by(c.occurred_on, c.session)).all()


find_people = partial(known_people, person)
"""Those of these people who are known here, with their programme: `known_people`."""


def add_attendance(connection: Connection, added: Mapping[str, NewAttendance]) -> None:
    """Add attendances by id."""
    rows: list[dict[str, Any]] = [
        {
            "attendance": bytes.fromhex(attendance_id),
            "session": bytes.fromhex(new.session),
            "subject": bytes.fromhex(new.subject),
            "role": new.role,
            "minutes": new.minutes,
        }
        for attendance_id, new in added.items()
    ]
    if rows:
        connection.execute(insert(attendance), rows)


def standings(connection: Connection, subjects: Iterable[str]) -> dict[str, str]:
    """The standing of those of these people who are known here; of those heard by a release that did not keep it, as
    the journal's last line says."""
    wanted = [bytes.fromhex(subject) for subject in set(subjects)]
    rows = connection.execute(select(person).where(person.c.subject.in_(wanted))).all()
    forgotten = [row.subject.hex() for row in rows if row.standing is None]
    told = lines_about(connection, forgotten, (StandingReached.kind,)) if forgotten else ()
    return {str(line.subject): line.body["standing"] for line in told} | {
        row.subject.hex(): row.standing for row in rows if row.standing is not None
    }


def put_person(connection: Connection, subject: str, programme: str, standing: str) -> None:
    """Know a person and the standing they have now."""
    upsert(connection, person, [{"subject": bytes.fromhex(subject), "programme": programme, "standing": standing}])


def died(connection: Connection, subjects: Iterable[str]) -> dict[str, date]:
    """The last days of those of these people who have died."""
    wanted = [bytes.fromhex(subject) for subject in set(subjects)]
    query = select(person.c.subject, person.c.died_on).where(
        person.c.subject.in_(wanted), person.c.died_on.is_not(None)
    )
    return {raw.hex(): day for raw, day in connection.execute(query)}


def put_died(connection: Connection, subject: str, day: date | None) -> None:
    """Keep that a person has died, or (None) that they have not."""
    here = person.c.subject == bytes.fromhex(subject)
    connection.execute(update(person).where(here, person.c.died_on.is_distinct_from(day)).values(died_on=day))


def put_left(connection: Connection, subject: str, reason: str, day: str) -> None:
    """Keep what an exit says of who has died: of the last exit, also of one that corrects it."""
    put_died(connection, subject, date.fromisoformat(day) if reason == "died" else None)


def forget_person(connection: Connection, subject: str) -> None:
    """Delete what is kept of an erased person."""
    forget_subject(connection, "activities", keys, subject)


def clear_person(connection: Connection, subject: str) -> int:
    """Delete all but that the person is one of the node's; how many rows."""
    return forget_subject(connection, "activities", keys, subject, keep=(person.name,))


def add_conversation(
    connection: Connection, session_id: str, new: NewConversation, actions: Mapping[str, int], meeting_id: str | None
) -> None:
    """Add what a talk was about; `actions` gives each agreed action's place by its id."""
    common = {"session": bytes.fromhex(session_id), "subject": bytes.fromhex(new.subject)}
    ref = bytes.fromhex(new.text_ref) if new.text_ref else None
    connection.execute(insert(conversation), common | {"how": new.how, "topics": " ".join(new.topics), "text_ref": ref})
    for action_id, place in actions.items():
        agreed = new.actions[place]
        row = {"place": place, "text_ref": bytes.fromhex(agreed.text_ref), "due_on": agreed.due_on}
        connection.execute(insert(action), common | {"action": bytes.fromhex(action_id)} | row)
    if meeting_id is not None and new.meeting is not None:
        day, start = new.meeting
        row = {"meeting": bytes.fromhex(meeting_id), "on_day": day, "start": start}
        connection.execute(insert(meeting), common | row)


def find_conversation(connection: Connection, programme: str, session_id: str) -> Any | None:
    """The conversation that was this session of the programme, with the session's columns, or None."""
    return connection.execute(_conversation(programme, session_id)).one_or_none()


def lock_conversation(connection: Connection, programme: str, session_id: str) -> Any | None:
    """The same, and until the transaction ends nobody else changes it: the second of two comes too late."""
    return connection.execute(_conversation(programme, session_id).with_for_update(of=session)).one_or_none()


def _conversation(programme: str, session_id: str) -> Select[Any]:
    joined = conversation.join(session, session.c.session == conversation.c.session)
    query = select(conversation, session.c.activity, session.c.occurred_on, session.c.minutes).select_from(joined)
    return query.where(session.c.programme == programme, session.c.session == bytes.fromhex(session_id))


def lock_session(connection: Connection, session_id: str) -> None:
    """Until the transaction ends, nobody else fills in the register of this session."""
    connection.execute(
        select(session.c.session).where(session.c.session == bytes.fromhex(session_id)).with_for_update()
    )


def actions_of(connection: Connection, raw: bytes) -> Sequence[Any]:
    """What was agreed on in a conversation, in order."""
    return connection.execute(select(action).where(action.c.session == raw).order_by(action.c.place)).all()


def meetings_of(connection: Connection, raw: bytes) -> Sequence[Any]:
    """The meeting planned in a conversation, if any."""
    return connection.execute(select(meeting).where(meeting.c.session == raw)).all()


def attendances_of(connection: Connection, session_id: str) -> Sequence[Any]:
    """Every attendance of a session; an import may have given one person two, in different roles."""
    query = select(attendance).where(attendance.c.session == bytes.fromhex(session_id))
    return connection.execute(query.order_by(attendance.c.attendance)).all()


def remove_session(connection: Connection, session_id: str) -> None:
    """Delete a session, who was there and what it was about."""
    raw = bytes.fromhex(session_id)
    for table in (meeting, action, conversation, attendance, session):
        connection.execute(delete(table).where(table.c.session == raw))


def remove_attendance(connection: Connection, raw: bytes) -> None:
    """Delete one attendance."""
    connection.execute(delete(attendance).where(attendance.c.attendance == raw))


def correct_attendance(connection: Connection, raw: bytes, role: str, minutes: int | None) -> None:
    """Change what is recorded of one attendance."""
    connection.execute(update(attendance).where(attendance.c.attendance == raw).values(role=role, minutes=minutes))


def add_counter(connection: Connection, session_id: str, programme: str, row: Mapping[str, Any], now: datetime) -> None:
    """Begin to count."""
    fixed = {"session": bytes.fromhex(session_id), "programme": programme, "revision": 0, "heads": 0, "done": False}
    connection.execute(insert(counter), {**fixed, "tapped_at": now, "told_at": now, **row})


def find_counter(connection: Connection, programme: str, session_id: str) -> Any | None:
    """A counter of the programme; its row is locked until the transaction ends."""
    mine = (counter.c.programme == programme) & (counter.c.session == bytes.fromhex(session_id))
    return connection.execute(select(counter).where(mine).with_for_update()).one_or_none()


def untold_counters(connection: Connection, told_before: datetime) -> Sequence[Any]:
    """Counters whose facts lag behind since before this time; their rows are locked."""
    lags = (counter.c.told_heads.is_distinct_from(counter.c.heads)) | (
        counter.c.told_women.is_distinct_from(counter.c.women)
    )
    begun = (counter.c.heads > 0) | counter.c.told_heads.is_not(None)
    query = select(counter).where(lags & begun & (counter.c.told_at < told_before))
    return connection.execute(query.with_for_update()).all()


def set_counter(connection: Connection, raw: bytes, values: Mapping[str, Any]) -> None:
    """Change a counter."""
    connection.execute(update(counter).where(counter.c.session == raw).values(**values))


def set_heads(connection: Connection, raw: bytes, heads: int, women: int | None) -> None:
    """The session's last head-count."""
    connection.execute(update(session).where(session.c.session == raw).values(heads=heads, women=women))


def counter_state(row: Any) -> dict[str, Any]:
    """A counter as pages see it."""
    return {
        "counter": row.session.hex(),
        "activity": row.activity,
        "occurred_on": row.occurred_on.isoformat(),
        "location": row.location,
        "revision": row.revision,
        "heads": row.heads,
        "women": row.women,
        "done": row.done,
    }
