"""The audit log: who did what, in the same transaction as what was done, chained under the journal's lock.

An entry is JSON ``{"n", "at", "by", "action", …, "first", "last"}``; `first` and `last` are the journal positions of
the facts it caused, if any. People are named by `erasing.subject_digest` alone (`Unit.audit` sees to it), so nothing
has to be erased here; an entry of the first release that named an erased subject is ``#`` and its digest in hex.

The log stays on the home and is never shipped. Its chain works like a stream's, with the name "audit"; only its end is
stored (`journal_head`). `verify` recomputes it, so that a changed, removed or inserted entry is found. Who can write
the whole database can write a whole new log; against that helps only a copy kept elsewhere.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, literal, select

from shared.journal.lines import chain_next, chain_start, line_digest
from shared.journal.tables import journal_audit, journal_head


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Entry number `n`, recorded at `at` (UTC, wire form)."""

    n: int
    at: str
    detail: dict[str, Any]


def chained(chain: bytes, entries: Sequence[AuditEntry]) -> tuple[list[dict[str, Any]], bytes]:
    """The rows to insert for `entries`, and the chain after them."""
    rows = []
    for entry in entries:
        members = {"n": entry.n, "at": entry.at, **entry.detail}
        data = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
        chain = chain_next(chain, line_digest(data))
        rows.append({"n": entry.n, "entry": data})
    return rows, chain


def length(connection: Connection) -> int:
    """How many entries there are."""
    return int(connection.execute(select(func.count()).select_from(journal_audit)).scalar_one())


def entries_naming(connection: Connection, name: str) -> Sequence[Any]:
    """The entries in which this name of somebody stands, in order, as they are stored: `n`, `entry`."""
    entry, wanted = journal_audit.c.entry, literal(name.encode())
    sqlite = connection.dialect.name == "sqlite"
    place = func.instr(entry, wanted) if sqlite else func.position(wanted.op("IN")(entry))
    return connection.execute(select(journal_audit.c.n, entry).where(place > 0).order_by(journal_audit.c.n)).all()


def verify(connection: Connection) -> int | None:
    """None if the log is whole and unchanged, else the number of the entry where that shows; call it in a snapshot.

    A gap shows at the first number that is not there; a changed entry only at the end, because the chain's end is all
    that it is compared with.
    """
    head = connection.execute(
        select(journal_head.c.seq, journal_head.c.chain).where(journal_head.c.name == "audit")
    ).one_or_none()
    chain, expected = chain_start("audit"), 0
    query = select(journal_audit.c.n, journal_audit.c.entry).order_by(journal_audit.c.n)
    for n, entry in connection.execute(query.execution_options(yield_per=1000)):
        expected += 1
        if n != expected:
            return expected
        chain = chain_next(chain, _digest(entry))
    if head is None:
        return 1 if expected else None
    if head.seq > expected:
        return expected + 1
    return None if (head.seq, head.chain) == (expected, chain) else expected


def _digest(entry: bytes) -> bytes:
    """The entry's digest; an erased one is it."""
    return bytes.fromhex(entry[1:].decode()) if entry.startswith(b"#") else line_digest(entry)
