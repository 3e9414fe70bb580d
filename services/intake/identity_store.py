"""Changing who somebody is, in the vault, and what was made of it."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, update

from services.intake.store import tagged, vault
from shared.storage.vault import encrypt, unwrap


def set_identity(connection: Connection, vault_keys: Mapping[int, bytes], row: Any, identity: dict[str, Any]) -> None:
    """Store another identity of the person of `row` (`store.locked_participation`)."""
    key = unwrap(vault_keys, row.person, row.wrapped_key)
    box = encrypt(key, b"identity" + row.person, json.dumps(identity, ensure_ascii=False).encode())
    this = (vault.c.person == row.person) & (vault.c.name == "identity")
    connection.execute(update(vault).where(this).values(box=box))


def forget_tagged(connection: Connection, subject: bytes) -> None:
    """What the person's tag is made of has changed: they are to be tagged anew."""
    connection.execute(delete(tagged).where(tagged.c.subject == subject))
