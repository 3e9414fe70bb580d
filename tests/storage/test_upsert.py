"""Many rows at once, on both databases: every type that a column of ours has, in and out unchanged."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    select,
)
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from shared.journal.tables import BIG
from shared.storage import metadata, transaction
from shared.storage.upsert import _types, insert_many, upsert

kinds = Table(
    "test_kinds",
    MetaData(),
    Column("key", LargeBinary, primary_key=True),
    Column("n", BIG, primary_key=True, autoincrement=False),
    Column("small", Integer),
    Column("code", String(5)),
    Column("long", Text),
    Column("day", Date),
    Column("at", DateTime(timezone=True)),
    Column("flag", Boolean),
)
COLUMNS = tuple(column.name for column in kinds.c)
FULL = (b"\x00\xff\\", 2**40, -7, "a'\t,{", 'ä"\\\n%b', date(2016, 2, 29), datetime(2026, 1, 2, 3, tzinfo=UTC), True)
EMPTY = (b"", 2, None, None, None, None, None, None)


@pytest.fixture
def table(engine: Engine) -> Engine:
    kinds.create(engine)
    return engine


def _rows(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        rows = connection.execute(select(kinds).order_by(kinds.c.n)).all()
    return [(*row[:6], row[6] and row[6].replace(tzinfo=UTC), row[7]) for row in rows]


def _upsert(engine: Engine, *rows: Sequence[Any]) -> None:
    with transaction(engine) as connection:
        upsert(connection, kinds, [dict(zip(COLUMNS, row, strict=True)) for row in rows])


def _insert(engine: Engine, *rows: tuple[Any, ...]) -> None:
    with transaction(engine) as connection:
        insert_many(connection, kinds, COLUMNS, rows)


@pytest.mark.parametrize("put", [_insert, _upsert])
@pytest.mark.parametrize("rows", [[EMPTY, FULL], [EMPTY], [FULL], []], ids=["both", "empty", "full", "none"])
def test_what_goes_in_comes_out(table: Engine, put: Any, rows: list[tuple[Any, ...]]) -> None:
    put(table, *rows)
    assert _rows(table) == rows


def test_an_upsert_of_many_replaces_what_is_there_and_keeps_the_last_of_a_key(table: Engine) -> None:
    _insert(table, EMPTY)
    third = (b"", 3, *FULL[2:])
    _upsert(table, third, (*EMPTY[:2], *FULL[2:]), FULL, (*third[:2], *EMPTY[2:]))
    assert _rows(table) == [(*EMPTY[:2], *FULL[2:]), (*third[:2], *EMPTY[2:]), FULL]


def test_inserting_a_key_that_is_there_leaves_nothing(table: Engine) -> None:
    _insert(table, EMPTY)
    with pytest.raises(IntegrityError):
        _insert(table, FULL, EMPTY)
    assert _rows(table) == [EMPTY]


@pytest.mark.parametrize("put", [_insert, _upsert])
def test_postgresql_refuses_what_is_too_long_instead_of_cutting_it(postgres_engine: Engine, put: Any) -> None:
    kinds.create(postgres_engine)
    with pytest.raises(DataError):
        put(postgres_engine, (*FULL[:3], "sixsix", *FULL[4:]))


def test_a_server_that_goes_while_rows_are_copied_is_an_operational_error(postgres_engine: Engine) -> None:
    """The receiver's rounds wait for one that comes back; anything else ends the process."""
    kinds.create(postgres_engine)
    with pytest.raises(OperationalError):
        _end_server_while_writing(postgres_engine)


def _end_server_while_writing(engine: Engine) -> None:
    with transaction(engine) as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with engine.connect() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")
        insert_many(connection, kinds, COLUMNS, [FULL])


def test_every_column_of_the_house_has_a_type_that_is_known() -> None:
    for table in metadata.tables.values():
        assert len(_types(table, tuple(column.name for column in table.c))) == len(table.c)
