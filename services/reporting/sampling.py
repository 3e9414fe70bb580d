"""A controller's sample: which rows are behind a figure, and which of them a seed draws.

A row is a line: of a person's start record, of an outcome, of somebody entering a step, or of an encounter, which is
about nobody. Rows are drawn by a digest of the seed and the row, the smallest first: so
anybody can draw them again, in any language, and a row that is drawn stays drawn while others come.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, exists, func, select

from services.reporting import encounters, indicators, outcomes, partner_store, people, steps, store
from services.reporting.domain import Person, check_days
from shared.contracts.catalogue import OutcomeRecorded, ParticipationStarted
from shared.contracts.encounter_facts import EncounterRecorded
from shared.contracts.errors import UnknownCode
from shared.contracts.facts import Fact
from shared.journal import Journal
from shared.journal.carry_tables import received_line
from shared.journal.lines import parse
from shared.ops.clock import iso_day
from shared.programmes import Programme
from shared.storage import join_whole_tables, snapshot

CONTEXT = b"polku-sample-1"


class Row(NamedTuple):
    """What is behind a figure: the stream it came on, and its line there."""

    stream: str
    line: int


def drawn(rows: Iterable[Row], seed: str, size: int) -> list[Row]:
    """The `size` rows (fewer, if there are fewer) with the smallest SHA-256 of context, seed, stream and line."""

    def rank(row: Row) -> bytes:
        return sha256(b"\0".join((CONTEXT, seed.encode(), row.stream.encode(), str(row.line).encode()))).digest()

    return sorted(sorted(rows, key=rank)[:size])


def draw_sample(
    journal: Journal,
    programme: str,
    indicator: str,
    size: int,
    seed: str | None,
    start: date | None,
    end: date | None,
    *,
    by: str,
    now: datetime,
    behind: str = "indicator",
) -> dict[str, Any]:
    """Rows behind a figure, drawn; who draws is written down. `behind`: what kind of figure `indicator` is.

    Raises `UnknownProgramme`, `UnknownCode`, `InvalidInput`.
    """
    check_days(start, end)
    seed = seed or secrets.token_hex(8)
    with snapshot(journal.engine) as connection:
        join_whole_tables(connection)
        definition = store.shelf.get(connection, programme)
        streams = partner_store.streams_of(connection, programme)
        code, rows = _rows_behind(connection, definition, streams, behind, indicator, start, end)
        c, n = store.cursor.c, partner_store.node.c
        query = select(n.stream, n.node, n.partner, c.seq, c.chain).join(store.cursor, c.stream == n.stream)
        at = connection.execute(query.where(n.stream.in_(streams)).order_by(n.stream)).all()
    with journal.unit(now) as unit:
        detail: dict[str, str | int] = {"indicator": code, "seed": seed, "population": len(rows), "size": size}
        unit.audit(by, "draw_sample", programme=programme, **detail)
    member = {row.stream: row for row in at}
    return {
        **{"polku_sample": 1, "programme": programme, "indicator": code, "seed": seed, "population": len(rows)},
        **{"from": iso_day(start), "to": iso_day(end)},
        "streams": [
            {"node": row.node, "partner": row.partner, "watermark": row.seq, "chain": row.chain.hex()} for row in at
        ],
        "rows": [
            {"node": member[row.stream].node, "partner": member[row.stream].partner, "line": row.line}
            for row in drawn(rows, seed, size)
        ],
    }


def _rows_behind(
    connection: Connection,
    definition: Programme,
    streams: Sequence[str],
    behind: str,
    key: str,
    start: date | None,
    end: date | None,
) -> tuple[str, list[Row]]:
    """The figure's name, and its rows: as many as the report says of these days. Raises `UnknownCode`."""
    code = {
        "indicator": lambda: indicators.code_of(definition, key),
        "outcome": lambda: f"outcome:{key}" if key in definition.outcome_by_key else None,
        "step": lambda: f"step:{key}" if key in definition.step_by_key else None,
        "encounters": lambda: key if key == "encounters" else None,
    }[behind]()
    if code is None:
        raise UnknownCode(field="indicator", programme=definition.key, value=key)
    if behind == "step":  # as in the report, from the project's first day on
        return code, [Row(*found) for found in steps.rows_behind(connection, streams, key, end)]
    if behind == "encounters":
        met = encounters.rows_behind(connection, streams, start, end)
        return code, _last_lines(connection, streams, met, EncounterRecorded, "encounter")
    one = people.find_equal(connection, streams, by_tag=definition.tag is not None)
    if behind == "outcome":
        came = outcomes.rows_behind(connection, definition, streams, key, start, end, one)
        return code, _last_lines(connection, streams, came, OutcomeRecorded, "outcome_id")
    return code, _rows(connection, streams, indicators.people_behind(connection, definition, code, start, end, one))


def _last_lines(
    connection: Connection, streams: Sequence[str], wanted: Sequence[tuple[str, bytes]], kind: type[Fact], member: str
) -> list[Row]:
    """The last line that counts of each of these things, by stream and id."""
    line, at, aside = received_line.c, store.cursor.c, store.aside.c
    put_aside = exists().where(aside.stream == line.stream, aside.seq == line.seq)
    counts = (line.kind == kind.kind) & (line.seq <= at.seq) & line.line.is_not(None) & ~put_aside
    query = select(line.stream, line.seq, line.line).join(store.cursor, at.stream == line.stream)
    found = connection.execute(query.where(line.stream.in_(streams), counts).order_by(line.stream, line.seq))
    last = {(row.stream, bytes.fromhex(parse(row.line).body[member])): row.seq for row in found}
    return [Row(stream, last[stream, made]) for stream, made in wanted if (stream, made) in last]


def _rows(connection: Connection, streams: Iterable[str], behind: Iterable[Person]) -> list[Row]:
    """The line of each person's start record, the one that holds."""
    line, at = received_line.c, store.cursor.c
    taken = (line.kind == ParticipationStarted.kind) & (line.seq <= at.seq) & line.line.is_not(None)
    query = select(line.stream, line.subject, func.max(line.seq)).join(store.cursor, at.stream == line.stream)
    found = connection.execute(query.where(line.stream.in_(streams), taken).group_by(line.stream, line.subject))
    last = {(stream, bytes(subject)): seq for stream, subject, seq in found}
    return [Row(person[0], last[person]) for person in behind if person in last]
