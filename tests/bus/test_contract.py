# green: rabbitmq
"""What the bus promises, on the embedded transport and on RabbitMQ alike."""

import logging
import socket
import uuid
from collections.abc import Iterator
from time import monotonic

import amqp
import eventlet
import pytest

from shared.bus import entrypoints, metrics
from shared.bus.client import RpcClient
from shared.bus.wakeups import WakeupPublisher
from shared.bus.wire import JOURNAL_EXCHANGE, RPC_EXCHANGE, encode
from shared.contracts.errors import InternalError, InvalidInput, NotFound, RpcTimeout, ServiceAbsent, UnknownMethod
from shared.storage import InsideTransaction
from shared.storage.guard import inside_transaction
from shared.testing.broker import Broker
from shared.testing.wait import until
from tests.bus.support import (
    GARBAGE,
    JSON,
    MARKER,
    Gate,
    SomeFact,
    count_of,
    demo_service,
    follower_service,
    raw_channel,
    running,
)

SOON = 1.0
"""Seconds within which "at once" must happen on a busy machine; every time-out in play is longer."""


@pytest.fixture(params=["embedded", "rabbitmq"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "embedded":
        return f"embedded://t{uuid.uuid4().hex}"
    return request.getfixturevalue("rabbitmq_url")


@pytest.fixture
def client(url: str) -> Iterator[RpcClient]:
    client = RpcClient(url)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _nothing_private_in_logs(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever a test does: what a person typed is in no log and in no output, at any level."""
    caplog.set_level(logging.DEBUG)
    yield
    seen = capfd.readouterr()
    assert MARKER not in caplog.text + seen.out + seen.err


def test_a_call_is_answered_with_json(url: str, client: RpcClient) -> None:
    with running(url, demo_service()):
        sent = {"text": "äö", "numbers": [1, 2.5, None], "nested": {"yes": True}}
        assert client.call("demo", "echo", **sent) == sent


def test_a_refusal_reaches_the_caller_as_its_own_class(url: str, client: RpcClient) -> None:
    with running(url, demo_service()), pytest.raises(NotFound, match="no such session"):
        client.call("demo", "refuse")


def test_a_failing_worker_answers_with_a_reference_that_the_log_holds(
    url: str, client: RpcClient, caplog: pytest.LogCaptureFixture
) -> None:
    with running(url, demo_service()):
        with pytest.raises(InternalError) as caught:
            client.call("demo", "crash", text=MARKER)
        lines = [line for line in caplog.messages if str(caught.value.params["reference"]) in line]
        assert len(lines) == 1
        assert "demo.crash failed: ValueError at tests/bus/support.py:" in lines[0]
        assert client.call("demo", "echo") == {}


def test_a_result_that_is_no_json_is_an_internal_error(url: str, client: RpcClient) -> None:
    with running(url, demo_service()), pytest.raises(InternalError):
        client.call("demo", "unfit")


def test_an_absent_service_is_known_at_once(url: str, client: RpcClient) -> None:
    with running(url, demo_service()):
        client.call("demo", "echo")
        started = monotonic()
        with pytest.raises(ServiceAbsent):
            client.call("nobody", "ping")
        assert monotonic() - started < SOON


def test_a_stopped_service_is_absent(url: str, client: RpcClient) -> None:
    with running(url, demo_service()):
        client.call("demo", "echo")

    def absent() -> bool:
        try:
            client.call("demo", "echo", timeout=0.5)
        except ServiceAbsent:
            return True
        except RpcTimeout:
            return False
        return False

    until(absent)


def test_an_unknown_method_and_wrong_arguments_are_clear_errors(url: str, client: RpcClient) -> None:
    with running(url, demo_service()):
        with pytest.raises(UnknownMethod):
            client.call("demo", "no_such_method")
        with pytest.raises(InvalidInput, match=r"demo.crash takes"):
            client.call("demo", "crash", wrong=1)


def test_a_slow_worker_is_a_timeout_and_delays_nobody(url: str, client: RpcClient) -> None:
    gate = Gate()
    with running(url, demo_service(gate)):
        client.call("demo", "echo")
        started = monotonic()
        with pytest.raises(RpcTimeout):
            client.call("demo", "hold", timeout=0.3)
        assert 0.3 <= monotonic() - started < 0.3 + SOON
        started = monotonic()
        assert client.call("demo", "echo", n=1) == {"n": 1}
        assert monotonic() - started < SOON
        unclaimed = count_of(metrics.replies_unclaimed_total, "caller")
        gate.opened.send()
        until(lambda: count_of(metrics.replies_unclaimed_total, "caller") == unclaimed + 1)


def test_fifty_callers_at_once_each_get_their_own_answer(url: str, client: RpcClient) -> None:
    with running(url, demo_service()):
        pool = eventlet.GreenPool(50)
        answers = list(pool.imap(lambda n: client.call("demo", "echo", n=n)["n"], range(200)))
        assert answers == list(range(200))


def test_a_call_or_a_wake_up_inside_a_transaction_is_an_error(url: str, client: RpcClient) -> None:
    publisher = WakeupPublisher(url)
    with inside_transaction():
        with pytest.raises(InsideTransaction):
            client.call("demo", "echo")
        with pytest.raises(InsideTransaction):
            publisher.publish_wakeup(1)


def test_requests_under_way_are_answered_when_the_service_stops(url: str, client: RpcClient) -> None:
    gate = Gate()
    with running(url, demo_service(gate)) as runner:
        call = eventlet.spawn(client.call, "demo", "hold")
        gate.reached.wait()
        stopping = eventlet.spawn(runner.stop)
        eventlet.sleep(0)
        gate.opened.send()
        assert call.wait() == "through"
        stopping.wait()


def test_no_more_requests_are_taken_than_the_service_has_workers(url: str, client: RpcClient) -> None:
    gate = Gate()
    with running(url, demo_service(gate), max_workers=2) as runner:
        calls = [eventlet.spawn(client.call, "demo", "hold") for _ in range(5)]
        workers = runner.containers[0]._worker_threads
        until(lambda: len(workers) == 2)
        assert len(workers) == 2
        gate.opened.send()
        assert [call.wait() for call in calls] == ["through"] * 5


@pytest.mark.parametrize("name", GARBAGE)
def test_bytes_that_are_no_request_are_counted_and_delay_nothing(url: str, client: RpcClient, name: str) -> None:
    reason, message = GARBAGE[name]
    with running(url, demo_service()), raw_channel(url) as channel:
        client.call("demo", "echo")
        before = count_of(metrics.rejected_total, "rpc", reason)
        channel.basic_publish(message, exchange=RPC_EXCHANGE, routing_key="demo")
        started = monotonic()
        assert client.call("demo", "echo", n=1) == {"n": 1}
        assert monotonic() - started < SOON
        until(lambda: count_of(metrics.rejected_total, "rpc", reason) == before + 1)


def test_garbage_in_the_reply_queue_is_counted_and_delays_nothing(url: str, client: RpcClient) -> None:
    with running(url, demo_service()), raw_channel(url) as channel:
        client.call("demo", "echo")
        before = count_of(metrics.rejected_total, "reply", "not_json")
        channel.basic_publish(GARBAGE["no JSON"][1], exchange="", routing_key=client._reply_to)
        until(lambda: count_of(metrics.rejected_total, "reply", "not_json") == before + 1)
        assert client.call("demo", "echo", n=1) == {"n": 1}


def test_a_reply_to_a_caller_that_has_gone_is_dropped_and_counted(url: str, client: RpcClient) -> None:
    with running(url, demo_service()), raw_channel(url) as channel:
        client.call("demo", "echo")
        before = count_of(metrics.replies_unclaimed_total, "service")
        body = encode({"method": "echo", "kwargs": {"text": MARKER}})
        request = amqp.Message(body, reply_to="gone", correlation_id="1", **JSON)
        channel.basic_publish(request, exchange=RPC_EXCHANGE, routing_key="demo")
        until(lambda: count_of(metrics.replies_unclaimed_total, "service") == before + 1)
        assert client.call("demo", "echo", n=1) == {"n": 1}


def test_what_was_not_acked_comes_again_in_order(url: str) -> None:
    taken: list[bytes] = []
    with raw_channel(url) as keeper:
        keeper.queue_declare(queue="work", durable=True, auto_delete=False)
        with raw_channel(url) as consumer:
            consumer.basic_consume(queue="work", callback=lambda m: taken.append(bytes(m.body)))
            for n in range(3):
                keeper.basic_publish(amqp.Message(str(n).encode(), content_encoding="binary"), routing_key="work")
            while len(taken) < 3:
                consumer.connection.drain_events(timeout=5)
        again = [until(lambda: keeper.basic_get("work")) for _ in range(3)]
        assert [bytes(message.body) for message in again] == [b"0", b"1", b"2"]
        assert all(message.delivery_info["redelivered"] for message in again)
        keeper.queue_delete("work")


def test_a_wake_up_reaches_every_follower(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoints, "FOLLOW_SECONDS", 3600)
    (one, home_one), (two, home_two) = follower_service("one"), follower_service("two")
    publisher = WakeupPublisher(url)
    with running(url, one, two):
        until(lambda: home_one.steps and home_two.steps)
        for pos in range(1, 4):
            before = home_one.steps, home_two.steps
            publisher.publish_wakeup(pos)
            until(lambda: home_one.steps > before[0] and home_two.steps > before[1], timeout=2)  # noqa: B023
    publisher.close()


def test_a_follower_goes_on_until_there_is_no_more(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoints, "FOLLOW_SECONDS", 3600)
    service, home = follower_service("one")
    home.more = 500
    with running(url, service):
        until(lambda: home.steps >= 501)
        assert home.more == 0


def test_a_lost_wake_up_costs_one_period(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoints, "FOLLOW_SECONDS", 0.2)
    service, home = follower_service("one")
    with running(url, service):
        until(lambda: home.steps >= 3)


def test_a_follower_survives_a_failing_step(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoints, "FOLLOW_SECONDS", 0.05)
    service, home = follower_service("one")
    home.failures = 2
    with running(url, service):
        until(lambda: home.steps >= 4)


def test_handlers_are_bound_to_an_instance_with_its_dependencies(url: str) -> None:
    service, home = follower_service("one")
    with running(url, service):
        until(lambda: home.steps)
        dependency, line = home.handlers[SomeFact](None, "line 1")
        assert isinstance(dependency, home)
        assert line == "line 1"


@pytest.mark.parametrize("name", GARBAGE)
def test_bytes_that_are_no_wake_up_are_counted_and_delay_nothing(
    url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrypoints, "FOLLOW_SECONDS", 3600)
    reason, message = GARBAGE[name]
    service, home = follower_service("one")
    publisher = WakeupPublisher(url)
    with running(url, service), raw_channel(url) as channel:
        until(lambda: home.steps)
        before = count_of(metrics.rejected_total, "journal", reason)
        channel.basic_publish(message, exchange=JOURNAL_EXCHANGE)
        until(lambda: count_of(metrics.rejected_total, "journal", reason) == before + 1)
        steps = home.steps
        publisher.publish_wakeup(7)
        until(lambda: home.steps > steps, timeout=SOON)
    publisher.close()


def test_a_broker_that_never_answers_costs_no_more_than_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        client = RpcClient(f"amqp://guest:guest@127.0.0.1:{deaf.getsockname()[1]}/")
        started = monotonic()
        with pytest.raises(RpcTimeout):
            client.call("demo", "echo", timeout=0.4)
        assert monotonic() - started < 0.4 + SOON
        eventlet.spawn_n(client.close)


def test_all_goes_on_after_a_broker_restart(
    rabbitmq: Broker, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrypoints, "FOLLOW_SECONDS", 3600)
    service, home = follower_service("one")
    client, publisher = RpcClient(rabbitmq_url), WakeupPublisher(rabbitmq_url)
    gate = Gate()
    with running(rabbitmq_url, service, demo_service(gate)):
        assert client.call("one", "ping") == "pong"
        publisher.publish_wakeup(1)
        under_way = eventlet.spawn(client.call, "demo", "hold", timeout=60)
        gate.reached.wait()
        rabbitmq.stop()
        with pytest.raises(RpcTimeout):
            under_way.wait()
        started = monotonic()
        with pytest.raises(RpcTimeout):
            client.call("one", "ping", timeout=0.5)
        assert monotonic() - started < 0.5 + SOON
        publisher.publish_wakeup(2)  # neither fails nor waits
        rabbitmq.start()
        gate.opened.send()

        def answers() -> bool:
            try:
                return client.call("one", "ping", timeout=5) == "pong"
            except (ServiceAbsent, RpcTimeout):
                return False

        until(answers, timeout=20)
        until(lambda: publisher._link.is_ready, timeout=20)
        steps = home.steps
        publisher.publish_wakeup(3)
        until(lambda: home.steps > steps, timeout=2)
    client.close()
    publisher.close()


def test_no_queue_stays_when_services_and_callers_have_gone(rabbitmq: Broker, rabbitmq_url: str) -> None:
    service, _home = follower_service("one")
    client = RpcClient(rabbitmq_url)
    with running(rabbitmq_url, service):
        client.call("one", "ping")
        assert "rpc-one" in rabbitmq.depths(rabbitmq_url)
    client.close()
    until(lambda: rabbitmq.depths(rabbitmq_url) == {}, timeout=20)
