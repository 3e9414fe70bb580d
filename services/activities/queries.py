"""The read side of activities."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from services.activities import store
from services.activities.store import attendance, session
from shared.contracts.errors import InvalidInput, UnknownCode, UnknownSession
from shared.ops.clock import iso_day
from shared.storage import snapshot


def list_sessions(
    engine: Engine, programme: str, limit: int, offset: int, activities: Sequence[str] | None = None
) -> dict[str, Any]:
    """How many sessions the programme has here (`activities`: of these), and one page of them, the newest first; of all
    of them the attendances, and the heads by how they were counted. Raises `UnknownProgramme`."""
    with snapshot(engine) as connection:
        store.shelf.get(connection, programme)
        here = session.c.programme == programme
        if activities is not None:
            here &= session.c.activity.in_(activities)
        total = connection.execute(select(func.count()).select_from(session).where(here)).scalar_one()
        # As in the report: who was there in another role is no attendance.
        there = (attendance.c.session == session.c.session) & (attendance.c.role == "participant")
        present = select(func.count()).where(there).scalar_subquery().label("attendances")
        query = select(session, present).where(here).order_by(session.c.occurred_on.desc(), session.c.session)
        rows = connection.execute(query.limit(limit).offset(offset)).all()
        attended = select(func.count()).select_from(session.join(attendance, there)).where(here)
        heads = select(session.c.basis, func.sum(session.c.heads)).where(here, session.c.heads.is_not(None))
        return {
            "total": total,
            "attendances": connection.execute(attended).scalar_one(),
            "heads": {basis: int(sum_) for basis, sum_ in connection.execute(heads.group_by(session.c.basis))},
            "sessions": [
                {
                    "session": row.session.hex(),
                    "activity": row.activity,
                    "occurred_on": row.occurred_on.isoformat(),
                    "start": row.start,
                    "minutes": row.minutes,
                    "location": row.location,
                    "area": row.area,
                    "attendances": row.attendances if row.counts == "people" else None,
                    "heads": row.heads,
                    "heads_basis": row.basis,
                }
                for row in rows
            ],
        }


def show_conversation(engine: Engine, programme: str, session_id: str) -> dict[str, Any]:
    """One conversation as it was recorded; its texts are in intake's vault. Raises `UnknownSession`."""
    with snapshot(engine) as connection:
        held = store.find_conversation(connection, programme, session_id)
        if held is None:
            raise UnknownSession(field="session", programme=programme)
        actions = store.actions_of(connection, held.session)
        meetings = store.meetings_of(connection, held.session)
    return {
        "session": session_id,
        "activity": held.activity,
        "subject": held.subject.hex(),
        "date": held.occurred_on.isoformat(),
        "minutes": held.minutes,
        "how": held.how,
        "topics": held.topics.split(),
        "text_ref": held.text_ref.hex() if held.text_ref else None,
        "actions": [{"text_ref": row.text_ref.hex(), "due_on": iso_day(row.due_on)} for row in actions],
        "next_meeting": {"on": iso_day(meetings[0].on_day), "start": meetings[0].start} if meetings else None,
    }


def recent_people(engine: Engine, programme: str, limit: int) -> list[str]:
    """The subjects of those whom somebody here talked with last, the last first. Raises `UnknownProgramme`."""
    held = store.conversation.join(session, session.c.session == store.conversation.c.session)
    last = func.max(session.c.occurred_on)
    subject = store.conversation.c.subject
    query = select(subject).select_from(held).where(session.c.programme == programme).group_by(subject)
    with snapshot(engine) as connection:
        store.shelf.get(connection, programme)
        return [row.subject.hex() for row in connection.execute(query.order_by(last.desc(), subject).limit(limit))]


REGULARS = 10
"""Whoever was at one of this many last sessions of an activity is on its register without being looked for."""


def show_register(engine: Engine, programme: str, activity: str | None, session_id: str | None) -> dict[str, Any]:
    """The register of a recorded session, or of the next one of an activity: who is there, who usually comes.

    Raises `UnknownSession` or `UnknownCode`, and `InvalidInput` where neither is named.
    """
    with snapshot(engine) as connection:
        here, at = session.c.programme == programme, None
        if session_id is not None:
            one = select(session).where(here, session.c.session == bytes.fromhex(session_id))
            at = connection.execute(one).one_or_none()
            if at is None or at.counts == "heads":
                raise UnknownSession(field="session", programme=programme)
            activity = at.activity
        elif activity is None:
            raise InvalidInput(field="activity", reason="name an activity or a session")
        elif activity not in store.shelf.get(connection, programme).activity_by_key:
            raise UnknownCode(field="activity", programme=programme, value=activity)
        query = select(session).where(here, session.c.activity == activity, session.c.counts == "people")
        if at is not None:
            query = query.where(session.c.occurred_on <= at.occurred_on, session.c.session != at.session)
        newest = (session.c.occurred_on.desc(), session.c.start.desc().nulls_last(), session.c.session)
        before = connection.execute(query.order_by(*newest).limit(REGULARS)).all()
        came: Counter[str] = Counter()
        for row in before:
            came.update(list(_present(connection, row.session)))
        last_time = _present(connection, before[0].session) if before else {}
        return {
            "activity": activity,
            "session": _session_of(at) if at is not None else None,
            "present": list(_present(connection, at.session).values()) if at is not None else [],
            "last": _session_of(before[0]) if before else None,
            "regulars": [
                {"subject": subject, "times": times, "last_time": subject in last_time}
                for subject, times in sorted(came.items(), key=lambda item: (-item[1], item[0]))
            ],
            "earlier": [{"session": row.session.hex(), "occurred_on": iso_day(row.occurred_on)} for row in before],
        }


def _present(connection: Connection, raw: bytes) -> dict[str, dict[str, Any]]:
    rows = store.attendances_of(connection, raw.hex())
    return {r.subject.hex(): {"subject": r.subject.hex(), "role": r.role, "minutes": r.minutes} for r in rows}


def _session_of(row: Any) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in ("start", "minutes", "location", "area")}
    return {"session": row.session.hex(), "occurred_on": iso_day(row.occurred_on), **plain}


def list_counters(engine: Engine, programme: str, counter_id: str | None) -> list[dict[str, Any]]:
    """The open counters of the programme, the last tapped first; or the named one, open or not, if it is there.

    Raises `UnknownProgramme`.
    """
    counter = store.counter
    query = select(counter).where(counter.c.programme == programme)
    if counter_id is None:
        query = query.where(counter.c.done.is_(False))
    else:
        query = query.where(counter.c.session == bytes.fromhex(counter_id))
    with snapshot(engine) as connection:
        store.shelf.get(connection, programme)
        return [store.counter_state(row) for row in connection.execute(query.order_by(counter.c.tapped_at.desc()))]
