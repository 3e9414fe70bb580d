"""The unit of work: state, facts and audit entries together or not at all, numbered in the order of commits."""

import contextlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, func, insert, select

from shared.journal import lines, unit
from shared.journal.audit import verify
from shared.journal.tables import journal_audit, journal_head, journal_line
from shared.storage import transaction
from tests.journal.journal_kit import (
    ANNA,
    NODE,
    NOW,
    Killed,
    assert_whole,
    heads,
    journal_of,
    killed_at,
    loaded,
    record,
    rows_of,
    session,
    standing,
)

WRITERS, UNITS = 8, 12

state = Table("test_state", MetaData(), Column("n", Integer, nullable=False))


class Refused(Exception):
    """The use case refuses."""


@pytest.fixture
def with_state(engine: Engine) -> Engine:
    state.create(engine)
    return engine


def _states(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return sorted(connection.execute(select(state.c.n)).scalars())


def test_numbers_follow_commits_without_a_hole_under_eight_writers(with_state: Engine) -> None:
    journal, done = journal_of(with_state), threading.Event()

    def write(writer: int) -> list[int]:
        chance, committed = random.Random(writer), []
        for number in range(UNITS):
            n = writer * UNITS + number
            try:
                with journal.unit(NOW) as work:
                    work.connection.execute(insert(state), {"n": n})
                    for _ in range(chance.randint(1, 3)):
                        work.record(session(n), chance.choice(["lahde", "kuntsari"]))
                    work.audit("anna", "record", number=n)
                    if chance.random() < 0.25:
                        raise Refused
            except Refused:
                continue
            committed.append(n)
        return committed

    def watch() -> int:
        looks = 0
        while not done.is_set():
            with with_state.connect() as connection:
                count, last = connection.execute(select(func.count(), func.max(journal_line.c.pos))).one()
            assert count == (last or 0), "whoever sees a position sees all before it"
            looks += 1
        return looks

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        watcher = pool.submit(watch)
        try:
            written = list(pool.map(write, range(WRITERS)))
        finally:
            done.set()
        assert watcher.result() > 0
    rows = assert_whole(with_state)
    committed = sorted(n for numbers in written for n in numbers)
    assert _states(with_state) == committed
    assert sorted({int(lines.parse(row.line).body["session"], 16) for row in rows}) == committed
    with with_state.connect() as connection:
        assert verify(connection) is None
        assert connection.execute(select(func.count()).select_from(journal_audit)).scalar_one() == len(committed)


def test_a_rollback_leaves_no_hole(engine: Engine) -> None:
    journal = journal_of(engine)
    record(journal, session(1))
    with contextlib.suppress(Refused), journal.unit(NOW) as work:
        work.record(session(2), "lahde")
        work.record(loaded())
        raise Refused
    assert work.pos is None
    assert record(journal, session(3)) == 2
    assert [lines.parse(row.line).body["session"][-1] for row in assert_whole(engine)] == ["1", "3"]


def test_killed_at_any_step_nothing_or_everything_is_there(with_state: Engine) -> None:
    journal, step = journal_of(with_state), 0
    while True:
        before = len(rows_of(with_state))
        try:
            with killed_at(with_state, step), journal.unit(NOW) as work:
                work.connection.execute(insert(state), {"n": step})
                work.record(session(step), "lahde")
                work.record(standing(), "kuntsari")
                work.audit("anna", "record")
        except Killed:
            assert len(assert_whole(with_state)) == before == 0
            assert _states(with_state) == []
            with with_state.connect() as connection:
                assert verify(connection) is None
                assert connection.execute(select(journal_audit)).all() == []
            step += 1
            continue
        break
    assert step > 8, "it was killed at every statement and at the commit"
    assert len(assert_whole(with_state)) == 2
    assert _states(with_state) == [step]


def test_the_numbering_lock_is_taken_last(postgres_engine: Engine) -> None:
    journal = journal_of(postgres_engine)
    with journal.unit(NOW) as slow:
        slow.record(session(1), "lahde")
        with ThreadPoolExecutor(1) as pool:  # a second unit of this thread would be nested
            assert pool.submit(record, journal, session(2)).result(5) == 1
    assert slow.pos == 2
    assert_whole(postgres_engine)


def test_a_line_says_when_what_and_about_whom_and_is_salted(engine: Engine) -> None:
    journal = journal_of(engine)
    assert record(journal, standing(), standing()) == 2
    first, second = (lines.parse(row.line) for row in assert_whole(engine))
    assert (first.stream, first.seq, first.recorded_at) == (f"{NODE}/lahde", 1, "2026-11-22T09:15:02.123456Z")
    assert (first.kind, first.v, first.subject) == ("intake.standing_reached", 1, ANNA)
    assert first.body == {"standing": "client"}
    assert first.salt != second.salt


def test_what_concerns_the_lead_goes_to_its_programme_and_the_rest_stays_local(engine: Engine) -> None:
    journal = journal_of(engine)
    record(journal, session(), loaded(), heads(), programme="lahde")
    record(journal, session(), programme="kuntsari")
    streams = [(row.stream.split("/")[1], row.seq) for row in assert_whole(engine)]
    assert streams == [("lahde", 1), ("local", 1), ("lahde", 2), ("kuntsari", 1)]


@pytest.mark.parametrize("programme", [None, "local"])
def test_what_concerns_the_lead_is_not_recorded_without_a_programme(sqlite_engine: Engine, programme: str) -> None:
    with pytest.raises(ValueError, match="programme"), journal_of(sqlite_engine).unit(NOW) as work:
        work.record(session(), programme)
    assert rows_of(sqlite_engine) == []


def test_a_programme_that_is_no_key_makes_no_stream(sqlite_engine: Engine) -> None:
    for programme in ("Lähde", "a/b", "", "x" * 41):
        with pytest.raises(lines.BadLine, match="stream"):
            record(journal_of(sqlite_engine), session(), programme=programme)
    with sqlite_engine.connect() as connection:
        assert connection.execute(select(journal_head.c.name)).scalars().all() == [""]


def test_a_unit_without_facts_takes_no_number(engine: Engine) -> None:
    with journal_of(engine).unit(NOW) as work:
        pass
    assert work.pos is None
    assert assert_whole(engine) == []


def test_more_facts_than_one_statement_holds_are_one_unit(engine: Engine) -> None:
    assert record(journal_of(engine), *(heads(n) for n in range(1201))) == 1201
    assert [lines.parse(row.line).body["heads"] for row in assert_whole(engine)] == list(range(1201))


def test_the_home_row_is_made_once_however_many_make_it(engine: Engine) -> None:
    record(journal_of(engine), session())
    start = threading.Barrier(4)

    def again() -> None:
        start.wait()
        with transaction(engine) as connection:
            unit.prepare(connection)

    with ThreadPoolExecutor(4) as pool:
        for made in [pool.submit(again) for _ in range(4)]:
            made.result()
    assert record(journal_of(engine), session()) == 2
    assert_whole(engine)


def test_ids_are_128_random_bits_in_hex() -> None:
    made = {unit.new_id() for _ in range(100)}
    assert len(made) == 100
    assert all(lines.HEX32.fullmatch(one) for one in made)
