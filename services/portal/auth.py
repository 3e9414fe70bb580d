"""Logging in and out, and the sessions of browsers.

A session is known by a random token in a cookie; the database holds its SHA-256. It ends after 30 minutes without a
request and after 12 hours in any case. Every login and every change of the password makes a new token.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from services.portal import attempts, store
from services.portal.context import PortalContext
from services.portal.errors import LoginRefused, PasswordRefused
from services.portal.passwords import normalised, weakness
from services.portal.store import Session
from shared.storage import snapshot, transaction

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
SEEN_STEP = timedelta(minutes=1)
"""How exactly the last request is noted: not every request is worth a write."""
ONE_TIME_VALID = timedelta(days=14)
"""A one-time password nobody used by then must be made anew."""


@dataclass(frozen=True)
class Credentials:
    """What somebody typed and from where; never logged."""

    name: str
    password: str
    address: str

    def __repr__(self) -> str:
        return "Credentials(…)"


def new_token() -> str:
    """A token: 256 random bits."""
    return secrets.token_urlsafe(32)


def token_sha256(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def form_token(token: str) -> str:
    """The synchroniser token of the forms of a browser: derived from its cookie, so nothing else has to be kept."""
    return hmac.new(token.encode(), b"polku-form-1", hashlib.sha256).hexdigest()


def find_session(engine: Engine, token: str, now: datetime) -> Session | None:
    """The live session of a token; notes that it is in use."""
    with snapshot(engine) as c:
        session = store.find_session(c, token_sha256(token))
    if session is None or now - session.created_at >= ABSOLUTE or now - session.seen_at >= IDLE:
        return None
    if now - session.seen_at >= SEEN_STEP:
        with transaction(engine) as c:
            store.mark_seen(c, session.token_sha256, now)
    return session


def log_in(context: PortalContext, typed: Credentials, old_token: str) -> str:
    """Check name and password and begin a session; returns its token.

    Raises `TooManyAttempts`, or `LoginRefused` without telling whether there is such a user. The session of
    `old_token`, if any, ends.
    """
    now, engine, hasher = context.now(), context.engine, context.hasher
    guess = attempts.Guess.of(typed.name, typed.address)
    attempts.count_attempt(engine, guess, now)
    with snapshot(engine) as c:
        found = store.find_user(c, typed.name)
    checked = found[1] if found else hasher.nobody
    right = context.blocking(lambda: hasher.verify(checked, typed.password))
    if not found or not right:
        raise LoginRefused
    user = found[0]
    if user.must_change and now - user.password_set_at > ONE_TIME_VALID:
        raise LoginRefused
    kept = context.blocking(lambda: hasher.hash(typed.password)) if hasher.outdated(checked) else checked
    token = new_token()
    with transaction(engine) as c:
        if not store.mark_login(c, user.name, checked, kept, now):
            raise LoginRefused  # removed or reset while we were computing
        store.remove_sessions_before(c, created=now - ABSOLUTE, seen=now - IDLE)
        store.remove_session(c, token_sha256(old_token))
        store.add_session(c, token_sha256(token), user.name, now)
    attempts.take_back(engine, guess, now)
    return token


def log_out(engine: Engine, token: str) -> None:
    """End the session of a token."""
    with transaction(engine) as c:
        store.remove_session(c, token_sha256(token))


def change_password(context: PortalContext, session: Session, typed: Credentials, new: str, again: str) -> str:
    """Replace the password of the session's user; ends all their sessions and begins one; returns its token.

    Raises `LoginRefused` (the present password is wrong), `TooManyAttempts` and `PasswordRefused`, whose reason is a
    key of the words table.
    """
    now, engine, hasher, name = context.now(), context.engine, context.hasher, session.user.name
    reason = weakness(new, name)
    if reason is None and normalised(new) != normalised(again):
        reason = "password_differs"
    if reason is None and normalised(new) == normalised(typed.password):
        reason = "password_same"
    if reason is not None:
        raise PasswordRefused(reason=reason)
    guess = attempts.Guess.of(name, typed.address)
    attempts.count_attempt(engine, guess, now)
    with snapshot(engine) as c:
        found = store.find_user(c, name)
    checked = found[1] if found else hasher.nobody
    if not context.blocking(lambda: hasher.verify(checked, typed.password)):
        raise LoginRefused
    encoded = context.blocking(lambda: hasher.hash(new))
    token = new_token()
    with transaction(engine) as c:
        if not store.set_password(c, name, encoded, now, must_change=False, old_hash=checked):
            raise LoginRefused
        store.remove_sessions_of(c, name)
        store.add_session(c, token_sha256(token), name, now)
    attempts.take_back(engine, guess, now)
    return token
