"""The `polku` command line as people and scripts meet it: exit codes, one line per error, nothing half done."""

import json
import stat
from pathlib import Path

import pytest

from services.node.opening import locked
from shared.ops.settings import load_home
from shared.programmes.files import programme_file
from tests.services import kit
from tests.services.kit import KEY, OWN
from tests.services.node.commands import database, invite_of, run

FILE = str(programme_file(KEY))


# --- wrong words


def test_help_names_the_commands_and_costs_no_home(tmp_path: Path) -> None:
    done = run("--help", home=tmp_path / "none")
    assert done.code == 0
    for command in (
        "init",
        "up",
        "user",
        "programme",
        "import",
        "report",
        "complete",
        "demo",
        "lead",
        "node",
        "synth",
        "score",
    ):
        assert f"\n  {command} " in done.out


@pytest.mark.parametrize("words", [["--nope"], ["bogus"], ["init"], ["init", "--role", "king"], ["user", "add"]])
def test_a_wrong_command_line_is_one_line_and_exit_2(words: list[str]) -> None:
    done = run(*words)
    assert done.code == 2
    assert done.error


@pytest.mark.parametrize(
    "words",
    [
        *(("--format", form) for form in ("xlsx", "pdf", "docx")),
        *(("--format", "json", "--audience", audience) for audience in ("internal", "steering", "public")),
        *(("--format", "json", option, "x") for option in ("--period", "--by")),
    ],
)
def test_a_report_that_is_not_due_yet_says_so(words: tuple[str, ...]) -> None:
    done = run("report", KEY, *words)
    assert (done.code, done.out) == (2, "")
    assert done.error.endswith("not in this release")


def test_a_release_takes_no_days_of_its_own() -> None:
    done = run("report", KEY, "--format", "json", "--release", "ab" * 16, "--from", "2016-01-01")
    assert (done.code, done.out) == (2, "")
    assert done.error.startswith("--release: a release has its own days")


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
