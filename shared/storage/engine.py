"""SQLite and PostgreSQL behind the same three functions (see the package's docstring)."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine import make_url

from shared.storage.guard import inside_transaction

metadata = MetaData()
"""Every table of every service and of the journal; the migrations create what stands here."""

BUSY_SECONDS = 20
"""How long a SQLite writer waits for another process's transaction (theirs stay under 50 ms)."""

LOCK_MS = 10_000
"""How long a PostgreSQL statement waits for a lock before it fails; the RPC time-out is the same."""

IDLE_MS = 60_000
"""PostgreSQL ends a transaction that has been left open for so long."""

LINES_AT_ONCE = {"sqlite": 1_000, "postgresql": 5_000}
"""Lines that one transaction takes in, about: SQLite's other writers wait for it and may wait for 50 ms; PostgreSQL
stores so many while the next are opened."""


def open_engine(url: str) -> Engine:
    """Open the database at `url`; no connection is made yet.

    SQLite: write-ahead log, foreign keys, full synchronous (a commit that was answered survives a power cut),
    deleted content overwritten. PostgreSQL: psycopg 3, time-outs for locks and idle transactions.
    """
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    if "eventlet" in sys.modules and os.environ.get("PSYCOPG_WAIT_FUNC") != "wait_selector":
        # psycopg would block every greenlet of the process while the server works (reliability.md §3).
        raise RuntimeError("PSYCOPG_WAIT_FUNC=wait_selector must be set before psycopg is imported")
    options = f"-c lock_timeout={LOCK_MS} -c idle_in_transaction_session_timeout={IDLE_MS} -c timezone=UTC"
    return create_engine(
        url, pool_size=10, max_overflow=10, pool_pre_ping=True, connect_args={"options": options, "connect_timeout": 10}
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves: the driver's own way starts them too late
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One write transaction: commit at the end of the block, roll back on any exception.

    On SQLite the write lock is taken at the beginning, because a read that later becomes a write fails when
    another process wrote in between. On PostgreSQL rows are locked as they are touched, `journal_head` last.
    """
    # `begin` also gives the connection back clean when the commit itself fails; a bare `commit()` would not.
    with engine.connect() as connection, inside_transaction(), connection.begin():
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # `begin` itself sends nothing to SQLite, see _prepare_sqlite
        yield connection


def join_whole_tables(connection: Connection) -> None:
    """For the rest of the transaction PostgreSQL joins tables by hash or order, never row by row.

    Its statistics are of some minutes ago. Where they say that a table is empty, and tens of thousands of lines have
    come since, it compares each row with each, which takes seconds and then minutes.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_nestloop = off")


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One read-only snapshot: all statements of the block see the same committed state; a write is an error."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")
            try:
                connection.exec_driver_sql("BEGIN")
                yield connection
            finally:
                connection.rollback()
                connection.exec_driver_sql("PRAGMA query_only=OFF")
    else:
        reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with reader.connect() as connection, connection.begin():
            yield connection
