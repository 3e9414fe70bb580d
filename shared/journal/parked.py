"""Parked lines: what a service could not take into effect, and the ways out (`polku parked`).

`follow` parks a line after `TRIES` failures, with the later lines of the same person behind it, in order. A queue is
all that one service has parked of one person. There are two ways out, both audited:

- **retry**: the queue's lines run again, oldest first, each in a unit of work of its own that also takes it off the
  list. The first that fails stays, with its new error, and everything behind it too.
- **drop**: the line never takes effect in this service. It stays in the journal, and whoever else heard it has heard
  it. What waited behind it stays parked until it is retried.

Both lock the service's cursor first, as following does: a line that is recorded meanwhile waits its turn.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from shared.contracts.errors import NotFound
from shared.journal.follow import Follower, databases_trouble, lock_cursor
from shared.journal.tables import journal_line, journal_parked
from shared.ops.clock import wire_time

log = logging.getLogger(__name__)

AT_ONCE = 100
"""Lines that one call of `retry` takes at most."""


@dataclass(frozen=True, slots=True)
class Retried:
    """What a retry did: positions that took effect; the line that is first in the queue now (None: it is empty), and
    the type of its error if it failed; the last journal position that the effects themselves recorded."""

    done: tuple[int, ...]
    at: int | None
    error: str | None
    pos: int | None


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every parked line, by service and position: what it is, why and since when. Nothing of its content."""
    line, c = journal_line.c, journal_parked.c
    query = (
        select(c.service, c.pos, line.stream, line.seq, line.kind, c.error, c.parked_at, c.subject)
        .join_from(journal_parked, journal_line, line.pos == c.pos)
        .order_by(c.service, c.pos)
    )
    first: dict[tuple[str, bytes], int] = {}
    rows = []
    for row in connection.execute(query):
        head = first.setdefault((row.service, row.subject), row.pos)
        shown = {name: value for name, value in row._mapping.items() if name != "subject"}
        rows.append(shown | {"queue": head})
    return rows


def counts(connection: Connection) -> dict[str, int]:
    """How many lines each service has parked."""
    query = select(journal_parked.c.service, func.count()).group_by(journal_parked.c.service)
    return {row[0]: row[1] for row in connection.execute(query)}


def retry(follower: Follower, pos: int, *, by: str, now: datetime) -> Retried:
    """Run the queue that the parked line at `pos` belongs to, from its oldest line on. Raises `NotFound`."""
    subject = _subject_of(follower, pos)
    done: list[int] = []
    recorded: int | None = None
    while len(done) < AT_ONCE:
        at = 0
        try:
            with follower.journal.unit(now) as unit:
                lock_cursor(unit.connection, follower.service)
                row = _next(unit.connection, follower.service, subject)
                if row is None:
                    return Retried(tuple(done), None, None, recorded)
                at = row.pos
                _take_off(unit.connection, follower.service, at)
                if row.line is not None:  # an erased line has no effect any more
                    follower.handle(unit, row.line)
                unit.audit(by, "retry_parked", service=follower.service, pos=at)
        except Exception as error:
            if not at or databases_trouble(error):
                raise
            log.error("a parked line failed again", extra={"service": follower.service, "pos": at}, exc_info=error)
            _note(follower, at, type(error).__name__, now)
            return Retried(tuple(done), at, type(error).__name__, recorded)
        done.append(at)
        recorded = unit.pos or recorded
    with follower.journal.engine.connect() as connection:
        row = _next(connection, follower.service, subject)
    return Retried(tuple(done), row.pos if row else None, None, recorded)


def drop(follower: Follower, pos: int, *, reason: str, by: str, now: datetime) -> int:
    """Give the parked line at `pos` up for this service; returns how many still wait behind it.

    `reason` is a code; it stands in the audit log. Raises `NotFound`.
    """
    service, c = follower.service, journal_parked.c
    with follower.journal.unit(now) as unit:
        lock_cursor(unit.connection, service)
        query = select(c.subject, c.error).where(c.service == service, c.pos == pos)
        row = unit.connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(what="parked line")
        _take_off(unit.connection, service, pos)
        unit.audit(by, "drop_parked", service=service, pos=pos, error=row.error, reason=reason)
        waiting = select(func.count()).where(c.service == service, c.subject == row.subject, c.pos > pos)
        return int(unit.connection.execute(waiting).scalar_one())


def _subject_of(follower: Follower, pos: int) -> bytes:
    c = journal_parked.c
    query = select(c.subject).where(c.service == follower.service, c.pos == pos)
    with follower.journal.engine.connect() as connection:
        subject = connection.execute(query).scalar_one_or_none()
    if subject is None:
        raise NotFound(what="parked line")
    return bytes(subject)


def _next(connection: Connection, service: str, subject: bytes) -> Any:
    c = journal_parked.c
    query = select(c.pos, journal_line.c.line).join_from(journal_parked, journal_line, journal_line.c.pos == c.pos)
    queue = query.where(c.service == service, c.subject == subject).order_by(c.pos)
    return connection.execute(queue.limit(1)).one_or_none()


def _take_off(connection: Connection, service: str, pos: int) -> None:
    c = journal_parked.c
    connection.execute(delete(journal_parked).where(c.service == service, c.pos == pos))


def _note(follower: Follower, pos: int, error: str, now: datetime) -> None:
    c = journal_parked.c
    with follower.journal.unit(now) as unit:
        row = update(journal_parked).where(c.service == follower.service, c.pos == pos)
        unit.connection.execute(row.values(error=error, parked_at=wire_time(now)))


def queues(rows: Sequence[dict[str, Any]]) -> list[tuple[str, int]]:
    """Service and first position of each queue in `listed` rows, in order."""
    return list(dict.fromkeys((row["service"], row["queue"]) for row in rows))
