"""Tables of a participant's rights, and the statements on them and on what they change."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, LargeBinary, String, Table, delete, insert, select, update

from services.intake.store import participation, person, tagged, vault
from shared.storage import metadata
from shared.storage.restricting import restricted
from shared.storage.vault import decrypt, encrypt, unwrap

correction = Table(
    "intake_correction",
    metadata,
    Column("correction", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False, index=True),
    Column("person", LargeBinary, ForeignKey("intake_person.person", ondelete="CASCADE"), nullable=False),
    Column("programme", String(40), nullable=False),
    Column("corrected_at", String(32), nullable=False),
    Column("changed", String(400), nullable=False),
    Column("box", LargeBinary, nullable=False),
)
"""What was corrected: the members, parted by spaces; what each was and is, encrypted with the person's key."""


def set_identity(connection: Connection, vault_keys: Mapping[int, bytes], row: Any, identity: dict[str, Any]) -> None:
    """Store another identity of the person of `locked_participation`'s row."""
    key = unwrap(vault_keys, row.person, row.wrapped_key)
    box = encrypt(key, b"identity" + row.person, json.dumps(identity, ensure_ascii=False).encode())
    this = (vault.c.person == row.person) & (vault.c.name == "identity")
    connection.execute(update(vault).where(this).values(box=box))


def set_record(connection: Connection, subject: bytes, started_on: date | None, record: dict[str, Any]) -> None:
    """Store another start record."""
    this = participation.c.subject == subject
    connection.execute(update(participation).where(this).values(started_on=started_on, record=json.dumps(record)))


def add_correction(
    connection: Connection, vault_keys: Mapping[int, bytes], number: str, row: Any, at: str, change: dict[str, Any]
) -> None:
    """Keep what was corrected of the person of `locked_participation`'s row: by member, [before, after]."""
    raw = bytes.fromhex(number)
    key = unwrap(vault_keys, row.person, row.wrapped_key)
    box = encrypt(key, b"correction" + raw + row.person, json.dumps(change, ensure_ascii=False).encode())
    ids = {"correction": raw, "subject": row.subject, "person": row.person, "programme": row.programme}
    connection.execute(insert(correction), ids | {"corrected_at": at, "changed": " ".join(sorted(change)), "box": box})


def corrections_of(connection: Connection, vault_keys: Mapping[int, bytes], subject: bytes) -> list[dict[str, Any]]:
    """The person's corrections in clear, the first first; whoever calls this has logged the read."""
    query = (
        select(correction, person.c.wrapped_key)
        .join(person, person.c.person == correction.c.person)
        .where(correction.c.subject == subject)
        .order_by(correction.c.corrected_at, correction.c.correction)
    )
    found = []
    for row in connection.execute(query):
        key = unwrap(vault_keys, row.person, row.wrapped_key)
        changed = json.loads(decrypt(key, b"correction" + row.correction + row.person, row.box))
        found.append({"corrected_at": row.corrected_at, "changed": changed})
    return found


def tag_again(connection: Connection, subject: bytes) -> None:
    """What the person's tag is made of has changed."""
    connection.execute(delete(tagged).where(tagged.c.subject == subject))


def restriction_of(connection: Connection, subject: bytes) -> Any | None:
    """The person's restriction, or None."""
    return connection.execute(select(restricted).where(restricted.c.subject == subject)).one_or_none()
