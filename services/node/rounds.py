"""The loop of the two plain processes, a node's courier and a lead's receiver.

What must be exact runs in plain processes that assert eventlet is not loaded (architecture §5). Each is a loop around
one function: a round when a byte comes on standard input (`--child`), and every few seconds anyway.
"""

import fcntl
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import InitVar, dataclass
from datetime import datetime

from sqlalchemy.exc import OperationalError

from services.node.opening import listening
from shared.ops.clock import utcnow
from shared.ops.health import Check, HealthServer
from shared.ops.metrics import gauge
from shared.ops.settings import Home

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0

BEHIND_PEOPLE = 5
"""How much nicer than a portal: somebody who waits for a page comes before lines that stream in."""


class RoundFailed(Exception):
    """Something that a round needs is not there now; it is tried again."""


round_at = gauge(
    "polku_plain_last_round_timestamp_seconds",
    "When the last round that went well began; before the first: when the process did",
    "process",
)


def assert_plain() -> None:
    """Refuse to run where threads and sockets are green."""
    if "eventlet" in sys.modules:
        raise RuntimeError("this process must be exact: eventlet may not be loaded in it")


def run_rounds(
    home: Home,
    round_: Callable[[datetime], float],
    checks: Mapping[str, Check],
    health_port: int | None = None,
    *,
    child: bool,
    watched: Callable[[], list[int]],
) -> None:
    """Rounds until SIGTERM, SIGINT or (child) end of input; each says after how many seconds the next is due.

    It comes sooner when something of `watched` becomes readable, which the round must then read.
    """
    os.nice(BEHIND_PEOPLE)
    port = health_port or home.child_port
    stopping = threading.Event()
    reader, writer = os.pipe()

    def stop(*_: object) -> None:
        stopping.set()
        os.write(writer, b"x")

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    state = Rounds("receiver" if home.role == "lead" else "courier", utcnow())
    with listening(port):
        HealthServer(home.health_host, port, {"rounds": state.check, **checks}).start()
    inputs = [reader, sys.stdin.fileno()] if child else [reader]
    while not stopping.is_set():
        readable = state.wait(state.run(round_, utcnow()), inputs, watched)
        if child and sys.stdin.fileno() in readable and not os.read(sys.stdin.fileno(), 65536):
            return


@contextmanager
def one_round(home: Home) -> Iterator[None]:
    """Around each round: a courier or receiver that runs and a command that does a round never work side by side."""
    directory = os.open(home.keys, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


@dataclass(slots=True)
class Rounds:
    """Runs rounds and knows whether the last one went well."""

    process: str
    began: InitVar[datetime]
    failed: str | None = None

    def __post_init__(self, began: datetime) -> None:
        round_at.labels(self.process).set(began.timestamp())

    def run(self, round_: Callable[[datetime], float], now: datetime) -> float:
        """One round; one that failed for what is not there now is tried again, anything else ends the process."""
        try:
            due = round_(now)
        except (OperationalError, RoundFailed) as error:
            log.error("a round failed", exc_info=error)
            self.failed = type(error).__name__
            return RETRY_SECONDS
        self.failed = None
        round_at.labels(self.process).set(now.timestamp())
        return due

    def wait(self, seconds: float, inputs: list[int], watched: Callable[[], list[int]]) -> list[int]:
        """Until the next round; what of these became readable and so made it come sooner.

        A round that failed may not have come to what is `watched`, which nobody else reads: the next one waits its
        time, or it would be tried and logged a thousand times a second.
        """
        waking = inputs if self.failed else [*inputs, *watched()]
        readable, _, _ = select.select(waking, [], [], seconds)
        return readable

    def check(self) -> str | None:
        """For `/ready`."""
        return f"the last round failed: {self.failed}" if self.failed else None
