"""Servers that a test run starts for itself, shares with its child processes, and ends.

The address of a running server stands in an environment variable, so that pytest processes started by this one use the
same server; only the process that started it ends it.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest


class CannotRun(Exception):
    """A server's programs are not installed, or it did not come up."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_program(name: str, *places: str) -> str:
    """The path of program `name`, looked for in PATH and `places` (globs; the last match wins). Raises `CannotRun`."""
    found = shutil.which(name)
    for place in places:
        found = max((str(path) for path in Path("/").glob(f"{place.lstrip('/')}/{name}")), default=found)
    if found is None:
        raise CannotRun(f"{name} is not installed")
    return found


def spawn(command: Sequence[str], *, log: Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a server in its own process group; it dies with this process, also after `kill -9` of it."""
    with log.open("ab") as out:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=env,
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes], first: signal.Signals, seconds: float) -> None:
    """Ask with signal `first`, wait up to `seconds`, then kill the process group."""
    if process.poll() is None:
        process.send_signal(first)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def give_up(reason: CannotRun) -> None:
    """Fail where a missing server would hide a fault (CI), skip on a laptop."""
    if os.environ.get("CI"):
        pytest.fail(str(reason), pytrace=False)
    pytest.skip(str(reason))
