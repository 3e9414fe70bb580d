"""What a lead records reaches its nodes, by the commands people use."""

from pathlib import Path
from typing import Any

import yaml

from services.node.control import connect
from shared.ops.settings import load_home
from shared.programmes import load_file, parse
from shared.programmes.files import programme_file
from shared.testing.wait import until
from tests.flows.kit import PROGRAMME, Pair, Site, joined_pair


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
        until(lambda: digest_at(pair.node) == digest, 60)
        pair.node.down()
        digest = load_on_lead(pair, tmp_path / f"{PROGRAMME}.yaml", silence_limit_days=6)
        pair.node.up()
        until(lambda: digest_at(pair.node) == digest, 60)
