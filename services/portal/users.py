"""Use cases on users: who may log in to this home's portal. The command line calls these; a new home has nobody."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Engine

from services.portal import store
from services.portal.context import HomeRole
from services.portal.errors import UnknownUser, UserExists
from services.portal.passwords import Hasher, one_time_password
from services.portal.store import User
from shared.contracts.errors import InvalidInput
from shared.storage import snapshot, transaction

ROLES: dict[HomeRole, tuple[str, ...]] = {
    "node": ("case_worker", "coordinator", "auditor"),
    "lead": ("reporter", "operator", "auditor"),
}
"""The roles of a home's users, by the home's role (architecture §7)."""
WORKING = ("case_worker", "coordinator")
"""Who sees people; auditors are none."""
TEAM = 10
"""So many who work with people see each other's, as a team; every look is in the audit log (architecture §7)."""


def add_user(
    engine: Engine, name: str, roles: Collection[str], now: datetime, hasher: Hasher, *, home_role: HomeRole
) -> str:
    """Make a user; returns the one-time password, which is kept nowhere.

    Raises `InvalidInput` (name, role) and `UserExists`. Hashes, so call it outside a transaction.
    """
    if not store.NAME.fullmatch(name):
        raise InvalidInput(field="name", reason="1 to 64 small letters, digits or . _ @ -, not beginning with a sign")
    if not roles:
        raise InvalidInput(field="role", reason=f"give at least one of {', '.join(ROLES[home_role])}")
    for role in sorted(roles):
        if role not in ROLES[home_role]:
            known = ", ".join(ROLES[home_role])
            raise InvalidInput(field="role", reason=f"a {home_role} home has the roles {known}, not {role[:40]!r}")
    password = one_time_password()
    encoded = hasher.hash(password)
    with transaction(engine) as c:
        if store.find_user(c, name):
            raise UserExists(name=name)
        store.add_user(c, name, sorted(set(roles)), encoded, now)
    return password


def list_users(engine: Engine) -> list[User]:
    """All users by name; no hash is in them."""
    with snapshot(engine) as c:
        return store.list_users(c)


def case_workers(engine: Engine) -> frozenset[str]:
    """The names of a node's users who work with people: they may have people of their own."""
    return frozenset(user.name for user in list_users(engine) if not user.roles.isdisjoint(WORKING))


def each_sees_their_own(engine: Engine, user: User) -> bool:
    """Whether this user sees their own people alone: in a node of more than `TEAM` who work with people, everybody but
    its coordinators (decision 0222)."""
    return "coordinator" not in user.roles and len(case_workers(engine)) > TEAM


def reset_user(engine: Engine, name: str, now: datetime, hasher: Hasher) -> str:
    """Give a user a new one-time password and end their sessions; raises `UnknownUser`."""
    _check_name(name)
    password = one_time_password()
    encoded = hasher.hash(password)
    with transaction(engine) as c:
        if not store.set_password(c, name, encoded, now, must_change=True):
            raise UnknownUser(name=name)
        store.remove_sessions_of(c, name)
    return password


def remove_user(engine: Engine, name: str) -> None:
    """Remove a user and their sessions; raises `UnknownUser`."""
    _check_name(name)
    with transaction(engine) as c:
        store.remove_sessions_of(c, name)
        if not store.remove_user(c, name):
            raise UnknownUser(name=name)


def _check_name(name: str) -> None:
    if not store.NAME.fullmatch(name):
        raise UnknownUser(name=name)
