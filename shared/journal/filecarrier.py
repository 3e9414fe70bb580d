"""A folder as a carrier (see `carrier`): `DIR/CHANNEL/ITEM`.

Both ends may work at the same time without a lock, also from two machines, because neither replaces or deletes a file
of the other. The folder may be a stick or a share that others can write to, so nothing in it is trusted: symbolic
links (also in place of a directory), whatever else is no file, and foreign names are passed over, and never more is
read than asked for. A file that cannot be read is an error of its channel and of no other.
"""

import contextlib
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.journal.carrier import CHANNEL, JOIN, Found, place_named, refused_total
from shared.journal.durable import write_at

log = logging.getLogger(__name__)

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class FileCarrier:
    """The folder `root`; it is made when something is written, if what it lies in is there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list_segments(self, channel: str) -> list[Found]:
        found = []
        with self._directory(channel) as directory:
            if directory is None:
                return []
            with os.scandir(directory) as entries:
                for entry in entries:
                    place = place_named(entry.name)
                    if place is None or not entry.is_file(follow_symlinks=False):
                        continue
                    with contextlib.suppress(FileNotFoundError):
                        info = entry.stat(follow_symlinks=False)
                        found.append(Found(place, info.st_size, f"{info.st_mtime_ns}-{info.st_ino}"))
        return sorted(found)

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        with self._directory(channel) as directory:
            if directory is None or not _is_file(name, directory):
                return None
            try:
                # Without O_NONBLOCK, opening a pipe that took the file's place would wait for ever.
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                descriptor = os.open(name, flags, dir_fd=directory)
            except FileNotFoundError:
                return None
            try:
                with open(descriptor, "rb", closefd=False) as file:
                    return file.read(limit) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
            finally:
                os.close(descriptor)  # not by `open`, which leaves a directory's descriptor open when it refuses it

    def write(self, channel: str, name: str, data: bytes) -> None:
        with self._directory(channel, create=True) as directory:
            assert directory is not None
            write_at(directory, name, data, 0o644)

    def delete(self, channel: str, name: str) -> None:
        with self._directory(channel) as directory:
            if directory is not None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=directory)

    def decided(self, channel: str, found: Found) -> None:
        """It lies there until its writer takes it away."""

    def read_joins(self, limit: int) -> list[bytes]:
        """All answers to invites that lie there, of whoever wrote them; one over `limit` bytes is cut. One that cannot
        be read is counted and holds up no other."""
        found = []
        for channel in (f"{node}/{name}" for node in _names(self.root) for name in _names(self.root / node)):
            if CHANNEL.fullmatch(channel):
                try:
                    found.append(self.read(channel, JOIN, limit + 1))
                except OSError as error:
                    refused_total.labels("unreadable").inc()
                    why = {"channel": channel, "error": type(error).__name__}
                    log.error("an answer to an invite was not read", extra=why)
        return [data for data in found if data is not None]

    @contextmanager
    def _directory(self, channel: str, create: bool = False) -> Iterator[int | None]:
        """The channel's directory as a descriptor, links below the root not followed; None if it is not there."""
        if not CHANNEL.fullmatch(channel):
            raise ValueError("not a channel's name")
        with contextlib.ExitStack() as opened:
            if create:
                self.root.mkdir(exist_ok=True)  # not what it lies in: a home or a stick that is gone is not made up
            try:
                directory = os.open(self.root, _DIRECTORY)
                opened.callback(os.close, directory)
                for name in channel.split("/"):
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


def _names(folder: Path) -> list[str]:
    """What lies there. What is no folder holds nothing; of one that cannot be read its channels say so."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _is_file(name: str, directory: int) -> bool:
    """Whether it is one: opening anything else may wait, fail, or do something. What else is there is counted."""
    try:
        is_file = stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False
    if not is_file:
        refused_total.labels("no_file").inc()
    return is_file
