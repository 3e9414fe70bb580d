"""Use cases of activities: one transaction each, state and facts together."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import TypeVar

from sqlalchemy import Connection

from services.activities import store
from services.activities.domain import (
    NewAttendance,
    NewConversation,
    NewSession,
    check_alive,
    check_attendance,
    check_session,
    check_standing,
)
from shared.contracts.catalogue import AttendanceRecorded, HeadsCounted, SessionHeld
from shared.journal import Journal, Unit
from shared.journal.unit import new_id
from shared.ops.clock import today_in_helsinki
from shared.programmes import Programme
from shared.storage.once import Results, each_once

New = TypeVar("New", NewSession, NewAttendance, NewConversation)


def record_sessions(
    journal: Journal, programme: str, sessions: Sequence[NewSession], *, by: str, now: datetime, skip_bad: bool = False
) -> tuple[Results, int | None]:
    """Record sessions, in order, up to the first that is refused (`skip_bad`: all that are not).

    Returns a result per item, ``{"session", "new"}`` or ``{"error"}``, and the journal position.
    """
    with journal.unit(now) as unit:
        definition = store.shelf.get(unit.connection, programme)
        today = today_in_helsinki(now)
        results, added = sift(
            unit.connection, "session", programme, sessions, lambda new: check_session(new, definition, today), skip_bad
        )
        hold(unit, programme, added, counts_of(definition))
        if added:
            unit.audit(by, "record_sessions", programme=programme, sessions=len(added))
    return results, unit.pos


def record_attendance(
    journal: Journal,
    programme: str,
    attendances: Sequence[NewAttendance],
    *,
    by: str,
    now: datetime,
    skip_bad: bool = False,
) -> tuple[Results, int | None]:
    """Record who was at which session; refusals and results as in `record_sessions`, with ``{"attendance", "new"}``."""
    with journal.unit(now) as unit:
        sessions = store.find_sessions(unit.connection, (new.session for new in attendances))
        people = store.find_people(unit.connection, (new.subject for new in attendances))
        reached = store.standings(unit.connection, people)
        died = store.died(unit.connection, people)
        definition = cache(lambda: store.shelf.get(unit.connection, programme))

        def check(new: NewAttendance) -> None:
            check_attendance(new, programme, sessions, people)
            activity = sessions[new.session].activity
            check_alive("participant", died.get(new.subject), sessions[new.session].occurred_on)
            check_standing("participant", reached.get(new.subject), new.role, activity, definition())

        results, added = sift(
            unit.connection,
            "attendance",
            programme,
            attendances,
            check,
            skip_bad,
        )
        store.add_attendance(unit.connection, added)
        for made, new in added.items():
            record_presence(unit, programme, made, new, sessions[new.session].occurred_on)
        if added:
            unit.audit(by, "record_attendance", programme=programme, attendances=len(added))
    return results, unit.pos


def counts_of(definition: Programme) -> dict[str, str]:
    """What each activity counts, "people" or "heads"."""
    return {activity.key: activity.counts for activity in definition.activities}


def hold(unit: Unit, programme: str, added: Mapping[str, NewSession], counts: Mapping[str, str]) -> None:
    """State and facts of sessions that were checked, by the id they get; `counts` by activity."""
    rows = ((made, counts[new.activity], new) for made, new in added.items())
    store.add_sessions(unit.connection, programme, rows)
    for made, new in added.items():
        unit.record(
            SessionHeld(
                None,
                session=made,
                activity=new.activity,
                occurred_on=new.occurred_on.isoformat(),
                start=new.start,
                minutes=new.minutes,
                location=new.location,
                area=new.area,
                languages=list(new.languages) or None,
            ),
            programme,
        )
        if new.heads is not None:
            counted = HeadsCounted(None, session=made, heads=new.heads, women=new.women, basis=new.basis)
            unit.record(counted, programme)


def record_presence(unit: Unit, programme: str, attendance: str, new: NewAttendance, day: date) -> None:
    """The fact of an attendance, new or corrected, at a session of `day`."""
    ids = {"attendance": attendance, "session": new.session}
    fact = AttendanceRecorded(new.subject, **ids, role=new.role, minutes=new.minutes, occurred_on=day.isoformat())
    unit.record(fact, programme)


def sift(
    connection: Connection,
    what: str,
    programme: str,
    items: Sequence[New],
    check: Callable[[New], None],
    skip_bad: bool,
) -> tuple[Results, dict[str, New]]:
    """`each_once` for items that make something new each: results, and the new items by the ids they get."""

    def take(item: New) -> str:
        check(item)
        return new_id()

    field = "session, participant" if what == "attendance" else "ref"
    results, added = each_once(
        connection, store.keys, programme, items, take, what=what, field=field, skip_bad=skip_bad
    )
    return results, dict(added)
