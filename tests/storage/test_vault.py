"""What the vault encrypts opens with the person's key, in its place, and not otherwise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.storage.vault import VaultError, decrypt, encrypt, new_key, unwrap, wrap

ANNA, BERTTA = b"a" * 16, b"b" * 16
IDENTITY = "Änna Meikäläinen".encode()


@given(st.binary(max_size=200), st.binary(max_size=40))
@settings(max_examples=50)
def test_what_was_encrypted_comes_back_and_is_not_to_be_seen(plain: bytes, place: bytes) -> None:
    key = new_key()
    box = encrypt(key, place, plain)
    assert decrypt(key, place, box) == plain
    assert len(plain) < 4 or plain not in box
    assert encrypt(key, place, plain) != box, "a nonce of its own each time"


def test_another_key_or_another_place_does_not_open_it() -> None:
    key = new_key()
    box = encrypt(key, b"identity" + ANNA, IDENTITY)
    for other, place in ((new_key(), b"identity" + ANNA), (key, b"identity" + BERTTA), (key, b"note" + ANNA)):
        with pytest.raises(VaultError) as refused:
            decrypt(other, place, box)
        assert IDENTITY.decode() not in str(refused.value)


def test_changed_cut_or_lengthened_bytes_do_not_open() -> None:
    key = new_key()
    box = encrypt(key, ANNA, IDENTITY)
    for at in range(len(box)):
        with pytest.raises(VaultError):
            decrypt(key, ANNA, box[:at] + bytes([box[at] ^ 1]) + box[at + 1 :])
        with pytest.raises(VaultError):
            decrypt(key, ANNA, box[:at])
    with pytest.raises(VaultError):
        decrypt(key, ANNA, box + b"\x00")


def test_a_persons_key_is_wrapped_by_the_newest_vault_key_and_unwrapped_by_its_number() -> None:
    old, both, key = {1: new_key()}, {2: new_key()}, new_key()
    both |= old
    before, after = wrap(old, ANNA, key), wrap(both, ANNA, key)
    assert (before[:2], after[:2]) == (b"\x00\x01", b"\x00\x02")
    assert unwrap(both, ANNA, before) == unwrap(both, ANNA, after) == key
    assert key not in before


def test_a_wrapped_key_is_of_one_person_and_one_vault_key() -> None:
    keys, key = {1: new_key()}, new_key()
    wrapped = wrap(keys, ANNA, key)
    for vault, person, box in (
        (keys, BERTTA, wrapped),
        ({1: new_key()}, ANNA, wrapped),
        ({2: keys[1]}, ANNA, wrapped),
        ({}, ANNA, wrapped),
        (keys, ANNA, b""),
        (keys, ANNA, wrapped[:10]),
        ({1: keys[1], 2: keys[1]}, ANNA, b"\x00\x03" + wrapped[2:]),
    ):
        with pytest.raises(VaultError):
            unwrap(vault, person, box)


def test_without_the_persons_key_nothing_is_left_of_the_person() -> None:
    keys, key = {1: new_key()}, new_key()
    box = encrypt(key, b"identity" + ANNA, IDENTITY)
    with pytest.raises(VaultError):
        decrypt(keys[1], b"identity" + ANNA, box)
