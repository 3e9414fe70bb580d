"""A public key as six words that two people can read to each other: ``kalo-tuve-hame-noki-pilu-sota``.

The words are of our own making: two syllables, each one of 11 consonants and one of 6 vowels, so that they can be said
in Finnish, Swedish and English. 64 syllables are 6 bits, a word 12, six words the first 72 bits of the SHA-256 of the
raw key; its id in headers and statements (`crypto.key_id`) is the first 128 bits of the same. Making a key with
somebody else's six words takes about 2^72 keys.
"""

import re
from hashlib import sha256

CONSONANTS, VOWELS = "hjklmnprstv", "aeiouy"
SYLLABLES = tuple(c + v for c in CONSONANTS for v in VOWELS if c + v not in ("ji", "vu"))
"""64 of them; "ji" and "vu" are left out because they are hard to hear."""

WORDS = 6
_SPOKEN = re.compile(r"[a-z]{4}(?:-[a-z]{4}){5}")


def fingerprint(public: bytes) -> str:
    """The six words of a raw public key, with hyphens."""
    bits = int.from_bytes(sha256(public).digest()[:9])
    syllables = [SYLLABLES[bits >> 6 * place & 63] for place in reversed(range(2 * WORDS))]
    return "-".join(first + second for first, second in zip(syllables[::2], syllables[1::2], strict=True))


def read_fingerprint(typed: str) -> str | None:
    """Six words as `fingerprint` writes them, from what somebody typed: any case, hyphens or spaces; None if they are
    not such words."""
    words = "-".join(typed.lower().replace("-", " ").split())
    if not _SPOKEN.fullmatch(words):
        return None
    known = all(word[:2] in SYLLABLES and word[2:] in SYLLABLES for word in words.split("-"))
    return words if known else None
