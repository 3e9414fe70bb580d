"""The broker's data directory is deleted in the middle of an import: nothing that counts was in it."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shared.bus.client import RpcClient
from shared.contracts.errors import PolkuError
from shared.testing.broker import Broker, PrivateBroker
from shared.testing.postgres import new_database
from shared.testing.private import CannotRun, give_up
from shared.testing.wait import until
from tests.faults.test_kills import scaled
from tests.flows.kit import PROGRAMME, Pair, Site, figures, joined_pair

SCALE = 2


@pytest.fixture
def own() -> Iterator[tuple[PrivateBroker, Broker]]:
    """A broker of this test alone: all that it holds will be lost."""
    running = PrivateBroker()
    try:
        yield running, running.start()
    except CannotRun as error:
        give_up(error)
    finally:
        running.end()


def test_a_broker_that_loses_everything_in_the_middle_of_an_import_changes_no_figure(
    own: tuple[PrivateBroker, Broker], postgres: int, tmp_path: Path
) -> None:
    running, broker = own
    vhosts = ("lead", "node")
    lead, node = (
        {"POLKU_DATABASE_URL": new_database(postgres), "POLKU_BUS_URL": broker.new_vhost(name)} for name in vhosts
    )
    with joined_pair(tmp_path, lead, node) as pair:
        csv = tmp_path / "csv"
        pair.node.polku("synth", PROGRAMME, "--out", str(csv), "--scale", str(SCALE))
        importing = pair.node.begin("import", str(csv))
        until(lambda: recorded(pair) > 300, 60)
        assert importing.poll() is None, "the import was over before the broker was lost"
        running.lose_everything()
        for name in vhosts:
            broker.new_vhost(name)
        importing.wait(120)
        until(lambda: bus_is_back(pair.node), 60, every=0.5)
        pair.node.polku("import", str(csv))
        report = pair.wait_until_arrived()
        assert figures(report) == scaled(SCALE)
        assert report["data_quality"]["refused_lines"] == 0


def recorded(pair: Pair) -> int:
    """How many lines the node has in its journal."""
    with psycopg.connect(pair.node.environment["POLKU_DATABASE_URL"].replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT seq FROM journal_head WHERE name = ''").fetchone()
    assert found is not None
    return int(found[0])


def bus_is_back(node: Site) -> bool:
    """Whether the command line reaches the node's services by the bus again."""
    client = RpcClient(node.environment["POLKU_BUS_URL"])
    try:
        return all(client.call(name, "ping", timeout=2)["ready"] for name in ("intake", "activities", "pathways"))
    except PolkuError:
        return False
    finally:
        client.close()
