"""A carrier moves segments and statements between a node and its lead; this one is a folder.

`Carrier` is all that `sending` and `receiving` know of any transport. A carrier promises nothing: it may lose,
repeat, delay, reorder or change what it carries. It must not hand out half a file, and what a node wrote before a
manifest must be visible to whoever sees that manifest (else the node repeats itself, which costs and never harms).

    DIR/NODE/PROGRAMME/EEEE-FFFFFFFFFFFF-LLLLLLLLLLLL.seg    epoch, first and last line, zero-padded decimal
    DIR/NODE/PROGRAMME/manifest
    DIR/NODE/PROGRAMME/receipt
    DIR/NODE/PROGRAMME/join

The node writes segments, the manifest and its answer to an invite (`join`, see `joining`), and deletes segments; the
lead writes the receipt. Neither replaces or deletes a file of the other, so both may work at the same time without a
lock, also from two machines.

The folder may be a stick or a share that others can write to, so nothing in it is trusted: symbolic links (also in
place of a directory), pipes and foreign names are passed over, and never more is read than asked for.
"""

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.journal.durable import write_at
from shared.journal.segment import STREAM
from shared.journal.statements import MAX_STATEMENT

_SEGMENT = re.compile(r"([0-9]{4})-([0-9]{12})-([0-9]{12})\.seg")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a segment lies: what its name says about it, which is a hint and no truth."""

    epoch: int
    first: int
    last: int

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.epoch:04}-{self.first:012}-{self.last:012}.seg"


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A segment that lies there now. `version` differs whenever the bytes may differ; `size` is in bytes."""

    place: Place
    size: int
    version: str


class Carrier(Protocol):
    """What a transport does. Every method may raise OSError: the round is then given up and tried again."""

    def list_segments(self, stream: str) -> list[Found]:
        """The segments that lie there, by epoch and first line. (both)"""

    def read_segment(self, stream: str, place: Place, limit: int) -> bytes | None:
        """Its bytes, at most `limit` of them; None if it is gone. (lead)"""

    def write_segment(self, stream: str, place: Place, data: bytes) -> None:
        """Create or replace a segment, durably. (node)"""

    def delete_segment(self, stream: str, place: Place) -> None:
        """Delete a segment if it is there. (node)"""

    def read_manifest(self, stream: str) -> bytes | None:
        """The newest manifest, at most a byte over its limit; None if there is none. (lead)"""

    def write_manifest(self, stream: str, data: bytes) -> None:
        """Replace the manifest, durably. (node)"""

    def read_receipt(self, stream: str) -> bytes | None:
        """The newest receipt, at most a byte over its limit; None if there is none. (node)"""

    def write_receipt(self, stream: str, data: bytes) -> None:
        """Replace the receipt, durably. (lead)"""


class FileCarrier:
    """The folder `root`; it is made when something is written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list_segments(self, stream: str) -> list[Found]:
        found = []
        with self._directory(stream) as directory:
            if directory is None:
                return []
            for entry in os.scandir(directory):
                match = _SEGMENT.fullmatch(entry.name)
                if not match or not entry.is_file(follow_symlinks=False):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    info = entry.stat(follow_symlinks=False)
                    place = Place(*(int(part) for part in match.groups()))
                    found.append(Found(place, info.st_size, f"{info.st_mtime_ns}-{info.st_ino}"))
        return sorted(found)

    def read_segment(self, stream: str, place: Place, limit: int) -> bytes | None:
        return self._read(stream, place.name, limit)

    def write_segment(self, stream: str, place: Place, data: bytes) -> None:
        self._write(stream, place.name, data)

    def delete_segment(self, stream: str, place: Place) -> None:
        with self._directory(stream) as directory:
            if directory is not None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(place.name, dir_fd=directory)

    def read_manifest(self, stream: str) -> bytes | None:
        return self._read(stream, "manifest", MAX_STATEMENT + 1)

    def write_manifest(self, stream: str, data: bytes) -> None:
        self._write(stream, "manifest", data)

    def read_receipt(self, stream: str) -> bytes | None:
        return self._read(stream, "receipt", MAX_STATEMENT + 1)

    def write_receipt(self, stream: str, data: bytes) -> None:
        self._write(stream, "receipt", data)

    def write_join(self, stream: str, data: bytes) -> None:
        """Put the node's answer to an invite there."""
        self._write(stream, "join", data)

    def read_joins(self, limit: int) -> list[bytes]:
        """All answers to invites that lie there, of whoever wrote them; one over `limit` bytes is cut."""
        streams = (f"{path.parent.parent.name}/{path.parent.name}" for path in sorted(self.root.glob("*/*/join")))
        found = (self._read(stream, "join", limit + 1) for stream in streams if STREAM.fullmatch(stream))
        return [data for data in found if data is not None]

    @contextmanager
    def _directory(self, stream: str, create: bool = False) -> Iterator[int | None]:
        """The stream's directory as a descriptor, links below the root not followed; None if it is not there."""
        if not STREAM.fullmatch(stream):
            raise ValueError("not a stream's name")
        with contextlib.ExitStack() as opened:
            if create:
                self.root.mkdir(parents=True, exist_ok=True)
            try:
                directory = os.open(self.root, _DIRECTORY)
                opened.callback(os.close, directory)
                for name in stream.split("/"):
                    if create:
                        with contextlib.suppress(FileExistsError):
                            os.mkdir(name, dir_fd=directory)
                            os.fsync(directory)
                    directory = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
                    opened.callback(os.close, directory)
            except OSError as error:
                # ENOTDIR: a file or a link stands in the directory's place, which is as good as nothing to read.
                if create or not isinstance(error, FileNotFoundError | NotADirectoryError):
                    raise
                yield None
                return
            yield directory

    def _read(self, stream: str, name: str, limit: int) -> bytes | None:
        with self._directory(stream) as directory:
            if directory is None:
                return None
            try:
                # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                descriptor = os.open(name, flags, dir_fd=directory)
            except OSError as error:
                if isinstance(error, FileNotFoundError) or _is_link(name, directory):
                    return None
                raise
            with open(descriptor, "rb") as file:
                return file.read(limit) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None

    def _write(self, stream: str, name: str, data: bytes) -> None:
        with self._directory(stream, create=True) as directory:
            assert directory is not None
            write_at(directory, name, data, 0o644)


def _is_link(name: str, directory: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return True
