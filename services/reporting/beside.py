"""The receiver's two loops at work together: one takes lines in, the other derives figures from those that are in.

On PostgreSQL the second is a process of its own, ``python -m services.reporting.beside PIPE FILE``: two processors
work then, where two threads would wait for one interpreter. It has no port and no settings: its parent tells it when to
work, counts what it did, and ends it by ending. Whatever goes wrong in it is in its log and ends it; the parent tries
again with another one. A batch that is not done in time is given up, and its stream waits: the others go on.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import Engine

from services.reporting import effects, operations
from shared.ops.collecting import collect_seldom
from shared.ops.logging import setup_logging
from shared.storage import open_engine

log = logging.getLogger(__name__)

COUNTERS = (operations.derived_total, effects.aside_total)
"""What deriving counts: the parent's are what is scraped."""

BATCH_SECONDS = 60.0
"""After how long a batch that is not done is given up: lock and connection time-outs are far shorter."""

GIVEN_UP_SECONDS = 10 * BATCH_SECONDS
"""After how long the stream of such a batch is tried again: it takes a tenth of the time from the others at most."""

FEW_LINES, GATHER_SECONDS = 5_000, 0.05
"""A round has a price for each stream, however little has come: after one that took only a few lines, more may gather
for a moment, and what derives goes on meanwhile."""

_NAME = 80
"""Bytes of the name of a stream at most, which are ASCII."""

Totals = list[dict[str, float]]
"""Of each of them, by the value of its label."""


class DerivingEnded(Exception):
    """The process that derives has ended, or had to be ended; what it had not committed comes again. `stream`: whose
    batch it was at when it did not answer or was killed, "" if at none."""

    def __init__(self, how: str, stream: str = "") -> None:
        super().__init__(f"the process that derives {how}")
        self.stream = stream


class Deriver:
    """Derives while its caller does something else."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._child: _Child | None = None
        self._failing: operations.Failing = {}

    def beside(self, take: Callable[[], int]) -> bool:
        """Call `take`, which says how many lines it took, and derive while that lasts, to the end of a batch. True if
        there may be more of either.

        Raises what `take` raises, and `DerivingEnded`: then the next call begins anew. SQLite has one writer: there it
        is one after the other, and what deriving raises is raised.
        """
        if self._engine.dialect.name == "sqlite":
            took = take()
            more = operations.derive(self._engine, self._failing)
            operations.note_failing(self._failing)
            return more or took > 0
        child = self._child = self._child or _Child(self._engine, self._failing)
        try:
            child.begin()
            try:
                took = take()
                if took < FEW_LINES:
                    time.sleep(GATHER_SECONDS)
            finally:
                derived = child.finish()
        except DerivingEnded as error:
            self._child = None
            if error.stream:
                self._failing[error.stream] = time.monotonic() + GIVEN_UP_SECONDS
                operations.note_failing(self._failing)
            raise
        return derived or took > 0

    def close(self) -> None:
        """End the process, if there is one."""
        if self._child is not None:
            self._child.close()
        self._child = None


class _Child:
    """The parent's end."""

    def __init__(self, engine: Engine, failing: operations.Failing) -> None:
        self._pipe, theirs = Pipe()
        self._failing, self._at = failing, os.memfd_create("at")
        pass_fds = theirs.fileno(), self._at
        command = [sys.executable, "-m", "services.reporting.beside", *map(str, pass_fds)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=pass_fds, start_new_session=True)
        theirs.close()
        # Not in the arguments, which all may read.
        self._say((engine.url.render_as_string(hide_password=False), failing))

    def begin(self) -> None:
        self._say(None)

    def finish(self) -> bool:
        """Whether there may be more, once the batch that is under way is done."""
        self._say(None)
        try:
            if not self._pipe.poll(BATCH_SECONDS):
                raise self._ended(f"has not answered for {BATCH_SECONDS:.0f} s and was ended")
            more, totals, failing = self._pipe.recv()
        except (EOFError, ConnectionError):
            raise self._ended("has ended") from None
        for counter, values in zip(COUNTERS, totals, strict=True):
            for label, value in values.items():
                (counter.labels(label) if label else counter).inc(value)
        self._failing.clear()
        self._failing.update(failing)
        operations.note_failing(failing)
        return bool(more)

    def close(self) -> None:
        self._pipe.close()
        self._process.wait()
        os.close(self._at)

    def _say(self, what: Any) -> None:
        try:
            self._pipe.send(what)
        except ConnectionError:
            raise self._ended("has ended") from None

    def _ended(self, how: str) -> DerivingEnded:
        stream = os.pread(self._at, _NAME, 0).decode().strip()
        self._process.kill()
        self.close()
        code = self._process.returncode
        log.error("the process that derives is gone", extra={"how": how, "exit_code": code, "stream": stream})
        return DerivingEnded(how, stream)


def derive_when_told(pipe: Connection, at: int) -> None:
    """Derive between one word and the next, until the pipe's other end is closed, also by a kill. The file `at` says of
    which stream."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # a supervisor may tell the whole group: it ends with its parent

    def begin(stream: str) -> None:
        os.pwrite(at, stream.encode().ljust(_NAME), 0)

    try:
        url, failing = pipe.recv()
        engine, before = open_engine(url), _totals()
        while True:
            pipe.recv()
            while (more := operations.derive(engine, failing, pipe.poll, begin)) and not pipe.poll():
                pass
            pipe.recv()
            now = _totals()
            pipe.send((more, _since(before, now), failing))
            before = now
    except (EOFError, ConnectionError):
        pass
    finally:
        begin("")  # if it ends by itself, then for no stream's fault


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


def main() -> None:
    """The process."""
    collect_seldom()
    setup_logging("deriver")
    try:
        derive_when_told(Connection(int(sys.argv[1])), int(sys.argv[2]))
    except Exception as error:
        log.error("deriving failed", exc_info=error)
        sys.exit(1)


if __name__ == "__main__":
    main()
