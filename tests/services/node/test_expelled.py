"""A node that was expelled is told and ships nothing more; a held lead need not wait for one that is gone for good."""

from services.node.complete import lines, node_state
from services.node.terms import expelled
from services.reporting import partners, queries
from shared.journal.carrier import EXPELLED
from shared.journal.crypto import load_keys, make_key
from shared.journal.expelling import read_expelled, write_expelled
from shared.journal.filecarrier import FileCarrier
from shared.journal.holding import is_held
from shared.ops.clock import wire_time
from shared.ops.settings import load_home
from shared.storage import snapshot
from tests.services.kit import KEY, OWN
from tests.services.node.commands import run
from tests.services.node.pairs import Pair


def expel(pair: Pair) -> int | None:
    return partners.expel_partner(pair.lead_journal, KEY, OWN, by="boss", now=pair.now)[1]


def written(pair: Pair) -> dict[str, float]:
    """What lies in the node's channel, and since when."""
    folder = pair.lead.inbox / pair.node.name / KEY
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_an_expelled_node_is_told_says_so_and_ships_nothing_more(pair: Pair) -> None:
    pair.record(2)
    pair.go()
    assert expelled(pair.node) is None
    expel(pair)
    at = wire_time(pair.now)
    pair.receiver_round()
    pair.courier_round(seconds=70)
    before = written(pair)
    pair.record()
    pair.go(3, seconds=200)
    assert written(pair) == before
    state = node_state(load_home(pair.node.path))
    (row,) = state["streams"]
    assert (row["state"], row["expelled"], row["watermark"], row["head"]) == ("expelled", at, 2, 3)
    assert state["complete"] is False, "a line will never arrive"
    assert f"expelled by the lead on {at}" in "\n".join(lines(state))
    assert f"expelled by the lead on {at}" in str(pair.courier.check())
    pair.restart()
    pair.go(2, seconds=200)
    assert written(pair) == before, "also a new process"
    (stream,) = (s for s in queries.report(pair.lead_engine, KEY, None, None, pair.now)["streams"] if s["node"])
    assert (stream["watermark"], stream["expelled"]) == (2, at)


def test_a_node_that_was_away_believes_it_though_the_lead_has_had_another_key_since(pair: Pair) -> None:
    expel(pair)
    done = run("keys", "rotate", "signing", home=pair.lead.path)
    assert done.code == 0, done.err
    pair.receiver_round()
    pair.restart()
    pair.receiver_round()
    pair.courier_round(seconds=70)
    assert expelled(pair.node) is not None


def test_nobody_but_the_lead_can_silence_a_node(pair: Pair) -> None:
    stranger, own = make_key(pair.folder / "stranger", "signing"), load_keys(pair.lead.keys).newest("signing")
    channel, carrier = f"lead/{KEY}/{pair.node.name}", FileCarrier(pair.lead.inbox)
    at = wire_time(pair.now)
    keys = load_keys(pair.lead.keys).publics("signing")
    good = write_expelled(pair.stream, at, own)
    assert read_expelled(good, pair.stream, keys) == at
    for data in (
        write_expelled(pair.stream, at, stranger),
        write_expelled(f"other-00000001/{KEY}", at, own),
        write_expelled(pair.stream, "yesterday", own),
        good.replace(b"2", b"3", 1),
        good[:-1],
        b"",
        b"[" * 900,
    ):
        assert read_expelled(data, pair.stream, keys) is None
        carrier.write(channel, EXPELLED, data)
        pair.courier_round(seconds=70)
        assert expelled(pair.node) is None


def test_a_restored_lead_whose_member_is_gone_for_good_goes_on_when_it_is_expelled(pair: Pair) -> None:
    pair.record(2)
    pair.go()
    done = run("backup", pair.folder / "backup", home=pair.lead.path)
    passphrase = done.out.splitlines()[0].rpartition(" ")[2]
    pair.close()
    pair.lead.path.rename(pair.folder / "lost")
    done = run("restore", pair.folder / "backup", home=pair.lead.path, POLKU_RECOVERY_PASSPHRASE=passphrase)
    assert done.code == 0, done.err
    pair.open()
    for _ in range(3):
        pair.receiver_round(seconds=200)
    with snapshot(pair.lead_engine) as connection:
        assert is_held(connection), "its only member does not answer"
    assert expel(pair) is None, "nothing can be recorded while it is held"
    at = wire_time(pair.now)
    assert pair.facts("reporting.node_expelled") == []
    for _ in range(3):
        pair.receiver_round()
    with snapshot(pair.lead_engine) as connection:
        assert not is_held(connection)
    assert pair.facts("reporting.node_expelled") == [{"partner": OWN, "node": pair.node.name}]
    pair.restart()
    pair.receiver_round()
    assert len(pair.facts("reporting.node_expelled")) == 1, "once"
    (stream,) = (s for s in queries.report(pair.lead_engine, KEY, None, None, pair.now)["streams"] if s["node"])
    assert (stream["watermark"], stream["expelled"]) == (2, at)
