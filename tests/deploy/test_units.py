"""The systemd unit runs a command there is; runbooks name what it is called, and the same in containers."""

import re
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest

from tests.deploy.compose import HOMES, ROOT, blocks, processes
from tests.deploy.test_rules import RUNBOOKS, assert_is_a_command

UNIT = ROOT / "deploy/systemd/polku@.service"
README = (ROOT / "deploy/runbooks/README.md").read_text(encoding="utf-8")
PROGRAM = "/opt/polku/.venv/bin/polku"
ROWS = [line.split(" | ") for line in README.splitlines() if line.startswith("| `")]


class Unit(RawConfigParser):
    """Names are told from each other by their case."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def unit() -> Unit:
    parser = Unit()
    parser.read(UNIT, encoding="utf-8")
    return parser


def commands(path: Path) -> list[str]:
    """What a runbook says to type."""
    return re.findall(r"^ {7}(\S.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_unit_starts_a_home_with_a_command_of_this_release() -> None:
    program, *words = unit()["Service"]["ExecStart"].replace("%i", "node").split()
    assert program == PROGRAM
    assert_is_a_command(words)
    assert words == ["--home", "/srv/polku/node", "up"]


def test_the_unit_may_write_its_own_home_alone_and_gains_no_rights() -> None:
    service = unit()["Service"]
    assert service["ReadWritePaths"] == "/srv/polku/%i"
    assert (service["ProtectSystem"], service["ProtectHome"]) == ("strict", "yes")
    assert service["NoNewPrivileges"] == service["PrivateTmp"] == "yes"
    assert (service["CapabilityBoundingSet"], service["User"]) == ("", "polku")


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    made = tmp_path / "polku@node.service"
    made.write_text(UNIT.read_text(encoding="utf-8").replace(PROGRAM, sys.executable), encoding="utf-8")
    done = subprocess.run(["/usr/bin/systemd-analyze", "verify", str(made)], capture_output=True, text=True, timeout=30)
    said = [line for line in done.stderr.splitlines() if "polku@" in line]
    assert (done.returncode, said) == (0, []), done.stderr


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_names_the_shipped_unit_and_says_where_its_other_form_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "(README.md)" in text
    named = re.findall(r"(?:journalctl -u|systemctl \w+) (?:--\S+ )?(\S+)", text)
    assert set(named) <= {"polku@node", "polku@lead", "'polku@*'", "rabbitmq-server"}
    assert set(re.findall(r"/srv/polku/(\w+)", text)) <= set(HOMES)


def test_every_command_of_a_runbook_has_its_form_in_containers() -> None:
    told = " ".join(row[0] for row in ROWS)
    for path in RUNBOOKS:
        for line in commands(path):
            program, *words = line.split()
            assert re.search(rf"`{re.escape(program)}\b", told), line
            if program == "systemctl":
                assert f"`systemctl {words[0]} " in told, line


def test_the_form_in_containers_names_services_of_the_compose_file() -> None:
    names = {block.name for block in blocks()}
    used = re.findall(r"docker compose (?:exec|run|logs|cp)\s+(?:-\S+\s+|polku\s+)*([a-z][\w-]*)", README)
    assert used
    assert set(used) <= names
    for home in HOMES:
        listed = re.search(rf'{home.upper()}="([^"]+)"', README)
        assert listed is not None
        assert set(listed[1].split()) == {block.name for block in processes(home)}
