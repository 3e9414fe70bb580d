"""The read side of who takes part: the nodes whose streams are taken, their keys, and how complete each stream is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from services.reporting import partner_store, store
from shared.journal import received
from shared.journal.amqpcarrier import box_of
from shared.journal.carry_tables import received_conflict, received_head
from shared.journal.crypto import key_id
from shared.ops.clock import wire_time
from shared.storage import snapshot


def silence_limits(engine: Engine) -> dict[str, float]:
    """Per admitted stream the days that its programme lets the node be silent."""
    with snapshot(engine) as connection:
        limits = {programme.key: programme.silence_limit_days for programme in store.shelf.all(connection)}
        return {row.stream: limits[row.programme] for row in partner_store.members(connection, limits)}


@dataclass(frozen=True, slots=True)
class AdmittedNode:
    """A node that the lead's stream goes to, and its keys: raw public halves; the signing keys are those taken now."""

    programme: str
    node: str
    signing_keys: tuple[bytes, ...]
    receiving_key: bytes

    @property
    def signing(self) -> dict[str, bytes]:
        """Its signing keys by id."""
        return {key_id(key): key for key in self.signing_keys}


def admitted_nodes(engine: Engine, now: datetime) -> list[AdmittedNode]:
    """The member nodes of every programme, by stream."""
    with snapshot(engine) as connection:
        keys = partner_store.signing_keys(connection, wire_time(now))
        rows = partner_store.members(connection)
        return [AdmittedNode(row.programme, row.node, keys[row.stream], row.receiving_key) for row in rows]


def admitted_keys(engine: Engine, now: datetime) -> dict[str, dict[str, bytes]]:
    """The admitted streams, each with its node's signing keys that are taken now, by id, as the receiver needs them."""
    return {f"{node.node}/{node.programme}": node.signing for node in admitted_nodes(engine, now)}


def conflicts(engine: Engine) -> list[dict[str, Any]]:
    """Two histories of one stream: where ours and the one its node signed part. Chains are hex, times UTC."""
    c = received_conflict.c
    query = select(c.stream, c.epoch, c.seq, c.ours, c.theirs, c.received_at, received_head.c.state)
    query = query.join_from(received_conflict, received_head, received_head.c.stream == c.stream)
    with snapshot(engine) as connection:
        rows = connection.execute(query.order_by(c.stream, c.received_at, c.seq)).all()
    return [row._asdict() | {"ours": row.ours.hex(), "theirs": row.theirs.hex()} for row in rows]


def expelled_nodes(engine: Engine) -> dict[str, tuple[str, str]]:
    """The streams of nodes that were expelled, each with its partner, and when (wire form)."""
    with snapshot(engine) as connection:
        return {row.stream: (row.partner, row.expelled_at) for row in partner_store.expelled(connection)}


def boxes(engine: Engine) -> tuple[dict[str, str], set[str]]:
    """The partner of each admitted stream; and the boxes (`amqpcarrier`) of all partners that were ever invited."""
    with snapshot(engine) as connection:
        partners = {row.stream: row.partner for row in partner_store.members(connection)}
        return partners, {box_of(*of) for of in partner_store.ever_invited(connection)}


def may_carry(engine: Engine, node: str, programme: str, token_digest: str | None, now: datetime) -> dict[str, Any]:
    """The signing keys (hex) of a node's stream, none if it never was admitted; whether it is `expelled`; and whether
    the invite with this token digest is open: given out for the programme, not expired, not used by another node."""
    with snapshot(engine) as connection:
        admitted = partner_store.find_stream(connection, f"{node}/{programme}")
        invite = partner_store.find_invite(connection, bytes.fromhex(token_digest)) if token_digest else None
        taken = partner_store.signing_keys(connection, wire_time(now)).get(f"{node}/{programme}", ())
    invited = (
        invite is not None
        and invite.programme == programme
        and invite.used_by in (None, node)
        and invite.expires_at.replace(tzinfo=now.tzinfo) >= now
    )
    expelled = admitted is not None and admitted.expelled_at is not None
    return {"signing_keys": [key.hex() for key in taken], "invited": invited, "expelled": expelled}


def completeness(engine: Engine, programme: str | None, now: datetime) -> dict[str, Any]:
    """What can be said about the streams of one programme, or of all; one snapshot. Raises `UnknownProgramme`."""
    with snapshot(engine) as connection:
        known = [store.shelf.get(connection, programme)] if programme else store.shelf.all(connection)
        limits = {p.key: p.silence_limit_days for p in known}
        partners = {row.stream: row.partner for row in partner_store.members(connection, limits)}
        states = [s for s in received.completeness(connection, now, limits, partners) if s.stream in partners]
    return {
        "complete": all(state.state in ("complete", "closed") for state in states),
        "streams": [
            {
                "stream": state.stream,
                "node": state.stream.partition("/")[0],
                "programme": state.stream.partition("/")[2],
                "partner": partners[state.stream],
                "epoch": state.epoch,
                "head": state.head,
                "watermark": state.watermark,
                "same_chain": state.same_chain,
                "manifest_at": wire_time(state.manifest_at) if state.manifest_at else None,
                "manifest_age_seconds": state.manifest_age_seconds,
                "state": state.state,
                "missing": [list(gap) for gap in state.missing],
                "refused": state.refused,
            }
            for state in states
        ],
    }
