"""A home's journal for the tests of unit, follow and audit: facts to record, and what a journal must always be."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, event, select

from shared.contracts.catalogue import HeadsCounted, ProgrammeLoaded, SessionHeld, StandingReached
from shared.journal import Journal, lines
from shared.journal.tables import journal_head, journal_line

NODE = "pori-0a1b2c3d"
NOW = datetime(2026, 11, 22, 9, 15, 2, 123456, tzinfo=UTC)
ANNA, BERTTA = "a" * 32, "b" * 32


def journal_of(engine: Engine) -> Journal:
    return Journal(engine, NODE)


def session(number: int = 0) -> SessionHeld:
    """A fact about nobody."""
    return SessionHeld(session=f"{number:032x}", activity="kaapeli", occurred_on="2026-11-22")


def standing(subject: str = ANNA) -> StandingReached:
    """A fact about a person."""
    return StandingReached(subject, standing="client")


def heads(number: int = 0) -> HeadsCounted:
    return HeadsCounted(session=f"{number:032x}", heads=number, basis="counted")


def loaded() -> ProgrammeLoaded:
    """A fact that stays on the node."""
    return ProgrammeLoaded(**ProgrammeLoaded.example)


def record(journal: Journal, *facts: Any, programme: str = "lahde") -> int:
    """Record facts in one unit; the position of the last."""
    with journal.unit(NOW) as unit:
        for fact in facts:
            unit.record(fact, programme)
    assert unit.pos is not None
    return unit.pos


def rows_of(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(journal_line).order_by(journal_line.c.pos)))


def assert_whole(engine: Engine) -> list[Any]:
    """Positions and numbers without hole, columns as the lines say, chains as their heads say; returns the rows."""
    rows = rows_of(engine)
    assert [row.pos for row in rows] == list(range(1, len(rows) + 1))
    ends: dict[str, tuple[int, bytes]] = {}
    for row in rows:
        line = lines.parse(row.line)
        seq, chain = ends.get(row.stream, (0, lines.chain_start(row.stream)))
        assert (line.stream, line.epoch, line.seq) == (row.stream, row.epoch, row.seq) == (row.stream, 1, seq + 1)
        assert (line.kind, line.subject) == (row.kind, row.subject and row.subject.hex())
        assert lines.line_digest(row.line) == row.digest
        ends[row.stream] = seq + 1, lines.chain_next(chain, row.digest)
    with engine.connect() as connection:
        heads = {row.name: (row.seq, row.chain) for row in connection.execute(select(journal_head))}
    heads.pop("audit", None)
    assert heads.pop("") == (len(rows), b"")
    assert heads == ends
    return rows


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_at(engine: Engine, step: int) -> Iterator[None]:
    """End the process at its `step`-th statement or commit, counted from 0."""
    left = step

    def count(*_: Any, **__: Any) -> None:
        nonlocal left
        left -= 1
        if left == -1:
            raise Killed

    def at_commit(_connection: Connection) -> None:
        count()

    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", at_commit)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)
        event.remove(engine, "commit", at_commit)
