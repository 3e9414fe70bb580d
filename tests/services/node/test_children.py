# green:
"""Waking a child from many greenlets at once, as a home's services do after their commits."""

import sys
from collections.abc import Iterator
from pathlib import Path

import eventlet
import pytest

from services.node.children import Child

DEADLINE_SECONDS = 10.0
"""For what takes no time. A call that blocks the whole process ends by `GREEN_SECONDS` (tests/conftest.py)."""


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    """A child that never reads what wakes it."""
    program = tmp_path / "sleeps"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    made = Child(tmp_path, "courier")
    yield made
    made.process.kill()
    made.process.wait()


def assert_ten_return(child: Child) -> None:
    """Ten greenlets that wake it at once have all returned before the deadline."""
    woken = [eventlet.spawn(child.wake) for _ in range(10)]
    with eventlet.Timeout(DEADLINE_SECONDS, False):
        for waking in woken:
            waking.wait()
    assert [waking.dead for waking in woken] == [True] * 10


def test_many_wake_it_at_once_and_nobody_waits_though_its_pipe_is_full(child: Child) -> None:
    with eventlet.Timeout(DEADLINE_SECONDS):
        for _ in range(70_000):  # more than a pipe holds
            child.wake()
    assert_ten_return(child)
    assert child.ended() is None


def test_waking_one_that_has_ended_returns_at_once(child: Child) -> None:
    child.process.kill()
    child.process.wait()
    assert_ten_return(child)
    assert child.ended() is not None
