"""Idempotency keys: what was done under a key is known by it, with a digest of its content."""

import contextlib
import os
from hashlib import sha256

import pytest
from sqlalchemy import Engine, func, select

from services.activities.store import keys
from shared.contracts.errors import Overtaken
from shared.storage import snapshot, transaction
from shared.storage.once import Done, already_done, remember

KEY, OTHER = "ab" * 32, "cd" * 32


def _done(content: bytes, made: bytes = b"\x01" * 16) -> Done:
    return Done(sha256(content).digest(), made)


def test_the_same_key_answers_with_what_it_made_and_tells_other_content_by_its_digest(engine: Engine) -> None:
    with transaction(engine) as connection:
        assert already_done(connection, keys, [KEY, OTHER]) == {}
        remember(connection, keys, {KEY: _done(b"kaapeli")})
    with snapshot(engine) as connection:
        known = already_done(connection, keys, [KEY, OTHER, KEY])
    assert known == {KEY: _done(b"kaapeli")}
    assert known[KEY].digest != _done(b"leiri").digest


def test_a_key_is_never_given_another_meaning(engine: Engine) -> None:
    with transaction(engine) as connection:
        remember(connection, keys, {KEY: _done(b"kaapeli")})
    with pytest.raises(Overtaken), transaction(engine) as connection:
        remember(connection, keys, {OTHER: _done(b"x"), KEY: _done(b"leiri", b"\x02" * 16)})
    with snapshot(engine) as connection:
        assert already_done(connection, keys, [KEY, OTHER]) == {KEY: _done(b"kaapeli")}


def test_what_is_rolled_back_was_not_done(engine: Engine) -> None:
    with contextlib.suppress(ZeroDivisionError), transaction(engine) as connection:
        remember(connection, keys, {KEY: _done(b"kaapeli")})
        raise ZeroDivisionError
    with snapshot(engine) as connection:
        assert already_done(connection, keys, [KEY]) == {}


def test_five_hundred_keys_at_once(engine: Engine) -> None:
    many = {os.urandom(32).hex(): _done(str(n).encode(), n.to_bytes(16, "big")) for n in range(500)}
    with transaction(engine) as connection:
        remember(connection, keys, many)
        remember(connection, keys, {})
        assert already_done(connection, keys, many) == many
        assert connection.execute(select(func.count()).select_from(keys)).scalar_one() == 500
