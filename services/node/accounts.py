"""The portal's users from the command line: whoever can write the home may do this."""

from collections.abc import Sequence
from typing import Any

from services.node.opening import open_database
from services.portal import users
from services.portal.passwords import Hasher
from shared.ops.clock import utcnow
from shared.ops.settings import Home


def add(home: Home, name: str, roles: Sequence[str]) -> str:
    """Make a user; the one-time password."""
    return users.add_user(open_database(home), name, roles, utcnow(), Hasher(), home_role=home.role)


def listing(home: Home) -> list[dict[str, Any]]:
    """The users, without anything secret."""
    return [
        {"name": user.name, "roles": sorted(user.roles), "must_change": user.must_change}
        for user in users.list_users(open_database(home))
    ]


def reset(home: Home, name: str) -> str:
    """A new one-time password."""
    return users.reset_user(open_database(home), name, utcnow(), Hasher())


def remove(home: Home, name: str) -> None:
    """Remove a user and end their sessions."""
    users.remove_user(open_database(home), name)


def case_workers(home: Home) -> frozenset[str]:
    """The names of the users who work with people."""
    return users.case_workers(open_database(home))
