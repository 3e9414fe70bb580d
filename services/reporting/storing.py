"""Effects are stored while the next ones are made: on PostgreSQL the server's work is as long as ours."""

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from services.reporting.effects import Effects


class Storing:
    """Stores effects by one connection, one after the other; whoever leaves the block knows that all are stored.

    Raises what storing raised, at the next `put` or at the end. SQLite works in our process: there it is done at once,
    and so are the last ones, beside which nothing is made.
    """

    def __init__(self, connection: Connection, stream: str) -> None:
        self._connection, self._stream = connection, stream
        self._thread: ThreadPoolExecutor | None = None
        self._under_way: Future[None] | None = None

    def put(self, effects: Effects, *, last: bool) -> None:
        """Store these after those before them."""
        self._wait()
        if last or self._connection.dialect.name == "sqlite":
            self._under_way = None
            effects.write(self._connection, self._stream)
            return
        self._thread = self._thread or ThreadPoolExecutor(1, "store")
        self._under_way = self._thread.submit(effects.write, self._connection, self._stream)

    def _wait(self) -> None:
        if self._under_way is not None:
            self._under_way.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if self._thread is not None:
            self._thread.shutdown()
        if kind is None:
            self._wait()
