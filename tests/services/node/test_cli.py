"""The `polku` command line as people and scripts meet it: exit codes, one line per error, nothing half done."""

import fcntl
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from services.node import actor
from services.node.cli import LATER, polku
from services.node.opening import init_home, locked, open_database
from services.reporting import store as reporting
from shared.contracts.catalogue import StandingReached
from shared.journal import Journal
from shared.journal.crypto import load_keys
from shared.journal.filecarrier import FileCarrier
from shared.journal.joining import Invite
from shared.ops.clock import utcnow
from shared.ops.settings import Home, Joined, load_home
from shared.programmes.files import programme_file
from shared.testing.wait import until
from tests.flows.kit import Site, free_port_triple
from tests.services import kit
from tests.services.kit import KEY, OTHER, OWN
from tests.services.reporting import kit as received

FILE = str(programme_file(KEY))
TOKEN = "7" * 64


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error."""
        assert self.code in (1, 2)
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("polku: ")
        return self.err.removeprefix("polku: ").strip()


def run(*arguments: object, home: Path | None = None, **environment: str | None) -> Done:
    """A command in this process; what it prints and its exit code. It never raises."""
    at = ("--home", home) if home else ()
    made = CliRunner(env={"POLKU_HOME": None, **environment}).invoke(polku, [str(word) for word in (*at, *arguments)])
    assert made.exception is None or isinstance(made.exception, SystemExit), made.exception
    return Done(made.exit_code, made.stdout, made.stderr)


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lead and a node as `polku init` makes them, to be copied."""
    folder = tmp_path_factory.mktemp("homes")
    init_home(folder / "lead", "lead", port=free_port_triple())
    init_home(folder / "node", "node", "pori", free_port_triple())
    return folder


@pytest.fixture
def lead(templates: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(templates / "lead", tmp_path / "lead"))


@pytest.fixture
def node(templates: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(templates / "node", tmp_path / "node"))


def database(home: Path) -> Engine:
    return open_database(load_home(home))


def invite_of(lead: Path, **changes: Any) -> str:
    """An invite by this lead as it is handed over."""
    keys = load_keys(lead / "keys")
    given = {
        "programme": KEY,
        "partner": OWN,
        "uplink": f"file:{lead / 'inbox'}",
        "signing_key": keys.newest("signing").public,
        "receiving_key": keys.newest("receiving").public,
        "token": TOKEN,
        "expires": utcnow() + timedelta(days=1),
    }
    return Invite(**given | changes).to_json()


# --- wrong words


def test_help_names_the_commands_and_costs_no_home(tmp_path: Path) -> None:
    done = run("--help", home=tmp_path / "none")
    assert done.code == 0
    for command in ("init", "up", "user", "programme", "import", "report", "complete", "demo", "lead", "node", "synth"):
        assert f"\n  {command} " in done.out


@pytest.mark.parametrize("words", [["--nope"], ["bogus"], ["init"], ["init", "--role", "king"], ["user", "add"]])
def test_a_wrong_command_line_is_one_line_and_exit_2(words: list[str]) -> None:
    done = run(*words)
    assert done.code == 2
    assert done.error


@pytest.mark.parametrize("command", sorted(LATER))
def test_a_command_of_a_later_release_says_so(command: str) -> None:
    done = run(command, "whatever", "--some-option", "x")
    assert (done.code, done.error.endswith("not in this release")) == (2, True)


@pytest.mark.parametrize("words", [("expel", OWN), ("conflicts",), ("accept-epoch", "pori-0a1b2c3d")])
def test_what_a_lead_can_do_later_says_so(words: tuple[str, ...]) -> None:
    assert run("lead", *words).error.endswith("not in this release")


@pytest.mark.parametrize(
    "words",
    [
        *(("--format", form) for form in ("csv", "xlsx", "pdf", "docx")),
        *(("--format", "json", "--audience", audience) for audience in ("internal", "steering", "public")),
        *(("--format", "json", option, "x") for option in ("--period", "--by", "--release")),
    ],
)
def test_a_report_that_is_not_due_yet_says_so(words: tuple[str, ...]) -> None:
    done = run("report", KEY, *words)
    assert (done.code, done.out) == (2, "")
    assert done.error.endswith("not in this release")


# --- homes


def test_init_makes_a_home_that_only_its_owner_can_open(tmp_path: Path) -> None:
    done = run("init", "--role", "node", "--name", "pori", "--port", 18401, home=tmp_path / "n")
    assert done.code == 0
    home = load_home(tmp_path / "n")
    assert (home.role, home.name[:5], home.port) == ("node", "pori-", 18401)
    assert home.name in done.out
    for path, mode in ((home.path, 0o700), (home.keys, 0o700), (home.path / "node.db", 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    secret = [p for p in home.keys.iterdir() if p.suffix != ".pub"]
    assert {p.name for p in secret} == {"signing-1", "receiving-1", "vault-1", "index-1", "bus-1"}
    assert {stat.S_IMODE(p.stat().st_mode) for p in secret} == {0o600}


def test_init_never_touches_a_home_that_is_there(node: Path) -> None:
    before = {path: path.read_bytes() for path in node.rglob("*") if path.is_file()}
    done = run("init", "--role", "lead", home=node)
    assert (done.code, "is a home already" in done.error) == (2, True)
    assert {path: path.read_bytes() for path in node.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("--role", "node"), 2, "name"),
        (("--role", "node", "--name", "Pori"), 2, "name"),
        (("--role", "node", "--name", "a" * 25), 2, "name"),
        (("--role", "node", "--name", "../x"), 2, "name"),
        (("--role", "lead", "--name", "pori"), 2, "name"),
        (("--role", "lead", "--port", "65000"), 2, "--port"),
    ],
)
def test_init_refuses_and_leaves_nothing(tmp_path: Path, words: tuple[str, ...], code: int, why: str) -> None:
    done = run("init", *words, home=tmp_path / "h")
    assert (done.code, why in done.error) == (code, True)
    assert not (tmp_path / "h").exists()


def test_init_where_nothing_can_be_written_is_a_failure(tmp_path: Path) -> None:
    assert run("init", "--role", "lead", home=Path("/dev/null/h")).code == 1
    (tmp_path / "file").touch()
    assert "not a directory" in run("init", "--role", "lead", home=tmp_path / "file").error


def test_a_home_is_named_before_or_after_the_command_or_by_the_environment(
    node: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for words in (
        ("--home", node, "user", "list"),
        ("user", "--home", node, "list"),
        ("user", "list", "--home", node),
        ("--home", tmp_path, "user", "list", "--home", node),
    ):
        assert run(*words).code == 0
    assert run("user", "list", POLKU_HOME=str(node)).code == 0
    monkeypatch.chdir(tmp_path)
    assert "var/polku" in run("user", "list").error
    (tmp_path / "var").mkdir()
    node.rename(tmp_path / "var" / "polku")
    assert run("user", "list").code == 0


@pytest.mark.parametrize("text", ["", "role = 'king'", "role =", "\x00", 'role = "node"\nname = "x"\nport = 1'])
def test_a_damaged_home_is_named_in_one_line(node: Path, text: str) -> None:
    (node / "home.toml").write_text(text)
    done = run("complete", home=node)
    assert (done.code, "home.toml" in done.error) == (2, True)


def test_a_database_that_is_gone_is_not_made_anew(node: Path) -> None:
    """With the same keys a new one would begin another history, which the lead would take for a conflict."""
    (node / "node.db").unlink()
    done = run("complete", home=node)
    assert (done.code, "database file is gone" in done.error) == (2, True)
    assert not (node / "node.db").exists()


def test_a_damaged_database_or_key_is_one_line_without_its_content(node: Path) -> None:
    (node / "node.db").write_bytes(b"secret content, no database" * 50)
    done = run("user", "list", home=node)
    assert (done.code, "secret" in done.error) == (1, False)
    invite = node / "invite"
    invite.write_text(invite_of(node))
    (node / "keys" / "bus-1").write_text("secret")
    done = run("node", "join", invite, home=node)
    assert (done.code, done.error) == (1, "key file bus-1: not 64 hex digits")


@pytest.mark.parametrize("url", ["nonsense", "oracle://x/y"])
def test_a_wrong_database_url_is_named(node: Path, url: str) -> None:
    done = run("user", "list", home=node, POLKU_DATABASE_URL=url)
    assert "POLKU_DATABASE_URL" in done.error
    assert url not in done.error


def test_a_command_for_the_other_role_is_refused(lead: Path, node: Path, tmp_path: Path) -> None:
    (tmp_path / "invite").touch()
    for home, words in (
        (node, ("report", KEY, "--format", "json")),
        (node, ("lead", "admit", OWN, "--programme", KEY)),
        (node, ("receiver",)),
        (lead, ("node", "join", tmp_path / "invite")),
        (lead, ("import", tmp_path)),
        (lead, ("courier",)),
    ):
        done = run(*words, home=home)
        assert (done.code, "home; the command is for a" in done.error) == (2, True)


# --- users


def test_users_are_made_listed_reset_and_removed(node: Path) -> None:
    assert run("user", "list", home=node).out == ""
    first = run("user", "add", "maija", "--role", "case_worker,coordinator", home=node)
    assert (first.code, len(first.out.split())) == (0, 1)
    listed = json.loads(run("user", "list", "--json", home=node).out)
    assert listed == [{"name": "maija", "roles": ["case_worker", "coordinator"], "must_change": True}]
    assert run("user", "list", home=node).out.startswith("maija  case_worker,coordinator")
    second = run("user", "reset", "maija", home=node)
    assert second.out.strip() not in ("", first.out.strip())
    assert first.out.strip().encode() not in kit.stored_bytes(database(node))
    assert run("user", "remove", "maija", home=node).code == 0
    assert json.loads(run("user", "list", "--json", home=node).out) == []


@pytest.mark.parametrize(
    "words",
    [
        ("add", "maija", "--role", "king"),
        ("add", "maija", "--role", ""),
        ("add", "maija", "--role", "reporter"),
        ("add", "Maija M", "--role", "case_worker"),
        ("add", "a\nb", "--role", "case_worker"),
        ("reset", "nobody"),
        ("remove", "nobody"),
    ],
)
def test_a_user_that_cannot_be_is_one_line_and_exit_2(node: Path, words: tuple[str, ...]) -> None:
    done = run("user", *words, home=node)
    assert (done.code, bool(done.error), done.out) == (2, True, "")


def test_a_user_is_made_once(node: Path) -> None:
    run("user", "add", "maija", "--role", "auditor", home=node)
    assert "maija" in run("user", "add", "maija", "--role", "auditor", home=node).error


# --- programme files


def test_check_shows_every_problem_with_its_line(tmp_path: Path) -> None:
    assert run("programme", "check", FILE).code == 0
    bad = tmp_path / f"{KEY}.yaml"
    bad.write_text(Path(FILE).read_text().replace("languages: [fi]", "langages: [fi]").replace("role: lead", "role: x"))
    done = run("programme", "check", bad)
    assert done.code == 2
    assert all(line.startswith("line ") for line in done.err.splitlines())
    assert len(done.err.splitlines()) >= 2
    assert run("programme", "check", tmp_path / "none.yaml").code == 2


def test_a_bad_file_is_not_loaded_and_starts_nothing(node: Path, tmp_path: Path) -> None:
    with locked(load_home(node)):  # it would say so if it tried to open the home
        done = run("programme", "load", tmp_path / "none.yaml", home=node)
    assert (done.code, "no such file" in done.err) == (2, True)


def test_synth_knows_only_the_programmes_of_the_distribution(tmp_path: Path) -> None:
    for key in ("kuu", "../lahde-mukaan", "/etc/passwd"):
        assert run("synth", key, "--out", tmp_path).code == 2


# --- who works in a home


def test_a_home_that_another_process_holds_is_not_opened_twice(node: Path) -> None:
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
    assert kit.kinds(database(node)) == ["pathways.programme_loaded"]


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
    done = run("complete", "--json", home=node)
    (stream,) = json.loads(done.out)["streams"]
    assert (done.code, stream["head"], stream["watermark"], stream["partner"]) == (1, 1, 0, OWN)


def test_a_lead_says_what_is_missing_and_exits_1(lead: Path) -> None:
    engine = database(lead)
    received.lead(engine)
    received.admit(engine, OWN, OTHER)
    fact = received.session(1, "kaapeli", "2016-03-01", 60)
    received.receive(engine, received.STREAMS[OWN], [fact], said=3, heard=utcnow())
    done = run("complete", home=lead)
    assert done.code == 1
    assert "lines are missing: 2–3" in done.out
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
        done = subprocess.run([*command, "backup", "x"], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", "polku: backup: not in this release\n")


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
    assert actor.actor() == f"cli:{actor.getpass.getuser()}"

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(actor.getpass, "getuser", nobody)
    assert actor.actor() == f"cli:{os.getuid()}"
