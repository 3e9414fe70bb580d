"""The tag key's way from the steward's node to nodes whose people have read out their six words."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from services.intake import letters, peers, steward, store
from services.intake.domain import next_tag_key_no, tag_of
from shared.contracts.catalogue import NodeAdmitted, NodeKeysChanged, PersonTagged
from shared.contracts.errors import InvalidInput, NotFound
from shared.journal import Journal, crypto
from shared.journal.carry_tables import post_in, post_out
from shared.journal.directory import members, members_of
from shared.journal.filecarrier import FileCarrier
from shared.journal.posting import LeadPost, Members, NodePost
from shared.journal.renewing import renew
from shared.journal.tables import journal_line
from shared.ops.clock import wire_time
from shared.storage import open_engine, snapshot, transaction
from tests.services import kit
from tests.services.intake.kit import IDENTITY, KEYS
from tests.services.intake.test_tags import Node
from tests.services.kit import KEY, NOW, OTHER, OWN
from tests.services.reporting.kit import receive

DOCUMENT = kit.changed(tag={"basis": "name_birth_date", "steward": OTHER})
STEWARD, LEADERS, THIRD = "rauma-00000001", "pori-00000002", "eura-00000003"
FIRST = next_tag_key_no(0, NOW)
"""The number of the first tag key here; of the next one more."""
PARTNERS = {STEWARD: OTHER, LEADERS: OWN, THIRD: "third"}


def directory_of(connection: Connection, programme: str) -> Members:
    return {known.node: known.signing(wire_time(NOW)) for known in members(connection, programme)}


def words_of(place: "Place") -> str:
    return peers.words_of(*place.desk.keys.pair())


class Place(Node):
    """A node's home: keys, intake, courier."""

    def __init__(self, engine: Engine, name: str, folder: Path, carrier: FileCarrier) -> None:
        (folder / name).mkdir(parents=True)
        super().__init__(engine, folder / name)
        self.journal = Journal(engine, name)
        self.follower.journal = self.journal
        kit.put_programme(engine, store.shelf, DOCUMENT)
        for key in ("signing", "receiving"):
            crypto.make_key(self.keys, key)
        self.name, self.now, self.renewed = name, NOW, timedelta()
        self.refresh(carrier)

    def refresh(self, carrier: FileCarrier) -> None:
        """The processes start again and read their keys."""
        keys = crypto.load_keys(self.keys)
        self.desk = peers.Desk(self.name, keys, self.keys)
        self.post = NodePost(self.engine, carrier, self.name, keys.newest("signing"), directory_of)

    def admitted(self) -> NodeAdmitted:
        keys = crypto.load_keys(self.keys)
        signing, receiving = (keys.newest(name).public or b"" for name in ("signing", "receiving"))
        named = {"partner": PARTNERS[self.name], "node": self.name}
        return NodeAdmitted(None, **named, signing_key=signing.hex(), receiving_key=receiving.hex())

    def nodes(self) -> dict[str, str | None]:
        with snapshot(self.engine) as connection:
            return {row["node"]: row["state"] for row in peers.list_nodes(connection, self.desk, KEY)["nodes"]}

    def confirm(self, other: "Place", words: str = "") -> bool:
        said = words or words_of(other)
        peers.confirm_node(self.journal, self.desk, KEY, other.name, said, by="worker", now=self.now)
        return steward.hand_tag_key(self.journal, self.desk, KEY, other.name, self.now)

    def renew(self) -> int:
        """A new key, half an hour after the last."""
        then, self.renewed = NOW + self.renewed, self.renewed + timedelta(minutes=30)
        return steward.renew_tag_key(self.journal, self.desk, KEY, by="worker", now=then)[0]

    def key_nos(self) -> list[int]:
        with snapshot(self.engine) as connection:
            return [key.key_no for key in store.tag_keys(connection, KEY)]

    def secrets(self) -> set[bytes]:
        return {key.secret() for key in crypto.load_keys(self.keys).all if key.name == "tag"}


@dataclass
class Land:
    """A steward's node, the lead organisation's node, a third one, and the lead that carries."""

    places: dict[str, Place]
    inbox: Path
    lead: LeadPost
    now: datetime = NOW
    seen: bytes = b""

    def tell(self, *admitted: NodeAdmitted) -> None:
        """The lead's stream says who is in."""
        for place in self.places.values():
            receive(place.engine, f"lead/{KEY}", admitted)

    def work(self, rounds: int = 4) -> None:
        """Rounds of everybody; all that the lead ever held is kept in `seen`."""
        for _ in range(rounds):
            self.now += timedelta(seconds=1)
            for place in self.places.values():
                place.now = self.now
                place.post.round(KEY, self.now)
                with snapshot(place.engine) as connection:
                    self.lead.round(KEY, directory_of(connection, KEY), self.now)
                letters.take_letters(place.journal, place.desk, KEYS, self.now)
                place.follow()
            self.seen += b"".join(path.read_bytes() for path in self.inbox.rglob("post"))


@pytest.fixture
def land(tmp_path: Path, engine: Engine, migrated_file: Path) -> Land:
    """Nobody has confirmed anybody; the third node's database is the one under test."""
    carrier = FileCarrier(tmp_path / "inbox")
    files = {name: shutil.copy(migrated_file, tmp_path / f"{name}.db") for name in (STEWARD, LEADERS)}
    engines = {name: open_engine(f"sqlite:///{file}") for name, file in files.items()} | {THIRD: engine}
    places = {name: Place(made, name, tmp_path / "keys", carrier) for name, made in engines.items()}
    land = Land(places, tmp_path / "inbox", LeadPost(carrier))
    land.tell(*(place.admitted() for place in places.values()))
    return land


def all_confirm(land: Land) -> tuple[Place, Place, Place]:
    first, second, third = land.places.values()
    for one in land.places.values():
        for other in land.places.values():
            if one is not other:
                one.confirm(other)
    return first, second, third


def test_confirmed_nodes_get_the_key_and_tag_alike_and_the_lead_never_holds_it(land: Land) -> None:
    first, second, third = all_confirm(land)
    third.register("earlier")
    assert first.renew() == FIRST
    land.work()
    assert first.key_nos() == second.key_nos() == third.key_nos() == [FIRST]
    assert first.secrets() == second.secrets() == third.secrets()
    (key,) = first.secrets()
    for place in land.places.values():
        place.register("anna")
        place.follow()
    tags = [
        line.body["tag"]
        for place in land.places.values()
        for line in kit.lines(place.engine)
        if line.kind == PersonTagged.kind
    ]
    assert tags == [tag_of(IDENTITY, "name_birth_date", KEY, key)] * 4
    assert b"polku_post" in land.seen
    assert key not in land.seen
    assert key.hex().encode() not in land.seen
    assert [kit.rows(place.engine, post_out) for place in land.places.values()] == [[], [], []]


def test_nobody_who_was_not_confirmed_is_handed_the_key(land: Land) -> None:
    first, second, third = land.places.values()
    second.confirm(first)
    third.confirm(first)
    first.confirm(second)
    first.renew()
    land.work()
    assert (second.key_nos(), third.key_nos()) == ([FIRST], [])
    assert first.confirm(third), "who is confirmed later gets it then"
    land.work()
    assert third.key_nos() == [FIRST]


def test_no_key_is_taken_from_a_steward_who_was_not_confirmed(land: Land) -> None:
    """Else a lead that gives out false keys could be the steward, and know the tag key."""
    first, second, _ = land.places.values()
    first.confirm(second)
    first.renew()
    land.work()
    assert second.key_nos() == []
    assert len(kit.rows(first.engine, post_out)) == 1, "the letter waits, and its sender sees it"
    second.confirm(first)
    land.work()
    assert second.key_nos() == [FIRST]
    assert kit.rows(first.engine, post_out) == []


def test_words_that_are_not_those_of_the_keys_given_out_are_refused(land: Land) -> None:
    first, second, third = land.places.values()
    with pytest.raises(InvalidInput, match="words"):
        first.confirm(second, words_of(third))
    with pytest.raises(InvalidInput, match="not the six words"):
        first.confirm(second, "kalo tuve")
    assert first.nodes()[LEADERS] == "unconfirmed"
    first.confirm(second, words_of(second).upper().replace("-", "  "))
    assert first.nodes() == {STEWARD: None, LEADERS: "confirmed", THIRD: "unconfirmed"}


def test_a_node_that_is_not_there_and_ones_own_cannot_be_confirmed(land: Land) -> None:
    first, second, _ = land.places.values()
    with pytest.raises(NotFound):
        first.confirm(first)
    second.name = "muualta-00000009"
    with pytest.raises(NotFound):
        first.confirm(second)


def test_with_other_keys_a_node_is_not_confirmed_any_more(land: Land) -> None:
    first, second, _ = all_confirm(land)
    crypto.make_key(second.keys, "receiving")
    land.tell(second.admitted())
    assert first.nodes()[LEADERS] == "changed"
    first.renew()
    land.work()
    assert second.key_nos() == []


def test_a_key_from_somebody_who_is_not_the_steward_is_refused_and_that_is_told(land: Land) -> None:
    _, second, third = all_confirm(land)
    letter = steward._letter(7, "name_birth_date", b"k" * 32)
    with snapshot(second.engine) as connection:
        to = peers.confirmed_members(connection, KEY)[THIRD]
    with second.journal.unit(NOW) as unit:
        peers.write(unit, second.desk, KEY, to, letter)
    land.work()
    assert third.key_nos() == []
    assert third.secrets() == set()
    refused = [entry for entry in kit.audit(third.engine) if entry["action"] == "refuse_letter"]
    assert [(entry["node"], entry["reason"]) for entry in refused] == [(LEADERS, "not_the_steward")]
    assert kit.rows(second.engine, post_out) == []


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"[]",
        b'{"kind":"tag_key"}',
        b'{"kind":"tag_key","key_no":0,"basis":"name_birth_date","key":"00"}',
        b'{"kind":"tag_key","key_no":true,"basis":"name_birth_date","key":"' + b"0" * 64 + b'"}',
        b'{"kind":"tag_key","key_no":1,"basis":"shoe_size","key":"' + b"0" * 64 + b'"}',
        b'{"kind":"retire_tags","key_no":9}',
    ],
)
def test_a_letter_that_can_never_be_used_is_taken_and_changes_nothing(land: Land, plain: bytes) -> None:
    first, _, third = all_confirm(land)
    with snapshot(first.engine) as connection:
        to = peers.confirmed_members(connection, KEY)[THIRD]
    with first.journal.unit(NOW) as unit:
        peers.write(unit, first.desk, KEY, to, plain)
    land.work()
    assert third.key_nos() == []
    assert kit.rows(first.engine, post_out) == []


def test_a_letter_of_a_newer_release_waits(land: Land) -> None:
    first, _, third = all_confirm(land)
    with snapshot(first.engine) as connection:
        to = peers.confirmed_members(connection, KEY)[THIRD]
    with first.journal.unit(NOW) as unit:
        peers.write(unit, first.desk, KEY, to, b'{"kind":"later","key_no":1}')
    land.work()
    assert [row["letter"] is not None for row in kit.rows(third.engine, post_in)] == [True]


def test_the_key_is_replaced_with_overlap_and_the_old_one_given_up_everywhere(land: Land) -> None:
    first, second, third = all_confirm(land)
    third.register("anna")
    first.renew()
    land.work()
    assert first.renew() == FIRST + 1
    land.work()
    assert [place.key_nos() for place in land.places.values()] == [[FIRST, FIRST + 1]] * 3
    assert [key_no for _, key_no in third.tags()] == [FIRST, FIRST + 1]
    steward.retire_tag_key(first.journal, first.desk, KEY, FIRST, by="worker", now=land.now)
    land.work()
    assert [place.key_nos() for place in land.places.values()] == [[FIRST + 1]] * 3
    assert len(first.secrets() | second.secrets() | third.secrets()) == 1
    left = [row["line"] for row in kit.rows(third.engine, journal_line) if row["kind"] == PersonTagged.kind]
    assert [b'"key_no":%d' % (FIRST + 1) in bytes(line) for line in left] == [True]


def test_a_steward_that_was_restored_gives_no_keys_number_to_another_key(land: Land) -> None:
    """Else people tagged by the two would be compared as if it were one, and the report would not say so."""
    first, second, third = all_confirm(land)
    first.renew()
    land.work()
    with transaction(first.engine) as connection:  # restored from before it
        store.drop_tag_key(connection, KEY, FIRST)
    (first.keys / "tag-1").unlink()
    again = first.renew()
    land.work()
    assert [place.key_nos() for place in (second, third)] == [[FIRST, again]] * 2
    newest = first.secrets()
    assert len(newest) == 1
    assert newest < second.secrets() == third.secrets()


def test_one_key_is_made_in_half_an_hour_and_a_refusal_says_when_the_next_may_be(land: Land) -> None:
    first, _, _ = all_confirm(land)
    first.renew()
    first.renewed -= timedelta(minutes=30)
    with pytest.raises(InvalidInput, match=r"not before 2016-11-22 09:30 UTC"):
        first.renew()
    assert first.key_nos() == [FIRST]


def test_only_the_stewards_node_makes_or_gives_up_a_key(land: Land) -> None:
    _, second, _ = all_confirm(land)
    with pytest.raises(InvalidInput, match=OTHER):
        second.renew()
    with pytest.raises(InvalidInput, match=OTHER):
        steward.retire_tag_key(second.journal, second.desk, KEY, 1, by="worker", now=NOW)


def test_a_programme_without_tags_has_no_key(land: Land) -> None:
    first = land.places[STEWARD]
    kit.put_programme(first.engine, store.shelf, kit.DOCUMENT)
    with pytest.raises(InvalidInput, match="tag"):
        first.renew()


def changed_keys(place: Place, signer: crypto.Key) -> NodeKeysChanged:
    """The lead's line about new keys of the node, which `signer` has signed."""
    crypto.make_key(place.keys, "signing")
    crypto.make_key(place.keys, "receiving")
    stated = renew(place.name, *crypto.load_keys(place.keys).pair(), signer, NOW)
    return NodeKeysChanged(None, node=place.name, until="2099-01-01T00:00:00.000000Z", **members_of(stated))


@pytest.mark.parametrize("vouched", [True, False])
def test_a_node_stays_confirmed_only_with_keys_that_the_confirmed_one_vouches_for(land: Land, vouched: bool) -> None:
    first, second, _ = all_confirm(land)
    before = words_of(second)
    signer = crypto.load_keys(second.keys).newest("signing")
    land.tell(changed_keys(second, signer if vouched else crypto.make_key(land.inbox / "stranger", "signing")))
    second.refresh(FileCarrier(land.inbox))
    assert first.nodes()[second.name] == "confirmed"
    with snapshot(first.engine) as connection:
        (row,) = (r for r in peers.list_nodes(connection, first.desk, KEY)["nodes"] if r["node"] == second.name)
        (known,) = (m for m in members(connection, KEY) if m.node == second.name)
        assert second.desk.words(known) == row["words"], "both read the same words"
        assert second.desk.signer(connection, KEY).public == known.signing_keys[-1], "and letters are signed with it"
    assert (row["words"] == before) is not vouched, "what nobody vouched for counts for nothing"
    assert len(known.pairs) == 1 + vouched
    first.renew()
    land.work()
    assert second.key_nos() == [FIRST]


def test_a_lead_that_records_an_old_statement_again_brings_no_key_back(land: Land) -> None:
    first, second, _ = all_confirm(land)
    own, admitted = crypto.load_keys(second.keys), second.admitted()
    older = changed_keys(second, own.newest("signing"))
    newest = crypto.load_keys(second.keys)
    crypto.make_key(second.keys, "receiving")
    pair, later = crypto.load_keys(second.keys).pair(), NOW + timedelta(days=1)
    until = wire_time(NOW + timedelta(days=61))
    last = members_of(renew(second.name, *pair, newest.newest("signing"), later))
    land.tell(older, NodeKeysChanged(None, node=second.name, until=until, **last), older, admitted)
    with snapshot(first.engine) as connection:
        (known,) = (m for m in members(connection, KEY) if m.node == second.name)
    assert known.pairs[-1] == pair, "letters are sealed to the key that the node stated last"
    assert len(known.pairs) == 3


def test_a_key_whose_time_is_over_vouches_for_no_other(land: Land) -> None:
    first, second, _ = all_confirm(land)
    stolen = crypto.load_keys(second.keys).newest("signing")
    changed = changed_keys(second, stolen)
    pair = crypto.load_keys(second.keys).pair()
    over = NodeKeysChanged(None, **{**changed.body, "until": "2001-01-01T00:00:00.000000Z"})
    thief = [crypto.make_key(land.inbox / "thief", kind).public or b"" for kind in ("signing", "receiving")]
    theirs = members_of(renew(second.name, thief[0], thief[1], stolen, NOW + timedelta(hours=1)))
    land.tell(over, NodeKeysChanged(None, node=second.name, until=changed["until"], **theirs))
    with snapshot(first.engine) as connection:
        (known,) = (m for m in members(connection, KEY) if m.node == second.name)
    assert known.pairs[-1] == pair


def test_the_stewards_node_knows_who_has_the_key_and_the_others_know_of_the_steward(land: Land) -> None:
    first, second, _ = land.places.values()

    def keys(place: Place) -> list[str | None]:
        with snapshot(place.engine) as connection:
            return [row["tag_key"] for row in peers.list_nodes(connection, place.desk, KEY)["nodes"]]

    assert keys(first) == [None, None, None]
    first.confirm(second)
    second.confirm(first)
    first.renew()
    assert keys(first) == ["has", "on_its_way", "waits"]
    land.work()
    assert keys(first) == ["has", "has", "waits"]
    assert keys(second) == ["has", "has", None]
