"""The portal's tables and the only SQL on them. Times are whole seconds since 1970, UTC.

A session's token is a secret of its browser: only its SHA-256 is kept. A login attempt is kept under the SHA-256 of
the typed name, because people type passwords into the wrong field.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Integer,
    Row,
    String,
    Table,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from shared.storage import metadata

NAME = re.compile(r"[a-zåäö0-9][a-zåäö0-9._@-]{0,63}")
"""A user's name."""

user_table = Table(
    "portal_user",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("roles", String(200), nullable=False),  # sorted, with commas
    Column("password_hash", String(200), nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("password_set_at", BigInteger, nullable=False),
    Column("last_login_at", BigInteger),
)

session_table = Table(
    "portal_session",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("user_name", ForeignKey("portal_user.name", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

attempt_table = Table(
    "portal_attempt",
    metadata,
    Column("key", String(80), primary_key=True),  # account:<SHA-256> or address:<address>
    Column("failures", Integer, nullable=False),
    Column("open_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)

TABLES = (user_table, session_table, attempt_table)


@dataclass(frozen=True)
class User:
    """A user of this home's portal."""

    name: str
    roles: frozenset[str]
    must_change: bool
    """Whether the password is a one-time one."""
    created_at: datetime
    password_set_at: datetime
    last_login_at: datetime | None


@dataclass(frozen=True)
class Session:
    """A browser that is logged in."""

    user: User
    token_sha256: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class Attempts:
    """How often something failed lately, and from when on it may try again (seconds since 1970)."""

    failures: int
    open_at: int
    last_at: int


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _user(row: Row[Any]) -> User:
    return User(
        name=row.name,
        roles=frozenset(row.roles.split(",")),
        must_change=row.must_change,
        created_at=_moment(row.created_at),
        password_set_at=_moment(row.password_set_at),
        last_login_at=None if row.last_login_at is None else _moment(row.last_login_at),
    )


def add_user(c: Connection, name: str, roles: Sequence[str], password_hash: str, now: datetime) -> None:
    """Insert a user whose password is a one-time one."""
    c.execute(
        insert(user_table).values(
            name=name,
            roles=",".join(sorted(roles)),
            password_hash=password_hash,
            must_change=True,
            created_at=_seconds(now),
            password_set_at=_seconds(now),
        )
    )


def find_user(c: Connection, name: str) -> tuple[User, str] | None:
    """A user with the password's hash; what can be nobody's name is not looked for (PostgreSQL takes no NUL)."""
    if not NAME.fullmatch(name):
        return None
    row = c.execute(select(user_table).where(user_table.c.name == name)).first()
    return None if row is None else (_user(row), row.password_hash)


def list_users(c: Connection) -> list[User]:
    """All users by name."""
    return [_user(row) for row in c.execute(select(user_table).order_by(user_table.c.name))]


def set_password(
    c: Connection, name: str, new_hash: str, now: datetime, *, must_change: bool, old_hash: str | None = None
) -> bool:
    """Replace the password; with `old_hash` only if it is still that one. False if there was nothing to replace."""
    where = [user_table.c.name == name]
    if old_hash is not None:
        where.append(user_table.c.password_hash == old_hash)
    values = {"password_hash": new_hash, "must_change": must_change, "password_set_at": _seconds(now)}
    return c.execute(update(user_table).where(*where).values(values)).rowcount == 1


def mark_login(c: Connection, name: str, checked_hash: str, kept_hash: str, now: datetime) -> bool:
    """Note a login; False if the password is no longer the one that was checked."""
    where = (user_table.c.name == name, user_table.c.password_hash == checked_hash)
    values = {"last_login_at": _seconds(now), "password_hash": kept_hash}
    return c.execute(update(user_table).where(*where).values(values)).rowcount == 1


def remove_user(c: Connection, name: str) -> bool:
    """Delete a user; False if there was none."""
    return c.execute(delete(user_table).where(user_table.c.name == name)).rowcount == 1


def add_session(c: Connection, token_sha256: str, user_name: str, now: datetime) -> None:
    """Insert a new session."""
    at = _seconds(now)
    c.execute(insert(session_table).values(token_sha256=token_sha256, user_name=user_name, created_at=at, seen_at=at))


def find_session(c: Connection, token_sha256: str) -> Session | None:
    """A session with its user as it is now: a role taken away holds at once."""
    found = c.execute(
        select(
            user_table,
            session_table.c.created_at.label("session_created_at"),
            session_table.c.seen_at,
        )
        .join(session_table, session_table.c.user_name == user_table.c.name)
        .where(session_table.c.token_sha256 == token_sha256)
    ).first()
    if found is None:
        return None
    return Session(_user(found), token_sha256, _moment(found.session_created_at), _moment(found.seen_at))


def mark_seen(c: Connection, token_sha256: str, now: datetime) -> None:
    """Note that a session is in use."""
    c.execute(update(session_table).where(session_table.c.token_sha256 == token_sha256).values(seen_at=_seconds(now)))


def remove_session(c: Connection, token_sha256: str) -> None:
    """Delete one session."""
    c.execute(delete(session_table).where(session_table.c.token_sha256 == token_sha256))


def remove_sessions_of(c: Connection, user_name: str) -> None:
    """Delete every session of a user."""
    c.execute(delete(session_table).where(session_table.c.user_name == user_name))


def remove_sessions_before(c: Connection, created: datetime, seen: datetime) -> None:
    """Delete the sessions begun before `created` or last used before `seen`."""
    c.execute(
        delete(session_table).where(
            or_(session_table.c.created_at < _seconds(created), session_table.c.seen_at < _seconds(seen))
        )
    )


def lock_attempts(c: Connection, key: str) -> Attempts:
    """The row of `key`, made if absent, locked until the transaction ends: two guesses at once count as two."""
    make = postgresql.insert if c.dialect.name == "postgresql" else sqlite.insert
    c.execute(make(attempt_table).values(key=key, failures=0, open_at=0, last_at=0).on_conflict_do_nothing())
    row = c.execute(select(attempt_table).where(attempt_table.c.key == key).with_for_update()).one()
    return Attempts(row.failures, row.open_at, row.last_at)


def put_attempts(c: Connection, key: str, attempts: Attempts) -> None:
    """Replace a row that `lock_attempts` gave."""
    values = {"failures": attempts.failures, "open_at": attempts.open_at, "last_at": attempts.last_at}
    c.execute(update(attempt_table).where(attempt_table.c.key == key).values(values))


def remove_attempts_before(c: Connection, moment: datetime) -> None:
    """Forget what failed before `moment`."""
    c.execute(delete(attempt_table).where(attempt_table.c.last_at < _seconds(moment)))
