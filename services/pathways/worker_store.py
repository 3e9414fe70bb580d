"""Whose worker each person has, as heard from intake: whose tasks are whose."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, LargeBinary, String, Table, case, func, or_, select

from services.pathways.store import task
from shared.storage import metadata
from shared.storage.upsert import upsert

worker = Table(
    "pathways_worker",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("worker", LargeBinary, nullable=False, index=True),
)


def put_worker(connection: Connection, subject: str, programme: str, who: str) -> None:
    """Know a person's worker; the last one holds."""
    row = {"subject": bytes.fromhex(subject), "programme": programme, "worker": bytes.fromhex(who)}
    upsert(connection, worker, [row])


def theirs_first(who: str | None) -> ColumnElement[int]:
    """Of a query of tasks and `worker` (outer): orders those of the worker's people before all others."""
    return case((worker.c.worker == (bytes.fromhex(who) if who else b""), 0), else_=1)


def theirs_or_nobodys(who: str | None) -> ColumnElement[bool]:
    """Of the same query: the tasks of the worker's people, and of those who have no worker yet."""
    return or_(worker.c.worker.is_(None), worker.c.worker == (bytes.fromhex(who) if who else b""))


def may_see(connection: Connection, subject: bytes, who: str | None) -> bool:
    """Whether the person is this worker's, or nobody's yet."""
    has = connection.execute(select(worker.c.worker).where(worker.c.subject == subject)).scalar_one_or_none()
    return has is None or (who is not None and bytes(has) == bytes.fromhex(who))


def count_tasks(connection: Connection, who: str) -> list[dict[str, Any]]:
    """How many open tasks there are about the worker's people, by programme."""
    about = select(task.c.programme, func.count().label("n")).join(worker, worker.c.subject == task.c.subject)
    theirs = about.where(task.c.state == "open", worker.c.worker == bytes.fromhex(who))
    rows = connection.execute(theirs.group_by(task.c.programme).order_by(task.c.programme))
    return [{"programme": row.programme, "tasks": row.n} for row in rows]
