"""Tables of who works with whom, and the statements on them."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Column, Connection, Date, LargeBinary, String, Table, func, or_, select

from services.intake.store import participation
from shared.journal.unit import new_id
from shared.storage import metadata
from shared.storage.upsert import add_missing, upsert

worker = Table(
    "intake_worker",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("worker", LargeBinary, nullable=False, unique=True),
)
"""Users of the portal who have had people here, and the random id by which facts name them."""

caseload = Table(
    "intake_caseload",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("worker", LargeBinary, nullable=False, index=True),
    Column("before", LargeBinary),
    Column("since", Date, nullable=False),
)
"""Each person's worker, since when, and who handed them over."""


def worker_id(connection: Connection, name: str) -> bytes:
    """The id of the worker of this name, made when it is first needed."""
    add_missing(connection, worker, {"name": name, "worker": bytes.fromhex(new_id())})
    return bytes(connection.execute(select(worker.c.worker).where(worker.c.name == name)).scalar_one())


def known_worker(connection: Connection, name: str) -> bytes | None:
    """The id of the worker of this name, None if they have never had anybody."""
    return connection.execute(select(worker.c.worker).where(worker.c.name == name)).scalar_one_or_none()


def put(
    connection: Connection, programme: str, subjects: Iterable[bytes], who: bytes, before: bytes | None, day: date
) -> None:
    """Note that these people have this worker."""
    row = {"programme": programme, "worker": who, "before": before, "since": day}
    upsert(connection, caseload, [{"subject": subject, **row} for subject in subjects])


def locked(
    connection: Connection,
    *,
    of: bytes | None = None,
    before: bytes | None = None,
    programme: str | None = None,
    people: Sequence[str] | None = None,
) -> Sequence[Any]:
    """Rows of `caseload` of people who are here, by worker `of`, who came from `before`, in `programme`, of `people`.

    Nobody else changes or erases these people until the transaction ends.
    """
    c = caseload.c
    # The participation first, as everybody locks it first; then the row itself, to see what was changed meanwhile.
    both = participation.join(caseload, participation.c.subject == c.subject)
    query = select(caseload).select_from(both)
    for column, value in ((c.worker, of), (c.before, before), (c.programme, programme)):
        if value is not None:
            query = query.where(column == value)
    if people is not None:
        query = query.where(c.subject.in_([bytes.fromhex(subject) for subject in people]))
    # In one order everywhere: two who hand over the same people wait for each other, not in a circle.
    return connection.execute(query.order_by(c.subject).with_for_update()).all()


def workers_of(connection: Connection, subjects: Iterable[str]) -> dict[str, str]:
    """The name of each person's worker, of those who have one."""
    wanted = [bytes.fromhex(subject) for subject in subjects]
    query = select(caseload.c.subject, worker.c.name).join(worker, worker.c.worker == caseload.c.worker)
    return {row.subject.hex(): row.name for row in connection.execute(query.where(caseload.c.subject.in_(wanted)))}


def is_theirs(name: str) -> Any:
    """Of a query that has `participation` and `caseload` (outer): whether this worker may see the person where each
    sees their own: a person without a worker is everybody's, until somebody takes them."""
    theirs = select(worker.c.worker).where(worker.c.name == name).scalar_subquery()
    return or_(caseload.c.worker.is_(None), caseload.c.worker == theirs)


def visible_to(connection: Connection, programme: str, subjects: Iterable[str], name: str) -> set[str]:
    """Those of these people of the programme whom this worker may see where each sees their own."""
    c = participation.c
    query = select(c.subject).outerjoin(caseload, caseload.c.subject == c.subject)
    wanted = [bytes.fromhex(subject) for subject in {*subjects}]
    found = connection.execute(query.where(c.programme == programme, c.subject.in_(wanted), is_theirs(name)))
    return {subject.hex() for subject in found.scalars()}


def list_workers(connection: Connection) -> list[dict[str, Any]]:
    """Everybody who has had people here, by name, with how many in which programme."""
    counts = select(caseload.c.worker, caseload.c.programme, func.count().label("n"))
    held: dict[bytes, list[dict[str, Any]]] = {}
    grouped = counts.group_by(caseload.c.worker, caseload.c.programme).order_by(caseload.c.programme)
    for row in connection.execute(grouped):
        held.setdefault(row.worker, []).append({"programme": row.programme, "people": row.n})
    rows = connection.execute(select(worker).order_by(worker.c.name))
    return [{"name": row.name, "worker": row.worker.hex(), "programmes": held.get(row.worker, [])} for row in rows]
