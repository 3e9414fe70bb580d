"""Tables of intake and the only statements that change them. Identities are encrypted here, with a key per person."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)

from services.intake.domain import Arrival
from services.intake.encounter_tables import encounter as encounter  # all of intake's tables are known through here
from services.intake.encounter_tables import visit as visit
from shared.programmes.shelf import Shelf
from shared.storage import metadata
from shared.storage.forgetting import forget_subject
from shared.storage.once import key_table
from shared.storage.upsert import upsert
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
    Column("ended_on", Date),
    Column("end_reason", String(40)),
    Column("end_results", String(120)),
    Column("end_next", String(40)),
    Column("end_planned", String(40)),
    Column("resumed_on", Date),
    UniqueConstraint("person", "programme", name="intake_participation_once"),
)
"""A person in a programme, by the subject that facts name; `record` is the coded part of the start form, as JSON, with
the age on the start day (null: not known).

`ended_on` to `end_next` are the exit that holds: the last one, gone when the person has come back (`resumed_on`).
`end_results` are parted by spaces; null: nobody wrote them down."""

tag_key = Table(
    "intake_tag_key",
    metadata,
    Column("programme", String(40), primary_key=True),
    Column("key_no", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("basis", String(40), nullable=False),
)
"""Tag keys that came for a programme: number and basis as its steward gave them; the key is `keys/tag-NUMBER`."""

tagged = Table(
    "intake_tagged",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("key_no", Integer, nullable=False),
)
"""With which tag key each person was last looked at, whether a tag came of it or not; whoever changes what a person's
tag is made of deletes the row."""


peer = Table(
    "intake_peer",
    metadata,
    Column("programme", String(40), primary_key=True),
    Column("node", String(40), primary_key=True),
    Column("words", String(40), nullable=False),
    Column("confirmed_at", String(32), nullable=False),
)
"""Nodes of other partners whose people have read us the six words of their keys. Other keys: not confirmed any more."""


@dataclass(frozen=True, slots=True)
class TagKey:
    """A tag key of a programme, without the secret."""

    key_no: int
    number: int
    basis: str


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose key a text is encrypted with: `raw` is the person's id, or stands for the programme."""

    raw: bytes
    wrapped_key: bytes
    person: bytes | None


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
                "record": json.dumps(arrival.record | {"age": arrival.age}),
            }
        )
    for table, rows in ((person, persons), (vault, boxes), (participation, participations)):
        if rows:
            connection.execute(insert(table), rows)


def open_identity(vault_keys: Mapping[int, bytes], raw: bytes, wrapped: bytes, box: bytes) -> dict[str, Any]:
    """A person's identity in clear; whoever calls this has logged the read."""
    identity: dict[str, Any] = json.loads(decrypt(unwrap(vault_keys, raw, wrapped), b"identity" + raw, box))
    return identity


def subjects_of(connection: Connection, programme: str) -> list[str]:
    """The subjects of everybody in the programme."""
    query = select(participation.c.subject).where(participation.c.programme == programme)
    return [subject.hex() for subject in connection.execute(query).scalars()]


def forget_participation(connection: Connection, programme: str, subject: str) -> bool:
    """Delete a participation and the keys of the commands that made it; with the last one of a person also what the
    vault holds, and the wrapped key without which no copy of it opens. False if there is no such participation."""
    raw = bytes.fromhex(subject)
    this = (participation.c.subject == raw) & (participation.c.programme == programme)
    owner = connection.execute(select(participation.c.person).where(this)).scalar_one_or_none()
    if owner is None:
        return False
    forget_subject(connection, "intake", keys, subject)
    others = select(participation.c.subject).where(participation.c.person == owner).limit(1)
    if connection.execute(others).first() is None:
        connection.execute(delete(vault).where(vault.c.person == owner))
        connection.execute(delete(person).where(person.c.person == owner))
    return True


def owners(connection: Connection, programme: str, subjects: Iterable[str]) -> dict[str, Owner]:
    """The people of these subjects in this programme, with their keys still wrapped."""
    wanted = [bytes.fromhex(subject) for subject in set(subjects)]
    query = (
        select(participation.c.subject, person)
        .join(person, person.c.person == participation.c.person)
        .where(participation.c.programme == programme, participation.c.subject.in_(wanted))
    )
    return {row.subject.hex(): Owner(row.person, row.wrapped_key, row.person) for row in connection.execute(query)}


def tag_keys(connection: Connection, programme: str) -> list[TagKey]:
    """The programme's tag keys that are in use here, the newest last."""
    c = tag_key.c
    query = select(c.key_no, c.number, c.basis).where(c.programme == programme).order_by(c.key_no)
    return [TagKey(*row) for row in connection.execute(query)]


def add_tag_key(connection: Connection, programme: str, key: TagKey) -> None:
    """Note that a tag key has come."""
    row = {"programme": programme, "key_no": key.key_no, "number": key.number, "basis": key.basis}
    connection.execute(insert(tag_key), row)


def drop_tag_key(connection: Connection, programme: str, key_no: int) -> None:
    """Forget a tag key."""
    this = (tag_key.c.programme == programme) & (tag_key.c.key_no == key_no)
    connection.execute(delete(tag_key).where(this))


def people_to_tag(
    connection: Connection, programme: str, key_no: int, limit: int, subject: str | None = None
) -> Sequence[Any]:
    """Up to `limit` people of the programme (`subject`: this one alone) who have not been looked at with this tag key
    or a newer one: subject, person, and their identity still closed."""
    seen = (tagged.c.subject == participation.c.subject) & (tagged.c.key_no >= key_no)
    query = (
        select(participation.c.subject, participation.c.person, person.c.wrapped_key, vault.c.box)
        .join(person, person.c.person == participation.c.person)
        .join(vault, (vault.c.person == participation.c.person) & (vault.c.name == "identity"))
        .outerjoin(tagged, seen)
        .where(participation.c.programme == programme, tagged.c.subject.is_(None))
    )
    if subject is not None:
        query = query.where(participation.c.subject == bytes.fromhex(subject))
    return connection.execute(query.order_by(participation.c.subject).limit(limit)).all()


def note_tagged(connection: Connection, subjects: Sequence[bytes], key_no: int) -> None:
    """These people have been looked at with this tag key."""
    upsert(connection, tagged, [{"subject": subject, "key_no": key_no} for subject in subjects])


def peers(connection: Connection, programme: str | None = None) -> dict[tuple[str, str], str]:
    """The six words that were confirmed, by programme and node."""
    query = select(peer.c.programme, peer.c.node, peer.c.words)
    rows = connection.execute(query.where(peer.c.programme == programme) if programme else query)
    return {(row.programme, row.node): row.words for row in rows}


def set_peer(connection: Connection, programme: str, node: str, words: str, at: str) -> None:
    """Note that a node is confirmed."""
    upsert(connection, peer, [{"programme": programme, "node": node, "words": words, "confirmed_at": at}])


def locked_participation(connection: Connection, programme: str, subject: str) -> Any | None:
    """A person's participation with key and identity, still closed; nobody else changes it until the transaction ends.
    None if there is none."""
    here = (participation.c.subject == bytes.fromhex(subject)) & (participation.c.programme == programme)
    found = connection.execute(select(participation.c.subject).where(here).with_for_update()).first()
    return None if found is None else find_participation(connection, programme, subject)


def find_participation(connection: Connection, programme: str, subject: str) -> Any | None:
    """A person's participation with key and identity, still closed; None if there is none."""
    query = (
        select(participation, person.c.wrapped_key, vault.c.box)
        .join(person, person.c.person == participation.c.person)
        .join(vault, (vault.c.person == participation.c.person) & (vault.c.name == "identity"))
    )
    here = (participation.c.subject == bytes.fromhex(subject)) & (participation.c.programme == programme)
    return connection.execute(query.where(here)).one_or_none()


def end_participation(connection: Connection, subject: str, day: date, reason: str) -> bool:
    """Note that it has ended; False if it had before."""
    this = (participation.c.subject == bytes.fromhex(subject)) & participation.c.end_reason.is_(None)
    return bool(connection.execute(update(participation).where(this).values(ended_on=day, end_reason=reason)).rowcount)


def people_of(connection: Connection, programme: str, subjects: Sequence[bytes]) -> dict[bytes, Any]:
    """These people with key and identity, still closed, by subject."""
    query = (
        select(
            *(
                participation.c.subject,
                participation.c.person,
                participation.c.record,
                person.c.wrapped_key,
                vault.c.box,
            )
        )
        .join(person, person.c.person == participation.c.person)
        .join(vault, (vault.c.person == participation.c.person) & (vault.c.name == "identity"))
        .where(participation.c.programme == programme, participation.c.subject.in_(subjects))
    )
    return {bytes(row.subject): row for row in connection.execute(query)}
