"""Courier and receiver together: which receipts and manifests are believed, and what they say."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update

from shared.journal import carry_tables as tables
from shared.journal import crypto
from shared.journal.carrier import MANIFEST
from shared.journal.lines import chain_next, chain_start, line_digest
from shared.journal.received import completeness
from shared.journal.segment import Reason
from shared.journal.statements import Receipt, read_manifest, read_receipt, write_manifest, write_receipt
from shared.journal.tables import journal_head
from shared.ops.clock import wire_time
from tests.journal.exchange_kit import (
    OTHER,
    START,
    STREAM,
    Pipe,
    World,
    a_line,
    append,
    held,
    make_key,
    new_engine,
    public,
    said,
)

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


def test_a_receipt_of_a_lead_that_is_gone_does_not_look_newer_than_one_that_answers_nothing(world: World) -> None:
    append(world.node, 6)
    world.courier()
    world.receiver()
    gone = world.pipe.receipts[STREAM]
    world.pipe.open = False
    empty = Receipt(STREAM, 1, 0, chain_start(STREAM), "ab" * 16, START, "")
    world.pipe.arrived_receipts[STREAM] = write_receipt(empty, world.lead_key)
    world.courier()
    world.pipe.arrived_receipts[STREAM] = gone
    assert world.courier()[STREAM].receipt == 0
    world.lead = new_engine()
    world.restart()
    world.pipe.open = True
    world.heal()
    assert len(held(world.lead)[0]) == 6
    assert world.courier()[STREAM].receipt == 6


def test_an_older_receipt_of_the_same_lead_does_not_look_newer_than_a_first_one_that_answers_nothing(
    world: World,
) -> None:
    append(world.node, 6)
    world.courier()
    world.receiver()
    older = world.pipe.receipts[STREAM]
    world.pipe.open = False
    told = read_receipt(older, public(world.lead_key))
    of_a_copy = replace(told, time=told.time + timedelta(minutes=5), echo="c" * 32)
    newer = replace(told, time=told.time + timedelta(minutes=9))

    def believed(data: bytes) -> Any:
        world.pipe.arrived_receipts[STREAM] = data
        world.courier()
        with world.node.connect() as connection:
            row = connection.execute(select(tables.courier_receipt)).one()
        return row.manifest, row.time

    first = believed(write_receipt(of_a_copy, world.lead_key))
    assert first == (0, wire_time(of_a_copy.time))
    assert believed(older) == first
    assert believed(write_receipt(newer, world.lead_key)) == (1, wire_time(newer.time))


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
