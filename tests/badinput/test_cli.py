# green:
"""Every command of `polku` with every argument and option wrong: exit 2, one line on stderr, no traceback.

Made from the tree of commands. A new command needs one line in `HOMES`; if it takes a word that only this home knows, a
value in `words`.
"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from services.node.cli import polku
from services.node.control import _short
from services.portal.users import add_user
from tests.badinput import judging
from tests.badinput.mutations import LONG
from tests.badinput.world import LEADERS, THEM, World
from tests.badinput.world import world as a_world
from tests.services.kit import KEY, NOW
from tests.services.node.commands import Done, run
from tests.services.portal.samples import CHEAP

USER = "worker"
HOMES = {
    **dict.fromkeys(("courier", "import", "period confirm", "person contact", "person erase"), "node"),
    **dict.fromkeys(("node confirm", "node join", "node leave", "node partners", "node tag-key"), "node"),
    **dict.fromkeys(
        ("person apart", "person correct", "person duplicates", "person export", "person informed"), "node"
    ),
    **dict.fromkeys(
        ("person back", "person link", "person receipts", "person restrict", "person withdraw", "retention"), "node"
    ),
    **dict.fromkeys(("product", "step pause", "step proposals", "step show", "user mail", "instrument words"), "node"),
    **dict.fromkeys(("worker assign", "worker hand-over", "worker list"), "node"),
    **dict.fromkeys(("programme close", "programme reopen", "programme seal"), "node"),
    **dict.fromkeys(("lead release", "lead releases", "lead sample", "receiver", "report"), "lead"),
    **dict.fromkeys(("lead accept-epoch", "lead admit", "lead conflicts", "lead expel"), "lead"),
    **dict.fromkeys(("referral accept", "referral decline", "referral follow-up", "referral list"), "node"),
    **dict.fromkeys(("referral send", "referral withdraw"), "node"),
    **dict.fromkeys(("audit verify", "backup", "complete", "journal export", "journal import", "keys rotate"), "any"),
    **dict.fromkeys(
        ("migrate", "parked drop", "parked list", "parked retry", "programme archive", "programme logos"), "any"
    ),
    **dict.fromkeys(("programme load", "score", "up"), "any"),
    **dict.fromkeys(("reporting rebuild", "user add", "user list", "user remove", "user reset"), "any"),
    **dict.fromkeys(("demo", "docs", "init", "programme check", "restore", "synth", "verify"), "none"),
}
"""Which home a command needs: a node's, a lead's, any or none."""
RUNS_ON = {"courier", "receiver", "up", "demo", "docs", "migrate"}
"""Commands that are not let run here: they go on until stopped, or make much."""
WORDS = {
    "nothing": "",
    "a space": " ",
    "10,000 characters": LONG,
    "an escape": "\x1b[2J",
    "a line end": "a\nb",
    "turned around": "\u202ea",
    "bytes that are no UTF-8": "a\udcff",
    "a path": "../../etc/passwd",
    "braces": "{0.__class__}",
    "a wild card": "%",
}
FREE = {
    ("init", "host"): "an address or a name: whether it is one shows when something listens there",
    ("verify", "words"): "what does not match is a difference, exit 1",
    ("parked retry", "service"): "nothing is parked for it",
    ("synth", "seed"): "any whole number",
}
"""Words that may be anything: why."""


def _leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from _leaves(command.get_command(context, name) or command, (*path, name))
    else:
        yield " ".join(path), command


def _is_later(command: click.Command) -> bool:
    """Whether it belongs to a later release (`homeoption.later`)."""
    return any(parameter.type is click.UNPROCESSED for parameter in command.params)


COMMANDS = {name: command for name, command in _leaves(polku) if not _is_later(command)}
EACH = pytest.mark.parametrize("name", [name for name in COMMANDS if name in HOMES])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(tmp_path_factory.mktemp("world")) as made:
        add_user(made.node.engine, USER, ("case_worker",), NOW, CHEAP, home_role="node")
        yield made


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of its own; and what would go on until stopped is not begun, even if bad input is taken."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "changes.json").write_text('{"municipality": "609", "token": "kettu"}')
    for begins in ("demo.run_demo", "up.run_up", "courier.run_courier", "receiver.run_receiver", "serving.run_portal"):
        monkeypatch.setattr(f"services.node.{begins}", _begun)


def _begun(*_: Any, **__: Any) -> None:
    raise AssertionError


def _words(world: World) -> dict[str, str]:
    """What arguments and options may be, by their name."""
    ids = world.ids
    known = {"programme": KEY, "key": KEY, "node": LEADERS, "partner": THEM, "words": ids["words"], "kind": "signing"}
    known |= {"subject": ids["people"]["anna"], "number": ids["received"][0], "became": "started", "service": "intake"}
    known |= {"pos": "1", "reason": "mistake", "form": "json", "role": "node", "roles": "reporter", "agreed": "name"}
    known |= {"one": ids["people"]["anna"], "other": ids["people"]["eerik"], "person": ids["people"]["eerik"]}
    known |= {
        "back": ids["people"]["back"],
        "purpose": "measurement",
        "language": "fi",
        "notice": "1",
        "day": "2016-03-02",
        "since": "2016-04-01",
    }
    known |= {"indicator": "participants_started", "size": "1", "changes": "changes.json", "state": "begun"}
    return known | {"standing": "client", "seed": "1", "scale": "1"}


def _also(name: str, known: dict[str, str]) -> dict[str, str | None]:
    """What a command takes beside what it demands: without it somebody is asked, or nothing would be done."""
    if name in ("person erase", "referral send"):
        return {"subject": known["subject"], "yes": "yes"}
    also: dict[str, dict[str, str | None]] = {
        "person back": {"subject": known["back"], "day": "2016-09-01"},
        "person informed": {"day": known["day"]},
        "person restrict": {"ground": "accuracy"},
        "product": {"key": "plan_sampola"},
        "step pause": {"key": "resources"},
        "worker assign": {"name": USER, "people": known["subject"]},
        "worker hand-over": {"name": "anna", "to": USER},
        "user mail": {"name": USER, "address": "testi@example.org"},
    }
    return ({"subject": known["subject"]} if name.startswith("person ") else {}) | also.get(name, {})


def _line(world: World, name: str, /, **changes: str | None) -> list[str]:
    """A command with what it needs, other words for some parameters; None: left out."""
    known, line = _words(world), name.split()
    changes = _also(name, known) | changes
    if "pos" in changes:
        changes = {"service": "intake"} | changes
    for parameter in COMMANDS[name].params:
        given = changes[str(parameter.name)] if parameter.name in changes else None
        if given is None and parameter.name not in changes and parameter.required:
            given = known.get(str(parameter.name), "zz")
            if isinstance(parameter.type, click.Choice) and given not in parameter.type.choices:
                given = str(parameter.type.choices[0])
        if isinstance(parameter, click.Argument):
            line += [] if given is None else ["--", given] if given.startswith("-") else [given]
        elif given is not None:
            line += [parameter.opts[0]] + ([] if getattr(parameter, "is_flag", False) else [given])
    return line


_ANY_WORD = click.types.StringParamType | click.Path | click.File | click.types.BoolParamType


def _home(world: World, name: str) -> Path:
    return (world.lead if HOMES[name] == "lead" else world.node).home.path


def _wrong(done: Done, codes: tuple[int, ...] = (2,)) -> str:
    """What is wrong with how a command ended; empty if it refused as it must."""
    said = done.err.strip()
    if done.code not in codes:
        return f"exit {done.code}: {said[:200]}"
    if "Traceback" in said or said.startswith("polku: unexpected "):
        return f"an error of ours: {said[:200]}"
    if not said.startswith("polku: ") or done.err.count("\n") != 1:
        return f"not one line: {said[:200]!r}"
    if len(said) > 600 or not said.isprintable():
        return f"a line of {len(said)} characters, or one that a terminal obeys: {said[:100]!r}"
    return ""


def test_every_command_is_known_to_these_tests() -> None:
    new, gone = COMMANDS.keys() - HOMES.keys(), HOMES.keys() - COMMANDS.keys()
    assert not new, f"say in HOMES of {__file__} which home these need: {', '.join(sorted(new))}"
    assert not gone


@EACH
def test_a_wrong_command_line_is_one_line_and_exit_2(world: World, name: str) -> None:
    command, problems = COMMANDS[name], {}
    good = _line(world, name)
    problems["an unknown option"] = _wrong(run(*good, "--zz-no-such", home=_home(world, name)))
    if not any(parameter.nargs == -1 for parameter in command.params):
        more = ["zz"] * (1 + sum(isinstance(p, click.Argument) and not p.required for p in command.params))
        problems["one word more"] = _wrong(run(*good, *more, home=_home(world, name)))
    for parameter in command.params:
        what = str(parameter.name)
        if parameter.required:
            left_out = {what: None, "subject": None}
            problems[f"no {what}"] = _wrong(run(*_line(world, name, **left_out), home=_home(world, name)))
        if not isinstance(parameter.type, _ANY_WORD) and (name, what) not in FREE:
            for word in ("", "zz-none", "1e3", "-7", "99999999999999999999", "3.5", LONG):
                line = _line(world, name, **{what: word})
                problems[f"{what} is {word[:20]!r}"] = _wrong(run(*line, home=_home(world, name)))
    problems = {what: wrong for what, wrong in problems.items() if wrong}
    assert not problems, f"polku {name}: {problems}"


@EACH
def test_words_that_cannot_be_are_one_line_and_exit_2_and_change_nothing(world: World, name: str) -> None:
    if name in RUNS_ON:
        return
    before, problems = world.content(), {}
    for parameter in COMMANDS[name].params:
        what = str(parameter.name)
        if not isinstance(parameter.type, click.types.StringParamType) or (name, what) in FREE or what == "home":
            continue
        for wrong, word in WORDS.items():
            if said := _wrong(run(*_line(world, name, **{what: word}), home=_home(world, name))):
                problems[f"{what} is {wrong}"] = said
    assert not problems, f"polku {name}: " + "\n  ".join(f"{what}: {said}" for what, said in problems.items())
    assert judging.written(world, before) == []


@EACH
def test_files_and_folders_that_cannot_be_are_one_line(world: World, name: str, tmp_path: Path) -> None:
    if name in RUNS_ON:
        return
    (tmp_path / "file").write_bytes(b"\xff\x00no text\n" * 100)
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    problems = {}
    for parameter in COMMANDS[name].params:
        if not isinstance(parameter.type, click.Path | click.File):
            continue
        for path in ("file", "empty", "folder", "none/none", "x" * 300, "a\udcff/b", ""):
            done = run(*_line(world, name, **{str(parameter.name): path}), home=_home(world, name))
            said = _wrong(done, (0, 1, 2)) if done.err and done.code else ""
            if said and not (name.startswith("programme ") and "line " in done.err):
                problems[f"{parameter.name} is {path[:20]!r}"] = said
    assert not problems, f"polku {name}: " + "\n  ".join(f"{what}: {said}" for what, said in problems.items())


@EACH
def test_a_home_of_the_wrong_role_or_none_is_one_line_and_exit_2(world: World, name: str, tmp_path: Path) -> None:
    (tmp_path / "zz").mkdir()
    line, needs = _line(world, name), HOMES[name]
    if needs != "none":
        assert _wrong(run(*line, home=tmp_path / "nowhere")) == ""
        assert not (tmp_path / "nowhere").exists()
    if needs in ("node", "lead"):
        other = world.lead if needs == "node" else world.node
        before = world.content()
        assert _wrong(run(*line, home=other.home.path)) == ""
        assert judging.written(world, before) == []


@pytest.mark.parametrize("request_", [b"\xff\n", b"[]\n", b"{}\n", b"[" * 9000 + b"\n", None])
def test_what_is_no_request_on_the_control_socket_is_answered_as_such(world: World, request_: bytes | None) -> None:
    asked = '{"service": "intake", "method": "list_people", "timeout": 5, "kwargs": {"limit": NaN, "by": "\\ud800"}}'
    with socket.socket(socket.AF_UNIX) as client, _short(world.node.home.socket) as address:
        client.connect(address)
        client.sendall(request_ or asked.encode() + b"\n")
        answer = json.loads(client.makefile("rb").readline())
    assert answer["error"]["code"] == "invalid_input"
