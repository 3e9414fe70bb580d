"""A private PostgreSQL per test run, a database per test.

It listens on loopback only and trusts whoever connects: fit for tests, for nothing else. It is small and writes without
fsync; for what is measured, POLKU_TEST_POSTGRES_SETTINGS ("name=value name=value") stands in place of that. As root it
runs as the user postgres, because it refuses root.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from shared.testing.private import CannotRun, end, find_program, free_port, give_up, spawn
from shared.testing.wait import until

if TYPE_CHECKING:
    import psycopg

VARIABLE = "POLKU_TEST_POSTGRES"
SETTINGS = "POLKU_TEST_POSTGRES_SETTINGS"
SMALL = "fsync=off full_page_writes=off shared_buffers=32MB max_connections=200 autovacuum=off"
PLACES = "/usr/lib/postgresql/*/bin"
START_SECONDS = 60
ATTEMPTS = 3


class PrivatePostgres:
    """The server's process and directory, ended by the process that started them."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="polku-postgres-"))
        self.process: subprocess.Popen[bytes] | None = None
        self._command: list[str] = []

    def start(self) -> int:
        """Start; return the port. Raises `CannotRun`."""
        data, port = self.folder / "data", free_port()
        as_user = []
        if os.geteuid() == 0:
            try:
                user = pwd.getpwnam("postgres")
            except KeyError:
                raise CannotRun("PostgreSQL refuses root, and there is no user postgres") from None
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
        initdb = [find_program("initdb", PLACES), "-D", str(data), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"]
        made = subprocess.run([*as_user, *initdb, "--locale=C.UTF-8"], capture_output=True, cwd=self.folder)
        if made.returncode:
            raise CannotRun(f"initdb: {made.stderr.decode(errors='replace')[-300:]}")
        settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        settings += os.environ.get(SETTINGS, SMALL).split()
        flags = [part for setting in settings for part in ("-c", setting)]
        # --pdeathsig must come after the change of user, which clears it: so setpriv is called twice, inner one last.
        self._command = [find_program("postgres", PLACES), "-D", str(data), *flags]
        if as_user:
            self._command = [*as_user, "setpriv", "--pdeathsig", "KILL", "--", *self._command]
        self._run(port)
        return port

    def _run(self, port: int) -> None:
        self.process = spawn(self._command, log=self.folder / "server.log")
        ready = [find_program("pg_isready", PLACES), "-h", "127.0.0.1", "-p", str(port), "-q"]
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run(ready).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = self.folder / "server.log"
                raise CannotRun(f"it did not come up: {log.read_text(errors='replace')[-300:]}")
            time.sleep(0.05)

    def crash(self, port: int) -> None:
        """Kill all its processes and start it again on the same port, with what was committed."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)  # so that it starts no more of them
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()  # each in a process group of its own
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        end(self.process, signal.SIGKILL, 10)
        until(lambda: not any(map(_lives, children)))  # while one has the shared memory, no other server starts
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

        def is_up() -> bool:
            try:
                self._run(port)
            except CannotRun:  # a client that tries to come back may hold the port for a moment
                return False
            return True

        until(is_up, START_SECONDS)

    def end(self) -> None:
        """End it and remove its directory."""
        if self.process is not None:
            end(self.process, signal.SIGQUIT, 5)  # at once, its children too
        shutil.rmtree(self.folder, ignore_errors=True)


def _lives(pid: str) -> bool:
    """Whether a process has memory: it is not gone, nor dead and waiting to be asked for its exit code."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


_own: PrivatePostgres | None = None
_servers: "dict[int, psycopg.Connection[Any]]" = {}


def shared_postgres() -> int:
    """The port of the test run's PostgreSQL, started at the first call. Raises `CannotRun`."""
    global _own
    if VARIABLE in os.environ:
        return int(os.environ[VARIABLE])
    for attempt in range(1, ATTEMPTS + 1):
        running = PrivatePostgres()
        try:
            port = running.start()
        except CannotRun as error:
            running.end()
            if attempt == ATTEMPTS or "not installed" in str(error):
                raise CannotRun(f"PostgreSQL: {error}") from error
            continue
        _own = running
        os.environ[VARIABLE] = str(port)
        return port
    raise AssertionError("unreachable")


def end_postgres() -> None:
    """End the server if this process started it."""
    global _own
    if _own is not None:
        _own.end()
        _own = None
        os.environ.pop(VARIABLE, None)


def _server(port: int) -> "psycopg.Connection[Any]":
    """One connection that stays: tests make and drop hundreds of databases."""
    import psycopg  # here, because green processes must set PSYCOPG_WAIT_FUNC before psycopg is imported

    with contextlib.suppress(KeyError, psycopg.OperationalError):  # the server may have been started anew
        _servers[port].execute("SELECT 1")
        return _servers[port]
    _servers[port] = psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", autocommit=True)
    return _servers[port]


@pytest.fixture(scope="session")
def postgres() -> int:
    """The port of the private PostgreSQL on 127.0.0.1; user postgres, no password."""
    try:
        return shared_postgres()
    except CannotRun as error:
        give_up(error)
        raise


def new_database(port: int, template: str = "") -> str:
    """``postgresql+psycopg://…`` of a new database, empty or a copy of the one that is called `template`."""
    name, server = f"t{uuid.uuid4().hex[:12]}", _server(port)
    # Since release 15 PostgreSQL writes a copy into its log too, which takes three times as long, if it may choose.
    how = " STRATEGY FILE_COPY" if server.info.server_version >= 150_000 else ""
    server.execute(f"CREATE DATABASE {name}{f' TEMPLATE {template}{how}' if template else ''}".encode())
    return f"postgresql+psycopg://postgres@127.0.0.1:{port}/{name}"


def new_owned_database(port: int) -> str:
    """The same as a data centre gives it: owned by a role that may make roles and is no superuser, NAME_owner."""
    url = new_database(port)
    name = url.rpartition("/")[2]
    _server(port).execute(f"CREATE ROLE {name}_owner LOGIN CREATEROLE".encode())
    _server(port).execute(f"ALTER DATABASE {name} OWNER TO {name}_owner".encode())
    return url.replace("postgres@", f"{name}_owner@")


def drop_database(port: int, url: str) -> None:
    """Drop it, whoever is still connected."""
    _server(port).execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)".encode())


@pytest.fixture
def postgres_url(postgres: int) -> Iterator[str]:
    """The URL of an empty database that only this test uses."""
    url = new_database(postgres)
    yield url
    drop_database(postgres, url)
