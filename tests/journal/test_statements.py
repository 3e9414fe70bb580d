"""Manifests and receipts: their bytes, and what is no statement."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal import crypto
from shared.journal.segment import Reason
from shared.journal.statements import (
    Manifest,
    Receipt,
    StatementRefused,
    read_manifest,
    read_receipt,
    write_manifest,
    write_receipt,
)
from tests.journal.exchange_kit import START, STREAM, make_key, public

KEY = make_key("signing")
MANIFEST = Manifest(STREAM, 1, 42, b"\xab" * 32, START, "0" * 31 + "1")
RECEIPT = Receipt(STREAM, 1, 40, b"\xcd" * 32, "0" * 31 + "2", START, "0" * 31 + "1")


def reason(data: bytes) -> Reason:
    with pytest.raises(StatementRefused) as refused:
        read_manifest(data, public(KEY))
    return refused.value.reason


def signed(encoded: bytes, context: bytes = b"polku-manifest-1") -> bytes:
    return encoded + b"\n" + crypto.sign(KEY.secret(), context, encoded).hex().encode() + b"\n"


def test_the_bytes_of_a_manifest() -> None:
    data = write_manifest(MANIFEST, KEY)
    encoded, signature, rest = data.split(b"\n")
    assert encoded.decode() == (
        f'{{"stream":"{STREAM}","epoch":1,"seq":42,"chain":"{"ab" * 32}","time":"2026-11-22T09:00:00.000000Z",'
        f'"nonce":"{MANIFEST.nonce}","key":"{KEY.id}"}}'
    )
    assert rest == b""
    assert crypto.verify(KEY.public or b"", bytes.fromhex(signature.decode()), b"polku-manifest-1", encoded)
    assert read_manifest(data, public(KEY)) == MANIFEST


def test_the_bytes_of_a_receipt() -> None:
    data = write_receipt(RECEIPT, KEY)
    encoded, signature, _ = data.split(b"\n")
    assert encoded.decode() == (
        f'{{"stream":"{STREAM}","epoch":1,"seq":40,"chain":"{"cd" * 32}","incarnation":"{RECEIPT.incarnation}",'
        f'"time":"2026-11-22T09:00:00.000000Z","echo":"{RECEIPT.echo}","key":"{KEY.id}"}}'
    )
    assert crypto.verify(KEY.public or b"", bytes.fromhex(signature.decode()), b"polku-receipt-1", encoded)
    assert read_receipt(data, public(KEY)) == RECEIPT


def test_line_0_and_no_echo_are_said_before_anything_came() -> None:
    empty = Receipt(STREAM, 1, 0, b"\xcd" * 32, "0" * 32, START, "")
    assert read_receipt(write_receipt(empty, KEY), public(KEY)) == empty


def test_one_flipped_bit_anywhere_is_never_believed() -> None:
    data = write_manifest(MANIFEST, KEY)
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1 << (position % 8)
        reason(bytes(changed))


def test_a_receipt_is_no_manifest_even_with_a_manifests_members() -> None:
    encoded = write_manifest(MANIFEST, KEY).split(b"\n")[0]
    assert reason(signed(encoded, b"polku-receipt-1")) is Reason.BAD_SIGNATURE
    assert reason(write_receipt(RECEIPT, KEY)) is Reason.BAD_STATEMENT


def test_a_foreign_key_is_refused() -> None:
    assert reason(write_manifest(MANIFEST, make_key("signing"))) is Reason.UNKNOWN_KEY


def test_another_key_under_a_known_name_is_refused() -> None:
    encoded = write_manifest(MANIFEST, KEY).split(b"\n")[0]
    forged = crypto.sign(make_key("signing").secret(), b"polku-manifest-1", encoded)
    assert reason(encoded + b"\n" + forged.hex().encode() + b"\n") is Reason.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stream", "../etc"),
        ("epoch", True),
        ("epoch", 0),
        ("seq", -1),
        ("seq", 1.0),
        ("seq", 10**12),
        ("chain", "ab"),
        ("chain", None),
        ("time", "yesterday"),
        ("nonce", ""),
        ("nonce", "A" * 32),
        ("nonce", [[]]),
        ("key", 1),
        ("more", 1),
    ],
)
def test_a_rightly_signed_manifest_is_refused_for_a_member(name: str, value: object) -> None:
    members = json.loads(write_manifest(MANIFEST, KEY).split(b"\n")[0])
    members[name] = value
    assert reason(signed(json.dumps(members, separators=(",", ":")).encode())) is Reason.BAD_STATEMENT


@pytest.mark.parametrize("encoded", [b"[]", b"1", b"{", b"", b"[" * 1900, b"\xff", b'{"stream":NaN}'])
def test_what_is_no_object_with_these_members_is_refused(encoded: bytes) -> None:
    assert reason(signed(encoded)) is Reason.BAD_STATEMENT


def test_white_space_is_refused() -> None:
    encoded = write_manifest(MANIFEST, KEY).split(b"\n")[0].replace(b",", b", ")
    assert reason(signed(encoded)) is Reason.BAD_STATEMENT


def test_what_is_too_long_or_cut_off_is_refused() -> None:
    data = write_manifest(MANIFEST, KEY)
    assert reason(data + b" " * 2048) is Reason.OVERSIZED
    assert reason(data[:-1]) is Reason.TRUNCATED
    assert reason(data + b"\n") is Reason.BAD_STATEMENT
    assert reason(b"") is Reason.TRUNCATED


@given(st.binary(max_size=300))
def test_other_bytes_are_refused_whatever_they_are(data: bytes) -> None:
    assert isinstance(reason(data), Reason)
    assert isinstance(reason(signed(data)), Reason)
