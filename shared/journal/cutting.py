"""Segments cut from the lines of a journal, several at a time: part of `sending`."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from shared.journal import crypto
from shared.journal.planning import Ledger
from shared.journal.segment import Built, Item, build
from shared.ops.clock import wire_time
from shared.storage.upsert import read_many

AT_ONCE = 4
"""Segments of one reading, and of one transaction of their rows: each costs three ways to the database."""


class JournalDamaged(RuntimeError):
    """The home's own lines do not lead to its own head: a hole or a changed line. Nothing is shipped."""


@cache
def _lines(ledger: Ledger) -> Select[Any]:
    c = ledger.lines.c
    these = (c.stream == bindparam("stream")) & (c.seq >= bindparam("from")) & (c.seq <= bindparam("to"))
    return select(c.epoch, c.digest, c.line, c.seq).where(these).order_by(c.seq)


def cut_segments(
    connection: Connection,
    ledger: Ledger,
    stream: str,
    between: tuple[int, int],
    chain: bytes | None,
    signer: crypto.Key,
    sealed_to: bytes,
    max_lines: int,
    now: datetime,
) -> Sequence[Built]:
    """Some segments of the stream's lines `between`, both included, from the first one on; `chain` is the one before.

    Raises `JournalDamaged`.
    """
    first, last = between
    to = min(last, first + AT_ONCE * max_lines - 1)
    rows = read_many(connection, _lines(ledger), {"stream": stream, "from": first, "to": to})
    if chain is None or [row[3] for row in rows] != list(range(first, to + 1)):
        raise JournalDamaged
    cut = []
    while rows:
        some = rows[:max_lines]
        built = build(
            [Item(row[1], row[2]) for row in some if row[0] == some[0][0]],
            stream=stream,
            epoch=some[0][0],
            first=first,
            before=chain,
            signer=signer,
            sealed_to=sealed_to,
            time=now,
            max_lines=max_lines,
        )
        rows = rows[built.header.last - first + 1 :]
        first, chain = built.header.last + 1, built.header.chain
        cut.append(built)
    return cut


def segment_row(channel: str, built: Built, manifest: int, attempt: int) -> dict[str, Any]:
    """The row of `courier_segment` for a segment that is being written before this manifest."""
    header = built.header
    return {
        "stream": channel,
        "first": header.first,
        "epoch": header.epoch,
        "last": header.last,
        "before": header.before,
        "chain": header.chain,
        "size": len(built.data),
        "manifest": manifest,
        "attempt": attempt,
        "time": wire_time(header.time),
    }
