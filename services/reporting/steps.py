"""The read side of reporting, of steps: who was on them, and how those stand that nobody is on."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, case, func, select

from services.reporting import partner_store, store
from services.reporting.step_tables import product, step
from shared.programmes import Programme
from shared.programmes.advance import Held, Made, People, step_rows
from shared.storage import snapshot

_ADDS = {"entered": (1, 0), "left": (-1, 0), "paused": (0, 1), "resumed": (0, -1)}
"""What each happening adds to how often somebody is on a step, and is away from it."""


def step_states(engine: Engine, programme: str) -> list[dict[str, Any]]:
    """How the steps stand, of what has arrived until now. Raises `UnknownProgramme`."""
    with snapshot(engine) as connection:
        definition = store.shelf.get(connection, programme)
        return rows(connection, definition, partner_store.streams_of(connection, programme), None)


def rows(
    connection: Connection, definition: Programme, streams: Sequence[str], end: date | None
) -> list[dict[str, Any]]:
    """The report's `steps`: how they stood at the end of the day `end`, of everything from the project's first day on.

    A person whom two partners have on steps is two participations here: counted once are people, not ways.
    """
    if not definition.steps:
        return []
    session = store.session.c
    count = select(session.activity, func.count(), func.min(session.occurred_on), func.max(session.occurred_on))
    count = count.where(session.stream.in_(streams), *([session.occurred_on <= end] if end else []))
    held = {key: Held(*numbers) for key, *numbers in connection.execute(count.group_by(session.activity))}
    return step_rows(definition, held, _made(connection, streams, end), _people(connection, streams, end))


def _made(connection: Connection, streams: Sequence[str], end: date | None) -> dict[str, Made]:
    """The products, of each what the partner says that is furthest; of these the one that was there first."""
    c, found = product.c, dict[str, Made]()
    query = select(c.product, c.state, c.occurred_on).where(c.stream.in_(streams))
    query = query.where(c.occurred_on <= end) if end else query
    # "finished" comes after "begun" in the alphabet too.
    for key, state, day in connection.execute(query.order_by(c.state.desc(), c.occurred_on)):
        found.setdefault(key, Made(state, day))
    return found


def _people(connection: Connection, streams: Sequence[str], end: date | None) -> dict[str, People]:
    c = step.c
    on, away = (func.sum(case(*((c.what == word, adds[n]) for word, adds in _ADDS.items()), else_=0)) for n in (0, 1))
    query = select(c.step, on, away).where(c.stream.in_(streams), *([c.occurred_on <= end] if end else []))
    entered, here, paused = Counter[str](), Counter[str](), Counter[str]()
    for key, times, gone in connection.execute(query.group_by(c.stream, c.subject, c.step)):
        entered[key] += 1
        if times > 0:
            (paused if gone > 0 else here)[key] += 1
    return {key: People(number, here[key], paused[key]) for key, number in entered.items()}


def rows_behind(connection: Connection, streams: Sequence[str], key: str, end: date | None) -> list[tuple[str, int]]:
    """Stream and line of the last entry of each participation that was on the step `key` by the day `end`: as many as
    `rows` says have entered it."""
    c = step.c
    query = select(c.stream, func.coalesce(func.max(case((c.what == "entered", c.seq))), func.max(c.seq)))
    query = query.where(c.stream.in_(streams), c.step == key, *([c.occurred_on <= end] if end else []))
    return [(stream, int(seq)) for stream, seq in connection.execute(query.group_by(c.stream, c.subject))]


def on_now(connection: Connection, streams: Sequence[str]) -> dict[str, int]:
    """How many participations are on each step at this moment, also while they are away from it."""
    return {key: of.on + of.paused for key, of in _people(connection, streams, None).items()}
