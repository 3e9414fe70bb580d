"""The read side of reporting, of a report's proof: what the nodes have signed. Part of the snapshot of its figures."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select

from services.reporting import partner_store
from services.reporting.domain import StreamState
from shared.contracts.closing_facts import StreamSealed
from shared.instruments.files import find_instrument
from shared.journal import epochs
from shared.journal.carry_tables import received_head, received_line, received_segment
from shared.journal.certificate import Proof, SegmentWord, State, StreamProof
from shared.journal.lines import parse
from shared.programmes import Programme


def proof(
    connection: Connection,
    definition: Programme,
    streams: Iterable[StreamState],
    arrived: bool | None,
    now: datetime,
) -> Proof:
    """What stands behind figures of these streams: `arrived` is what the report says."""
    used = [find_instrument(use.key, use.version) for use in definition.instruments]
    return Proof(
        definition.key,
        definition.digest,
        tuple((instrument.key, instrument.version, instrument.digest) for instrument in used),
        definition.lead.key,
        arrived,
        now,
        tuple(_stream(connection, definition.key, stream) for stream in streams),
    )


def sealed_on(connection: Connection, stream: str, seq: int | None) -> str | None:
    """The day on which the node sealed its stream, if line `seq` says so; of a stream that the lead has as sealed."""
    c = received_line.c
    said = select(c.line).where(c.stream == stream, c.seq == seq, c.kind == StreamSealed.kind)
    line = connection.execute(said).scalar_one_or_none()
    return str(parse(line).body["occurred_on"]) if line else None


def _stream(connection: Connection, programme: str, at: StreamState) -> StreamProof:
    if at.node is None:
        return StreamProof(at.partner, "not_joined")
    name = f"{at.node}/{programme}"
    keys = partner_store.signing_keys(connection)[name]
    said = select(received_head.c.manifest).where(received_head.c.stream == name)
    manifest = connection.execute(said).scalar_one_or_none()
    segment = None
    if at.watermark:
        c = received_segment.c
        query = select(c.header, c.payload_digest, c.signature).where(c.stream == name, c.last == at.watermark)
        row = connection.execute(query).one_or_none() or epochs.opening(connection, name, at.epoch or 0, at.watermark)
        segment = SegmentWord(*row) if row else None
    state: State = "expelled" if at.expelled else "closed" if at.closed else "joined"
    return StreamProof(at.partner, state, at.node, at.epoch, at.watermark, at.chain, keys, manifest, segment)
