"""The receiver's two loops at work together."""

import os
import signal
from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from services.node.rounds import RoundFailed, Rounds
from services.reporting import beside, operations, store
from services.reporting.beside import COUNTERS, Deriver, DerivingEnded
from shared.ops.clock import utcnow
from shared.testing.wait import until
from tests.services import kit
from tests.services.kit import OTHER, OWN
from tests.services.reporting.kit import STREAMS, admit, lead, receive, session


@pytest.fixture
def deriver(engine: Engine) -> Iterator[Deriver]:
    lead(engine)
    admit(engine, OWN)
    found = Deriver(engine)
    yield found
    found.close()


def work(deriver: Deriver, engine: Engine, numbers: range) -> None:
    """Take a session of each number, and derive until nothing is left."""
    batches = [[session(n, "kaapeli", "2016-03-01", 60)] for n in numbers]

    def take() -> int:
        if batches:
            receive(engine, STREAMS[OWN], batches.pop())
            return 1
        return 0

    while deriver.beside(take):
        pass


def test_what_has_come_is_derived_whatever_is_taken_meanwhile(engine: Engine, deriver: Deriver) -> None:
    work(deriver, engine, range(3))
    assert len(kit.rows(engine, store.session)) == 3


def test_what_was_derived_is_counted_here_whoever_did_it(engine: Engine, deriver: Deriver) -> None:
    def derived() -> float:
        return sum(sample.value for metric in COUNTERS[0].collect() for sample in metric.samples[:1])

    before = derived()
    work(deriver, engine, range(3))
    assert derived() == before + 3


def test_what_taking_raises_is_raised(deriver: Deriver) -> None:
    def broken() -> int:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        deriver.beside(broken)
    assert not deriver.beside(lambda: 0)


def test_a_round_in_which_deriving_fails_is_made_up_for_by_the_next(engine: Engine, deriver: Deriver) -> None:
    receive(engine, STREAMS[OWN], [session(1, "kaapeli", "2016-03-01", 60)])
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE reporting_cursor RENAME TO elsewhere"))
    with pytest.raises(OperationalError if engine.dialect.name == "sqlite" else DerivingEnded):
        deriver.beside(lambda: 0)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO reporting_cursor"))
    work(deriver, engine, range(2, 3))
    assert len(kit.rows(engine, store.session)) == 2


@pytest.fixture
def child(postgres_engine: Engine) -> Iterator[tuple[Deriver, int]]:
    """A deriver that has begun, and its process."""
    lead(postgres_engine)
    admit(postgres_engine, OWN)
    found = Deriver(postgres_engine)
    work(found, postgres_engine, range(1))
    assert found._child is not None
    yield found, found._child._process.pid
    found.close()


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_is_gone_or_stands_still_fails_its_round_and_another_one_goes_on(
    postgres_engine: Engine,
    child: tuple[Deriver, int],
    sign: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(beside, "BATCH_SECONDS", 1.0)
    deriver, process = child
    os.kill(process, sign)
    with pytest.raises(DerivingEnded):
        deriver.beside(lambda: 0)
    assert "the process that derives is gone" in caplog.text
    monkeypatch.undo()
    work(deriver, postgres_engine, range(1, 3))
    assert len(kit.rows(postgres_engine, store.session)) == 3


def test_the_process_ends_with_the_one_it_works_for_and_not_before(child: tuple[Deriver, int]) -> None:
    deriver, process = child
    os.kill(process, signal.SIGTERM)  # as a supervisor does to all of a group
    assert not deriver.beside(lambda: 0)
    started = deriver._child
    assert started is not None
    started._pipe.close()  # as the system does to whatever is killed
    until(lambda: started._process.poll() is not None, 10)
    assert started._process.returncode == 0
    deriver._child = None


def test_a_receiver_whose_deriver_is_gone_goes_on_and_is_not_ready_meanwhile() -> None:
    def round_(_now: datetime) -> float:
        raise RoundFailed("the process that derives has ended")

    state = Rounds("receiver", utcnow())
    assert state.run(round_, utcnow()) > 0
    assert state.check() is not None


def test_a_stream_whose_batch_is_given_up_waits_and_says_so_while_the_others_go_on(
    postgres_engine: Engine, child: tuple[Deriver, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    deriver, _ = child
    admit(postgres_engine, OTHER)
    shown = operations.stuck.labels(STREAMS[OWN])
    for number, stream in enumerate(STREAMS.values(), 1):
        receive(postgres_engine, stream, [session(number, "kaapeli", "2016-03-01", 60)])
    with postgres_engine.begin() as other:  # that which the batch waits for stands for one that has no end
        store.lock_derived(other, STREAMS[OWN])
        monkeypatch.setattr(beside, "BATCH_SECONDS", 1.0)
        with pytest.raises(DerivingEnded):
            deriver.beside(lambda: 0)
        monkeypatch.undo()
        assert shown._value.get() == 1
        work(deriver, postgres_engine, range(0))
        assert {row["stream"] for row in kit.rows(postgres_engine, store.cursor) if row["seq"] > 1} == set()
        assert STREAMS[OTHER] in {row["stream"] for row in kit.rows(postgres_engine, store.cursor)}
        assert shown._value.get() == 1, "another process knows of it"
    deriver.close()
    deriver._failing[STREAMS[OWN]] = 0.0  # it is due
    work(deriver, postgres_engine, range(0))
    assert {row["seq"] for row in kit.rows(postgres_engine, store.cursor)} == {1, 2}
    assert shown._value.get() == 0
