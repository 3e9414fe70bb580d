"""The receiver's two loops at work together: one takes lines in, the other derives figures from those that are in.

On PostgreSQL the second is a process of its own, ``python -m services.reporting.beside DESCRIPTOR``: two processors
work then, where two threads would wait for one interpreter. It has no port and no settings: its parent tells it when to
work, counts what it did, and ends it by ending.
"""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from sqlalchemy import Engine

from services.reporting import effects, operations
from shared.ops.collecting import collect_seldom
from shared.ops.logging import setup_logging
from shared.storage import open_engine

COUNTERS = (operations.derived_total, effects.aside_total)
"""What deriving counts: the parent's are what is scraped."""

SWITCH_SECONDS = 0.0005
"""After how long a thread that computes makes way: for the one that stores, which the server waits for."""

Totals = list[dict[str, float]]
"""Of each of them, by the value of its label."""


class Deriver:
    """Derives while its caller does something else."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._child: _Child | None = None

    def beside(self, take: Callable[[], bool]) -> bool:
        """Call `take`, and derive while that lasts, to the end of a batch. True if there may be more of either:
        `take` says so of what it takes.

        Raises what either of them raises; EOFError if the process that derives has ended. SQLite has one writer: there
        it is one after the other.
        """
        if self._engine.dialect.name == "sqlite":
            took = take()
            return operations.derive(self._engine) or took
        child = self._child = self._child or _Child(self._engine)
        try:
            child.begin()
            try:
                took = take()
            finally:
                derived = child.finish()
        except (EOFError, ConnectionError):
            self.close()
            raise EOFError("the process that derives has ended") from None
        return derived or took

    def close(self) -> None:
        """End the process, if there is one."""
        if self._child is not None:
            self._child.close()
        self._child = None


class _Child:
    """The parent's end."""

    def __init__(self, engine: Engine) -> None:
        self._pipe, theirs = Pipe()
        command = [sys.executable, "-m", "services.reporting.beside", str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True
        )
        theirs.close()
        self._pipe.send(engine.url.render_as_string(hide_password=False))  # not in the arguments, which all may read

    def begin(self) -> None:
        self._pipe.send(None)

    def finish(self) -> bool:
        """Whether there may be more, once the batch that is under way is done."""
        self._pipe.send(None)
        more, totals, failed = self._pipe.recv()
        for counter, values in zip(COUNTERS, totals, strict=True):
            for label, value in values.items():
                (counter.labels(label) if label else counter).inc(value)
        if failed is not None:
            raise failed
        return bool(more)

    def close(self) -> None:
        self._pipe.close()
        self._process.wait()


def derive_when_told(pipe: Connection) -> None:
    """Derive between one word and the next, until the pipe's other end is closed, also by a kill."""
    setup_logging("receiver")
    sys.setswitchinterval(SWITCH_SECONDS)
    engine, before = open_engine(pipe.recv()), _totals()
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            pipe.recv()
            more, failed = True, None
            try:
                while (more := operations.derive(engine)) and not pipe.poll():
                    pass
            except Exception as error:
                failed = error
            pipe.recv()
            now = _totals()
            pipe.send((more, _since(before, now), failed))
            before = now


def _totals() -> Totals:
    found: Totals = []
    for counter in COUNTERS:
        samples = [sample for metric in counter.collect() for sample in metric.samples]
        found.append({"".join(s.labels.values()): s.value for s in samples if s.name.endswith("_total")})
    return found


def _since(before: Totals, now: Totals) -> Totals:
    return [
        {label: value - old.get(label, 0) for label, value in new.items()} for old, new in zip(before, now, strict=True)
    ]


if __name__ == "__main__":
    collect_seldom()
    derive_when_told(Connection(int(sys.argv[1])))
