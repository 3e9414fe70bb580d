"""Courier and receiver together: what arrives, whatever is lost, late or twice on the way."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from shared.journal import carry_tables as tables
from shared.journal import planning, receiving
from shared.journal.carrier import Found, Place
from shared.journal.deciding import Outcome
from shared.journal.filecarrier import FileCarrier
from shared.journal.lines import line_digest
from shared.journal.segment import Reason
from tests.journal.exchange_kit import (
    OTHER,
    STREAM,
    Killed,
    Pipe,
    World,
    a_line,
    append,
    count,
    held,
    kept,
    make_key,
    new_engine,
    said,
    segments,
)


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


def test_while_many_segments_wait_for_a_receipt_new_lines_wait_until_they_fill_one_and_are_missing_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "SEGMENTS_WAITING", 4)
    for _ in range(9):  # the lead is away
        append(world.node, 1)
        world.courier()
        world.later(1)
    assert [(found.place.first, found.place.last) for found in segments(world)] == [
        *((line, line) for line in range(1, 5)),
        (5, 7),
    ]
    world.receiver()
    assert (said(world).state, said(world).missing) == ("missing", ((8, 9),))
    world.courier()
    assert [(found.place.first, found.place.last) for found in segments(world)] == [(8, 9)]
    world.heal()
    assert said(world).state == "complete"


def test_a_segment_that_is_lost_is_written_again_however_many_wait_for_a_receipt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "SEGMENTS_WAITING", 4)
    for _ in range(8):
        append(world.node, 1)
        world.courier()
    del world.pipe.sent[STREAM, Place(1, 2, 2)]
    world.courier()
    assert [found.place.first for found in segments(world)] == [1, 2, 3, 4, 5]
    assert world.receiver().lines == 7


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

    def decide(receiver: receiving.Receiver, work: Any, **how: Any) -> None:
        sizes.append(len(work.batch))
        decide_batch(receiver, work, **how)

    decide_batch = receiving.Receiver._decide_batch
    monkeypatch.setattr(receiving.Receiver, "_decide_batch", decide)
    monkeypatch.setattr(receiving, "BATCH_BYTES", max(found.size for found in segments(world)) + 1)
    assert world.receiver().lines == 9
    assert [size for size in sizes if size] == [1, 1, 1]


@pytest.fixture
def each_batch_is_a_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that on PostgreSQL every one is stored while the next is opened."""
    monkeypatch.setattr(receiving, "LINES_AT_ONCE", {"sqlite": 1, "postgresql": 1})


@pytest.mark.usefixtures("each_batch_is_a_segment")
def test_batches_that_are_stored_beside_the_next_ones_arrive_in_order(either_world: World) -> None:
    either_world.streams = (STREAM, OTHER)
    append(either_world.node, 40)
    append(either_world.node, 10, stream=OTHER)
    either_world.courier()
    assert either_world.receiver().lines == 50
    assert held(either_world.lead) == kept(either_world.node)
    assert held(either_world.lead, OTHER) == kept(either_world.node, OTHER)


@pytest.mark.usefixtures("each_batch_is_a_segment")
def test_what_was_opened_in_the_belief_that_it_joins_is_decided_anew(
    either_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decide(connection: Any, head: Any, arrival: Any, *rest: Any) -> Outcome:
        return Outcome.UNDECIDED if arrival.name == second else decided(connection, head, arrival, *rest)

    append(either_world.node, 15)
    either_world.courier()
    second, decided = segments(either_world)[1].place.name, receiving.decide
    monkeypatch.setattr(receiving, "decide", decide)
    outcomes = either_world.receiver().outcomes
    assert (outcomes[Outcome.APPLIED], outcomes[Outcome.UNDECIDED], outcomes[Outcome.EARLY]) == (1, 1, 3)
    assert said(either_world).watermark == 3
    monkeypatch.setattr(receiving, "decide", decided)
    assert either_world.receiver().lines == 12
    assert held(either_world.lead) == kept(either_world.node)


@pytest.mark.usefixtures("each_batch_is_a_segment")
def test_a_batch_that_fails_beside_the_next_ends_the_round_and_loses_nothing(
    either_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(connection: Any, heads: Any) -> None:
        heads = list(heads)
        if any(head.seq == 6 for head in heads):
            raise TimeoutError("the disk is slow")
        saved(connection, heads)

    append(either_world.node, 15)
    either_world.courier()
    saved = receiving.received.save_heads
    monkeypatch.setattr(receiving.received, "save_heads", save)
    with pytest.raises(TimeoutError):
        either_world.receiver()
    assert said(either_world).watermark == 3
    monkeypatch.setattr(receiving.received, "save_heads", saved)
    assert either_world.receiver().lines == 12
    assert held(either_world.lead) == kept(either_world.node)


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
    assert world.receiver().outcomes == {Outcome.EARLY: 2}
    assert world.receiver().outcomes == {}
    world.pipe.put(*world.pipe.archive[0])
    world.receiver()
    world.receiver()
    assert held(world.lead) == kept(world.node)


def test_what_there_is_no_room_for_is_not_read_again_whenever_the_watermark_moves(world: World) -> None:
    """Else one node could let thousands of small segments lie ahead of a gap, and every round would read them all."""
    world.early_limit = 2
    world.max_lines = 1
    world.pipe.open = False
    append(world.node, 12)
    world.courier()
    for arrival in [*world.pipe.archive[:1], *world.pipe.archive[5:]]:
        world.pipe.put(*arrival)
    assert world.receiver().outcomes == {Outcome.APPLIED: 1, Outcome.EARLY: 2}
    assert count(world, "received_claim") == 1, "of the nearer one; the further one is the head"
    for arrival in world.pipe.archive[1:4]:
        world.pipe.put(*arrival)
        assert world.receiver().outcomes == {Outcome.APPLIED: 1}
    world.pipe.put(*world.pipe.archive[4])
    assert world.receiver().outcomes == {Outcome.APPLIED: 8}, "at once: nobody else knows how far the stream goes"
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
