"""A node and its lead by the lead's broker, as people set it up."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from shared.programmes.files import programme_file
from shared.testing.broker import Broker
from shared.testing.wait import until
from tests.flows.kit import PROGRAMME, Pair, Site, free_port_triple


def test_a_node_joined_by_the_leads_broker_is_complete(tmp_path: Path, rabbitmq: Broker, rabbitmq_url: str) -> None:
    lead = Site(tmp_path / "lead", "lead", {"POLKU_CARRIER_URL": rabbitmq_url})
    node = Site(tmp_path / "node", "node")
    lead.polku("init", "--role", "lead", "--port", str(free_port_triple()))
    node.polku("init", "--role", "node", "--name", "leader", "--port", str(free_port_triple()))
    pair, file, invite = Pair(lead, node), str(programme_file(PROGRAMME)), tmp_path / "invite.json"
    url = rabbitmq_url.replace("guest:guest@", "")
    try:
        lead.up()
        lead.polku("programme", "load", file)
        where = ("--uplink", url, "--out", str(invite))
        lead.polku("lead", "admit", "leader_association", "--programme", PROGRAMME, *where)
        definitions = tmp_path / "invite.json.broker.json"
        rabbitmq.erlang(f'{{ok, D}} = file:read_file("{definitions}"), ok = rabbit_definitions:import_raw(D).')
        password = json.loads(invite.read_text())["password"]
        assert password not in definitions.read_text()

        box = f"{PROGRAMME}.leader_association"
        until(lambda: rabbitmq.depths(rabbitmq_url).get(f"{box}.up", (0, 0))[1], 30)  # the lead reads it
        node.polku("node", "join", str(invite))
        assert password not in (node.path / "home.toml").read_text()
        node.up()
        until(lambda: lines_from_the_lead(node) > 0, 60)
        assert pair.wait_until_arrived()["arrived"] is True
        until(lambda: json.loads(node.polku("complete", "--json", fails=True))["complete"], 30)
        assert list((lead.path / "inbox").glob("leader-*")) == []
    finally:
        node.down()
        lead.down()


def lines_from_the_lead(node: Site) -> int:
    """How many lines of the lead's own stream the node has."""
    with closing(sqlite3.connect(node.path / "node.db")) as database:
        return int(database.execute("SELECT count(*) FROM received_line WHERE stream LIKE 'lead/%'").fetchone()[0])
