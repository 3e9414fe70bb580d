"""Columns encrypted with a key per person, so that erasing the key erases the person (architecture §7).

AES-256-GCM throughout. A person's key is random and stored only wrapped by the home's vault key; what it encrypts is
bound to the person and to the place it stands in, so a ciphertext moved elsewhere does not open.
"""

import os
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class VaultError(Exception):
    """A wrapped key or ciphertext does not open: wrong key, wrong place or changed bytes."""


def new_key() -> bytes:
    """A fresh key of 32 random bytes."""
    return os.urandom(32)


def encrypt(key: bytes, place: bytes, plain: bytes) -> bytes:
    """Nonce ‖ ciphertext of `plain`, bound to `place`."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, b"polku-vault-1" + place)


def decrypt(key: bytes, place: bytes, box: bytes) -> bytes:
    """The inverse of `encrypt`; raises `VaultError`."""
    try:
        return AESGCM(key).decrypt(box[:_NONCE], box[_NONCE:], b"polku-vault-1" + place)
    except Exception as error:
        raise VaultError(type(error).__name__) from None


def wrap(vault_keys: Mapping[int, bytes], person: bytes, key: bytes) -> bytes:
    """A person's key under the newest vault key: its number (2 bytes, big-endian) ‖ box."""
    number = max(vault_keys)
    return number.to_bytes(2, "big") + encrypt(vault_keys[number], b"key" + person, key)


def unwrap(vault_keys: Mapping[int, bytes], person: bytes, wrapped: bytes) -> bytes:
    """The inverse of `wrap`; raises `VaultError`, also when the vault key is not there."""
    vault_key = vault_keys.get(int.from_bytes(wrapped[:2], "big"))
    if vault_key is None:
        raise VaultError("no such vault key")
    return decrypt(vault_key, b"key" + person, wrapped[2:])
