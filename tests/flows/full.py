"""Homes on the full footing without containers: the processes that docker-compose.yml names, each with the PostgreSQL
role and the broker rights that it has there, on the test run's own servers."""

import contextlib
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.node.opening import init_home
from shared.ops.settings import Role
from shared.programmes.files import programme_file
from shared.testing.broker import Broker
from shared.testing.postgres import new_owned_database
from shared.testing.private import free_port
from shared.testing.wait import until
from tests.deploy.compose import broker_rights, processes
from tests.flows.kit import PROGRAMME, Pair, Site, free_port_triple


@dataclass
class Process:
    """One process of a home."""

    name: str
    home: "FullSite"
    health_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str]) -> None:
        """Start it; `command` as in the compose file."""
        words = [str(self.health_port) if word == "9000" else word for word in command]
        log = (self.home.path / f"{self.name}.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.node", "--home", str(self.home.path), *words],
            env={**os.environ, **self.home.environment_of(self.name)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )

    def ready(self) -> bool:
        """Whether it says so; fails at once if it has ended."""
        assert self.process is not None
        assert self.process.poll() is None, (self.home.path / f"{self.name}.log").read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop(self, seconds: float = 20) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@dataclass
class FullSite(Site):
    """A home of several processes. `database` and `bus` are URLs without a role's or with the home's user."""

    database: str = ""
    running: dict[str, Process] = field(default_factory=dict)

    def environment_of(self, process: str) -> Mapping[str, str]:
        """What the process called `process` is given; its name may end in a number, for a second worker."""
        place, _, database = self.database.rpartition("/")
        server = place.partition("@")[2]
        role = f"{database}_{process.rstrip('0123456789')}"
        return {**self.environment, "POLKU_DATABASE_URL": f"postgresql+psycopg://{role}@{server}/{database}"}

    def polku(self, *arguments: str, fails: bool = False) -> str:
        """Run a command as the process whose container it would be typed in."""
        what = {"complete": "courier" if self.role == "node" else "reporting", "user": "portal", "migrate": "owner"}
        other = "reporting" if self.role == "lead" else "intake"
        runner = Site(self.path, self.role, self.environment_of(what.get(arguments[0], other)))
        return runner.polku(*arguments, fails=fails)

    def up(self, names: Sequence[str] = ()) -> None:
        """Start the home's processes, or some, and wait until each is ready."""
        for block in processes(self.role):
            if not names or block.what in names:
                self.running[block.what] = Process(block.what, self)
                self.running[block.what].start(block.body["command"])
        for process in self.running.values():
            until(process.ready, 90, every=0.1)

    def another(self, name: str) -> Process:
        """A second process of the same service."""
        block = next(block for block in processes(self.role) if block.what == name)
        second = self.running[f"{name}2"] = Process(f"{name}2", self)
        second.start(block.body["command"])
        until(second.ready, 90, every=0.1)
        return second

    def down(self) -> None:
        """End what still runs."""
        for process in self.running.values():
            if process.process is not None and process.process.poll() is None:
                process.process.kill()
                process.process.wait()
        self.running.clear()


def full_site(folder: Path, role: Role, broker: Broker, postgres: int) -> FullSite:
    """A new home with its database, roles and broker user; nothing runs yet."""
    database = new_owned_database(postgres)
    bus = broker.new_user(broker.new_vhost(), *broker_rights(role))
    passwords = {f"POLKU_PASSWORD_{block.what.upper()}": "x" for block in processes(role)}
    site = FullSite(folder / role, role, {"POLKU_BUS_URL": bus}, database=database)
    environment = {**site.environment_of("owner"), **passwords}
    with _environment(environment):
        init_home(site.path, role, "leader" if role == "node" else "", free_port_triple())
    Site(site.path, role, environment).polku("migrate")
    return site


@contextlib.contextmanager
def full_pair(folder: Path, broker: Broker, postgres: int) -> Iterator[Pair]:
    """A lead and a node that run on the full footing, joined in programme 3, nobody recorded yet."""
    lead, node = (full_site(folder, role, broker, postgres) for role in ("lead", "node"))  # type: ignore[arg-type]
    file, invite = str(programme_file(PROGRAMME)), folder / "invite.json"
    try:
        lead.up()
        lead.polku("programme", "load", file)
        lead.polku("lead", "admit", "leader_association", "--programme", PROGRAMME, "--out", str(invite))
        node.polku("node", "join", str(invite))
        node.up()
        node.polku("programme", "load", file)
        yield Pair(lead, node)
    finally:
        node.down()
        lead.down()


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
