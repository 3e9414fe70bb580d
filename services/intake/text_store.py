"""Tables of texts, which are encrypted here, and the keys that the node's vault key wraps."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from services.intake.store import Owner, person
from shared.storage import metadata
from shared.storage.upsert import add_missing
from shared.storage.vault import decrypt, encrypt, new_key, unwrap, wrap

_PLACE = b"programme:"

text_key = Table(
    "intake_text_key",
    metadata,
    Column("programme", String(40), primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
)
"""A programme's own key, for texts that are of no person."""

text = Table(
    "intake_text",
    metadata,
    Column("text_ref", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("subject", LargeBinary),
    Column("person", LargeBinary, ForeignKey("intake_person.person", ondelete="CASCADE"), index=True),
    Column("box", LargeBinary, nullable=False),
)
"""Free texts, encrypted with the key of their person, or of their programme where `person` is null."""


def programme_owner(connection: Connection, vault_keys: Mapping[int, bytes], programme: str) -> Owner:
    """The programme's own key, made when it is first needed."""
    raw = _programme_place(programme)
    query = select(text_key.c.wrapped_key).where(text_key.c.programme == programme)
    add_missing(connection, text_key, {"programme": programme, "wrapped_key": wrap(vault_keys, raw, new_key())})
    return Owner(raw, connection.execute(query).scalar_one(), None)


def add_text(
    connection: Connection,
    vault_keys: Mapping[int, bytes],
    ref: str,
    programme: str,
    subject: str | None,
    owner: Owner,
    plain: str,
) -> None:
    """Add a text, encrypted with its owner's key and bound to its place."""
    raw = bytes.fromhex(ref)
    box = encrypt(unwrap(vault_keys, owner.raw, owner.wrapped_key), b"text" + raw + owner.raw, plain.encode())
    row = {"text_ref": raw, "programme": programme, "person": owner.person, "box": box}
    connection.execute(insert(text), row | {"subject": bytes.fromhex(subject) if subject else None})


def find_texts(connection: Connection, programme: str, refs: Iterable[str]) -> Sequence[Any]:
    """Those of these texts that the programme has, still closed."""
    wanted = [bytes.fromhex(ref) for ref in set(refs)]
    query = (
        select(text, person.c.wrapped_key.label("persons_key"), text_key.c.wrapped_key.label("programmes_key"))
        .outerjoin(person, person.c.person == text.c.person)
        .outerjoin(text_key, text_key.c.programme == text.c.programme)
        .where(text.c.programme == programme, text.c.text_ref.in_(wanted))
    )
    return connection.execute(query).all()


def open_text(vault_keys: Mapping[int, bytes], row: Any) -> str:
    """A text of `find_texts` in clear; whoever calls this has logged the read."""
    raw = row.person if row.person is not None else _programme_place(row.programme)
    wrapped = row.persons_key if row.person is not None else row.programmes_key
    return decrypt(unwrap(vault_keys, raw, wrapped), b"text" + row.text_ref + raw, row.box).decode()


def texts_of(connection: Connection, subject: bytes) -> list[bytes]:
    """The `text_ref` of every text of this person."""
    return list(connection.execute(select(text.c.text_ref).where(text.c.subject == subject)).scalars())


def drop_text(connection: Connection, ref: str, subject: str) -> None:
    """Delete a text of this person."""
    mine = (text.c.text_ref == bytes.fromhex(ref)) & (text.c.subject == bytes.fromhex(subject))
    connection.execute(delete(text).where(mine))


def wrapped_with_older(connection: Connection, newest: int, limit: int) -> list[tuple[bytes, bytes]]:
    """Up to `limit` keys, of people and then of programmes, that are wrapped with an older vault key than `newest`: the
    place that each is bound to, and the wrapped key."""
    mark, due = newest.to_bytes(2, "big"), list[tuple[bytes, bytes]]()
    for table, place in ((person, lambda row: row.person), (text_key, lambda row: _programme_place(row.programme))):
        older = func.substr(table.c.wrapped_key, 1, 2, type_=LargeBinary) != mark
        rows = connection.execute(select(table).where(older).limit(limit - len(due)))
        due += [(place(row), row.wrapped_key) for row in rows]
    return due


def wrap_again(connection: Connection, vault_keys: Mapping[int, bytes], due: Iterable[tuple[bytes, bytes]]) -> None:
    """Wrap these keys with the newest vault key; one that is another by now, or gone, is left alone."""
    for place, wrapped in due:
        again = wrap(vault_keys, place, unwrap(vault_keys, place, wrapped))
        for table, this in (
            (person, person.c.person == place),
            (text_key, text_key.c.programme == _programme_in(place)),
        ):
            connection.execute(update(table).where(this, table.c.wrapped_key == wrapped).values(wrapped_key=again))


def _programme_in(place: bytes) -> str:
    return place.removeprefix(_PLACE).decode("ascii", "replace") if place.startswith(_PLACE) else ""


def _programme_place(programme: str) -> bytes:
    return _PLACE + programme.encode()
