"""Courier and receiver together: what is refused, and what heals."""

import pytest
import zstandard
from sqlalchemy import delete, insert, select, update

from shared.journal import carry_tables as tables
from shared.journal import crypto
from shared.journal.carrier import Place, place_named
from shared.journal.lines import chain_next, chain_start, line_digest
from shared.journal.segment import Item, Reason, build
from shared.journal.tables import journal_head, journal_line
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
    some_items,
)
from tests.journal.test_segment import assemble

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
