"""The system under test: a lead and its partners' nodes, real `polku up` processes, joined in one programme.

Each node reaches the lead through a link of its own (`links`), which faults can cut, by one of the three carriers.
What is read here of a home's database is read as anybody could, in a snapshot of its own.
"""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import Connection, select

from services.node.admitting import broker_definitions, invite, join
from services.node.control import ControlClient, connect
from services.node.opening import init_home
from services.node.reaching import services_of
from shared.contracts.errors import LeadUnreachable, PolkuError
from shared.journal.carry_tables import received_head
from shared.journal.joining import Invite
from shared.ops.settings import Home, Role, load_home
from shared.programmes import load_file, parse
from shared.programmes.files import programme_file
from shared.storage import open_engine, snapshot
from shared.testing.broker import Broker, PrivateBroker
from shared.testing.postgres import PrivatePostgres, new_database
from shared.testing.wait import until
from tests.faults.bench.links import VHOST, BrokerLink, FolderLink, Link, PortalLink
from tests.faults.bench.marks import PROGRAMME
from tests.faults.bench.proxy import Proxy
from tests.faults.test_kills import child_of, is_running
from tests.flows.kit import Site, free_port_run

BY = "cli:bench"
TMPFS_MB = 512
UP_SECONDS = 120
"""How long a home may take to answer on a machine that does a lot else."""
PATIENCE_SECONDS = 4.0
"""How long couriers wait for the lead here (`hurried/`); the product's own time-outs are 15 and 20 seconds."""
HURRIED = {"PYTHONPATH": str(Path(__file__).parent / "hurried"), "POLKU_BENCH_PATIENCE": str(PATIENCE_SECONDS)}


class BenchSite(Site):
    """A home of the bench."""

    @property
    def home(self) -> Home:
        """Its settings as they stand."""
        return load_home(self.path)

    @property
    def child(self) -> int:
        """The process of its courier or receiver; 0 if there is none right now."""
        return child_of(self.process.pid) if self.process is not None else 0

    def running_child(self) -> int:
        """The same, once there is one."""
        return until(lambda: self.child, UP_SECONDS)

    def connected(self) -> ControlClient | None:
        """A client of its services, if they can be reached now."""
        with suppress(OSError, PolkuError):
            return connect(self.path / "control.sock")
        return None

    def end(self, *, kill: bool) -> None:
        """End it, by SIGKILL or SIGTERM, and wait until nothing of it runs."""
        assert self.process is not None
        child, process = self.child, self.process
        process.kill() if kill else process.terminate()
        process.wait(60)
        until(lambda: not (child and is_running(child)), 60)
        self.process = None

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """One snapshot of its database."""
        engine = open_engine(self.home.database_url)
        try:
            with snapshot(engine) as connection:
                yield connection
        finally:
            engine.dispose()


@dataclass
class Partner(BenchSite):
    """A partner's node and its link."""

    partner: str = ""
    link: Link = field(kw_only=True)

    @property
    def stream(self) -> str:
        """The stream it ships."""
        return f"{self.home.name}/{PROGRAMME}"


class Servers:
    """A PostgreSQL and a RabbitMQ of the run's own, with a database and a vhost for each home: the full footing."""

    def __init__(self) -> None:
        self.postgres, self.rabbitmq = PrivatePostgres(), PrivateBroker()
        self.vhosts: list[str] = []

    def start(self) -> None:
        """Start both. Raises `CannotRun`."""
        self.port = self.postgres.start()
        self.broker = self.rabbitmq.start()

    def urls(self) -> dict[str, str]:
        """A database and a bus for one more home."""
        self.vhosts.append(f"home{len(self.vhosts)}")
        return {"database": new_database(self.port), "bus": self.broker.new_vhost(self.vhosts[-1])}

    def lose_the_bus(self) -> None:
        """All that the broker held is gone; its vhosts are made again, as an operator would."""
        self.rabbitmq.lose_everything()
        for vhost in self.vhosts:
            self.broker.new_vhost(vhost)

    def end(self) -> None:
        """End both."""
        self.rabbitmq.end()
        self.postgres.end()


@dataclass
class Federation:
    """All homes. `brokers`: the one that the lead's partners come by, if any does. `release`: the newest that any home
    has (`hurried/`). `tight`: the partner whose home lies on a small file system, if the machine allows it."""

    folder: Path
    lead: BenchSite
    servers: Servers | None
    brokers: list[PrivateBroker] = field(default_factory=list)
    first_server: list[str] = field(default_factory=list)
    partners: list[Partner] = field(default_factory=list)
    release: int = 1
    tight: Partner | None = None

    @property
    def poison(self) -> Path:
        """The file that names the fact whose effect fails at the lead, if there is one."""
        return self.folder / "poison"

    @property
    def sites(self) -> Sequence[BenchSite]:
        """The lead and the nodes."""
        return [self.lead, *self.partners]

    def up(self, sites: Sequence[BenchSite]) -> None:
        """Start homes, all at once."""
        with ThreadPoolExecutor(len(sites)) as pool:
            list(pool.map(lambda site: site.up(), sites))

    def ended(self) -> list[BenchSite]:
        """Homes whose process has ended by itself."""
        return [site for site in self.sites if site.process is not None and site.process.poll() is not None]

    def lose_broker(self) -> None:
        """All that the lead's broker held is gone; vhosts and users are made again, as an operator would."""
        (broker,) = self.brokers
        if self.servers is not None:
            self.servers.lose_the_bus()
        else:
            broker.lose_everything()
        for site in self.partners:
            if isinstance(site.link, BrokerLink):
                site.link.broker.new_vhost(VHOST)
                site.link.know_user()

    def restore_lead(self, backup: Path, passphrase: str) -> None:
        """Put an old backup in the lead's place, as an operator would: the home of today goes aside."""
        aside = self.folder / "lead-aside"
        shutil.rmtree(aside, ignore_errors=True)
        self.lead.path.rename(aside)
        secret = self.folder / "passphrase"
        secret.write_text(passphrase)
        self.lead.polku("restore", str(backup), "--passphrase-file", str(secret))


@contextmanager
def federation(
    folder: Path,
    carriers: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    seed: int = 0,
    tight: bool = False,
    full: bool = False,
) -> Iterator[Federation]:
    """A lead and a partner per carrier that run, nobody recorded; `environment` is the lead's processes'. `tight`: the
    last partner gets a small disk; `full`: on PostgreSQL and RabbitMQ."""
    document = load_file(programme_file(PROGRAMME))
    keys = [partner.key for partner in parse(document).partners][: len(carriers)]
    ports = free_port_run(len(carriers) + 1)
    poison = {"POLKU_BENCH_POISON": str(folder / "poison")}
    lead = BenchSite(folder / "lead", "lead", {**HURRIED, **poison, **(environment or {})})
    servers = Servers() if full else None
    made = Federation(folder, lead, servers)
    with ExitStack() as ending:
        if servers is not None:
            ending.callback(servers.end)
            servers.start()
        ending.callback(_end, made)
        broker = _carrier_broker(made, ending) if "amqp" in carriers else None
        _init(lead, "", ports, servers)
        lead.up()
        with services_of(lead.home) as rpc:
            rpc.call("reporting", "load_programme", by=BY, document=document)
            for number, (key, carrier) in enumerate(zip(keys, carriers, strict=True), 1):
                link = _link(made, carrier, key, broker, random.Random(seed + number))
                site = Partner(folder / key, "node", HURRIED, partner=key, link=link)
                if tight and number == len(carriers) and _mounted(site.path):
                    ending.callback(subprocess.run, ["umount", "-l", str(site.path)], check=False)
                    made.tight = site
                _init(site, key.replace("_", "-"), ports + number, servers)
                made.partners.append(site)
                uplink = link.uplink if carrier != "file" else ""
                _join(site, invite(lead.home, rpc, PROGRAMME, key, BY, uplink))
        made.up(made.partners)
        for site in made.partners:
            with services_of(site.home) as rpc:
                rpc.call("pathways", "load_programme", by=BY, document=document)
        until(lambda: _heard(made) == len(carriers), UP_SECONDS, every=0.1)
        yield made


def _carrier_broker(made: Federation, ending: ExitStack) -> Broker:
    """The broker by which partners come: the homes' own, or one for this alone."""
    if made.servers is not None:
        running, broker = made.servers.rabbitmq, made.servers.broker
    else:
        running = PrivateBroker()
        ending.callback(running.end)
        broker = running.start()
    made.brokers.append(running)
    made.first_server = running.server
    made.lead.environment = {**made.lead.environment, "POLKU_CARRIER_URL": broker.new_vhost(VHOST)}
    return broker


def _link(made: Federation, carrier: str, key: str, broker: Broker | None, chance: random.Random) -> Link:
    folder, inbox = made.folder, made.lead.home.inbox

    def stream() -> str:
        return next(site.stream for site in made.partners if site.partner == key)

    if carrier == "amqp":
        assert broker is not None
        return BrokerLink(broker, key, stream, Proxy(broker.port, chance))
    link = folder / f"link-{key}"
    if carrier == "https":
        return PortalLink(link, inbox, lambda: inbox / stream(), proxy=Proxy(made.lead.home.port, chance))
    return FolderLink(link, inbox, lambda: inbox / stream())


def _heard(made: Federation) -> int:
    """How many nodes the lead has heard of."""
    with made.lead.look() as connection:
        return len(connection.execute(select(received_head).where(received_head.c.manifest_at.is_not(None))).all())


def _init(site: BenchSite, name: str, port: int, servers: Servers | None) -> None:
    role: Role = "lead" if site.role == "lead" else "node"
    urls = servers.urls() if servers else {}
    with patch.dict(os.environ, {f"POLKU_{what.upper()}_URL": url for what, url in urls.items()}):
        home = init_home(site.path, role, name, port)
    replace(home, database=urls.get("database", ""), bus=urls.get("bus", "")).save()


def _join(site: Partner, given: Invite) -> None:
    """Answer the invite, then have the courier use the link."""
    if isinstance(site.link, BrokerLink):
        site.link.definitions = broker_definitions(given)
        site.link.know_user()
    file = site.path.with_suffix(".invite")
    file.write_text(given.to_json(), encoding="utf-8")

    def joined() -> Home | None:
        with suppress(LeadUnreachable):  # its receiver makes the box
            return join(site.home, file)
        return None

    home = until(joined, UP_SECONDS, every=0.2)
    if site.link.kind == "file":
        (place,) = home.joined
        home.with_programme(replace(place, uplink=site.link.uplink)).save()


def _mounted(path: Path) -> bool:
    path.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_MB}m,mode=700", "none", str(path)]
    with suppress(OSError):
        return os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
    return False


def _end(made: Federation) -> None:
    for site in made.partners:
        if isinstance(site.link, PortalLink | BrokerLink):
            site.link.proxy.close()
    for site in made.sites:
        if site.process is not None and site.process.poll() is None:
            child = site.child
            site.process.kill()
            site.process.wait(20)
            until(lambda c=child: not (c and is_running(c)), 20)  # type: ignore[misc]
