"""The table of referrals that went out and came in, and its statements; who is meant by one not yet decided."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
    update,
)

from services.intake.text_store import programme_owner
from shared.storage import metadata
from shared.storage.vault import decrypt, encrypt, unwrap

referral = Table(
    "intake_referral",
    metadata,
    Column("referral", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("direction", String(3), nullable=False),
    Column("node", String(40), nullable=False),
    Column("partner", String(40), nullable=False),
    Column("theirs", LargeBinary),
    Column("subject", LargeBinary),
    Column("state", String(20), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("reason", String(40)),
    Column("became", String(40)),
    Column("outcome", String(40)),
    Column("text_ref", LargeBinary),
    Column("box", LargeBinary),
    Column("changed_at", String(32), nullable=False),
    Index("intake_referral_newest", "programme", "changed_at"),
    UniqueConstraint("programme", "node", "theirs", name="intake_referral_theirs"),
)
"""Referrals that went "out" to the partner's node, or came "in" from it, under its id `theirs`. `subject` is our own
person: whom we sent, or whom we accepted. `box` holds who is meant by one that came in, encrypted with the programme's
key, until it is decided; then it is empty, and an accepted person is in the vault like everybody. `revision` numbers
what the receiver has said."""


def add_referral(connection: Connection, number: str, at: str, **columns: Any) -> None:
    """Add a referral; ids are given as bytes."""
    connection.execute(insert(referral), {"referral": bytes.fromhex(number), "changed_at": at, **columns})


def set_referral(connection: Connection, number: bytes, at: str, **columns: Any) -> None:
    """Change a referral."""
    this = referral.c.referral == number
    connection.execute(update(referral).where(this).values(changed_at=at, **columns))


def find_referral(connection: Connection, programme: str, direction: str, number: str) -> Any | None:
    """A referral of ours, locked; None if there is none."""
    c = referral.c
    this = (c.referral == bytes.fromhex(number)) & (c.programme == programme) & (c.direction == direction)
    return connection.execute(select(referral).where(this).with_for_update()).one_or_none()


def whom_we_sent(connection: Connection, programme: str, number: str) -> bytes | None:
    """The subject of a referral that went out, not locked; None if there is none."""
    c = referral.c
    this = (c.referral == bytes.fromhex(number)) & (c.programme == programme) & (c.direction == "out")
    return connection.execute(select(c.subject).where(this)).scalar_one_or_none()


def find_theirs(connection: Connection, programme: str, node: str, theirs: str) -> Any | None:
    """What came in from a node under its own id, locked; None if nothing did."""
    c = referral.c
    this = (c.programme == programme) & (c.node == node) & (c.theirs == bytes.fromhex(theirs))
    return connection.execute(select(referral).where(this).with_for_update()).one_or_none()


def open_referrals(connection: Connection, programme: str, subject: str) -> Sequence[Any]:
    """The person's referrals that went out and were not answered."""
    c = referral.c
    theirs = (c.programme == programme) & (c.subject == bytes.fromhex(subject))
    query = select(referral).where(theirs, c.direction == "out", c.state == "sent")
    return connection.execute(query.order_by(c.referral)).all()


def list_referrals(
    connection: Connection, programme: str, limit: int, offset: int, number: str | None = None
) -> tuple[int, Sequence[Any]]:
    """How many there are, and some of them, the newest change first; one that was taken back before it came is none.
    `number`: the named one alone."""
    shown = (referral.c.programme == programme) & (referral.c.partner != "")
    if number is not None:
        shown &= referral.c.referral == bytes.fromhex(number)
    total = connection.execute(select(func.count()).select_from(referral).where(shown)).scalar_one()
    query = select(referral).where(shown).order_by(referral.c.changed_at.desc(), referral.c.referral)
    return total, connection.execute(query.limit(limit).offset(offset)).all()


def seal_referred(
    connection: Connection, vault_keys: Mapping[int, bytes], programme: str, number: str, what: Any
) -> bytes:
    """Who is meant by a referral that came in, encrypted with the programme's key and bound to its place."""
    owner, raw = programme_owner(connection, vault_keys, programme), bytes.fromhex(number)
    key = unwrap(vault_keys, owner.raw, owner.wrapped_key)
    return encrypt(key, b"referral" + raw, json.dumps(what, ensure_ascii=False).encode())


def open_referred(connection: Connection, vault_keys: Mapping[int, bytes], row: Any) -> dict[str, Any]:
    """The inverse; whoever calls this has logged the read."""
    owner = programme_owner(connection, vault_keys, row.programme)
    key = unwrap(vault_keys, owner.raw, owner.wrapped_key)
    said: dict[str, Any] = json.loads(decrypt(key, b"referral" + bytes(row.referral), row.box))
    return said
