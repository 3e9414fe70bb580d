"""Sessions and who was there."""

from datetime import date
from typing import Any

from sqlalchemy import Engine

from services.activities import operations, store
from services.activities.domain import NewAttendance, NewSession
from shared.journal import Journal
from shared.storage import transaction
from tests.services.kit import KEY, NODE, NOW, key_of, put_programme

DAY = date(2016, 3, 1)
SUBJECT, OTHER_SUBJECT = "5a" * 16, "5b" * 16
Answer = tuple[list[dict[str, Any]], int | None]


def session(name: str = "s", activity: str = "kaapeli", **changes: Any) -> NewSession:
    """Two hours of coaching in Sampola; `changes` replace members."""
    given: dict[str, Any] = {
        "occurred_on": DAY,
        "start": "09:30",
        "minutes": 120,
        "location": "sampola_meeting_place",
        "area": "sampola",
        "languages": ("fi", "ar"),
        "heads": None,
        "women": None,
        "basis": None,
    }
    return NewSession(key=key_of(name), activity=activity, **given | changes)


def event(name: str = "e", **changes: Any) -> NewSession:
    """A public event with its heads."""
    return session(name, "public_event", **{"heads": 148, "women": 80, "basis": "estimated"} | changes)


def attendance(at: str, name: str = "a", subject: str = SUBJECT, **changes: Any) -> NewAttendance:
    """Somebody at the session `at`."""
    given: dict[str, Any] = {"role": "participant", "minutes": 90} | changes
    return NewAttendance(key_of(name), at, subject, **given)


def known(engine: Engine) -> Journal:
    """The journal of a node whose activities know programme 3 and one person of it."""
    put_programme(engine, store.shelf)
    with transaction(engine) as connection:
        store.put_person(connection, SUBJECT, KEY, "client")
    return Journal(engine, NODE)


def record_sessions(journal: Journal, *sessions: NewSession, **options: Any) -> Answer:
    given: dict[str, Any] = {"by": "worker", "now": NOW} | options
    return operations.record_sessions(journal, given.pop("programme", KEY), sessions, **given)


def record_attendance(journal: Journal, *attendances: NewAttendance, **options: Any) -> Answer:
    given: dict[str, Any] = {"by": "worker", "now": NOW} | options
    return operations.record_attendance(journal, given.pop("programme", KEY), attendances, **given)
