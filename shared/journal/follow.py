"""Following the journal: how a service hears what others recorded, exactly once in effect.

A service has one cursor. `advance` takes the next line after it that the service has a handler for, calls the handler
and moves the cursor, in one unit of work: the handler's state, the facts it records and the cursor are committed
together, so a crash at any moment repeats the line or does not, and never half. Lines without a handler only move
the cursor, up to 500 at once. There is no other way to hear a fact: live, catching up and repair are this one.

A line whose handler fails is tried again; after `TRIES` it is **parked** with the error's type, and the later lines of
the same person queue behind it, in order (`polku parked`). A line without a subject cannot be set aside, because
everybody might depend on it: the service stops following there, says so in its health, and tries again.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, insert, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError

from shared.contracts.catalogue import FACTS
from shared.contracts.facts import Fact
from shared.journal.holding import is_held
from shared.journal.lines import Line, parse
from shared.journal.tables import journal_cursor, journal_head, journal_line, journal_parked
from shared.journal.unit import HOME_ROW, Journal, Unit
from shared.ops.clock import wire_time
from shared.ops.metrics import counter, gauge
from shared.storage.upsert import add_missing

log = logging.getLogger(__name__)

SKIP = 500
TOGETHER = 100
TRIES = 3

Handler = Callable[[Unit, Line, Fact], None]

parked_total = counter("polku_journal_parked_total", "Lines parked because their effect failed", "service")
stuck = gauge("polku_journal_follower_stuck", "1 while a service cannot go on past a line without subject", "service")


@dataclass(slots=True)
class Follower:
    """A service's way through the journal. `handlers` are keyed by (kind, v)."""

    journal: Journal
    service: str
    handlers: Mapping[tuple[str, int], Handler]
    _failures: dict[int, int] = field(default_factory=dict)
    stuck_at: int | None = None

    def advance(self, now: datetime) -> bool:
        """Take the next steps; False when there is nothing more to do now.

        Several lines share a transaction while all goes well; after a failure they go one by one, so that only
        the failing line is undone, counted and perhaps parked.
        """
        if not self._behind():
            return False
        alone = bool(self._failures)
        most = 1 if alone else TOGETHER
        pos = 0
        try:
            with self.journal.unit(now) as unit:
                cursor = lock_cursor(unit.connection, self.service)
                for row in _ahead(unit.connection, cursor, {kind for kind, _ in self.handlers}):
                    if row.line is not None:
                        if not most:
                            break
                        most -= 1
                        pos = row.pos
                        if not self._queued(unit, pos, row.subject):
                            self.handle(unit, row.line)
                    cursor = row.pos
                _move(unit.connection, self.service, cursor)
        except Exception as error:
            if not pos or databases_trouble(error):
                raise
            return self._failed(pos, error, now, alone)
        return True

    def _behind(self) -> bool:
        """Whether anything was committed past the cursor; asked without a lock, because mostly nothing was.

        A held home is not followed: an effect may be a new fact.
        """
        with self.journal.engine.connect() as connection:
            if is_held(connection):
                return False
            head = select(journal_head.c.seq).where(journal_head.c.name == HOME_ROW)
            pos, last = _position(connection, self.service), int(connection.execute(head).scalar_one())
        # It may also have been another worker of this service that got past what failed here.
        self._failures = {failed: tries for failed, tries in self._failures.items() if failed > pos}
        if self.stuck_at is not None and pos >= self.stuck_at:
            self.stuck_at = None
            stuck.labels(self.service).set(0)
        return last > pos

    def handle(self, unit: Unit, data: bytes) -> None:
        """Call the line's handler within the unit; a line that nobody here hears does nothing."""
        line = parse(data)
        handler = self.handlers.get((line.kind, line.v))
        if handler is not None:
            handler(unit, line, FACTS[line.kind, line.v].read(line.subject, line.body))

    def _queued(self, unit: Unit, pos: int, subject: bytes | None) -> bool:
        """Park the line too if an earlier one of the same person is parked."""
        if subject is None:
            return False
        waiting = select(journal_parked.c.pos).where(
            journal_parked.c.service == self.service, journal_parked.c.subject == subject
        )
        if unit.connection.execute(waiting.limit(1)).first() is None:
            return False
        self._park(unit, pos, subject, "waits for an earlier line")
        return True

    def _park(self, unit: Unit, pos: int, subject: bytes | None, error: str) -> None:
        row = {"service": self.service, "pos": pos, "subject": subject, "error": error}
        unit.connection.execute(insert(journal_parked), {**row, "parked_at": wire_time(unit.now)})
        parked_total.labels(self.service).inc()

    def _failed(self, pos: int, error: Exception, now: datetime, alone: bool) -> bool:
        if not alone:
            self._failures[pos] = 0
            return True
        tries = self._failures[pos] = self._failures.get(pos, 0) + 1
        log.error("a handler failed", extra={"service": self.service, "pos": pos, "tries": tries}, exc_info=error)
        if tries < TRIES:
            return True
        with self.journal.unit(now) as unit:
            if lock_cursor(unit.connection, self.service) >= pos:
                return True  # another worker of this service has got past it
            query = select(journal_line.c.subject).where(journal_line.c.pos == pos)
            subject = unit.connection.execute(query).scalar_one()
            if subject is not None:
                self._park(unit, pos, subject, type(error).__name__)
                _move(unit.connection, self.service, pos)
        if subject is None:
            self.stuck_at = pos
            stuck.labels(self.service).set(1)
            return False
        return True

    def follow_to(self, pos: int, now: Callable[[], datetime]) -> None:
        """Follow until `pos` has been passed or nothing more can be done: for a command that carries `after`."""
        while self.position() < pos and self.advance(now()):
            pass

    def position(self) -> int:
        """The last position this service has followed to."""
        with self.journal.engine.connect() as connection:
            return _position(connection, self.service)


def _position(connection: Connection, service: str) -> int:
    query = select(journal_cursor.c.pos).where(journal_cursor.c.service == service)
    return int(connection.execute(query).scalar_one_or_none() or 0)


def lock_cursor(connection: Connection, service: str) -> int:
    """The service's cursor, its row locked: two workers of one service do not handle the same line."""
    query = select(journal_cursor.c.pos).where(journal_cursor.c.service == service).with_for_update()
    pos = connection.execute(query).scalar_one_or_none()
    if pos is None:
        add_missing(connection, journal_cursor, {"service": service, "pos": 0})
        pos = connection.execute(query).scalar_one()
    return int(pos)


def _ahead(connection: Connection, cursor: int, kinds: set[str]) -> Sequence[Any]:
    """The next `SKIP` lines: pos, subject, and the line if its kind is one of `kinds`, else None."""
    line = case((journal_line.c.kind.in_(kinds), journal_line.c.line)).label("line")
    query = select(journal_line.c.pos, journal_line.c.subject, line).where(journal_line.c.pos > cursor)
    return connection.execute(query.order_by(journal_line.c.pos).limit(SKIP)).all()


def databases_trouble(error: Exception) -> bool:
    """Whether the database failed, not the line: connection lost, locked, full, broken. Then nothing is parked."""
    lines = DataError | IntegrityError | NotSupportedError | ProgrammingError
    return isinstance(error, DBAPIError) and not isinstance(error, lines)


def _move(connection: Connection, service: str, pos: int) -> None:
    connection.execute(update(journal_cursor).where(journal_cursor.c.service == service).values(pos=pos))
