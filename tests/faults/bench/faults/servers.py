"""Faults of servers: the broker of all homes or of the lead's partners, and PostgreSQL."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from services.reporting import store
from shared.journal.carry_tables import received_head
from shared.journal.tables import journal_head
from shared.storage import open_engine
from shared.testing.broker import Broker, PrivateBroker
from shared.testing.wait import until
from tests.faults.bench.driver import CALL_SECONDS
from tests.faults.bench.faults.releases import said
from tests.faults.bench.federation import PATIENCE_SECONDS, UP_SECONDS, Partner
from tests.faults.bench.scene import NotStaged, Scene, by_broker, servers_of, staged

OTHER_RABBITMQ = "POLKU_BENCH_RABBITMQ"
"""The environment variable that names the `rabbitmq-server` of another release."""
LOCKED_SECONDS = 40.0
"""How long the lead's rows are locked at most: a transaction waits ten seconds for a lock."""
VERSION = "rabbit_misc:version()."


def broker_of(scene: Scene) -> PrivateBroker:
    """The broker under the homes or, if they are embedded, the lead's for its partners."""
    return scene.federation.brokers[0]


def kill_broker(scene: Scene, site: Partner) -> None:
    """F04: kill -9 of the broker; it comes back with what was on its disk."""
    scene.drivers[site.partner].calling.wait(1)
    broker_of(scene).crash()


def wipe_broker(scene: Scene, site: Partner) -> None:
    """F05: the broker's data directory is gone; vhosts and users are made again, as an operator would."""
    scene.drivers[site.partner].calling.wait(1)
    scene.federation.lose_broker()


def other_release(scene: Scene, site: Partner) -> None:
    """F30: another release of RabbitMQ in the place of the lead's, empty; the next time the first one again."""
    broker, other, link = broker_of(scene), os.environ.get(OTHER_RABBITMQ), by_broker(site)
    if not other:
        raise NotStaged
    before = link.broker.erlang(VERSION)
    broker.server = [other] if broker.server != [other] else scene.federation.first_server
    wipe_broker(scene, site)
    assert link.broker.erlang(VERSION) != before


def freeze_broker(scene: Scene, site: Partner) -> None:
    """F06: SIGSTOP and SIGCONT of the broker, longer than anybody waits."""
    group = broker_of(scene).pid
    os.killpg(group, signal.SIGSTOP)
    try:
        time.sleep(CALL_SECONDS if scene.federation.servers else PATIENCE_SECONDS)  # the fault's length
        scene.random_moment(4)
    finally:
        os.killpg(group, signal.SIGCONT)


def no_disk_for_broker(scene: Scene, site: Partner) -> None:
    """F11: the disk alarm of the lead's broker: nobody may publish."""
    with _alarm(scene, site, "rabbit_disk_monitor:set_disk_free_limit({})", str(10**15), str(50 * 10**6)):
        _node_goes_on_and_lead_hears_nothing(scene, site)


def no_memory_for_broker(scene: Scene, site: Partner) -> None:
    """F13: the memory alarm of the lead's broker: nobody may publish."""
    with _alarm(scene, site, "vm_memory_monitor:set_vm_memory_high_watermark({})", "0.000001", "0.4"):
        _node_goes_on_and_lead_hears_nothing(scene, site)


@contextmanager
def _alarm(scene: Scene, site: Partner, call: str, bad: str, good: str) -> Iterator[None]:
    broker = by_broker(site).broker
    broker.erlang(f"{call.format(bad)}.")
    try:
        _wait_for_alarm(broker, True)
        yield
    finally:
        broker.erlang(f"{call.format(good)}.")
        _wait_for_alarm(broker, False)


def _wait_for_alarm(broker: Broker, on: bool) -> None:
    def alarmed() -> bool:
        return "0" not in broker.erlang("length(rabbit_alarm:get_alarms()).")

    until(lambda: alarmed() is on, UP_SECONDS, every=0.5)  # each look is a call into a server with one scheduler


def _node_goes_on_and_lead_hears_nothing(scene: Scene, site: Partner) -> None:
    driver = scene.drivers[site.partner]
    blocks = driver.blocks
    driver.pace.more()
    staged(lambda: driver.blocks > blocks)
    scene.random_moment(2 * PATIENCE_SECONDS)


def delete_user(scene: Scene, site: Partner) -> None:
    """F27: the partner's user is deleted at the lead's broker in mid-stream, and made again from the definitions."""
    link = by_broker(site)
    link.forget_user()
    try:
        link.broker.erlang('rabbit_networking:close_all_user_connections(<<"' + link.box + '">>, <<"bench">>).')
        scene.random_moment(3)
    finally:
        link.know_user()


def storm_and_crash(scene: Scene, site: Partner) -> None:
    """F28: the lead's rows are locked from outside until a round has failed; and kill -9 of PostgreSQL under all."""
    servers, driver = servers_of(scene), scene.drivers[site.partner]
    engine = open_engine(scene.lead.home.database_url)
    try:
        with engine.begin() as connection:
            for table in (received_head, store.cursor, journal_head):
                connection.execute(select(table).with_for_update())
            driver.pace.more()
            staged(lambda: "the last round failed" in said(scene, "ready"), LOCKED_SECONDS)
    finally:
        engine.dispose()
    until(lambda: "the last round failed" not in said(scene, "ready"), UP_SECONDS)
    driver.pace.more()
    driver.calling.wait(1)
    scene.random_moment(0.15)
    servers.postgres.crash(servers.port)
