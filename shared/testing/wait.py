"""Waiting in tests: for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

REST, MOST = 3, 0.5
"""A pause is so many times as long as the look before it took, but no longer than so many seconds: looking must not
take the processor from what is waited for."""


def until(condition: Callable[[], T], timeout: float = 10.0, every: float = 0.01) -> T:
    """The first true value of `condition()`. Raises AssertionError after `timeout` seconds.

    `every` is the least pause in seconds between two looks.
    """
    deadline = time.monotonic() + timeout
    while True:
        began = time.monotonic()
        value = condition()
        if value:
            return value
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"not so within {timeout} s: {getattr(condition, '__qualname__', condition)}")
        time.sleep(max(every, min(REST * (now - began), MOST)))
