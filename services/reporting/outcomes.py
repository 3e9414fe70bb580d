"""The read side of reporting, of what pathways' facts say: outcomes and confirmed periods. Part of `queries.report`."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from services.reporting import store
from services.reporting.domain import OutcomeFigures, People
from shared.programmes import Programme


def figures(
    connection: Connection, definition: Programme, start: date | None, end: date | None
) -> Iterator[OutcomeFigures]:
    """For each activity that has outcomes: its participants of the days `start` to `end`, and what became of them.

    The participants are those of the activity table, different people of sessions on these days. Of them every outcome
    counts that had come by `end`, also one of before `start`: the question is what became of these people.
    """
    session, attendance, outcome = store.session, store.attendance, store.outcome
    streams = store.streams_of(connection, definition.key)
    for activity in dict.fromkeys(known.activity for known in definition.outcomes):
        held = session.c.stream.in_(streams) & (session.c.activity == activity)
        if start:
            held &= session.c.occurred_on >= start
        if end:
            held &= session.c.occurred_on <= end
        at = (attendance.c.stream == session.c.stream) & (attendance.c.session == session.c.session)
        people = (
            select(attendance.c.stream, attendance.c.subject)
            .select_from(attendance.join(session, at))
            .where(held, attendance.c.role == "participant")
            .distinct()
            .subquery()
        )
        theirs = (outcome.c.stream == people.c.stream) & (outcome.c.subject == people.c.subject)
        came = outcome.c.activity == activity
        if end:
            came &= outcome.c.occurred_on <= end
        pairs = (
            select(outcome.c.outcome, people.c.stream, people.c.subject)
            .select_from(people.join(outcome, theirs))
            .where(came)
            .distinct()
            .subquery()
        )
        counted = {r.outcome: r.n for r in connection.execute(_count_by(pairs))}
        told = select(pairs.c.stream, pairs.c.subject).distinct().subquery()
        total = connection.execute(select(func.count()).select_from(people)).scalar_one()
        known_of = connection.execute(select(func.count()).select_from(told)).scalar_one()
        keys = [o.key for o in definition.outcomes if o.activity == activity]
        yield OutcomeFigures(
            activity, People(total), {key: People(counted.get(key, 0)) for key in keys}, People(total - known_of)
        )


def _count_by(pairs: Any) -> Any:
    return select(pairs.c.outcome, func.count().label("n")).group_by(pairs.c.outcome)


def confirmed(connection: Connection, definition: Programme, partners: Sequence[str]) -> list[dict[str, Any]]:
    """Who has confirmed which reporting period, and on which day last: in the order of `partners` and of the file."""
    table, node = store.confirmed, store.node
    query = (
        select(node.c.partner, table.c.period, table.c.occurred_on)
        .join(node, node.c.stream == table.c.stream)
        .where(node.c.programme == definition.key)
    )
    days = {(row.partner, row.period): row.occurred_on for row in connection.execute(query)}
    return [
        {"partner": partner, "period": period.key, "on": days[partner, period.key].isoformat()}
        for partner in partners
        for period in definition.periods
        if (partner, period.key) in days
    ]
