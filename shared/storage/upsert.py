"""Insert rows, and replace or leave those with the same key, on both databases."""

from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert `rows` (all with the same columns); a row with the same primary key gets the new values instead."""
    if not rows:
        return
    connection.execute(_upserting(connection.dialect.name, table, tuple(rows[0])), rows)


@lru_cache(maxsize=256)
def _upserting(dialect: str, table: Table, columns: tuple[str, ...]) -> Any:
    """The statement for rows of these columns; building one costs more than running it."""
    statement = _INSERTS[dialect](table)
    keys = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


def add_missing(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """Insert `row` unless its primary key is there; two processes may try it at the same time."""
    connection.execute(_INSERTS[connection.dialect.name](table).on_conflict_do_nothing(), row)
