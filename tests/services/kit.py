"""What the services' tests share: programme 3, a clock, and looking at what a unit of work left behind."""

import copy
import hashlib
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect, select, text

from shared.contracts.catalogue import ProgrammeLoaded
from shared.contracts.facts import Fact
from shared.journal.lines import Line, parse
from shared.journal.tables import journal_audit, journal_head, journal_line
from shared.programmes import canonical, load_file
from shared.programmes import parse as parse_programme
from shared.programmes.checking import SCHEMA_FILE
from shared.programmes.shelf import Shelf, pieces
from shared.storage import snapshot, transaction

NOW = datetime(2016, 11, 22, 9, 15, 2, 123456, tzinfo=UTC)
DOCUMENT: dict[str, Any] = load_file(SCHEMA_FILE.parent / "lahde-mukaan.yaml")
PROGRAMME = parse_programme(DOCUMENT)
KEY = PROGRAMME.key
NODE = "pori-0a1b2c3d"
OWN, OTHER = "leader_association", "university_of_applied_sciences"


def key_of(name: str) -> str:
    """An idempotency key."""
    return hashlib.sha256(name.encode()).hexdigest()


def changed(**members: Any) -> dict[str, Any]:
    """Programme 3 with other members: another version of it, or with another key another programme.

    Of another funding period it has no forms: those that it names are of its own."""
    document = copy.deepcopy(DOCUMENT)
    if "funding_programme" in members:
        del document["forms"]
    return {**document, **members}


def put_programme(engine: Engine, shelf: Shelf, document: dict[str, Any] = DOCUMENT) -> None:
    """Have a service know a programme, as it would after hearing the facts."""
    with transaction(engine) as connection:
        for piece in _pieces(canonical(document).decode()):
            shelf.put(connection, piece)


@cache
def _pieces(text: str) -> list[Fact]:
    """Checked once: that takes twenty milliseconds, and most tests put the same."""
    return pieces(ProgrammeLoaded, parse_programme(json.loads(text)), text)


def lines(engine: Engine) -> list[Line]:
    """The journal."""
    with snapshot(engine) as connection:
        return [parse(line) for line in connection.execute(select(journal_line.c.line).order_by("pos")).scalars()]


def kinds(engine: Engine) -> list[str]:
    """The kinds of the journal's lines, in order."""
    return [line.kind for line in lines(engine)]


def audit(engine: Engine) -> list[dict[str, Any]]:
    """The audit log, without numbers and times."""
    with snapshot(engine) as connection:
        entries = connection.execute(select(journal_audit.c.entry).order_by("n")).scalars()
        return [{k: v for k, v in json.loads(entry).items() if k not in ("n", "at")} for entry in entries]


def heads(engine: Engine) -> dict[str, tuple[int, bytes]]:
    """Seq and chain of every stream, of the home and of the audit log."""
    with snapshot(engine) as connection:
        return {row.name: (row.seq, row.chain) for row in connection.execute(select(journal_head))}


def rows(engine: Engine, table: Any) -> list[dict[str, Any]]:
    """A table's rows in no particular order."""
    with snapshot(engine) as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def stored_bytes(engine: Engine) -> bytes:
    """Everything that the database holds: SQLite's files as they are, PostgreSQL's rows as text and as bytes."""
    if engine.dialect.name == "sqlite":
        file = Path(str(engine.url.database))
        return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    found = bytearray()
    with snapshot(engine) as connection:
        for table in inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                for value in row:
                    found += value if isinstance(value, bytes) else str(value).encode()
    return bytes(found)


def empty(engine: Engine, *tables: Any) -> None:
    """Empty these tables, for the next example of a property."""
    with transaction(engine) as connection:
        for table in tables:
            connection.execute(table.delete())
