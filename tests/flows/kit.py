"""Homes as people make them: every step is the `polku` command, every home a process of its own."""

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from services.node.cli import polku
from services.node.control import connect
from shared.ops.settings import load_home
from shared.programmes.files import programme_file
from shared.testing.wait import until
from tests.services.node.made import put_database

PROGRAMME = "lahde-mukaan"
PUBLISHED = {
    "community_coaching": (125, 74, None),
    "info_sessions": (15, None, 214),
    "small_group_events": (32, None, 379),
    "public_events": (16, None, 2369),
    "individual_coaching": (145, 29, None),
    "client_panels": (0, None, 0),
}
"""Sessions, participants, heads: programmes.md, project 3; how many sessions of Duuniin there were is made up. Of
client panels nothing is published and so nothing recorded: the report has the row, and 0."""
OUTCOMES = [
    {
        "activity": "duuniin",
        "participants": 29,
        "outcomes": {
            "education": 6,
            "wage_subsidy": 2,
            "open_labour_market": 2,
            "activated_job_seeker": 14,
            "vocational_rehabilitation": 1,
            "work_trial": 1,
            "apprenticeship": 2,
        },
        "unknown": 1,
    }
]


@dataclass
class Site:
    """A home and the environment its processes get."""

    path: Path
    role: str
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def polku(self, *arguments: str, fails: bool = False) -> str:
        """Run a command on this home; its stdout. It must succeed unless `fails`.

        It runs in this process: starting one costs more than most commands do, and tests of their own do that.
        """
        done = CliRunner().invoke(polku, ["--home", str(self.path), *arguments], env=self.environment)
        assert fails or done.exit_code == 0, f"{arguments}: {done.exit_code}\n{done.stderr}"
        return done.stdout

    def begin(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command on this home and leave it running."""
        command = [sys.executable, "-m", "services.node", "--home", str(self.path), *arguments]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(command, env={**os.environ, **self.environment}, **quiet)  # type: ignore[call-overload]

    def up(self) -> None:
        """Start the home and wait until it answers."""
        command = [sys.executable, "-m", "services.node", "--home", str(self.path), "up", "--child"]
        log = (self.path / "up.log").open("ab")
        self.process = subprocess.Popen(
            command, env={**os.environ, **self.environment}, stdin=subprocess.PIPE, stdout=log, stderr=log
        )
        until(self.answers, 60)

    def answers(self) -> bool:
        """Whether the home's services can be reached; fails at once if its process has ended."""
        assert self.process is not None
        assert self.process.poll() is None, (self.path / "up.log").read_text()
        client = connect(load_home(self.path).socket)
        if client is not None:
            client.close()
        return client is not None

    def down(self) -> None:
        """End the home as its parent's end would."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait(20)
            self.process = None

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        self.process = None


@dataclass
class Pair:
    """A lead and a partner's node, joined through the lead's folder."""

    lead: Site
    node: Site
    programme: str = PROGRAMME

    def report(self) -> dict[str, Any]:
        """The lead's report."""
        report: dict[str, Any] = json.loads(self.lead.polku("report", self.programme, "--format", "json"))
        return report

    def wait_until_arrived(self) -> dict[str, Any]:
        """The report, once it contains all that the node has recorded."""
        head = json.loads(self.node.polku("complete", "--json", fails=True))["streams"][0]["head"]
        found: list[dict[str, Any]] = []

        def arrived() -> bool:
            found[:] = [self.report()]
            return found[0]["arrived"] is True and found[0]["streams"][0]["watermark"] == head

        until(arrived, 60)
        return found[0]


@contextmanager
def joined_pair(
    folder: Path,
    lead_environment: Mapping[str, str] | None = None,
    node_environment: Mapping[str, str] | None = None,
    *,
    programme: Path | None = None,
    partner: str = "leader_association",
) -> Iterator[Pair]:
    """A lead and a node that runs, joined in programme 3 or that of another file, nobody recorded yet."""
    lead = Site(folder / "lead", "lead", lead_environment or {})
    node = Site(folder / "node", "node", node_environment or {})
    for site in (lead, node):
        if "POLKU_DATABASE_URL" not in site.environment:
            put_database(site.path, "lead" if site.role == "lead" else "node")
    lead.polku("init", "--role", "lead", "--port", str(free_port_triple()))
    node.polku("init", "--role", "node", "--name", "leader", "--port", str(free_port_triple()))
    programme = programme or programme_file(PROGRAMME)
    file, key = str(programme), programme.stem
    pair = Pair(lead, node, key)
    try:
        lead.up()
        lead.polku("programme", "load", file)
        invite = folder / "invite.json"
        lead.polku("lead", "admit", partner, "--programme", key, "--out", str(invite))
        node.polku("node", "join", str(invite))
        node.up()
        node.polku("programme", "load", file)  # it would come from the lead by itself, some seconds later
        yield pair
    finally:
        node.down()
        lead.down()


def free_port_triple() -> int:
    """A port that is free and so are those 1,000 and 2,000 above it."""
    return free_port_run(1)


def free_port_run(count: int) -> int:
    """The first of `count` ports of which each and those 1,000 and 2,000 above it are free, and below those that the
    system gives to connections: a home that is killed must find its own again."""
    chance = random.SystemRandom()

    def free(port: int) -> bool:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
        return False

    def all_free(first: int) -> bool:
        return all(free(first + more + n) for more in (0, 1000, 2000) for n in range(count))

    return until(lambda: next(filter(all_free, chance.sample(range(10_000, 29_000), 50)), 0))


def synthetic_set(folder: Path) -> Path:
    """The CSV set of programme 3's published figures."""
    out = folder / "csv"
    Site(folder, "node").polku("synth", PROGRAMME, "--out", str(out))
    return out


def figures(report: dict[str, Any]) -> dict[str, tuple[int, int | None, int | None]]:
    """Sessions, participants and heads per group."""
    return {row["group"]: (row["sessions"], row["participants"], row["heads"]) for row in report["activities"]}
