"""Services and helpers for the bus tests. Green processes only."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import amqp
from eventlet.event import Event
from kombu import Connection
from nameko.extensions import DependencyProvider
from prometheus_client import Counter

from shared.bus import wire
from shared.bus.entrypoints import JournalFollower, rpc, subscribes
from shared.bus.runner import Runner
from shared.contracts.errors import NotFound

MARKER = "Maija-Marker-010190-999X"
"""Stands for what a person typed: must never be seen in a log."""


class Gate:
    """Lets a test hold a worker and know that it is there."""

    def __init__(self) -> None:
        self.reached, self.opened = Event(), Event()

    def pass_through(self) -> str:
        if not self.reached.ready():
            self.reached.send()
        self.opened.wait()
        return "through"


class SomeFact:
    """Stands for a fact class."""


class FakeHome(DependencyProvider):
    """Supplies the step that a follower takes: counts, and raises when told to."""

    steps = 0
    more = 0
    failures = 0
    handlers: Mapping[type, Callable[..., Any]] = {}

    def drain_for(self, handlers: Mapping[type, Callable[..., Any]]) -> Callable[[], bool]:
        type(self).handlers = handlers
        return self.step

    def step(self) -> bool:
        cls = type(self)
        cls.steps += 1
        if cls.failures:
            cls.failures -= 1
            raise ValueError(MARKER)
        if cls.more:
            cls.more -= 1
            return True
        return False

    def get_dependency(self, worker_ctx: Any) -> "FakeHome":
        return self


def follower_service(service_name: str) -> tuple[type, type[FakeHome]]:
    """A new service class that follows a fake journal, and the class of its home."""
    home_class = type("Home", (FakeHome,), {})

    class Following:
        name = service_name
        home = home_class()
        follower = JournalFollower("home")

        @rpc
        def ping(self) -> str:
            return "pong"

        @subscribes(SomeFact)
        def on_some_fact(self, tx: object, line: str) -> tuple[object, str]:
            return self.home, line

    return Following, home_class


def demo_service(gate: Gate | None = None) -> type:
    """A new service class with one method for each way to answer."""

    class Demo:
        name = "demo"

        @rpc
        def echo(self, **values: Any) -> dict[str, Any]:
            return values

        @rpc
        def refuse(self) -> None:
            raise NotFound(what="session")

        @rpc
        def crash(self, text: str) -> None:
            raise ValueError(f"{text} {MARKER}")

        @rpc
        def unfit(self) -> object:
            return {MARKER: object()}

        @rpc
        def hold(self) -> str:
            assert gate is not None
            return gate.pass_through()

    return Demo


@contextmanager
def running(url: str, *services: type, **options: Any) -> Iterator[Runner]:
    """Run `services` for the length of the block."""
    runner = Runner(services, url, **options)
    runner.start()
    try:
        yield runner
    finally:
        runner.stop()


@contextmanager
def raw_channel(url: str) -> Iterator[Any]:
    """A bare channel to the bus, as someone who does not know our rules would use it."""
    with Connection(url) as connection, closing(connection.channel()) as channel:
        channel.auto_decode = False
        wire.declare_exchanges(channel)
        yield channel


JSON = {"content_type": "application/json", "content_encoding": "utf-8"}

GARBAGE: dict[str, tuple[str, amqp.Message]] = {
    "no JSON": ("not_json", amqp.Message(f"{{{MARKER}".encode(), **JSON)),
    "no text": ("not_json", amqp.Message(b"\xff\xfe\x00", **JSON)),
    "not a number": ("not_json", amqp.Message(b'{"pos": NaN}', **JSON)),
    "nested without end": ("not_json", amqp.Message(b"[" * 60 + b"]", **JSON)),
    "a list": ("envelope", amqp.Message(b"[1, 2]", **JSON)),
    "wrong members": ("envelope", amqp.Message(b'{"pos": "7", "method": 7}', **JSON)),
    "nothing": ("content_type", amqp.Message(b"")),
    "pickle": ("content_type", amqp.Message(MARKER.encode(), content_type="application/x-python-serialize")),
    "unknown content type": ("content_type", amqp.Message(MARKER.encode(), content_type="x/y", content_encoding="z")),
    "a bomb": (
        "compressed",
        amqp.Message(
            zlib.compress(b" " * 100_000_000), application_headers={"compression": "application/x-gzip"}, **JSON
        ),
    ),
    "huge": ("too_large", amqp.Message(b'"' + b"x" * (wire.MAX_BODY + 1) + b'"', **JSON)),
}
"""What may lie in a queue: name → (reason under which it is counted, message)."""


def count_of(counter: Counter, *labels: str) -> float:
    """A counter's value."""
    return counter.labels(*labels)._value.get()
