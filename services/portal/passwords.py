"""Passwords: which are accepted, how they are kept, how one-time passwords are made.

Rules (OWASP ASVS 5.0.0, 6.2): at least 12 characters, none of the trivial ones, not the user's own name; nothing is
asked about kinds of characters. Kept as argon2id with 19 MiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet).
"""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 12
MAX_LENGTH = 256

_TRIVIAL_WORDS = """
    password password1 passw0rd letmein welcome welcome1 iloveyou administrator changeme qwerty qwertyuiop asdfghjkl
    zxcvbnm qazwsx qazwsxedc salasana salasana1 salainen tervetuloa tervetuloa1 minäolenminä rakastansinua suomi
    jääkiekko kissakoira kesä talvi perkele saatana lösenord lösenord1 välkommen välkommen1 hemligt sommar vinter
    sverige finland polku polkupolku hanke osallistuja päätoteuttaja admin abc abcd abcdef abcdefghijkl abcdefghijklm
    test testi testtest kissa koira
"""
_TRIVIAL = frozenset(_TRIVIAL_WORDS.split())

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread when copied from a screen by hand


def normalised(password: str) -> str:
    """One byte form for what looks the same: keyboards differ in how they compose ä."""
    return unicodedata.normalize("NFC", password)


def weakness(password: str, user_name: str) -> str | None:
    """Why `password` is not accepted, as a key of the words table; None if it is."""
    password = normalised(password)
    if len(password) < MIN_LENGTH:
        return "password_short"
    if len(password) > MAX_LENGTH:
        return "password_long"
    plain = password.casefold()
    core = plain.strip("0123456789!?.,-_ *#")
    if len(set(plain)) < 5 or core == "" or any(_says_only(word, core) for word in _TRIVIAL):
        return "password_trivial"
    if _says_only(user_name.casefold(), plain) or _says_only(user_name.casefold(), core):
        return "password_is_name"
    return None


def _says_only(word: str, text: str) -> bool:
    """Whether text is the word, once or several times, like ``salasanasalasana``."""
    return text != "" and text == word * (len(text) // len(word))


def one_time_password() -> str:
    """A random password to be changed at first login: 20 characters, 99 bits, in groups that can be read aloud."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


class Hasher:
    """argon2id. About 20 ms and 19 MiB each time: call it through `PortalContext.blocking`, outside transactions."""

    def __init__(self, *, memory_kib: int = 19 * 1024, passes: int = 2) -> None:
        self._argon2 = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self.nobody = self.hash(secrets.token_hex(16))
        """Verified instead when there is no such user, so that the answer takes as long."""

    def hash(self, password: str) -> str:
        """The encoded hash, with its own salt and parameters."""
        return self._argon2.hash(normalised(password))

    def verify(self, encoded: str, password: str) -> bool:
        """Whether `password` is the one that was hashed."""
        try:
            return self._argon2.verify(encoded, normalised(password))
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, encoded: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(encoded)
