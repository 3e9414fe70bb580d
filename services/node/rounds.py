"""The loop of the two plain processes, a node's courier and a lead's receiver.

What must be exact runs in plain processes that assert eventlet is not loaded (architecture §5). Each is a loop around
one function: a round when a byte comes on standard input (`--child`), and every few seconds anyway.
"""

import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import OperationalError

from services.node.opening import listening
from shared.ops.clock import utcnow
from shared.ops.health import Check, HealthServer
from shared.ops.metrics import gauge
from shared.ops.settings import Home

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0

round_at = gauge("polku_plain_last_round_timestamp_seconds", "When the last round of courier or receiver ended")


def assert_plain() -> None:
    """Refuse to run where threads and sockets are green."""
    if "eventlet" in sys.modules:
        raise RuntimeError("this process must be exact: eventlet may not be loaded in it")


def run_rounds(home: Home, round_: Callable[[datetime], float], checks: Mapping[str, Check], *, child: bool) -> None:
    """Rounds until SIGTERM, SIGINT or (child) end of input; each says after how many seconds the next is due."""
    stopping = threading.Event()
    reader, writer = os.pipe()

    def stop(*_: object) -> None:
        stopping.set()
        os.write(writer, b"x")

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    state = _Rounds()
    with listening(home.child_port):
        HealthServer(home.host, home.child_port, {"rounds": state.check, **checks}).start()
    inputs = [reader, sys.stdin.fileno()] if child else [reader]
    while not stopping.is_set():
        due = state.run(round_)
        readable, _, _ = select.select(inputs, [], [], due)
        if child and sys.stdin.fileno() in readable and not os.read(sys.stdin.fileno(), 65536):
            return


@dataclass(slots=True)
class _Rounds:
    """Runs rounds and knows whether the last one went well."""

    failed: str | None = None

    def run(self, round_: Callable[[datetime], float]) -> float:
        """One round; a database that does not answer now is tried again, anything else ends the process."""
        try:
            due = round_(utcnow())
        except OperationalError as error:
            log.error("a round failed", exc_info=error)
            self.failed = type(error).__name__
            return RETRY_SECONDS
        self.failed = None
        round_at.set_to_current_time()
        return due

    def check(self) -> str | None:
        """For `/ready`."""
        return f"the last round failed: {self.failed}" if self.failed else None
