"""Transactions commit or roll back, do not nest, and do not wait; snapshots see one state."""

import http.client
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared.storage import InsideTransaction, assert_outside_transaction, open_engine, snapshot, transaction
from shared.storage.upsert import add_missing, upsert

thing = Table("test_thing", MetaData(), Column("id", Integer, primary_key=True), Column("n", Integer))


class Refused(Exception):
    """Whatever a use case raises."""


@pytest.fixture
def things(engine: Engine) -> Engine:
    thing.create(engine)
    return engine


def _add(connection: Connection, number: int) -> None:
    connection.execute(insert(thing), {"id": number, "n": number})


def _in_transaction(engine: Engine, *steps: Callable[[Connection], object]) -> None:
    with transaction(engine) as connection:
        for step in steps:
            step(connection)


def _raise(error: type[BaseException]) -> None:
    raise error


def _count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(thing)).scalar_one())


def _there(engine: Engine) -> list[int]:
    with snapshot(engine) as connection:
        return list(connection.execute(select(thing.c.id).order_by(thing.c.id)).scalars())


def test_a_transaction_commits_at_its_end(things: Engine) -> None:
    with transaction(things) as connection:
        _add(connection, 1)
        assert _there(things) == [], "nobody sees it before"
        _add(connection, 2)
    assert _there(things) == [1, 2]


@pytest.mark.parametrize("error", [Refused, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_transaction_rolls_back_on_whatever_is_raised_and_the_next_one_works(
    things: Engine, error: type[BaseException]
) -> None:
    with pytest.raises(error):
        _in_transaction(things, lambda connection: _add(connection, 1), lambda _: _raise(error))
    assert _there(things) == []
    with transaction(things) as connection:
        _add(connection, 2)
    assert _there(things) == [2]


def test_what_the_database_refuses_rolls_everything_back_and_is_not_hidden(things: Engine) -> None:
    with pytest.raises(IntegrityError):
        _in_transaction(things, lambda connection: _add(connection, 1), lambda connection: _add(connection, 1))
    assert _there(things) == []


def test_a_commit_that_fails_gives_the_lock_back(sqlite_engine: Engine) -> None:
    with pytest.raises(IntegrityError):
        _in_transaction(
            sqlite_engine,
            lambda connection: connection.execute(text("PRAGMA defer_foreign_keys=ON")),
            lambda connection: connection.execute(text("INSERT INTO intake_vault VALUES (x'00', 'identity', x'00')")),
        )
    other = open_engine(f"{sqlite_engine.url}")
    for engine in (sqlite_engine, other):
        with transaction(engine) as connection:
            assert connection.execute(text("SELECT count(*) FROM intake_vault")).scalar_one() == 0
    other.dispose()


def test_a_transaction_within_a_transaction_is_refused(things: Engine) -> None:
    with pytest.raises(InsideTransaction):
        _in_transaction(things, lambda connection: _add(connection, 1), lambda _: _in_transaction(things))
    assert _there(things) == []


def test_another_thread_may_have_its_own_transaction(postgres_engine: Engine) -> None:
    thing.create(postgres_engine)

    def other() -> None:
        with transaction(postgres_engine) as connection:
            _add(connection, 2)

    with transaction(postgres_engine) as connection, ThreadPoolExecutor(1) as pool:
        _add(connection, 1)
        pool.submit(other).result(5)
    assert _there(postgres_engine) == [1, 2]


@pytest.fixture
def port() -> Iterator[int]:
    """Somebody listens there and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


WAITS: list[Callable[[int], object]] = [
    lambda port: time.sleep(0),
    lambda port: socket.create_connection(("127.0.0.1", port)).close(),
    lambda port: http.client.HTTPConnection("127.0.0.1", port).connect(),
    lambda port: urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1),
    lambda port: assert_outside_transaction("a bus call"),
]


@pytest.mark.parametrize("wait", WAITS, ids=["sleep", "socket", "http.client", "urllib", "told"])
def test_waiting_inside_a_transaction_is_an_error(
    sqlite_engine: Engine, port: int, wait: Callable[[int], object]
) -> None:
    with pytest.raises(InsideTransaction, match="inside a database transaction"), transaction(sqlite_engine):
        wait(port)


@pytest.mark.parametrize("wait", [*WAITS[:3], WAITS[4]], ids=["sleep", "socket", "http.client", "told"])
def test_waiting_outside_is_fine_also_after_a_transaction_that_failed(
    things: Engine, port: int, wait: Callable[[int], object]
) -> None:
    wait(port)
    with pytest.raises(Refused), transaction(things):
        raise Refused
    wait(port)
    with snapshot(things):
        wait(port)


def test_another_thread_may_wait_meanwhile(sqlite_engine: Engine) -> None:
    with transaction(sqlite_engine), ThreadPoolExecutor(1) as pool:
        assert pool.submit(time.sleep, 0).result() is None


def test_a_snapshot_sees_one_state_while_a_writer_commits(things: Engine) -> None:
    written = threading.Event()

    def write() -> None:
        with transaction(things) as connection:
            _add(connection, 2)
        written.set()

    with transaction(things) as connection:
        _add(connection, 1)
    with ThreadPoolExecutor(1) as pool, snapshot(things) as reader:
        assert _count(reader) == 1
        pool.submit(write).result(10)
        assert written.is_set()
        assert _count(reader) == 1
        assert reader.execute(select(func.max(thing.c.id))).scalar_one() == 1
    assert _there(things) == [1, 2]


def test_a_snapshot_cannot_be_written_to_and_leaves_no_trace_of_that(things: Engine) -> None:
    with pytest.raises(DBAPIError), snapshot(things) as connection:
        _add(connection, 1)
    for number in (2, 3):  # the same connection, out of the pool
        with transaction(things) as connection:
            _add(connection, number)
    assert _there(things) == [2, 3]


def test_upsert_puts_the_new_values_in_place_of_the_old(things: Engine) -> None:
    with transaction(things) as connection:
        upsert(connection, thing, [{"id": 1, "n": 10}, {"id": 2, "n": 20}])
        upsert(connection, thing, [{"id": 2, "n": 21}, {"id": 3, "n": 30}, {"id": 3, "n": 31}])
        upsert(connection, thing, [])
        add_missing(connection, thing, {"id": 3, "n": 99})
        add_missing(connection, thing, {"id": 4, "n": 40})
        rows = connection.execute(select(thing).order_by(thing.c.id)).all()
    assert [tuple(row) for row in rows] == [(1, 10), (2, 21), (3, 31), (4, 40)]


def test_sqlite_is_durable_strict_and_forgets_what_is_deleted(sqlite_engine: Engine) -> None:
    with sqlite_engine.connect() as connection:
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in wanted}
    assert found == wanted


def test_postgresql_waits_for_a_lock_but_not_for_ever(postgres_engine: Engine) -> None:
    with postgres_engine.connect() as connection:
        wanted = {"lock_timeout": "10s", "idle_in_transaction_session_timeout": "1min", "TimeZone": "UTC"}
        assert {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in wanted} == wanted


def test_a_green_process_does_not_open_postgresql_without_a_wait_that_yields() -> None:
    script = (
        "import sys, types; sys.modules['eventlet'] = types.ModuleType('eventlet')\n"
        "from shared.storage import open_engine\n"
        "open_engine('postgresql+psycopg://nobody@127.0.0.1/none')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env={"PATH": ""})
    assert "PSYCOPG_WAIT_FUNC" in done.stderr
