"""Two partners recognise each other by their six words, and the tag key goes from one to the other: by the commands."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared.testing.wait import until
from tests.flows.kit import PROGRAMME, Pair, Site, free_port_triple, joined_pair
from tests.flows.test_lead_stream import digest_at, load_on_lead

STEWARD = "university_of_applied_sciences"


@contextmanager
def with_a_second_node(pair: Pair, folder: Path) -> Iterator[Site]:
    """The other partner's node, joined and up."""
    node = Site(folder / "second", "node")
    node.polku("init", "--role", "node", "--name", "uas", "--port", str(free_port_triple()))
    invite = folder / "second.json"
    pair.lead.polku("lead", "admit", STEWARD, "--programme", PROGRAMME, "--out", str(invite))
    node.polku("node", "join", str(invite))
    try:
        node.up()
        yield node
    finally:
        node.down()


def nodes(site: Site) -> dict[str, Any]:
    """What the node knows of the others, by partner; `keys` are the tag keys that are here."""
    found = json.loads(
        site.polku("node", "partners", PROGRAMME, "--json", fails=True) or '{"nodes": [], "key_nos": []}'
    )
    return {row["partner"]: row for row in found["nodes"]} | {"keys": found["key_nos"]}


def test_the_tag_key_reaches_a_node_that_was_recognised(tmp_path: Path) -> None:
    with joined_pair(tmp_path) as pair, with_a_second_node(pair, tmp_path) as steward:
        tag = {"basis": "name_birth_date", "steward": STEWARD}
        digest = load_on_lead(pair, tmp_path / f"{PROGRAMME}.yaml", tag=tag)
        for site in (pair.node, steward):
            until(lambda site=site: digest_at(site) == digest and len(nodes(site)) == 3, 120)  # type: ignore[misc]
        ours, theirs = (nodes(site) for site in (pair.node, steward))
        for site, known, partner, words in (
            (pair.node, ours, STEWARD, theirs[STEWARD]["words"]),
            (steward, theirs, "leader_association", ours["leader_association"]["words"]),
        ):
            site.polku("node", "confirm", PROGRAMME, known[partner]["node"], words)
        assert "tag key 1" in steward.polku("node", "tag-key", PROGRAMME, "--new")
        until(lambda: nodes(pair.node)["keys"] == [1], 120)
        keys = [(site.path / "keys" / "tag-1").read_bytes() for site in (pair.node, steward)]
        assert keys[0] == keys[1]
        for path in pair.lead.path.rglob("*"):
            assert not path.is_file() or keys[0].strip() not in path.read_bytes()
