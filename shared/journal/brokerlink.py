"""A connection to a broker that others may try to break, for `amqpcarrier`: plain py-amqp, every wait bounded."""

import logging
import select
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import amqp
from amqp.method_framing import frame_handler

log = logging.getLogger(__name__)

SECONDS = 15.0
"""How long connecting, a confirm, and each wait for the network may take."""
RETRY_SECONDS = 2.0
"""How long a broker that was not reached is left alone."""
_METHOD, _HEADER, _HEARTBEAT, _DELIVER = 1, 2, 8, b"\0\x3c\0\x3c"


class BrokerFailed(OSError):
    """The broker was not reached, or there is a doubt about what it did."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is: `amqps://[USER@]HOST[:PORT]/VHOST`, `amqp://` on loopback. `authority` as in `HttpCarrier`."""

    url: str
    password: str = field(repr=False)
    authority: str = ""

    def connect(self, heartbeat: int) -> amqp.Connection:
        """A new connection; raises whatever the library does. `heartbeat` in seconds; 0: none."""
        parts = urlsplit(self.url)
        host, secure = parts.hostname or "", parts.scheme == "amqps"
        checked = {"context": {"cadata": self.authority or None, "check_hostname": True}, "server_hostname": host}
        connection = amqp.Connection(
            f"{f'[{host}]' if ':' in host else host}:{parts.port or (5671 if secure else 5672)}",
            userid=parts.username,
            password=self.password,
            login_method="PLAIN",
            virtual_host=parts.path[1:],
            ssl=checked if secure else False,
            connect_timeout=SECONDS,
            heartbeat=heartbeat,
            frame_handler=_tolerant,
        )
        connection.connect()
        connection.sock.settimeout(SECONDS)  # every wait of the library that has no time of its own
        return connection


def _tolerant(connection: amqp.Connection, callback: Callable[..., None]) -> Callable[[Any], bool]:
    """The library's reader of frames, which would fail at texts of a sender's choice that are no UTF-8, and for ever:
    what cannot be read is not acked and comes again. Such properties are left out, and routing keys altogether."""
    handle = frame_handler(connection, callback)

    def on_frame(frame: tuple[int, int, Any]) -> bool:
        kind, channel, buffer = frame
        if kind == _METHOD and bytes(buffer[:4]) == _DELIVER:
            end = 4 + 1 + buffer[4] + 8 + 1
            end += 1 + buffer[end]
            frame = kind, channel, bytes(buffer[:end]) + b"\0"
        elif kind == _HEADER:
            try:
                amqp.Message().inbound_header(buffer)
            except Exception:  # whatever its decoders raise
                frame = kind, channel, bytes(buffer[:12]) + b"\0\0"
        # After a heartbeat the library would wait for more, in the middle of nothing.
        return bool(handle(frame)) or kind == _HEARTBEAT

    return on_frame


class Link:
    """A connection with one channel (both None while there is none) that is opened when needed and dropped at any
    doubt; `number` counts them."""

    heartbeat = 0

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.connection: amqp.Connection | None = None
        self.channel: Any = None
        self._not_before = 0.0
        self.number = 0

    def open(self) -> None:
        """Connect if there is no connection. Raises `BrokerFailed`."""
        if self.connection is not None:
            return
        if monotonic() < self._not_before:
            raise BrokerFailed("the broker was not reached a moment ago")
        try:
            self.connection = self._broker.connect(self.heartbeat)
            self.channel = self.connection.channel()
            self.channel.auto_decode = False
            self.number += 1
            self.opened()
        except Exception as error:  # the library raises whatever its state leads to, not only its own errors
            self._not_before = monotonic() + RETRY_SECONDS
            self.drop()
            raise BrokerFailed(type(error).__name__) from None

    def opened(self) -> None:
        """Called with a new channel."""

    def drain(self) -> None:
        """Read what is there now; nothing is waited for but the end of a frame that has begun."""
        assert self.connection is not None
        while self.readable():
            self.connection.drain_events(timeout=SECONDS)

    def drop(self) -> None:
        """End the connection without a word, which takes no time."""
        connection, self.connection, self.channel = self.connection, None, None
        if connection is not None:
            try:
                connection.collect()
            except Exception as error:
                log.debug("a connection ended badly: %s", type(error).__name__)

    def fileno(self) -> int | None:
        """The socket's descriptor."""
        return None if self.connection is None else self.connection.sock.fileno()

    def readable(self) -> bool:
        """Whether something has come."""
        assert self.connection is not None
        sock = self.connection.sock
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            return True
        return bool(select.select([sock], [], [], 0)[0])
