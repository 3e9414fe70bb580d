"""The client in a process without eventlet: portal under waitress, command line, courier."""

import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import monotonic

import amqp
import pytest
from kombu import Connection

from shared.bus import wire
from shared.bus.client import RpcClient
from shared.bus.wakeups import WakeupPublisher
from shared.contracts.errors import RpcTimeout, ServiceAbsent


@pytest.fixture(params=["embedded", "rabbitmq"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "embedded":
        return f"embedded://t{uuid.uuid4().hex}"
    return request.getfixturevalue("rabbitmq_url")


@contextmanager
def echoing(url: str) -> Iterator[None]:
    """A service in a thread that knows no more of us than the wire form."""
    stop, ready = threading.Event(), threading.Event()

    def serve() -> None:
        with Connection(url) as connection, closing(connection.channel()) as channel:
            channel.auto_decode = False
            wire.declare_exchanges(channel)
            channel.queue_declare(queue="rpc-echo", exclusive=True, auto_delete=True)
            channel.queue_bind(queue="rpc-echo", exchange=wire.RPC_EXCHANGE, routing_key="echo")

            def answer(message: amqp.Message) -> None:
                kwargs = json.loads(bytes(message.body))["kwargs"]
                reply = amqp.Message(
                    json.dumps({"result": kwargs}).encode(),
                    content_type="application/json",
                    correlation_id=message.properties["correlation_id"],
                )
                channel.basic_publish(reply, routing_key=message.properties["reply_to"])

            channel.basic_consume(queue="rpc-echo", no_ack=True, callback=answer)
            ready.set()
            while not stop.is_set():
                try:
                    connection.drain_events(timeout=0.1)
                except TimeoutError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(10)
    yield
    stop.set()
    thread.join(10)


def test_fifty_threads_each_get_their_own_answer(url: str) -> None:
    client = RpcClient(url)
    answers: dict[int, int] = {}

    def ask(n: int) -> None:
        answers[n] = client.call("echo", "any", n=n)["n"]

    with echoing(url):
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        with pytest.raises(ServiceAbsent):
            client.call("nobody", "any")
    client.close()
    assert answers == {n: n for n in range(50)}


def test_a_closed_client_says_so_within_its_timeout(url: str) -> None:
    client = RpcClient(url)
    client.close()
    started = monotonic()
    with pytest.raises(RpcTimeout):
        client.call("echo", "any", timeout=0.2)
    assert monotonic() - started < 1


def test_closing_takes_no_time(url: str) -> None:
    client = RpcClient(url)
    with echoing(url):
        client.call("echo", "any")
        started = monotonic()
        client.close()
        assert monotonic() - started < 0.4  # less than a tick of the reader


def test_what_is_no_json_is_refused_before_it_is_sent(url: str) -> None:
    client = RpcClient(url)
    with pytest.raises(TypeError):
        client.call("echo", "any", bad=object())
    with pytest.raises(ValueError, match="JSON"):
        client.call("echo", "any", bad=float("nan"))


def test_a_wake_up_without_a_bus_neither_fails_nor_waits() -> None:
    publisher = WakeupPublisher("amqp://guest:guest@127.0.0.1:1/")
    publisher.publish_wakeup(1)
    started = monotonic()
    publisher.publish_wakeup(2)
    assert monotonic() - started < 0.1
    publisher.close()


def test_client_and_wake_ups_do_not_import_eventlet() -> None:
    code = (
        "import sys, shared.bus.client, shared.bus.wakeups; sys.exit(bool({'eventlet', 'nameko'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_runner_refuses_an_unpatched_process() -> None:
    code = "from shared.bus.runner import Runner; Runner([], 'embedded://x')"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert "monkey_patch" in done.stderr.splitlines()[-1]
