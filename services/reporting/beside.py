"""The receiver's two loops at work together: one takes lines in, the other derives figures from those that are in."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from sqlalchemy import Engine

from services.reporting import operations


def take_and_derive(engine: Engine, take: Callable[[], bool]) -> bool:
    """Call `take`, and derive in a thread of its own for as long as that lasts, to the end of a batch: while one waits
    for the database, the other works. True if there may be more of either: `take` says so of what it takes.

    SQLite has one writer: there it is one after the other.
    """
    if engine.dialect.name == "sqlite":
        took = take()
        return operations.derive(engine) or took
    taken = Event()

    def derive() -> bool:
        while more := operations.derive(engine):
            if taken.is_set():
                break
        return more

    with ThreadPoolExecutor(1, "derive") as thread:
        derived = thread.submit(derive)
        try:
            took = take()
        finally:
            taken.set()
    return derived.result() or took
