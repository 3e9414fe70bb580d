"""Tables of people's plans and the only statements that change them. What was typed is in intake's vault."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from services.pathways.planning import Entry, Plan
from services.pathways.store import person
from shared.storage import metadata
from shared.storage.upsert import upsert

plan = Table(
    "pathways_plan",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("strengths", String(4100), nullable=False),
    Column("next", String(40)),
    Column("ready_on", Date),
)
"""A person's plan; `revision` grows with each change, `strengths` are parted by spaces."""

entry = Table(
    "pathways_plan_entry",
    metadata,
    Column("entry", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False),
    Column("place", Integer, nullable=False),
    Column("what", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("shown", Boolean, nullable=False),
    Column("text_ref", LargeBinary),
    Column("who", String(20)),
    Column("day", Date),
    Column("barrier", String(40)),
    Column("solutions", String(2100), nullable=False),
    Index("pathways_plan_entry_subject", "subject"),
)
"""What a plan is made of, in its order (`place`)."""


def locked_plan(connection: Connection, subject: str) -> Plan:
    """The plan of somebody known here; nobody else changes it until the transaction ends.

    The person's row is the lock: there may be no plan yet, and of one that is refused none is left behind.
    """
    connection.execute(select(person.c.subject).where(person.c.subject == bytes.fromhex(subject)).with_for_update())
    return find_plan(connection, subject)


def find_plan(connection: Connection, subject: str) -> Plan:
    """A person's plan; an empty one, of revision 0, if there is none."""
    raw = bytes.fromhex(subject)
    row = connection.execute(select(plan).where(plan.c.subject == raw)).one_or_none()
    if row is None:
        return Plan()
    rows = connection.execute(select(entry).where(entry.c.subject == raw).order_by(entry.c.place))
    entries = tuple(
        Entry(
            *(r.entry.hex(), r.what, r.state, bool(r.shown), r.text_ref.hex() if r.text_ref else None, r.who, r.day),
            *(r.barrier, tuple(r.solutions.split())),
        )
        for r in rows
    )
    return Plan(row.revision, tuple(row.strengths.split()), row.next, row.ready_on, entries)


def put_plan(connection: Connection, programme: str, subject: str, new: Plan, removed: Iterable[str]) -> None:
    """Store a plan that is locked, and delete the entries that were taken out of it."""
    raw = bytes.fromhex(subject)
    columns = {"strengths": " ".join(new.strengths), "next": new.next, "ready_on": new.ready_on}
    upsert(connection, plan, [{"subject": raw, "programme": programme, "revision": new.revision, **columns}])
    if gone := [bytes.fromhex(one) for one in removed]:
        connection.execute(delete(entry).where(entry.c.entry.in_(gone)))
    rows = [_row(raw, place, one) for place, one in enumerate(new.entries)]
    known = set(connection.execute(select(entry.c.entry).where(entry.c.subject == raw)).scalars())
    if fresh := [row for row in rows if row["entry"] not in known]:
        connection.execute(insert(entry), fresh)
    if stays := [{f"b_{name}": value for name, value in row.items()} for row in rows if row["entry"] in known]:
        changed: dict[str, Any] = {name: bindparam(f"b_{name}") for name in rows[0] if name not in ("entry", "subject")}
        this = (entry.c.entry == bindparam("b_entry")) & (entry.c.subject == bindparam("b_subject"))
        connection.execute(update(entry).where(this).values(changed), stays)


def _row(subject: bytes, place: int, one: Entry) -> Mapping[str, Any]:
    return {
        **{"entry": bytes.fromhex(one.entry), "subject": subject, "place": place, "what": one.what},
        **{"state": one.state, "shown": one.shown, "who": one.who, "day": one.day, "barrier": one.barrier},
        **{"text_ref": bytes.fromhex(one.text_ref) if one.text_ref else None, "solutions": " ".join(one.solutions)},
    }
