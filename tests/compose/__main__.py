"""The whole way in containers, with the commands that docs/hosting.md names; the report is the embedded homes' one.

``python -m tests.compose``, or ``make compose-test``: needs Docker, takes a few minutes, is no part of ``make test``.
COMPOSE names another program than ``docker compose`` that takes its words. It has a project name, secrets, ports and
volumes of its own and leaves none behind. Exits 1, and says where, if anything is not as it should be.
"""

import json
import os
import re
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.make_env import missing_lines
from shared.testing.private import free_port
from shared.testing.wait import until
from tests.deploy.compose import FILE, HOMES, NODE_KEYS, ROOT, processes
from tests.flows.kit import PROGRAMME, PUBLISHED, figures, joined_pair, synthetic_set
from tests.flows.test_footings import without_random

PROGRAMME_FILE = f"/opt/polku/deploy/programmes/{PROGRAMME}.yaml"
PORTS = ("LEAD_PORT", "NODE_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")
PEEK = (
    "import os, psycopg; c = psycopg.connect(os.environ['POLKU_DATABASE_URL'].replace('+psycopg', '')); "
    "c.execute('SELECT * FROM {table}')"
)


@dataclass(frozen=True)
class Stack:
    """A running project of containers."""

    words: tuple[str, ...]

    def compose(self, *arguments: str, given: str = "", fails: bool = False) -> str:
        """A compose command; its stdout. It must succeed unless `fails`, and then it must not."""
        done = subprocess.run([*self.words, *arguments], input=given, capture_output=True, text=True, cwd=ROOT)
        assert (done.returncode != 0) == fails, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + (done.stderr if fails else "")

    def polku(self, service: str, *arguments: str, given: str = "") -> str:
        """A `polku` command in the container of `service`."""
        return self.compose("exec", "-T", service, "polku", *arguments, given=given)

    def report(self) -> dict[str, Any]:
        """The lead's report."""
        found: dict[str, Any] = json.loads(self.polku("lead-reporting", "report", PROGRAMME, "--format", "json"))
        return found


def whole_way(stack: Stack) -> dict[str, Any]:
    """Load, admit, join, import, wait; the report."""
    stack.polku("lead-reporting", "programme", "load", PROGRAMME_FILE)
    invite = stack.polku("lead-reporting", "lead", "admit", "leader_association", "--programme", PROGRAMME)
    stack.polku("node-courier", "node", "join", "/dev/stdin", given=invite)
    stack.polku("node-pathways", "programme", "load", PROGRAMME_FILE)
    stack.polku("node-intake", "synth", PROGRAMME, "--out", "/tmp/csv")
    stack.polku("node-intake", "import", "/tmp/csv")
    until(lambda: arrived(stack), 120, every=1)
    stack.polku("node-courier", "complete")
    stack.polku("lead-reporting", "complete")
    return stack.report()


def arrived(stack: Stack) -> bool:
    """Whether the lead's figures contain all that the node has recorded."""
    rows = json.loads(stack.compose("exec", "-T", "node-courier", "sh", "-c", "polku complete --json || true"))
    head, report = rows["streams"][0]["head"], stack.report()
    return bool(report["arrived"] and report["streams"][0]["watermark"] == head)


def check_rights(stack: Stack) -> None:
    """Roles and users that authenticate for real cannot do what they need not."""
    for service, table in (("node-portal", "intake_person"), ("node-activities", "intake_vault")):
        said = stack.compose("exec", "-T", service, "python", "-c", PEEK.format(table=table), fails=True)
        assert "permission denied for table" in said, said
    for service in (block.name for block in processes("node") if NODE_KEYS in block.body["tmpfs"]):
        seen = stack.compose("exec", "-T", service, "sh", "-c", f"cat {NODE_KEYS}/* 2>/dev/null | wc -c")
        assert seen.strip() == "0", service
    users = stack.compose("exec", "-T", "rabbitmq", "rabbitmqctl", "-q", "list_users")
    assert re.findall(r"^(\w+)\t\[", users, re.MULTILINE) in (["lead", "node"], ["node", "lead"]), users


def check_stop(stack: Stack) -> None:
    """Each process ends within ten seconds and in good order."""
    for home in HOMES:
        for block in processes(home):
            began = time.monotonic()
            stack.compose("stop", block.name)
            assert time.monotonic() - began < 10, block.name
            container = stack.compose("ps", "-aq", block.name).strip()
            asked = ["docker", "inspect", "-f", "{{.State.ExitCode}}", container]
            assert subprocess.run(asked, capture_output=True, text=True).stdout.strip() == "0", block.name


def main() -> None:
    """Everything, one step after the other."""
    program = shlex.split(os.environ.get("COMPOSE", "docker compose"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [*missing_lines(FILE.read_text(), ""), *(f"{port}={free_port()}" for port in PORTS)]
        with os.fdopen(os.open(folder / "env", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
        project = f"polku-test-{secrets.token_hex(4)}"
        stack = Stack((*program, "-p", project, "--env-file", str(folder / "env")))
        say("embedded homes, to compare with")
        with joined_pair(folder) as pair:
            pair.node.polku("import", str(synthetic_set(folder)))
            embedded = pair.wait_until_arrived()
        try:
            say("containers")
            up = ["up"] if Path(program[-1]).name == "compose-check" else ["up", "-d", "--build"]
            sys.stderr.write(stack.compose(*up))
            say("load, admit, join, import, wait")
            report = whole_way(stack)
            assert figures(report) == PUBLISHED
            assert without_random(report) == without_random(embedded)
            say("rights")
            check_rights(stack)
            say("stop")
            check_stop(stack)
        finally:
            stack.compose("down", *([] if Path(program[-1]).name == "compose-check" else ["-v"]))
    say("the report is the embedded homes' one; rights hold; every process ended in good order")


def say(text: str) -> None:
    """A step, on stderr."""
    sys.stderr.write(f"compose-test: {text}\n")


if __name__ == "__main__":
    main()
