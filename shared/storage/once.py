"""Idempotency keys: doing the same twice does it once.

Every item of a command carries a key (64 hex digits; an import derives it from the row's identity, a page makes a
random one). A service keeps each key with a digest of the item's content and the id of what it made. The same key with
the same content is *already done* and answers with the same id; with other content it is refused.

Two workers may look at the same moment and both find nothing. The database lets one of them keep the key; the other's
unit of work leaves nothing behind (`Overtaken`) and is begun again by whoever runs the worker: now the key is there to
be found, and the second is told what the first has done.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

from sqlalchemy import Column, Connection, LargeBinary, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from shared.contracts.errors import AlreadyRecordedDiffers, Overtaken, PolkuError
from shared.contracts.purposes import PURPOSE_OF_SERVICE
from shared.storage.engine import metadata
from shared.storage.restricting import refuse_restricted, restricted_among

Results = list[dict[str, Any]]
"""A result per item of a command: ``{what, "new"}`` or ``{"error"}``, up to the first refused (`skip_bad`: of all)."""


class Keyed(Protocol):
    """An item of a command: a frozen dataclass with its key (64 hex digits)."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def key(self) -> str: ...


Item = TypeVar("Item", bound=Keyed)


class Digester(Protocol):
    """How the content of an item is recognised: keyed where it holds what could be guessed."""

    def digest(self, content: bytes) -> bytes:
        """32 bytes."""

    def is_digest(self, known: bytes, content: bytes) -> bool:
        """Whether `known` is a digest of `content`."""


class _Plain:
    def digest(self, content: bytes) -> bytes:
        return sha256(content).digest()

    def is_digest(self, known: bytes, content: bytes) -> bool:
        return self.digest(content) == known


PLAIN: Digester = _Plain()


class Done(NamedTuple):
    """What was done under a key: digest of the content (32 bytes) and the id of what was made (16 bytes)."""

    digest: bytes
    made: bytes


def key_table(service: str) -> Table:
    """The table of the keys that `service` has seen."""
    return Table(
        f"{service}_key",
        metadata,
        Column("key", LargeBinary, primary_key=True),
        Column("digest", LargeBinary, nullable=False),
        Column("made", LargeBinary, nullable=False),
    )


def already_done(connection: Connection, table: Table, keys: Iterable[str]) -> dict[str, Done]:
    """What is known of these keys (hex), at most 500 at a time."""
    wanted = [bytes.fromhex(key) for key in keys]
    rows = connection.execute(select(table).where(table.c.key.in_(wanted)))
    return {row.key.hex(): Done(row.digest, row.made) for row in rows}


def remember(connection: Connection, table: Table, done: dict[str, Done]) -> None:
    """Keep what was done under new keys. Raises `Overtaken` if another worker has kept one of them just now."""
    if done:
        # In one order everywhere: two workers with the same keys wait for each other, not in a circle.
        rows = [{"key": bytes.fromhex(key), "digest": d.digest, "made": d.made} for key, d in sorted(done.items())]
        try:
            connection.execute(insert(table), rows)
        except IntegrityError:
            raise Overtaken() from None


def forget(connection: Connection, table: Table, keys: Iterable[str]) -> None:
    """Forget these keys and what was made for them."""
    connection.execute(delete(table).where(table.c.key.in_([bytes.fromhex(key) for key in keys])))


def each_once(
    connection: Connection,
    table: Table,
    programme: str,
    items: Sequence[Item],
    take: Callable[[Item], str],
    *,
    what: str,
    field: str,
    skip_bad: bool,
    digester: Digester = PLAIN,
    right: bool = False,
    content: Callable[[Item], bytes] | None = None,
) -> tuple[Results, list[tuple[str, Item]]]:
    """The results, and the new items with the ids of what was made of them; a key seen before answers with its id.

    `take` checks an item against all that stand before it and returns the id, or raises why it is refused; `what`
    names the id in a result, `field` the key in the error of a key that is used with other content. A new item about a
    person (its `subject`) is refused if nothing may be recorded about them, unless it serves a `right` of theirs.
    `content`: by what an item is recognised, if not by all of it as it stands.
    """
    service = table.name.partition("_")[0]
    purpose = PURPOSE_OF_SERVICE.get(service, "esf_record")
    restricted = restricted_among(connection, (getattr(item, "subject", None) for item in items))
    done = already_done(connection, table, (item.key for item in items))
    results: Results = []
    added: list[tuple[str, Item]] = []
    fresh: dict[str, Done] = {}
    for item in items:
        said = content(item) if content else json.dumps([programme, asdict(item)], default=str).encode()
        known = done.get(item.key) or fresh.get(item.key)
        try:
            if known is not None:
                if not digester.is_digest(known.digest, said):
                    raise AlreadyRecordedDiffers(field=field)
                results.append({what: known.made.hex(), "new": False})
                continue
            if not right:
                refuse_restricted(restricted, getattr(item, "subject", None), purpose, service)
            made = take(item)
        except Overtaken:
            raise  # no fault of the item: all of it is begun again
        except PolkuError as error:
            results.append({"error": error.to_wire()})
            if skip_bad:
                continue
            break
        added.append((made, item))
        fresh[item.key] = Done(digester.digest(said), bytes.fromhex(made))
        results.append({what: made, "new": True})
    remember(connection, table, fresh)
    return results, added
