"""`polku reporting rebuild --check`: derive everything anew from the stored lines and compare, to the row.

The lines are read in one snapshot of the home's database, together with the derived tables and cursors they are
compared with, and taken by the receiver's own code into the same tables of a scratch database in memory. So the check
writes nothing, locks nothing and waits for nobody, and whatever arrives meanwhile is not looked at: each stream is
derived up to its cursor. One stream is in memory at a time.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, select

from services.reporting import store
from services.reporting.operations import derive_next
from shared.journal.carry_tables import received_line
from shared.journal.lines import BadLine, line_digest, read_envelope
from shared.storage import metadata, open_engine, snapshot

TABLES = (*store.DERIVED, store.cursor)
SHOWN = 5
"""Keys that a difference names at most."""


def check(engine: Engine) -> dict[str, Any]:
    """``{"equal", "streams", "lines", "differences"}``; a difference names stream, table, counts and some keys.

    Table "received_line" stands for stored lines that do not have the digest they were received with.
    """
    scratch = open_engine("sqlite://")
    metadata.create_all(scratch)
    lines, differences = 0, []
    with snapshot(engine) as source, scratch.connect() as target:
        streams = _streams(source)
        for stream in streams:
            lines += _derive(source, target, stream)
            differences += list(_altered(source, stream))
            for table in TABLES:
                differences += list(_compare(source, target, table, stream))
                target.execute(delete(table))
    scratch.dispose()
    return {"equal": not differences, "streams": len(streams), "lines": lines, "differences": differences}


def _streams(source: Connection) -> list[str]:
    found: set[str] = set()
    for table in TABLES:
        found |= set(source.execute(select(table.c.stream).distinct()).scalars())
    return sorted(found)


def _derive(source: Connection, target: Connection, stream: str) -> int:
    """Derive up to the home's cursor; what has no cursor has had no line taken."""
    last = source.execute(select(store.cursor.c.seq).where(store.cursor.c.stream == stream)).scalar_one_or_none()
    lines = 0
    while last is not None and (count := derive_next(source, target, target, stream, last)):
        lines += count
    return lines


def _altered(source: Connection, stream: str) -> Iterator[dict[str, Any]]:
    c = received_line.c
    query = select(c.seq, c.digest, c.kind, c.v, c.subject, c.line).where(c.stream == stream, c.line.is_not(None))
    rows = source.execute(query.order_by(c.seq).execution_options(yield_per=1000))
    wrong = [row.seq for row in rows if not _as_received(row)]
    if wrong:
        yield _difference(stream, "received_line", changed=len(wrong), keys=[f"seq={seq}" for seq in wrong])


def _as_received(row: Any) -> bool:
    """Whether a line and what stands beside it, by which it is derived, are as they came."""
    if line_digest(row.line) != bytes(row.digest):
        return False
    try:
        content = read_envelope(row.line)
    except BadLine:  # set aside
        return True
    return (content.kind, content.v, content.subject) == (row.kind, row.v, row.subject and bytes(row.subject).hex())


def _compare(source: Connection, target: Connection, table: Table, stream: str) -> Iterator[dict[str, Any]]:
    keys = [column.name for column in table.primary_key if column.name != "stream"]
    query = select(table).where(table.c.stream == stream)
    anew = {_key(row, keys): _values(row) for row in target.execute(query)}
    unexpected, changed = [], []
    for row in source.execute(query.execution_options(yield_per=1000)):
        key = _key(row, keys)
        if key not in anew:
            unexpected.append(key)
        elif anew.pop(key) != _values(row):
            changed.append(key)
    missing = list(anew)
    if missing or unexpected or changed:
        counts = {"missing": len(missing), "unexpected": len(unexpected), "changed": len(changed)}
        yield _difference(
            stream, table.name, **counts, keys=[_named(keys, k) for k in (*missing, *unexpected, *changed)]
        )


def _difference(
    stream: str, table: str, *, missing: int = 0, unexpected: int = 0, changed: int = 0, keys: list[str]
) -> dict[str, Any]:
    counts = {"missing": missing, "unexpected": unexpected, "changed": changed}
    shown = [key for key in keys if key][:SHOWN]
    return {"stream": stream, "table": table, **counts, "keys": shown}


def _key(row: Any, keys: list[str]) -> tuple[Any, ...]:
    return tuple(_plain(row._mapping[key]) for key in keys)


def _values(row: Any) -> tuple[Any, ...]:
    return tuple(_plain(value) for value in row)


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _named(keys: list[str], values: tuple[Any, ...]) -> str:
    """The key in words; a subject is shown to nobody."""
    pairs = [(k, v.hex() if isinstance(v, bytes) else v) for k, v in zip(keys, values, strict=True) if k != "subject"]
    return ", ".join(f"{name}={value}" for name, value in pairs)
