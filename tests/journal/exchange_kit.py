"""A node and its lead in one process, with a carrier in between that does what carriers do. For the exchange tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, PoolProxiedConnection, func, insert, select, update

from shared.journal import carry_tables as tables
from shared.journal import crypto, receiving, sending
from shared.journal.carrier import MANIFEST, RECEIPT, Carrier, Found, Place, place_named
from shared.journal.carry_tables import received_head, received_line
from shared.journal.lines import Line, chain_next, chain_start, line_digest, serialise
from shared.journal.received import Completeness, completeness
from shared.journal.receiving import Receiver, Taken
from shared.journal.segment import Item
from shared.journal.sending import Courier, Sent
from shared.journal.tables import journal_head, journal_line
from shared.storage import metadata, open_engine, transaction

STREAM = "pori-0a1b2c3d/lahde"
OTHER = "eura-00000002/lahde"
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def make_key(name: str) -> crypto.Key:
    private = os.urandom(32)
    return crypto.Key(name, 1, private, crypto.public_half(name, private))


def public(key: crypto.Key) -> dict[str, bytes]:
    assert key.public is not None
    return {key.id: key.public}


def a_line(seq: int, stream: str = STREAM, epoch: int = 1, heads: int = 7) -> bytes:
    """The line number `seq`; the same arguments give the same bytes."""
    return serialise(
        Line(
            stream,
            epoch,
            seq,
            "activities.heads_counted",
            1,
            "2026-11-22T09:15:02.123456Z",
            None if seq % 2 else f"{seq:032x}",
            f"{seq * 7919:032x}",
            {"session": f"{seq:032x}", "heads": heads, "basis": "counted"},
        )
    )


def some_items(first: int, last: int, stream: str = STREAM) -> list[Item]:
    lines = [a_line(seq, stream) for seq in range(first, last + 1)]
    return [Item(line_digest(line), line) for line in lines]


@cache
def _made() -> PoolProxiedConnection:
    """A database in memory with every table: making them takes many times as long as copying them."""
    engine = open_engine("sqlite://")
    metadata.create_all(engine)
    return engine.raw_connection()


def new_engine(url: str = "sqlite://") -> Engine:
    """A database with every table."""
    engine = open_engine(url)
    if engine.dialect.name == "postgresql":
        metadata.create_all(engine)
    elif engine.url.database:
        Path(engine.url.database).write_bytes(_made().driver_connection.serialize())
    else:
        empty = engine.raw_connection()
        _made().driver_connection.backup(empty.driver_connection)
        empty.close()
    return engine


def append(engine: Engine, count: int, stream: str = STREAM, heads: int = 7, erased: bool = False) -> None:
    """Put lines into the journal, as the unit of work would."""
    with transaction(engine) as connection:
        row = connection.execute(select(journal_head).where(journal_head.c.name == stream)).one_or_none()
        seq, chain = (row.seq, row.chain) if row else (0, chain_start(stream))
        if row is None:
            start = {"name": stream, "seq": 0, "epoch": 1, "chain": chain}
            connection.execute(insert(journal_head), start)
        last = connection.execute(select(journal_line.c.pos).order_by(journal_line.c.pos.desc()).limit(1))
        pos = last.scalar_one_or_none() or 0
        for _ in range(count):
            seq, pos = seq + 1, pos + 1
            line = a_line(seq, stream, heads=heads)
            chain = chain_next(chain, line_digest(line))
            row_ = {"pos": pos, "stream": stream, "epoch": 1, "seq": seq, "digest": line_digest(line)}
            rest = {"kind": None, "line": None} if erased else {"kind": "activities.heads_counted", "line": line}
            connection.execute(insert(journal_line), row_ | rest)
        values = {"seq": seq, "chain": chain}
        connection.execute(update(journal_head).where(journal_head.c.name == stream).values(**values))


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Fuse:
    """Ends the process at the n-th step it is asked about; None: never."""

    left: int | None = None

    def step(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise Killed


@dataclass
class Pipe:
    """A carrier in memory. What the node writes is `sent`; the lead sees what has `arrived`.

    With `open` both are the same at all times; without it, somebody delivers.
    """

    fuse: Fuse = field(default_factory=Fuse)
    open: bool = True
    sent: dict[tuple[str, Place], bytes] = field(default_factory=dict)
    arrived: dict[tuple[str, Place], tuple[bytes, int]] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    arrived_manifests: dict[str, bytes] = field(default_factory=dict)
    receipts: dict[str, bytes] = field(default_factory=dict)
    arrived_receipts: dict[str, bytes] = field(default_factory=dict)
    archive: list[tuple[str, Place, bytes]] = field(default_factory=list)
    reading_lead: bool = False
    version: int = 0

    def put(self, stream: str, place: Place, data: bytes) -> None:
        """Let bytes arrive at the lead."""
        self.version += 1
        self.arrived[stream, place] = data, self.version

    def sync(self) -> None:
        """Deliver everything that differs, and take away what the node has deleted."""
        for key in [key for key in self.arrived if key not in self.sent]:
            del self.arrived[key]
        for (stream, place), data in self.sent.items():
            if (stream, place) not in self.arrived or self.arrived[stream, place][0] != data:
                self.put(stream, place, data)
        self.arrived_manifests = dict(self.manifests)
        self.arrived_receipts = dict(self.receipts)

    def _did(self) -> None:
        if self.open:
            self.sync()
        self.fuse.step()

    def list_segments(self, stream: str) -> list[Found]:
        if self.reading_lead:
            return sorted(Found(p, len(d), str(v)) for (s, p), (d, v) in self.arrived.items() if s == stream)
        return sorted(Found(p, len(d), "") for (s, p), d in self.sent.items() if s == stream)

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        if name == MANIFEST:
            return self.arrived_manifests.get(channel)
        if name == RECEIPT:
            return self.arrived_receipts.get(channel)
        self.fuse.step()
        found = self.arrived.get((channel, _place(name)))
        return found[0][:limit] if found else None

    def write(self, channel: str, name: str, data: bytes) -> None:
        self.fuse.step()
        if name == MANIFEST:
            self.manifests[channel] = data
        elif name == RECEIPT:
            self.receipts[channel] = data
        else:
            self.sent[channel, _place(name)] = data
            self.archive.append((channel, _place(name), data))
        self._did()

    def delete(self, channel: str, name: str) -> None:
        self.fuse.step()
        self.sent.pop((channel, _place(name)), None)
        self._did()

    def decided(self, channel: str, found: Found) -> None:
        """It stays, as in a folder."""


def _place(name: str) -> Place:
    place = place_named(name)
    assert place is not None
    return place


@dataclass
class World:
    """One node, one lead, a carrier and a clock. `courier()` and `receiver()` are rounds of these processes.

    `carrier` is the node's end, `lead_end` the lead's if that is another object.
    """

    node: Engine = field(default_factory=new_engine)
    lead: Engine = field(default_factory=new_engine)
    carrier: Carrier = field(default_factory=Pipe)
    lead_end: Carrier | None = None
    now: datetime = START
    max_lines: int = 3
    early_limit: int = 1000
    streams: tuple[str, ...] = (STREAM,)
    node_key: crypto.Key = field(default_factory=lambda: make_key("signing"))
    lead_key: crypto.Key = field(default_factory=lambda: make_key("signing"))
    lead_receiving: crypto.Key = field(default_factory=lambda: make_key("receiving"))
    fuse: Fuse = field(default_factory=Fuse)
    _courier: Courier | None = None
    _receiver: Receiver | None = None

    def __post_init__(self) -> None:
        if isinstance(self.carrier, Pipe):
            self.carrier.fuse = self.fuse

    @property
    def pipe(self) -> Pipe:
        assert isinstance(self.carrier, Pipe)
        return self.carrier

    @property
    def admitted(self) -> dict[str, dict[str, bytes]]:
        return {stream: public(self.node_key) for stream in self.streams}

    def courier(self) -> dict[str, Sent]:
        if self._courier is None:
            assert self.lead_receiving.public is not None
            self._courier = Courier(
                self.node,
                self.carrier,
                self.node_key,
                public(self.lead_key),
                self.lead_receiving.public,
                max_lines=self.max_lines,
            )
        if isinstance(self.carrier, Pipe):
            self.carrier.reading_lead = False
        with self._fused():
            return self._courier.round(self.streams, self.now)

    def receiver(self) -> Taken:
        if self._receiver is None:
            self._receiver = Receiver(
                self.lead,
                self.lead_end or self.carrier,
                self.lead_key,
                {self.lead_receiving.id: self.lead_receiving.secret()},
                early_limit=self.early_limit,
            )
        if isinstance(self.carrier, Pipe):
            self.carrier.reading_lead = True
        with self._fused():
            return self._receiver.round(self.admitted, self.now)

    def restart(self) -> None:
        """Both processes end and start again: their memory is gone."""
        self._courier = self._receiver = None

    def later(self, seconds: float = 5) -> None:
        self.now += timedelta(seconds=seconds)

    @contextmanager
    def _fused(self) -> Iterator[None]:
        """Count the beginning and the end of each transaction as steps at which the process may be killed."""
        real = transaction

        @contextmanager
        def fused(engine: Engine) -> Iterator[Connection]:
            self.fuse.step()
            with real(engine) as connection:
                yield connection
            self.fuse.step()

        sending.transaction = receiving.transaction = fused  # type: ignore[attr-defined]
        try:
            yield
        except Killed:
            self.restart()
            raise
        finally:
            sending.transaction = receiving.transaction = real  # type: ignore[attr-defined]

    def heal(self, rounds: int = 40) -> int:
        """Let both work over an open carrier until nothing is left to do; how many rounds it took."""
        self.fuse.left = None
        if isinstance(self.carrier, Pipe):
            self.carrier.open = True
            self.carrier.sync()
        for n in range(rounds):
            self.courier()
            self.receiver()
            self.later(121)
            if n and self.settled():
                return n + 1
        raise AssertionError("it did not heal")

    def settled(self) -> bool:
        return all(
            held(self.lead, stream) == kept(self.node, stream) and not self.carrier.list_segments(stream)
            for stream in self.streams
        )


def kept(engine: Engine, stream: str = STREAM) -> tuple[list[tuple[int, int, bytes, bytes | None]], bytes]:
    """What the node has: lines and chain."""
    c = journal_line.c
    with engine.connect() as connection:
        rows = connection.execute(
            select(c.seq, c.epoch, c.digest, c.line).where(c.stream == stream).order_by(c.seq)
        ).all()
        head = select(journal_head.c.chain).where(journal_head.c.name == stream)
        chain = connection.execute(head).scalar_one_or_none()
    return [tuple(row) for row in rows], chain or chain_start(stream)


def held(engine: Engine, stream: str = STREAM) -> tuple[list[tuple[int, int, bytes, bytes | None]], bytes]:
    """What the lead has: lines and chain."""
    c = received_line.c
    with engine.connect() as connection:
        rows = connection.execute(
            select(c.seq, c.epoch, c.digest, c.line).where(c.stream == stream).order_by(c.seq)
        ).all()
        head = select(received_head.c.chain).where(received_head.c.stream == stream)
        chain = connection.execute(head).scalar_one_or_none()
    return [tuple(row) for row in rows], chain or chain_start(stream)


def said(world: World, stream: str = STREAM) -> Completeness:
    with world.lead.connect() as connection:
        return next(row for row in completeness(connection, world.now, streams=[stream]) if row.stream == stream)


def count(world: World, table: str) -> int:
    with world.lead.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(getattr(tables, table))).scalar_one())


def segments(world: World) -> list[Found]:
    if isinstance(world.carrier, Pipe):
        world.carrier.reading_lead = False
    return world.carrier.list_segments(STREAM)
