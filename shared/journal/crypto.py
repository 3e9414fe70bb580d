"""Keys, signatures and sealing: the only place that calls the cryptography library for the journal.

**Sealing** is HPKE (RFC 9180) in base mode with X25519, HKDF-SHA256 and AES-256-GCM: anybody who has the public key
can seal, only the private key opens, and only with the same `info`. It says nothing about who sealed: that is what a
**signature** (Ed25519) is for. Every signature covers a context string first ("polku-segment-1", …), so that bytes
signed for one purpose are never valid for another.

**Key files** lie in ``HOME/keys`` (0700): ``NAME-N`` holds the 32 private bytes as 64 hex digits and a line feed,
mode 0600; ``NAME-N.pub`` the public half in the same form. ``signing`` is Ed25519, ``receiving`` and ``bus`` are
X25519, ``vault``, ``index`` and ``tag`` are symmetric and have no public half. N begins at 1 and grows by rotation:
the newest is used to sign and seal, older ones stay to verify and open what was made before.

A key is named elsewhere by its **id**: the first 32 hex digits of SHA-256 of the raw public key.
"""

import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from shared.journal.durable import write_file

SEGMENT_CONTEXT = b"polku-segment-1"
RECEIPT_CONTEXT = b"polku-receipt-1"
MANIFEST_CONTEXT = b"polku-manifest-1"

SEAL_OVERHEAD = 48
"""Bytes that sealing adds: 32 of the ephemeral public key, 16 of the tag."""

SIGNING, AGREEING, SYMMETRIC = ("signing",), ("receiving", "bus"), ("vault", "index", "tag")

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
KEY_FILE = re.compile(r"([a-z]{1,20})-([1-9][0-9]{0,5})(\.pub)?")
"""The names of key files."""
_CONTENT = re.compile(rb"([0-9a-f]{64})\n?")


class CannotOpen(ValueError):
    """Sealed bytes do not open: wrong key, wrong info, or changed bytes; which of them cannot be known."""

    def __init__(self) -> None:
        super().__init__("the sealed bytes do not open with this key and info")


class KeyFileUnusable(ValueError):
    """A file in the key directory is not what its name says. Neither name nor reason holds key material."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"key file {name}: {reason}")


def seal(public: bytes, info: bytes, plain: bytes) -> bytes:
    """`plain` sealed to the raw X25519 `public` key (32 bytes): 48 bytes longer, different every time."""
    return _SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(public), info)


def open_sealed(private: bytes, info: bytes, sealed: bytes) -> bytes:
    """The plain bytes, if `sealed` was made for this raw private key with this `info`; else `CannotOpen`."""
    key = X25519PrivateKey.from_private_bytes(private)
    try:
        return _SUITE.decrypt(sealed, key, info)
    except (InvalidTag, ValueError):
        raise CannotOpen from None


def can_seal_to(public: bytes) -> bool:
    """Whether `seal` can use this raw X25519 key: with a few of low order nobody can agree on anything. Ask before
    somebody else's key is believed."""
    try:
        X25519PrivateKey.from_private_bytes(b"\x01" * 32).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return False
    return True


def sign(private: bytes, context: bytes, message: bytes) -> bytes:
    """The 64-byte Ed25519 signature over `context` ‖ `message` with a raw private key (32 bytes)."""
    return Ed25519PrivateKey.from_private_bytes(private).sign(context + message)


def verify(public: bytes, signature: bytes, context: bytes, message: bytes) -> bool:
    """Whether `signature` is that of `context` ‖ `message` by the raw Ed25519 `public` key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, context + message)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(public: bytes) -> str:
    """What a key is called in headers and statements: 32 hex digits."""
    return sha256(public).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Key:
    """Key `name`-`number`. `private` is None where only the public half is kept, `public` for symmetric keys."""

    name: str
    number: int
    private: bytes | None = field(repr=False)
    public: bytes | None

    @property
    def id(self) -> str:
        """The key's id; ValueError for a symmetric key, which has none."""
        if self.public is None:
            raise ValueError(f"{self.name}-{self.number} has no public half")
        return key_id(self.public)

    def secret(self) -> bytes:
        """The private bytes; `KeyFileUnusable` if only the public half is there."""
        if self.private is None:
            raise KeyFileUnusable(f"{self.name}-{self.number}", "the private half is missing")
        return self.private


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys of a directory, oldest first."""

    all: tuple[Key, ...]

    def newest(self, name: str) -> Key:
        """The key of this name with the highest number; `KeyFileUnusable` if there is none."""
        found = [key for key in self.all if key.name == name]
        if not found:
            raise KeyFileUnusable(f"{name}-N", "there is none")
        return max(found, key=lambda key: key.number)

    def pair(self) -> tuple[bytes, bytes]:
        """The public halves of the newest signing and receiving key: what the home is known by."""
        signing, receiving = self.newest("signing").public, self.newest("receiving").public
        assert signing is not None
        assert receiving is not None
        return signing, receiving

    def publics(self, name: str) -> Mapping[str, bytes]:
        """Public halves by key id, old ones too: what verifies."""
        return {key.id: key.public for key in self.all if key.name == name and key.public is not None}

    def privates(self, name: str) -> Mapping[str, bytes]:
        """Private halves by key id, old ones too: what opens."""
        return {key.id: key.private for key in self.all if key.name == name and key.private is not None}


def public_half(name: str, private: bytes) -> bytes | None:
    """The raw public key that belongs to `private` of a key called `name`; None for symmetric keys."""
    if name in SIGNING:
        return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    if name in AGREEING:
        return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    if name in SYMMETRIC:
        return None
    raise KeyFileUnusable(name, "no such kind of key")


def make_key(directory: Path, name: str, private: bytes | None = None) -> Key:
    """Make the next key of this name (or take `private` for it) and write its files; none is ever replaced.

    The private half is written first: a crash in between leaves a complete key whose public half is computed.
    """
    private = private or os.urandom(32)
    public = public_half(name, private)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = max(_numbers(directory, name), default=0) + 1
    write_file(directory / f"{name}-{number}", private.hex().encode() + b"\n", 0o600)
    if public is not None:
        write_file(directory / f"{name}-{number}.pub", public.hex().encode() + b"\n", 0o644)
    return Key(name, number, private, public)


def keep_key(directory: Path, name: str, secret: bytes) -> Key:
    """The symmetric key `secret` of this name, which somebody else has made; written unless it is there."""
    for number in _numbers(directory, name):
        if hmac.compare_digest(read_secret(directory, name, number), secret):
            return Key(name, number, secret, None)
    return make_key(directory, name, secret)


def read_secret(directory: Path, name: str, number: int) -> bytes:
    """The private bytes of one key; `KeyFileUnusable` if it is damaged, OSError if it is not there."""
    return _read(directory / f"{name}-{number}")


def _numbers(directory: Path, name: str) -> list[int]:
    found = (KEY_FILE.fullmatch(path.name) for path in directory.iterdir())
    return sorted({int(match[2]) for match in found if match and match[1] == name})


def load_keys(directory: Path) -> Keys:
    """Every key of the directory. Other files are left alone; a damaged key file raises `KeyFileUnusable`."""
    privates: dict[tuple[str, int], bytes] = {}
    publics: dict[tuple[str, int], bytes] = {}
    for path in sorted(directory.iterdir()):
        match = KEY_FILE.fullmatch(path.name)
        if match and match[1] in SIGNING + AGREEING + SYMMETRIC:
            (publics if match[3] else privates)[match[1], int(match[2])] = _read(path)
    keys = []
    for name, number in sorted({*privates, *publics}):
        private, public = privates.get((name, number)), publics.get((name, number))
        if private is not None:
            computed = public_half(name, private)
            if public is not None and public != computed:
                raise KeyFileUnusable(f"{name}-{number}.pub", "not the public half of this key")
            public = computed
        keys.append(Key(name, number, private, public))
    return Keys(tuple(keys))


_loaded: dict[Path, tuple[int, Keys]] = {}


def current_keys(directory: Path) -> Keys:
    """As `load_keys`, but read again only when a file has come or gone: a process that runs sees a rotation."""
    changed = directory.stat().st_mtime_ns
    known = _loaded.get(directory)
    if known is None or known[0] != changed:
        known = _loaded[directory] = changed, load_keys(directory)
    return known[1]


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        match = _CONTENT.fullmatch(file.read(100))
    if not match:
        raise KeyFileUnusable(path.name, "not 64 hex digits")
    return bytes.fromhex(match[1].decode())
