"""Letters between nodes: what can be read by whom, what is believed, and that each arrives once whatever happens."""

import base64
import json
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from shared.journal import crypto, erasing, post, posting
from shared.journal.carry_tables import post_in, post_out
from shared.journal.filecarrier import FileCarrier
from shared.journal.post import Head, LetterRefused
from shared.storage import snapshot, transaction
from tests.journal.exchange_kit import START, make_key, new_engine, public
from tests.journal.journal_kit import Killed, killed_at

A, B, C = "pori-0a1b2c3d", "rauma-0a1b2c3e", "eura-00000002"
KEY = "lahde"
SECRET = b"Aino Testinen, 1981-02-03"


@dataclass
class Person:
    """A node's keys."""

    node: str
    signing: crypto.Key = field(default_factory=lambda: make_key("signing"))
    receiving: crypto.Key = field(default_factory=lambda: make_key("receiving"))

    def letter(self, number: str, to: "Person", plain: bytes = SECRET, programme: str = KEY) -> tuple[Head, bytes]:
        assert to.receiving.public is not None
        key = to.receiving.public
        return post.write_letter(number, programme, self.node, self.signing, to.node, key, plain, START)

    @property
    def opens(self) -> dict[str, bytes]:
        return {self.receiving.id: self.receiving.secret()}


ANNA, BERTTA, CILLA = Person(A), Person(B), Person(C)
ID = "0" * 32


def test_only_the_recipient_opens_a_letter() -> None:
    _, letter = ANNA.letter(ID, BERTTA)
    assert post.open_letter(letter, BERTTA.opens) == SECRET
    assert SECRET not in letter
    assert base64.b64encode(SECRET)[:12] not in letter
    for other in (ANNA.opens, CILLA.opens, {BERTTA.receiving.id: CILLA.receiving.secret()}):
        with pytest.raises(LetterRefused):
            post.open_letter(letter, other)


def test_a_letter_and_its_acknowledgement_are_believed_by_their_signatures() -> None:
    head, letter = ANNA.letter(ID, BERTTA)
    assert post.verify_letter(letter, public(ANNA.signing)) == head
    ack = post.write_ack(head, BERTTA.signing)
    back = post.verify_ack(ack, public(BERTTA.signing))
    assert (back.id, back.sender, back.recipient) == (ID, B, A)
    for data, verify in ((letter, post.verify_letter), (ack, post.verify_ack)):
        with pytest.raises(LetterRefused, match="unknown_key"):
            verify(data, public(CILLA.signing))
        with pytest.raises(LetterRefused):  # nor is one taken for the other
            {post.verify_letter: post.verify_ack, post.verify_ack: post.verify_letter}[verify](
                data, public(ANNA.signing) | public(BERTTA.signing)
            )


@pytest.mark.parametrize("part", ["head", "sealed", "signature"])
def test_a_changed_letter_is_refused(part: str) -> None:
    _, letter = ANNA.letter(ID, BERTTA)
    _, other = ANNA.letter("1" * 32, BERTTA)
    mixed = json.loads(letter) | {part: json.loads(other)[part]}
    with pytest.raises(LetterRefused, match="signature"):
        post.verify_letter(json.dumps(mixed).encode(), public(ANNA.signing))


@pytest.mark.parametrize(
    "change",
    [
        {"id": "x"},
        {"sender": "lead"},
        {"recipient": "../../etc"},
        {"programme": "local"},
        {"signing_key": ""},
        {"time": None},
        {"time": "<script>"},
    ],
)
def test_a_head_of_another_form_is_refused(change: dict[str, Any]) -> None:
    _, letter = ANNA.letter(ID, BERTTA)
    parts = json.loads(letter)
    parts["head"] = json.dumps(json.loads(parts["head"]) | change)
    with pytest.raises(LetterRefused, match="malformed"):
        post.verify_letter(json.dumps(parts).encode(), public(ANNA.signing))


JSON = st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
ANY = st.one_of(st.binary(), st.text().map(str.encode), JSON.map(lambda value: json.dumps(value).encode()))


@settings(max_examples=50)
@given(ANY)
def test_what_is_no_post_is_refused_and_breaks_nothing(data: bytes) -> None:
    for read in (post.unpack, lambda d: post.verify_letter(d, {}), lambda d: post.verify_ack(d, {}), post.sender_of):
        with pytest.raises(LetterRefused):
            read(data)


def test_an_item_holds_what_fits_and_acknowledgements_first() -> None:
    letters = [ANNA.letter(f"{n:032x}", BERTTA, b"x" * post.MAX_PLAIN)[1] for n in range(60)]
    ack = post.write_ack(ANNA.letter(ID, BERTTA)[0], BERTTA.signing)
    item = post.pack(letters, [ack])
    assert len(item) <= post.MAX_POST
    found, acks = post.unpack(item)
    assert acks == [ack]
    assert 20 < len(found) < 60
    assert found == letters[: len(found)]
    with pytest.raises(ValueError, match="at most"):
        ANNA.letter(ID, BERTTA, b"x" * (post.MAX_PLAIN + 1))


# --- moving


@dataclass
class Link:
    """A carrier in memory that loses and puts back old items on demand, and may die at any step."""

    items: dict[tuple[str, str], bytes] = field(default_factory=dict)
    old: list[tuple[tuple[str, str], bytes]] = field(default_factory=list)
    fuse: int | None = None

    def _step(self) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.fuse = None
                raise Killed

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        self._step()
        data = self.items.get((channel, name))
        return None if data is None else data[:limit]

    def write(self, channel: str, name: str, data: bytes) -> None:
        self._step()
        self.old.append(((channel, name), data))
        self.items[channel, name] = data
        self._step()

    def list_segments(self, channel: str) -> list[Any]:
        return []

    def delete(self, channel: str, name: str) -> None:
        self.items.pop((channel, name), None)


@dataclass
class World:
    """Three nodes and a lead, a service at each node that takes what has come."""

    carrier: Any = field(default_factory=Link)
    people: tuple[Person, ...] = (ANNA, BERTTA, CILLA)
    now: datetime = START
    engines: dict[str, Engine] = field(default_factory=dict)
    said: dict[str, Counter[bytes]] = field(default_factory=dict)
    members: set[str] = field(default_factory=lambda: {A, B, C})

    def __post_init__(self) -> None:
        for person in self.people:
            self.engines.setdefault(person.node, new_engine())
            self.said[person.node] = Counter()
        self.restart()

    def restart(self) -> None:
        """Every process ends and starts again."""
        self.nodes = {
            p.node: posting.NodePost(self.engines[p.node], self.carrier, p.node, p.signing, self.directory)
            for p in self.people
        }
        self.lead = posting.LeadPost(self.carrier)

    def directory(self, _connection: Connection, programme: str) -> posting.Members:
        assert programme == KEY
        return {p.node: public(p.signing) for p in self.people if p.node in self.members}

    def send(self, number: str, sender: Person, to: Person, plain: bytes = SECRET, subject: str | None = None) -> None:
        head, letter = sender.letter(number, to, plain)
        with transaction(self.engines[sender.node]) as connection:
            posting.put_letter(connection, head, letter, self.now, subject)

    def turn(self, who: str) -> None:
        """One round of one of them."""
        self.now += timedelta(seconds=1)
        if who == "lead":
            with snapshot(self.engines[A]) as connection:
                self.lead.round(KEY, self.directory(connection, KEY), self.now)
            return
        self.nodes[who].round(KEY, self.now)

    def take(self, person: Person) -> None:
        """The service takes what has come: its effect and the mark in one transaction."""
        took = []
        with transaction(self.engines[person.node]) as connection:
            for row in posting.letters_to_take(connection, [(KEY, p.node) for p in self.people]):
                took.append(post.open_letter(row.letter, person.opens))
                posting.note_taken(connection, row.id)
        self.said[person.node].update(took)

    def settle(self, rounds: int = 5) -> None:
        for _ in range(rounds):
            for who in (A, B, C, "lead"):
                self.turn(who)
            for person in self.people:
                self.take(person)

    def rows(self, node: str, table: Any) -> list[Any]:
        with snapshot(self.engines[node]) as connection:
            return list(connection.execute(select(table)))


def test_a_letter_arrives_is_acknowledged_and_is_nowhere_afterwards() -> None:
    world = World()
    world.send(ID, ANNA, BERTTA)
    world.settle(2)
    assert world.said[B] == {SECRET: 1}
    world.settle(3)
    assert (world.said[A], world.said[B], world.said[C]) == (Counter(), {SECRET: 1}, Counter())
    assert world.rows(A, post_out) == []
    assert [row.letter for row in world.rows(B, post_in)] == [None]
    nothing = post.pack([], [])
    assert {data for data in world.carrier.items.values()} == {nothing}
    assert (f"lead/{KEY}/{C}", "post") not in world.carrier.items, "who gets no letters has no item"


def test_a_letter_is_acknowledged_only_when_it_was_taken() -> None:
    world = World()
    world.send(ID, ANNA, BERTTA)
    for _ in range(5):
        for who in (A, "lead", B):
            world.turn(who)
    assert len(world.rows(A, post_out)) == 1
    world.settle()
    assert world.rows(A, post_out) == []


def test_a_node_without_letters_leaves_no_item() -> None:
    world = World()
    world.settle()
    assert world.carrier.items == {}


def test_letters_cross_and_follow_one_another() -> None:
    world = World()
    for n in range(10):
        world.send(f"{n:032x}", ANNA, BERTTA, b"a%d" % n)
        world.send(f"{n + 100:032x}", BERTTA, ANNA, b"b%d" % n)
        world.send(f"{n + 200:032x}", CILLA, ANNA, b"c%d" % n)
        if n == 4:
            world.turn("lead")
            world.settle(1)
    world.settle()
    assert world.said[B] == Counter(b"a%d" % n for n in range(10))
    assert world.said[A] == Counter([b"%s%d" % (x, n) for n in range(10) for x in (b"b", b"c")])
    assert all(world.rows(node, post_out) == [] for node in (A, B, C))


def test_more_than_one_item_holds_goes_piece_by_piece() -> None:
    world = World()
    for n in range(60):
        world.send(f"{n:032x}", ANNA, BERTTA, b"%02d" % n * (post.MAX_PLAIN // 2))
    world.settle(12)
    assert len(world.said[B]) == 60
    assert world.rows(A, post_out) == []


def test_what_is_not_signed_by_the_node_of_the_channel_is_not_carried() -> None:
    world = World()
    _, letter = CILLA.letter(ID, BERTTA)
    forged = json.loads(ANNA.letter("1" * 32, BERTTA)[1]) | {"signature": "0" * 128}
    foreign = ANNA.letter("2" * 32, BERTTA, programme="another")[1]
    stranger = Person("muualta-00000009").letter("3" * 32, BERTTA)[1]
    items = [letter, json.dumps(forged).encode(), foreign, stranger, b"{}", b"nothing"]
    world.carrier.items[f"{A}/{KEY}", "post"] = post.pack(items, items)
    world.turn("lead")
    assert not any(channel.startswith("lead/") for channel, _ in world.carrier.items)
    world.carrier.items[f"lead/{KEY}/{B}", "post"] = post.pack(items[1:], items)
    world.settle()
    assert world.rows(B, post_in) == []


def test_a_letter_for_somebody_else_is_refused_by_whoever_gets_it() -> None:
    world = World()
    world.carrier.items[f"lead/{KEY}/{B}", "post"] = post.pack([ANNA.letter(ID, CILLA)[1]], [])
    world.turn(B)
    assert world.rows(B, post_in) == []


def test_an_expelled_node_is_neither_carried_nor_believed() -> None:
    world = World()
    world.send(ID, ANNA, BERTTA)
    world.send("1" * 32, BERTTA, ANNA)
    world.members.discard(A)
    world.settle()
    assert world.said == {A: Counter(), B: Counter(), C: Counter()}


def test_letters_to_an_expelled_node_take_no_place_of_others() -> None:
    world = World()
    for number in range(60):
        world.send(f"{number:030x}ff", ANNA, BERTTA, b"x" * post.MAX_PLAIN)
    world.turn(A)
    world.members.discard(B)
    world.send(ID, ANNA, CILLA)
    world.settle()
    assert world.said[C] == {SECRET: 1}
    assert BERTTA.node.encode() not in world.carrier.items[f"{A}/{KEY}", "post"]


def test_one_nodes_many_letters_and_acknowledgements_are_not_in_the_way_of_anothers() -> None:
    world = World()
    many = [CILLA.letter(f"{n:030x}ff", BERTTA, b"x" * post.MAX_PLAIN)[1].decode() for n in range(40)]
    acks = [post.write_ack(BERTTA.letter(f"{n:030x}ee", CILLA)[0], CILLA.signing).decode() for n in range(200)]
    world.carrier.items[f"{C}/{KEY}", "post"] = json.dumps({"polku_post": 1, "letters": many, "acks": acks}).encode()
    world.send(ID, ANNA, BERTTA)
    for who in (A, "lead", B):
        world.turn(who)
    world.take(BERTTA)
    assert world.said[B][SECRET] == 1


def test_of_one_sender_only_so_many_letters_are_kept_until_they_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "MOST_WAITING", 2)
    world = World()
    for number in range(5):
        world.send(f"{number:030x}ff", ANNA, BERTTA, b"%d" % number)
    world.send(ID, CILLA, BERTTA)
    for who in (A, C, "lead", B, B):
        world.turn(who)
    assert sorted(row.sender for row in world.rows(B, post_in)) == [C, A, A]
    world.settle(12)
    assert world.said[B] == Counter({b"%d" % number: 1 for number in range(5)} | {SECRET: 1})


def test_a_letter_is_not_acknowledged_for_another_that_took_its_id() -> None:
    world = World()
    world.send(ID, CILLA, BERTTA, b"the same id")
    world.settle()
    world.send(ID, ANNA, BERTTA)
    world.settle()
    assert [row.id for row in world.rows(A, post_out)] == [ID], "its sender knows that it was not taken"


def test_an_erased_persons_letter_is_taken_back_from_everywhere() -> None:
    world = World()
    subject = "ab" * 16
    world.send(ID, ANNA, BERTTA, subject=subject)
    world.send("1" * 32, ANNA, BERTTA, b"another")
    world.turn(A)
    world.turn("lead")
    before = dict(world.carrier.items)
    with transaction(world.engines[A]) as connection:
        erasing.erase(connection, subject, stream=f"{A}/{KEY}", seq=1, pos=1, now=world.now)
    world.turn(A)
    world.turn("lead")
    assert all(ID.encode() in data for data in before.values())
    assert not any(ID.encode() in data for data in world.carrier.items.values())
    world.settle()
    assert world.said[B] == {b"another": 1}


def test_a_restored_sender_sends_again_and_it_has_its_effect_once() -> None:
    world = World()
    world.send(ID, ANNA, BERTTA)
    (row,) = world.rows(A, post_out)
    world.settle()
    with transaction(world.engines[A]) as connection:
        connection.execute(post_out.insert(), row._asdict())
    world.restart()
    world.settle()
    assert world.said[B] == {SECRET: 1}
    assert world.rows(A, post_out) == []


def test_a_letter_sealed_with_an_older_receiving_key_still_opens() -> None:
    new = replace(BERTTA, receiving=make_key("receiving"))
    _, letter = ANNA.letter(ID, BERTTA)
    assert post.open_letter(letter, BERTTA.opens | new.opens) == SECRET


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("turn"), st.sampled_from([A, B, C, "lead"])),
        st.tuples(st.just("take"), st.sampled_from([0, 1, 2])),
        st.tuples(st.just("send"), st.tuples(st.sampled_from([0, 1, 2]), st.sampled_from([0, 1, 2]))),
        st.tuples(st.just("lose"), st.integers(0, 30)),
        st.tuples(st.just("replay"), st.integers(0, 30)),
        st.tuples(st.just("restart"), st.none()),
        st.tuples(st.just("kill"), st.tuples(st.sampled_from([A, B, "lead"]), st.integers(0, 14))),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOVES)
def test_whatever_is_lost_repeated_put_back_or_killed_every_letter_has_its_effect_once(
    tmp_path: Path, moves: list[Any]
) -> None:
    folder = tmp_path / uuid.uuid4().hex
    folder.mkdir()
    world = World(engines={node: new_engine(f"sqlite:///{folder / node}") for node in (A, B, C)})
    sent: dict[str, Counter[bytes]] = {A: Counter(), B: Counter(), C: Counter()}
    count = 0
    for move, what in moves:
        if move == "turn":
            world.turn(what)
        elif move == "take":
            world.take(world.people[what])
        elif move == "send" and what[0] != what[1]:
            count += 1
            sender, to = (world.people[n] for n in what)
            world.send(f"{count:032x}", sender, to, b"letter %d" % count)
            sent[to.node][b"letter %d" % count] += 1
        elif move == "lose" and world.carrier.items:
            key = sorted(world.carrier.items)[what % len(world.carrier.items)]
            del world.carrier.items[key]
        elif move == "replay" and world.carrier.old:
            key, data = world.carrier.old[what % len(world.carrier.old)]
            world.carrier.items[key] = data
        elif move == "restart":
            world.restart()
        elif move == "kill":
            who, step = what
            try:
                if step < 6 or who == "lead":
                    world.carrier.fuse = step
                    world.turn(who)
                else:
                    with killed_at(world.engines[who], step - 6):
                        world.turn(who)
            except Killed:
                world.restart()
            world.carrier.fuse = None
    world.now += timedelta(minutes=3)
    world.settle()
    world.now += timedelta(minutes=3)
    world.settle()
    for engine in world.engines.values():
        engine.dispose()
    assert world.said == sent
    assert all(world.rows(node, post_out) == [] for node in (A, B, C))


def test_over_a_folder_on_both_databases(engine: Engine, tmp_path: Path) -> None:
    world = World(carrier=FileCarrier(tmp_path / "inbox"), engines={B: engine})
    world.send(ID, ANNA, BERTTA)
    world.settle()
    assert world.said[B] == {SECRET: 1}
    assert [row.letter for row in world.rows(B, post_in)] == [None]
    items = list(tmp_path.glob("**/post"))
    assert len(items) == 4
    for path in items:
        assert ID.encode() not in path.read_bytes()
