"""New keys come into use while everything is under way: nothing is lost, refused for good or taken from a stranger."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.node import rotating
from services.node.complete import lines, node_state
from services.node.terms import learn, note_expulsion, terms_of
from services.reporting import partner_queries, partners, queries
from shared.contracts.errors import InvalidInput
from shared.journal import certificate, directory
from shared.journal.carrier import EXPELLED, KEYS, MANIFEST
from shared.journal.crypto import load_keys, make_key
from shared.journal.expelling import write_expelled
from shared.journal.filecarrier import FileCarrier
from shared.journal.renewing import APART, OVERLAP, Renewal, read_renewals, renew
from shared.ops.clock import wire_time
from shared.ops.settings import load_home
from shared.storage import snapshot
from tests.services.kit import KEY
from tests.services.node.commands import run
from tests.services.node.pairs import Pair, ids, rotate


def test_a_node_signs_with_the_older_key_until_the_lead_lists_the_new_one(pair: Pair) -> None:
    pair.record(3)
    pair.courier_round()  # under way while the key changes
    rotate(pair.node, "signing")
    old, new = ids(pair.node, "signing")
    pair.record(2)
    pair.courier_round()
    assert partner_queries.admitted_keys(pair.lead_engine, pair.now)[pair.stream].keys() == {old}
    pair.receiver_round()
    assert partner_queries.admitted_keys(pair.lead_engine, pair.now)[pair.stream].keys() == {old, new}
    pair.go()
    pair.record(2)
    pair.go()
    pair.assert_arrived(7)
    assert pair.signers() == [old, new]
    assert pair.listed() == pair.listed(pair.node_engine)
    assert FileCarrier(pair.lead.inbox).read(pair.stream, KEYS, 9) is None, "listed: it is stated no longer"


def test_the_key_before_is_taken_for_sixty_days_and_what_it_signed_verifies_for_ever(pair: Pair) -> None:
    pair.record()
    pair.go()
    rotate(pair.node, "signing")
    pair.go()
    old, new = ids(pair.node, "signing")
    after = pair.now + OVERLAP
    assert partner_queries.admitted_keys(pair.lead_engine, after - timedelta(minutes=2))[pair.stream].keys() == {
        old,
        new,
    }
    assert partner_queries.admitted_keys(pair.lead_engine, after)[pair.stream].keys() == {new}
    assert list(pair.listed().signing(wire_time(after))) == [new]
    assert partner_queries.may_carry(pair.lead_engine, pair.node.name, KEY, None, after)["signing_keys"] == [
        pair.listed().signing_keys[-1].hex()
    ]
    proof = queries.report(pair.lead_engine, KEY, None, None, pair.now)["proof"]
    (stream,) = (each for each in proof.streams if each.node == pair.node.name)
    assert {key.hex() for key in stream.keys} == {key.hex() for key in pair.listed().signing_keys}
    signer = load_keys(pair.lead.keys).newest("signing")
    own = load_keys(pair.lead.keys).publics("signing")
    before, behind = certificate.frame("json", '{\n  "a": 1\n}\n')
    signed = certificate.write_proof(proof, signer)
    made = certificate.certify(signed, certificate.digest_of(before, behind), signer, own)
    certificate.check(before + made.hex().encode() + behind)


def test_what_no_key_of_the_node_has_signed_changes_nothing(pair: Pair) -> None:
    stranger = make_key(pair.folder / "stranger", "signing")
    assert stranger.public is not None
    own = load_keys(pair.node.keys).newest("signing")
    receiving = pair.listed().receiving_keys[-1]
    carrier = FileCarrier(pair.lead.inbox)
    for statement in (
        renew(pair.node.name, stranger.public, receiving, stranger, pair.now),
        renew("other-00000001", stranger.public, receiving, own, pair.now),
        renew(pair.node.name, stranger.public, receiving, own, pair.now + timedelta(days=2)),
        renew(pair.node.name, stranger.public, bytes(32), own, pair.now),  # nothing can be sealed to it
    ):
        carrier.write(pair.stream, KEYS, statement.write())
        pair.receiver_round()
        assert len(pair.listed().signing_keys) == 1
    for noise in (b"", b"\n\n", b"{}\n00\n", b"\xff" * 40_000):
        carrier.write(pair.stream, KEYS, noise)
        pair.receiver_round()
    assert len(pair.listed().signing_keys) == 1


def test_a_node_says_that_it_is_listed_with_keys_that_are_not_in_its_key_files(pair: Pair) -> None:
    """A thief of its key has stated others, or a lead has made use of an old one."""
    rotate(pair.node, "signing")  # ours are no stranger's
    pair.go()
    assert pair.courier.check() is None
    assert [row["strange_keys"] for row in node_state(pair.node)["streams"]] == [[]]
    stolen, thief = load_keys(pair.node.keys).newest("signing"), make_key(pair.folder / "thief", "signing")
    assert thief.public is not None
    pair.now += APART
    stated = renew(pair.node.name, thief.public, pair.listed().receiving_keys[-1], stolen, pair.now)
    FileCarrier(pair.lead.inbox).write(pair.stream, KEYS, stated.write())
    pair.receiver_round()
    pair.courier_round(70)
    pair.courier_round()
    assert f"does not have: {KEY}" in str(pair.courier.check())
    pair.go(4, seconds=1200)
    assert pair.courier.check() is None, "it has stated its own again"
    state = node_state(pair.node)
    assert [row["strange_keys"] for row in state["streams"]] == [[thief.id]], "but the thief's are still taken"
    assert thief.id in "\n".join(lines(state))


def test_an_old_statement_put_back_changes_nothing(pair: Pair) -> None:
    rotate(pair.node, "receiving")
    pair.courier_round()
    first = FileCarrier(pair.lead.inbox).read(pair.stream, KEYS, 9999)
    pair.go()
    rotate(pair.node, "receiving")
    pair.now += APART
    pair.go()
    assert first is not None
    FileCarrier(pair.lead.inbox).write(pair.stream, KEYS, first)
    pair.go()
    assert list(pair.listed().receiving_keys) == list(load_keys(pair.node.keys).publics("receiving").values())


def test_the_leads_stream_is_sealed_to_a_nodes_new_receiving_key_and_arrives(pair: Pair) -> None:
    rotate(pair.node, "receiving")
    pair.go()
    assert pair.listed(pair.node_engine).receiving_keys[-1] == load_keys(pair.node.keys).pair()[1]
    rotate(pair.node, "signing")
    pair.now += APART
    pair.go()
    assert pair.listed(pair.node_engine) == pair.listed()
    assert len(pair.listed().pairs) == 3


@pytest.mark.parametrize("kind", ["signing", "receiving"])
def test_new_keys_of_a_node_are_an_hour_apart_and_what_came_earlier_is_taken_then(pair: Pair, kind: str) -> None:
    rotate(pair.node, "signing")
    pair.go()
    rotate(pair.node, kind)
    pair.go(3, seconds=500)
    assert len(pair.facts("reporting.node_keys_changed")) == 1
    pair.record(2)
    pair.go(10, seconds=200)
    assert len(pair.facts("reporting.node_keys_changed")) == 2
    assert pair.listed().pairs[-1] == load_keys(pair.node.keys).pair()
    pair.assert_arrived(2)


def test_a_statement_of_new_keys_is_verified_once_however_often_the_directory_is_read(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []
    holds = Renewal.holds
    monkeypatch.setattr(Renewal, "holds", lambda self: verified.append(self) or holds(self))
    rotate(pair.node, "signing")
    pair.go()
    verified.clear()
    directory._holds.cache_clear()
    for _ in range(3):
        assert len(pair.listed().pairs) == 2
    assert len(verified) == 1


@pytest.mark.parametrize("kind", ["signing", "receiving"])
def test_a_node_follows_its_leads_new_key_from_the_one_that_it_has_pinned(pair: Pair, kind: str) -> None:
    pair.record(2)
    pair.courier_round()
    before = pair.node.joined[0]
    rotate(pair.lead, kind)
    pair.receiver_round()
    pair.record(2)
    pair.go(8, seconds=20)
    pair.assert_arrived(4)
    (place,) = load_home(pair.node.path).joined
    signing, receiving = load_keys(pair.lead.keys).pair()
    assert (place.lead_signing_key, place.lead_receiving_key) == (signing.hex(), receiving.hex())
    assert place.lead_former_keys.startswith(before.lead_signing_key) is (kind == "signing")
    assert len(pair.facts("reporting.lead_keys_changed")) == 1
    again = rotating.rotate(pair.lead, kind, "boss", pair.now)
    assert again.number == 3
    pair.go(8, seconds=20)
    pair.record()
    pair.go(4)
    pair.assert_arrived(5)


@pytest.mark.parametrize("what", ["keys", "expelled"])
@pytest.mark.parametrize("edit", ["moved", "left"])
def test_what_the_lead_says_is_noted_beside_an_edit_of_home_toml_during_the_round(
    pair: Pair, what: str, edit: str
) -> None:
    (place,) = pair.node.joined  # as the round began
    carrier, channel = FileCarrier(pair.lead.inbox), f"lead/{KEY}/{pair.node.name}"
    before = load_keys(pair.lead.keys).newest("signing")
    elsewhere = replace(place, uplink="file:/elsewhere")
    replace(pair.node, joined=(elsewhere,) if edit == "moved" else ()).save()
    if what == "keys":
        new = make_key(pair.lead.keys, "signing")
        assert new.public is not None
        receiving = bytes.fromhex(place.lead_receiving_key)
        carrier.write(channel, KEYS, renew("lead", new.public, receiving, before, pair.now).write())
        learn(pair.node, place, carrier, pair.now)
        changed = replace(elsewhere, lead_signing_key=new.public.hex())
    else:
        at = wire_time(pair.now)
        carrier.write(channel, EXPELLED, write_expelled(pair.stream, at, before))
        with snapshot(pair.node_engine) as connection:
            terms = terms_of(connection, pair.node.name, place, load_keys(pair.node.keys), pair.now)
        note_expulsion(pair.node, place, carrier, terms)
        changed = replace(elsewhere, expelled_at=at)
    found = [replace(p, lead_keys_at="", lead_former_keys="") for p in load_home(pair.node.path).joined]
    assert found == ([changed] if edit == "moved" else [])


def test_a_node_follows_a_lead_whose_clock_was_put_back(pair: Pair) -> None:
    rotate(pair.lead, "signing")
    pair.go(8, seconds=20)
    now = pair.now
    pair.now -= timedelta(days=30)
    rotate(pair.lead, "signing")
    pair.receiver_round()
    pair.now = now
    pair.go(8, seconds=20)
    (place,) = load_home(pair.node.path).joined
    assert place.lead_signing_key == load_keys(pair.lead.keys).pair()[0].hex()


def test_a_node_does_not_follow_a_key_that_the_pinned_one_has_not_vouched_for(pair: Pair) -> None:
    stranger = make_key(pair.folder / "stranger", "signing")
    assert stranger.public is not None
    receiving = load_keys(pair.lead.keys).pair()[1]
    channel, carrier = f"lead/{KEY}/{pair.node.name}", FileCarrier(pair.lead.inbox)
    carrier.write(channel, KEYS, renew("lead", stranger.public, receiving, stranger, pair.now).write())
    carrier.write(channel, MANIFEST, b"{}\n")
    before = load_home(pair.node.path).joined
    pair.courier_round()
    carrier.write(channel, KEYS, renew("lead", stranger.public, receiving, stranger, pair.now).write())
    pair.go()
    assert load_home(pair.node.path).joined == before


def test_an_invite_of_before_the_leads_new_key_is_good_and_joining_again_keeps_the_pin(pair: Pair) -> None:
    file = next(iter(pair.folder.glob("invite-*")))
    rotate(pair.lead, "signing")
    pair.go(8, seconds=20)
    pinned = load_home(pair.node.path).joined
    done = run("node", "join", file, home=pair.node.path)
    assert done.code == 0, done.err
    assert load_home(pair.node.path).joined == pinned


@pytest.mark.parametrize(("role", "kind"), [("node", "tag"), ("node", "other"), ("lead", "vault")])
def test_a_kind_that_is_not_rotated_here_is_refused(pair: Pair, role: str, kind: str) -> None:
    home = pair.node if role == "node" else pair.lead
    before = sorted(path.name for path in home.keys.iterdir())
    done = run("keys", "rotate", kind, home=home.path)
    assert (done.code, done.error.startswith("KIND")) == (2, True)
    assert sorted(path.name for path in home.keys.iterdir()) == before


def test_a_node_that_no_lead_has_listed_yet_cannot_vouch_for_a_new_key(tmp_path: Path) -> None:
    pair = Pair.__new__(Pair)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Pair, "go", lambda *_: None)
        pair.__init__(tmp_path)  # type: ignore[misc]
    with pytest.raises(InvalidInput):
        rotating.rotate(load_home(pair.node.path), "signing", "boss", pair.now)
    pair.close()


def test_a_statement_reads_as_it_was_written_and_not_when_it_is_changed(tmp_path: Path) -> None:
    signer, new = make_key(tmp_path, "signing"), make_key(tmp_path, "signing")
    assert new.public is not None
    (pair_now,) = [renew("lead", new.public, b"r" * 32, signer, Pair.__dataclass_fields__["now"].default_factory())]  # type: ignore[misc]
    data = pair_now.write()
    assert read_renewals(data) == [pair_now]
    assert read_renewals(data + data) == [pair_now, pair_now]
    for place in range(0, len(data), 7):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert read_renewals(changed) != [pair_now]


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_between_any_rotations_every_line_arrives_once(
    pair: Pair, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounds, restarts, lost items and months that pass, in any order with new keys of every kind at both ends."""
    monkeypatch.setattr(partners, "APART", timedelta(minutes=3))
    chance, count = random.Random(seed), 0
    for _ in range(40):
        step = chance.choice(["record", "record", "courier", "courier", "receiver", "receiver", "key", "late", "lose"])
        if step == "record":
            pair.record(3)
            count += 3
        elif step == "courier":
            pair.courier_round(chance.choice([1, 70]))
        elif step == "receiver":
            pair.receiver_round(chance.choice([1, 70]))
        elif step == "key":
            home, kind = chance.choice([pair.node, pair.lead]), chance.choice(["signing", "receiving"])
            rotating.rotate(load_home(home.path), kind, "boss", pair.now)
        elif step == "late":
            pair.restart()
            pair.now += timedelta(days=chance.choice([1, 30, 70]))
        elif lying := sorted(path for path in pair.lead.inbox.rglob("*") if path.is_file()):
            chance.choice(lying).unlink()
    pair.go(12, seconds=60)
    pair.assert_arrived(count)
    assert pair.listed() == pair.listed(pair.node_engine)
    assert pair.listed().pairs[-1] == load_keys(pair.node.keys).pair()
    (place,) = load_home(pair.node.path).joined
    signing, receiving = load_keys(pair.lead.keys).pair()
    assert (place.lead_signing_key, place.lead_receiving_key) == (signing.hex(), receiving.hex())
