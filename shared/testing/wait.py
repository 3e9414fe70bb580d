"""Waiting in tests: for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], timeout: float = 10.0, every: float = 0.01) -> T:
    """The first true value of `condition()`. Raises AssertionError after `timeout` seconds.

    `every` is the pause in seconds between two looks.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not so within {timeout} s: {getattr(condition, '__qualname__', condition)}")
        time.sleep(every)
