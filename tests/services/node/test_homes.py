"""Homes and their processes: the lock, killed and ended ones, joining, and what `polku complete` says."""

import fcntl
import getpass
import json
import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.node import actor, reaching
from services.node.opening import locked
from services.reporting import store as reporting
from shared.contracts.catalogue import StandingReached
from shared.journal import Journal
from shared.journal.filecarrier import FileCarrier
from shared.ops.clock import utcnow
from shared.ops.settings import Home, Joined, load_home
from shared.programmes.files import programme_file
from shared.testing.wait import until
from tests.flows.kit import Site
from tests.services import kit
from tests.services.kit import KEY, OTHER, OWN
from tests.services.node.commands import TOKEN, database, invite_of, run
from tests.services.reporting import kit as received

FILE = str(programme_file(KEY))


def test_a_home_that_another_process_holds_is_not_opened_twice(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "STARTING_SECONDS", 0.2)
    with locked(load_home(node)):
        done = run("programme", "load", FILE, home=node)
    assert (done.code, "Another process works in this home" in done.error) == (1, True)


def test_the_lock_ends_with_its_holder(node: Path) -> None:
    hold = f"f=open({str(node / 'lock')!r},'a'); fcntl.flock(f,fcntl.LOCK_EX)"
    code = f"import fcntl,sys; {hold}; print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with (node / "lock").open("a") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        holder.kill()
    with locked(load_home(node)):
        pass


def test_a_port_that_is_taken_is_named(node: Path) -> None:
    home = load_home(node)
    with socket.create_server((home.host, home.port)):
        command = [sys.executable, "-m", "services.node", "--home", str(node), "up", "--child"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    words = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert (done.returncode, words) == (1, [f"polku: port {home.port}: Address already in use"])


def test_up_names_a_service_that_is_not_there(node: Path) -> None:
    command = [sys.executable, "-m", "services.node", "up", "reporting", "--home", str(node)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (2, "polku: SERVICE: a node home has no service reporting\n")


def test_a_killed_homes_socket_is_no_hindrance(node: Path) -> None:
    site = Site(node, "node")
    site.up()
    assert stat.S_IMODE((node / "control.sock").stat().st_mode) == 0o600
    site.kill()
    assert (node / "control.sock").is_socket()
    done = run("programme", "load", FILE, home=node)
    assert (done.code, done.out.endswith(" loaded\n")) == (0, True)
    assert not (node / "control.sock").exists()
    assert set(kit.kinds(database(node))) == {"pathways.programme_loaded"}  # a document takes several lines


# --- joining


def test_an_invite_is_answered_and_the_answer_lies_in_the_leads_folder(lead: Path, node: Path, tmp_path: Path) -> None:
    invite = tmp_path / "invite"
    invite.write_text(invite_of(lead))
    for _ in range(2):  # twice answers again and changes nothing
        done = run("node", "join", invite, home=node)
        assert done.code == 0
        (place,) = load_home(node).joined
        assert (place.programme, place.partner, place.uplink) == (KEY, OWN, f"file:{lead / 'inbox'}")
        (answer,) = FileCarrier(lead / "inbox").read_joins(4096)
        assert TOKEN.encode() not in answer
    assert TOKEN not in (node / "home.toml").read_text()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"[1]",
        b"{}",
        b'{"polku_invite": 2}',
        b"[" * 100_000,
        Path(FILE).read_bytes(),
    ],
)
def test_what_is_no_invite_is_refused(node: Path, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "invite").write_bytes(text)
    done = run("node", "join", tmp_path / "invite", home=node)
    assert (done.code, "invite cannot be used" in done.error) == (2, True)
    assert load_home(node).joined == ()


@pytest.mark.parametrize("member", ["programme", "partner", "uplink", "lead_signing_key", "token", "expires"])
def test_a_damaged_invite_is_refused_by_member(lead: Path, node: Path, tmp_path: Path, member: str) -> None:
    data = json.loads(invite_of(lead))
    (tmp_path / "invite").write_text(json.dumps(data | {member: "A/../b"}))
    assert member in run("node", "join", tmp_path / "invite", home=node).error
    (tmp_path / "invite").write_text(json.dumps({k: v for k, v in data.items() if k != member}))
    assert member in run("node", "join", tmp_path / "invite", home=node).error
    assert list(FileCarrier(lead / "inbox").read_joins(4096)) == []


def test_an_expired_invite_is_refused(lead: Path, node: Path, tmp_path: Path) -> None:
    (tmp_path / "invite").write_text(invite_of(lead, expires=utcnow() - timedelta(seconds=1)))
    assert "expired" in run("node", "join", tmp_path / "invite", home=node).error
    assert load_home(node).joined == ()


@pytest.mark.parametrize("changes", [{"signing_key": b"x" * 32}, {"partner": OTHER}])
def test_another_lead_or_another_part_in_the_same_programme_is_refused(
    lead: Path, node: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    (tmp_path / "invite").write_text(invite_of(lead))
    run("node", "join", tmp_path / "invite", home=node)
    before = load_home(node)
    (tmp_path / "invite").write_text(invite_of(lead, **changes))
    assert run("node", "join", tmp_path / "invite", home=node).code == 2
    assert load_home(node) == before


def test_an_invite_is_not_noted_where_it_cannot_be_written(lead: Path, tmp_path: Path) -> None:
    with locked(load_home(lead)):  # it would say so if it got as far as the services
        done = run("lead", "admit", OWN, "--programme", KEY, "--out", tmp_path / "none" / "invite", home=lead)
        assert (done.code, "none/invite" in done.error) == (1, True)
        assert run("lead", "admit", OWN, "--programme", KEY, "--out", tmp_path, home=lead).code == 2


# --- complete


def test_a_node_without_receipts_is_not_complete(lead: Path, node: Path) -> None:
    assert run("complete", home=node).code == 0  # it has joined nothing: nothing is missing
    home = load_home(node)
    home = home.with_programme(Joined(KEY, OWN, f"file:{lead / 'inbox'}", "0" * 64, "0" * 64))
    home.save()
    with Journal(database(node), home.name).unit(utcnow()) as unit:
        unit.record(StandingReached("5a" * 16, standing="client"), KEY)
    done = run("complete", home=node)
    assert (done.code, f"{OWN}  {home.name}/{KEY}  0 of 1" in done.out) == (1, True)
    assert "(chain not known; no manifest)" in done.out
    done = run("complete", "--json", home=node)
    (stream,) = json.loads(done.out)["streams"]
    assert (done.code, stream["head"], stream["watermark"], stream["partner"]) == (1, 1, 0, OWN)
    assert (stream["same_chain"], stream["manifest_age_seconds"]) == (None, None)


def test_a_lead_says_what_is_missing_and_exits_1(lead: Path) -> None:
    engine = database(lead)
    received.lead(engine)
    received.admit(engine, OWN, OTHER)
    fact = received.session(1, "kaapeli", "2016-03-01", 60)
    received.receive(engine, received.STREAMS[OWN], [fact], said=3, heard=utcnow())
    done = run("complete", home=lead)
    assert done.code == 1
    assert "lines are missing: 2–3" in done.out
    assert re.search(r"\(chain not known; newest manifest \d+ s old\)", done.out)
    assert "not known" in done.out.splitlines()[1]
    state = json.loads(run("complete", "--json", home=lead).out)
    assert [(row["partner"], row["state"], row["missing"]) for row in state["streams"]] == [
        (OWN, "missing", [[2, 3]]),
        (OTHER, "not_known_since", []),
    ]
    assert state["complete"] is False
    assert kit.rows(engine, reporting.session) == []  # the command opened the home, the receiver did not run


def test_a_command_in_a_process_of_its_own_ends_like_here(node: Path) -> None:
    """`python -m services.node` and the installed `polku` are this command line."""
    site = [sys.executable, "-m", "services.node"]
    for command in (site, [str(Path(sys.executable).parent / "polku")]):
        done = subprocess.run([*command, "report", "x", "--format", "pdf"], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "polku: --format pdf: not in this release\n"


@pytest.fixture
def child_of_nobody(node: Path) -> Iterator[Site]:
    site = Site(node, "node")
    yield site
    site.down()


def test_the_end_of_its_input_ends_a_child_and_its_courier(child_of_nobody: Site) -> None:
    home: Home = load_home(child_of_nobody.path)
    child_of_nobody.up()
    until(lambda: _answers(home.child_port), 20)
    child_of_nobody.down()
    until(lambda: not _answers(home.child_port), 20)
    assert not home.socket.exists()
    with locked(home):
        pass


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_the_actor_of_a_process_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert actor.actor() == f"cli:{getpass.getuser()}"

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert actor.actor() == f"cli:{os.getuid()}"
