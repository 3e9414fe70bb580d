"""What the lines of this home say, for whoever asks: about people, of a kind, on a stream. An erased one says nothing.

A service learns of what is new by `follow`; this is for what has no table of its own.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from shared.journal.carry_tables import received_line
from shared.journal.lines import Line, parse
from shared.journal.tables import journal_head, journal_line

_BATCH = 1000
"""Lines of a stream that are in memory at a time."""


def lines_about(
    connection: Connection, subjects: Iterable[str], kinds: Collection[str] | None = None
) -> Iterator[Line]:
    """The lines about these people, in the journal's order (`kinds`: those alone)."""
    c, raw = journal_line.c, [bytes.fromhex(subject) for subject in subjects]
    query = select(c.line).where(c.subject.in_(raw), c.line.is_not(None)).order_by(c.pos)
    if kinds is not None:
        query = query.where(c.kind.in_(kinds))
    return map(parse, connection.execute(query).scalars())


def kinds_about(connection: Connection, subject: bytes) -> set[str]:
    """Of which kinds there are lines about somebody."""
    query = select(journal_line.c.kind).where(journal_line.c.subject == subject).distinct()
    return set(connection.execute(query).scalars())


def lines_of_kind(connection: Connection, kind: str, stream: str | None = None) -> Iterator[Line]:
    """The lines of one kind, in the journal's order (`stream`: on that one alone)."""
    c = journal_line.c
    query = select(c.line).where(c.kind == kind, c.line.is_not(None)).order_by(c.pos)
    if stream is not None:
        query = query.where(c.stream == stream)
    return map(parse, connection.execute(query).scalars())


def rows_of(connection: Connection, streams: Collection[str]) -> Iterator[Any]:
    """The lines of these streams in the journal's order, each as it is stored: `stream`, `subject`, `line`."""
    c = journal_line.c
    query = select(c.stream, c.subject, c.line).where(c.stream.in_(streams), c.line.is_not(None)).order_by(c.pos)
    yield from connection.execute(query.execution_options(yield_per=_BATCH))


def chained_rows(connection: Connection, stream: str) -> Iterator[Any]:
    """Everything that the chain of a stream is over, in order: `digest`, `kind` and `line`, both None once erased."""
    c = journal_line.c
    query = select(c.digest, c.line, c.kind).where(c.stream == stream).order_by(c.seq)
    yield from connection.execute(query.execution_options(yield_per=_BATCH))


def last_numbers(connection: Connection, beginning: str) -> dict[str, int]:
    """The number of the last line of each stream whose name begins so."""
    c = journal_head.c
    rows = connection.execute(select(c.name, c.seq).where(c.name.startswith(beginning, autoescape=True)))
    return {row.name: row.seq for row in rows}


def received_lines(connection: Connection, stream: str) -> Sequence[bytes]:
    """The lines of a stream that another home has sent, in order."""
    c = received_line.c
    query = select(c.line).where(c.stream == stream, c.line.is_not(None)).order_by(c.seq)
    return connection.execute(query).scalars().all()


def numbered_rows(connection: Connection, stream: str, numbers: Collection[int]) -> Sequence[Any]:
    """The lines with these numbers in a stream: `seq`, `kind`, `line`; of several epochs the newest last."""
    c = journal_line.c
    query = select(c.seq, c.kind, c.line).where(c.stream == stream, c.seq.in_(numbers)).order_by(c.epoch)
    return connection.execute(query).all()
