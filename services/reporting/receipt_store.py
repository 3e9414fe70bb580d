"""Which endings of purposes wait for the lead's receipt, and which have it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select

from services.reporting.store import answered, ending


def unanswered(connection: Connection, limit: int) -> Sequence[Any]:
    """Endings without a receipt, those of a stream together."""
    c, done = ending.c, answered.c
    there = (done.stream == c.stream) & (done.ending == c.ending)
    query = select(ending).outerjoin(answered, there).where(done.ending.is_(None))
    return connection.execute(query.order_by(c.stream, c.ending).limit(limit)).all()


def answered_of(connection: Connection, stream: str) -> set[bytes]:
    """The endings of a stream that have a receipt."""
    query = select(answered.c.ending).where(answered.c.stream == stream)
    return {bytes(number) for number in connection.execute(query).scalars()}


def count_answered(connection: Connection, stream: str, most: int) -> int:
    """How many endings of a stream have a receipt, counted up to `most`."""
    some = select(answered.c.ending).where(answered.c.stream == stream).limit(most)
    return connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()


def note_answered(connection: Connection, stream: str, number: bytes) -> None:
    """An ending has its receipt, or gets none."""
    connection.execute(insert(answered), {"stream": stream, "ending": number})
