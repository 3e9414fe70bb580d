"""Makes it an error for an eventlet process to wait for anything but the database inside a transaction.

`shared.storage` catches what plain Python can see; eventlet's own ways to wait are known here. psycopg waits with
``select``, which is left alone: that is the one wait a transaction is for.
"""

import functools
import time
from collections.abc import Callable
from typing import Any

import eventlet
import eventlet.greenthread
import eventlet.tpool

from shared.storage import assert_outside_transaction

_MARK = "__outside_transaction__"


def install() -> None:
    """Guard `eventlet.sleep`, `time.sleep`, `eventlet.tpool.execute`. Call after patching; may be repeated."""
    eventlet.greenthread.sleep = eventlet.sleep = _guarded(eventlet.greenthread.sleep, "sleep")
    eventlet.tpool.execute = _guarded(eventlet.tpool.execute, "thread pool call")
    time.sleep = _guarded(time.sleep, "sleep")


def _guarded(function: Callable[..., Any], what: str) -> Callable[..., Any]:
    if hasattr(function, _MARK):
        return function

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        assert_outside_transaction(what)
        return function(*args, **kwargs)

    setattr(checked, _MARK, True)
    return checked
