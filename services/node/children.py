"""Processes that belong together: a parent's end ends its children, whatever ended the parent.

A child is started with ``--child`` and a pipe as its standard input. A byte on it wakes the child; its end, which comes
also when the parent is killed, ends the child. Nothing else is needed: no process groups, no signals, no files. The
other way, a byte on the child's standard output asks the parent to look (`tell_parent`).
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

# Not `os.write`: eventlet's waits until the pipe can be written, refuses a second greenlet that waits for the same pipe
# (after its commit), and waits for ever once the child is gone.
from posix import write


class Child:
    """A `polku` process of this home or another, which ends when we do. `heard`: somebody reads what it tells us."""

    def __init__(self, home: Path, *command: str, heard: bool = False) -> None:
        self._heard = heard
        self._arguments = [sys.executable, "-m", "services.node", "--home", str(home), *command, "--child"]
        self.start()

    def start(self) -> None:
        """Start the process; also again, after it has ended."""
        self.process = subprocess.Popen(
            self._arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if self._heard else subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        self._pipe = self.process.stdin.fileno()
        os.set_blocking(self._pipe, False)
        if self.process.stdout is not None:
            os.set_blocking(self.process.stdout.fileno(), False)

    def wake(self) -> None:
        """Have the child look; if its pipe is full it has been woken often enough."""
        try:
            write(self._pipe, b"\n")
        except (BlockingIOError, BrokenPipeError, OSError):
            return  # full: it will look anyway; gone: whoever watches it says so

    @property
    def output(self) -> int:
        """Where what the process tells us can be read, without blocking; a new one after every start."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def ended(self) -> int | None:
        """The exit code, or None while it runs."""
        return self.process.poll()

    def end(self, seconds: float = 10) -> None:
        """Close its input and wait for it; what does not end by itself is killed."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def tell_parent() -> None:
    """In a child: have the parent look; if nobody reads, that is no trouble of ours."""
    with contextlib.suppress(OSError):
        os.set_blocking(1, False)
        os.write(1, b"\n")
