"""A restored home is held: it records nothing until each of its leads has answered.

Somebody may have recorded after the backup was made; what they recorded may have reached the lead. A home that went on
from the backup would give the same numbers to other facts: two histories. So `polku restore` of a node sets the hold
and forgets what the courier knew. While it holds, no unit of work commits a fact (`HomeHeld`), services do not follow,
the courier writes manifests, reads receipts, ships what the lead lacks of the backup, and takes nothing away
(`sending.Courier.listen`). A receipt that echoes one of these manifests was written after the restore, because nobody
else could name its nonce. When such a receipt has come for every stream that says our last line, in our epoch, the
courier ends the hold. One that says less does not do: behind the gap the lead may hold more, of what we have lost; nor
one of an epoch before ours: once somebody accepts that, the lead takes what it had refused.

If a lead is ahead, the lines that the home has lost come back first (`returning`), to be shown to people; they may have
been entered from paper, and only people know what became of them. Then the hold ends and the stream goes on from where
the backup stood, in the next epoch. The lead takes nothing of it until `polku lead accept-epoch` (`epochs`).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, case, delete, func, insert, select, union_all, update

from shared.contracts.purpose_facts import PurposeEnded
from shared.journal import closing
from shared.journal.carrier import stream_of
from shared.journal.carry_tables import (
    courier_manifest,
    courier_receipt,
    courier_segment,
    received_erased,
    received_line,
    received_segment,
)
from shared.journal.lines import Line, chain_start, parse
from shared.journal.received import SEALED, read_heads
from shared.journal.returning import CAME_BACK, Tail, forget, keep_erased
from shared.journal.tables import journal_head, journal_hold
from shared.ops.clock import parse_wire_time, wire_time
from shared.storage import snapshot, transaction
from shared.storage.upsert import add_missing

WAITING, BEHIND, AHEAD, DIFFERS = "waiting", "lead_behind", "lead_ahead", "differs"
NOT_ACCEPTED = "not_accepted"
DONE_AGAIN = frozenset({PurposeEnded.kind})
"""Kinds of lost lines whose effect the home brings about again by itself (0206); erasures, too, which are no line."""


def hold(connection: Connection, since: str, home: str = "") -> None:
    """Hold the home from now on, and forget what the courier of another life wrote and read, and what came back of the
    own streams of `home` after an earlier restore; `since` in wire form."""
    for table in (
        courier_receipt,
        courier_manifest,
        courier_segment,
        journal_hold,
    ):  # it may have been held at the backup
        connection.execute(delete(table))
    for table in (*CAME_BACK, received_erased):
        connection.execute(delete(table).where(table.c.stream.startswith(f"{home}/", autoescape=True)))
    connection.execute(insert(journal_hold), {"one": 1, "since": since})


def is_held(connection: Connection) -> bool:
    """Whether the home is held."""
    return connection.execute(select(journal_hold.c.one)).first() is not None


def held_streams(engine: Engine, streams: Sequence[str]) -> dict[str, str]:
    """Why the home is held, per stream of `streams` that has not been released; empty if it is not held."""
    with snapshot(engine) as connection:
        if not is_held(connection):
            return {}
        rows = {row.stream: row for row in connection.execute(select(courier_receipt))}
        heads = {row.name: (row.epoch, row.seq) for row in connection.execute(select(journal_head))}
    reasons = {}
    for stream in streams:
        row = rows.get(stream)
        if row is not None and row.conflict is not None:
            reasons[stream] = AHEAD if row.conflict == "receipt_ahead" else DIFFERS
        elif row is None or not row.manifest:
            reasons[stream] = WAITING
        elif (row.epoch, row.seq) != (head := heads.get(stream_of(stream), (1, 0))):
            reasons[stream] = BEHIND if row.epoch == head[0] else NOT_ACCEPTED
    return reasons


def go_on(engine: Engine, streams: Sequence[str], retrieve: Callable[[str], Tail | None]) -> bool:
    """End the hold if every lead has answered, and all that was lost has come back; False: not yet, or not held. Of a
    stream that is sealed only who was erased since can have been lost.

    `retrieve` asks for the end of a stream whose lead is ahead, see `returning.Retriever`.
    """
    reasons = held_streams(engine, streams)
    ahead = [stream for stream, reason in reasons.items() if reason == AHEAD]
    tails = [retrieve(stream) for stream in [*ahead, *_sealed(engine, streams)]]
    if len(ahead) < len(reasons) or None in tails:
        return False
    return release(engine, [tail for tail in tails if tail is not None])


def _sealed(engine: Engine, streams: Sequence[str]) -> list[str]:
    """Those that are sealed here and whose lead agrees: erasures of after the seal are no lines, so that a lead which
    knows of them is not ahead."""
    head, receipt = journal_head.c, courier_receipt.c
    both = journal_head.join(courier_receipt, (receipt.stream == head.name) & (receipt.seq == head.seq))
    query = select(head.name).select_from(both)
    query = query.where(head.name.in_(streams), head.closed == closing.SEALED, receipt.conflict.is_(None))
    with snapshot(engine) as connection:
        return list(connection.execute(query.order_by(head.name)).scalars())


def release(engine: Engine, tails: Iterable[Tail] = ()) -> bool:
    """End the hold, if there is one. The streams of `tails` go on in a new epoch, from where the backup stood; but for
    one that was sealed after the backup: nothing is recorded for it here any more, as before the loss."""
    with snapshot(engine) as connection:
        if not is_held(connection):
            return False
    with transaction(engine) as connection:
        connection.execute(delete(journal_hold))
        for tail in tails:
            _add_head(connection, tail.stream)
            sealed = closing.state_of(connection, *tail.stream.split("/")) == closing.SEALED
            sealed |= read_heads(connection, [tail.stream])[tail.stream].state == SEALED
            # The peer may have accepted an epoch that was opened after this backup.
            own = journal_head.c.epoch
            then = (
                {"closed": closing.SEALED} if sealed else {"epoch": 1 + case((own > tail.epoch, own), else_=tail.epoch)}
            )
            connection.execute(update(journal_head).where(journal_head.c.name == tail.stream).values(**then))
            keep_erased(connection, tail)
            if sealed:
                continue  # what the lead has said of it stands: it holds more of this stream than we do
            for table in (courier_receipt, courier_segment):
                connection.execute(delete(table).where(table.c.stream == tail.stream))
    return True


def came_back_at(engine: Engine, stream: str, now: datetime) -> datetime | None:
    """When the last of what this held home has lost of a stream came back, or its lead said that it has it, or the home
    was restored; None: it is not held. What a clock that is ahead of ours says is passed over."""
    c = received_segment.c
    came = select(c.received_at.label("at")).where(c.stream == stream, c.received_at != "")
    said = select(courier_receipt.c.time.label("at")).where(courier_receipt.c.stream == stream)
    times = union_all(came, said, select(journal_hold.c.since.label("at"))).subquery().c.at
    with snapshot(engine) as connection:
        last = connection.execute(select(func.max(times)).where(times <= wire_time(now))).scalar_one()
    return parse_wire_time(last) if last else None


def _add_head(connection: Connection, stream: str) -> None:
    """A stream that had no line at the backup has no head of its own yet."""
    add_missing(connection, journal_head, {"name": stream, "epoch": 1, "seq": 0, "chain": chain_start(stream)})


def go_on_in_another_epoch(connection: Connection, stream: str) -> None:
    """The stream's next line is of the next epoch: its lead, which was not asked, may have others under its numbers.

    A part of them that has come back is forgotten: nothing proves that it is ours.
    """
    forget(connection, stream)
    _add_head(connection, stream)
    this = journal_head.c.name == stream
    connection.execute(update(journal_head).where(this).values(epoch=journal_head.c.epoch + 1))


def lost_lines(connection: Connection, home: str, kind: str) -> list[Line]:
    """Of the lines that this home has lost those of one kind that were not erased since, in order; none while it is
    held, for until then nothing proves that they are its own."""
    c = received_line.c
    if is_held(connection):
        return []
    own = c.stream.startswith(f"{home}/", autoescape=True)
    query = select(c.line).where(own, c.kind == kind, c.line.is_not(None)).order_by(c.stream, c.seq)
    return [parse(line) for line in connection.execute(query).scalars()]


def lost(connection: Connection, home: str) -> list[dict[str, Any]]:
    """The lines that this home has lost and its leads have shown: what people have to look at again, in order.

    `kind` and `recorded_at` are null where the line was erased since.
    """
    c = received_line.c
    query = select(c.stream, c.epoch, c.seq, c.kind, c.line).where(c.stream.startswith(f"{home}/", autoescape=True))
    rows = connection.execute(query.order_by(c.stream, c.seq)).all()
    return [
        {
            "stream": row.stream,
            "epoch": row.epoch,
            "seq": row.seq,
            "kind": row.kind,
            "recorded_at": parse(row.line).recorded_at if row.line else None,
        }
        for row in rows
    ]
