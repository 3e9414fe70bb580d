"""Courier and receiver together: two histories stop a stream, and nothing is overwritten."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from shared.journal import carry_tables as tables
from shared.journal import epochs
from shared.journal.carrier import Found, Place
from shared.journal.deciding import Outcome
from shared.journal.received import OPEN, STOPPED, chain_at, lock_heads, read_heads, save_heads
from shared.journal.segment import build
from shared.journal.statements import Manifest, read_manifest, write_manifest
from shared.journal.tables import journal_line
from shared.ops.clock import wire_time
from shared.storage import transaction
from tests.journal.exchange_kit import (
    START,
    STREAM,
    Pipe,
    World,
    append,
    count,
    held,
    kept,
    new_engine,
    public,
    said,
    segments,
    some_items,
)


def test_another_history_stops_the_stream_and_overwrites_nothing(world: World) -> None:
    append(world.node, 6)
    world.heal()
    before = held(world.lead)
    world.node = new_engine()  # restored without its last lines, and gone on
    append(world.node, 3)
    append(world.node, 6, heads=8)
    world.restart()
    world.pipe.receipts.clear()
    world.pipe.sync()
    world.courier()
    assert world.receiver().outcomes[Outcome.CONFLICT] == 1
    for _ in range(3):
        world.later(130)
        assert world.receiver().lines == 0
    assert held(world.lead) == before
    row = said(world)
    assert (row.state, row.same_chain) == ("differs", False)
    assert count(world, "received_conflict") == 1
    sent = world.courier()[STREAM]
    assert (sent.conflict, sent.written) == ("chain_differs", 0)


def test_a_receipt_ahead_of_the_journal_stops_the_courier_until_it_agrees_again(world: World) -> None:
    append(world.node, 6)
    world.heal()
    whole, world.node = world.node, new_engine()
    append(world.node, 3)
    world.restart()
    assert world.courier()[STREAM].conflict == "receipt_ahead"
    world.restart()
    assert world.courier()[STREAM].conflict == "receipt_ahead"
    assert segments(world) == []
    world.node = whole
    world.restart()
    assert world.courier()[STREAM].conflict is None


def test_a_manifest_that_contradicts_the_lines_is_a_conflict(world: World) -> None:
    append(world.node, 3)
    world.heal()
    lie = Manifest(STREAM, 1, 2, b"\x01" * 32, world.now, "a" * 32)
    world.pipe.manifests[STREAM] = write_manifest(lie, world.node_key)
    world.pipe.sync()
    world.receiver()
    assert said(world).state == "differs"


def test_the_newest_manifest_is_kept_and_neither_an_older_nor_a_contradicting_one(world: World) -> None:
    def kept() -> bytes | None:
        with world.lead.connect() as connection:
            return read_heads(connection, [STREAM])[STREAM].manifest

    append(world.node, 3)
    world.heal()
    newest = kept()
    assert newest is not None
    stated = read_manifest(newest, public(world.node_key))
    assert (stated.seq, stated.chain) == (3, held(world.lead)[1])
    older = write_manifest(replace(stated, time=stated.time - timedelta(minutes=5), nonce="c" * 32), world.node_key)
    lie = write_manifest(Manifest(STREAM, 1, 2, b"\x01" * 32, world.now, "a" * 32), world.node_key)
    for data in (older, lie):
        world.pipe.manifests[STREAM] = data
        world.pipe.sync()
        world.receiver()
        assert kept() == newest


def test_a_manifest_is_held_against_the_lines_that_come_after_it(world: World) -> None:
    lie = Manifest(STREAM, 1, 2, b"\x01" * 32, world.now, "a" * 32)
    world.pipe.manifests[STREAM] = write_manifest(lie, world.node_key)
    world.pipe.sync()
    world.receiver()
    assert said(world).missing == ((1, 2),)
    append(world.node, 3)
    world.courier()
    assert world.receiver().outcomes == {Outcome.CONFLICT: 1}
    assert held(world.lead)[0] == []


@pytest.mark.parametrize("order", [(2, 5), (5, 2)], ids=["overtaken", "behind"])
def test_every_manifest_ahead_of_the_lines_is_held_against_them_not_the_furthest_alone(
    world: World, order: tuple[int, int]
) -> None:
    append(world.node, 5)
    chains = {5: kept(world.node)[1], 2: b"\x01" * 32}  # 2 by another copy of this home
    for seq in order:
        manifest = Manifest(STREAM, 1, seq, chains[seq], world.now, f"{seq:032x}")
        world.pipe.manifests[STREAM] = write_manifest(manifest, world.node_key)
        world.pipe.sync()
        world.receiver()
    assert said(world).missing == ((1, 5),)
    world.courier()
    assert world.receiver().outcomes[Outcome.CONFLICT] == 1
    assert (held(world.lead)[0], said(world).state) == ([], "differs")


def test_what_was_signed_ahead_of_the_lines_is_let_go_when_they_have_come(world: World) -> None:
    for _ in range(2):
        append(world.node, 3)
        world.courier()
        world.later(200)
        world.pipe.open = False
        world.pipe.arrived.clear()  # the segments are late
        world.pipe.arrived_manifests = dict(world.pipe.manifests)
        world.receiver()
    assert (said(world).missing, count(world, "received_claim")) == (((1, 6),), 1)
    world.pipe.open = True
    world.heal()
    assert (said(world).state, count(world, "received_claim")) == ("complete", 0)


def test_a_segment_that_does_not_begin_at_our_chain_is_a_conflict(world: World) -> None:
    append(world.node, 3)
    world.courier()
    world.receiver()
    assert world.lead_receiving.public is not None
    other = build(
        some_items(4, 5),
        stream=STREAM,
        epoch=1,
        first=4,
        before=b"\x02" * 32,
        signer=world.node_key,
        sealed_to=world.lead_receiving.public,
        time=START,
    )
    world.pipe.open = False
    world.pipe.put(STREAM, Place(1, 4, 5), other.data)
    assert world.receiver().outcomes == {Outcome.CONFLICT: 1}
    with world.lead.connect() as connection:
        row = connection.execute(select(tables.received_conflict)).one()
    assert (row.seq, row.theirs) == (3, b"\x02" * 32)
    assert row.ours == kept(world.node)[1]


def test_a_journal_with_a_hole_or_a_changed_line_is_not_shipped(world: World) -> None:
    append(world.node, 6)
    with world.node.begin() as connection:
        connection.execute(update(journal_line).where(journal_line.c.seq == 5).values(digest=b"\x03" * 32))
    assert world.courier()[STREAM].failed
    with world.node.begin() as connection:
        connection.execute(delete(journal_line).where(journal_line.c.seq == 2))
    assert world.courier()[STREAM].failed
    assert world.pipe.manifests == {}


def test_two_manifests_that_contradict_each_other_are_a_conflict_before_any_line_came(world: World) -> None:
    for chain in (b"\x01" * 32, b"\x02" * 32):
        said_so = Manifest(STREAM, 1, 2, chain, world.now, chain.hex()[:32])
        world.pipe.manifests[STREAM] = write_manifest(said_so, world.node_key)
        world.pipe.sync()
        world.receiver()
    assert said(world).state == "differs"


def test_a_stream_that_could_not_be_listed_echoes_nothing_new(world: World) -> None:
    class Unlisted(Pipe):
        def list_segments(self, stream: str) -> list[Found]:
            if self.reading_lead:
                raise OSError("input/output error")
            return super().list_segments(stream)

    world.carrier = Unlisted()
    append(world.node, 3)
    world.courier()
    world.receiver()
    assert world.pipe.receipts == {}
    world.later()
    assert world.courier()[STREAM].written == 0


def test_a_stopped_stream_echoes_nothing_new(world: World) -> None:
    append(world.node, 3)
    world.heal()
    before = world.pipe.receipts[STREAM]
    lie = Manifest(STREAM, 1, 2, b"\x01" * 32, world.now, "a" * 32)
    for nonce in ("a" * 32, "b" * 32):
        world.pipe.manifests[STREAM] = write_manifest(replace(lie, nonce=nonce), world.node_key)
        world.pipe.sync()
        world.receiver()
    assert world.pipe.receipts[STREAM] == before


def test_after_accepting_the_history_held_a_stream_is_not_complete_before_its_node_has_spoken(world: World) -> None:
    append(world.node, 5)
    world.heal()
    early = world.pipe.manifests[STREAM]
    world.pipe.open = False
    append(world.node, 5)
    world.courier()
    world.pipe.arrived_manifests[STREAM] = world.pipe.manifests[STREAM]  # lines 6 to 10 are lost on the way
    world.receiver()
    assert said(world).missing == ((6, 10),)
    copied = Manifest(STREAM, 1, 4, bytes(32), world.now, "a" * 32)
    world.pipe.arrived_manifests[STREAM] = write_manifest(copied, world.node_key)
    world.receiver()
    assert said(world).state == "differs"
    world.later()
    with transaction(world.lead) as connection:
        head = lock_heads(connection, [STREAM])[STREAM]
        assert epochs.accept(connection, head, head.epoch, head.seq, wire_time(world.now), now=world.now)
        save_heads(connection, [head])
    world.pipe.arrived_manifests[STREAM] = early  # an old word, put back
    world.restart()
    world.receiver()
    assert (said(world).state, said(world).watermark) == ("not_known_since", 5)
    world.pipe.arrived_manifests[STREAM] = write_manifest(copied, world.node_key)
    world.restart()
    world.receiver()
    assert said(world).state == "not_known_since", "what was known when that was said stops nothing again"
    world.later(130)
    world.heal()
    assert (said(world).state, said(world).watermark) == ("complete", 10)


def test_a_word_on_the_history_of_another_line_is_not_taken_for_one_on_ours(world: World) -> None:
    append(world.node, 5)
    world.heal()
    copied = Manifest(STREAM, 1, 4, bytes(32), world.now, "a" * 32)
    world.pipe.arrived_manifests[STREAM] = write_manifest(copied, world.node_key)
    world.receiver()
    world.later()
    with transaction(world.lead) as connection:
        head = lock_heads(connection, [STREAM])[STREAM]
        for seq in (4, 6):
            assert not epochs.accept(connection, head, head.epoch, seq, wire_time(world.now), now=world.now)
        assert (head.seq, head.state) == (5, "stopped")
        head.next_epoch, head.next_seq, head.next_chain = head.epoch, 9, bytes(32)  # of before this epoch was accepted
        assert epochs.accept(connection, head, head.epoch, 5, wire_time(world.now), now=world.now)
        assert (head.head_seq, head.state) == (5, "open")


def test_after_accepting_an_old_word_of_a_clock_that_is_ahead_is_none(world: World) -> None:
    append(world.node, 3)
    world.heal()
    with transaction(world.lead) as connection:
        head = lock_heads(connection, [STREAM])[STREAM]
        ahead = world.now + timedelta(hours=1)
        head.heard(ahead, world.now, whole=True)
        head.accepted_at, head.accepted_after, head.manifest_at = wire_time(world.now), head.spoke_at, None
        head.heard(ahead, world.now + timedelta(minutes=1), whole=True)
        assert head.manifest_at is None
        head.heard(ahead + timedelta(minutes=2), world.now + timedelta(minutes=2), whole=True)
        assert head.manifest_at == wire_time(world.now + timedelta(minutes=2))


def test_how_far_a_node_goes_in_an_epoch_that_nobody_has_accepted_is_its_newest_word(world: World) -> None:
    append(world.node, 5)
    world.heal()
    with transaction(world.lead) as connection:
        head = lock_heads(connection, [STREAM])[STREAM]

    def reach(seq: int, minute: int, *, whole: bool, epoch: int = 2) -> int:
        now, at = world.now + timedelta(minutes=4), world.now + timedelta(minutes=minute)
        epochs.note_reach(head, epoch, seq, bytes([seq]) * 32, at, now=now, whole=whole)
        assert head.next_chain == bytes([head.next_seq]) * 32
        return head.next_seq

    assert reach(8, 0, whole=False) == 8
    assert reach(11, 1, whole=True) == 11
    assert reach(8, 2, whole=False) == 11, "a segment that is written again takes nothing back"
    assert reach(7, 3, whole=True) == 7, "restored once more"
    assert reach(11, 1, whole=True) == 7, "the word of a history that is given up"
    assert reach(10, 2, whole=False) == 7
    assert reach(9, 3, whole=False) == 9
    assert reach(6, 4, whole=True, epoch=3) == 6
    assert reach(9, 4, whole=True) == 6, "of an epoch that was left"
    assert reach(5, 9, whole=True, epoch=3) == 6, "of a clock that is ahead it may be an old one"
    assert reach(7, 9, whole=True, epoch=3) == 7


def word(world: World, epoch: int, seq: int, minute: int) -> None:
    """The lead reads a manifest that says so, signed in this minute."""
    world.now = START + timedelta(minutes=minute)
    with transaction(world.lead) as connection:
        head = lock_heads(connection, [STREAM])[STREAM]
        chain = chain_at(connection, head, seq) if seq <= head.seq else bytes(32)
    manifest = Manifest(STREAM, epoch, seq, chain, world.now, f"{minute:032x}")
    world.pipe.arrived_manifests[STREAM] = write_manifest(manifest, world.node_key)
    world.receiver()


def can_be_accepted(world: World) -> tuple[int, int] | None:
    with transaction(world.lead) as connection:
        return epochs.acceptable(connection, lock_heads(connection, [STREAM])[STREAM])


def accept(world: World, epoch: int, seq: int, minute: int) -> bool:
    """Bring about what somebody has accepted in this minute."""
    at = wire_time(START + timedelta(minutes=minute))
    with transaction(world.lead) as connection:
        head = lock_heads(connection, [STREAM])[STREAM]
        done = epochs.accept(connection, head, epoch, seq, at, now=world.now)
        save_heads(connection, [head])
    return done


@pytest.fixture
def five(world: World) -> World:
    """Of a stream the lead holds five lines, and hears what the tests say."""
    append(world.node, 5)
    world.heal()
    world.pipe.open = False
    return world


def test_what_a_node_says_after_it_was_restored_again_overtakes_what_it_had_claimed(five: World) -> None:
    word(five, 2, 3, minute=10)
    assert can_be_accepted(five) == (2, 3)
    word(five, 1, 2, minute=20)  # held, at an older backup
    assert (can_be_accepted(five), said(five).state) == (None, "differs")
    word(five, 2, 3, minute=10)  # the old word once more
    assert can_be_accepted(five) is None
    word(five, 2, 2, minute=30)
    assert can_be_accepted(five) == (2, 2)


def test_a_node_that_goes_on_where_the_lead_stands_has_given_up_whatever_epoch_it_had_named(five: World) -> None:
    word(five, 2, 9, minute=10)  # joins nothing that the lead holds: it was restored too
    assert (can_be_accepted(five), said(five).state) == (None, "differs")
    word(five, 1, 5, minute=20)
    assert said(five).state == "differs", "it may be the last word of before, which came late"
    word(five, 1, 5, minute=22)
    assert said(five).state == "complete"
    word(five, 2, 9, minute=10)
    word(five, 1, 5, minute=22)
    assert said(five).state == "differs", "said again, neither is the newest word"


def test_a_late_word_of_a_clock_that_was_right_gives_up_no_epoch_of_a_clock_that_is_behind(five: World) -> None:
    word(five, 1, 5, minute=50)
    word(five, 2, 3, minute=10)  # on another machine
    word(five, 1, 5, minute=52)  # on its way since before the first one was lost
    assert said(five).state == "differs"


def test_what_was_accepted_comes_to_nothing_while_the_node_does_not_claim_it(five: World) -> None:
    assert not accept(five, 2, 3, minute=10)
    word(five, 2, 3, minute=20)
    assert accept(five, 2, 3, minute=30)
    assert (said(five).epoch, said(five).watermark) == (2, 3)


def test_what_was_accepted_makes_nothing_void_that_has_come_since(five: World) -> None:
    word(five, 2, 3, minute=10)
    five.now = START + timedelta(minutes=40)
    assert not accept(five, 2, 3, minute=-1)
    with transaction(five.lead) as connection:
        head = lock_heads(connection, [STREAM])[STREAM]
        assert not epochs.accept(connection, head, 2, 3, wire_time(five.now), held=4, now=five.now)
    assert said(five).watermark == 5
    assert accept(five, 2, 3, minute=20)


def test_a_claim_that_our_history_does_not_lead_to_any_more_is_none(five: World) -> None:
    word(five, 3, 5, minute=10)
    with transaction(five.lead) as connection:
        head = lock_heads(connection, [STREAM])[STREAM]
        head.seq, head.chain = 4, chain_at(connection, head, 4)
        assert epochs.acceptable(connection, head) is None


def test_a_node_that_is_put_back_to_what_is_void_is_not_complete(five: World) -> None:
    word(five, 2, 3, minute=10)
    assert accept(five, 2, 3, minute=20)
    word(five, 2, 3, minute=30)
    assert said(five).state == "complete"
    word(five, 1, 5, minute=40)
    assert said(five).state == "not_known_since"
    word(five, 2, 3, minute=30)
    assert said(five).state == "not_known_since"
    word(five, 2, 3, minute=50)
    assert said(five).state == "complete"
    word(five, 1, 2, minute=60)  # a backup of before, all of which is held
    assert said(five).state == "complete"


def test_after_accepting_a_segment_does_not_say_how_far_the_history_goes(five: World) -> None:
    word(five, 2, 3, minute=10)
    assert accept(five, 2, 3, minute=20)
    with transaction(five.lead) as connection:
        head = lock_heads(connection, [STREAM])[STREAM]
        late = five.now + timedelta(minutes=30)
        head.heard(late, late, whole=False)
        assert head.manifest_at is None
        head.heard(late, late, whole=True)
        assert head.manifest_at == wire_time(late)


def test_a_conflict_that_was_dated_by_a_clock_that_is_ahead_can_be_accepted_once(five: World) -> None:
    copied = Manifest(STREAM, 1, 4, bytes(32), five.now, "a" * 32)
    five.pipe.arrived_manifests[STREAM] = write_manifest(copied, five.node_key)
    five.now += timedelta(days=365)
    five.receiver()
    assert said(five).state == "differs"
    word(five, 1, 9, minute=20)
    assert accept(five, 1, 5, minute=20)
    with transaction(five.lead) as connection:
        head = lock_heads(connection, [STREAM])[STREAM]
        assert head.manifest is None, "it may be of the other history"
        head.state = STOPPED  # another conflict: of that nobody has said anything
        save_heads(connection, [head])
    assert not accept(five, 1, 5, minute=20)
    five.restart()
    with transaction(five.lead) as connection:
        head = lock_heads(connection, [STREAM])[STREAM]
        head.state = OPEN
        save_heads(connection, [head])
    five.pipe.arrived_manifests[STREAM] = write_manifest(copied, five.node_key)
    five.receiver()
    assert said(five).state != "differs", "found again, it was known"


def test_what_was_accepted_by_a_clock_that_was_ahead_stands_in_the_way_of_nothing(five: World) -> None:
    copied = Manifest(STREAM, 1, 4, bytes(32), five.now, "a" * 32)
    five.pipe.arrived_manifests[STREAM] = write_manifest(copied, five.node_key)
    five.receiver()
    assert accept(five, 1, 5, minute=3000)
    with transaction(five.lead) as connection:
        head = lock_heads(connection, [STREAM])[STREAM]
        head.state = STOPPED
        save_heads(connection, [head])
    five.now = START + timedelta(minutes=30)
    assert not accept(five, 1, 5, minute=3000)
    assert accept(five, 1, 5, minute=20)
