"""Sealing, signing and key files."""

import hmac
import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from shared.journal.crypto import (
    CannotOpen,
    KeyFileUnusable,
    key_id,
    load_keys,
    make_key,
    open_sealed,
    public_half,
    seal,
    sign,
    verify,
)

SIGNER = os.urandom(32)
RECEIVER = os.urandom(32)


def rfc9180_open(private: bytes, info: bytes, aad: bytes, sealed: bytes, aead: int, key_length: int) -> bytes:
    """HPKE base mode with X25519 and HKDF-SHA256, written down from RFC 9180 §4-5: an independent second opinion."""

    def extract(salt: bytes, suite: bytes, label: bytes, key: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + key, "sha256")

    def expand(key: bytes, suite: bytes, label: bytes, context: bytes, length: int) -> bytes:
        text = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
        return hmac.digest(key, text + b"\x01", "sha256")[:length]

    enc, ciphertext = sealed[:32], sealed[32:]
    ours = X25519PrivateKey.from_private_bytes(private)
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01" + aead.to_bytes(2, "big")
    shared = ours.exchange(X25519PublicKey.from_public_bytes(enc))
    context = enc + ours.public_key().public_bytes_raw()
    secret = expand(extract(b"", kem, b"eae_prk", shared), kem, b"shared_secret", context, 32)
    schedule = b"\x00" + extract(b"", suite, b"psk_id_hash", b"") + extract(b"", suite, b"info_hash", info)
    secret = extract(secret, suite, b"secret", b"")
    key = expand(secret, suite, b"key", schedule, key_length)
    return AESGCM(key).decrypt(expand(secret, suite, b"base_nonce", schedule, 12), ciphertext, aad)


def test_the_second_opinion_opens_the_vector_of_rfc_9180_a_1_1() -> None:
    h = bytes.fromhex
    plain = rfc9180_open(
        h("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"),
        h("4f6465206f6e2061204772656369616e2055726e"),
        h("436f756e742d30"),
        h("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431")
        + h("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"),
        aead=1,
        key_length=16,
    )
    assert plain == h("4265617574792069732074727574682c20747275746820626561757479")


@given(st.binary(max_size=300), st.binary(max_size=100))
def test_what_we_seal_opens_by_rfc_9180_with_aes_256(plain: bytes, info: bytes) -> None:
    public = public_half("receiving", RECEIVER)
    assert public is not None
    sealed = seal(public, info, plain)
    assert len(sealed) == len(plain) + 48
    assert rfc9180_open(RECEIVER, info, b"", sealed, aead=2, key_length=32) == plain
    assert open_sealed(RECEIVER, info, sealed) == plain


@pytest.mark.parametrize("what", ["key", "info", "first byte", "last byte", "too short", "empty"])
def test_sealed_bytes_do_not_open_with_a_wrong(what: str) -> None:
    public = public_half("receiving", RECEIVER)
    assert public is not None
    private, info, sealed = RECEIVER, b"info", bytearray(seal(public, b"info", b"plain"))
    if what == "key":
        private = os.urandom(32)
    elif what == "info":
        info = b"Info"
    elif what == "too short":
        sealed = sealed[:40]
    elif what == "empty":
        sealed = bytearray()
    else:
        sealed[0 if what == "first byte" else -1] ^= 1
    with pytest.raises(CannotOpen):
        open_sealed(private, info, bytes(sealed))


def test_a_signature_holds_for_its_key_context_and_message_only() -> None:
    public = public_half("signing", SIGNER)
    other = public_half("signing", os.urandom(32))
    assert public is not None
    assert other is not None
    signature = sign(SIGNER, b"polku-segment-1", b"message")
    assert verify(public, signature, b"polku-segment-1", b"message")
    assert not verify(other, signature, b"polku-segment-1", b"message")
    assert not verify(public, signature, b"polku-receipt-1", b"message")
    assert not verify(public, signature, b"polku-segment-1", b"Message")
    assert not verify(public, signature[:-1], b"polku-segment-1", b"message")
    assert not verify(b"short", signature, b"polku-segment-1", b"message")


def test_key_id_is_half_of_the_digest_of_the_public_key() -> None:
    assert key_id(b"k" * 32) == sha256(b"k" * 32).hexdigest()[:32]


def test_a_key_is_written_as_hex_readable_by_its_owner_only(tmp_path: Path) -> None:
    key = make_key(tmp_path / "keys", "signing")
    path = tmp_path / "keys" / "signing-1"
    assert path.read_bytes() == key.secret().hex().encode() + b"\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (tmp_path / "keys" / "signing-1.pub").read_bytes() == (key.public or b"").hex().encode() + b"\n"
    assert key.secret().hex() not in repr(key)


def test_rotation_makes_the_next_number_and_keeps_the_old_key(tmp_path: Path) -> None:
    old, new = make_key(tmp_path, "receiving"), make_key(tmp_path, "receiving")
    other = make_key(tmp_path, "signing")
    keys = load_keys(tmp_path)
    assert keys.newest("receiving") == new
    assert keys.newest("signing") == other
    assert keys.privates("receiving") == {old.id: old.private, new.id: new.private}
    assert keys.publics("signing") == {other.id: other.public}
    assert new.number == 2


def test_ten_keys_are_ordered_by_number_not_by_name(tmp_path: Path) -> None:
    made = [make_key(tmp_path, "bus") for _ in range(10)]
    assert load_keys(tmp_path).newest("bus") == made[-1]


def test_a_symmetric_key_has_no_public_half(tmp_path: Path) -> None:
    make_key(tmp_path, "vault")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vault-1"]
    assert load_keys(tmp_path).newest("vault").public is None


def test_a_public_half_alone_still_verifies_but_does_not_sign(tmp_path: Path) -> None:
    old = make_key(tmp_path, "signing")
    (tmp_path / "signing-1").unlink()
    keys = load_keys(tmp_path)
    assert keys.publics("signing") == {old.id: old.public}
    with pytest.raises(KeyFileUnusable):
        keys.newest("signing").secret()


def test_a_missing_public_half_is_computed(tmp_path: Path) -> None:
    key = make_key(tmp_path, "signing")
    (tmp_path / "signing-1.pub").unlink()
    assert load_keys(tmp_path).newest("signing") == key


@pytest.mark.parametrize("content", [b"", b"zz", b"0" * 63, b"0" * 64 + b"\n\n", b"0" * 70])
def test_a_damaged_key_file_is_named_without_its_content(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "signing-1").write_bytes(content)
    with pytest.raises(KeyFileUnusable, match="key file signing-1: not 64 hex digits"):
        load_keys(tmp_path)


def test_a_public_half_of_another_key_is_refused(tmp_path: Path) -> None:
    make_key(tmp_path, "signing")
    make_key(tmp_path, "signing")
    (tmp_path / "signing-1.pub").write_bytes((tmp_path / "signing-2.pub").read_bytes())
    with pytest.raises(KeyFileUnusable, match=r"signing-1\.pub"):
        load_keys(tmp_path)


def test_a_part_file_left_by_a_crash_is_replaced_and_foreign_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "signing-1.part").write_bytes(b"half")
    (tmp_path / "notes.txt").write_bytes(b"mine")
    key = make_key(tmp_path, "signing")
    assert load_keys(tmp_path).all == (key,)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "signing-1", "signing-1.pub"]


def test_asking_for_a_key_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnusable, match="tag-N"):
        load_keys(tmp_path).newest("tag")
