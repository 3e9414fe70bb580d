"""What a lead records reaches its nodes, by the commands people use."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from services.node.control import connect
from shared.ops.settings import load_home
from shared.programmes import load_file, parse
from shared.programmes.files import programme_file
from shared.testing.wait import until
from tests.flows.kit import PROGRAMME, Pair, Site, joined_pair
from tests.services.node.sets import SESSION, write_set


def digest_at(node: Site) -> str | None:
    """The programme version in use at the node."""
    client = connect(load_home(node.path).socket)
    assert client is not None
    try:
        found: list[dict[str, Any]] = client.call("pathways", "list_programmes")
    finally:
        client.close()
    documents = {row["programme"]: row["document"] for row in found}
    return parse(documents[PROGRAMME]).digest if PROGRAMME in documents else None


def load_on_lead(pair: Pair, file: Path, **changed: Any) -> str:
    """Load another version on the lead; its digest."""
    document = load_file(programme_file(PROGRAMME)) | changed
    file.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    pair.lead.polku("programme", "load", str(file))
    return parse(document).digest


def test_a_version_loaded_on_the_lead_is_in_use_at_the_node_by_itself(tmp_path: Path) -> None:
    with joined_pair(tmp_path) as pair:
        digest = load_on_lead(pair, tmp_path / f"{PROGRAMME}.yaml", silence_limit_days=5)
        made = json.loads(pair.lead.polku("lead", "release", PROGRAMME, "--json"))
        file = tmp_path / "released.json"
        file.write_text(pair.lead.polku("report", PROGRAMME, "--release", made["release"], "--format", "json"))
        until(lambda: digest_at(pair.node) == digest, 60)
        until(lambda: "very document" in pair.node.polku("verify", str(file)), 60)
        pair.node.down()
        digest = load_on_lead(pair, tmp_path / f"{PROGRAMME}.yaml", silence_limit_days=6)
        pair.node.up()
        until(lambda: digest_at(pair.node) == digest, 60)
        again = pair.lead.polku("report", PROGRAMME, "--release", made["release"], "--format", "json")
        assert again == file.read_text(), "whatever has come since"
        assert made["digest"] in pair.lead.polku("lead", "releases", PROGRAMME)
        pair.lead.polku("programme", "archive", PROGRAMME, "--out", str(tmp_path / "archive"))
        kept = tmp_path / "archive" / "reports" / f"release-{made['release']}.json"
        assert kept.read_text() == file.read_text()


def test_an_expelled_partners_last_line_stays_in_the_report_and_nothing_more_is_taken(tmp_path: Path) -> None:
    with joined_pair(tmp_path) as pair:
        write_set(tmp_path, [], [SESSION], [])
        pair.node.polku("import", str(tmp_path))
        before = pair.wait_until_arrived()["streams"][0]
        said = pair.lead.polku("lead", "expel", "leader_association", "--programme", PROGRAMME)
        assert before["node"] in said
        write_set(tmp_path, [], [SESSION | {"ref": "later"}], [])
        pair.node.polku("import", str(tmp_path))
        after = pair.report()["streams"][0]
        assert (after["watermark"], after["chain"]) == (before["watermark"], before["chain"])
        assert after["expelled"]
        assert json.loads(pair.lead.polku("lead", "conflicts", "--json")) == []
        assert "no conflicts" in pair.lead.polku("lead", "conflicts")
        with closing(sqlite3.connect(pair.lead.path / "lead.db")) as database, database:
            here = (f"{after['node']}/{PROGRAMME}", b"d", 1, 7, b"\1" * 32, b"\2" * 32, b"", b"", before["chain"])
            database.execute(f"INSERT INTO received_conflict VALUES ({', '.join('?' * len(here))})", here)
        said = pair.lead.polku("lead", "conflicts")
        assert all(
            part in said for part in (here[0], "epoch 1, line 7", f"ours    {'01' * 32}", f"theirs  {'02' * 32}")
        )
