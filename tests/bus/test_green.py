# green: postgres
"""Guard, runner, containers, and nameko's own entrypoints on the embedded transport."""

import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from pathlib import Path
from typing import Any

import eventlet
import eventlet.tpool
import pytest
from nameko.exceptions import UnknownService
from nameko.extensions import DependencyProvider
from nameko.rpc import RpcProxy
from nameko.rpc import rpc as nameko_rpc
from nameko.standalone.rpc import ServiceRpcProxy
from sqlalchemy import text

from shared.bus import guard
from shared.bus.client import RpcClient
from shared.bus.entrypoints import rpc, subscribes, subscriptions, timer
from shared.bus.runner import Runner, ServiceFailed
from shared.contracts.errors import InternalError
from shared.storage import InsideTransaction, open_engine, transaction
from shared.testing.wait import until
from tests.bus.support import MARKER, SomeFact, running

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url() -> str:
    return f"embedded://t{uuid.uuid4().hex}"


def test_waiting_inside_a_transaction_is_an_error_but_the_database_may_wait(postgres_url: str) -> None:
    guard.install()
    eventlet.tpool.execute(os.getpid)  # starts the pool, which connects a socket: storage alone would refuse that
    engine = open_engine(postgres_url)
    turns = 0

    def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            eventlet.sleep(0.01)

    other = eventlet.spawn(take_turns)
    with transaction(engine) as connection:
        connection.execute(text("SELECT pg_sleep(0.2)"))
        assert turns > 5, "the database's wait did not let others run"
        for wait in (eventlet.sleep, eventlet.greenthread.sleep, time.sleep):
            with pytest.raises(InsideTransaction):
                wait(0)
        with pytest.raises(InsideTransaction):
            eventlet.tpool.execute(os.getpid)
    eventlet.sleep(0)
    time.sleep(0)
    assert eventlet.tpool.execute(os.getpid) == os.getpid()
    other.kill()
    engine.dispose()


def test_a_timer_that_raises_goes_on_and_its_text_is_in_no_log(url: str, caplog: pytest.LogCaptureFixture) -> None:
    ticks = []

    class Ticking:
        name = "ticking"

        @timer(interval=0.01)
        def tick(self) -> None:
            ticks.append(1)
            raise ValueError(MARKER)

    caplog.set_level(logging.DEBUG)
    with running(url, Ticking):
        until(lambda: len(ticks) >= 3)
    assert MARKER not in caplog.text
    assert "ticking.tick failed: ValueError at tests/bus/test_green.py:" in caplog.text


class Broken(DependencyProvider):
    """Fails when a worker begins."""

    def worker_setup(self, worker_ctx: Any) -> None:
        raise ValueError(MARKER)


def test_a_dependency_that_fails_is_an_answer_not_the_end(url: str, caplog: pytest.LogCaptureFixture) -> None:
    class Frail:
        name = "frail"
        broken = Broken()

        @rpc
        def ping(self) -> str:
            return "pong"

    client = RpcClient(url)
    with running(url, Frail):
        for _ in range(2):
            with pytest.raises(InternalError):
                client.call("frail", "ping")
    client.close()
    assert MARKER not in caplog.text


def test_a_timeout_of_eventlet_in_a_worker_is_an_answer(url: str) -> None:
    class Impatient:
        name = "impatient"

        @rpc
        def ping(self) -> None:
            raise eventlet.Timeout(None)

    client = RpcClient(url)
    with running(url, Impatient), pytest.raises(InternalError):
        client.call("impatient", "ping", timeout=2)
    client.close()


def test_a_service_that_cannot_start_ends_the_start_with_one_line(url: str) -> None:
    class Unready(DependencyProvider):
        def setup(self) -> None:
            raise ValueError(MARKER)

    class Never:
        name = "never"
        unready = Unready()

    with pytest.raises(ServiceFailed) as caught:
        Runner([Never], url).start()
    assert str(caught.value).startswith("the service never stopped: ValueError at tests/bus/test_green.py:")


def test_a_service_that_dies_ends_the_waiting_with_one_line(url: str) -> None:
    class Dying(DependencyProvider):
        def start(self) -> None:
            self.container.spawn_managed_thread(self.die)

        def die(self) -> None:
            eventlet.sleep(0.05)
            raise ValueError(MARKER)

    class Mortal:
        name = "mortal"
        dying = Dying()

    runner = Runner([Mortal], url)
    runner.start()
    with pytest.raises(ServiceFailed) as caught:
        runner.wait()
    assert str(caught.value).startswith("the service mortal stopped: ValueError at tests/bus/test_green.py:")
    runner.stop()


def test_stopping_is_bounded_even_if_a_worker_never_ends(url: str) -> None:
    class Endless:
        name = "endless"

        @rpc
        def wait(self) -> None:
            eventlet.event.Event().wait()

    runner = Runner([Endless], url)
    runner.start()
    client = RpcClient(url)
    calling = eventlet.spawn(client.call, "endless", "wait", timeout=30)
    until(lambda: runner.containers[0]._worker_threads)
    started = time.monotonic()
    runner.stop(seconds=0.2)
    assert time.monotonic() - started < 3
    calling.kill()
    client.close()


def test_sigterm_ends_run(tmp_path: Path) -> None:
    script = tmp_path / "host.py"
    script.write_text(
        textwrap.dedent("""
        import os
        os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"
        import eventlet
        eventlet.monkey_patch()
        from shared.bus.entrypoints import rpc
        from shared.bus.runner import run
        class S:
            name = "s"
            @rpc
            def ping(self): pass
        eventlet.spawn_after(0.2, print, "ready", flush=True)
        run([S], "embedded://x")
        print("stopped", flush=True)
    """)
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    host = subprocess.Popen([sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    assert host.stdout.readline() == "ready\n"
    host.send_signal(signal.SIGTERM)
    assert host.stdout.readline() == "stopped\n"
    assert host.wait(10) == 0


def test_two_handlers_of_one_fact_are_refused() -> None:
    class Twice:
        @subscribes(SomeFact)
        def one(self) -> None: ...

        @subscribes(SomeFact)
        def two(self) -> None: ...

    with pytest.raises(TypeError, match="SomeFact"):
        subscriptions(Twice())


def test_namekos_own_rpc_works_on_the_embedded_transport(url: str) -> None:
    class Callee:
        name = "callee"

        @nameko_rpc
        def double(self, n: int) -> int:
            return 2 * n

    class Caller:
        name = "caller"
        callee = RpcProxy("callee")
        nobody = RpcProxy("nobody")

        @nameko_rpc
        def quadruple(self, n: int) -> int:
            return self.callee.double(self.callee.double(n))

        @nameko_rpc
        def call_nobody(self) -> str:
            try:
                self.nobody.ping()
            except UnknownService:
                return "absent"
            return "there"

    with running(url, Callee, Caller), ServiceRpcProxy("caller", {"AMQP_URI": url}, timeout=5) as caller:
        assert caller.quadruple(3) == 12
        assert caller.call_nobody() == "absent"
