"""Courier and receiver together: what arrives, what is refused, what heals, what stops."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard
from sqlalchemy import delete, func, insert, select, update

from shared.journal import carry_tables as tables
from shared.journal import crypto, receiving
from shared.journal.carrier import MANIFEST, Found, Place, place_named
from shared.journal.deciding import Outcome
from shared.journal.filecarrier import FileCarrier
from shared.journal.lines import chain_next, chain_start, line_digest
from shared.journal.received import Completeness, completeness, read_heads
from shared.journal.segment import Item, Reason, build
from shared.journal.statements import Manifest, read_manifest, write_manifest
from shared.journal.tables import journal_head, journal_line
from tests.journal.exchange_kit import (
    OTHER,
    START,
    STREAM,
    Killed,
    Pipe,
    World,
    a_line,
    append,
    held,
    kept,
    make_key,
    new_engine,
    public,
    some_items,
)
from tests.journal.test_segment import assemble


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["sqlite", "postgresql"])
def either_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """On SQLite in files, and on PostgreSQL, where node and lead share a database."""
    if request.param == "postgresql":
        engine = new_engine(request.getfixturevalue("postgres_url"))
        world = World(node=engine, lead=engine)
    else:
        node, lead = (new_engine(f"sqlite:///{tmp_path}/{name}.db") for name in ("node", "lead"))
        world = World(node=node, lead=lead)
    world.carrier = FileCarrier(tmp_path / "folder")
    yield world
    world.node.dispose()
    world.lead.dispose()


def said(world: World, stream: str = STREAM) -> Completeness:
    with world.lead.connect() as connection:
        return next(row for row in completeness(connection, world.now, streams=[stream]) if row.stream == stream)


def count(world: World, table: str) -> int:
    with world.lead.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(getattr(tables, table))).scalar_one())


def segments(world: World) -> list[Found]:
    if isinstance(world.carrier, Pipe):
        world.carrier.reading_lead = False
    return world.carrier.list_segments(STREAM)


# What should happen


def test_lines_arrive_and_covered_segments_are_deleted(either_world: World) -> None:
    append(either_world.node, 10)
    assert either_world.courier()[STREAM].written == 4
    assert either_world.receiver().lines == 10
    assert held(either_world.lead) == kept(either_world.node)
    assert either_world.courier()[STREAM].deleted == 4
    assert either_world.carrier.list_segments(STREAM) == []
    assert said(either_world).state == "complete"


def test_a_lost_a_changed_and_a_late_segment_heal_on_either_database(either_world: World) -> None:
    append(either_world.node, 9)
    either_world.courier()
    folder = Path(either_world.carrier.root) / STREAM  # type: ignore[attr-defined]
    first, second, _ = sorted(folder.glob("*.seg"))
    first.unlink()
    data = second.read_bytes()
    second.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert either_world.receiver().outcomes == {Outcome.REFUSED: 1, Outcome.EARLY: 1}
    either_world.courier()
    assert either_world.receiver().lines == 9
    assert held(either_world.lead) == kept(either_world.node)


def test_a_lines_columns_are_those_of_its_bytes(world: World) -> None:
    append(world.node, 2)
    world.courier()
    world.receiver()
    with world.lead.connect() as connection:
        row = connection.execute(select(tables.received_line).where(tables.received_line.c.seq == 2)).one()
    assert row == (STREAM, 2, 1, "activities.heads_counted", 1, bytes(15) + b"\x02", line_digest(a_line(2)), a_line(2))


def test_erased_lines_arrive_as_digests_and_nothing_else(world: World) -> None:
    append(world.node, 2)
    append(world.node, 2, erased=True)
    world.heal()
    with world.lead.connect() as connection:
        row = connection.execute(select(tables.received_line).where(tables.received_line.c.seq == 3)).one()
    assert row == (STREAM, 3, 1, None, None, None, line_digest(a_line(3)), None)


def test_a_quiet_stream_costs_nothing_but_a_manifest_every_two_minutes(world: World) -> None:
    append(world.node, 3)
    world.courier()
    world.receiver()
    world.courier()
    world.receiver()
    before = count(world, "received_refused"), world.pipe.version, dict(world.pipe.receipts)
    for _ in range(10):
        world.later()
        assert not world.courier()[STREAM].manifest
        assert world.receiver().receipts == 0
    assert (count(world, "received_refused"), world.pipe.version, world.pipe.receipts) == before
    world.later(120)
    assert world.courier()[STREAM].manifest
    assert world.receiver().receipts == 1


def test_a_stream_without_lines_is_known_to_be_complete(world: World) -> None:
    world.courier()
    world.receiver()
    assert (said(world).state, said(world).head, said(world).watermark) == ("complete", 0, 0)


def test_streams_share_a_batch(world: World) -> None:
    world.streams = (STREAM, OTHER)
    append(world.node, 5)
    append(world.node, 4, stream=OTHER)
    world.courier()
    assert world.receiver().lines == 9
    assert held(world.lead, OTHER) == kept(world.node, OTHER)
    assert held(world.lead) == kept(world.node)


def test_a_batch_is_full_by_what_its_lines_take_when_opened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small segment may hold much: it is not what has come that fills the memory."""
    append(world.node, 9)
    world.courier()
    sizes = []

    def decide(receiver: receiving.Receiver, work: Any) -> None:
        sizes.append(len(work.batch))
        decide_batch(receiver, work)

    decide_batch = receiving.Receiver._decide_batch
    monkeypatch.setattr(receiving.Receiver, "_decide_batch", decide)
    monkeypatch.setattr(receiving, "BATCH_BYTES", max(found.size for found in segments(world)) + 1)
    assert world.receiver().lines == 9
    assert [size for size in sizes if size] == [1, 1, 1]


def test_a_stream_whose_carrier_fails_does_not_hold_up_another(world: World) -> None:
    class Broken(Pipe):
        def list_segments(self, stream: str) -> list[Found]:
            if stream == STREAM:
                raise PermissionError
            return super().list_segments(stream)

    world.carrier, world.streams = Broken(), (STREAM, OTHER)
    append(world.node, 2)
    append(world.node, 2, stream=OTHER)
    sent = world.courier()
    assert (sent[STREAM].failed, sent[OTHER].failed) == (True, False)
    assert world.receiver().failed == {STREAM}
    assert held(world.lead, OTHER) == kept(world.node, OTHER)


def test_a_key_that_is_admitted_later_is_welcome_then(world: World) -> None:
    append(world.node, 2)
    world.courier()
    node_key, world.node_key = world.node_key, make_key("signing")
    assert world.receiver().refused == {Reason.UNKNOWN_KEY: 2}  # segment and manifest
    world.node_key = node_key
    assert world.receiver().lines == 2


# Early, duplicate, replayed


def test_what_is_ahead_of_a_gap_is_kept_sealed_and_applied_when_it_closes(world: World) -> None:
    world.pipe.open = False
    append(world.node, 9)
    world.courier()
    (one, two, three) = world.pipe.archive
    world.pipe.put(*three)
    world.pipe.put(*two)
    assert world.receiver().outcomes == {Outcome.EARLY: 2}
    assert held(world.lead)[0] == []
    assert said(world).missing == ((1, 3),)
    world.restart()
    world.pipe.put(*one)
    assert world.receiver().lines == 9
    assert held(world.lead) == kept(world.node)
    assert count(world, "received_early") == 0


def test_an_end_between_the_gaps_closing_and_what_follows_it_is_made_up_for_at_the_next_start(world: World) -> None:
    world.pipe.open = False
    append(world.node, 9)
    world.courier()
    world.pipe.put(*world.pipe.archive[2])
    world.pipe.put(*world.pipe.archive[1])
    world.receiver()
    world.pipe.arrived.clear()
    world.pipe.put(*world.pipe.archive[0])
    for step in range(9):
        world.fuse.left = step
        with contextlib.suppress(Killed):
            world.receiver()
        world.fuse.left = None
        if held(world.lead)[0]:
            break
    assert len(held(world.lead)[0]) == 3
    assert (said(world).state, said(world).missing) == ("missing", ((4, 6),))  # kept is not held
    world.receiver()
    assert held(world.lead) == kept(world.node)


def test_only_so_many_early_segments_are_kept_and_the_rest_is_taken_later(world: World) -> None:
    world.early_limit = 2
    world.pipe.open = False
    append(world.node, 15)
    world.courier()
    for arrival in world.pipe.archive[1:]:
        world.pipe.put(*arrival)
    assert world.receiver().outcomes == {Outcome.EARLY: 2, Outcome.OVERFLOW: 2}
    assert world.receiver().outcomes == {}
    world.pipe.put(*world.pipe.archive[0])
    world.receiver()
    world.receiver()
    assert held(world.lead) == kept(world.node)


def test_a_replayed_old_segment_is_a_duplicate_and_changes_nothing(world: World) -> None:
    append(world.node, 6)
    world.heal()
    before = held(world.lead), count(world, "received_segment")
    for arrival in world.pipe.archive:
        world.pipe.put(*arrival)
    world.pipe.open = False
    assert world.receiver().outcomes == {Outcome.DUPLICATE: len(world.pipe.archive)}
    assert world.receiver().outcomes == {}  # and is not read again
    world.restart()
    assert world.receiver().outcomes == {Outcome.DUPLICATE: len(world.pipe.archive)}
    assert (held(world.lead), count(world, "received_segment")) == before


def test_segments_cut_elsewhere_overlap_without_harm(world: World) -> None:
    append(world.node, 7)
    world.courier()
    world.receiver()
    with world.node.begin() as connection:  # the courier has forgotten everything
        for table in (tables.courier_receipt, tables.courier_segment, tables.courier_manifest):
            connection.execute(delete(table))
    append(world.node, 4)
    world.pipe.arrived_receipts.clear()
    world.pipe.receipts.clear()
    world.max_lines = 5
    world.restart()
    world.courier()
    assert world.receiver().outcomes == {Outcome.DUPLICATE: 1, Outcome.APPLIED: 2}
    assert held(world.lead) == kept(world.node)


# Refused: nothing applied, counted by reason, each content once


def crafted(world: World, what: str) -> tuple[str, Place, bytes]:
    """A segment for lines 1 to 3 that must not be taken."""
    items, place = some_items(1, 3), Place(1, 1, 3)
    assert world.lead_receiving.public is not None
    signer, sealed_to, before = world.node_key, world.lead_receiving.public, chain_start(STREAM)

    def built(stream: str = STREAM, epoch: int = 1) -> bytes:
        return build(
            items, stream=stream, epoch=epoch, first=1, before=before, signer=signer, sealed_to=sealed_to, time=START
        ).data

    if what == "foreign key":
        signer = make_key("signing")
        return STREAM, place, built()
    if what == "wrong recipient":
        sealed_to = make_key("receiving").public or b""
        return STREAM, place, built()
    if what == "stream not admitted":
        return STREAM, place, built(stream=OTHER)
    if what == "name says another range":
        return STREAM, Place(1, 1, 4), built()
    if what == "unaccepted epoch":
        lines = [a_line(seq, epoch=2) for seq in (1, 2, 3)]
        items = [Item(line_digest(line), line) for line in lines]
        return STREAM, Place(2, 1, 3), built(epoch=2)
    if what == "oversized":
        return STREAM, place, b"x" * 2_000_000
    if what == "other lines than the header says":
        items = some_items(2, 4)
        return STREAM, place, built()
    built_header = build(
        items, stream=STREAM, epoch=1, first=1, before=before, signer=signer, sealed_to=sealed_to, time=START
    ).header.encode()
    bomb = zstandard.compress(b"\n" * 50_000_000)
    return STREAM, place, assemble(built_header, crypto.seal(sealed_to, built_header, bomb), signer)


REFUSED = {
    "foreign key": Reason.UNKNOWN_KEY,
    "wrong recipient": Reason.WRONG_RECIPIENT,
    "stream not admitted": Reason.UNKNOWN_STREAM,
    "name says another range": Reason.WRONG_PLACE,
    "unaccepted epoch": Reason.OTHER_EPOCH,
    "oversized": Reason.OVERSIZED,
    "other lines than the header says": Reason.BAD_LINES,
    "bomb": Reason.INFLATED,
}


@pytest.mark.parametrize("what", REFUSED)
def test_nothing_is_applied_and_the_reason_counted_once_for(world: World, what: str) -> None:
    world.pipe.open = False
    arrival = crafted(world, what)
    world.pipe.put(*arrival)
    taken = world.receiver()
    assert (taken.lines, taken.refused) == (0, {REFUSED[what]: 1})
    assert world.receiver().outcomes == {}
    world.restart()
    world.pipe.put(*arrival)
    assert world.receiver().refused == {}
    with world.lead.connect() as connection:
        row = connection.execute(select(tables.received_refused)).one()
    assert (row.stream, row.name, row.reason) == (STREAM, arrival[1].name, REFUSED[what].value)
    assert held(world.lead)[0] == []


def test_a_segment_in_another_admitted_streams_place_is_refused(world: World) -> None:
    world.streams = (STREAM, OTHER)
    _, place, data = crafted(world, "stream not admitted")
    world.pipe.open = False
    world.pipe.put(STREAM, place, data)
    assert world.receiver().refused == {Reason.WRONG_PLACE: 1}


def test_a_flipped_byte_heals_by_the_echo_and_nobody_is_told(world: World) -> None:
    append(world.node, 3)
    world.courier()
    stream, place, data = world.pipe.archive[0]
    world.pipe.open = False
    world.pipe.put(stream, place, data[:-1] + bytes([data[-1] ^ 1]))
    world.pipe.arrived_manifests = dict(world.pipe.manifests)
    assert world.receiver().refused == {Reason.PAYLOAD_MISMATCH: 1}
    world.pipe.arrived_receipts = dict(world.pipe.receipts)
    assert world.courier()[STREAM].written == 1
    world.pipe.sync()
    assert world.receiver().lines == 3


def test_a_file_that_cannot_be_read_is_written_again(world: World) -> None:
    class Unreadable(Pipe):
        def read(self, channel: str, name: str, limit: int) -> bytes | None:
            place = place_named(name)
            if place and self.arrived[channel, place][0] == self.archive[0][2]:
                raise OSError("input/output error")
            return super().read(channel, name, limit)

    world.carrier = Unreadable()
    append(world.node, 3)
    world.courier()
    assert world.receiver().failed == {STREAM}
    assert world.courier()[STREAM].written == 1
    assert world.receiver().lines == 3


def test_a_file_that_vanished_is_written_again_without_waiting_for_a_receipt(world: World) -> None:
    append(world.node, 6)
    world.courier()
    world.pipe.sent.pop((STREAM, Place(1, 1, 3)))
    world.later()
    assert world.courier()[STREAM].written == 1
    assert world.receiver().lines == 6


def test_a_file_that_was_cut_off_is_written_again_without_waiting_for_a_receipt(world: World) -> None:
    append(world.node, 3)
    world.courier()
    world.pipe.sent[STREAM, Place(1, 1, 3)] = b"POLKU1"
    world.later()
    assert world.courier()[STREAM].written == 1


def test_a_segment_that_is_refused_for_ever_is_not_written_for_ever(world: World) -> None:
    append(world.node, 3)
    world.lead_receiving, right = make_key("receiving"), world.lead_receiving
    world.courier()  # seals to a key that the lead does not have
    world.lead_receiving, written = right, 0
    for _ in range(4 * 30):
        written += world.courier()[STREAM].written
        world.receiver()
        world.later(121)
    assert 7 < written < 11  # after 0, 2, 4, 8, 16, 32 minutes, then every hour


# Conflicts


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


# Receipts


def test_an_empty_lead_gets_everything_again(world: World) -> None:
    append(world.node, 7)
    world.heal()
    before = held(world.lead)
    world.lead = new_engine()
    world.restart()
    world.heal()
    assert held(world.lead) == before


def test_a_lead_restored_into_the_middle_of_a_segment_goes_on_from_there(world: World) -> None:
    append(world.node, 9)
    world.heal()
    before = held(world.lead)
    with world.lead.begin() as connection:
        lines, heads, proofs = tables.received_line, tables.received_head, tables.received_segment
        connection.execute(delete(lines).where(lines.c.seq > 4))
        connection.execute(delete(proofs).where(proofs.c.last > 3))
        chain = chain_start(STREAM)
        for seq in range(1, 5):
            chain = chain_next(chain, line_digest(a_line(seq)))
        connection.execute(update(heads).values(seq=4, chain=chain))
    world.restart()
    world.heal()
    assert held(world.lead) == before


def test_a_foreign_or_changed_receipt_is_not_believed(world: World) -> None:
    append(world.node, 3)
    world.courier()
    lead_key, world.lead_key = world.lead_key, make_key("signing")
    world.receiver()
    world.lead_key = lead_key
    sent = world.courier()[STREAM]
    assert (sent.receipt, sent.deleted, sent.conflict) == (0, 0, None)


def test_a_receipt_for_another_stream_is_not_believed(world: World) -> None:
    world.streams = (STREAM, OTHER)
    append(world.node, 3)
    append(world.node, 3, stream=OTHER)
    world.courier()
    world.receiver()
    world.pipe.open = False
    world.pipe.arrived_receipts[STREAM] = world.pipe.receipts[OTHER]
    assert world.courier()[STREAM].receipt == 0


def test_an_old_receipt_put_back_is_ignored(world: World) -> None:
    append(world.node, 3)
    world.courier()
    world.receiver()
    old = world.pipe.receipts[STREAM]
    world.courier()
    append(world.node, 3)
    world.later()
    world.courier()
    world.receiver()
    world.courier()
    world.pipe.arrived_receipts[STREAM] = old
    world.pipe.open = False
    sent = world.courier()[STREAM]
    assert (sent.receipt, sent.written) == (6, 0)


def test_a_receipt_of_a_lead_that_is_gone_is_ignored(world: World) -> None:
    append(world.node, 6)
    world.courier()
    world.receiver()
    world.courier()
    old = world.pipe.receipts[STREAM]
    world.lead = new_engine()
    world.restart()
    world.courier()
    world.receiver()
    assert world.courier()[STREAM].receipt == 0
    world.pipe.open = False
    world.pipe.arrived_receipts[STREAM] = old
    world.later()
    assert world.courier()[STREAM].receipt == 0


def test_of_two_leads_that_answered_the_same_manifest_the_known_one_is_believed(world: World) -> None:
    append(world.node, 6)
    world.courier()
    world.receiver()
    gone = world.pipe.receipts[STREAM]
    world.lead, world._receiver = new_engine(), None
    world.receiver()
    world.courier()  # believes the new one, which it has met first
    world.pipe.open = False
    world.pipe.arrived_receipts[STREAM] = gone
    world.pipe.sent.clear()
    with world.node.connect() as connection:
        before = connection.execute(select(tables.courier_receipt)).one()
    world.courier()
    with world.node.connect() as connection:
        assert connection.execute(select(tables.courier_receipt)).one() == before


def test_a_manifest_that_could_not_be_written_is_written_in_the_next_round(world: World) -> None:
    class Full(Pipe):
        fails: bool = False

        def write(self, channel: str, name: str, data: bytes) -> None:
            if self.fails and name == MANIFEST:
                raise OSError("no space left")
            super().write(channel, name, data)

    carrier = world.carrier = Full()
    world.courier()
    append(world.node, 3)
    carrier.fails = True
    world.later()
    assert world.courier()[STREAM].failed
    carrier.fails = False
    world.later()
    assert world.courier()[STREAM].manifest


def test_a_new_courier_begins_with_a_manifest(world: World) -> None:
    world.courier()
    assert not world.courier()[STREAM].manifest
    world.restart()
    assert world.courier()[STREAM].manifest


# Heads and completeness


def test_the_loss_of_the_last_lines_is_seen(world: World) -> None:
    append(world.node, 5)
    world.pipe.open = False
    world.courier()
    world.pipe.put(*world.pipe.archive[0])
    world.pipe.arrived_manifests = dict(world.pipe.manifests)
    world.receiver()
    row = said(world)
    assert (row.state, row.head, row.watermark, row.missing, row.same_chain) == ("missing", 5, 3, ((4, 5),), None)


def test_a_segments_header_counts_as_a_manifest_of_its_last_line(world: World) -> None:
    append(world.node, 9)
    world.pipe.open = False
    world.courier()
    world.pipe.put(*world.pipe.archive[1])
    world.receiver()
    row = said(world)
    assert (row.head, row.missing, row.manifest_at) == (6, ((1, 3),), START)


def test_an_old_manifest_put_back_lowers_nothing(world: World) -> None:
    append(world.node, 3)
    world.courier()
    old = world.pipe.manifests[STREAM]
    append(world.node, 3)
    world.later(200)
    world.courier()
    world.pipe.open = False
    world.pipe.arrived.clear()
    world.receiver()
    world.pipe.arrived_manifests[STREAM] = old
    world.receiver()
    row = said(world)
    assert (row.head, row.manifest_at) == (6, world.now)


def test_a_manifest_from_the_future_is_refused_and_a_slightly_fast_clock_counts_as_now(world: World) -> None:
    world.courier()
    stated = read_manifest(world.pipe.manifests[STREAM], public(world.node_key))
    for ahead, heard in ((timedelta(days=2), None), (timedelta(hours=2), START)):
        fast = replace(stated, time=START + ahead)
        world.pipe.arrived_manifests[STREAM] = write_manifest(fast, world.node_key)
        world.pipe.open = False
        taken = world.receiver()
        assert taken.refused == ({Reason.FROM_THE_FUTURE: 1} if heard is None else {})
        assert said(world).manifest_at == heard


def test_a_manifest_from_the_future_still_says_how_far_the_stream_goes(world: World) -> None:
    append(world.node, 3)
    world.now += timedelta(days=2)
    world.courier()
    world.now -= timedelta(days=2)
    world.pipe.open = False
    world.pipe.arrived.clear()
    world.receiver()
    assert (said(world).missing, said(world).manifest_at) == (((1, 3),), None)
    with world.lead.connect() as connection:
        assert connection.execute(select(tables.received_head.c.manifest)).scalar_one() is None  # shown to nobody


def test_a_node_that_has_fallen_silent_is_not_known_since(world: World) -> None:
    append(world.node, 3)
    world.heal()
    spoken = said(world).manifest_at
    world.later(3 * 86400 + 300)
    row = said(world)
    assert (row.state, row.manifest_at, row.missing) == ("not_known_since", spoken, ())
    with world.lead.connect() as connection:
        assert completeness(connection, world.now, {"lahde": 10})[0].state == "complete"


def test_a_node_never_heard_of_is_listed_if_asked_for(world: World) -> None:
    row = said(world)
    assert (row.state, row.head, row.manifest_at, row.node, row.programme) == (
        "not_known_since",
        None,
        None,
        "pori-0a1b2c3d",
        "lahde",
    )


def test_a_manifest_of_an_unaccepted_epoch_makes_the_stream_differ(world: World) -> None:
    append(world.node, 3)
    world.heal()
    with world.node.begin() as connection:
        connection.execute(update(journal_head).where(journal_head.c.name == STREAM).values(epoch=2))
    world.later(130)
    world.courier()
    assert world.receiver().refused == {Reason.OTHER_EPOCH: 1}
    assert said(world).state == "differs"


def test_the_proof_of_every_applied_segment_is_kept(world: World) -> None:
    append(world.node, 4)
    world.heal()
    with world.lead.connect() as connection:
        proofs = connection.execute(select(tables.received_segment)).all()
    assert [(row.first, row.last) for row in proofs] == [(1, 3), (4, 4)]
    for row in proofs:
        message = row.header + row.payload_digest
        assert crypto.verify(world.node_key.public or b"", row.signature, b"polku-segment-1", message)


def test_the_lead_keeps_its_incarnation_and_a_new_database_has_another(world: World) -> None:
    world.courier()
    world.receiver()
    world.restart()
    world.receiver()
    other = World()
    other.receiver()
    names = []
    for engine in (world.lead, other.lead):
        with engine.connect() as connection:
            names.append(connection.execute(select(tables.received_incarnation.c.incarnation)).scalar_one())
    assert names[0] != names[1]


def test_a_line_that_is_no_line_cannot_come_in_under_a_right_signature(world: World) -> None:
    append(world.node, 1)
    with world.node.begin() as connection:
        connection.execute(delete(journal_line))
        digest = line_digest(b"{}")
        row = {"pos": 1, "stream": STREAM, "epoch": 1, "seq": 1, "kind": None, "subject": None, "digest": digest}
        connection.execute(insert(journal_line), row | {"line": b"{}"})
        chain = chain_next(chain_start(STREAM), digest)
        connection.execute(update(journal_head).where(journal_head.c.name == STREAM).values(chain=chain))
    world.courier()
    assert world.receiver().refused == {Reason.BAD_LINES: 1}
