"""Tables of intake and the only statements that change them. Identities are encrypted here, with a key per person."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Connection, Date, ForeignKey, LargeBinary, String, Table, Text, UniqueConstraint, insert

from services.intake.domain import Arrival
from shared.programmes.shelf import Shelf
from shared.storage import metadata
from shared.storage.once import key_table
from shared.storage.vault import decrypt, encrypt, new_key, unwrap, wrap

shelf = Shelf("intake")
keys = key_table("intake")

person = Table(
    "intake_person",
    metadata,
    Column("person", LargeBinary, primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
)
"""A person on this node; without the key nothing of the vault opens."""

vault = Table(
    "intake_vault",
    metadata,
    Column("person", LargeBinary, ForeignKey("intake_person.person", ondelete="CASCADE"), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("box", LargeBinary, nullable=False),
)
"""What may identify a person, and every free text, encrypted; `name` says what it is ("identity")."""

participation = Table(
    "intake_participation",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("person", LargeBinary, ForeignKey("intake_person.person", ondelete="CASCADE"), nullable=False),
    Column("programme", String(40), nullable=False),
    Column("standing", String(40), nullable=False),
    Column("started_on", Date),
    Column("record", Text, nullable=False),
    UniqueConstraint("person", "programme", name="intake_participation_once"),
)
"""A person in a programme, by the subject that facts name; `record` is the coded part of the start form, as JSON."""


def add_people(
    connection: Connection, vault_keys: Mapping[int, bytes], programme: str, people: list[tuple[str, str, Arrival]]
) -> None:
    """Add (person id, subject, arrival) with their identities encrypted."""
    persons, boxes, participations = [], [], []
    for person_id, subject, arrival in people:
        raw, key = bytes.fromhex(person_id), new_key()
        identity = json.dumps(arrival.identity, ensure_ascii=False).encode()
        persons.append({"person": raw, "wrapped_key": wrap(vault_keys, raw, key)})
        boxes.append({"person": raw, "name": "identity", "box": encrypt(key, b"identity" + raw, identity)})
        participations.append(
            {
                "subject": bytes.fromhex(subject),
                "person": raw,
                "programme": programme,
                "standing": arrival.standing,
                "started_on": arrival.start_date,
                "record": json.dumps(arrival.record),
            }
        )
    for table, rows in ((person, persons), (vault, boxes), (participation, participations)):
        if rows:
            connection.execute(insert(table), rows)


def open_identity(vault_keys: Mapping[int, bytes], raw: bytes, wrapped: bytes, box: bytes) -> dict[str, Any]:
    """A person's identity in clear; whoever calls this has logged the read."""
    identity: dict[str, Any] = json.loads(decrypt(unwrap(vault_keys, raw, wrapped), b"identity" + raw, box))
    return identity
