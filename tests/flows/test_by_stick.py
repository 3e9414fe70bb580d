"""A node without a network: a folder is carried there and back by hand."""

import json
import shutil
from pathlib import Path

from shared.programmes.files import programme_file
from tests.flows.kit import PROGRAMME, Site, free_port_triple


def test_a_stick_carried_there_and_back_makes_a_node_complete(tmp_path: Path) -> None:
    lead, node = Site(tmp_path / "lead", "lead"), Site(tmp_path / "node", "node")
    stick, at_lead, invite = tmp_path / "stick", tmp_path / "at-the-lead", tmp_path / "invite.json"
    lead.polku("init", "--role", "lead", "--port", str(free_port_triple()))
    node.polku("init", "--role", "node", "--name", "leader", "--port", str(free_port_triple()))
    lead.polku("programme", "load", str(programme_file(PROGRAMME)))
    where = ("--uplink", f"file:{stick}", "--out", str(invite))
    lead.polku("lead", "admit", "leader_association", "--programme", PROGRAMME, *where)
    node.polku("node", "join", str(invite))
    assert "waiting" not in node.polku("journal", "export", str(stick))
    for _ in range(2):
        shutil.copytree(stick, at_lead, dirs_exist_ok=True)  # carried there
        lead.polku("journal", "import", str(at_lead))
        lead.polku("journal", "export", str(at_lead))
        shutil.rmtree(stick)
        shutil.copytree(at_lead, stick)  # and back
        node.polku("journal", "import", str(stick))
    assert json.loads(node.polku("complete", "--json"))["complete"] is True
    assert json.loads(lead.polku("complete", "--json"))["complete"] is True


def test_a_running_home_can_be_exported(tmp_path: Path) -> None:
    lead = Site(tmp_path / "lead", "lead")
    lead.polku("init", "--role", "lead", "--port", str(free_port_triple()))
    try:
        lead.up()
        lead.polku("journal", "export", str(tmp_path / "stick"))
    finally:
        lead.down()
