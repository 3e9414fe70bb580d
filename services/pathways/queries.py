"""The read side of pathways."""

from collections import Counter
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, case, exists, func, select

from services.pathways import store
from services.pathways.domain import find_period
from services.pathways.store import attendance, session, shelf, task
from services.pathways.worker_store import count_tasks, theirs_first, theirs_or_nobodys, worker
from shared.contracts.errors import UnknownPerson
from shared.contracts.purposes import PURPOSE_OF_SERVICE
from shared.journal.releases import releases
from shared.ops.clock import iso_day, today_in_helsinki
from shared.programmes import Programme, ReportingPeriod
from shared.storage import snapshot
from shared.storage.restricting import EVERYTHING, restricted

SHOWN = 100
"""So many of each kind of what is missing are listed; all are counted."""

_SILENT = select(restricted.c.subject).where(restricted.c.purpose.in_((EVERYTHING, PURPOSE_OF_SERVICE["pathways"])))
_TO_BE_DONE = (task.c.state == "open") & task.c.subject.not_in(_SILENT)
"""Of whom nothing may be recorded no task can be done: it is in lists, and nobody is reminded of it."""


def list_programmes(engine: Engine) -> list[dict[str, Any]]:
    """The programmes in use: key, names by language, and the whole document."""
    with snapshot(engine) as connection:
        documents = shelf.documents(connection)
    return [{"programme": d["key"], "name": d["name"], "document": d} for d in documents]


def list_releases(engine: Engine, programme: str) -> list[dict[str, Any]]:
    """The reports that the programme's lead has frozen, as far as it has told, the oldest first.

    Raises `UnknownProgramme`.
    """
    with snapshot(engine) as connection:
        shelf.get(connection, programme)
        return releases(connection, programme)


def outcomes_of(engine: Engine, programme: str, subject: str) -> list[dict[str, Any]]:
    """What became of a person, the oldest first. Raises `UnknownProgramme` or `UnknownPerson`."""
    with snapshot(engine) as connection:
        shelf.get(connection, programme)
        if store.find_people(connection, [subject]).get(subject) != programme:
            raise UnknownPerson(field="person", programme=programme)
        rows = store.outcomes_of(connection, programme, subject)
    return [
        {"outcome_id": row.outcome_id.hex(), "outcome": row.outcome, "date": row.occurred_on.isoformat()}
        for row in rows
    ]


def list_tasks(
    engine: Engine,
    programme: str,
    state: str,
    limit: int,
    offset: int,
    now: datetime,
    who: str | None = None,
    *,
    own_only: bool = False,
) -> dict[str, Any]:
    """How many open (or closed) tasks the programme has here, and one page of them: those of the people of worker `who`
    first, then those due first. `own_only`: of their people alone, and of those who have no worker.

    A task is late when it is open and the day it was due has passed in Helsinki. Raises `UnknownProgramme`.
    """
    today = today_in_helsinki(now)
    with snapshot(engine) as connection:
        rules = shelf.get(connection, programme).task_by_key
        here = task.c.programme == programme
        here &= task.c.state == "open" if state == "open" else task.c.state != "open"
        if own_only:
            here &= theirs_or_nobodys(who)
        both = task.outerjoin(worker, worker.c.subject == task.c.subject)
        total = connection.execute(select(func.count()).select_from(both).where(here)).scalar_one()
        first = select(task).select_from(both).where(here).order_by(theirs_first(who), task.c.due_on, task.c.task)
        rows = connection.execute(first.limit(limit).offset(offset)).all()
    return {
        "total": total,
        "tasks": [
            {
                "task": row.task.hex(),
                "rule": row.rule,
                "owner": rules[row.rule].owner if row.rule in rules else "case_worker",
                "person": row.subject.hex(),
                "opened_on": row.opened_on.isoformat(),
                "due_on": row.due_on.isoformat(),
                "late": row.state == "open" and row.due_on < today,
                "text_ref": row.text_ref.hex() if row.text_ref else None,
                "state": row.state,
                "reason": row.reason,
                "closed_on": iso_day(row.closed_on),
            }
            for row in rows
        ],
    }


def tasks_of(engine: Engine, who: str) -> list[dict[str, Any]]:
    """How many open tasks there are about a worker's people, by programme."""
    with snapshot(engine) as connection:
        return count_tasks(connection, who)


def period_state(engine: Engine, programme: str, key: str, now: datetime) -> dict[str, Any]:
    """What is unmarked, unfinished or missing in a reporting period, as this node has it; one snapshot.

    Sessions of the period with neither attendance nor head-count; by activity that has outcomes, its participants of
    the period without one; open tasks of the programme that are late. Raises `UnknownProgramme` or `UnknownCode`.
    """
    today = today_in_helsinki(now)
    with snapshot(engine) as connection:
        definition = shelf.get(connection, programme)
        period = find_period(key, definition)
        confirmed = store.confirmed_on(connection, programme, key)
        sessions = _held(programme, period)
        return {
            "programme": programme,
            "period": key,
            "start": period.start.isoformat(),
            "end": period.end.isoformat(),
            "over": today > period.end,
            "confirmed_on": iso_day(confirmed),
            "sessions": connection.execute(select(func.count()).select_from(session).where(sessions)).scalar_one(),
            "unmarked": _unmarked(connection, sessions),
            "without_outcome": _without_outcome(connection, definition, sessions),
            "late_tasks": _late(connection, programme, today),
        }


def _held(programme: str, period: ReportingPeriod) -> Any:
    return (session.c.programme == programme) & session.c.occurred_on.between(period.start, period.end)


def _counted(connection: Connection, rows: Select[Any], *order: Any) -> tuple[int, list[Any]]:
    """How many rows there are, and the first `SHOWN`."""
    total = connection.execute(select(func.count()).select_from(rows.subquery())).scalar_one()
    return total, list(connection.execute(rows.order_by(*order).limit(SHOWN)))


def _unmarked(connection: Connection, sessions: Any) -> dict[str, Any]:
    somebody = exists().where(attendance.c.session == session.c.session)
    bare = select(session).where(sessions, session.c.heads.is_(None), ~somebody)
    total, rows = _counted(connection, bare, session.c.occurred_on, session.c.session)
    shown = [
        {"session": r.session.hex(), "activity": r.activity, "occurred_on": r.occurred_on.isoformat()} for r in rows
    ]
    return {"total": total, "sessions": shown}


def _without_outcome(connection: Connection, definition: Programme, sessions: Any) -> list[dict[str, Any]]:
    found = []
    for activity in dict.fromkeys(outcome.activity for outcome in definition.outcomes):
        people = (
            select(attendance.c.subject)
            .join(session, session.c.session == attendance.c.session)
            .where(sessions, session.c.activity == activity, attendance.c.role == "participant")
            .distinct()
        )
        known = exists().where(store.outcome.c.subject == attendance.c.subject, store.outcome.c.activity == activity)
        total, rows = _counted(connection, people.where(~known), attendance.c.subject)
        participants = connection.execute(select(func.count()).select_from(people.subquery())).scalar_one()
        shown = {"total": total, "people": [row.subject.hex() for row in rows]}
        found.append({"activity": activity, "participants": participants, **shown})
    return found


def lateness(engine: Engine, now: datetime) -> dict[str, tuple[int, int]]:
    """How many open tasks are late, and the most days that one of them is (0: none), per programme that has had one."""
    today = today_in_helsinki(now)
    late = _TO_BE_DONE & (task.c.due_on < today)
    query = select(
        task.c.programme,
        func.count(case((late, 1))).label("count_"),
        func.min(case((late, task.c.due_on))).label("oldest"),
    ).group_by(task.c.programme)
    with snapshot(engine) as connection:
        rows = connection.execute(query).all()
    return {row.programme: (row.count_, (today - row.oldest).days if row.oldest else 0) for row in rows}


def waiting(engine: Engine, now: datetime) -> dict[str, Any]:
    """How many open tasks are due today in Helsinki or late, of all programmes, by the role whose they are; and, by
    worker, how many of the case workers' are about their people (`workers`: ``[{"worker", "tasks"}]``)."""
    today, counts, theirs = today_in_helsinki(now), {"case_worker": 0, "coordinator": 0}, Counter[str]()
    due = _TO_BE_DONE & (task.c.due_on <= today)
    whose = (task.c.programme, task.c.rule, worker.c.worker)
    both = task.outerjoin(worker, worker.c.subject == task.c.subject)
    query = select(*whose, func.count()).select_from(both).where(due).group_by(*whose)
    with snapshot(engine) as connection:
        owners = {(p.key, rule.key): rule.owner for p in shelf.all(connection) for rule in p.tasks}
        for programme, rule, who, number in connection.execute(query):
            owner = owners.get((programme, rule), "case_worker")
            counts[owner] += number
            if who is not None and owner == "case_worker":
                theirs[who.hex()] += number
    return counts | {"workers": [{"worker": who, "tasks": number} for who, number in sorted(theirs.items())]}


def _late(connection: Connection, programme: str, today: date) -> dict[str, Any]:
    late = select(task).where(task.c.programme == programme, task.c.state == "open", task.c.due_on < today)
    total, rows = _counted(connection, late, task.c.due_on, task.c.task)
    shown = [{"rule": r.rule, "person": r.subject.hex(), "due_on": r.due_on.isoformat()} for r in rows]
    return {"total": total, "tasks": shown}
