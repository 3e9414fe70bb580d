"""What has been received, as tables and questions: heads, chains, refusals, conflicts, completeness.

`receiving` decides, this module stores and answers. Whoever changes anything of a stream holds the lock of its
`received_head` row (on SQLite: the database's write lock) to the end of the transaction.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from shared.journal.carry_tables import (
    received_claim,
    received_conflict,
    received_early,
    received_head,
    received_incarnation,
    received_line,
    received_refused,
    received_segment,
)
from shared.journal.lines import chain_next, chain_start
from shared.journal.segment import OpenedLine, Reason, Segment
from shared.journal.tables import journal_line
from shared.ops.clock import parse_wire_time, wire_time
from shared.storage.upsert import insert_many

OPEN, STOPPED, SEALED = "open", "stopped", "sealed"
_PROOF_COLUMNS = tuple(column.name for column in received_segment.c)
_LINE_COLUMNS = ("stream", "epoch", *OpenedLine._fields)


@dataclass(slots=True)
class Head:
    """A row of `received_head` while its stream is being worked on.

    `claims`: the chains that the node has signed for lines beyond the watermark; known if the head is locked.
    """

    stream: str
    epoch: int
    seq: int
    chain: bytes
    head_epoch: int
    head_seq: int
    head_chain: bytes
    manifest_at: str | None
    echo: str
    state: str
    manifest: bytes | None = None
    accepted_at: str | None = None
    next_epoch: int = 0
    next_seq: int = 0
    next_chain: bytes | None = None
    next_at: str | None = None
    spoke_at: str | None = None
    accepted_after: str | None = None
    kept_at: str | None = None
    claims: dict[int, bytes] = field(default_factory=dict)

    def heard(self, time: datetime, now: datetime, *, whole: bool) -> None:
        """The node spoke at `time`, all that it has (`whole`: a manifest) or at least so far; a clock that is ahead of
        ours counts as now.

        What it said before somebody accepted a history does not count: it may have been told of the other one, or say
        less than what is forgotten of this one. By its own clock too: where that is ahead, an old word looks new. Nor
        does anything before the first manifest since: how far this history goes has been forgotten.
        """
        said, own = wire_time(min(time, now)), wire_time(time)
        since = whole or self.manifest_at or not self.accepted_at
        if since and said >= (self.accepted_at or "") and own > (self.accepted_after or ""):
            self.manifest_at = max(self.manifest_at or "", said)
        self.spoke(time)

    def spoke(self, time: datetime) -> None:
        """The node has signed something at `time`, whether it counts or not."""
        self.spoke_at = max(self.spoke_at or "", wire_time(time))


@dataclass(frozen=True, slots=True)
class Completeness:
    """What can be said about one stream. `missing` are ranges of lines, both ends included.

    `same_chain`: the node's signed head is the chain we hold; None while lines up to it are missing, or nothing is
    known. `state`, the first that holds: "differs" (a conflict, or an epoch nobody has accepted), "missing", "closed"
    (the last line of all is here: the node may be silent), "not_known_since" (no word from the node within the limit),
    "complete". `refused`: contents that came after the seal.
    """

    stream: str
    node: str
    programme: str
    epoch: int
    head: int | None
    watermark: int
    chain: bytes
    same_chain: bool | None
    manifest_at: datetime | None
    manifest_age_seconds: int | None
    state: str
    missing: tuple[tuple[int, int], ...]
    refused: int = 0


def incarnation(connection: Connection) -> str:
    """The random name of this database, made on first use (in a write transaction)."""
    name = connection.execute(select(received_incarnation.c.incarnation)).scalar_one_or_none()
    if name is None:
        name = secrets.token_hex(16)
        connection.execute(insert(received_incarnation), {"one": 1, "incarnation": name})
    return str(name)


def forget_incarnation(connection: Connection) -> None:
    """A restored database is another one: it gets a name of its own."""
    connection.execute(delete(received_incarnation))


def known_streams(connection: Connection) -> list[str]:
    """Every stream of which something has been received."""
    return list(connection.execute(_STREAMS).scalars())


def read_heads(connection: Connection, streams: Iterable[str], lock: bool = False) -> dict[str, Head]:
    """The heads of those streams that have one; locked in order of their names."""
    rows = connection.execute(_LOCKED_HEADS if lock else _HEADS, {"streams": list(streams)})
    return {row.stream: Head(*row) for row in rows}


def lock_heads(connection: Connection, streams: Iterable[str]) -> dict[str, Head]:
    """The heads of all these streams, locked; one that has none gets the one before the first line."""
    wanted = sorted(set(streams))
    heads = read_heads(connection, wanted, lock=True)
    for stream in wanted:
        if stream not in heads:
            start = chain_start(stream)
            heads[stream] = Head(stream, 1, 0, start, 1, 0, start, None, "", OPEN)
            node, programme = stream.split("/")
            connection.execute(insert(received_head), _values(heads[stream]) | {"node": node, "programme": programme})
    overtaken = connection.execute(_CLAIMS, {"streams": wanted}).all()
    for stream, seq, chain in [*overtaken, *((head.stream, head.head_seq, head.head_chain) for head in heads.values())]:
        if seq > heads[stream].seq:
            heads[stream].claims[seq] = chain
    return heads


def save_heads(connection: Connection, heads: Iterable[Head]) -> None:
    """Write the heads back; claims that the watermark has passed have been held against it."""
    heads = list(heads)
    if heads:
        connection.execute(_SAVE_HEAD, [_values(head) | {"this": head.stream} for head in heads])
    passed = [
        {"this": head.stream, "watermark": head.seq}
        for head in heads
        if min(head.claims, default=head.seq + 1) <= head.seq
    ]
    if passed:
        connection.execute(_DROP_CLAIMS, passed)


def seal_what_has_ended(connection: Connection, kind: str) -> None:
    """Seal the open streams that end in a line of `kind`: one that a release before took, or of which two histories
    existed and this one counts."""
    head, line = received_head.c, received_line.c
    last = select(line.seq).where(line.stream == head.stream, line.seq == head.seq, line.kind == kind)
    ended = (head.state == OPEN) & (head.head_seq == head.seq) & (head.head_epoch == head.epoch) & last.exists()
    connection.execute(update(received_head).where(ended).values(state=SEALED))


def add_claim(connection: Connection, head: Head, seq: int, chain: bytes) -> None:
    """The node has signed that its stream goes at least to `seq`, with this chain there.

    The furthest says what is missing. Those between it and the watermark are kept too: of two copies of a home either
    may have signed any of them.
    """
    overtaken = seq, chain
    if seq > head.head_seq:
        overtaken = head.head_seq, head.head_chain
        head.head_seq, head.head_chain = seq, chain
    elif seq in head.claims:
        return
    if seq > head.seq:
        head.claims[seq] = chain
    if overtaken[0] > head.seq:
        row = {"stream": head.stream, "seq": overtaken[0], "chain": overtaken[1]}
        connection.execute(insert(received_claim), row)


def _values(head: Head) -> dict[str, object]:
    return {name: getattr(head, name) for name in _HEAD_COLUMNS}


_HEAD_COLUMNS = tuple(name for name in Head.__slots__ if name != "claims")
# Asked in every round: making such a statement costs twice as much as running it.
_HEADS = (
    select(*(received_head.c[name] for name in _HEAD_COLUMNS))
    .where(received_head.c.stream.in_(bindparam("streams", expanding=True)))
    .order_by(received_head.c.stream)
)
_STREAMS = select(received_head.c.stream)
_CLAIMS = select(received_claim).where(received_claim.c.stream.in_(bindparam("streams", expanding=True)))
_DROP_CLAIMS = delete(received_claim).where(
    received_claim.c.stream == bindparam("this"), received_claim.c.seq <= bindparam("watermark")
)
_LOCKED_HEADS = _HEADS.with_for_update()
_SAVE_HEAD = (
    update(received_head)
    .where(received_head.c.stream == bindparam("this"))
    .values({name: bindparam(name) for name in _HEAD_COLUMNS if name != "stream"})
)
_COUNT_EARLY = select(received_early.c.stream, func.count()).group_by(received_early.c.stream)
_NEXT_EARLY = (
    select(received_early.c.first, received_early.c.last, received_early.c.data)
    .where(received_early.c.stream == bindparam("this"), received_early.c.first <= bindparam("following"))
    .order_by(received_early.c.first, received_early.c.last)
    .limit(bindparam("most"))
)
_EARLY_RANGES = (
    select(received_early.c.first, received_early.c.last)
    .where(received_early.c.stream == bindparam("this"), received_early.c.first > bindparam("following"))
    .order_by(received_early.c.first, received_early.c.last)
)


def chain_at(connection: Connection, head: Head, seq: int) -> bytes:
    """The chain we hold at line `seq`. Raises ValueError beyond the watermark."""
    if seq > head.seq:
        raise ValueError("beyond the watermark")
    if seq == head.seq:
        return head.chain
    proofs, lines = received_segment.c, received_line.c
    query = select(proofs.last, proofs.chain).where(proofs.stream == head.stream, proofs.last <= seq)
    near = connection.execute(query.order_by(proofs.last.desc()).limit(1)).one_or_none()
    start, chain = (near.last, near.chain) if near else (0, chain_start(head.stream))
    between = select(lines.digest).where(lines.stream == head.stream, lines.seq > start, lines.seq <= seq)
    digests = connection.execute(between.order_by(lines.seq)).scalars().all()
    if len(digests) < seq - start:  # a home's own stream, which comes back from where its journal ends
        own = journal_line.c
        before = select(own.digest).where(own.stream == head.stream, own.seq > start, own.seq <= seq - len(digests))
        digests = [*connection.execute(before.order_by(own.seq)).scalars(), *digests]
    for digest in digests:
        chain = chain_next(chain, digest)
    return bytes(chain)


class NewLines:
    """New lines of a transaction, and the proofs of the segments that brought them, of whatever streams: collected,
    because the database takes them together in a fraction of the time. Whoever reads lines must `write` first."""

    def __init__(self) -> None:
        self._lines: list[tuple[object, ...]] = []
        self._proofs: list[tuple[object, ...]] = []

    def add(self, segment: Segment, lines: Iterable[OpenedLine], now: datetime) -> None:
        """Take these lines of the segment."""
        header = segment.header
        self._lines += [(header.stream, header.epoch, *line) for line in lines]
        said = (segment.header_bytes, segment.payload_digest, segment.signature, wire_time(now))
        self._proofs.append((header.stream, header.last, header.first, header.epoch, header.chain, *said))

    def write(self, connection: Connection) -> None:
        """Store what has been taken."""
        lines, proofs, self._lines, self._proofs = self._lines, self._proofs, [], []
        insert_many(connection, received_line, _LINE_COLUMNS, lines)
        insert_many(connection, received_segment, _PROOF_COLUMNS, proofs)


def subjects_of(connection: Connection, stream: str) -> list[str]:
    """Everybody of whom there are lines of the stream."""
    c = received_line.c
    query = select(c.subject).where(c.stream == stream, c.subject.is_not(None)).distinct()
    return [bytes(subject).hex() for subject in connection.execute(query).scalars()]


def last_end(connection: Connection, stream: str, after: int, to: int) -> int | None:
    """The line at which the last of those segments ends that end beyond `after`, up to `to`; None: none does."""
    c = received_segment.c
    ends = select(func.max(c.last)).where(c.stream == stream, c.last > after, c.last <= to)
    found: int | None = connection.execute(ends).scalar_one()
    return found


def add_early(connection: Connection, segment: Segment, data: bytes, limit: int, now: datetime) -> bool:
    """Keep a segment that is ahead of a gap; False if the stream has `limit` of them already."""
    header, c = segment.header, received_early.c
    held = select(func.count()).select_from(received_early).where(c.stream == header.stream)
    if connection.execute(held.where(c.first == header.first, c.last == header.last)).scalar_one():
        return True
    if connection.execute(held).scalar_one() >= limit:
        return False
    row = {"stream": header.stream, "first": header.first, "last": header.last, "data": data}
    connection.execute(insert(received_early), row | {"received_at": wire_time(now)})
    return True


def drop_early(connection: Connection, stream: str, first: int, last: int) -> None:
    """Forget an early segment that has been decided."""
    c = received_early.c
    connection.execute(delete(received_early).where(c.stream == stream, c.first == first, c.last == last))


def count_early(connection: Connection) -> dict[str, int]:
    """How many early segments are held, of each stream of which there are any."""
    return {stream: held for stream, held in connection.execute(_COUNT_EARLY)}


def next_early(connection: Connection, stream: str, watermark: int, limit: int) -> list[tuple[int, int, bytes]]:
    """Early segments that the watermark has reached: first, last, bytes."""
    rows = connection.execute(_NEXT_EARLY, {"this": stream, "following": watermark + 1, "most": limit})
    return [(row.first, row.last, row.data) for row in rows]


def add_refused(connection: Connection, stream: str, name: str, data: bytes, reason: Reason, now: datetime) -> bool:
    """Note that this content was refused; False if that is known already. The content is not kept."""
    digest, c = sha256(data).digest(), received_refused.c
    if connection.execute(select(c.reason).where(c.digest == digest)).one_or_none() is not None:
        return False
    row = {"digest": digest, "stream": stream, "name": name, "size": len(data), "reason": reason.value}
    connection.execute(insert(received_refused), row | {"received_at": wire_time(now)})
    return True


def add_conflict(
    connection: Connection,
    head: Head,
    *,
    seq: int,
    ours: bytes,
    theirs: bytes,
    statement: bytes,
    signature: bytes,
    now: datetime,
) -> None:
    """Note that the node signed another chain at `seq` than ours, and stop the stream; not for a statement that was
    known when somebody said that our history counts: it may lie there for ever. What a clock that is ahead of ours has
    dated was known."""
    digest, c = sha256(statement).digest(), received_conflict.c
    known = select(c.received_at).where(c.stream == head.stream, c.digest == digest, c.ours == ours)
    came = connection.execute(known).scalar_one_or_none()
    if came is not None and head.accepted_at and (came < head.accepted_at or came > wire_time(now)):
        return
    head.state = STOPPED
    if came is None:
        connection.execute(delete(received_conflict).where(c.stream == head.stream, c.digest == digest))
        row = {"stream": head.stream, "digest": digest, "epoch": head.epoch, "seq": seq, "ours": ours}
        rest = {"theirs": theirs, "statement": statement, "signature": signature, "received_at": wire_time(now)}
        connection.execute(insert(received_conflict), row | rest)


def completeness(
    connection: Connection, now: datetime, limit_days: Mapping[str, float] | float = 3.0, streams: Iterable[str] = ()
) -> list[Completeness]:
    """One row per stream, in order of names; `streams` adds those that should be there and were never heard of.

    Complete: the watermark has reached the furthest head that the node has signed, the chains are the same there,
    and the node has spoken within the limit (days, by programme or one for all). Read in one snapshot with the
    figures that it is to vouch for.
    """
    names = {*known_streams(connection), *streams}
    heads = read_heads(connection, names)
    rows = []
    for stream in sorted(names):
        start = chain_start(stream)
        known = stream in heads
        head = heads.get(stream) or Head(stream, 1, 0, start, 1, 0, start, None, "", OPEN)
        node, programme = stream.split("/")
        days = limit_days.get(programme, 3.0) if isinstance(limit_days, Mapping) else limit_days
        heard = parse_wire_time(head.manifest_at) if head.manifest_at else None
        missing = _missing(connection, head)
        differs = head.state == STOPPED or head.head_epoch != head.epoch
        if differs:
            state = "differs"
        elif missing:
            state = "missing"
        elif head.state == SEALED:
            state = "closed"
        elif heard is None or now - heard > timedelta(days=days):
            state = "not_known_since"
        else:
            state = "complete"
        rows.append(
            Completeness(
                stream=stream,
                node=node,
                programme=programme,
                epoch=head.epoch,
                head=head.head_seq if known else None,
                watermark=head.seq,
                chain=head.chain,
                same_chain=False if differs else None if missing or heard is None else True,
                manifest_at=heard,
                manifest_age_seconds=int((now - heard).total_seconds()) if heard else None,
                state=state,
                missing=missing,
                refused=_refused(connection, stream) if head.state == SEALED else 0,
            )
        )
    return rows


def _refused(connection: Connection, stream: str) -> int:
    c = received_refused.c
    query = select(func.count()).where(c.stream == stream, c.reason == Reason.SEALED.value)
    return int(connection.execute(query).scalar_one())


def _missing(connection: Connection, head: Head) -> tuple[tuple[int, int], ...]:
    """What lies between the watermark, the segments kept ahead of a gap, and the head.

    An early segment that the watermark has reached is missing until it has been applied: it may yet be refused.
    """
    gaps, following = [], head.seq + 1
    for first, last in connection.execute(_EARLY_RANGES, {"this": head.stream, "following": following}).all():
        if first > following:
            gaps.append((following, first - 1))
        following = max(following, last + 1)
    if following <= head.head_seq:
        gaps.append((following, head.head_seq))
    return tuple(gaps)
