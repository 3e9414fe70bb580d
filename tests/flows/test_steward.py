"""Two partners recognise each other by their six words; the tag key goes from one to the other, and a person: by the
commands."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services.node.control import connect
from shared.ops.settings import load_home
from shared.testing.wait import until
from tests.flows.kit import PROGRAMME, Pair, Site, free_port_triple, joined_pair
from tests.flows.test_lead_stream import digest_at, load_on_lead
from tests.services.node.sets import PERSON, write_set

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


def referrals(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(site.polku("referral", "list", PROGRAMME, "--json"))
    return found


def record_attendance(site: Site, subject: str) -> None:
    """The person is at a session of this node."""
    client = connect(load_home(site.path).socket)
    assert client is not None
    common = {"programme": PROGRAMME, "by": "worker"}
    held = {"key": secrets.token_hex(32), "activity": "kaapeli", "date": "2016-03-01"}
    done = client.call("activities", "record_sessions", items=[held], **common)
    there = {"session": done["results"][0]["session"], "subject": subject, "role": "participant"}
    items = [there | {"key": secrets.token_hex(32)}]
    done = client.call("activities", "record_attendance", items=items, after=done["pos"], **common)
    client.close()
    assert "error" not in done["results"][0]


def refer_somebody(pair: Pair, to: Site, folder: Path) -> None:
    """Somebody without a birth date, so without a tag, goes from one partner to the other and counts once."""
    named = PERSON | {"given_name": "Aino", "family_name": "Esimerkki"}
    folder.mkdir()
    pair.node.polku("import", str(write_set(folder, [named], [], [])))
    client = connect(load_home(pair.node.path).socket)
    assert client is not None
    listed = client.call("intake", "list_people", programme=PROGRAMME, by="worker", reply_to="0" * 63 + "9")
    client.close()
    (subject,) = [row["person"] for row in listed["people"]]
    record_attendance(pair.node, subject)
    (folder / "why").write_text("Haluaa ryhmään", encoding="utf-8")
    why = ("--agreed", "name", "--reason", str(folder / "why"))
    pair.node.polku("referral", "send", PROGRAMME, STEWARD, subject, *why)
    until(lambda: [row["state"] for row in referrals(to)] == ["received"], 120)
    (came,) = referrals(to)
    assert (came["given_name"], came["text"], came["birth_date"]) == ("Aino", "Haluaa ryhmään", None)
    taken = to.polku("referral", "accept", PROGRAMME, came["referral"]).split()[0]
    record_attendance(to, taken)
    until(lambda: [row["state"] for row in referrals(pair.node)] == ["accepted"], 120)
    to.polku("referral", "follow-up", PROGRAMME, came["referral"], "started")
    until(lambda: [row["became"] for row in referrals(pair.node)] == ["started"], 120)
    until(lambda: pair.report()["activities"][0]["sessions"] == 2, 120)
    report = pair.report()
    assert (report["activities"][0]["participants"], report["activities"][0]["attendances"]) == (1, 2)
    assert report["people"]["range"] == [1, 1]


def test_a_recognised_node_is_given_the_tag_key_and_a_person(tmp_path: Path) -> None:
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
        said = steward.polku("node", "tag-key", PROGRAMME, "--new")
        (made,) = nodes(steward)["keys"]
        assert f"tag key {made} is in use" in said
        until(lambda: nodes(pair.node)["keys"] == [made], 120)
        keys = [(site.path / "keys" / "tag-1").read_bytes() for site in (pair.node, steward)]
        assert keys[0] == keys[1]
        for path in pair.lead.path.rglob("*"):
            assert not path.is_file() or keys[0].strip() not in path.read_bytes()
        refer_somebody(pair, steward, tmp_path / "set")
        for path in pair.lead.path.rglob("*"):
            assert not path.is_file() or b"Esimerkki" not in path.read_bytes()
