"""The tables of a programme's partners: invites, nodes that were admitted, their keys; and the statements on them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, DateTime, LargeBinary, String, Table, delete, insert, select, update

from shared.storage import metadata
from shared.storage.upsert import upsert

invite = Table(
    "reporting_invite",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("partner", String(40), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("used_by", String(40)),
)
"""Invites given out; of the one-time token only the digest is kept."""

node = Table(
    "reporting_node",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("partner", String(40), nullable=False),
    Column("node", String(40), nullable=False),
    Column("signing_key", LargeBinary, nullable=False),
    Column("receiving_key", LargeBinary, nullable=False),
    Column("expelled_at", String(32)),
    Column("keys_at", String(32)),
)
"""The nodes admitted to each programme, as the lead's own stream says; `expelled_at` in wire form, null: a member.
The keys are the newest; `keys_at` is when the node stated them, null: when it joined."""

former_key = Table(
    "reporting_former_key",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("signing_key", LargeBinary, primary_key=True),
    Column("until", String(32), nullable=False),
)
"""Signing keys that nodes have replaced, and until when they are taken (wire form); what is stored they verify."""


def add_invite(connection: Connection, token_digest: bytes, programme: str, partner: str, expires: datetime) -> None:
    """Keep an invite that is being given out."""
    row = {"token_digest": token_digest, "programme": programme, "partner": partner, "expires_at": expires}
    connection.execute(insert(invite), row)


def find_invite(connection: Connection, token_digest: bytes) -> Any | None:
    """The invite with this token, or None."""
    return connection.execute(select(invite).where(invite.c.token_digest == token_digest)).one_or_none()


def use_invite(connection: Connection, token_digest: bytes, node_name: str) -> None:
    """An invite is used once."""
    connection.execute(update(invite).where(invite.c.token_digest == token_digest).values(used_by=node_name))


def add_node(connection: Connection, row: dict[str, Any]) -> None:
    """Admit a node."""
    connection.execute(insert(node), row)


def change_keys(
    connection: Connection, stream: str, signing_key: bytes, receiving_key: bytes, stated_at: str, until: str
) -> None:
    """The node of the stream has these keys now; the signing key before is taken until `until`."""
    c = former_key.c
    before = connection.execute(select(node.c.signing_key).where(node.c.stream == stream)).scalar_one()
    if before != signing_key:
        upsert(connection, former_key, [{"stream": stream, "signing_key": before, "until": until}])
        connection.execute(delete(former_key).where(c.stream == stream, c.signing_key == signing_key))
    values = {"signing_key": signing_key, "receiving_key": receiving_key, "keys_at": stated_at}
    connection.execute(update(node).where(node.c.stream == stream).values(**values))


def signing_keys(connection: Connection, taken_at: str = "") -> dict[str, tuple[bytes, ...]]:
    """The signing keys of every stream's node, the newest first; with `taken_at` only those that are taken then."""
    found = {row.stream: [row.signing_key] for row in connection.execute(select(node.c.stream, node.c.signing_key))}
    query = select(former_key).where(former_key.c.until > taken_at).order_by(former_key.c.until.desc())
    for row in connection.execute(query):
        found[row.stream].append(row.signing_key)
    return {stream: tuple(keys) for stream, keys in found.items()}


def find_stream(connection: Connection, stream: str) -> Any | None:
    """The admitted node that writes this stream, or None."""
    return connection.execute(select(node).where(node.c.stream == stream)).one_or_none()


def find_partner(connection: Connection, programme: str, partner: str) -> Any | None:
    """The partner's node that is a member of the programme, or None."""
    query = select(node).where(node.c.programme == programme, node.c.partner == partner, node.c.expelled_at.is_(None))
    return connection.execute(query).one_or_none()


def has_members(connection: Connection) -> bool:
    """Whether any node is a member of any programme; never on a node."""
    return connection.execute(select(node.c.stream).where(node.c.expelled_at.is_(None)).limit(1)).first() is not None


def streams_of_node(connection: Connection, name: str) -> Sequence[Any]:
    """The streams of a member node."""
    return connection.execute(select(node).where(node.c.node == name, node.c.expelled_at.is_(None))).all()


def expel_node(connection: Connection, stream: str, at: str) -> None:
    """The node is no member any more."""
    connection.execute(update(node).where(node.c.stream == stream).values(expelled_at=at))


def streams_of(connection: Connection, programme: str) -> list[str]:
    """The streams of the programme's nodes."""
    query = select(node.c.stream).where(node.c.programme == programme).order_by(node.c.stream)
    return list(connection.execute(query).scalars())


def members(connection: Connection, programmes: Iterable[str] | None = None) -> Sequence[Any]:
    """The nodes that are members (`programmes`: of these alone), by stream."""
    query = select(node).where(node.c.expelled_at.is_(None)).order_by(node.c.stream)
    if programmes is not None:
        query = query.where(node.c.programme.in_(list(programmes)))
    return connection.execute(query).all()


def expelled(connection: Connection) -> Sequence[Any]:
    """The nodes that are members no more, by stream."""
    return connection.execute(select(node).where(node.c.expelled_at.is_not(None)).order_by(node.c.stream)).all()


def ever_invited(connection: Connection) -> Sequence[Any]:
    """Every programme and partner of whom there was an invite."""
    return connection.execute(select(invite.c.programme, invite.c.partner).distinct()).all()
