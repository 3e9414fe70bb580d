"""The recovery passphrase: whoever has it can read a home's backups; the home itself cannot.

The passphrase (160 random bits, in groups of four) is shown once and kept nowhere. An X25519 key is derived from it by
scrypt; its public half and the salt lie in ``HOME/keys/recovery``. Backups are sealed to the public half, so a nightly
backup needs no secret, and only the passphrase opens them.
"""

import json
import secrets
from dataclasses import asdict, dataclass
from hashlib import scrypt
from pathlib import Path

from shared.contracts.errors import InvalidBackup
from shared.journal.crypto import public_half
from shared.journal.durable import write_file

FILE = "recovery"
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 8, 4
_N, _R, _P = 2**15, 8, 1
_MOST = 2**18
"""What an n in a file may be at most: it says how much memory we use (128·n·r bytes)."""


@dataclass(frozen=True, slots=True)
class RecoveryKey:
    """The public half, and what scrypt needs to find the private one from the passphrase. Bytes as hex."""

    public: str
    salt: str
    n: int = _N
    r: int = _R
    p: int = _P

    def to_json(self) -> str:
        """As kept in the home and in a backup's header."""
        return json.dumps(asdict(self))

    def private(self, passphrase: str) -> bytes:
        """The private half; raises `InvalidBackup` if the passphrase is another."""
        derived = _derive(passphrase, bytes.fromhex(self.salt), self.n, self.r, self.p)
        if public_half("receiving", derived) != bytes.fromhex(self.public):
            raise InvalidBackup(reason="the recovery passphrase is not the one it was made for")
        return derived


def read_recovery_key(text: str | bytes) -> RecoveryKey:
    """The inverse of `RecoveryKey.to_json`; raises `InvalidBackup`."""
    try:
        key = RecoveryKey(**json.loads(text))
        lengths = len(bytes.fromhex(key.public)), len(bytes.fromhex(key.salt))
        fits = lengths == (32, 16) and 1 < key.n <= _MOST and not key.n & (key.n - 1) and (key.r, key.p) == (_R, _P)
    except (ValueError, TypeError, RecursionError):
        fits = False
    if not fits:
        raise InvalidBackup(reason="it does not say how its key is derived; it was changed or is of another release")
    return key


def new_recovery_key() -> tuple[RecoveryKey, str]:
    """A new key and its passphrase."""
    letters = [secrets.choice(_LETTERS) for _ in range(_GROUPS * _GROUP)]
    passphrase = "-".join("".join(letters[i : i + _GROUP]) for i in range(0, len(letters), _GROUP))
    salt = secrets.token_bytes(16)
    public = public_half("receiving", _derive(passphrase, salt, _N, _R, _P))
    assert public is not None
    return RecoveryKey(public.hex(), salt.hex()), passphrase


def recovery_key(keys: Path, *, renew: bool = False) -> tuple[RecoveryKey, str | None]:
    """The home's recovery key; with its passphrase if it was made just now, because there was none or by `renew`."""
    file = keys / FILE
    if file.exists() and not renew:
        return read_recovery_key(file.read_bytes()), None
    key, passphrase = new_recovery_key()
    write_file(file, key.to_json().encode() + b"\n", 0o600)
    return key, passphrase


def _derive(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    plain = "".join(passphrase.split()).replace("-", "").lower()
    return scrypt(plain.encode(), salt=salt, n=n, r=r, p=p, dklen=32, maxmem=256 * n * r)
