"""Use cases of programme versions at the lead: a new one goes to all nodes, or is only looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from services.reporting import partner_store, steps, store
from shared.contracts.catalogue import ProgrammeVersion
from shared.contracts.errors import ChangedMeanwhile, UnknownProgramme
from shared.journal import Journal
from shared.journal.carry_tables import received_line
from shared.programmes import Programme, ProgrammeRefused, canonical, parse
from shared.programmes.shelf import pieces
from shared.programmes.succession import Move, gone, in_use, problems
from shared.storage import snapshot

BATCH = 1000
"""Lines that are read in one transaction."""


def load_programme(journal: Journal, document: dict[str, Any], by: str, now: datetime) -> tuple[Programme, int | None]:
    """Record a new version of a programme on the lead's stream and derive its figures anew; the same adds no line.

    Returns the programme and the journal position, None if nothing was new. Raises `InvalidProgramme`, also if a key is
    gone that stands in received lines and the version does not say what it becomes.
    """
    programme = parse(document)
    looked_at, seen, moves = _looked_at(journal, document)
    with journal.unit(now) as unit:
        before = _document_in_use(unit.connection, programme.key)
        if before is not None:
            if parse(before).digest == programme.digest:
                return programme, None
            if before != looked_at:
                raise ChangedMeanwhile(field="document")
            came: list[Move] = []
            if keys := gone(document, before):
                streams = partner_store.streams_of(unit.connection, programme.key)
                late = (row for stream in streams for row in _after(unit.connection, stream, seen.get(stream, 0)))
                came = in_use(((_person(row), row.line) for row in late), keys)
            if found := problems(document, before, moves) or problems(document, before, came):
                raise ProgrammeRefused(found)
        for piece in pieces(ProgrammeVersion, programme, canonical(document).decode()):
            store.shelf.put(unit.connection, piece)
            unit.record(piece, programme.key)
        store.forget_derived(unit.connection, partner_store.streams_of(unit.connection, programme.key))
        unit.audit(by, "load_programme", programme=programme.key, digest=programme.digest)
    return programme, unit.pos


def _looked_at(journal: Journal, document: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, int], list[Move]]:
    """The version in use, up to where its lines were read, by stream, and the keys that are gone and stand in them.

    In batches, each of a transaction of its own: meanwhile lines arrive and are derived.
    """
    with snapshot(journal.engine) as connection:
        before = _document_in_use(connection, document["key"])
        streams = partner_store.streams_of(connection, document["key"])
    if before is None or not (keys := gone(document, before)):
        return before, {}, []
    seen = dict.fromkeys(streams, 0)

    def read() -> Iterator[tuple[bytes | None, bytes]]:
        for stream in streams:
            while True:
                with snapshot(journal.engine) as connection:
                    rows = _after(connection, stream, seen[stream], BATCH)
                if not rows:
                    break
                seen[stream] = rows[-1].seq
                yield from ((_person(row), row.line) for row in rows)

    return before, seen, in_use(read(), keys)


def _after(connection: Connection, stream: str, seq: int, limit: int | None = None) -> Sequence[Any]:
    """Lines of a stream beyond this one, in order."""
    c = received_line.c
    query = select(c.stream, c.seq, c.subject, c.line).where(c.stream == stream, c.seq > seq, c.line.is_not(None))
    return connection.execute(query.order_by(c.seq).limit(limit)).all()


def rehearse(journal: Journal, document: dict[str, Any]) -> dict[str, Any]:
    """What a new version would move, of everything that has arrived, what forbids it, and the partners that it goes to.

    People are counted per partner. Raises `InvalidProgramme` for a document that is no programme.
    """
    programme = parse(document)
    with snapshot(journal.engine) as connection:
        before = _document_in_use(connection, programme.key)
        moves = _moves(connection, document, before) if before else []
        members = partner_store.members(connection, [programme.key])
        told = {
            "programme": programme.key,
            "digest": programme.digest,
            "new": before is None or parse(before).digest != programme.digest,
            "moves": [move.to_json() for move in moves],
            "partners": sorted(member.partner for member in members),
        }
    wrong = problems(document, before, moves) if before else []
    return told | {"problems": [{"path": problem.path, "reason": problem.reason} for problem in wrong]}


def _document_in_use(connection: Connection, programme: str) -> dict[str, Any] | None:
    try:
        return store.shelf.document(connection, programme)
    except UnknownProgramme:
        return None


def _moves(connection: Connection, new: dict[str, Any], old: dict[str, Any]) -> list[Move]:
    """The keys that are gone and stand in received lines; nothing is read if none is gone."""
    keys = gone(new, old)
    if not keys:
        return []
    c, streams = received_line.c, partner_store.streams_of(connection, new["key"])
    query = select(c.stream, c.subject, c.line).where(c.stream.in_(streams), c.line.is_not(None))
    rows = connection.execute(query.execution_options(yield_per=1000))
    moves = in_use(((_person(row), row.line) for row in rows), keys)
    on = steps.on_now(connection, streams)
    return [replace(move, now=on.get(move.key, 0)) if move.list == "steps" else move for move in moves]


def _person(row: Any) -> bytes | None:
    return None if row.subject is None else row.stream.encode() + bytes(row.subject)
