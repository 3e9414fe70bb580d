"""The portal's table of where users want to be told that tasks wait, and the only SQL on it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, ForeignKey, String, Table, delete, select, update

from shared.storage import metadata
from shared.storage.upsert import upsert

notice = Table(
    "portal_notice",
    metadata,
    Column("user_name", ForeignKey("portal_user.name", ondelete="CASCADE"), primary_key=True),
    Column("address", String(254), nullable=False),
    Column("lang", String(2), nullable=False),
    Column("told_on", String(10), nullable=False),
)
"""Where a user wants to be told, and the day on which that was last done (ISO; empty: never)."""


def put_address(connection: Connection, user: str, address: str, lang: str) -> None:
    """Note where the user is told, who was not told yet today by this address."""
    upsert(connection, notice, [{"user_name": user, "address": address, "lang": lang, "told_on": ""}])


def drop_address(connection: Connection, user: str) -> None:
    """The user is told nowhere."""
    connection.execute(delete(notice).where(notice.c.user_name == user))


def untold(connection: Connection, today: date) -> Sequence[Any]:
    """Who was not told today, by name."""
    return connection.execute(select(notice).where(_not_on(today)).order_by(notice.c.user_name)).all()


def claimed(connection: Connection, user: str, today: date) -> bool:
    """Note that the user is told today; False if another process has."""
    mine = update(notice).where(notice.c.user_name == user, _not_on(today))
    return connection.execute(mine.values(told_on=today.isoformat())).rowcount == 1


def _not_on(today: date) -> ColumnElement[bool]:
    # Days as text are in the order of days; a clock that was ahead does not silence anybody for long.
    return notice.c.told_on != today.isoformat()
