"""How a lead's portal wakes its receiver where each is a process of its own (full footing): a byte on a socket file.

The file lies in the inbox, the one place that both can write to. It holds nothing and may be lost: the receiver looks
every two seconds anyway. In the embedded footing the home wakes its child by a pipe instead (`children`).
"""

import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from shared.ops.settings import Home

FILE = ".wake"


@contextmanager
def _at(home: Home) -> Iterator[str]:
    # A socket's path may be 107 bytes long; a directory's descriptor makes any path short.
    home.inbox.mkdir(exist_ok=True)
    directory = os.open(home.inbox, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{FILE}"
    finally:
        os.close(directory)


class Bell:
    """The receiver's end; it takes the place of one that an earlier process has left. Where the file system has no
    sockets nobody can ring: the receiver looks by itself."""

    def __init__(self, home: Home) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with contextlib.suppress(OSError), _at(home) as path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            self._socket.bind(path)

    def fileno(self) -> int:
        """What becomes readable when somebody has rung."""
        return self._socket.fileno()

    def hush(self) -> None:
        """Forget who has rung so far: before looking, so that whoever rings meanwhile is heard again."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(1)

    def close(self) -> None:
        """Listen no longer."""
        self._socket.close()


def ring(home: Home) -> None:
    """Have the receiver look; if none listens, it looks by itself."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as caller, _at(home) as path:
        caller.setblocking(False)
        caller.sendto(b"x", path)
