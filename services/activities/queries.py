"""The read side of activities."""

from typing import Any

from sqlalchemy import Engine, func, select

from services.activities.store import attendance, session
from shared.storage import snapshot


def list_sessions(engine: Engine, programme: str, limit: int, offset: int) -> dict[str, Any]:
    """How many sessions the programme has here, and one page of them, the newest first."""
    with snapshot(engine) as connection:
        here = session.c.programme == programme
        total = connection.execute(select(func.count()).select_from(session).where(here)).scalar_one()
        # As in the report: who was there in another role is no attendance.
        there = (attendance.c.session == session.c.session) & (attendance.c.role == "participant")
        present = select(func.count()).where(there).scalar_subquery().label("attendances")
        query = select(session, present).where(here).order_by(session.c.occurred_on.desc(), session.c.session)
        rows = connection.execute(query.limit(limit).offset(offset))
        return {
            "total": total,
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
