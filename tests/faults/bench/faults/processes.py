"""Faults of processes: they are killed, ended, stand still, or there are two of one."""

import os
import signal
import time
from collections.abc import Callable

from sqlalchemy import select

from services.reporting.store import cursor
from shared.testing.private import free_port
from tests.faults.bench.federation import BenchSite, Partner
from tests.faults.bench.links import standing_still
from tests.faults.bench.scene import Scene, restarted_child, staged
from tests.faults.bench.watch import receipt_at
from tests.faults.test_kills import child_of


def kill_courier(scene: Scene, site: Partner) -> None:
    """F01: kill -9 of the courier at a random moment while there is something to send."""
    scene.drivers[site.partner].calling.wait(1)
    scene.random_moment(1)
    _kill_child(site)


def kill_receiver(scene: Scene, site: Partner) -> None:
    """F02: kill -9 of the lead's receiver: at a random moment, just after a receipt, or just after its cursor moved;
    on PostgreSQL also of the process that derives for it."""
    looks: dict[str, Callable[[], object]] = {
        "receipt": lambda: receipt_at(site),
        "cursor": lambda: _cursor(scene, site),
    }
    look = looks.get(scene.chance.choice(["random", *looks]))
    if look is None:
        scene.drivers[site.partner].calling.wait(1)
        scene.random_moment(2.5)  # a receiver that looks at a folder looks every two seconds
    else:
        before = look()
        staged(lambda: look() != before)
    deriver = child_of(scene.lead.running_child())
    if deriver and scene.chance.random() < 0.4:
        os.kill(deriver, signal.SIGKILL)  # its receiver begins another one
    else:
        _kill_child(scene.lead)


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


def freeze(scene: Scene, site: Partner) -> None:
    """F07: SIGSTOP and SIGCONT of receiver, courier or node."""
    pids = [scene.lead.running_child(), site.running_child(), site.process.pid if site.process else 0]
    with standing_still(scene.chance.choice([pid for pid in pids if pid])):
        scene.random_moment(3)
