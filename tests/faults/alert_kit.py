"""A lead and a node on disk whose courier and receiver go round by round, with a clock of the test's own."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

from prometheus_client import REGISTRY, Gauge

from services.node.admitting import join
from services.node.courier import CourierRounds
from services.node.opening import init_home, open_database
from services.node.receiver import ReceiverRounds
from services.node.rounds import Rounds
from services.reporting import operations, versions
from shared.contracts.facts import Fact
from shared.journal import Journal
from shared.journal.crypto import load_keys
from shared.journal.joining import Invite, token_digest
from shared.ops.clock import utcnow
from shared.ops.health import HealthServer
from shared.ops.settings import load_home
from shared.testing.private import free_port
from shared.testing.promtool import Scraped, fired
from tests.deploy.test_rules import RULES, RUNBOOKS, front_matter
from tests.services.kit import DOCUMENT, KEY, OWN

TOKEN = "7" * 64
PROCESSES = {
    "courier": ("polku_courier_", 'polku_plain_last_round_timestamp_seconds{process="courier"}'),
    "receiver": ("polku_receiver_", "polku_reporting_", 'polku_plain_last_round_timestamp_seconds{process="receiver"}'),
}
"""Both go round in the test's process; what each would expose in its own begins so."""


def runbook(alert: str) -> set[str]:
    """The alerts that the runbook of `alert` names: itself and those that may come with it."""
    (matter,) = (front_matter(path) for path in RUNBOOKS if path.stem == alert)
    return {alert, *matter["with"]}


def assert_only(alert: str, scraped: Sequence[Scraped], folder: Path) -> None:
    """The alert fires, and none that its runbook does not name."""
    found = fired(RULES, scraped, folder)
    assert alert in found
    assert found <= runbook(alert)


def fetch(port: int, seconds: float = 5) -> str | None:
    """What `/metrics` says; None if nobody answers."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=seconds) as answer:
            return str(answer.read().decode())
    except OSError:
        return None


def forget_gauges() -> None:
    """What earlier tests in this process have measured would not be there in a new process."""
    for collector in set(REGISTRY._names_to_collectors.values()):
        if isinstance(collector, Gauge) and collector._labelnames:
            collector.clear()


def make_bare(folder: Path) -> Path:
    """A lead and a node that have not met, to be copied."""
    init_home(folder / "lead", "lead", port=8400)
    init_home(folder / "node", "node", "pori", 8401)
    return folder


@dataclass
class Homes:
    """`courier()` and `receiver()` are rounds of real homes that met in a folder; `now` moves only by `later`."""

    bare: Path
    folder: Path
    now: datetime = field(default_factory=utcnow)

    def __post_init__(self) -> None:
        forget_gauges()
        for name in ("lead", "node"):
            shutil.copytree(self.bare / name, self.folder / name)
        self.lead, self.node = load_home(self.folder / "lead"), load_home(self.folder / "node")
        self.lead_engine, self.node_engine = open_database(self.lead), open_database(self.node)
        self._join()
        self.health = free_port()
        HealthServer("127.0.0.1", self.health, {}).start()
        self.restart()
        self.go()
        self._before: dict[str, str] = {}

    def _join(self) -> None:
        journal, keys = Journal(self.lead_engine, "lead"), load_keys(self.lead.keys)
        versions.load_programme(journal, DOCUMENT, "boss", self.now)
        digest, valid = token_digest(TOKEN), timedelta(days=1)
        expires = operations.admit_partner(journal, KEY, OWN, digest, valid=valid, by="boss", now=self.now)
        signing, receiving = keys.newest("signing").public, keys.newest("receiving").public
        assert signing is not None
        assert receiving is not None
        invite = Invite(KEY, OWN, f"file:{self.lead.inbox}", signing, receiving, TOKEN, expires)
        (self.folder / "invite").write_text(invite.to_json())
        self.node = join(self.node, self.folder / "invite")

    @property
    def inbox(self) -> Path:
        """Where the node's segments lie."""
        return self.lead.inbox / self.node.name / KEY

    def restart(self) -> None:
        """New processes."""
        self.node_engine.dispose()
        self.node_engine = open_database(self.node)
        self._courier = CourierRounds(self.node, self.node_engine)
        self._receiver = ReceiverRounds(self.lead, self.lead_engine)
        self._rounds = {name: Rounds(name, self.now) for name in PROCESSES}

    def courier(self) -> None:
        self._rounds["courier"].run(self._courier.round, self.now)

    def receiver(self) -> None:
        self._rounds["receiver"].run(self._receiver.round, self.now)

    def later(self, **much: float) -> None:
        self.now += timedelta(**much)

    def go(self, rounds: int = 4) -> None:
        """Both, in turns."""
        for _ in range(rounds):
            self.later(seconds=5)
            self.courier()
            self.receiver()

    def record(self, *facts: Fact) -> None:
        """What the node's services would have recorded."""
        with Journal(self.node_engine, self.node.name).unit(self.now) as unit:
            for fact in facts:
                unit.record(fact, KEY)

    def copy_of_the_node(self, to: str) -> Path:
        """The node's database file, aside."""
        self.node_engine.dispose()
        return Path(shutil.copy(self.node.path / "node.db", self.folder / to))

    def before(self, *processes: str) -> None:
        """Look at the processes before the fault."""
        self._before = {name: self._scrape(name) for name in processes or PROCESSES}
        self._before_at = self.now.timestamp()

    def after(self, gone: Sequence[str] = ()) -> list[Scraped]:
        """Look at the same processes after it; those `gone` do not answer."""
        return [
            Scraped(
                "polku",
                name,
                text,
                None if name in gone else self._scrape(name),
                self._before_at,
                self.now.timestamp(),
            )
            for name, text in self._before.items()
        ]

    def _scrape(self, process: str) -> str:
        text = fetch(self.health)
        assert text is not None
        kept = [line for line in text.splitlines() if line.startswith(PROCESSES[process])]
        assert kept
        return "\n".join(kept) + "\n"
