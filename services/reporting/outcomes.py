"""The read side of reporting, of what pathways' facts say: outcomes and confirmed periods. Part of `queries.report`."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Subquery, func, select

from services.reporting import partner_store, people, store
from services.reporting.domain import OutcomeFigures, People, Person, one_record
from services.reporting.people import Activities, Attended, OnePerson
from shared.programmes import Programme


def asked(definition: Programme) -> list[Activities]:
    """The activities whose participants `figures` needs."""
    return [(activity,) for activity in dict.fromkeys(known.activity for known in definition.outcomes)]


def figures(
    connection: Connection,
    definition: Programme,
    streams: Sequence[str],
    found: Mapping[Activities, Attended],
    start: date | None,
    end: date | None,
    one: OnePerson,
) -> Iterator[OutcomeFigures]:
    """For each activity that has outcomes: its participants of the days `start` to `end`, and what became of them.

    The participants are those of the activity table, different people of sessions on these days. Of them every outcome
    counts that had come by `end`, also one of before `start`: the question is what became of these people. An outcome
    may have come at another partner than the one they took part at.
    """
    for (activity,) in asked(definition):
        present = people.participants(people.held(streams, [activity], start, end))
        total = people.count(connection, found[activity,], present, one).count
        came = _came(streams, activity, end)
        pairs = _pairs(present, came, one)
        counts = Counter({r.outcome: r.n for r in connection.execute(_count_by(pairs))})
        told = select(pairs.c.stream, pairs.c.subject).distinct().subquery()
        known_of = int(connection.execute(select(func.count()).select_from(told)).scalar_one())
        for had in map(one_record, (theirs.values() for theirs in _of_shared(connection, present, came, one))):
            counts.update(had)
            known_of += bool(had)
        keys = [o.key for o in definition.outcomes if o.activity == activity]
        yield OutcomeFigures(
            activity, People(total), {key: People(counts[key]) for key in keys}, People(total - known_of)
        )


def _count_by(pairs: Any) -> Any:
    return select(pairs.c.outcome, func.count().label("n")).group_by(pairs.c.outcome)


def rows_behind(
    connection: Connection,
    definition: Programme,
    streams: Sequence[str],
    key: str,
    start: date | None,
    end: date | None,
    one: OnePerson,
) -> list[tuple[str, bytes]]:
    """Stream and id of the outcome of each person who counts for `key` on these days, as in `figures`; of several
    equal ones of a person the last."""
    activity, c = definition.outcome_by_key[key].activity, store.outcome.c
    present, came = people.participants(people.held(streams, [activity], start, end)), _came(streams, activity, end)
    ids: dict[Person, bytes] = {}
    query = select(c.stream, c.subject, c.outcome_id).where(came, c.outcome == key)
    for row in connection.execute(query.order_by(c.occurred_on, c.outcome_id)):
        ids[row.stream, bytes(row.subject)] = bytes(row.outcome_id)
    pairs = _pairs(present, came, one)
    counted = connection.execute(select(pairs.c.stream, pairs.c.subject).where(pairs.c.outcome == key))
    who: list[Person] = [(row.stream, bytes(row.subject)) for row in counted]
    for theirs in _of_shared(connection, present, came, one):
        if key in one_record(theirs.values()):
            who.append(max((p for p in theirs if key in theirs[p]), key=lambda p: (max(theirs[p].values()), p)))
    return [(stream, ids[stream, subject]) for stream, subject in who]


def _came(streams: Sequence[str], activity: str, end: date | None) -> Any:
    """Which outcomes: of this activity, that had come by `end`."""
    c = store.outcome.c
    came = c.stream.in_(streams) & (c.activity == activity)
    return came & (c.occurred_on <= end) if end else came


def _pairs(present: Subquery, came: Any, one: OnePerson) -> Subquery:
    """Each outcome once of each of `present` whom one partner knows."""
    outcome, shared = store.outcome, one.shared
    theirs = (outcome.c.stream == present.c.stream) & (outcome.c.subject == present.c.subject)
    too = (shared.c.stream == present.c.stream) & (shared.c.subject == present.c.subject)
    return (
        select(outcome.c.outcome, present.c.stream, present.c.subject)
        .select_from(present.join(outcome, theirs).outerjoin(shared, too))
        .where(came, shared.c.subject.is_(None))
        .distinct()
        .subquery()
    )


def _of_shared(
    connection: Connection, present: Subquery, came: Any, one: OnePerson
) -> list[dict[Person, dict[str, date]]]:
    """What became of each person of `present` whose tag somebody else has too: by whom they are known as, each outcome
    with the day it last came."""
    there = people.among(connection, present, one)
    if not there:
        return []
    outcome, shared = store.outcome, one.shared
    theirs = (outcome.c.stream == shared.c.stream) & (outcome.c.subject == shared.c.subject)
    query = select(outcome.c.stream, outcome.c.subject, outcome.c.outcome, outcome.c.occurred_on)
    records: dict[Person, dict[str, date]] = defaultdict(dict)
    for row in connection.execute(query.join_from(outcome, shared, theirs).where(came).order_by("occurred_on")):
        records[row.stream, bytes(row.subject)][row.outcome] = row.occurred_on
    of: dict[Person, dict[Person, dict[str, date]]] = defaultdict(dict)
    for person, record in records.items():
        of[one.stands_for.get(person, person)][person] = record
    return [of[person] for person in there]


def confirmed(connection: Connection, definition: Programme, partners: Sequence[str]) -> list[dict[str, Any]]:
    """Who has confirmed which reporting period, and on which day last: in the order of `partners` and of the file.

    A partner that left and came back with another node is there twice, with what either node has confirmed once.
    """
    table, node = store.confirmed, partner_store.node
    query = (
        select(node.c.partner, table.c.period, table.c.occurred_on)
        .join(node, node.c.stream == table.c.stream)
        .where(node.c.programme == definition.key)
        .order_by(table.c.occurred_on)
    )
    days = {(row.partner, row.period): row.occurred_on for row in connection.execute(query)}
    return [
        {"partner": partner, "period": period.key, "on": days[partner, period.key].isoformat()}
        for partner in dict.fromkeys(partners)
        for period in definition.periods
        if (partner, period.key) in days
    ]
