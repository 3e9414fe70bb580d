"""RabbitMQ between the two ends of `bench_uplink`: durable quorum queues, confirms by delivery tag, acks after commit.

A stand-in for the broker carrier of the product, as small as a measurement allows: nothing is lost here, so nothing is
found again. Per node a queue to the lead with segments and manifests, and one back with receipts.
"""

from collections.abc import Sequence
from typing import Any

from amqp import Channel, Connection, Message
from kombu.utils.url import parse_url

from shared.journal.carrier import MANIFEST, Found, place_named

PREFETCH = 32
OUTSTANDING = 64


def connect(url: str) -> tuple[Connection, Channel]:
    """A connection with one channel."""
    at: Any = parse_url(url)
    where = {"userid": at["userid"], "password": at["password"], "virtual_host": at["virtual_host"]}
    connection = Connection(f"{at['hostname']}:{at['port']}", **where)
    connection.connect()
    return connection, connection.channel()


class Publisher:
    """Publishes to queues by name and knows what has not been confirmed."""

    def __init__(self, url: str) -> None:
        self.connection, self.channel = connect(url)
        self.channel.confirm_select()
        self.channel.events["basic_ack"].add(self._acked)
        self._sent = 0
        self._open: set[int] = set()

    def _acked(self, tag: int, multiple: bool) -> None:
        self._open = {t for t in self._open if t > tag} if multiple else self._open - {tag}

    def send(self, queue: str, message: Message) -> None:
        """Publish, without waiting."""
        self.channel.basic_publish(message, routing_key=queue)
        self._sent += 1
        self._open.add(self._sent)

    def settle(self, most: int = 0) -> None:
        """Wait until no more than so many are unconfirmed."""
        while len(self._open) > most:
            self.connection.drain_events(timeout=30)


class End:
    """One end of the channels of `streams`: publishes to queues that begin with `ours`, reads those with `theirs`."""

    def __init__(self, url: str, streams: Sequence[str], ours: str, theirs: str) -> None:
        self.publisher = Publisher(url)
        self.connection, self.channel = connect(url)
        self._ours = ours
        self._items: dict[tuple[str, str], bytes] = {}
        self._found: dict[str, dict[Found, int]] = {stream: {} for stream in streams}
        self.heard: set[str] = set()
        """Streams of which something has come that is no segment; whoever looks takes them out."""
        for stream in streams:
            for side in (ours, theirs):
                self.channel.queue_declare(
                    f"{side}{stream}", durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"}
                )
        self.channel.basic_qos(0, PREFETCH, False)
        for stream in streams:
            self.channel.basic_consume(f"{theirs}{stream}", callback=self._came)

    def _came(self, message: Message) -> None:
        stream, name = message.headers["stream"], message.headers["name"]
        self._items[stream, name] = message.body
        if (place := place_named(name)) is not None:
            self._found[stream][Found(place, len(message.body), "")] = message.delivery_tag
        else:
            self.channel.basic_ack(message.delivery_tag)
            self.heard.add(stream)

    def wait(self, seconds: float) -> None:
        """Until something comes, and then for what has come with it."""
        try:
            self.connection.drain_events(timeout=seconds)
            while True:
                self.connection.drain_events(timeout=0.0005)
        except TimeoutError:
            return

    def settle(self) -> None:
        """All segments that lie here have been decided: ack and forget them."""
        for stream, found in self._found.items():
            for entry, tag in found.items():
                self.channel.basic_ack(tag)
                del self._items[stream, entry.place.name]
            found.clear()

    def list_segments(self, channel: str) -> list[Found]:
        return sorted(self._found[channel])

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        return self._items.get((channel, name))

    def write(self, channel: str, name: str, data: bytes) -> None:
        headers = {"stream": channel, "name": name}
        if name == MANIFEST:
            self.publisher.settle()
        self.publisher.send(f"{self._ours}{channel}", Message(data, delivery_mode=2, application_headers=headers))
        self.publisher.settle(OUTSTANDING)

    def delete(self, channel: str, name: str) -> None:
        return

    def decided(self, channel: str, found: Found) -> None:
        """`settle` acks them together."""


class NodeEnd(End):
    """The node's: what it wrote lies there until it deletes it."""

    def __init__(self, url: str, streams: Sequence[str]) -> None:
        super().__init__(url, streams, "up.", "down.")
        self._written: dict[tuple[str, str], Found] = {}

    def list_segments(self, channel: str) -> list[Found]:
        return [found for (stream, _), found in self._written.items() if stream == channel]

    def write(self, channel: str, name: str, data: bytes) -> None:
        super().write(channel, name, data)
        if (place := place_named(name)) is not None:
            self._written[channel, name] = Found(place, len(data), "")

    def delete(self, channel: str, name: str) -> None:
        self._written.pop((channel, name), None)


class LeadEnd(End):
    """The lead's."""

    def __init__(self, url: str, streams: Sequence[str]) -> None:
        super().__init__(url, streams, "down.", "up.")
