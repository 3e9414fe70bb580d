"""`polku demo`: a lead and a node as own processes, joined through a folder, with a programme's synthetic people.

What the demo does, people do with the same functions behind their commands, so it is a test of them. A second start
finds its homes and adds nothing.
"""

import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from services.node.accounts import add, listing
from services.node.admitting import invite, join
from services.node.children import Child
from services.node.complete import node_state
from services.node.control import Rpc, connect
from services.node.csvset import check_set
from services.node.importing import Import
from services.node.opening import init_home, recorded_to
from services.node.reaching import services_of
from services.node.synth import synthesize
from shared.contracts.errors import HomeUnusable
from shared.journal.crypto import load_keys
from shared.ops.settings import Home, Role, load_home
from shared.programmes import load_file, parse
from shared.programmes.files import programme_file

PROGRAMMES = ("lahde-mukaan",)
WAIT_SECONDS = 120.0
BY = "cli:demo"
ROLES: dict[Role, tuple[str, ...]] = {"lead": ("reporter",), "node": ("coordinator", "case_worker")}


def run_demo(directory: Path, port: int, *, once: bool) -> int:
    """Make or find the homes, start them, load what is missing, then serve until stopped or print the reports."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    documents = {key: load_file(programme_file(key)) for key in PROGRAMMES}
    lead_partner = parse(documents[PROGRAMMES[0]]).lead.key
    node_name = lead_partner.replace("_", "-")
    lead = _home(directory / "lead", "lead", "", port)
    node = _home(directory / node_name, "node", node_name, port + 1)
    passwords = {home.name: _user(home) for home in (lead, node)}
    children: list[Child] = []
    try:
        children.append(_start(lead))
        for document in documents.values():
            node = _join(lead, node, document, lead_partner)
        children.append(_start(node))
        for document in documents.values():
            _load(node, document)
            _confirm(node, document)
            _wait_until_arrived(lead, node, document["key"], stopping)
        if once:
            click.echo(json.dumps([_report(lead, key) for key in documents], indent=2, ensure_ascii=False))
            return 0
        _say_where([lead, node], passwords)
        while not stopping.wait(1):
            for child in children:
                if child.ended() is not None:
                    raise HomeUnusable(home=str(directory), reason=f"a home ended with exit code {child.ended()}")
        return 0
    finally:
        for child in reversed(children):
            child.end()


def _home(path: Path, role: Role, name: str, port: int) -> Home:
    if (path / "home.toml").exists():
        return load_home(path)
    return init_home(path, role, name, port)


def _user(home: Home) -> str | None:
    """The one-time password of the home's first user; None if it has users already."""
    if listing(home):
        return None
    return add(home, ROLES[home.role][0], ROLES[home.role])


def _start(home: Home) -> Child:
    """Start the home and wait until it answers."""
    child = Child(home.path, "up")
    deadline = time.monotonic() + WAIT_SECONDS
    while (client := connect(home.socket)) is None:
        if child.ended() is not None or time.monotonic() > deadline:
            child.end()
            raise HomeUnusable(home=str(home.path), reason="it does not start; see the messages above")
        time.sleep(0.05)
    client.close()
    return child


def _join(lead: Home, node: Home, document: dict[str, Any], partner: str) -> Home:
    """The lead loads the programme and admits the node; the node's answer goes through the lead's folder."""
    key = document["key"]
    if key in {place.programme for place in node.joined}:
        return node
    with services_of(lead) as rpc:
        rpc.call("reporting", "load_programme", by=BY, document=document)
        text = invite(lead, rpc, key, partner, BY)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "invite.json"
        file.write_text(text, encoding="utf-8")
        return join(node, file)


def _load(node: Home, document: dict[str, Any]) -> None:
    """Synthetic people through the services' own commands; what is there already stays."""
    programme = parse(document)
    with services_of(node) as rpc, tempfile.TemporaryDirectory() as folder:
        after = _wait_for_programme(node, rpc, programme.key, programme.digest)
        synthesize(document, Path(folder), seed=1, scale=1)
        partners = {place.programme: place.partner for place in node.joined}
        checked = check_set(Path(folder), {programme.key: programme}, partners)
        bus_key = load_keys(node.keys).newest("bus").public
        assert bus_key is not None
        bar = click.progressbar(length=sum(checked.taken.values()), label=programme.key, file=sys.stderr)
        with bar:
            work = Import(rpc, bus_key, progress=lambda _file, rows: bar.update(rows), by=BY, after=after)
            work.run(checked)


def _wait_for_programme(node: Home, rpc: Rpc, key: str, digest: str) -> int:
    """Wait until the lead's version of the programme is in use at the node; the journal's position then."""
    deadline = time.monotonic() + WAIT_SECONDS
    while _digest_in_use(rpc, key) != digest:
        if time.monotonic() > deadline:
            raise HomeUnusable(home=str(node.path), reason=f"{key} has not come from the lead")
        time.sleep(0.1)
    return recorded_to(node)


def _digest_in_use(rpc: Rpc, key: str) -> str | None:
    """The digest of the programme version in use."""
    found = {row["programme"]: row["document"] for row in rpc.call("pathways", "list_programmes")}
    return parse(found[key]).digest if key in found else None


def _confirm(node: Home, document: dict[str, Any]) -> None:
    """Confirm what is over and not confirmed yet."""
    with services_of(node) as rpc:
        for period in parse(document).periods:
            rpc.call("pathways", "confirm_period", by=BY, programme=document["key"], period=period.key)


def _wait_until_arrived(lead: Home, node: Home, key: str, stopping: threading.Event) -> None:
    """Wait until the lead's figures contain all that the node has recorded and confirmed."""
    periods = parse(load_file(programme_file(key))).periods
    head = {row["stream"]: row["head"] for row in node_state(node)["streams"]}[f"{node.name}/{key}"]
    deadline = time.monotonic() + WAIT_SECONDS
    while not stopping.wait(0.1):
        report = _report(lead, key)
        reached = [row["watermark"] for row in report["streams"] if row["node"] == node.name]
        confirmed = {row["period"] for row in report["confirmed"]}
        if report["arrived"] and reached == [head] and confirmed == {period.key for period in periods}:
            return
        if time.monotonic() > deadline:
            raise HomeUnusable(home=str(lead.path), reason=f"not all has arrived after {WAIT_SECONDS:.0f} s")


def _report(lead: Home, key: str) -> dict[str, Any]:
    with services_of(lead) as rpc:
        report: dict[str, Any] = rpc.call("reporting", "report", programme=key)
    return report


def _say_where(homes: Sequence[Home], passwords: dict[str, str | None]) -> None:
    for home in homes:
        click.echo(f"{home.name}: http://{home.host}:{home.port}/", err=True)
        if password := passwords[home.name]:
            click.echo(f"  user {ROLES[home.role][0]}, one-time password {password}", err=True)
        else:
            click.echo(
                "  its users are there already (`polku --home DIR user reset NAME` makes a new password)", err=True
            )
    click.echo("stop with Ctrl-C", err=True)
