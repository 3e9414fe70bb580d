"""Insert rows, many at once, and replace or leave those with the same key, on both databases; and read many.

On PostgreSQL many rows go as one statement in the binary form, by COPY or as an array per column: a statement per row
costs both ends ten times as much, bytes in text form twice. SQLite is in the process; there a statement per row is the
fast way.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Compiled,
    Connection,
    Date,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    insert,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

_TYPES: tuple[tuple[Any, str], ...] = (
    (BigInteger, "int8"),
    (Integer, "int4"),
    (String, "text"),  # not varchar(n): a cast to that cuts what is too long, where the column refuses it
    (LargeBinary, "bytea"),
    (Date, "date"),
    (DateTime, "timestamptz"),
    (Boolean, "bool"),
)
"""How PostgreSQL calls the types that our columns have; a subclass stands before its class."""


_T = TypeVar("_T")

_IN_ONE = 5_000
"""Values after one ``IN``: SQLite takes 32,766 in a statement, PostgreSQL 65,535."""


def insert_many(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert `rows`, tuples of the values of `columns`; a key that is there already is an `IntegrityError`."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])
        return
    statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with _driver(connection, statement) as driver, driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(_types(table, columns))
        for row in rows:
            copy.write_row(row)


def read_many(connection: Connection, query: Select[Any], values: dict[str, Any]) -> Sequence[Any]:
    """All rows of `query`, a statement that is made once, with these `values` of its parameters: plain tuples."""
    if connection.dialect.name == "sqlite":
        return connection.execute(query, values).all()
    compiled = _compiled(query, connection.dialect)
    with _driver(connection, str(compiled)) as driver, driver.cursor(binary=True) as cursor:
        rows: list[Any] = cursor.execute(str(compiled), compiled.construct_params(values)).fetchall()
        return rows


@lru_cache(maxsize=64)
def _compiled(query: Select[Any], dialect: Dialect) -> Compiled:
    return query.compile(dialect=dialect)


@contextmanager
def _driver(connection: Connection, statement: str) -> Iterator[Any]:
    """psycopg's own connection; its errors come as SQLAlchemy's, for whoever waits for a database to come back."""
    base: Any = connection.dialect.loaded_dbapi.Error
    try:
        yield connection.connection.driver_connection
    except base as error:
        raise DBAPIError.instance(statement, None, error, base, dialect=connection.dialect) from error


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert `rows` (all with the same columns); a row with the same primary key gets the new values instead.

    Of several with the same key the last one counts.
    """
    if not rows:
        return
    columns = tuple(rows[0])
    if connection.dialect.name == "sqlite":
        connection.execute(_upserting(table, columns), rows)
        return
    key = itemgetter(*(column.name for column in table.primary_key))
    last = {key(row): row for row in rows}  # one statement may not change a row twice
    # What is the same in all rows, as the stream is, goes once.
    head = next(column.name for column in table.primary_key)
    alike = len({row[head] for row in last.values()}) == 1 and len(columns) > 1
    columns = (head, *(name for name in columns if name != head))
    arrays: list[Any] = [[row[name] for row in last.values()] for name in columns]
    if alike:
        arrays[0] = arrays[0][0]
    connection.exec_driver_sql(_upserting_arrays(table, columns, alike), tuple(arrays))


@lru_cache(maxsize=256)
def _upserting(table: Table, columns: tuple[str, ...]) -> Any:
    """SQLite's statement for rows of these columns; building one costs more than running it."""
    statement = sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in columns if name not in keys}
    if not others:
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


@lru_cache(maxsize=256)
def _upserting_arrays(table: Table, columns: tuple[str, ...], alike: bool) -> str:
    """PostgreSQL's, with an array per column; of the first a value only, if it is `alike` in all rows."""
    keys = [column.name for column in table.primary_key]
    kinds = _types(table, columns)
    first, rest = (f"%b::{kinds[0]}, ", kinds[1:]) if alike else ("", kinds)
    arrays = ", ".join(f"%b::{kind}[]" for kind in rest)
    others = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {first}* FROM unnest({arrays}) "
        f"ON CONFLICT ({', '.join(keys)}) DO " + (f"UPDATE SET {others}" if others else "NOTHING")
    )


@lru_cache(maxsize=256)
def _types(table: Table, columns: tuple[str, ...]) -> list[str]:
    return [next(name for kind, name in _TYPES if isinstance(table.c[column].type, kind)) for column in columns]


def add_missing(connection: Connection, table: Table, *rows: dict[str, Any]) -> None:
    """Insert `rows` unless their primary keys are there; two processes may try it at the same time."""
    if rows:
        connection.execute(_inserting(connection.dialect.name)(table).on_conflict_do_nothing(), list(rows))


def in_pieces(values: Iterable[_T]) -> Iterator[list[_T]]:
    """`values` in pieces that one statement takes after ``IN``."""
    left = iter(values)
    while piece := list(islice(left, _IN_ONE)):
        yield piece


def _inserting(dialect: str) -> Any:
    """The dialect's own INSERT. PostgreSQL's is loaded where it is used: it takes two of a courier's 60 MB."""
    if dialect == "sqlite":
        return sqlite.insert
    from sqlalchemy.dialects import postgresql

    return postgresql.insert
