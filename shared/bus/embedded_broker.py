"""The embedded bus's state: exchanges, queues and who consumes them. No waiting and no kombu here."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

import amqp
from amqp.exceptions import ChannelError, ResourceLocked

if TYPE_CHECKING:
    from shared.bus.embedded import Channel, Connection


@dataclass(eq=False)
class Stored:
    """A message as a queue keeps it."""

    body: bytes
    properties: dict[str, Any]
    exchange: str
    routing_key: str
    expires_at: float | None
    redelivered: bool = False


@dataclass(eq=False)
class Consumer:
    tag: str
    channel: Channel
    queue: Queue
    callback: Callable[[amqp.Message], None]
    no_ack: bool
    prefetch: int
    unacked: int = 0

    def has_room(self) -> bool:
        return self.prefetch == 0 or self.unacked < self.prefetch


@dataclass(eq=False)
class Queue:
    name: str
    owner: Connection | None
    auto_delete: bool
    max_length: int | None
    ready: deque[Stored] = field(default_factory=deque)
    consumers: deque[Consumer] = field(default_factory=deque)


@dataclass(eq=False)
class Exchange:
    kind: str
    bindings: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of (routing key, queue name)."""

    def routes(self, routing_key: str) -> list[str]:
        """Names of the queues a message goes to, each once."""
        matching = (name for key, name in self.bindings if self._matches(key, routing_key))
        return list(dict.fromkeys(matching))

    def _matches(self, pattern: str, routing_key: str) -> bool:
        if self.kind == "fanout":
            return True
        if self.kind == "direct":
            return pattern == routing_key
        return topic_matches(pattern.split("."), routing_key.split("."))


def topic_matches(pattern: list[str], words: list[str]) -> bool:
    """AMQP topic rule: ``*`` stands for one word, ``#`` for any number of words, also none."""
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(topic_matches(pattern[1:], words[skip:]) for skip in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and topic_matches(pattern[1:], words[1:])


class Broker:
    """Exchanges and queues of one NAME. Every method is called with `lock` held."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.exchanges: dict[str, Exchange] = {
            "amq.direct": Exchange("direct"),
            "amq.topic": Exchange("topic"),
            "amq.fanout": Exchange("fanout"),
        }
        self.queues: dict[str, Queue] = {}

    def queue(self, name: str, connection: Connection) -> Queue:
        found = self.queues.get(name)
        if found is None:
            raise ChannelError(f"NOT_FOUND - no queue {name!r}", (50, 10), "404")
        if found.owner not in (None, connection):
            raise ResourceLocked(f"RESOURCE_LOCKED - queue {name!r} is exclusive")
        return found

    def exchange(self, name: str) -> Exchange:
        if name not in self.exchanges:
            raise ChannelError(f"NOT_FOUND - no exchange {name!r}", (60, 40), "404")
        return self.exchanges[name]

    def route(self, message: Stored) -> bool:
        """Put `message` into every queue it is routed to; False if there is none."""
        if message.exchange:
            names = self.exchange(message.exchange).routes(message.routing_key)
        else:
            names = [message.routing_key] if message.routing_key in self.queues else []
        for name in names:
            target = self.queues[name]
            target.ready.append(
                Stored(message.body, message.properties, message.exchange, message.routing_key, message.expires_at)
            )
            self.dispatch(target)
            while target.max_length is not None and len(target.ready) > target.max_length:
                target.ready.popleft()
        return bool(names)

    def dispatch(self, target: Queue) -> None:
        """Hand ready messages to consumers with room, one after the other in turn."""
        while target.ready:
            for _ in range(len(target.consumers)):
                consumer = target.consumers[0]
                target.consumers.rotate(-1)
                if consumer.has_room():
                    break
            else:
                return
            message = self.take(target)
            if message is not None:
                consumer.channel.deliver(consumer, message)

    def take(self, target: Queue) -> Stored | None:
        """The oldest message that has not expired."""
        while target.ready:
            message = target.ready.popleft()
            if message.expires_at is None or message.expires_at > monotonic():
                return message
        return None

    def delete(self, name: str) -> int:
        target = self.queues.pop(name, None)
        if target is None:
            return 0
        for exchange in self.exchanges.values():
            exchange.bindings = [binding for binding in exchange.bindings if binding[1] != name]
        for consumer in target.consumers:
            consumer.channel.consumers.pop(consumer.tag, None)
        return len(target.ready)


_brokers: dict[str, Broker] = {}
_brokers_lock = threading.Lock()


def broker_of(name: str) -> Broker:
    with _brokers_lock:
        return _brokers.setdefault(name, Broker())
