"""Makes waiting inside a transaction an error instead of a stall.

A context variable says whether the running thread or greenlet is inside a transaction. Python itself announces
connects and HTTP requests to audit hooks, so one hook covers every library that makes them in plain Python; sleeps
it announces from 3.13 on only, so ``time.sleep`` is wrapped. The database drivers connect and wait in C (psycopg
through libpq, sqlite3 through the file system): not announced, so not caught, which is just what is wanted.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, SupportsIndex

_inside: ContextVar[bool] = ContextVar("inside_transaction", default=False)

_FORBIDDEN = {"socket.connect": "network connection", "http.client.connect": "HTTP"}


class InsideTransaction(RuntimeError):
    """Something that waits was called between a transaction's first statement and its commit."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} inside a database transaction: do it before or after")


def assert_outside_transaction(what: str) -> None:
    """Raise `InsideTransaction` naming `what` if this thread or greenlet is inside a transaction."""
    if _inside.get():
        raise InsideTransaction(what)


@contextmanager
def inside_transaction() -> Iterator[None]:
    """Mark the block as a transaction. One does not nest in another: a unit of work is a unit."""
    assert_outside_transaction("a second transaction")
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


def _audit(event: str, _args: tuple[Any, ...]) -> None:
    if event in _FORBIDDEN:
        assert_outside_transaction(_FORBIDDEN[event])


def _guarded_sleep(seconds: "float | SupportsIndex", /) -> None:
    assert_outside_transaction("sleep")
    _sleep(seconds)


_sleep = time.sleep
time.sleep = _guarded_sleep
sys.addaudithook(_audit)
