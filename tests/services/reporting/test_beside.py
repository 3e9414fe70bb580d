"""The receiver's two loops at work together."""

import os
import signal
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from services.reporting import store
from services.reporting.beside import COUNTERS, Deriver
from shared.testing.wait import until
from tests.services import kit
from tests.services.kit import OWN
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

    def take() -> bool:
        if batches:
            receive(engine, STREAMS[OWN], batches.pop())
            return True
        return False

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
    def broken() -> bool:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        deriver.beside(broken)
    assert not deriver.beside(lambda: False)


def test_what_deriving_raises_is_raised_and_the_next_round_goes_on(engine: Engine, deriver: Deriver) -> None:
    receive(engine, STREAMS[OWN], [session(1, "kaapeli", "2016-03-01", 60)])
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE reporting_cursor RENAME TO elsewhere"))
    with pytest.raises(Exception, match="reporting_cursor"):
        deriver.beside(lambda: False)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO reporting_cursor"))
    work(deriver, engine, range(2, 3))
    assert len(kit.rows(engine, store.session)) == 2


def test_a_process_that_was_killed_is_the_rounds_failure_and_another_one_goes_on(
    engine: Engine, deriver: Deriver
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("there is no other process")
    work(deriver, engine, range(1))
    (child,) = children()
    os.kill(child, signal.SIGKILL)
    with pytest.raises(EOFError, match="has ended"):
        deriver.beside(lambda: False)
    work(deriver, engine, range(1, 3))
    assert len(kit.rows(engine, store.session)) == 3


def test_the_process_ends_with_the_one_it_works_for(engine: Engine, deriver: Deriver) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("there is no other process")
    work(deriver, engine, range(1))
    deriver._child._pipe.close()  # as the system does to whatever is killed
    until(lambda: deriver._child._process.poll() is not None, 10)
    assert deriver._child._process.returncode == 0


def children() -> list[int]:
    """Processes of ours that derive."""
    mine = []
    for process in os.listdir("/proc"):
        if process.isdigit():
            try:
                with open(f"/proc/{process}/cmdline") as line, open(f"/proc/{process}/stat") as state:
                    words, parent = line.read().split("\0"), state.read().rpartition(") ")[2].split()[1]
            except OSError:
                continue
            if "services.reporting.beside" in words and parent == str(os.getpid()):
                mine.append(int(process))
    return mine
