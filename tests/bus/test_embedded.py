"""The embedded transport by itself, in plain threads."""

import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import amqp
import pytest
from amqp.exceptions import ResourceLocked
from hypothesis import given
from hypothesis import strategies as st
from kombu import Connection
from kombu.exceptions import ChannelError
from kombu.exceptions import ConnectionError as BusError

from shared.bus import embedded
from shared.bus.embedded_broker import topic_matches

embedded.register()


@pytest.fixture
def url() -> str:
    return f"embedded://t{uuid.uuid4().hex}"


def channel_of(url: str) -> Any:
    return Connection(url).channel()


def send(channel: Any, body: bytes, **kwargs: Any) -> None:
    channel.basic_publish(amqp.Message(body, **kwargs.pop("properties", {})), **kwargs)


def bodies(channel: Any, queue: str) -> list[bytes]:
    """All that is ready in `queue`."""
    return [bytes(message.body) for message in iter(lambda: channel.basic_get(queue), None)]


def test_two_names_share_nothing(url: str) -> None:
    here, there = channel_of(url), channel_of(url + "x")
    here.queue_declare(queue="q")
    with pytest.raises(ChannelError, match="NOT_FOUND"):
        there.queue_declare(queue="q", passive=True)


def test_two_connections_to_one_name_share_its_queues(url: str) -> None:
    here, there = channel_of(url), channel_of(url.upper().replace("EMBEDDED", "embedded"))
    here.queue_declare(queue="q")
    send(there, b"1", routing_key="q")
    assert bodies(here, "q") == [b"1"]


def test_every_message_carries_its_properties(url: str) -> None:
    with Connection(url) as connection:
        queue = connection.SimpleQueue("q")
        queue.put({"n": 1}, correlation_id="7", headers={"h": "x"})
        message = queue.get(timeout=1)
        assert message.payload == {"n": 1}
        assert message.properties["content_type"] == "application/json"
        assert message.properties["correlation_id"] == "7"
        assert message.headers == {"h": "x"}
        message.ack()


def test_direct_topic_and_fanout_route_as_amqp_says(url: str) -> None:
    channel = channel_of(url)
    for kind, keys in {"direct": ("a.b",), "topic": ("a.*", "#.b"), "fanout": ("",)}.items():
        channel.exchange_declare(exchange=kind, type=kind)
        channel.queue_declare(queue=f"q-{kind}")
        for key in keys:
            channel.queue_bind(queue=f"q-{kind}", exchange=kind, routing_key=key)
        for key in ("a.b", "a.c", "x"):
            send(channel, key.encode(), exchange=kind, routing_key=key)
    assert bodies(channel, "q-direct") == [b"a.b"]
    assert bodies(channel, "q-topic") == [b"a.b", b"a.c"]
    assert bodies(channel, "q-fanout") == [b"a.b", b"a.c", b"x"]


words = st.lists(st.sampled_from(["a", "b"]), max_size=4)


@given(st.lists(st.sampled_from(["a", "b", "*", "#"]), max_size=4), words)
def test_topic_patterns_match_like_their_regular_expression(pattern: list[str], key: list[str]) -> None:
    import re

    expression = "".join({"*": "(a|b),", "#": "((a|b),)*"}.get(part, f"{part},") for part in pattern)
    expected = re.fullmatch(expression, "".join(f"{word}," for word in key)) is not None
    assert topic_matches(pattern, key) == expected


def test_unroutable_and_mandatory_is_returned(url: str) -> None:
    channel = channel_of(url)
    channel.exchange_declare(exchange="e", type="direct")
    send(channel, b"lost", exchange="e", routing_key="nobody")
    with pytest.raises(ChannelError, match="NO_ROUTE"):
        send(channel, b"1", exchange="e", routing_key="nobody", mandatory=True)
    returned: list[bytes] = []
    channel.events["basic_return"].add(lambda _error, _exchange, _key, message: returned.append(message.body))
    send(channel, b"2", exchange="e", routing_key="nobody", mandatory=True)
    assert returned == [b"2"]


def test_prefetch_bounds_the_unacked_and_an_ack_makes_room(url: str) -> None:
    with Connection(url) as connection:
        channel, taken = connection.channel(), []
        channel.queue_declare(queue="q")
        channel.basic_qos(0, 2, False)
        channel.basic_consume(queue="q", callback=taken.append)
        for n in range(3):
            send(channel, bytes([n]), routing_key="q")
        drain_all(connection)
        assert [bytes(m.body)[0] for m in taken] == [0, 1]
        channel.basic_ack(taken[0].delivery_tag)
        drain_all(connection)
        assert [bytes(m.body)[0] for m in taken] == [0, 1, 2]


def test_consumers_of_one_queue_take_turns(url: str) -> None:
    with Connection(url) as connection:
        channel = connection.channel()
        channel.queue_declare(queue="q")
        first: list[Any] = []
        second: list[Any] = []
        channel.basic_consume(queue="q", callback=first.append)
        channel.basic_consume(queue="q", callback=second.append)
        for n in range(10):
            send(channel, bytes([n]), routing_key="q")
        drain_all(connection)
        assert (len(first), len(second)) == (5, 5)


def test_a_rejected_message_comes_again_first(url: str) -> None:
    channel = channel_of(url)
    channel.queue_declare(queue="q")
    for body in (b"1", b"2"):
        send(channel, body, routing_key="q")
    channel.basic_reject(channel.basic_get("q").delivery_tag, requeue=True)
    assert bodies(channel, "q") == [b"1", b"2"]


def test_a_full_queue_drops_its_oldest(url: str) -> None:
    channel = channel_of(url)
    channel.queue_declare(queue="q", arguments={"x-max-length": 1})
    for body in (b"1", b"2", b"3"):
        send(channel, body, routing_key="q")
    assert bodies(channel, "q") == [b"3"]


def test_an_expired_message_is_not_delivered(url: str) -> None:
    channel = channel_of(url)
    channel.queue_declare(queue="q")
    send(channel, b"old", routing_key="q", properties={"expiration": "0"})
    send(channel, b"new", routing_key="q", properties={"expiration": "60000"})
    assert bodies(channel, "q") == [b"new"]


def test_an_exclusive_queue_is_its_connections_own_and_goes_with_it(url: str) -> None:
    owner, other = Connection(url), Connection(url)
    owner.channel().queue_declare(queue="mine", exclusive=True)
    with pytest.raises(ResourceLocked):
        other.channel().queue_declare(queue="mine", exclusive=True)
    owner.release()
    with pytest.raises(ChannelError, match="NOT_FOUND"):
        other.channel().queue_declare(queue="mine", passive=True)


def test_an_auto_delete_queue_goes_with_its_last_consumer(url: str) -> None:
    channel = channel_of(url)
    channel.queue_declare(queue="q", auto_delete=True)
    tags = [channel.basic_consume(queue="q", callback=print) for _ in range(2)]
    channel.basic_cancel(tags[0])
    channel.queue_declare(queue="q", passive=True)
    channel.basic_cancel(tags[1])
    with pytest.raises(ChannelError, match="NOT_FOUND"):
        channel.queue_declare(queue="q", passive=True)


@pytest.mark.parametrize("argument", ["x-queue-mode", "x-dead-letter-exchange", "x-queue-type"])
def test_an_argument_that_would_not_be_kept_is_refused(url: str, argument: str) -> None:
    with pytest.raises(ChannelError, match=argument):
        channel_of(url).queue_declare(queue="q", arguments={argument: "x"})


def test_waiting_takes_no_processor_time_and_ends_with_the_message(url: str) -> None:
    with Connection(url) as connection:
        channel, taken = connection.channel(), []
        channel.queue_declare(queue="q")
        channel.basic_consume(queue="q", callback=taken.append)
        before = time.thread_time()
        with pytest.raises(socket.timeout):
            connection.drain_events(timeout=0.5)
        assert time.thread_time() - before < 0.01
        sender = threading.Timer(0.05, lambda: send(channel_of(url), b"1", routing_key="q"))
        sender.start()
        connection.drain_events(timeout=10)
        assert len(taken) == 1


def test_closing_a_connection_wakes_who_drains_it(url: str) -> None:
    connection = Connection(url)
    raw = connection.connection
    closer = threading.Timer(0.05, raw.close)
    closer.start()
    with pytest.raises(BusError):
        raw.drain_events(timeout=10)


def test_many_threads_lose_and_double_nothing(url: str) -> None:
    keeper = channel_of(url)
    keeper.queue_declare(queue="q")
    taken: list[bytes] = []

    def produce(first: int) -> None:
        channel = channel_of(url)
        for n in range(first, first + 200):
            send(channel, str(n).encode(), routing_key="q")

    def consume() -> None:
        with Connection(url) as connection:
            channel = connection.channel()
            channel.basic_qos(0, 5, False)

            def take(message: amqp.Message) -> None:
                taken.append(bytes(message.body))
                channel.basic_ack(message.delivery_tag)

            channel.basic_consume(queue="q", callback=take)
            while len(taken) < 800:
                try:
                    connection.drain_events(timeout=0.05)
                except TimeoutError:
                    continue

    run_together([lambda first=first: produce(first) for first in range(0, 800, 200)] + [consume, consume, consume])
    assert sorted(taken, key=int) == [str(n).encode() for n in range(800)]


def drain_all(connection: Connection) -> None:
    """Call the consumers for everything that has been delivered."""
    try:
        while True:
            connection.drain_events(timeout=0.01)
    except TimeoutError:
        return


def run_together(functions: list[Callable[[], None]]) -> None:
    """Run every function in a thread of its own and wait for all."""
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
