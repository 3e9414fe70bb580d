"""The statements of start records that are completed or corrected, and of tries to get a form; one table of its own."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Column, Connection, Date, LargeBinary, String, Table, delete, insert, select, update

from services.intake.domain import Arrival
from services.intake.store import participation, tagged, vault
from shared.storage import metadata
from shared.storage.vault import encrypt, unwrap

attempt = Table(
    "intake_attempt",
    metadata,
    Column("attempt", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False, index=True),
    Column("programme", String(40), nullable=False),
    Column("record", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("occurred_on", Date, nullable=False),
)
"""Tries to get a start or exit form from somebody, in vain: why there is none."""


def put_start(connection: Connection, vault_keys: Mapping[int, bytes], row: Any, arrival: Arrival) -> None:
    """Store the start record of a participation `row` (`store.locked_participation`), and the identity with it."""
    key = unwrap(vault_keys, row.person, row.wrapped_key)
    identity = json.dumps(arrival.identity, ensure_ascii=False).encode()
    this = (vault.c.person == row.person) & (vault.c.name == "identity")
    connection.execute(update(vault).where(this).values(box=encrypt(key, b"identity" + row.person, identity)))
    values = {
        "standing": arrival.standing,
        "started_on": arrival.start_date,
        "record": json.dumps(arrival.record | {"age": arrival.age}),
    }
    connection.execute(update(participation).where(participation.c.subject == row.subject).values(values))


def forget_tagged(connection: Connection, subject: bytes) -> None:
    """What the person's tag is made of has changed: they are to be looked at again."""
    connection.execute(delete(tagged).where(tagged.c.subject == subject))


def add_attempts(connection: Connection, programme: str, made: Sequence[tuple[str, str, str, str, date]]) -> None:
    """Add tries: id, subject, which form, what came of it, and the day."""
    rows = [
        {
            **{"attempt": bytes.fromhex(ref), "subject": bytes.fromhex(subject), "programme": programme},
            **{"record": record, "status": status, "occurred_on": day},
        }
        for ref, subject, record, status, day in made
    ]
    if rows:
        connection.execute(insert(attempt), rows)


def attempts(connection: Connection, subject: bytes) -> list[dict[str, str]]:
    """The person's tries, the oldest first."""
    c = attempt.c
    query = select(c.record, c.status, c.occurred_on).where(c.subject == subject).order_by(c.occurred_on, c.attempt)
    rows = connection.execute(query)
    return [{"record": r.record, "status": r.status, "date": r.occurred_on.isoformat()} for r in rows]
