"""Tables of programmes that are closed here, and of what was left open. `closing` says who uses them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Column, Connection, Date, LargeBinary, String, Table, delete, func, insert, select

from shared.journal.carry_tables import courier_receipt
from shared.journal.tables import journal_cursor, journal_head, journal_parked
from shared.journal.unit import HOME_ROW
from shared.storage import metadata
from shared.storage.upsert import upsert

closed = Table(
    "pathways_closed",
    metadata,
    Column("programme", String(40), primary_key=True),
    Column("closed_on", Date, nullable=False),
    Column("final_on", Date),
    Column("sealed_on", Date),
)
"""The programmes that were closed here, with the days of the steps."""

left = Table(
    "pathways_left",
    metadata,
    Column("programme", String(40), primary_key=True),
    Column("what", String(20), primary_key=True),
    Column("item", String(40), primary_key=True),
    Column("subject", LargeBinary),
    Column("reason", String(40), nullable=False),
    Column("noted_on", Date, nullable=False),
)
"""What was left open at the end, and why: `item` is the subject's hex digits (and `subject` the same), a period, or
empty. The row of a person belongs to their record for the fund, and goes with it."""

DAYS = ("closed_on", "final_on", "sealed_on")


def days_of(connection: Connection, programme: str) -> dict[str, date | None]:
    """The days of the steps of closing that were taken; empty: none was."""
    row = connection.execute(select(closed).where(closed.c.programme == programme)).one_or_none()
    return {name: getattr(row, name) for name in DAYS} if row else {}


def put_days(connection: Connection, programme: str, days: Mapping[str, date | None]) -> None:
    """Note a step of closing."""
    upsert(connection, closed, [{"programme": programme, **dict.fromkeys(DAYS), **days}])


def forget_closing(connection: Connection, programme: str) -> None:
    """Delete the steps of closing, and what was left open: it is looked at anew when the programme closes again."""
    for table in (closed, left):
        connection.execute(delete(table).where(table.c.programme == programme))


def left_of(connection: Connection, programme: str) -> dict[tuple[str, str], str]:
    """Why something was left open, by what and item."""
    c = left.c
    rows = connection.execute(select(c.what, c.item, c.reason).where(c.programme == programme))
    return {(row.what, row.item): row.reason for row in rows}


def forget_left(connection: Connection, subject: str) -> None:
    """Delete what was left open of a person."""
    connection.execute(delete(left).where(left.c.subject == bytes.fromhex(subject)))


def left_page(connection: Connection, programme: str, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """How much was left open, and a page of it in one order."""
    here, c = left.c.programme == programme, left.c
    total = connection.execute(select(func.count()).select_from(left).where(here)).scalar_one()
    query = select(c.what, c.item, c.reason, c.noted_on).where(here).order_by(c.what, c.item)
    rows = connection.execute(query.limit(limit).offset(offset))
    return total, [
        {"what": r.what, "item": r.item or None, "reason": r.reason, "on": r.noted_on.isoformat()} for r in rows
    ]


def put_left(connection: Connection, programme: str, item: tuple[str, str], reason: str, day: date) -> None:
    """Note that something is left open, or another reason for it."""
    what, which = item
    key = {"programme": programme, "what": what, "item": which}
    subject = bytes.fromhex(which) if len(which) == 32 else None
    here = (left.c.programme == programme) & (left.c.what == what) & (left.c.item == which)
    changed = connection.execute(left.update().where(here).values(reason=reason, noted_on=day))
    if not changed.rowcount:
        connection.execute(insert(left), key | {"subject": subject, "reason": reason, "noted_on": day})


def ends_of(connection: Connection, stream: str) -> tuple[int, int]:
    """The number of the stream's last line, and of the last that the lead has confirmed; 0: there is none."""
    head = select(journal_head.c.seq).where(journal_head.c.name == stream)
    receipt = select(courier_receipt.c.seq).where(courier_receipt.c.stream == stream)
    return connection.execute(head).scalar() or 0, connection.execute(receipt).scalar() or 0


def behind(connection: Connection) -> list[str]:
    """The services that have not heard everything yet that is in the journal."""
    last = select(journal_head.c.seq).where(journal_head.c.name == HOME_ROW).scalar_subquery()
    return sorted(connection.execute(select(journal_cursor.c.service).where(journal_cursor.c.pos < last)).scalars())


def count_parked(connection: Connection) -> int:
    """Lines that are parked, of any service."""
    return int(connection.execute(select(func.count()).select_from(journal_parked)).scalar_one())
