"""The faults, each a small function with the id of reliability.md §5.3. They run one at a time, under load.

A fault puts back what it took: when its function returns, everything is there again and healing begins. One that needs
something to be under way waits for it and raises `NotStaged` if it does not come: such a fault is not counted.
"""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from services.node.backup import back_up
from services.reporting.store import cursor
from shared.journal.carrier import RECEIPT, Place, place_named
from shared.journal.carry_tables import received_early, received_head, received_refused
from shared.journal.lines import chain_start
from shared.journal.segment import Reason
from shared.ops.clock import utcnow
from shared.testing.private import free_port
from shared.testing.wait import until
from tests.faults.bench.driver import CALL_SECONDS, Driver
from tests.faults.bench.federation import UP_SECONDS, BenchSite, Federation, Partner, Servers
from tests.faults.bench.forging import FAR, Forger, garbage, refused_as
from tests.faults.test_kills import is_running

STAGING_SECONDS = 15.0
DECIDING_SECONDS = 90.0
"""How long a receiver may take to look at what lies there, on a machine that does a lot else."""


class NotStaged(Exception):
    """What the fault needs did not come about."""


@dataclass
class Scene:
    """What a fault acts on: the homes, who works there, and what the lead must have refused, by digest.

    `leads` changes before and after the lead is replaced, `restoring` is true until it has healed from that.
    """

    federation: Federation
    drivers: dict[str, Driver]
    chance: random.Random
    refused: dict[bytes, Reason] = field(default_factory=dict)
    seen_refused: dict[bytes, str] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    leads: int = 0
    restoring: bool = False
    numbers: int = 0
    stop_seconds: list[float] = field(default_factory=list)

    @property
    def lead(self) -> BenchSite:
        """The lead."""
        return self.federation.lead

    def random_moment(self, longest: float) -> None:
        """Let a random time pass: a fault comes when it comes."""
        time.sleep(self.chance.uniform(0, longest))

    def watermark(self, site: Partner) -> tuple[int, bytes]:
        """How far the lead is with this partner's stream."""
        c = received_head.c
        with self.lead.look() as connection:
            row = connection.execute(select(c.seq, c.chain).where(c.stream == site.stream)).one_or_none()
        return (row.seq, bytes(row.chain)) if row else (0, chain_start(site.stream))

    def decided(self, site: Partner, places: list[Place]) -> bool:
        """Whether the lead has taken these or keeps them for later."""
        c = received_early.c
        with self.lead.look() as connection:
            early = {tuple(row) for row in connection.execute(select(c.first, c.last).where(c.stream == site.stream))}
        seq, _ = self.watermark(site)
        return all(place.last <= seq or (place.first, place.last) in early for place in places)

    def plant(self, site: Partner, contents: list[tuple[bytes, Reason]], place: Place | None = None) -> None:
        """Drop contents into the channel of a courier that stands still, and wait until each has been refused."""
        expected = {refused_as(data): reason for data, reason in contents}
        self.refused |= expected
        files = []
        try:
            for data, _ in contents:
                self.numbers += 1
                files.append(site.channel / (place or self.far()).name)
                drop(files[-1], data)
                if place:  # all have the one name: one after the other
                    self._await_refused({refused_as(data): expected[refused_as(data)]})
            self._await_refused(expected)
        finally:
            for file in files:
                file.unlink(missing_ok=True)

    def far(self) -> Place:
        """A place of its own that belongs to nobody."""
        return Place(1, FAR + self.numbers, FAR + self.numbers)

    def _await_refused(self, expected: dict[bytes, Reason]) -> None:
        c = received_refused.c
        found: dict[bytes, str] = {}

        def all_there() -> bool:
            with self.lead.look() as connection:
                rows = connection.execute(select(c.digest, c.reason).where(c.digest.in_(list(expected))))
                found.update({bytes(row.digest): row.reason for row in rows})
            return found.keys() == expected.keys()

        until(all_there, DECIDING_SECONDS, every=0.1)
        self.seen_refused |= found


def drop(file: Path, data: bytes) -> None:
    """Put a file there as a carrier does: whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)  # a restored lead's folder is empty
    part = file.with_suffix(".part")
    part.write_bytes(data)
    part.rename(file)


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    """SIGSTOP, and SIGCONT at the end."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if is_running(pid):
            os.kill(pid, signal.SIGCONT)


@contextmanager
def held_segments(scene: Scene, site: Partner, count: int = 1) -> Iterator[list[Path]]:
    """At least `count` segments that the lead has not read; both couriers and receiver stand still meanwhile."""
    with standing_still(scene.lead.running_child()):
        staged(lambda: len(site.segments()) >= count)
        with standing_still(site.running_child()):
            record(scene, site)
            yield site.segments()


def staged(condition: Callable[[], bool]) -> None:
    """Wait until it is so, or say that the fault cannot be staged."""
    try:
        until(condition, STAGING_SECONDS, every=0.05)
    except AssertionError:
        raise NotStaged from None


def record(scene: Scene, site: Partner) -> None:
    """Keep copies of what lies there, for a replay later."""
    kept = tape_of(scene, site)
    for segment in site.segments():
        if not (kept / segment.name).exists():
            shutil.copy(segment, kept / segment.name)


def tape_of(scene: Scene, site: Partner) -> Path:
    """Where copies of this partner's segments are kept."""
    folder = scene.federation.folder / f"tape-{site.partner}"
    folder.mkdir(exist_ok=True)
    return folder


def restarted_child(site: BenchSite, pid: int) -> None:
    """Wait until the home has a new child instead of `pid`."""
    until(lambda: site.child not in (0, pid), UP_SECONDS)


# --- what is killed


def kill_courier(scene: Scene, site: Partner) -> None:
    """F01: kill -9 of the courier at a random moment while there is something to send."""
    scene.drivers[site.partner].calling.wait(1)
    scene.random_moment(1)
    _kill_child(site)


def kill_receiver(scene: Scene, site: Partner) -> None:
    """F02: kill -9 of the lead's receiver: at a random moment, just after a receipt, or just after its cursor moved."""
    looks: dict[str, Callable[[], object]] = {
        "receipt": lambda: _receipt(site),
        "cursor": lambda: _cursor(scene, site),
    }
    look = looks.get(scene.chance.choice(["random", *looks]))
    if look is None:
        scene.drivers[site.partner].calling.wait(1)
        scene.random_moment(2.5)  # a receiver that looks at a folder looks every two seconds
    else:
        before = look()
        staged(lambda: look() != before)
    _kill_child(scene.lead)


def _receipt(site: Partner) -> bytes:
    file = site.channel / RECEIPT
    return file.read_bytes() if file.exists() else b""


def _cursor(scene: Scene, site: Partner) -> int:
    with scene.lead.look() as connection:
        query = select(cursor.c.seq).where(cursor.c.stream == site.stream)
        return int(connection.execute(query).scalar_one_or_none() or 0)


def _kill_child(site: BenchSite) -> None:
    child = site.running_child()
    os.kill(child, signal.SIGKILL)
    restarted_child(site, child)


def kill_node(scene: Scene, site: Partner) -> None:
    """F03: kill -9 of the node while it works on a command."""
    driver = scene.drivers[site.partner]
    driver.calling.wait(1)
    scene.random_moment(0.15)
    site.end(kill=True)
    site.up()


def terminate(scene: Scene, site: Partner) -> None:
    """F26: SIGTERM under load, of the node or of the lead, as at a new release."""
    victim = scene.chance.choice([site, scene.lead])
    scene.random_moment(0.3)
    began = time.monotonic()
    victim.end(kill=False)
    scene.stop_seconds.append(time.monotonic() - began)
    victim.up()


def two_at_once(scene: Scene, site: Partner) -> None:
    """F25: a second courier, or a second receiver, beside the first."""
    victim, command = scene.chance.choice([(site, "courier"), (scene.lead, "receiver")])
    second = victim.begin(command, "--health-port", str(free_port()))
    try:
        scene.random_moment(4)
    finally:
        second.kill()
        second.wait(10)


# --- the servers of the full footing


def servers_of(scene: Scene) -> Servers:
    """PostgreSQL and RabbitMQ, where there are any."""
    if scene.federation.servers is None:
        raise NotStaged
    return scene.federation.servers


def kill_broker(scene: Scene, site: Partner) -> None:
    """F04: kill -9 of the broker of all homes; it comes back with what was on its disk."""
    scene.drivers[site.partner].calling.wait(1)
    servers_of(scene).rabbitmq.crash()


def wipe_broker(scene: Scene, site: Partner) -> None:
    """F05: the broker's data directory is gone."""
    scene.drivers[site.partner].calling.wait(1)
    servers_of(scene).lose_the_bus()


def freeze_broker(scene: Scene, site: Partner) -> None:
    """F06: SIGSTOP and SIGCONT of the broker, longer than a call may take."""
    group = servers_of(scene).rabbitmq.pid
    os.killpg(group, signal.SIGSTOP)
    try:
        time.sleep(CALL_SECONDS)  # the fault's length
        scene.random_moment(4)
    finally:
        os.killpg(group, signal.SIGCONT)


def crash_postgres(scene: Scene, site: Partner) -> None:
    """F28: kill -9 of PostgreSQL under all homes, while one works on a command."""
    servers = servers_of(scene)
    scene.drivers[site.partner].calling.wait(1)
    scene.random_moment(0.15)
    servers.postgres.crash(servers.port)


# --- what stands still, and what is cut


def freeze(scene: Scene, site: Partner) -> None:
    """F07: SIGSTOP and SIGCONT of receiver, courier or node."""
    pids = [scene.lead.running_child(), site.running_child(), site.process.pid if site.process else 0]
    with standing_still(scene.chance.choice([pid for pid in pids if pid])):
        scene.random_moment(3)


def cut_link(scene: Scene, site: Partner) -> None:
    """F08: the link is cut; with the carrier “file” the folder is not there."""
    scene.random_moment(0.3)
    site.cut()
    try:
        scene.random_moment(2.5)
    finally:
        site.mend()


def long_cut(scene: Scene, site: Partner) -> None:
    """F10: the link stays down while the node goes on recording, then everything comes at once."""
    before, _ = scene.watermark(site)
    driver = scene.drivers[site.partner]
    blocks = driver.blocks
    site.cut()
    try:
        staged(lambda: driver.blocks > blocks)
        assert scene.watermark(site)[0] >= before
    finally:
        site.mend()


def disk_full(scene: Scene, site: Partner) -> None:
    """F12: the disk under the node's database is full, until the node has refused something for it."""
    if site is not scene.federation.tight:
        raise NotStaged
    driver = scene.drivers[site.partner]
    ambiguous, filler = driver.ambiguous, site.path / "filler"
    try:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(65536))
        staged(lambda: driver.ambiguous > ambiguous)
    finally:
        filler.unlink()


# --- what lies in the carrier


def plant_garbage(scene: Scene, site: Partner) -> None:
    """F16: undecodable, cut off, over-long, a bomb."""
    with standing_still(site.running_child()):
        scene.plant(site, garbage(scene.chance))


def plant_forged(scene: Scene, site: Partner) -> None:
    """F18: other keys, other streams, changed bytes; and what a stolen key could sign."""
    other = scene.chance.choice([p for p in scene.federation.partners if p is not site]).stream
    forger = Forger(site, other, scene.chance)
    with standing_still(site.running_child()):
        scene.plant(site, forger.forged(FAR))
        until(lambda: scene.decided(site, _places(site)), DECIDING_SECONDS, every=0.1)
        seq, chain = scene.watermark(site)
        scene.plant(site, forger.in_place(seq + 1, chain), Place(1, seq + 1, seq + 1))


def _places(site: Partner) -> list[Place]:
    return [place for segment in site.segments() if (place := place_named(segment.name))]


def replay(scene: Scene, site: Partner) -> None:
    """F19: everything that was ever seen on its way comes again."""
    if not any(tape_of(scene, site).iterdir()):
        with held_segments(scene, site):
            pass  # now there is something
    with standing_still(site.running_child()):
        for copy in sorted(tape_of(scene, site).iterdir()):
            drop(site.channel / copy.name, copy.read_bytes())
        # The last to be looked at in a round is refused, and says that the round has come to the end.
        scene.plant(site, [(scene.chance.randbytes(64), Reason.BAD_MAGIC)])


def out_of_order(scene: Scene, site: Partner) -> None:
    """F20: segments come in a random order, one after the other."""
    courier = site.running_child()
    with standing_still(courier):
        with held_aside(scene, site, courier) as aside:
            for file in aside:
                shutil.copy(file, site.channel / file.with_suffix(".part").name)
                (site.channel / file.with_suffix(".part").name).rename(site.channel / file.name)
                place = place_named(file.name)
                assert place is not None
                until(lambda p=place: scene.decided(site, [p]), DECIDING_SECONDS, every=0.1)  # type: ignore[misc]


@contextmanager
def held_aside(scene: Scene, site: Partner, courier: int) -> Iterator[list[Path]]:
    """Segments taken out of the channel, in a random order; the courier stands still, the receiver goes on."""
    folder = scene.federation.folder / f"aside-{scene.numbers}"
    scene.numbers += 1
    folder.mkdir()
    with standing_still(scene.lead.running_child()):
        os.kill(courier, signal.SIGCONT)
        try:
            staged(lambda: len(site.segments()) >= 2)
        finally:
            os.kill(courier, signal.SIGSTOP)
        record(scene, site)
        taken = [Path(shutil.move(segment, folder / segment.name)) for segment in site.segments()]
    scene.chance.shuffle(taken)
    yield taken
    shutil.rmtree(folder)


def lose_tail(scene: Scene, site: Partner) -> None:
    """F21: the last segments are lost before a silence; the lead must say so from the manifest alone."""
    courier = site.running_child()
    with standing_still(courier):
        with standing_still(scene.lead.running_child()):
            os.kill(courier, signal.SIGCONT)
            try:
                staged(lambda: bool(site.segments()))
            finally:
                os.kill(courier, signal.SIGSTOP)
            lost = site.segments()[-scene.chance.randint(1, 3) :]
            for segment in lost:
                segment.unlink()
        scene.random_moment(2)


def purge(scene: Scene, site: Partner) -> None:
    """F22: somebody empties the folder: segments, manifest, receipt."""
    with held_segments(scene, site):
        for file in site.channel.iterdir():
            file.unlink()


# --- what goes back in time, and who is erased


def restore_lead(scene: Scene, site: Partner) -> None:
    """F24: the lead is restored from a backup that lacks what came since."""
    backup = scene.federation.folder / f"backup-{scene.leads}"
    passphrase = back_up(scene.lead.home, backup, utcnow(), new_passphrase=True)
    assert passphrase is not None
    before, _ = scene.watermark(site)
    staged(lambda: scene.watermark(site)[0] > before)
    scene.restoring = True
    scene.leads += 1
    scene.lead.end(kill=True)
    scene.federation.restore_lead(backup, passphrase)
    scene.lead.up()
    scene.leads += 1


def erase(scene: Scene, site: Partner) -> None:
    """F29: a person is erased while facts about them are on their way."""
    driver = scene.drivers[site.partner]
    left = [subject for subject in driver.subjects if subject not in scene.erased]
    if len(left) < 10:
        raise NotStaged
    subject = scene.chance.choice(left)
    scene.erased.add(subject)
    driver.erase(subject)


FAULTS: dict[str, Callable[[Scene, Partner], None]] = {
    "F01": kill_courier,
    "F02": kill_receiver,
    "F03": kill_node,
    "F04": kill_broker,
    "F05": wipe_broker,
    "F06": freeze_broker,
    "F07": freeze,
    "F08": cut_link,
    "F10": long_cut,
    "F12": disk_full,
    "F16": plant_garbage,
    "F18": plant_forged,
    "F19": replay,
    "F20": out_of_order,
    "F21": lose_tail,
    "F22": purge,
    "F24": restore_lead,
    "F25": two_at_once,
    "F26": terminate,
    "F28": crash_postgres,
    "F29": erase,
}
AT_THE_LEAD = ("F02", "F04", "F05", "F06", "F24", "F26", "F28")
"""Faults that meet all partners' streams."""
