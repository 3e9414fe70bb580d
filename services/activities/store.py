"""Tables of activities and the only statements that change them."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Column, Connection, Date, Index, Integer, LargeBinary, String, Table, insert, select, update

from services.activities.domain import KnownSession, NewAttendance, NewSession
from shared.programmes.shelf import Shelf
from shared.storage import metadata
from shared.storage.once import key_table

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
)
"""The people of this node whom an attendance may name, as intake's facts say."""


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
    wanted = [bytes.fromhex(i) for i in set(ids)]
    rows = connection.execute(select(session).where(session.c.session.in_(wanted)))
    return {r.session.hex(): KnownSession(r.programme, r.occurred_on, r.minutes, r.counts) for r in rows}


def find_people(connection: Connection, subjects: Iterable[str]) -> dict[str, str]:
    """Those of these people who are known here, with their programme."""
    wanted = [bytes.fromhex(subject) for subject in set(subjects)]
    rows = connection.execute(select(person).where(person.c.subject.in_(wanted)))
    return {row.subject.hex(): row.programme for row in rows}


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


def put_person(connection: Connection, subject: str, programme: str) -> None:
    """Know a person; a second standing of the same person changes nothing here."""
    raw = bytes.fromhex(subject)
    changed = connection.execute(update(person).where(person.c.subject == raw).values(programme=programme))
    if not changed.rowcount:
        connection.execute(insert(person), {"subject": raw, "programme": programme})
