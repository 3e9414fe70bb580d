"""What a round of the courier has to do for a stream, worked out from what the database and the carrier say.

Reads only; `sending` acts. Every rule of the module docstring there that needs thought is a function here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, func, select

from shared.journal.carrier import Place, stream_of
from shared.journal.carry_tables import (
    courier_manifest,
    courier_receipt,
    courier_segment,
    received_head,
    received_line,
)
from shared.journal.lines import BadLine, chain_next, chain_start, parse
from shared.journal.statements import Receipt
from shared.journal.tables import journal_head, journal_line
from shared.ops.clock import parse_wire_time

RETRY_AT_MOST = timedelta(hours=1)
SEGMENTS_WAITING = 1000
"""Segments that wait for a receipt, after which only full ones are written."""

# Asked in every round for every stream: making such a statement costs twice as much as running it.
_RECEIPT = select(courier_receipt).where(courier_receipt.c.stream == bindparam("channel"))
_SEGMENTS = (
    select(courier_segment).where(courier_segment.c.stream == bindparam("channel")).order_by(courier_segment.c.first)
)
_MANIFESTS = (
    select(courier_manifest)
    .where(courier_manifest.c.stream == bindparam("channel"))
    .order_by(courier_manifest.c.number)
)
_OLDEST = (
    select(journal_line.c.line)
    .where(
        journal_line.c.stream == bindparam("name"),
        journal_line.c.seq > bindparam("after"),
        journal_line.c.line.is_not(None),
    )
    .order_by(journal_line.c.seq)
    .limit(1)
)


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """Where a courier takes lines from: a table of lines (`stream, epoch, seq, digest, line`) and one of heads
    (`epoch, seq, chain`), in which `name` is the stream's."""

    lines: Table
    heads: Table
    name: Any


OWN = Ledger(journal_line, journal_head, journal_head.c.name)
"""The home's own journal."""

RECEIVED = Ledger(received_line, received_head, received_head.c.stream)
"""What was received of others: so a stream's tail goes back to the home that has lost it (`returning`)."""


@cache
def _head(ledger: Ledger) -> Select[Any]:
    return select(ledger.heads).where(ledger.name == bindparam("stream"))


@cache
def _digests(ledger: Ledger) -> Select[Any]:
    c = ledger.lines.c
    these = (c.stream == bindparam("stream")) & (c.seq > bindparam("after")) & (c.seq <= bindparam("to"))
    return select(c.seq, c.digest).where(these).order_by(c.seq)


@dataclass(frozen=True, slots=True)
class View:
    """What the database says about a stream, in one snapshot.

    `epoch`, `seq`, `chain` are the head; `receipt`, `segments`, `manifest` (the last one) are rows of the tables
    `courier_*`, None where there is none; `numbers` maps the nonces of manifests to their numbers.
    """

    epoch: int
    seq: int
    chain: bytes
    receipt: Any
    segments: Sequence[Any]
    manifest: Any
    numbers: Mapping[str, int]


def load(connection: Connection, channel: str, ledger: Ledger = OWN) -> View:
    """The head of the channel's stream, the receipt believed, the segments and manifests written."""
    stream = stream_of(channel)
    this = {"channel": channel}
    head = connection.execute(_head(ledger), {"stream": stream}).one_or_none()
    written = connection.execute(_MANIFESTS, this).all()
    return View(
        head.epoch if head else 1,
        head.seq if head else 0,
        head.chain if head else chain_start(stream),
        receipt_of(connection, channel),
        connection.execute(_SEGMENTS, this).all(),
        written[-1] if written else None,
        {row.nonce: row.number for row in written},
    )


def receipt_of(connection: Connection, channel: str) -> Any | None:
    """The newest receipt of the channel that was believed; None: there is none yet."""
    return connection.execute(_RECEIPT, {"channel": channel}).one_or_none()


def last_number(view: View) -> int:
    """The number of the last manifest. Numbers never go back, even if the manifests' rows are gone."""
    echoed = view.receipt.manifest if view.receipt else 0
    return max(view.manifest.number if view.manifest else 0, echoed)


def is_stale(receipt: Receipt, view: View) -> bool:
    """Whether the receipt may be older than the one already believed; see `sending`.

    Of two leads that answered the same manifest, one took the other's place, and nobody can tell which: the newer one
    shows itself by answering a later manifest.
    """
    known, number = view.receipt, view.numbers.get(receipt.echo, 0)
    if known is None:
        return False
    if number > known.manifest:
        if known.manifest > 0 or number > known.stated:
            return False
        # What answers none of our manifests was believed when these had been written: this may be older still.
        older = receipt.seq <= known.seq and receipt.time < parse_wire_time(known.time)
        return bool(receipt.incarnation != known.incarnation or older)
    if number < known.manifest:
        return True
    if receipt.incarnation != known.incarnation:
        return bool(known.incarnation)
    return bool(receipt.seq < known.seq)


def chain_at(connection: Connection, stream: str, view: View, seq: int, ledger: Ledger = OWN) -> bytes | None:
    """Our chain at line `seq`, from the nearest line before it whose chain we know; None if lines are missing."""
    known = {0: chain_start(stream), view.seq: view.chain}
    if view.receipt is not None:
        known[view.receipt.seq] = view.receipt.chain
    for row in view.segments:
        known |= {row.first - 1: row.before, row.last: row.chain}
    at = max(start for start in known if start <= seq)
    chain: bytes = known[at]
    for row in connection.execute(_digests(ledger), {"stream": stream, "after": at, "to": seq}):
        if row.seq != at + 1:
            return None
        at, chain = row.seq, chain_next(chain, row.digest)
    return chain if at == seq else None


def end_of_epoch(connection: Connection, stream: str, epoch: int, ledger: Ledger = OWN) -> int:
    """The last line of the stream that is of this epoch or an earlier one; 0: there is none."""
    c = ledger.lines.c
    last = select(func.max(c.seq)).where(c.stream == stream, c.epoch <= epoch)
    return int(connection.execute(last).scalar_one() or 0)


def oldest_without_receipt(connection: Connection, stream: str, view: View) -> datetime | None:
    """When the oldest line without a receipt was recorded; None if there is none. Erased lines say no time."""
    at = view.receipt.seq if view.receipt else 0
    if at >= view.seq:
        return None
    line = connection.execute(_OLDEST, {"name": stream, "after": at}).scalar_one_or_none()
    try:
        return parse_wire_time(parse(line).recorded_at) if line else None
    except BadLine:  # whoever ships it will be told; how old it is nobody can say
        return None


def place_of(row: Any) -> Place:
    """Where the segment of a `courier_segment` row lies."""
    return Place(row.epoch, row.first, row.last)


def sort_out(
    view: View, found: Mapping[Place, int], now: datetime, interval: timedelta
) -> tuple[list[Any], dict[int, str]]:
    """The segments that stay, and those that go, by first line: "covered", "missing" or "refused"."""
    at, echoed = (view.receipt.seq, view.receipt.manifest) if view.receipt else (0, 0)
    keep: list[Any] = []
    drop: dict[int, str] = {}
    for row in view.segments:
        if row.last <= at or (keep and row.last <= keep[-1].last):
            drop[row.first] = "covered"
        elif found.get(place_of(row)) != row.size:
            drop[row.first] = "missing"
        elif row.manifest <= echoed and _retry_is_due(row, now, interval):
            drop[row.first] = "refused"
        else:
            keep.append(row)
    return keep, drop


def _retry_is_due(row: Any, now: datetime, interval: timedelta) -> bool:
    if row.attempt == 0:
        return True
    wait = min(interval * 2 ** min(row.attempt - 1, 10), RETRY_AT_MOST)
    return not timedelta() <= now - parse_wire_time(row.time) < wait


def gaps(view: View, keep: Iterable[Any]) -> list[tuple[int, int, bytes]]:
    """Runs of lines after the receipt without a segment: first, last, and the chain that ours must have there."""
    following = view.receipt.seq + 1 if view.receipt else 1
    gaps = []
    for row in keep:
        if row.first > following:
            gaps.append((following, row.first - 1, row.before))
        following = max(following, row.last + 1)
    if following <= view.seq:
        gaps.append((following, view.seq, view.chain))
    return gaps


def due(view: View, keep: Sequence[Any], max_lines: int) -> list[tuple[int, int, bytes]]:
    """The gaps to write now: all, but after many segments without a receipt new lines wait until they fill one.

    Else a segment of few lines would lie there for every round of a long outage of the peer.
    """
    found = gaps(view, keep)
    if found and len(keep) >= SEGMENTS_WAITING:
        first, last, _ = found[-1]
        if first > keep[-1].last and last - first + 1 < max_lines:
            found.pop()
    return found


def history(view: View, drop: Mapping[int, str], first: int, last: int) -> tuple[str, int]:
    """Why these lines are written (new, missing, refused), and how often they had been refused before."""
    why, attempt = "new", 0
    for row in view.segments:
        fate = drop.get(row.first)
        if fate in ("missing", "refused") and row.first <= last and row.last >= first:
            why = fate if why != "refused" else why
            attempt = max(attempt, row.attempt + (fate == "refused"))
    return why, attempt
