"""The kombu transport ``embedded://NAME``: a small AMQP broker inside this process.

A delivery is put into the inbox of the consuming connection, which wakes whoever drains it: nothing polls. The messages
are py-amqp's own objects, so what a consumer sees has the same shape as from RabbitMQ. State is kept per NAME for as
long as the process lives (names are case-insensitive, as host names are).

Kept: direct, topic, fanout and default exchange; competing consumers; prefetch per consumer; acks; requeueing in the
old order when a channel closes; ``mandatory``; message expiration; exclusive and auto-delete queues; ``x-max-length``
(oldest dropped). Left out: persistence, transactions, dead-lettering; a queue argument that is not kept is refused.

Locks and queues come from `threading` and `queue`, so the same code serves greenlets (if monkey-patched) and threads.
"""

import queue as waiting
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from time import monotonic
from typing import Any

import amqp
from amqp.exceptions import RecoverableConnectionError
from amqp.protocol import queue_declare_ok_t
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, base, pyamqp

from shared.bus.embedded_broker import Broker, Consumer, Exchange, Queue, Stored, broker_of

KEPT_ARGUMENTS = {"x-max-length"}
IGNORED_ARGUMENTS = {"x-expires"}  # nameko's own reply queues: they end with their process here


class Connection:
    """What kombu holds as "the connection": an inbox of deliveries, and the channels."""

    def __init__(self, broker: Broker, client: Any, confirm_publish: bool) -> None:
        self.broker = broker
        self.client = client
        self.confirm_publish = confirm_publish
        self.connected = True
        self.channels: dict[int, Channel] = {}
        self._ids = count(1)
        self._inbox: waiting.Queue[tuple[Consumer, amqp.Message] | None] = waiting.Queue()

    def channel(self, channel_id: int | None = None) -> "Channel":
        self.check_open()
        number = channel_id or next(self._ids)
        self.channels[number] = Channel(self, number)
        return self.channels[number]

    def check_open(self) -> None:
        if not self.connected:
            raise RecoverableConnectionError("the connection is closed")

    def put(self, consumer: Consumer, message: amqp.Message) -> None:
        self._inbox.put((consumer, message))

    def drain_events(self, timeout: float | None = None) -> None:
        """Wait for one delivery and call its consumer.

        Raises TimeoutError after `timeout` seconds (None: never), `RecoverableConnectionError` when closed.
        """
        self.check_open()
        try:
            item = self._inbox.get(timeout=timeout) if timeout != 0 else self._inbox.get_nowait()
        except waiting.Empty:
            raise TimeoutError from None
        if item is None:
            raise RecoverableConnectionError("the connection is closed")
        consumer, message = item
        # What was under way when its channel closed has been requeued: handing it out here would be a second delivery.
        if not message.channel.closed:
            consumer.callback(message)

    def close(self) -> None:
        """Requeue what is unacked, drop exclusive queues, wake whoever drains."""
        if not self.connected:
            return
        for channel in list(self.channels.values()):
            channel.close()
        with self.broker.lock:
            self.connected = False
            for name in [q.name for q in self.broker.queues.values() if q.owner is self]:
                self.broker.delete(name)
        self._inbox.put(None)

    collect = close


class Channel(base.StdChannel):
    """The part of py-amqp's channel that kombu, nameko and we use."""

    Message = pyamqp.Message

    def __init__(self, connection: Connection, channel_id: int) -> None:
        self.connection: Connection | None = connection
        self.channel_id = channel_id
        self.closed = False
        self.events: dict[str, set[Callable[..., None]]] = {"basic_return": set()}
        self.no_ack_consumers: set[str] = set()  # type: ignore[assignment]
        self.consumers: dict[str, Consumer] = {}
        self._broker = connection.broker
        self._unacked: dict[int, tuple[Queue, Stored, Consumer | None]] = {}
        self._tags = count(1)
        self._prefetch = 0

    # -- exchanges and queues

    def exchange_declare(
        self, exchange: str, type: str = "direct", passive: bool = False, durable: bool = False, **_ignored: Any
    ) -> None:
        with self._open() as broker:
            if passive:
                broker.exchange(exchange)
            elif type not in ("direct", "topic", "fanout"):
                raise ChannelError(f"the embedded bus has no exchange type {type!r}", (40, 10), "503")
            elif broker.exchanges.setdefault(exchange, Exchange(type)).kind != type:
                raise ChannelError(f"PRECONDITION_FAILED - exchange {exchange!r} is of another type", (40, 10), "406")

    def exchange_delete(self, exchange: str, **_ignored: Any) -> None:
        with self._open() as broker:
            broker.exchanges.pop(exchange, None)

    def queue_declare(
        self,
        queue: str = "",
        passive: bool = False,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        arguments: dict[str, Any] | None = None,
        **_ignored: Any,
    ) -> queue_declare_ok_t:
        unkept = set(arguments or {}) - KEPT_ARGUMENTS - IGNORED_ARGUMENTS
        if unkept:
            raise ChannelError(f"the embedded bus does not keep {sorted(unkept)}", (50, 10), "406")
        with self._open() as broker:
            assert self.connection is not None
            if not passive and queue not in broker.queues:
                queue = queue or f"amq.gen-{uuid.uuid4().hex}"
                owner = self.connection if exclusive else None
                broker.queues[queue] = Queue(queue, owner, auto_delete, (arguments or {}).get("x-max-length"))
            found = broker.queue(queue, self.connection)
            return queue_declare_ok_t(found.name, len(found.ready), len(found.consumers))

    def queue_bind(self, queue: str, exchange: str = "", routing_key: str = "", **_ignored: Any) -> None:
        with self._open() as broker:
            assert self.connection is not None
            broker.queue(queue, self.connection)
            bindings = broker.exchange(exchange).bindings
            if (routing_key, queue) not in bindings:
                bindings.append((routing_key, queue))

    def queue_unbind(self, queue: str, exchange: str = "", routing_key: str = "", **_ignored: Any) -> None:
        with self._open() as broker:
            bindings = broker.exchange(exchange).bindings
            if (routing_key, queue) in bindings:
                bindings.remove((routing_key, queue))

    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False, **_ignored: Any) -> int:
        with self._open() as broker:
            found = broker.queues.get(queue)
            if found is None or (if_unused and found.consumers) or (if_empty and found.ready):
                return 0
            return broker.delete(queue)

    def queue_purge(self, queue: str, **_ignored: Any) -> int:
        with self._open() as broker:
            assert self.connection is not None
            ready = broker.queue(queue, self.connection).ready
            purged = len(ready)
            ready.clear()
            return purged

    # -- publishing

    prepare_message = pyamqp.Channel.prepare_message

    def basic_publish(
        self,
        message: amqp.Message,
        exchange: str = "",
        routing_key: str = "",
        mandatory: bool = False,
        **_ignored: Any,
    ) -> None:
        """Route `message`. Unroutable and mandatory: `basic_return` handlers are called, or `ChannelError` raised."""
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        properties = {name: value for name, value in message.properties.items() if value is not None}
        expiration = properties.get("expiration")
        expires_at = monotonic() + int(expiration) / 1000 if expiration is not None else None
        with self._open() as broker:
            routed = broker.route(Stored(body, properties, exchange, routing_key, expires_at))
        if routed or not mandatory:
            return
        unroutable = ChannelError("NO_ROUTE", (60, 40), "312")
        if not self.events["basic_return"]:
            raise unroutable
        for handler in list(self.events["basic_return"]):
            handler(unroutable, exchange, routing_key, message)

    # -- consuming

    def basic_qos(self, prefetch_size: int = 0, prefetch_count: int = 0, a_global: bool = False, **_ig: Any) -> None:
        """Bound the unacked messages of each consumer started afterwards (0: no bound)."""
        self._prefetch = prefetch_count

    def basic_consume(
        self,
        queue: str = "",
        consumer_tag: str = "",
        no_ack: bool = False,
        callback: Callable[[amqp.Message], None] | None = None,
        **_ignored: Any,
    ) -> str:
        assert callback is not None
        with self._open() as broker:
            assert self.connection is not None
            source = broker.queue(queue, self.connection)
            tag = consumer_tag or f"ctag-{uuid.uuid4().hex}"
            consumer = Consumer(tag, self, source, callback, no_ack, self._prefetch)
            if no_ack:
                self.no_ack_consumers.add(tag)
                consumer.prefetch = 0
            self.consumers[tag] = consumer
            source.consumers.append(consumer)
            broker.dispatch(source)
            return tag

    def basic_cancel(self, consumer_tag: str, **_ignored: Any) -> None:
        with self._broker.lock:
            consumer = self.consumers.pop(consumer_tag, None)
            if consumer is None or consumer not in consumer.queue.consumers:
                return
            consumer.queue.consumers.remove(consumer)
            if consumer.queue.auto_delete and not consumer.queue.consumers:
                self._broker.delete(consumer.queue.name)

    def deliver(self, consumer: Consumer, stored: Stored) -> None:
        """Hand `stored` to `consumer`'s connection; the broker's lock is held."""
        assert self.connection is not None
        message = self._to_amqp(stored, consumer.tag)
        if not consumer.no_ack:
            consumer.unacked += 1
            self._unacked[message.delivery_tag] = (consumer.queue, stored, consumer)
        self.connection.put(consumer, message)

    def basic_get(self, queue: str, no_ack: bool = False, **_ignored: Any) -> amqp.Message | None:
        with self._open() as broker:
            assert self.connection is not None
            source = broker.queue(queue, self.connection)
            stored = broker.take(source)
            if stored is None:
                return None
            message = self._to_amqp(stored, "")
            if not no_ack:
                self._unacked[message.delivery_tag] = (source, stored, None)
            return message

    def message_to_python(self, raw: amqp.Message) -> pyamqp.Message:
        return self.Message(raw, channel=self)  # type: ignore[no-untyped-call]

    def basic_ack(self, delivery_tag: int, multiple: bool = False, **_ignored: Any) -> None:
        with self._open() as broker:
            for tag in [t for t in self._unacked if t <= delivery_tag] if multiple else [delivery_tag]:
                self._settle(tag, broker, requeue=False)

    def basic_reject(self, delivery_tag: int, requeue: bool = False, **_ignored: Any) -> None:
        with self._open() as broker:
            self._settle(delivery_tag, broker, requeue)

    def basic_recover(self, requeue: bool = False, **_ignored: Any) -> None:
        with self._open() as broker:
            self._requeue_all(broker)

    def _settle(self, tag: int, broker: Broker, requeue: bool) -> None:
        if tag not in self._unacked:
            raise ChannelError(f"PRECONDITION_FAILED - unknown delivery tag {tag}", (60, 80), "406")
        source, stored, consumer = self._unacked.pop(tag)
        if consumer is not None:
            consumer.unacked -= 1
        if requeue:
            stored.redelivered = True
            source.ready.appendleft(stored)
        broker.dispatch(source)

    def _requeue_all(self, broker: Broker) -> None:
        # All first, then dispatched: a message sent out in between would overtake the older ones.
        sources = []
        for tag in sorted(self._unacked, reverse=True):
            source, stored, consumer = self._unacked.pop(tag)
            if consumer is not None:
                consumer.unacked -= 1
            stored.redelivered = True
            source.ready.appendleft(stored)
            sources.append(source)
        for source in dict.fromkeys(sources):
            broker.dispatch(source)

    def _to_amqp(self, stored: Stored, consumer_tag: str) -> amqp.Message:
        message = amqp.Message(stored.body, channel=self, **stored.properties)
        message.delivery_info = {
            "consumer_tag": consumer_tag,
            "delivery_tag": next(self._tags),
            "redelivered": stored.redelivered,
            "exchange": stored.exchange,
            "routing_key": stored.routing_key,
        }
        return message

    # -- life

    def close(self, **_ignored: Any) -> None:
        """Cancel the consumers and put what they had not acked back where it was."""
        with self._broker.lock:
            if self.closed:
                return
            self.closed = True
            consumers = list(self.consumers.values())
            for consumer in consumers:
                if consumer in consumer.queue.consumers:
                    consumer.queue.consumers.remove(consumer)
            self._requeue_all(self._broker)
            for consumer in consumers:
                if consumer.queue.auto_delete and not consumer.queue.consumers:
                    self._broker.delete(consumer.queue.name)
            self.consumers.clear()
            assert self.connection is not None
            self.connection.channels.pop(self.channel_id, None)
            self.connection = None

    @contextmanager
    def _open(self) -> Iterator[Broker]:
        """The broker, its lock held. Raises `RecoverableConnectionError` when this channel is closed."""
        if self.closed or self.connection is None or not self.connection.connected:
            raise RecoverableConnectionError("the channel is closed")
        with self._broker.lock:
            yield self._broker


class Transport(base.Transport):
    """Entry point for kombu: ``Connection("embedded://NAME")``."""

    driver_type = "embedded"
    driver_name = "embedded"
    implements = base.Transport.implements.extend(
        asynchronous=False, heartbeats=False, exchange_type=frozenset(["direct", "topic", "fanout"])
    )
    connection_errors = pyamqp.Transport.connection_errors
    channel_errors = pyamqp.Transport.channel_errors
    recoverable_connection_errors = pyamqp.Transport.recoverable_connection_errors
    recoverable_channel_errors = pyamqp.Transport.recoverable_channel_errors

    def driver_version(self) -> str:
        return "1"

    def establish_connection(self) -> Connection:
        assert self.client is not None
        name = self.client.hostname
        if not name:
            raise RecoverableConnectionError("an embedded bus needs a name: embedded://NAME")
        confirm = bool((self.client.transport_options or {}).get("confirm_publish"))
        return Connection(broker_of(name), self.client, confirm)

    def create_channel(self, connection: Connection) -> Channel:
        return connection.channel()

    def drain_events(self, connection: Connection, timeout: float | None = None, **_ignored: Any) -> None:
        connection.drain_events(timeout=timeout)

    def close_connection(self, connection: Connection) -> None:
        connection.close()

    def verify_connection(self, connection: Connection) -> bool:
        return connection.connected


def depths(name: str) -> Iterator[tuple[str, int, int]]:
    """For tests and metrics: (queue, ready messages, unacked messages) of the bus NAME."""
    broker = broker_of(name)
    with broker.lock:
        rows = [(q.name, len(q.ready), sum(c.unacked for c in q.consumers)) for q in broker.queues.values()]
    yield from rows


def register() -> None:
    """Make ``embedded://`` known to kombu. Done when this module is imported; harmless to repeat."""
    TRANSPORT_ALIASES["embedded"] = f"{__name__}:Transport"


register()
