"""Six words for a key."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal.fingerprint import SYLLABLES, fingerprint, read_fingerprint

KEYS = st.binary(min_size=32, max_size=32)


def test_the_words_of_a_key_never_change() -> None:
    assert fingerprint(bytes(32)) == "mipo-nuty-rini-nuny-sama-naro"


@given(KEYS)
def test_six_words_say_the_first_72_bits_of_the_digest(key: bytes) -> None:
    bits = 0
    for word in fingerprint(key).split("-"):
        bits = (bits << 12) + (SYLLABLES.index(word[:2]) << 6) + SYLLABLES.index(word[2:])
    assert bits.to_bytes(9) == sha256(key).digest()[:9]


@given(KEYS)
def test_what_is_typed_with_capitals_and_spaces_is_read(key: bytes) -> None:
    words = fingerprint(key)
    assert read_fingerprint(words) == words
    assert read_fingerprint(f" {words.upper().replace('-', '  ')} ") == words


@pytest.mark.parametrize("typed", ["", "kalo", "kalo-tuve-hame-noki-pilu", "kalo-tuve-hame-noki-pilu-xxxx", "ab" * 16])
def test_what_is_no_six_words_is_not_read(typed: str) -> None:
    assert read_fingerprint(typed) is None
