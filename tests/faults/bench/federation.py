"""The system under test: a lead and its partners' nodes, real `polku up` processes, joined in one programme.

Each node reaches the lead through a link of its own, which faults can cut: for the carrier `file:` a symbolic link to
the lead's folder. What is read here of a home's database is read as anybody could, in a snapshot of its own.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import Connection

from services.node.admitting import invite, join
from services.node.control import ControlClient, connect
from services.node.opening import init_home
from services.node.reaching import services_of
from shared.contracts.errors import PolkuError
from shared.journal.carrier import MANIFEST
from shared.ops.settings import Home, Role, load_home
from shared.programmes import load_file, parse
from shared.programmes.files import programme_file
from shared.storage import open_engine, snapshot
from shared.testing.broker import PrivateBroker
from shared.testing.postgres import PrivatePostgres, new_database
from shared.testing.wait import until
from tests.faults.bench.marks import PROGRAMME
from tests.faults.test_kills import child_of, is_running
from tests.flows.kit import Site, free_port_run

BY = "cli:bench"
TMPFS_MB = 512
UP_SECONDS = 120
"""How long a home may take to answer on a machine that does a lot else."""


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
    link: Path = Path()
    inbox: Path = Path()

    @property
    def stream(self) -> str:
        """The stream it ships."""
        return f"{self.home.name}/{PROGRAMME}"

    @property
    def channel(self) -> Path:
        """Where its segments lie at the lead."""
        return self.inbox / self.stream

    def segments(self) -> list[Path]:
        """What lies there, by first line."""
        return sorted(self.channel.glob("*.seg"))

    def cut(self) -> None:
        """Nothing gets through the link."""
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(self.link.parent / "nowhere" / "at" / "all")

    def mend(self) -> None:
        """The link leads to the lead again."""
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(self.inbox)


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
    """All homes. `tight`: the partner whose home lies on a small file system of its own, if the machine allows it."""

    folder: Path
    lead: BenchSite
    servers: Servers | None
    partners: list[Partner] = field(default_factory=list)
    tight: Partner | None = None

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
    count: int,
    environment: Mapping[str, str] | None = None,
    *,
    tight: bool = False,
    full: bool = False,
) -> Iterator[Federation]:
    """A lead and `count` partners that run, nobody recorded; `environment` is the lead's processes'. `tight`: the last
    partner gets a small disk; `full`: on PostgreSQL and RabbitMQ."""
    document = load_file(programme_file(PROGRAMME))
    keys = [partner.key for partner in parse(document).partners][:count]
    ports = free_port_run(count + 1)
    lead = BenchSite(folder / "lead", "lead", environment or {})
    servers = Servers() if full else None
    made = Federation(folder, lead, servers)
    with ExitStack() as ending:
        if servers is not None:
            ending.callback(servers.end)
            servers.start()
        ending.callback(_end, made)
        _init(lead, "", ports, servers)
        lead.up()
        with services_of(lead.home) as rpc:
            rpc.call("reporting", "load_programme", by=BY, document=document)
            for number, key in enumerate(keys, 1):
                site = Partner(folder / key, "node", partner=key, link=folder / f"link-{key}", inbox=lead.home.inbox)
                if tight and number == count and _mounted(site.path):
                    ending.callback(subprocess.run, ["umount", "-l", str(site.path)], check=False)
                    made.tight = site
                _init(site, key.replace("_", "-"), ports + number, servers)
                _join(site, invite(lead.home, rpc, PROGRAMME, key, BY).to_json())
                made.partners.append(site)
        made.up(made.partners)
        for site in made.partners:
            with services_of(site.home) as rpc:
                rpc.call("pathways", "load_programme", by=BY, document=document)
        until(lambda: all((site.channel / MANIFEST).exists() for site in made.partners), UP_SECONDS)
        yield made


def _init(site: BenchSite, name: str, port: int, servers: Servers | None) -> None:
    role: Role = "lead" if site.role == "lead" else "node"
    urls = servers.urls() if servers else {}
    with patch.dict(os.environ, {f"POLKU_{what.upper()}_URL": url for what, url in urls.items()}):
        home = init_home(site.path, role, name, port)
    replace(home, database=urls.get("database", ""), bus=urls.get("bus", "")).save()


def _join(site: Partner, text: str) -> None:
    """Answer the invite, then have the courier use the link."""
    file = site.link.with_suffix(".invite")
    file.write_text(text, encoding="utf-8")
    home = join(site.home, file)
    site.mend()
    (place,) = home.joined
    home.with_programme(replace(place, uplink=f"file:{site.link}")).save()


def _mounted(path: Path) -> bool:
    path.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_MB}m,mode=700", "none", str(path)]
    with suppress(OSError):
        return os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
    return False


def _end(made: Federation) -> None:
    for site in made.sites:
        if site.process is not None and site.process.poll() is None:
            child = site.child
            site.process.kill()
            site.process.wait(20)
            until(lambda c=child: not (c and is_running(c)), 20)  # type: ignore[misc]
