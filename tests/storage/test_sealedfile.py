"""A sealed file gives back what was put in, and no changed, cut, doubled or moved piece of it is ever taken."""

import io
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.storage.sealedfile import PIECE, FileChanged, NotASealedFile, SealedWriter, read_header, read_pieces

MAGIC, HEADER, KEY = b"TEST-1\n", b'{"a":1}', b"k" * 32
START = len(MAGIC) + 4 + len(HEADER)
SEALED_PIECE = PIECE + 16


def sealed(content: bytes, step: int = 50_000) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, MAGIC, HEADER, KEY)
    for start in range(0, len(content), step):
        writer.write(content[start : start + step])
    writer.close()
    return file.getvalue()


def opened(data: bytes, key: bytes = KEY) -> bytes:
    file = io.BytesIO(data)
    header = read_header(file, MAGIC)
    return b"".join(read_pieces(file, MAGIC, header, key))


CONTENT = os.urandom(3 * PIECE - 7)
WHOLE = sealed(CONTENT)


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1])
def test_what_was_put_in_comes_out_at_every_size(size: int) -> None:
    data = sealed(CONTENT[:size])
    assert opened(data) == CONTENT[:size]
    assert size < 16 or CONTENT[:16] not in data


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_every_changed_byte_is_found(at: int, by: int) -> None:
    changed = bytearray(WHOLE)
    changed[at] ^= by
    with pytest.raises((FileChanged, NotASealedFile)):
        opened(bytes(changed))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(WHOLE) - 1))
def test_every_cut_is_found(length: int) -> None:
    with pytest.raises((FileChanged, NotASealedFile)):
        opened(WHOLE[:length])


@pytest.mark.parametrize("cut", [START + SEALED_PIECE, START + 2 * SEALED_PIECE])
def test_a_cut_between_two_pieces_is_found(cut: int) -> None:
    with pytest.raises(FileChanged):
        opened(WHOLE[:cut])


def test_pieces_that_are_doubled_moved_or_added_are_found() -> None:
    first, second, last = (WHOLE[START + i * SEALED_PIECE :][:SEALED_PIECE] for i in range(3))
    assert WHOLE[:START] + first + second + last == WHOLE
    for pieces in ((first, first, second, last), (second, first, last), (first, second, last, last), (second, last)):
        with pytest.raises(FileChanged):
            opened(WHOLE[:START] + b"".join(pieces))


def test_another_key_opens_nothing() -> None:
    with pytest.raises(FileChanged):
        opened(WHOLE, b"x" * 32)


def test_the_pieces_belong_to_their_header() -> None:
    with pytest.raises(FileChanged):
        opened(WHOLE.replace(b'{"a":1}', b'{"a":2}', 1))
