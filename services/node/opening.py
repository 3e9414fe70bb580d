"""Making and opening a home: directory, keys, database; who works in it holds its lock."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError, ProgrammingError

from shared.contracts.errors import HomeInUse, HomeUnusable, InvalidInput
from shared.journal.crypto import make_key
from shared.journal.unit import last_position, prepare
from shared.ops.settings import DEFAULT_PORTS, LOOPBACK, Home, Role
from shared.storage import open_engine, snapshot
from shared.storage.migrate import migrate

KEYS: dict[Role, tuple[str, ...]] = {
    "lead": ("signing", "receiving"),
    "node": ("signing", "receiving", "vault", "index", "bus"),
}
NOT_ALLOWED = "42501"
"""PostgreSQL's code for a statement that the role has no right to."""


def init_home(path: Path, role: Role, name: str = "", port: int | None = None, host: str = LOOPBACK) -> Home:
    """Make a new home at `path`, which must not be one yet. A node's name is `name` and 8 random hex digits.

    Whatever was half done by an earlier attempt that died is completed: keys and database come before home.toml.
    """
    path = path.absolute()
    if (path / "home.toml").exists():
        raise HomeUnusable(home=str(path), reason="it is a home already")
    if path.exists() and not path.is_dir():
        raise HomeUnusable(home=str(path), reason="it is not a directory")
    if role == "lead" and name:
        raise InvalidInput(field="name", reason="a lead has no name of its own")
    if role == "node" and not (1 <= len(name) <= 24 and not name.strip("abcdefghijklmnopqrstuvwxyz0123456789-")):
        raise InvalidInput(field="name", reason="a node's name is a-z, 0-9 and -, 1 to 24 characters")
    full = "lead" if role == "lead" else f"{name}-{secrets.token_hex(4)}"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    home = Home(path, role, full, port or DEFAULT_PORTS[role], host)
    for key in KEYS[role]:
        if not list(home.keys.glob(f"{key}-[0-9]*")):
            make_key(home.keys, key)
    if role == "lead":
        home.inbox.mkdir(exist_ok=True)
    open_database(home, new=True).dispose()
    home.save()
    return home


def open_database(home: Home, *, new: bool = False) -> Engine:
    """The home's database, migrated to this release and with its journal's lock row.

    A file that is gone is not made anew, but with `new`: with the same keys it would begin another history.
    """
    try:
        engine = open_engine(home.database_url)
    except ArgumentError:
        raise HomeUnusable(home=str(home.path), reason="POLKU_DATABASE_URL (database): no such kind of URL") from None
    if engine.dialect.name == "sqlite" and not new and not Path(str(engine.url.database)).exists():
        raise HomeUnusable(home=str(home.path), reason="its database file is gone; bring it back from a backup")
    try:
        migrate(engine, prepare)
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != NOT_ALLOWED:
            raise
        reason = (
            "its database is of an older release, and this role may not change it; run `polku migrate` as its owner"
        )
        raise HomeUnusable(home=str(home.path), reason=reason) from None
    if engine.dialect.name == "sqlite":
        os.chmod(Path(str(engine.url.database)), 0o600)
    return engine


def recorded_to(home: Home) -> int:
    """The position of the last line of the home's journal."""
    with snapshot(open_database(home)) as connection:
        return last_position(connection)


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Around what opens `port`: if it cannot be had, the error names it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), f"port {port}") from None


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Hold the home's lock; raises `HomeInUse` if somebody else does. The lock goes with the process."""
    with home.lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeInUse() from None
        yield
