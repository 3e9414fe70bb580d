"""Writing a file so that a reader sees all of it or nothing, also after a power cut.

``NAME.part``, fsync, rename, fsync of the directory. A `.part` left by a crash is replaced by the next attempt;
nobody reads one.
"""

import contextlib
import os
from pathlib import Path

PART = ".part"


def write_at(directory: int, name: str, data: bytes, mode: int) -> None:
    """Create or replace `name` in the directory open as descriptor `directory`; symbolic links are replaced."""
    part = name + PART
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part, dir_fd=directory)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(part, flags, mode, dir_fd=directory)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    os.rename(part, name, src_dir_fd=directory, dst_dir_fd=directory)
    os.fsync(directory)


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """As `write_at`, by path; the directory must exist."""
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        write_at(directory, path.name, data, mode)
    finally:
        os.close(directory)
