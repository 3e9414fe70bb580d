"""Following the journal: how a service hears what others recorded, exactly once in effect.

A service has one cursor. `advance` takes the next line after it that the service has a handler for, calls the handler
and moves the cursor, in one unit of work: the handler's state, the facts it records and the cursor are committed
together, so a crash at any moment repeats the line or does not, and never half. Lines without a handler only move
the cursor, up to 500 at once. There is no other way to hear a fact: live, catching up and repair are this one.

A node follows two things in this way: its own journal, by position (`OwnLines`), and for each programme what its lead
has sent (`LeadLines`), by number. Of the lead it hears only what a lead may say: kinds of `LEADS`; and nobody hears
these from the home's own journal. So `@subscribes` is the same for both, and a lead cannot speak for a node.

A line whose handler fails is tried again; after `TRIES` it is **parked** with the error's type, and the later lines of
the same person queue behind it, in order (`polku parked`). A line without a subject cannot be set aside, because
everybody might depend on it: the service stops following there, says so in its health, and tries again. Lines of a
lead are never set aside: none has a subject. A newer version of a kind that the service hears stops it there too, until
this home has been upgraded.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, case, func, insert, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError

from shared.contracts.catalogue import FACTS
from shared.contracts.facts import Fact
from shared.journal.carry_tables import received_head, received_line
from shared.journal.holding import is_held
from shared.journal.lines import Line, parse
from shared.journal.tables import journal_cursor, journal_lead_cursor, journal_line, journal_parked
from shared.journal.unit import Journal, Unit, last_position
from shared.ops.clock import wire_time
from shared.ops.metrics import counter, gauge
from shared.storage.upsert import add_missing

log = logging.getLogger(__name__)

LEADS = "reporting."
"""How the kinds begin that a lead writes."""

SKIP = 500
TOGETHER = 100
TRIES = 3

Handler = Callable[[Unit, Line, Fact], None]

parked_total = counter("polku_journal_parked_total", "Lines parked because their effect failed", "service")
stuck = gauge("polku_journal_follower_stuck", "1 while a service cannot go on past a line without subject", "service")


class NewerFact(Exception):
    """A lead says in a newer version what this service hears. What is passed over now would not be heard after the
    upgrade, so the service goes no further with this lead; kinds that it does not know at all it cannot miss."""


class Lines(Protocol):
    """Lines in order, and how far a service has followed them. `parks`: a failing line may be set aside."""

    parks: bool

    def at(self, connection: Connection) -> int:
        """The last line this service has followed to; 0: none."""

    def last(self, connection: Connection) -> int:
        """The last line there is."""

    def lock(self, connection: Connection) -> int:
        """As `at`, with the cursor locked: two workers of one service do not handle the same line."""

    def ahead(self, connection: Connection, cursor: int, kinds: set[str]) -> Sequence[Any]:
        """The next `SKIP` lines: pos, subject, and the line if its kind is one of `kinds`, else None."""

    def move(self, connection: Connection, cursor: int) -> None:
        """Set the cursor, which is locked."""


@dataclass(frozen=True, slots=True)
class OwnLines:
    """The home's own journal, in the order of commits."""

    service: str
    parks = True

    def at(self, connection: Connection) -> int:
        return _position(connection, self.service)

    def last(self, connection: Connection) -> int:
        return last_position(connection)

    def lock(self, connection: Connection) -> int:
        return lock_cursor(connection, self.service)

    def ahead(self, connection: Connection, cursor: int, kinds: set[str]) -> Sequence[Any]:
        line = case((journal_line.c.kind.in_(kinds), journal_line.c.line)).label("line")
        query = select(journal_line.c.pos, journal_line.c.subject, line).where(journal_line.c.pos > cursor)
        return connection.execute(query.order_by(journal_line.c.pos).limit(SKIP)).all()

    def move(self, connection: Connection, cursor: int) -> None:
        this = journal_cursor.c.service == self.service
        connection.execute(update(journal_cursor).where(this).values(pos=cursor))


@dataclass(frozen=True, slots=True)
class LeadLines:
    """What the lead of a programme has sent: the received lines of its stream, in order of their numbers."""

    service: str
    stream: str
    parks = False

    def at(self, connection: Connection) -> int:
        return int(connection.execute(self._cursor()).scalar_one_or_none() or 0)

    def last(self, connection: Connection) -> int:
        head = select(received_head.c.seq).where(received_head.c.stream == self.stream)
        return int(connection.execute(head).scalar_one_or_none() or 0)

    def lock(self, connection: Connection) -> int:
        add_missing(connection, journal_lead_cursor, {"service": self.service, "stream": self.stream, "seq": 0})
        return int(connection.execute(self._cursor().with_for_update()).scalar_one())

    def ahead(self, connection: Connection, cursor: int, kinds: set[str]) -> Sequence[Any]:
        c = received_line.c
        line = case((c.kind.in_(kinds), c.line)).label("line")
        query = select(c.seq.label("pos"), c.subject, line).where(c.stream == self.stream, c.seq > cursor)
        return connection.execute(query.order_by(c.seq).limit(SKIP)).all()

    def move(self, connection: Connection, cursor: int) -> None:
        c = journal_lead_cursor.c
        this = (c.service == self.service) & (c.stream == self.stream)
        connection.execute(update(journal_lead_cursor).where(this).values(seq=cursor))

    def _cursor(self) -> Any:
        c = journal_lead_cursor.c
        return select(c.seq).where(c.service == self.service, c.stream == self.stream)


@dataclass(slots=True)
class Follower:
    """A service's way through lines: the home's own journal, or `elsewhere`. `handlers` are keyed by (kind, v);
    `committed` is told the position of facts that they recorded, after the commit: others may wait for them."""

    journal: Journal
    service: str
    handlers: Mapping[tuple[str, int], Handler]
    elsewhere: Lines | None = None
    committed: Callable[[int], object] = lambda _pos: None
    _failures: dict[int, int] = field(default_factory=dict)
    stuck_at: int | None = None
    lines: Lines = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.elsewhere or OwnLines(self.service)

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
                cursor = self.lines.lock(unit.connection)
                for row in self.lines.ahead(unit.connection, cursor, {kind for kind, _ in self.handlers}):
                    if row.line is not None:
                        if not most:
                            break
                        most -= 1
                        pos = row.pos
                        if not self._queued(unit, pos, row.subject):
                            self.handle(unit, row.line)
                    cursor = row.pos
                self.lines.move(unit.connection, cursor)
        except Exception as error:
            if not pos or databases_trouble(error):
                raise
            return self._failed(pos, error, now, alone)
        if unit.pos is not None:
            self.committed(unit.pos)
        return True

    def _behind(self) -> bool:
        """Whether anything was committed past the cursor; asked without a lock, because mostly nothing was.

        A held home is not followed: an effect may be a new fact.
        """
        with self.journal.engine.connect() as connection:
            if is_held(connection):
                return False
            pos, last = self.lines.at(connection), self.lines.last(connection)
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
        elif not self.lines.parks and line.v > max(v for kind, v in self.handlers if kind == line.kind):
            raise NewerFact

    def _queued(self, unit: Unit, pos: int, subject: bytes | None) -> bool:
        """Park the line too if an earlier one of the same person is parked."""
        if subject is None or not self.lines.parks:
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
            if self.lines.lock(unit.connection) >= pos:
                return True  # another worker of this service has got past it
            subject = self._subject(unit, pos) if self.lines.parks else None
            if subject is not None:
                self._park(unit, pos, subject, type(error).__name__)
                self.lines.move(unit.connection, pos)
        if subject is None:
            self.stuck_at = pos
            stuck.labels(self.service).set(1)
            return False
        return True

    def _subject(self, unit: Unit, pos: int) -> bytes | None:
        query = select(journal_line.c.subject).where(journal_line.c.pos == pos)
        subject: bytes | None = unit.connection.execute(query).scalar_one()
        return subject

    def follow_to(self, pos: int, now: Callable[[], datetime]) -> None:
        """Follow until `pos` has been passed or nothing more can be done: for a command that carries `after`."""
        while self.position() < pos and self.advance(now()):
            pass

    def position(self) -> int:
        """The last position this service has followed to."""
        with self.journal.engine.connect() as connection:
            return self.lines.at(connection)


@dataclass(slots=True)
class LeadFollowers:
    """A service's ways through the streams of its home's leads, one for each that has sent something. They are put
    into `followers` under the service's name and the stream's."""

    journal: Journal
    service: str
    handlers: Mapping[tuple[str, int], Handler]
    followers: dict[str, Follower]
    committed: Callable[[int], object] = lambda _pos: None

    def advance(self, now: datetime) -> bool:
        """Take the next steps on one of them; False when there is nothing more to do now."""
        if not self.handlers:
            return False
        for stream in self._behind():
            name = f"{self.service} {stream}"
            if name not in self.followers:
                lines = LeadLines(self.service, stream)
                ways = (self.journal, self.service, self.handlers, lines, self.committed)
                self.followers[name] = Follower(*ways)
            if self.followers[name].advance(now):
                return True
        return False

    def _behind(self) -> list[str]:
        head, cursor = received_head.c, journal_lead_cursor.c
        mine = (cursor.stream == head.stream) & (cursor.service == self.service)
        query = select(head.stream).outerjoin_from(received_head, journal_lead_cursor, mine)
        query = query.where(head.node == "lead", head.seq > func.coalesce(cursor.seq, 0)).order_by(head.stream)
        with self.journal.engine.connect() as connection:
            return list(connection.execute(query).scalars())


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


def databases_trouble(error: Exception) -> bool:
    """Whether the database failed, not the line: connection lost, locked, full, broken. Then nothing is parked."""
    lines = DataError | IntegrityError | NotSupportedError | ProgrammingError
    return isinstance(error, DBAPIError) and not isinstance(error, lines)
