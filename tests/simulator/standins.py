"""What the real code stands on in the simulator: databases in memory, keyed hashes for signatures, seeded randomness.

`installed` puts them in place. The SQL, the schema and every rule are the product's own.
"""

import hmac
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Engine, Table

from shared.journal import carry_tables, crypto, erasing, holding, received, receiving, returning, sending, tables, unit
from shared.storage import open_engine, restricting, snapshot, transaction
from shared.storage.aside import Aside

_EXCHANGE = [
    carry_tables.received_incarnation,
    carry_tables.received_line,
    carry_tables.received_head,
    carry_tables.received_segment,
    carry_tables.received_early,
    carry_tables.received_claim,
    carry_tables.received_refused,
    carry_tables.received_conflict,
    carry_tables.received_erased,
    carry_tables.received_epoch,
    carry_tables.courier_receipt,
    carry_tables.courier_manifest,
    carry_tables.courier_segment,
]
"""Both ends have both: what a node has lost comes back to it."""
NODE_TABLES: Sequence[Table] = [
    tables.journal_head,
    tables.journal_line,
    tables.journal_cursor,
    tables.journal_parked,
    tables.journal_audit,
    tables.journal_erased,
    tables.journal_hold,
    restricting.restricted,
    carry_tables.post_out,
    *_EXCHANGE,
]
LEAD_TABLES: Sequence[Table] = [
    tables.journal_erased,
    tables.journal_line,
    tables.journal_head,
    carry_tables.received_void,
    carry_tables.received_void_segment,
    *_EXCHANGE,
]
ALL_TABLES = list(dict.fromkeys([*NODE_TABLES, *LEAD_TABLES]))

TAIL_LINES = 3
"""How much of what a node has lost goes back to it in a segment, so that a part of it may have come."""

EFFECTS = "CREATE TABLE simulator_effect (stream TEXT NOT NULL, seq BIGINT NOT NULL)"
_NOTED = {
    "received_line": "INSERT INTO simulator_effect VALUES (NEW.stream, NEW.seq)",
    "received_void": "DELETE FROM simulator_effect WHERE stream = NEW.stream AND seq = NEW.seq",
}
"""What a trigger does for each row that is added to one of these tables."""


def _trigger(dialect: str, table: str, does: str) -> Iterator[str]:
    name, when = f"simulator_{table}", f"AFTER INSERT ON {table}"
    if dialect == "sqlite":
        yield f"CREATE TRIGGER {name} {when} BEGIN {does}; END"
    else:
        yield f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does}; RETURN NEW; END $$"
        yield f"CREATE TRIGGER {name} {when} FOR EACH ROW EXECUTE FUNCTION {name}()"


Row = tuple[Any, ...]


def _nobody(_where: str) -> None:
    """The hook of a database that nobody watches."""


class Database:
    """A home's database as the real code sees it: what `transaction` and `snapshot` are given instead of an engine.

    `hook` is called at the steps of a transaction: "begin" and "commit" when none is open, "inside" at its end.
    Every line that is stored at the lead leaves a row in `simulator_effect`, which nothing takes away but a restore, or
    that the line becomes void.
    """

    def __init__(self, engine: Engine, owned: Sequence[Table]) -> None:
        self.engine, self.dialect, self.hook = engine, engine.dialect, _nobody
        self.owned = [table.name for table in owned]
        tables.journal_head.metadata.create_all(engine, tables=ALL_TABLES)
        with transaction(engine) as connection:
            connection.exec_driver_sql(EFFECTS)
            for table, does in _NOTED.items():
                for statement in _trigger(engine.dialect.name, table, does):
                    connection.exec_driver_sql(statement)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A write transaction of the real kind."""
        with transaction(self.engine) as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A snapshot of the real kind."""
        with snapshot(self.engine) as connection:
            yield connection

    def rows(self, sql: str) -> list[Row]:
        """What a question from outside is answered, unseen by the code under test."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def dump(self) -> dict[str, list[Row]]:
        """Everything in it."""
        return {name: self.rows(f"SELECT * FROM {name}") for name in self.owned}

    def load(self, dump: dict[str, list[Row]]) -> None:
        """Put back what `dump` took; an empty one clears it."""
        mark = "%s" if self.engine.dialect.name == "postgresql" else "?"
        with transaction(self.engine) as connection:
            for name in self.owned:  # the effects come last: putting lines back has made some
                rows = dump.get(name)
                connection.exec_driver_sql(f"DELETE FROM {name}")
                if rows:
                    marks = ", ".join([mark] * len(rows[0]))
                    connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({marks})", rows)


class MemoryDatabase(Database):
    """SQLite in memory behind one connection that is never given back: the same SQL at a third of the cost.

    Nothing runs beside a transaction here, so a snapshot needs none of its own.
    """

    def __init__(self, owned: Sequence[Table]) -> None:
        super().__init__(open_engine("sqlite://"), owned)
        self._connection = self.engine.connect()
        raw = self._connection.connection.driver_connection
        assert raw is not None
        self._raw = raw

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        self._raw.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._raw.execute("ROLLBACK")
            raise
        self._raw.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        yield self._connection

    def rows(self, sql: str) -> list[Row]:
        return list(self._raw.execute(sql))

    def load(self, dump: dict[str, list[Row]]) -> None:
        for name in self.owned:
            rows = dump.get(name)
            self._raw.execute(f"DELETE FROM {name}")
            if rows:
                self._raw.executemany(f"INSERT INTO {name} VALUES ({','.join('?' * len(rows[0]))})", rows)


def lead_owned(database: Database) -> Database:
    """The effects are the lead's: they come and go with its database."""
    database.owned.append("simulator_effect")
    return database


@contextmanager
def watched_transaction(database: Database) -> Iterator[Connection]:
    database.hook("begin")
    with database.transaction() as connection:
        yield connection
        database.hook("inside")
    database.hook("commit")


def _watched_snapshot(database: Database) -> Any:
    return database.snapshot()


# Signatures and sealing: whoever has the public key could forge them, so nobody in the simulator does.


def sign(private: bytes, context: bytes, message: bytes) -> bytes:
    """64 bytes that depend on all of it."""
    return hmac.digest(sha256(private).digest(), context + message, "sha512")


def verify(public: bytes, signature: bytes, context: bytes, message: bytes) -> bool:
    """Whether `sign` made it."""
    return hmac.digest(public, context + message, "sha512") == signature


def seal(public: bytes, info: bytes, plain: bytes) -> bytes:
    """`plain`, with who may open it and what it was sealed with: as long as a sealed one, and readable."""
    return public + sha256(info + plain).digest()[:16] + plain


def open_sealed(private: bytes, info: bytes, sealed: bytes) -> bytes:
    """The inverse, for the same key, info and bytes."""
    public, tag, plain = sealed[:32], sealed[32:48], sealed[48:]
    if public != sha256(private).digest() or sha256(info + plain).digest()[:16] != tag:
        raise crypto.CannotOpen
    return plain


def stand_in_key(name: str, what: str) -> crypto.Key:
    """A key for these stand-ins."""
    private = sha256(what.encode()).digest()
    return crypto.Key(name, 1, private, sha256(private).digest())


class Randomness:
    """Where salts, nonces and incarnations come from."""

    def __init__(self) -> None:
        self._random = random.Random(0)

    def seed(self, seed: int) -> None:
        """Begin anew."""
        self._random.seed(seed)

    def urandom(self, count: int) -> bytes:
        """As `os.urandom`."""
        return self._random.randbytes(count)

    def token_hex(self, count: int) -> str:
        """As `secrets.token_hex`."""
        return self._random.randbytes(count).hex()


RANDOMNESS = Randomness()


class Late(Aside[Any]):
    """What is done beside its caller is done as late as may be: when its answer is asked for."""

    _work: Callable[[], Any] | None = None

    def do(self, work: Callable[[], Any], *, last: bool = False) -> None:
        assert self._work is None
        self._work = work

    def wait(self) -> Any:
        work, self._work = self._work, None
        return work() if work is not None else None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or issubclass(kind, Exception):
            self.wait()


@contextmanager
def installed(*, hashes: bool = True) -> Iterator[None]:
    """The stand-ins are in place; `hashes`: those for signatures and sealing too."""
    undo: list[Callable[[], None]] = []

    def put(module: Any, name: str, value: Any) -> None:
        real = getattr(module, name)
        undo.append(lambda: setattr(module, name, real))
        setattr(module, name, value)

    try:
        for module in (sending, receiving, unit, erasing, holding, returning):
            put(module, "transaction", watched_transaction)
            if hasattr(module, "snapshot"):
                put(module, "snapshot", _watched_snapshot)
        put(returning, "Courier", partial(sending.Courier, max_lines=TAIL_LINES))
        put(unit, "os", SimpleNamespace(urandom=RANDOMNESS.urandom))
        for module in (received, sending):
            put(module, "secrets", SimpleNamespace(token_hex=RANDOMNESS.token_hex))
        if hashes:
            for stand_in in (sign, verify, seal, open_sealed):
                put(crypto, stand_in.__name__, stand_in)
        yield
    finally:
        for step in reversed(undo):
            step()
