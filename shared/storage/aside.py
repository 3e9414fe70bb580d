"""Work with the database that is done beside its caller: on PostgreSQL the server's part is as long as ours."""

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

_T = TypeVar("_T")

SWITCH_SECONDS = 0.002
"""After how long a thread that computes makes way for the one that the server waits for: Python's five milliseconds are
half of what is won, and at a tenth of this changing costs more than it brings."""


class Aside(Generic[_T]):
    """Does one thing at a time in a thread; whoever leaves the block knows that it is done, or why not.

    What it raises comes when its answer is asked for, or at the end of the block. SQLite (`dialect`) works in our
    process: there everything is done at once, and so is what is `last`, beside which the caller has nothing to do.
    """

    def __init__(self, dialect: str) -> None:
        self._at_once = dialect == "sqlite"
        self._thread: ThreadPoolExecutor | None = None
        self._under_way: Future[_T] | None = None

    def do(self, work: Callable[[], _T], *, last: bool = False) -> None:
        """Begin this; the answer to what was begun before has been asked for."""
        assert self._under_way is None
        if self._at_once or last:
            done = Future[_T]()
            done.set_result(work())
            self._under_way = done
            return
        if self._thread is None:
            sys.setswitchinterval(SWITCH_SECONDS)
            self._thread = ThreadPoolExecutor(1, "aside")
        self._under_way = self._thread.submit(work)

    def wait(self) -> _T | None:
        """The answer to what is under way, when it is done; None if nothing is."""
        under_way, self._under_way = self._under_way, None
        return under_way.result() if under_way is not None else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if self._thread is not None:
            self._thread.shutdown()
        if kind is None:
            self.wait()
