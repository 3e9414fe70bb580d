"""Use cases of activities: one transaction each, state and facts together."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

from sqlalchemy import Connection

from services.activities import store
from services.activities.domain import NewAttendance, NewSession, check_attendance, check_session
from shared.contracts.catalogue import AttendanceRecorded, HeadsCounted, SessionHeld
from shared.contracts.errors import AlreadyRecordedDiffers, PolkuError
from shared.journal import Journal
from shared.journal.unit import new_id
from shared.ops.clock import today_in_helsinki
from shared.storage.once import Done, already_done, remember

New = TypeVar("New", NewSession, NewAttendance)
Results = list[dict[str, Any]]


def record_sessions(
    journal: Journal, programme: str, sessions: Sequence[NewSession], *, by: str, now: datetime, skip_bad: bool = False
) -> tuple[Results, int | None]:
    """Record sessions, in order, up to the first that is refused (`skip_bad`: all that are not).

    Returns a result per item, ``{"session", "new"}`` or ``{"error"}``, and the journal position.
    """
    with journal.unit(now) as unit:
        definition = store.shelf.get(unit.connection, programme)
        today = today_in_helsinki(now)
        results, added = _sift(
            unit.connection, "session", programme, sessions, lambda new: check_session(new, definition, today), skip_bad
        )
        store.add_sessions(
            unit.connection,
            programme,
            ((made, definition.activity_by_key[new.activity].counts, new) for made, new in added.items()),
        )
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
        results, added = _sift(
            unit.connection,
            "attendance",
            programme,
            attendances,
            lambda new: check_attendance(new, programme, sessions, people),
            skip_bad,
        )
        store.add_attendance(unit.connection, added)
        for made, new in added.items():
            unit.record(
                AttendanceRecorded(
                    new.subject,
                    attendance=made,
                    session=new.session,
                    role=new.role,
                    minutes=new.minutes,
                    occurred_on=sessions[new.session].occurred_on.isoformat(),
                ),
                programme,
            )
        if added:
            unit.audit(by, "record_attendance", programme=programme, attendances=len(added))
    return results, unit.pos


def _sift(
    connection: Connection,
    what: str,
    programme: str,
    items: Sequence[New],
    check: Callable[[New], None],
    skip_bad: bool,
) -> tuple[Results, dict[str, New]]:
    """A result per item, and the new ones by the id they get; keys seen before answer with what they made then."""
    done = already_done(connection, store.keys, (item.key for item in items))
    results: Results = []
    added: dict[str, New] = {}
    fresh: dict[str, Done] = {}
    for item in items:
        digest = sha256(json.dumps([programme, asdict(item)], default=str).encode()).digest()
        known = done.get(item.key) or fresh.get(item.key)
        try:
            if known is not None:
                if known.digest != digest:
                    raise AlreadyRecordedDiffers(field="ref" if what == "session" else "session, participant")
                results.append({what: known.made.hex(), "new": False})
                continue
            check(item)
        except PolkuError as error:
            results.append({"error": error.to_wire()})
            if skip_bad:
                continue
            break
        made = new_id()
        added[made] = item
        fresh[item.key] = Done(digest, bytes.fromhex(made))
        results.append({what: made, "new": True})
    remember(connection, store.keys, fresh)
    return results, added
