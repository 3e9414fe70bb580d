"""A segment's bytes, and every reason to refuse them."""

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from shared.journal import crypto
from shared.journal.lines import chain_next, chain_start, line_digest
from shared.journal.segment import (
    MAX_SEGMENT,
    Header,
    Item,
    Reason,
    SegmentRefused,
    build,
    open_lines,
    verify,
)
from tests.journal.exchange_kit import START, STREAM, a_line, make_key, public, some_items

NODE, LEAD, STRANGER = make_key("signing"), make_key("receiving"), make_key("signing")
ADMITTED = {STREAM: public(NODE)}
RECEIVING = {LEAD.id: LEAD.secret()}
BEFORE = chain_start(STREAM)
assert LEAD.public is not None
PUBLIC = LEAD.public


def a_segment(items: list[Item] | None = None) -> bytes:
    items = some_items(1, 3) if items is None else items
    return build(items, stream=STREAM, epoch=1, first=1, before=BEFORE, signer=NODE, sealed_to=PUBLIC, time=START).data


def a_header(last: int = 3, chain: bytes | None = None, epoch: int = 1, first: int = 1) -> Header:
    if chain is None:
        chain = BEFORE
        for item in some_items(1, last):
            chain = chain_next(chain, item.digest)
    return Header(STREAM, epoch, first, last, BEFORE, chain, NODE.id, LEAD.id, START)


def assemble(encoded: bytes, payload: bytes, signer: crypto.Key = NODE, digest: bytes | None = None) -> bytes:
    """A segment signed over any header and payload: what an admitted node that means harm could make."""
    digest = digest or sha256(payload).digest()
    signature = crypto.sign(signer.secret(), b"polku-segment-1", encoded + digest)
    return b"POLKU1\n" + struct.pack(">H", len(encoded)) + encoded + digest + signature + payload


def around(plain: bytes, header: Header | None = None, compress: bool = True) -> bytes:
    """A rightly signed and sealed segment around any plain text."""
    encoded = (header or a_header()).encode()
    packed = zstandard.compress(plain) if compress else plain
    return assemble(encoded, crypto.seal(PUBLIC, encoded, packed))


def lines(first: int = 1, last: int = 3) -> bytes:
    return b"\n".join(a_line(seq) for seq in range(first, last + 1))


def take(data: bytes) -> tuple[bytes | None, ...]:
    return tuple(line.line for line in open_lines(verify(data, ADMITTED, RECEIVING), RECEIVING))


def reason(data: bytes) -> Reason:
    with pytest.raises(SegmentRefused) as refused:
        take(data)
    return refused.value.reason


def test_the_bytes_are_those_of_the_architecture() -> None:
    data = a_segment()
    length = int.from_bytes(data[7:9], "big")
    header, rest = data[9 : 9 + length], data[9 + length :]
    chain = BEFORE
    for seq in (1, 2, 3):
        chain = sha256(chain + sha256(a_line(seq)).digest()).digest()
    assert data[:7] == b"POLKU1\n"
    assert header.decode() == (
        f'{{"stream":"{STREAM}","epoch":1,"first":1,"last":3,"before":"{BEFORE.hex()}","chain":"{chain.hex()}",'
        f'"signed_by":"{NODE.id}","sealed_to":"{LEAD.id}","time":"2026-11-22T09:00:00.000000Z"}}'
    )
    digest, signature, payload = rest[:32], rest[32:96], rest[96:]
    assert sha256(payload).digest() == digest
    assert crypto.verify(NODE.public or b"", signature, b"polku-segment-1", header + digest)
    plain = zstandard.ZstdDecompressor().decompress(crypto.open_sealed(LEAD.secret(), header, payload))
    assert plain == lines()


def test_lines_and_erased_lines_come_out_as_they_went_in() -> None:
    items = some_items(1, 3)
    items[1] = items[1]._replace(line=None)
    opened = open_lines(verify(a_segment(items), ADMITTED, RECEIVING), RECEIVING)
    assert [(line.digest, line.line) for line in opened] == [(item.digest, item.line) for item in items]
    assert [line.seq for line in opened] == [1, 2, 3]
    assert [line.kind for line in opened] == ["activities.heads_counted", None, "activities.heads_counted"]
    assert opened[1][1:4] == (None, None, None)


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 40))
def test_any_run_of_lines_survives_and_never_exceeds_the_count(erased: list[bool], most: int) -> None:
    items = [
        item._replace(line=None) if gone else item
        for gone, item in zip(erased, some_items(1, len(erased)), strict=True)
    ]
    built = build(
        items,
        stream=STREAM,
        epoch=1,
        first=1,
        before=BEFORE,
        signer=NODE,
        sealed_to=PUBLIC,
        time=START,
        max_lines=most,
    )
    assert built.header.last == min(len(items), most)
    opened = open_lines(verify(built.data, ADMITTED, RECEIVING), RECEIVING)
    assert [(line.digest, line.line) for line in opened] == [(i.digest, i.line) for i in items[:most]]


def test_lines_that_do_not_compress_are_cut_to_a_payload_of_one_mebibyte() -> None:
    import os

    noise = [os.urandom(24_000).hex().encode() for _ in range(100)]
    items = [Item(line_digest(line), line) for line in noise]
    built = build(items, stream=STREAM, epoch=1, first=1, before=BEFORE, signer=NODE, sealed_to=PUBLIC, time=START)
    assert 10 < built.header.last < 100
    assert len(built.data) <= MAX_SEGMENT
    assert reason(built.data) is Reason.BAD_LINES  # opened within the limits, and only then found to be no lines


def test_lines_that_compress_well_are_cut_to_eight_mebibytes() -> None:
    line = b"{" + b"x" * 60_000 + b"}"
    built = build(
        [Item(line_digest(line), line)] * 300,
        stream=STREAM,
        epoch=1,
        first=1,
        before=BEFORE,
        signer=NODE,
        sealed_to=PUBLIC,
        time=START,
    )
    assert built.header.last == 8 * 1024 * 1024 // 60_003
    assert reason(built.data) is Reason.BAD_LINES


def test_one_flipped_bit_anywhere_is_never_taken() -> None:
    data = a_segment(some_items(1, 1))
    reasons = set()
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1 << (position % 8)
        reasons.add(reason(bytes(changed)))
    assert {Reason.BAD_MAGIC, Reason.BAD_SIGNATURE, Reason.PAYLOAD_MISMATCH, Reason.BAD_HEADER} <= reasons


def test_no_cut_off_segment_is_taken() -> None:
    data = a_segment(some_items(1, 1))
    assert {reason(data[:length]) for length in range(len(data))} <= {
        Reason.TRUNCATED,
        Reason.PAYLOAD_MISMATCH,
        Reason.BAD_SIGNATURE,
    }


@given(st.binary(max_size=400))
def test_other_bytes_are_refused_whatever_they_are(data: bytes) -> None:
    assert isinstance(reason(data), Reason)
    assert isinstance(reason(b"POLKU1\n" + data), Reason)


def with_member(name: str, value: object) -> bytes:
    members = json.loads(a_header().encode())
    members[name] = value
    return json.dumps(members, separators=(",", ":")).encode()


HEADERS: dict[str, Callable[[], bytes]] = {
    "white space": lambda: a_header().encode().replace(b",", b", ", 1),
    "a member twice": lambda: a_header().encode().replace(b'"epoch":1', b'"epoch":1,"epoch":1'),
    "an unknown member": lambda: with_member("more", 1),
    "a missing member": lambda: a_header().encode().replace(b'"epoch":1,', b""),
    "another order": lambda: a_header().encode().replace(b'"epoch":1,"first":1', b'"first":1,"epoch":1'),
    "true for one": lambda: with_member("epoch", True),
    "a fraction": lambda: with_member("first", 1.0),
    "text for a number": lambda: with_member("last", "3"),
    "line 0": lambda: with_member("first", 0),
    "epoch 0": lambda: with_member("epoch", 0),
    "an epoch beyond four digits": lambda: with_member("epoch", 10_000),
    "a line beyond twelve digits": lambda: with_member("last", 10**12),
    "last before first": lambda: with_member("first", 4),
    "a short chain": lambda: with_member("chain", "00"),
    "a chain in capitals": lambda: with_member("chain", "A" * 64),
    "a path for a stream": lambda: with_member("stream", "../lahde"),
    "a stream with a line feed": lambda: with_member("stream", STREAM + "\n"),
    "another form of time": lambda: with_member("time", "2026-11-22T09:00:00Z"),
    "no such day": lambda: with_member("time", "2026-02-30T09:00:00.000000Z"),
    "a list": lambda: b"[]",
    "a number": lambda: b"1",
    "not a number": lambda: a_header().encode().replace(b'"epoch":1', b'"epoch":NaN'),
    "deep nesting": lambda: b"[" * 1024,
    "no JSON": lambda: b"{",
    "nothing": lambda: b"",
    "no UTF-8": lambda: b"\xff\xfe",
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_is_refused_for(name: str) -> None:
    assert reason(assemble(HEADERS[name](), b"payload")) is Reason.BAD_HEADER


def test_a_header_over_one_kibibyte_is_refused() -> None:
    assert reason(assemble(b" " * 1025, b"payload")) is Reason.HEADER_TOO_LONG


def test_a_stream_that_is_not_admitted_is_refused() -> None:
    data = a_segment()
    with pytest.raises(SegmentRefused) as refused:
        verify(data, {"eura-00000002/lahde": public(NODE)}, RECEIVING)
    assert refused.value.reason is Reason.UNKNOWN_STREAM


def test_a_key_that_is_not_this_streams_is_refused_even_if_another_streams() -> None:
    admitted = {STREAM: public(STRANGER), "eura-00000002/lahde": public(NODE)}
    with pytest.raises(SegmentRefused) as refused:
        verify(a_segment(), admitted, RECEIVING)
    assert refused.value.reason is Reason.UNKNOWN_KEY


def test_a_signature_by_another_key_than_the_named_one_is_refused() -> None:
    encoded = a_header().encode()
    assert reason(assemble(encoded, crypto.seal(PUBLIC, encoded, b""), STRANGER)) is Reason.BAD_SIGNATURE


def test_a_payload_that_is_not_the_signed_one_is_refused() -> None:
    data = assemble(a_header().encode(), b"other", digest=sha256(b"signed").digest())
    assert reason(data) is Reason.PAYLOAD_MISMATCH


def test_an_oversized_segment_is_refused_before_it_is_looked_at() -> None:
    assert reason(b"x" * (MAX_SEGMENT + 1)) is Reason.OVERSIZED


def test_an_oversized_payload_under_a_short_header_is_refused() -> None:
    data = assemble(a_header().encode(), b"x" * (1024 * 1024 + 1))
    assert len(data) < MAX_SEGMENT
    assert reason(data) is Reason.OVERSIZED


def test_a_segment_for_another_recipient_is_refused_before_opening() -> None:
    other = make_key("receiving")
    with pytest.raises(SegmentRefused) as refused:
        verify(a_segment(), ADMITTED, {other.id})
    assert refused.value.reason is Reason.WRONG_RECIPIENT


def test_a_payload_sealed_under_another_header_does_not_open() -> None:
    payload = crypto.seal(PUBLIC, replace(a_header(), epoch=2).encode(), zstandard.compress(lines()))
    assert reason(assemble(a_header().encode(), payload)) is Reason.CANNOT_OPEN


def test_plain_text_that_is_not_compressed_is_refused() -> None:
    assert reason(around(lines(), compress=False)) is Reason.BAD_COMPRESSION


def test_a_bomb_is_stopped_at_eight_mebibytes() -> None:
    import tracemalloc

    bomb = around(b"\n" * (200 * 1024 * 1024))
    assert len(bomb) < 50_000
    tracemalloc.start()
    try:
        assert reason(bomb) is Reason.INFLATED
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_claimed_size_in_the_compressed_data_is_not_believed() -> None:
    frame = zstandard.ZstdCompressor(write_content_size=True).compress(b"x" * (7 * 1024 * 1024))
    lying = frame[:6] + struct.pack("<I", 2**31) + frame[10:]  # after magic, descriptor, window
    assert zstandard.get_frame_parameters(lying).content_size == 2**31
    encoded = a_header().encode()
    data = assemble(encoded, crypto.seal(PUBLIC, encoded, lying))
    assert reason(data) in (Reason.BAD_COMPRESSION, Reason.BAD_LINES)


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param(lines(1, 2), id="a line too few"),
        pytest.param(lines(1, 4), id="a line too many"),
        pytest.param(lines() + b"\n", id="a line feed at the end"),
        pytest.param(lines(2, 4), id="other numbers than the header says"),
        pytest.param(b"\n".join(a_line(s, stream="eura-00000002/lahde") for s in (1, 2, 3)), id="another stream"),
        pytest.param(b"\n".join(a_line(s, epoch=2) for s in (1, 2, 3)), id="another epoch"),
        pytest.param(lines(1, 2) + b"\n{}", id="no line"),
        pytest.param(lines(1, 2) + b"\n#00", id="a short digest"),
        pytest.param(lines(1, 2) + b"\n#" + b"A" * 64, id="a digest in capitals"),
        pytest.param(lines(1, 2) + b"\n\xff", id="no UTF-8"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_lines_are_refused_that_are_not_what_the_header_says(plain: bytes) -> None:
    assert reason(around(plain)) is Reason.BAD_LINES


def test_lines_that_do_not_lead_to_the_signed_chain_are_refused() -> None:
    assert reason(around(lines(), a_header(chain=b"\x00" * 32))) is Reason.CHAIN_MISMATCH


def test_a_changed_digest_of_an_erased_line_breaks_the_chain() -> None:
    assert reason(around(lines(1, 2) + b"\n#" + b"0" * 64)) is Reason.CHAIN_MISMATCH


def test_a_segment_without_lines_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="at least one line"):
        a_segment([])
