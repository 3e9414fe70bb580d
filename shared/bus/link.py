"""A connection to the bus that keeps itself: one reader, any number of senders, reconnects for ever.

The reader is a thread (a greenlet when the process is monkey-patched); it alone connects, declares, consumes and reads.
Senders only write, and every wait is bounded: the socket's own time-out is `TICK` while connected, so neither a blocked
broker nor a dead peer holds anyone longer. After any doubt about a connection it is thrown away.
"""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import amqp
from kombu.connection import Connection

from shared.bus import embedded, quiet
from shared.bus.metrics import connections_lost_total
from shared.bus.wire import CONTENT_TYPE, declare_exchanges

log = logging.getLogger(__name__)

TICK = 0.5
"""Seconds a read or write on the socket may take; also how often heartbeats are looked at."""

CONNECT_SECONDS = 5
HEARTBEAT_SECONDS = 20
BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Pauses between attempts to connect; the last one repeats."""

embedded.register()


class LinkDown(Exception):
    """There was no working connection until the deadline, or it broke while sending."""


class Link:
    """One connection and one channel.

    `on_connected(channel)` declares and starts consuming, at every new connection; `on_lost()` follows each loss;
    `on_returned(message)` gets what was sent as mandatory and had no queue. All three must be quick: they run in the
    reader (on the embedded bus `on_returned` runs in the sender).
    """

    def __init__(
        self,
        url: str,
        label: str,
        on_connected: Callable[[Any], None] = lambda _channel: None,
        on_lost: Callable[[], None] = lambda: None,
        on_returned: Callable[[amqp.Message], None] = lambda _message: None,
    ) -> None:
        quiet.install()
        self.url = url
        self.label = label
        self.last_error = "no attempt yet"
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._on_returned = on_returned
        self._starting = threading.Lock()
        self._reader: threading.Thread | None = None
        self._ready = threading.Event()
        self._closing = threading.Event()
        self._raw: Any = None
        self._channel: Any = None

    def start(self) -> None:
        """Begin to connect; returns at once. Harmless to repeat."""
        with self._starting:
            if self._reader is None and not self._closing.is_set():
                self._reader = threading.Thread(target=self._run, name=f"bus {self.label}", daemon=True)
                self._reader.start()

    def wait_ready(self, seconds: float) -> bool:
        """Wait until connected; False after `seconds`."""
        return self._ready.wait(max(seconds, 0.0))

    @property
    def is_ready(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return self._ready.is_set()

    def publish(
        self,
        body: bytes,
        *,
        exchange: str,
        routing_key: str,
        deadline: float,
        mandatory: bool = False,
        **properties: Any,
    ) -> None:
        """Hand `body` to the broker, waiting for a connection until `deadline` (of `time.monotonic`).

        Nothing is confirmed. Raises `LinkDown`.
        """
        if not self.wait_ready(deadline - monotonic()):
            raise LinkDown(self.last_error)
        raw, channel = self._raw, self._channel
        properties = {"content_type": CONTENT_TYPE, "content_encoding": "utf-8", "delivery_mode": 1, **properties}
        try:
            channel.basic_publish(
                amqp.Message(body, **properties), exchange=exchange, routing_key=routing_key, mandatory=mandatory
            )
        except Exception as error:
            # A frame may have gone out in part: nobody can use this connection any more.
            self._abandon(raw)
            raise LinkDown(type(error).__name__) from None

    def settle(self, message: amqp.Message, *, requeue: bool = False) -> None:
        """Ack `message`, or give it back. If its connection has gone, the broker has taken it back already."""
        with contextlib.suppress(Exception):
            if requeue:
                message.channel.basic_reject(message.delivery_tag, requeue=True)
            else:
                message.channel.basic_ack(message.delivery_tag)

    def cancel(self, consumer_tag: str) -> None:
        """Take no further messages for `consumer_tag`."""
        with contextlib.suppress(Exception):
            self._channel.basic_cancel(consumer_tag, nowait=True)

    def close(self) -> None:
        """Close the connection; what is unacked goes back to its queue. Usually takes milliseconds."""
        self._closing.set()
        with contextlib.suppress(Exception):
            sock = _socket_of(self._raw)
            if sock is None:
                self._raw.close()
            else:
                sock.shutdown(socket.SHUT_RD)  # wakes the reader, who then says goodbye
        with self._starting:
            reader = self._reader
        if reader is not None and reader is not threading.current_thread():
            reader.join(CONNECT_SECONDS)

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            try:
                self._connect()
                failures = 0
                self._read()
            except Exception as error:
                self.last_error = type(error).__name__
            self._discard()
            if self._closing.is_set():
                return
            connections_lost_total.labels(self.label).inc()
            if failures == 0:
                log.warning("bus connection of %s lost or not made: %s", self.label, self.last_error)
            self._closing.wait(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
            failures += 1

    def _connect(self) -> None:
        client = Connection(  # type: ignore[no-untyped-call]
            self.url,
            heartbeat=HEARTBEAT_SECONDS,
            connect_timeout=CONNECT_SECONDS,
            transport_options={"client_properties": {"connection_name": f"polku {self.label}"}},
        )
        self._transport = client.transport
        raw = self._raw = self._transport.establish_connection()
        sock = _socket_of(raw)
        if sock is not None:
            # py-amqp would read from the socket inside basic_publish to look for this notice; only the reader may read.
            raw.client_properties.get("capabilities", {}).pop("connection.blocked", None)
            sock.settimeout(CONNECT_SECONDS)
        channel = self._transport.create_channel(raw)
        channel.auto_decode = False  # py-amqp would guess the encoding; bodies are decoded in wire.py only
        channel.events["basic_return"].add(self._returned)
        declare_exchanges(channel)
        self._on_connected(channel)
        if sock is not None:
            # Equal to the time-out that _read passes, so that py-amqp never switches the socket's mode under a sender.
            sock.settimeout(TICK)
        self._channel = channel
        self._ready.set()

    def _read(self) -> None:
        timeout = None if isinstance(self._raw, embedded.Connection) else TICK
        while not self._closing.is_set():
            with contextlib.suppress(socket.timeout):
                self._transport.drain_events(self._raw, timeout=timeout)
            if timeout is not None:
                self._transport.heartbeat_check(self._raw)

    def _returned(self, _error: Exception, _exchange: str, _routing_key: str, message: amqp.Message) -> None:
        self._on_returned(message)

    def _abandon(self, raw: Any) -> None:
        """Make the reader notice that `raw` is of no use."""
        if raw is self._raw:
            self._ready.clear()
        with contextlib.suppress(Exception):
            sock = _socket_of(raw)
            if sock is None:
                raw.close()
            else:
                sock.shutdown(socket.SHUT_RDWR)

    def _discard(self) -> None:
        """End the connection, politely only if we are the ones who end it."""
        self._ready.clear()
        raw, self._raw, self._channel = self._raw, None, None
        if raw is None:
            return
        with contextlib.suppress(Exception):
            if self._closing.is_set():
                raw.close()
        with contextlib.suppress(Exception):
            raw.collect()
        self._on_lost()


def _socket_of(raw: Any) -> socket.socket | None:
    """The socket of a RabbitMQ connection; the embedded bus has none."""
    return None if isinstance(raw, embedded.Connection) else raw.sock
