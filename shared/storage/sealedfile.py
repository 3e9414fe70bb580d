"""A file of any size, encrypted in pieces with a key of its own; memory stays bounded, every change is found.

    magic ‖ length of header (4 bytes, big-endian) ‖ header ‖ pieces

The header is whatever says how to get the key. A **piece** is AES-256-GCM of 64 KiB of content, the last one of 0 to
64 KiB; its nonce is its number (11 bytes, big-endian, from 0) and a byte that is 1 for the last piece; magic and header
are its associated data. So a piece that is changed, missing, doubled, moved or cut off, and anything after the last
one, does not decrypt. A key must never be used for two files.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PIECE = 64 * 1024
MAX_HEADER = 4096
_TAG = 16


class NotASealedFile(ValueError):
    """The file does not begin as one of these."""


class FileChanged(ValueError):
    """A piece does not decrypt: the file was changed, is not complete, or the key is another's."""


class SealedWriter:
    """Writes `header` at once and what is given to `write` in pieces; without `close` the file is not complete."""

    def __init__(self, file: BinaryIO, magic: bytes, header: bytes, key: bytes) -> None:
        self._file, self._cipher, self._number = file, AESGCM(key), 0
        self._bound, self._waiting = _bound(magic, header), bytearray()
        file.write(magic + len(header).to_bytes(4, "big") + header)

    def write(self, content: bytes) -> int:
        """Add content; how much it was."""
        self._waiting += content
        while len(self._waiting) > PIECE:  # one piece is always kept back: it may be the last
            self._put(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return len(content)

    def close(self) -> None:
        """Write the last piece. The file itself stays open."""
        self._put(bytes(self._waiting), last=True)

    def _put(self, piece: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), piece, self._bound))
        self._number += 1


def read_header(file: BinaryIO, magic: bytes) -> bytes:
    """The header; the file then stands at its first piece. Raises `NotASealedFile` or `FileChanged`."""
    start = file.read(len(magic) + 4)
    if not start.startswith(magic):
        raise NotASealedFile
    length = int.from_bytes(start[len(magic) :], "big")
    header = file.read(min(length, MAX_HEADER))
    if not header or len(header) != length:
        raise FileChanged
    return header


def read_pieces(file: BinaryIO, magic: bytes, header: bytes, key: bytes) -> Iterator[bytes]:
    """The content, piece by piece; raises `FileChanged` at the first that does not decrypt."""
    cipher, bound, number = AESGCM(key), _bound(magic, header), 0
    sealed = file.read(PIECE + _TAG)
    while True:
        following = file.read(PIECE + _TAG)
        try:
            yield cipher.decrypt(_nonce(number, not following), sealed, bound)
        except (InvalidTag, ValueError):
            raise FileChanged from None
        if not following:
            return
        sealed, number = following, number + 1


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _bound(magic: bytes, header: bytes) -> bytes:
    return sha256(magic + header).digest()
