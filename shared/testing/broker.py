"""A private RabbitMQ per test run, a vhost per test.

It has its own ports, node name, cookie, directories and Erlang port mapper, runs as whoever runs the tests (root too),
and is spoken to by `erl_call`, which takes milliseconds where `rabbitmqctl` takes seconds.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.testing.private import CannotRun, end, find_program, free_port, give_up, spawn
from shared.testing.wait import until

VARIABLE = "POLKU_TEST_RABBITMQ"
START_SECONDS = 90
BUSY_SECONDS = 5
"""For so long a node that takes no connection may only be busy."""
ATTEMPTS = 3


@dataclass(frozen=True)
class Broker:
    """A running private RabbitMQ."""

    port: int
    node: str
    cookie: str
    epmd_port: int

    def new_vhost(self, name: str = "") -> str:
        """Make an empty vhost; return its URL."""
        vhost = name or f"t{uuid.uuid4().hex[:12]}"
        self.erlang(f'rabbit_vhost:add(<<"{vhost}">>, <<"tests">>).')
        self.erlang(
            f'rabbit_auth_backend_internal:set_permissions(<<"guest">>, <<"{vhost}">>, '
            '<<".*">>, <<".*">>, <<".*">>, <<"tests">>).'
        )
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{vhost}"

    def new_user(self, url: str, configure: str, write: str, read: str) -> str:
        """Make a user with these rights (patterns) in the vhost of `url`; the URL with that user."""
        name, vhost = f"u{uuid.uuid4().hex[:12]}", url.rsplit("/", 1)[1]
        self.erlang(f'rabbit_auth_backend_internal:add_user(<<"{name}">>, <<"{name}">>, <<"tests">>).')
        patterns = ", ".join('<<"' + pattern.replace("\\", "\\\\") + '">>' for pattern in (configure, write, read))
        self.erlang(
            f'rabbit_auth_backend_internal:set_permissions(<<"{name}">>, <<"{vhost}">>, {patterns}, <<"tests">>).'
        )
        return url.replace("guest:guest@", f"{name}:{name}@")

    def drop_vhost(self, url: str) -> None:
        """Delete the vhost of `url` with all that is in it."""
        self.erlang(f'rabbit_vhost:delete(<<"{url.rsplit("/", 1)[1]}">>, <<"tests">>).')

    def depths(self, url: str) -> dict[str, tuple[int, int]]:
        """Queue name → (messages, consumers) in the vhost of `url`."""
        vhost = url.rsplit("/", 1)[1]
        with tempfile.NamedTemporaryFile("r") as answer:  # erl_call cuts long values short
            self.erlang(
                f'file:write_file("{answer.name}", [io_lib:format("~s ~w ~w;", '
                "[element(4, proplists:get_value(name, Q)), "
                "proplists:get_value(messages, Q), proplists:get_value(consumers, Q)]) || "
                f'Q <- rabbit_amqqueue:info_all(<<"{vhost}">>, [name, messages, consumers])]).'
            )
            found = [row.rsplit(" ", 2) for row in answer.read().split(";")[:-1]]
        return {name: (int(messages), int(consumers)) for name, messages, consumers in found}

    def restart(self) -> None:
        """Stop the broker and start it again: every connection breaks, what is not durable is gone."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Stop taking connections; `start` undoes it."""
        self.erlang("rabbit:stop().")

    def start(self) -> None:
        """Start again after `stop`."""
        self.erlang("rabbit:start().")
        _await_port(self.port, START_SECONDS)

    def erlang(self, expression: str) -> str:
        """Evaluate an Erlang expression in the node; its value as text. Raises RuntimeError if the node cannot, or does
        not answer for some seconds."""
        command = [find_program("erl_call"), "-sname", self.node, "-c", self.cookie, "-e"]
        env = {**os.environ, "ERL_EPMD_PORT": str(self.epmd_port)}

        def answer() -> list[subprocess.CompletedProcess[bytes]]:
            done = subprocess.run(command, input=f"{expression}\n".encode(), capture_output=True, env=env, timeout=60)
            return [] if b"failed to connect" in done.stderr else [done]  # busy: nothing has been evaluated

        try:
            (done,) = until(answer, BUSY_SECONDS)
        except AssertionError:
            raise RuntimeError("the broker does not answer") from None
        if done.returncode or not done.stdout.startswith(b"{ok,"):
            raise RuntimeError(f"the broker refused: {done.stdout[:500]!r} {done.stderr[:500]!r}")
        return done.stdout.decode()


class PrivateBroker:
    """The broker's processes and directory, ended by the process that started them."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="polku-rabbit-"))
        self.processes: list[subprocess.Popen[bytes]] = []
        self.server: list[str] = []
        self._broker: Broker | None = None

    def start(self) -> Broker:
        """Start it. Raises `CannotRun`."""
        server = find_program("rabbitmq-server", "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin")
        port, dist_port, epmd_port = free_port(), free_port(), free_port()
        name, cookie = f"polku{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
        # RabbitMQ asks the port mapper who else is there; ours ends with us, the one it would start itself would not.
        env = {**os.environ, "ERL_EPMD_PORT": str(epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1"}
        self.processes.append(
            spawn([find_program("epmd"), "-port", str(epmd_port)], log=self.folder / "epmd.log", env=env)
        )
        _await_port(epmd_port, 10)
        (self.folder / ".erlang.cookie").write_text(cookie)
        (self.folder / ".erlang.cookie").chmod(0o400)
        (self.folder / "enabled_plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{port}\nloopback_users.guest = true\ndisk_free_limit.absolute = 50MB\n"
        )
        env |= {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"{name}@localhost",
            "RABBITMQ_DIST_PORT": str(dist_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ALLOW_INPUT": "1",  # run in the foreground: no shell in between that could survive
            # One scheduler that does not spin: the machine's cores are for the tests. Quorum queues say four times a
            # second, not every five, how many messages they hold.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none "
            "-rabbit quorum_tick_interval 250",
        }
        self._broker = Broker(port, f"{name}@localhost", cookie, epmd_port)
        self.server = [server]
        self._environment = env
        self._run()
        return self._broker

    def _run(self) -> None:
        assert self._broker is not None
        process = spawn(self.server, log=self.folder / "server.log", env=self._environment)
        self.processes.append(process)
        _await_port(self._broker.port, START_SECONDS, process)
        self._broker.erlang("rabbit:await_startup().")

    @property
    def pid(self) -> int:
        """The server's process group."""
        return self.processes[-1].pid

    def crash(self) -> None:
        """Kill the server and start it again with what it has on the disk."""
        end(self.processes.pop(), signal.SIGKILL, 10)
        self._run()

    def lose_everything(self) -> None:
        """Kill the server, delete its data directory and start it again, empty: as a new one in its place."""
        end(self.processes.pop(), signal.SIGKILL, 10)
        shutil.rmtree(self.folder / "data")
        self._run()

    def end(self) -> None:
        """End it and remove its directory."""
        for process in reversed(self.processes):
            end(process, signal.SIGTERM, 0.2)  # nothing in it is worth a graceful end
        self.processes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


_own: PrivateBroker | None = None


def shared_broker() -> Broker:
    """The test run's broker, started at the first call. Raises `CannotRun`."""
    global _own
    if VARIABLE in os.environ:
        known: dict[str, Any] = json.loads(os.environ[VARIABLE])
        return Broker(**known)
    for attempt in range(1, ATTEMPTS + 1):
        running = PrivateBroker()
        try:
            broker = running.start()
        except (CannotRun, RuntimeError, subprocess.TimeoutExpired) as error:
            # A port may have been taken between being found free and being used: another try has others.
            tail = _tail(running.folder / "server.log")
            running.end()
            if attempt == ATTEMPTS or "not installed" in str(error):
                raise CannotRun(f"RabbitMQ: {error} {tail}") from error
            continue
        _own = running
        os.environ[VARIABLE] = json.dumps(asdict(broker))
        return broker
    raise AssertionError("unreachable")


def end_broker() -> None:
    """End the broker if this process started it."""
    global _own
    if _own is not None:
        _own.end()
        _own = None
        os.environ.pop(VARIABLE, None)


def _await_port(port: int, seconds: float, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise CannotRun(f"the server ended with code {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise CannotRun(f"nobody listens on port {port} after {seconds} s")


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-500:] if log.exists() else ""


@pytest.fixture(scope="session")
def rabbitmq() -> Broker:
    """The private broker itself."""
    try:
        return shared_broker()
    except CannotRun as error:
        give_up(error)
        raise


@pytest.fixture
def rabbitmq_url(rabbitmq: Broker) -> Iterator[str]:
    """``amqp://…`` of a vhost that only this test uses."""
    url = rabbitmq.new_vhost()
    yield url
    rabbitmq.drop_vhost(url)
