"""Telling the other services that the journal has grown: ``{"pos": n}`` to everybody, after commit.

A wake-up holds no content and may be lost: whoever follows the journal looks every five seconds anyway. So sending one
never fails and never waits for the broker, except once, shortly, for the first connection of the process.
"""

from time import monotonic

from shared.bus.link import Link, LinkDown
from shared.bus.metrics import wakeups_total
from shared.bus.wire import JOURNAL_EXCHANGE, encode
from shared.storage import assert_outside_transaction

FIRST_CONNECTION_SECONDS = 1.0


class WakeupPublisher:
    """Sends wake-ups on its own connection. Connects at the first one; ends with `close`."""

    def __init__(self, url: str) -> None:
        self._link = Link(url, "wake-ups")
        self._patience = FIRST_CONNECTION_SECONDS

    def publish_wakeup(self, pos: int) -> None:
        """Say that the journal holds line `pos`. Raises `InsideTransaction` before the commit, else nothing."""
        assert_outside_transaction("wake-up")
        self._link.start()
        deadline = monotonic() + self._patience
        self._patience = 0.0
        try:
            self._link.publish(encode({"pos": pos}), exchange=JOURNAL_EXCHANGE, routing_key="", deadline=deadline)
        except LinkDown:
            wakeups_total.labels("not_sent").inc()
        else:
            wakeups_total.labels("sent").inc()

    def close(self) -> None:
        """Disconnect."""
        self._link.close()
