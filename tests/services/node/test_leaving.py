"""A node leaves a lead that is gone for good; what that costs is said before and after."""

import json
from datetime import timedelta

import pytest

from services.node import leaving
from services.node.complete import lines, node_state
from shared.contracts.errors import InvalidInput
from shared.journal.holding import AHEAD, held_streams, is_held
from shared.journal.sending import failing
from shared.ops.settings import load_home
from shared.storage import snapshot
from tests.services import kit
from tests.services.kit import KEY
from tests.services.node.commands import invite_of, run
from tests.services.node.pairs import Pair


def backup(pair: Pair) -> str:
    """The node's; the passphrase."""
    done = run("backup", pair.folder / "backup", home=pair.node.path)
    return done.out.splitlines()[0].rpartition(" ")[2]


def restore(pair: Pair, passphrase: str) -> None:
    pair.close()
    pair.node.path.rename(pair.folder / "lost")
    done = run("restore", pair.folder / "backup", home=pair.node.path, POLKU_RECOVERY_PASSPHRASE=passphrase)
    assert "polku node leave" in done.out
    pair.open()


def held(pair: Pair) -> bool:
    with snapshot(pair.node_engine) as connection:
        return is_held(connection)


def written(pair: Pair) -> dict[str, bytes]:
    folder = pair.lead.inbox / pair.node.name / KEY
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_restored_node_whose_lead_is_gone_leaves_it_goes_on_and_says_what_never_arrives(pair: Pair) -> None:
    pair.record(2)
    pair.go()
    restore(pair, backup(pair))
    for _ in range(3):
        pair.courier_round(seconds=200)
    assert held(pair), "nobody answers"
    refused = run("node", "leave", "another", "--yes", home=pair.node.path)
    assert "another" in refused.error
    asked = run("node", "leave", KEY, home=pair.node.path)
    assert (asked.code, "lines 1–2 have no receipt here" in asked.err, held(pair)) == (1, True, True)
    assert "erase them again" in asked.err
    assert run("node", "leave", KEY, "--yes", home=pair.node.path).code == 0
    failing.labels(pair.stream).set(1)
    pair.courier_round()
    assert not held(pair)
    assert failing.labels(pair.stream)._value.get() == 0, "no alert goes on"
    before = written(pair)
    pair.record()
    pair.restart()
    for _ in range(3):
        pair.courier_round(seconds=200)
    assert written(pair) == before, "nothing is sent"
    state = node_state(load_home(pair.node.path))
    (row,) = state["streams"]
    assert (row["state"], row["head"], row["missing"], state["complete"]) == ("left", 3, [[1, 3]], False)
    assert row["epoch"] == 2, "the lead may have other lines under these numbers"
    assert f"left on {row['left']}; the lead gets nothing more: 1–3" in "\n".join(lines(state))
    (entry,) = [entry for entry in kit.audit(pair.node_engine) if entry["action"] == "leave_programme"]
    assert (entry["programme"], entry["head"], entry["receipted"], entry["held"]) == (KEY, 2, 0, True)
    assert "left on" in run("node", "leave", KEY, "--yes", home=pair.node.path).error
    (pair.folder / "invite").write_text(invite_of(pair.lead.path))
    assert "a new home" in run("node", "join", pair.folder / "invite", home=pair.node.path).error


def restored_and_answered(pair: Pair) -> None:
    """The node has lost two lines, and its lead has said that it has them."""
    passphrase = backup(pair)
    pair.record(2)
    pair.go()
    restore(pair, passphrase)
    pair.courier_round()
    pair.receiver_round()
    pair.courier_round()
    assert held_streams(pair.node_engine, [pair.stream]) == {pair.stream: AHEAD}


def test_a_lead_that_has_answered_is_not_left_while_lost_lines_are_on_their_way_back(pair: Pair) -> None:
    restored_and_answered(pair)
    assert "on its way back" in run("node", "leave", KEY, "--yes", home=pair.node.path).error
    pair.go()
    assert not held(pair)
    assert len(json.loads(run("parked", "list", "--json", home=pair.node.path).out)["lost"]) == 2


def test_a_lead_that_had_answered_and_is_gone_can_be_left_a_day_after_its_last_line_came(pair: Pair) -> None:
    restored_and_answered(pair)
    place = load_home(pair.node.path)
    with pytest.raises(InvalidInput, match="on its way back"):
        leaving.leave(place, KEY, "boss", pair.now + timedelta(hours=23))
    assert held(pair)
    later = pair.now + timedelta(hours=25)
    warned = "\n".join(leaving.preview(place, KEY, later))
    assert "lost here for good" in warned
    leaving.leave(place, KEY, "boss", later)
    pair.courier_round()
    assert not held(pair)
    assert json.loads(run("parked", "list", "--json", home=pair.node.path).out)["lost"] == [], "not proved"
    assert node_state(load_home(pair.node.path))["streams"][0]["epoch"] == 2
