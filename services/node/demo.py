"""`polku demo`: a lead and its partners' nodes as own processes, joined for real, with synthetic people.

What the demo does, people do with the same functions behind their commands, so it is a test of them. Each programme
file names under `synthetic` the partners that have a node here; the others have not joined, and the reports say so.

Served (without `--once`), one partner is left **behind**: its link breaks after its node has said how far its stream
goes, so the lead knows exactly which lines it lacks. `polku up` on that node's home, by hand, brings them. A second
start finds its homes and adds nothing; it leaves a node alone that is still behind.
"""

import csv
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from services.node.accounts import add, listing
from services.node.admitting import invite, join
from services.node.breaking import break_link
from services.node.children import Child
from services.node.complete import lead_state, node_state
from services.node.control import Rpc, connect
from services.node.csvrows import ATTENDANCE, OPTIONAL, PARTICIPANTS
from services.node.csvset import check_set
from services.node.importing import Import, RowRefused
from services.node.opening import init_home, recorded_to
from services.node.reaching import services_of
from services.node.reports import certified
from services.node.synth import synthesize
from shared.contracts.errors import AlreadyRecordedDiffers, HomeUnusable
from shared.journal.crypto import load_keys
from shared.ops.settings import Home, Role, load_home
from shared.programmes import Programme, load_file, parse
from shared.programmes.files import programme_file

PROGRAMMES = ("osallisuuden-askeleet", "lahde-mukaan")
BEHIND = ("osallisuuden-askeleet", "settlement")
"""The programme and the partner whose link breaks."""
WITHHELD = 12
"""How many of its attendances are recorded after that."""
WAIT_SECONDS = 180.0
BY = "cli:demo"
ROLES: dict[Role, tuple[str, ...]] = {"lead": ("reporter",), "node": ("coordinator", "case_worker")}


@dataclass(slots=True)
class Member:
    """A partner's node in a programme; `child` while it runs."""

    document: dict[str, Any]
    partner: str
    home: Home
    child: Child | None = None

    @property
    def programme(self) -> Programme:
        """The programme, parsed."""
        return parse(self.document)

    @property
    def stream(self) -> str:
        """The stream that the node ships to the lead."""
        return f"{self.home.name}/{self.document['key']}"

    @property
    def breaks(self) -> bool:
        """Whether this is the partner whose link breaks."""
        return (self.document["key"], self.partner) == BEHIND


@dataclass(slots=True)
class Demo:
    """The homes of the demo, and what runs of them."""

    lead: Home
    members: list[Member]
    passwords: dict[str, str | None]
    stopping: threading.Event
    children: list[Child] = field(default_factory=list)

    def start(self, homes: Sequence[Home]) -> list[Child]:
        """Start homes, all at once, and wait until each answers."""
        started = [Child(home.path, "up") for home in homes]
        self.children += started
        for home, child in zip(homes, started, strict=True):
            deadline = time.monotonic() + WAIT_SECONDS
            while (client := connect(home.socket)) is None:
                if child.ended() is not None or time.monotonic() > deadline:
                    raise HomeUnusable(home=str(home.path), reason="it does not start; see the messages above")
                time.sleep(0.05)
            client.close()
        return started

    def end(self) -> None:
        """Stop everything."""
        for child in reversed(self.children):
            child.end()

    def stop(self, member: Member) -> None:
        """Stop one node."""
        assert member.child is not None
        member.child.end()
        self.children.remove(member.child)
        member.child = None


def run_demo(directory: Path, port: int, *, once: bool) -> int:
    """Make or find the homes, start them, load what is missing, then serve until stopped or print the reports."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    documents = {key: load_file(programme_file(key)) for key in PROGRAMMES}
    demo = _homes(directory, port, documents, stopping)
    with ExitStack() as running:
        running.callback(demo.end)
        demo.start([demo.lead])
        for member in demo.members:
            member.home = _join(demo.lead, member)
        behind = [] if once else [m for m in demo.members if m.breaks and _missing(demo.lead, m)]
        present = [member for member in demo.members if member not in behind]
        for member, child in zip(present, demo.start([member.home for member in present]), strict=True):
            member.child = child
        for member in present:
            fresh = member.breaks and not once and not node_state(member.home)["streams"][0]["head"]
            _load(member, withhold=WITHHELD if fresh else 0)
            if fresh:
                behind.append(member)
            else:
                _confirm(member)
        _wait_until_arrived(demo, [member for member in present if member not in behind])
        if once:
            with services_of(demo.lead) as rpc:
                files = [certified(demo.lead, rpc, key, "json").decode().rstrip() for key in documents]
            listed = ",\n".join(files)
            click.echo(f"[{listed}]")  # each as it was certified, to the byte
            return 0
        for member in behind:
            if member.child is not None:
                _leave_behind(demo, member)
        _say_where(demo, behind)
        while not stopping.wait(1):
            for child in demo.children:
                if child.ended() is not None:
                    raise HomeUnusable(home=str(directory), reason=f"a home ended with exit code {child.ended()}")
        return 0


def _homes(directory: Path, port: int, documents: Mapping[str, dict[str, Any]], stopping: threading.Event) -> Demo:
    lead = _home(directory / "lead", "lead", "", port)
    members: list[Member] = []
    for document in documents.values():
        for partner in parse(document).synthetic_partners:
            name = partner.replace("_", "-")
            members.append(Member(document, partner, _home(directory / name, "node", name, port + 1 + len(members))))
    passwords = {home.name: _user(home) for home in (lead, *(member.home for member in members))}
    return Demo(lead, members, passwords, stopping)


def _home(path: Path, role: Role, name: str, port: int) -> Home:
    if (path / "home.toml").exists():
        return load_home(path)
    return init_home(path, role, name, port)


def _user(home: Home) -> str | None:
    """The one-time password of the home's first user; None if it has users already."""
    if listing(home):
        return None
    return add(home, ROLES[home.role][0], ROLES[home.role])


def _join(lead: Home, member: Member) -> Home:
    """The lead loads the programme and admits the node; the node's answer goes through the lead's folder.

    Loaded each time: another release may have made these homes, with its version of the file.
    """
    node, key = member.home, member.document["key"]
    with services_of(lead) as rpc:
        rpc.call("reporting", "load_programme", by=BY, document=member.document)
        if key in {place.programme for place in node.joined}:
            return node
        text = invite(lead, rpc, key, member.partner, BY).to_json()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "invite.json"
        file.write_text(text, encoding="utf-8")
        return join(node, file)


def _load(member: Member, *, withhold: int = 0) -> None:
    """Synthetic people through the services' own commands; what is there already stays. The last `withhold` of the
    node's attendances are left out."""
    with services_of(member.home) as rpc:
        _import(member, rpc, withhold)


def _import(member: Member, rpc: Rpc, withhold: int) -> None:
    node, programme = member.home, member.programme
    with tempfile.TemporaryDirectory() as folder:
        after = _wait_for_programme(node, rpc, programme)
        synthesize(member.document, Path(folder), seed=1, scale=1)
        partners = {place.programme: place.partner for place in node.joined}
        if withhold:
            _cut(Path(folder) / ATTENDANCE, check_set(Path(folder), {programme.key: programme}, partners), withhold)
        try:
            _bring(member, rpc, Path(folder), partners, after)
        except RowRefused as refused:
            if refused.params["reason"] != str(AlreadyRecordedDiffers(field="ref")):
                raise
            # A release made these homes whose people were not asked yet what the optional columns ask.
            _cut_columns(Path(folder) / PARTICIPANTS, len(OPTIONAL[PARTICIPANTS]))
            _bring(member, rpc, Path(folder), partners, after)


def _bring(member: Member, rpc: Rpc, folder: Path, partners: Mapping[str, str], after: int) -> None:
    """Import the set; what is there already stays. Raises `RowRefused`."""
    programme = member.programme
    checked = check_set(folder, {programme.key: programme}, partners)
    bus_key = load_keys(member.home.keys).newest("bus").public
    assert bus_key is not None
    label = f"{programme.key}: {member.partner}"
    with click.progressbar(length=sum(checked.taken.values()), label=label, file=sys.stderr) as bar:
        work = Import(rpc, bus_key, progress=lambda _file, rows: bar.update(rows), by=BY, after=after)
        work.run(checked)


def _wait_for_programme(node: Home, rpc: Rpc, programme: Programme) -> int:
    """Wait until the lead's version of the programme is in use at the node; the journal's position then."""
    deadline = time.monotonic() + WAIT_SECONDS
    while _digest_in_use(rpc, programme.key) != programme.digest:
        if time.monotonic() > deadline:
            raise HomeUnusable(home=str(node.path), reason=f"{programme.key} has not come from the lead")
        time.sleep(0.1)
    return recorded_to(node)


def _digest_in_use(rpc: Rpc, key: str) -> str | None:
    """The digest of the programme version in use."""
    found = {row["programme"]: row["document"] for row in rpc.call("pathways", "list_programmes")}
    return parse(found[key]).digest if key in found else None


def _cut(file: Path, checked: Any, count: int) -> None:
    """Take the last attendances of this node out of the file."""
    own = [(row.session, row.participant) for row in checked.attendance()][-count:]
    _rewrite(file, lambda rows: [row for row in rows if (row[0], row[1]) not in own])


def _cut_columns(file: Path, count: int) -> None:
    """Take the last columns out of the file."""
    _rewrite(file, lambda rows: [row[:-count] for row in rows])


def _rewrite(file: Path, change: Callable[[list[list[str]]], list[list[str]]]) -> None:
    with file.open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))
    with file.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target, lineterminator="\n").writerows(change(rows))


def _confirm(member: Member) -> None:
    """Confirm what is over and not confirmed yet."""
    with services_of(member.home) as rpc:
        for period in member.programme.periods:
            rpc.call("pathways", "confirm_period", by=BY, programme=member.document["key"], period=period.key)


def _leave_behind(demo: Demo, member: Member) -> None:
    """Stop the node, record the rest in its home, and let its link break between manifest and segments."""
    demo.stop(member)
    _load(member)
    _confirm(member)
    break_link(member.home, member.document["key"])
    _until(demo, lambda: bool(_missing(demo.lead, member)), "the lead has not heard how far its partner is")


def _missing(lead: Home, member: Member) -> list[list[int]]:
    """The ranges of the member's lines that the lead knows of and lacks."""
    rows = {row["stream"]: row["missing"] for row in lead_state(lead)["streams"]}
    return list(rows.get(member.stream, []))


def _wait_until_arrived(demo: Demo, members: Sequence[Member]) -> None:
    """Wait until the lead's figures contain all that these nodes have recorded and confirmed."""
    heads = {m.stream: {row["stream"]: row["head"] for row in node_state(m.home)["streams"]}[m.stream] for m in members}

    def arrived() -> bool:
        for key in {member.document["key"] for member in members}:
            report = _report(demo.lead, key)
            reached = {f"{row['node']}/{key}": row["watermark"] for row in report["streams"]}
            confirmed = {(row["partner"], row["period"]) for row in report["confirmed"]}
            for member in members:
                periods = {(member.partner, period.key) for period in member.programme.periods}
                if member.document["key"] == key and (
                    reached.get(member.stream) != heads[member.stream] or not periods <= confirmed
                ):
                    return False
        return True

    _until(demo, arrived, "not all has arrived")


def _until(demo: Demo, condition: Any, what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition() and not demo.stopping.wait(0.2):
        if time.monotonic() > deadline:
            raise HomeUnusable(home=str(demo.lead.path), reason=f"{what} after {WAIT_SECONDS:.0f} s")


def _report(lead: Home, key: str) -> dict[str, Any]:
    with services_of(lead) as rpc:
        report: dict[str, Any] = rpc.call("reporting", "report", programme=key)
    return report


def _say_where(demo: Demo, behind: Sequence[Member]) -> None:
    for home in (demo.lead, *(member.home for member in demo.members)):
        stopped = "  (stopped)" if home.name in {member.home.name for member in behind} else ""
        click.echo(f"{home.name}: http://{home.host}:{home.port}/{stopped}", err=True)
        if password := demo.passwords[home.name]:
            click.echo(f"  user {ROLES[home.role][0]}, one-time password {password}", err=True)
        else:
            click.echo(
                "  its users are there already (`polku --home DIR user reset NAME` makes a new password)", err=True
            )
    for member in behind:
        lacks = ", ".join(f"{first}–{last}" for first, last in _missing(demo.lead, member))
        page = f"http://{demo.lead.host}:{demo.lead.port}/report/{member.document['key']}"
        click.echo(f"\nThe link of {member.partner} is broken: the lead lacks its lines {lacks}, see {page}", err=True)
        click.echo(f"Mend it, in another terminal: {_program()} --home {member.home.path} up", err=True)
    click.echo("stop with Ctrl-C", err=True)


def _program() -> str:
    """How this program was called: `polku` need not be on the path."""
    return sys.argv[0] if Path(sys.argv[0]).name == "polku" else "polku"
