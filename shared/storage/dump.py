"""All rows of a database as JSON values, the same from SQLite and PostgreSQL, so that either takes what the other gave.

The tables are those that the database itself has, so a new service's need not be named here. Records are a dict per
table, ``{"table", "columns", "types"}``, followed by a list per row. Bytes are Base64, days and times ISO.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Date, DateTime, LargeBinary, MetaData, Table, delete, insert, select

VERSIONS = "alembic_version"
_ROWS = 500

_ENCODE: dict[str, Callable[[Any], Any]] = {
    "bytes": lambda value: base64.b64encode(value).decode(),
    "date": lambda value: value.isoformat(),
    "time": lambda value: value.isoformat(),
    "plain": lambda value: value,
}
_DECODE: dict[str, Callable[[Any], Any]] = {
    "bytes": base64.b64decode,
    "date": date.fromisoformat,
    "time": datetime.fromisoformat,
    "plain": lambda value: value,
}


class UnknownTable(ValueError):
    """The dump has a table or column that this database does not: it was made by another release."""


def dump_rows(connection: Connection) -> Iterator[Any]:
    """The records; read them within one snapshot. Rows are fetched a few hundred at a time."""
    for table in _tables(connection):
        types = [_type(column.type) for column in table.c]
        yield {"table": table.name, "columns": [column.name for column in table.c], "types": types}
        encoders = [_ENCODE[kind] for kind in types]
        for row in connection.execute(select(table).execution_options(yield_per=_ROWS)):
            yield [None if v is None else encode(v) for v, encode in zip(row, encoders, strict=True)]


def load_rows(connection: Connection, records: Iterable[Any]) -> int:
    """Replace the content of all tables by the records; how many rows. Columns the dump has not get their defaults."""
    tables = {table.name: table for table in _tables(connection)}
    for table in reversed(tables.values()):
        connection.execute(delete(table))
    count, rows = 0, list[dict[str, Any]]()
    at: Table | None = None
    columns, decoders = list[str](), list[Callable[[Any], Any]]()
    for record in records:
        if isinstance(record, dict):
            _insert(connection, at, rows)
            at, columns = tables.get(record["table"]), record["columns"]
            if at is None or set(columns) - set(at.c.keys()):
                raise UnknownTable(record["table"])
            decoders = [_DECODE[kind] for kind in record["types"]]
            continue
        values = (None if v is None else decode(v) for v, decode in zip(record, decoders, strict=True))
        rows.append(dict(zip(columns, values, strict=True)))
        count += 1
        if len(rows) == _ROWS:
            _insert(connection, at, rows)
    _insert(connection, at, rows)
    return count


def is_empty(connection: Connection) -> bool:
    """Whether no table has a row, but for the journal's lock row and the migrations' own."""
    for table in _tables(connection):
        rows = select(table).where(table.c.seq > 0) if table.name == "journal_head" else select(table)
        if connection.execute(rows.limit(1)).first() is not None:
            return False
    return True


def _tables(connection: Connection) -> list[Table]:
    """Every table but the migrations' own, what is referred to before what refers."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != VERSIONS]


def _type(kind: object) -> str:
    if isinstance(kind, LargeBinary):
        return "bytes"
    if isinstance(kind, DateTime):
        return "time"
    return "date" if isinstance(kind, Date) else "plain"


def _insert(connection: Connection, table: Table | None, rows: list[dict[str, Any]]) -> None:
    if table is not None and rows:
        connection.execute(insert(table), rows)
        rows.clear()
