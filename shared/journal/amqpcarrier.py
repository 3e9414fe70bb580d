"""The lead's RabbitMQ as a carrier (see `carrier`), for both ends. A node only ever calls out, as a user of its own.

Each partner of a programme has a **box** at the broker, named `PROGRAMME.PARTNER`: a fanout exchange of that name,
bound to the queue `BOX.up`, which the lead reads, and a queue `BOX.down`, which the partner's node reads. Both are
durable quorum queues with a single active consumer. The partner's user may write its exchange, read its queue and
configure nothing. An item is a persistent message whose `message_id` is `CHANNEL/ITEM`. What the queues lose is asked
for again: they have no limit, no expiry, no dead-letter and no alternate exchange, so nobody but the reader takes
anything out.

**Writing** (`_Out`): mandatory messages, each until the broker has confirmed that very delivery tag. Segments go out
without waiting, at most `WINDOW` unconfirmed; every other item (each round of a courier that wrote segments ends with
a manifest) waits until all before it and itself are confirmed. A time-out, a return, a refusal, another tag, a closed
connection: any doubt about any of them drops the connection and raises, perhaps only at a later write; the writer's
next manifest finds out which got lost. (py-amqp's own confirms are matched by order of arrival: after a time-out they
would be credited to the wrong message.)

**Reading** (`_In`): another connection. What is delivered is held in memory, at most `PREFETCH` per box, and is like a
file until then: a segment until it is decided, a statement or join until a newer one comes. Only then is it acked, so
an end at any moment has the broker deliver it again, in whatever order. Over-long bodies are cut while they arrive.

A broker that is killed within half a second of making a queue comes back with its name and nothing behind it (RabbitMQ
3.10: the queue's own directory of names is saved late). Whoever reads it waits or loses the connection, and with it all
other boxes, for ever. So the lead tries both queues of a box when it connects, and makes one anew that failed.

A connection that was lost raises once, even if it was idle: the broker may have been emptied meanwhile, and it is by
the writer's next manifest that one finds out. A writer cannot look into a queue: `list_segments` says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import amqp

from shared.journal import brokerlink
from shared.journal.brokerlink import Broker, BrokerFailed, Link
from shared.journal.carrier import (
    CHANNEL,
    JOIN,
    Found,
    goes_to_node,
    is_nodes,
    node_channel,
    place_named,
    refused_total,
)
from shared.journal.items import limit_of

HEARTBEAT_SECONDS = 60
PREFETCH = 20
WINDOW = 32
"""How many segments may be under way to the broker; at most 1 MiB each."""
_QUEUE = {"x-queue-type": "quorum", "x-single-active-consumer": True}


def box_of(programme: str, partner: str) -> str:
    """The name of a partner's box and of its user."""
    return f"{programme}.{partner}"


def up(box: str) -> str:
    """The queue from the partner to the lead."""
    return f"{box}.up"


def down(box: str) -> str:
    """The queue from the lead to the partner."""
    return f"{box}.down"


class AmqpCarrier:
    """One end, the lead's or a node's. `boxes` maps the nodes' channels (`NODE/PROGRAMME`) to their boxes; at the lead
    `serve` changes it, and makes and reads the boxes of partners too whose node is not known yet."""

    def __init__(self, broker: Broker, boxes: Mapping[str, str], *, at_lead: bool = False) -> None:
        self._boxes, self._at_lead = dict(boxes), at_lead
        self._out = _Out(broker)
        self._in = _In(broker, self._arrived, at_lead)
        self._in.boxes = set(boxes.values())
        self._held: dict[tuple[str, str, str], _Held] = {}

    def serve(self, boxes: Mapping[str, str], invited: set[str]) -> None:
        """At the lead: these nodes are admitted, and these boxes have been given out."""
        self._boxes = dict(boxes)
        self._in.boxes = invited | set(boxes.values())

    def fileno(self) -> int | None:
        """What becomes readable when something is delivered; None while there is no connection."""
        return self._in.fileno()

    def close(self) -> None:
        """Drop both connections; what is not acked will be delivered again."""
        self._out.drop()
        self._lose()

    def list_segments(self, channel: str) -> list[Found] | None:
        if goes_to_node(channel) == self._at_lead:
            return None
        self._take()
        box = self._box(channel)
        there = ((place_named(name), held) for (b, c, name), held in self._held.items() if (b, c) == (box, channel))
        return sorted(Found(place, len(held.data), held.version) for place, held in there if place)

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        self._take()
        held = self._held.get((self._box(channel), channel, name))
        return held.data[:limit] if held else None

    def write(self, channel: str, name: str, data: bytes) -> None:
        box = self._box(channel)
        exchange, key = ("", down(box)) if self._at_lead else (box, "")
        self._out.publish(exchange, key, f"{channel}/{name}", data, WINDOW if place_named(name) else 0)

    def tell(self, box: str, channel: str, name: str, data: bytes) -> None:
        """At the lead: write an item for a node whose channel has no box any more."""
        self._out.publish("", down(box), f"{channel}/{name}", data)

    def delete(self, channel: str, name: str) -> None:
        """A segment that has been sent is the reader's; of the other items an empty one takes the last one's place."""
        if place_named(name) is None:
            self.write(channel, name, b"")

    def decided(self, channel: str, found: Found) -> None:
        key = (self._boxes.get(node_channel(channel), ""), channel, found.place.name)
        held = self._held.get(key)
        if held is not None and held.version == found.version:
            self._let_go(key)

    def read_joins(self, limit: int) -> list[bytes]:
        """The answers to invites that have come, the newest of each box."""
        self._take()
        return [held.data[:limit] for (_, _, name), held in self._held.items() if name == JOIN]

    def _box(self, channel: str) -> str:
        try:
            return self._boxes[node_channel(channel)]
        except KeyError:
            raise BrokerFailed("this channel has no box at the broker") from None

    def _take(self) -> None:
        """Hold what has been delivered. Raises `BrokerFailed`, once for each connection that is lost."""
        try:
            self._in.take()
        except BrokerFailed:
            self._lose()
            raise

    def _lose(self) -> None:
        self._in.drop()
        self._held.clear()

    def _arrived(self, box: str, message: amqp.Message) -> None:
        """Hold a message in place of the one of its name, or turn it away."""
        channel, _, name = str(message.properties.get("message_id", "")).rpartition("/")
        if not CHANNEL.fullmatch(channel) or limit_of(name) is None:
            self._turn_away("name", message)
            return
        if not self._is_for_us(box, channel, name):
            self._turn_away("foreign", message)
            return
        # A box has one join, whichever node says it is its partner's.
        key = (box, channel if name != JOIN else "", name)
        if key in self._held:
            self._let_go(key)
        limit = (limit_of(name) or 0) + 1
        data = message.body[:limit] if isinstance(message.body, bytes) else b""  # the library's empty body is a text
        if not data and place_named(name) is None:
            self._in.ack(message)  # its writer has taken the item away
            return
        self._held[key] = _Held(data, message, self._in.version(message))
        if sum(1 for held in self._held if held[0] == box) >= PREFETCH:
            self._make_room(box)

    def _is_for_us(self, box: str, channel: str, name: str) -> bool:
        """Whether the box's other side may write this item, and for this channel."""
        node = node_channel(channel)
        if (name == JOIN and channel != node_channel(channel)) or is_nodes(channel, name) != self._at_lead:
            return False
        if name == JOIN or (self._at_lead and box not in self._boxes.values()):
            return box.startswith(f"{node.split('/')[1]}.")
        return self._boxes.get(node) == box

    def _make_room(self, box: str) -> None:
        """The box is full, and nothing more will be delivered: what no admitted node's channel holds goes, and is
        asked for again."""
        for key in [key for key in self._held if key[0] == box and key[2] != JOIN]:
            if self._boxes.get(node_channel(key[1])) != box:
                self._let_go(key)

    def _turn_away(self, reason: str, message: amqp.Message) -> None:
        refused_total.labels(reason).inc()
        self._in.ack(message)

    def _let_go(self, key: tuple[str, str, str]) -> None:
        self._in.ack(self._held.pop(key).message)


@dataclass(frozen=True, slots=True)
class _Held:
    """A message that has been delivered and not acked."""

    data: bytes
    message: amqp.Message
    version: str


class _Out(Link):
    """Writes, and consumes nothing."""

    def opened(self) -> None:
        self.channel.confirm_select()
        self._sent = 0
        self._open: set[int] = set()
        self._answers: list[tuple[int, bool, bool]] = []
        self._returned = False
        self.channel.events["basic_ack"].add(lambda tag, multiple: self._answers.append((tag, multiple, True)))
        self.channel.events["basic_nack"].add(lambda tag, multiple, *_: self._answers.append((tag, multiple, False)))
        self.channel.events["basic_return"].add(self._on_return)

    def publish(self, exchange: str, key: str, item: str, data: bytes, window: int = 0) -> None:
        """Send a message; returns when the broker has it and all before it for certain, but for `window` of them.

        Raises `BrokerFailed`, also if it is one of these that is in doubt.
        """
        self.open()
        try:
            self.drain()  # it may have been closed meanwhile
            message = amqp.Message(data, message_id=item, delivery_mode=2, content_type="application/octet-stream")
            self._sent += 1
            self._open.add(self._sent)
            self.channel.basic_publish(message, exchange=exchange, routing_key=key, mandatory=True)
            confirmed = self._settle(window)
        except Exception as error:
            self.drop()
            raise BrokerFailed(type(error).__name__) from None
        if not confirmed:
            self.drop()
            raise BrokerFailed("the broker did not take a message")

    def _settle(self, window: int) -> bool:
        """Wait until no more than `window` messages are unconfirmed; False if there is a doubt about any."""
        assert self.connection is not None
        deadline = monotonic() + brokerlink.SECONDS
        while True:
            if not self._take_answers():
                return False
            remaining = deadline - monotonic()
            if len(self._open) <= window or remaining <= 0:
                return len(self._open) <= window
            self.connection.drain_events(timeout=remaining)

    def _take_answers(self) -> bool:
        """Match what the broker has answered with what was sent; False if something was refused, or is no answer."""
        answers, self._answers = self._answers, []
        for tag, multiple, good in answers:
            meant = {sent for sent in self._open if sent <= tag} if multiple else {tag}
            if not good or tag not in self._open:
                return False
            self._open -= meant
        return not self._returned

    def _on_return(self, *_: object) -> None:
        self._returned = True


class _In(Link):
    """Reads the boxes, and writes nothing but acks."""

    heartbeat = HEARTBEAT_SECONDS

    def __init__(self, broker: Broker, arrived: Callable[[str, amqp.Message], None], at_lead: bool) -> None:
        super().__init__(broker)
        self.boxes: set[str] = set()
        self._arrived, self._at_lead = arrived, at_lead
        self._reading: set[str] = set()
        self._sick: set[str] = set()
        self._pending: list[tuple[str, amqp.Message]] = []
        self._failed = False

    def opened(self) -> None:
        self._reading, self._failed, self._pending = set(), False, []
        self.channel.basic_qos(0, PREFETCH, False)

    def take(self) -> None:
        """Hand over what has been delivered. Raises `BrokerFailed`."""
        self.open()
        assert self.connection is not None
        try:
            for box in sorted(self.boxes - self._reading):
                self._read_box(box)
            self.connection.heartbeat_tick()
            self._hand_over()
            while self.readable():
                self.connection.drain_events(timeout=brokerlink.SECONDS)
                self._hand_over()  # after each, so that no more than one is held at full length
        except Exception as error:
            raise BrokerFailed(type(error).__name__) from None
        if self._failed:
            raise BrokerFailed("an ack was not sent")

    def _hand_over(self) -> None:
        pending, self._pending = self._pending, []
        for box, message in pending:
            self._arrived(box, message)

    def ack(self, message: amqp.Message) -> None:
        """Have the broker forget a message. Never raises: the next `take` does."""
        try:
            message.channel.basic_ack(message.delivery_tag)
        except Exception:
            self._failed = True

    def version(self, message: amqp.Message) -> str:
        """Which delivery this is."""
        return f"{self.number}-{message.delivery_tag}"

    def _read_box(self, box: str) -> None:
        if not self._at_lead:
            self._consume(box, down(box))
            return
        # Made by whoever reads them, each time: so a broker that was emptied has them again.
        self.channel.exchange_declare(box, "fanout", durable=True, auto_delete=False)
        for queue in (up(box), down(box)):
            if queue in self._sick:
                # Not the other too: a reader is not told of a queue that is deleted and at once made anew.
                self.channel.queue_delete(queue)
            self.channel.queue_declare(queue, durable=True, auto_delete=False, arguments=_QUEUE)
        self.channel.queue_bind(up(box), box, "")
        self._try(down(box))
        self._consume(box, up(box))

    def _consume(self, box: str, queue: str) -> None:
        # Only put aside: what it means is looked at when no frame is being read.
        self._begin(self.channel, queue, lambda message: self._pending.append((box, message)))
        self._reading.add(box)

    def _try(self, queue: str) -> None:
        """Begin to read a queue and leave it as it was: it is the node's. Raises if nobody can."""
        assert self.connection is not None
        channel = self.connection.channel()
        channel.auto_decode = False
        channel.basic_qos(0, 1, False)
        self._begin(channel, queue, lambda _: None)
        channel.close()

    def _begin(self, channel: Any, queue: str, arrived: Callable[[amqp.Message], None]) -> None:
        try:
            channel.basic_consume(queue, callback=arrived)
        except (amqp.InternalError, TimeoutError):
            self._sick.add(queue)
            raise
        self._sick.discard(queue)


def definitions(box: str, vhost: str, password_hash: str) -> dict[str, Any]:
    """What `rabbitmqctl import_definitions` makes of a partner: its user, who may do the least."""
    name = box.replace(".", "\\.")
    rights = {"configure": "^$", "write": f"^{name}$", "read": f"^{name}\\.down$"}
    user = {
        "name": box,
        "password_hash": password_hash,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": [],
    }
    return {"users": [user], "permissions": [{"user": box, "vhost": vhost, **rights}]}
