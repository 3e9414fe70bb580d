"""How often may be guessed: a delay that doubles, per account and per address, kept in the database.

An attempt is counted *before* the password is looked at and taken back when it was right, so that guesses made at
the same moment do not slip through together. An account that does not exist is counted like one that does.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from services.portal import store
from services.portal.errors import TooManyAttempts
from services.portal.store import Attempts
from shared.storage import transaction

FREE_PER_ACCOUNT = 5
FREE_PER_ADDRESS = 20  # an office shares one address
FIRST_DELAY = 4
LONGEST_DELAY = 15 * 60
FORGOTTEN_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class Guess:
    """Who tries, as the two keys that are counted."""

    account: str
    address: str

    @classmethod
    def of(cls, name: str, address: str) -> "Guess":
        """The keys for a typed name (kept as SHA-256 only) and a network address."""
        digest = hashlib.sha256(name.encode()).hexdigest()
        return cls(f"account:{digest}", f"address:{address[:64]}")


def delay(failures: int, free: int) -> int:
    """Seconds to wait after so many failures, of which `free` are without delay."""
    if failures < free:
        return 0
    return min(LONGEST_DELAY, FIRST_DELAY << min(failures - free, 20))


def count_attempt(engine: Engine, guess: Guess, now: datetime) -> None:
    """Count an attempt as failed for now; raises `TooManyAttempts` if it may not be made yet."""
    with transaction(engine) as c:
        # The address first: one that has to wait must not fill the table with made-up accounts.
        for key, free in ((guess.address, FREE_PER_ADDRESS), (guess.account, FREE_PER_ACCOUNT)):
            found = store.lock_attempts(c, key)
            at = int(now.timestamp())
            if found.open_at > at:
                raise TooManyAttempts(seconds=found.open_at - at)
            old = 0 if at - found.last_at > FORGOTTEN_AFTER.total_seconds() else found.failures
            store.put_attempts(c, key, Attempts(old + 1, at + delay(old + 1, free), at))


def take_back(engine: Engine, guess: Guess, now: datetime) -> None:
    """The password was right: forget the account's failures, and of the address's only this one."""
    with transaction(engine) as c:
        address = store.lock_attempts(c, guess.address)
        store.put_attempts(c, guess.address, Attempts(max(0, address.failures - 1), 0, address.last_at))
        store.put_attempts(c, guess.account, Attempts(0, 0, 0))
        store.remove_attempts_before(c, now - FORGOTTEN_AFTER)
