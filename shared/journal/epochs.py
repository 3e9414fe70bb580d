"""A new epoch of a stream: what a restored home has lost is void, and its stream goes on from where its backup stood.

A restored home has taken note of what it lost (`returning`) and writes other lines under the same numbers, in the next
epoch. The lead takes none of them by itself: whoever could copy a home could rewrite its history. It notes the
**claim**: a signed statement of the new epoch that joins what the lead holds, at line `seq` with our chain there
(`received_epoch`). A home that is restored once more before anybody has accepted opens the same epoch at another line:
what it signed last is the claim. `polku lead accept-epoch` accepts it: what was held beyond `seq` moves, with its
proofs, into tables of its own (`received_void*`), is kept and shown, and is in no figure; the stream goes on at `seq`,
in the new epoch. How far the node has gone in it meanwhile it has signed (`note_reach`); whether that is all is not
known until it speaks again (`received.Head.heard`).

Call these under the lock of the stream's head (`received.lock_heads`).
"""

import json
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, true, update

from shared.journal import received
from shared.journal.carrier import back_of
from shared.journal.carry_tables import (
    courier_segment,
    received_claim,
    received_conflict,
    received_early,
    received_epoch,
    received_line,
    received_segment,
    received_void,
    received_void_segment,
)
from shared.journal.received import OPEN, STOPPED, Head
from shared.journal.statements import stated_place
from shared.ops.clock import parse_wire_time, wire_time


def note_claim(
    connection: Connection,
    head: Head,
    epoch: int,
    seq: int,
    chain: bytes,
    *,
    statement: bytes,
    signature: bytes,
    now: datetime,
) -> None:
    """Note that the node goes on in a later `epoch` after line `seq`, if what we hold has this chain there.

    Of two claims of one epoch the one that was signed later holds; a time ahead of ours counts as when it came.
    """
    if epoch <= head.epoch or seq > head.seq or received.chain_at(connection, head, seq) != chain:
        return
    c = received_epoch.c
    this = (c.stream == head.stream) & (c.epoch == epoch)
    row = {"stream": head.stream, "epoch": epoch, "seq": seq, "chain": chain, "statement": statement}
    row |= {"signature": signature, "claimed_at": wire_time(now)}
    known = connection.execute(select(c.statement, c.claimed_at).where(this)).one_or_none()
    if known is None:
        connection.execute(insert(received_epoch), row)
    elif _signed_at(known.statement, known.claimed_at) < _signed_at(statement, wire_time(now)):
        connection.execute(update(received_epoch).where(this).values(row))


def note_reach(head: Head, epoch: int, seq: int, chain: bytes, time: datetime, *, now: datetime, whole: bool) -> None:
    """The node has signed at `time` that its stream goes to `seq` in another epoch than ours (`whole`: a manifest), or
    at least so far (a segment). Of the last epoch that it has named we have to know as soon as somebody accepts it.
    What was signed before the newest manifest is in that, or of a history that it has given up. A time ahead of ours
    counts as when it came, and takes nothing back: it may have come before."""
    head.head_epoch, at = max(head.head_epoch, epoch), wire_time(min(time, now))
    head.spoke(time)
    if epoch <= head.epoch:
        return
    if head.spoke_at is not None and head.spoke_at == head.kept_at:
        # It was said after all that we have heard in our epoch, whatever the clock says with which it is signed.
        head.spoke_at = wire_time(parse_wire_time(head.spoke_at) + timedelta(microseconds=1))
    if epoch < head.next_epoch:
        return
    if epoch > head.next_epoch:
        head.next_epoch, head.next_seq, head.next_chain, head.next_at = epoch, seq, chain, None
    elif at >= (head.next_at or "") and (seq > head.next_seq or (whole and time <= now and at > (head.next_at or ""))):
        head.next_seq, head.next_chain = seq, chain
    if whole:
        head.next_at = max(at, head.next_at or "")


def _signed_at(statement: bytes, came: str) -> datetime:
    """When a claim's statement was signed: a manifest, or a segment's header and behind it the payload's digest."""
    members, _ = json.JSONDecoder().raw_decode(statement.decode("latin-1"))
    return parse_wire_time(min(members["time"], came))


def claimed(connection: Connection, head: Head) -> tuple[int, int] | None:
    """The newest epoch that the node claims and nobody has accepted, and the line after which it begins.

    None too if it has stated the epoch that we hold since, or one before: it was restored once more, and either goes on
    there or will open another.
    """
    c = received_epoch.c
    query = select(received_epoch).where(c.stream == head.stream, c.epoch > head.epoch)
    row = connection.execute(query.order_by(c.epoch.desc()).limit(1)).one_or_none()
    if row is None or row.seq > head.seq or received.chain_at(connection, head, row.seq) != row.chain:
        return None
    stated = parse_wire_time(head.kept_at) if head.kept_at else head.manifest and stated_place(head.manifest)[2]
    if stated and stated > _signed_at(row.statement, row.claimed_at):
        return None
    return row.epoch, row.seq


def given_up(connection: Connection, head: Head, time: datetime, before: str | None) -> bool:
    """Whether a manifest of our epoch that goes as far as any, signed at `time`, says that the node has given up the
    later one that it has named: it is the newest word of all, and so was, at `before`, another one of our epoch. One
    alone may have been on its way since before that epoch, and be signed by a clock that was ahead of the node's now.
    """
    newest = before is not None and before < wire_time(time) == head.spoke_at
    return newest and head.head_epoch > head.epoch and claimed(connection, head) is None


def acceptable(connection: Connection, head: Head) -> tuple[int, int] | None:
    """What somebody can accept now: a later epoch that the node claims, with the line after which it begins; or, of a
    stream that has stopped, the history that we hold. None: there is nothing to accept."""
    return claimed(connection, head) or ((head.epoch, head.seq) if head.state == STOPPED else None)


def accept(
    connection: Connection,
    head: Head,
    epoch: int,
    seq: int,
    accepted_at: str,
    *,
    held: int | None = None,
    now: datetime,
) -> bool:
    """Bring `head` and the tables to what was accepted; False if they are there already, not that far yet, or further
    than whoever accepted could know.

    A later epoch: void what is held beyond `seq`, go on there; if it is what the node claims, and nothing of that has
    come since (`held`: how far we stood then; None: a release that did not say so has recorded it). A lead and a node
    that were both restored may have gone on in another history, and to that the old acceptance is nothing. The epoch of
    the head: reopen the stream if all its conflicts are older; the history that we hold is the one that counts. What a
    clock that is ahead of ours has dated is older.
    """
    unseen = held is not None and head.seq > held
    if unseen or not _counts(connection, head, epoch, seq, accepted_at, now):
        return False
    chain = received.chain_at(connection, head, seq)
    for table, void, number in (
        (received_line, received_void, received_line.c.seq),
        (received_segment, received_void_segment, received_segment.c.last),
    ):
        beyond = (table.c.stream == head.stream) & (number > seq)
        names = [column.name for column in table.c]
        connection.execute(insert(void).from_select(names, select(table).where(beyond)))
        connection.execute(delete(table).where(beyond))
    for ahead in (received_early, received_claim):
        connection.execute(delete(ahead).where(ahead.c.stream == head.stream))
    if epoch != head.epoch:  # what was on its way back to the node is of what is void now
        connection.execute(delete(courier_segment).where(courier_segment.c.stream == back_of(head.stream)))
    # Those of before may be of the history that is void; the node states the one that counts within minutes.
    head.manifest = _manifest_of(connection, head.stream, epoch, seq)
    head.accepted_at, head.accepted_after, head.manifest_at = accepted_at, head.spoke_at, None
    head.head_seq, head.head_chain = seq, chain
    if epoch == head.next_epoch > head.epoch and head.next_chain and head.next_seq > seq:
        head.head_seq, head.head_chain = head.next_seq, head.next_chain
    # Of a later one that the node has named beside this we go on to know; of ours accepted nothing is left.
    head.head_epoch = epoch if epoch == head.epoch else max(head.head_epoch, epoch)
    head.epoch, head.seq, head.chain, head.state, head.claims = epoch, seq, chain, OPEN, {}
    return True


def _counts(connection: Connection, head: Head, epoch: int, seq: int, accepted_at: str, now: datetime) -> bool:
    """Whether what was accepted is to be brought about now; see `accept`."""
    beyond: ColumnElement[bool] = true()
    if epoch == head.epoch:
        table, last = received_conflict, head.accepted_at or ""
        done = accepted_at == last or accepted_at < last <= wire_time(now)
        if done or head.state != STOPPED or head.seq != seq:
            return False
    else:
        table, beyond = received_segment, received_segment.c.last > seq
        if epoch < head.epoch or claimed(connection, head) != (epoch, seq):
            return False
    came = table.c.received_at
    since = select(came).where(table.c.stream == head.stream, beyond, came >= accepted_at, came <= wire_time(now))
    return connection.execute(since.limit(1)).first() is None


def go_on(connection: Connection, head: Head) -> bool:
    """For a restored home, which gets its own stream back: go on in the next epoch that its peer says begins where
    `head` stands; False if there is none. Nothing becomes void, and what was said of the epoch before is forgotten."""
    c = received_epoch.c
    here = (c.stream == head.stream) & (c.epoch > head.epoch) & (c.seq == head.seq) & (c.chain == head.chain)
    epoch = connection.execute(select(func.min(c.epoch)).where(here)).scalar_one()
    if epoch is None or head.state != OPEN:
        return False
    for ahead in (received_early, received_claim):
        connection.execute(delete(ahead).where(ahead.c.stream == head.stream))
    head.epoch = head.head_epoch = epoch
    head.head_seq, head.head_chain, head.claims = head.seq, head.chain, {}
    head.manifest, head.manifest_at, head.echo = None, None, ""
    return True


def opening(connection: Connection, stream: str, epoch: int, seq: int) -> tuple[bytes, bytes, bytes] | None:
    """The header, payload digest and signature of the segment that opened an epoch after line `seq`: the node's word on
    the chain there, where no segment that we hold ends. None if a manifest said so, or nobody has."""
    statement, signature = _claim(connection, stream, epoch, seq)
    end = _header_end(statement)
    return (statement[:end], statement[end:], signature) if end < len(statement) else None


def _manifest_of(connection: Connection, stream: str, epoch: int, seq: int) -> bytes | None:
    """The manifest that claimed an epoch, as it came; None if it was a segment."""
    statement, signature = _claim(connection, stream, epoch, seq)
    whole = statement and _header_end(statement) == len(statement)
    return statement + b"\n" + signature.hex().encode() + b"\n" if whole else None


def _claim(connection: Connection, stream: str, epoch: int, seq: int) -> tuple[bytes, bytes]:
    c = received_epoch.c
    query = select(c.statement, c.signature).where(c.stream == stream, c.epoch == epoch, c.seq == seq)
    row = connection.execute(query).one_or_none()
    return (bytes(row.statement), bytes(row.signature)) if row else (b"", b"")


def _header_end(statement: bytes) -> int:
    """Where the JSON of a statement ends."""
    return json.JSONDecoder().raw_decode(statement.decode("latin-1"))[1] if statement else 0


def void_lines(connection: Connection) -> dict[str, int]:
    """How many void lines there are, by stream."""
    c = received_void.c
    return {row[0]: row[1] for row in connection.execute(select(c.stream, func.count()).group_by(c.stream))}
