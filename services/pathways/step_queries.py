"""The read side of steps: a person's, what is proposed, and how the steps stand."""

from collections import Counter
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from services.pathways import conditions, step_store, store
from services.pathways.conditions import Proposal
from services.pathways.domain import Pause, Stay, within
from shared.contracts.errors import UnknownPerson
from shared.ops.clock import iso_day, today_in_helsinki
from shared.programmes.advance import Held, Made, People, step_rows
from shared.storage import snapshot


def steps_of(engine: Engine, programme: str, subject: str) -> dict[str, Any]:
    """A person's times on steps, oldest first, each with the times away from it, and what is proposed.

    Raises `UnknownProgramme` or `UnknownPerson`.
    """
    with snapshot(engine) as connection:
        definition = store.shelf.get(connection, programme)
        if store.find_people(connection, [subject]).get(subject) != programme:
            raise UnknownPerson(field="participant", programme=programme)
        stays = store.find_stays(connection, [subject])
        pauses = step_store.find_pauses(connection, [subject])
        met = step_store.find_met(connection, programme, [subject]).get(subject, [])
        found = conditions.proposals(definition, subject, stays, met)
    rows = [
        {
            **_stay(stay),
            "step": step,
            "pauses": [_pause(p) for p in pauses.get((subject, step), ()) if within(p, stay)],
        }
        for (_, step), several in stays.items()
        for stay in several
    ]
    rows.sort(key=lambda row: (row["entered_on"], row["step"]))
    return {"steps": rows, "proposals": [_proposal(proposal) for proposal in found]}


def _stay(stay: Stay) -> dict[str, Any]:
    return {"stay": stay.stay, "entered_on": stay.entered_on.isoformat(), "left_on": iso_day(stay.left_on)}


def _pause(pause: Pause) -> dict[str, Any]:
    return {"pause": pause.pause, "paused_on": pause.paused_on.isoformat(), "resumed_on": iso_day(pause.resumed_on)}


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {**asdict(proposal), "since": proposal.since.isoformat()}


def list_proposals(engine: Engine, programme: str, limit: int, offset: int) -> dict[str, Any]:
    """What is proposed about everybody of the programme: how much in all, and one page, the longest waiting first."""
    with snapshot(engine) as connection:
        definition = store.shelf.get(connection, programme)
        people = store.people_of(connection, programme)
        stays = store.find_stays_of(connection, programme)
        met = step_store.find_met(connection, programme, None)
    by_person: dict[str, dict[tuple[str, str], list[Stay]]] = {}
    for (subject, step), several in stays.items():
        by_person.setdefault(subject, {})[subject, step] = several
    found = [
        proposal
        for subject in people
        for proposal in conditions.proposals(definition, subject, by_person.get(subject, {}), met.get(subject, ()))
    ]
    found.sort(key=lambda proposal: (proposal.since, proposal.step, proposal.subject))
    shown = [_proposal(proposal) for proposal in found[offset : offset + limit]]
    return {"total": len(found), "proposals": shown}


def step_states(engine: Engine, programme: str, now: datetime) -> list[dict[str, Any]]:
    """How the steps stand today on this node, as `shared.programmes.advance` says. Raises `UnknownProgramme`."""
    with snapshot(engine) as connection:
        definition = store.shelf.get(connection, programme)
        session, product = store.session.c, step_store.product.c
        count = select(session.activity, func.count(), func.min(session.occurred_on), func.max(session.occurred_on))
        count = count.where(session.programme == programme).group_by(session.activity)
        held = {activity: Held(*numbers) for activity, *numbers in connection.execute(count)}
        query = select(product.product, product.state, product.occurred_on).where(product.programme == programme)
        made = {key: Made(state, day) for key, state, day in connection.execute(query)}
        return step_rows(definition, held, made, _people(connection, programme, today_in_helsinki(now)))


def _people(connection: Connection, programme: str, today: date) -> dict[str, People]:
    stay, pause = store.stay.c, step_store.pause.c
    entered = select(stay.step, func.count(stay.subject.distinct())).where(stay.programme == programme)
    counts = {step: number for step, number in connection.execute(entered.group_by(stay.step))}
    there = (stay.programme == programme) & (stay.left_on.is_(None) | (stay.left_on > today))
    here = {(row.subject, row.step) for row in connection.execute(select(stay.subject, stay.step).where(there))}
    query = select(pause.subject, pause.step).where(
        pause.programme == programme, pause.paused_on <= today, pause.resumed_on.is_(None)
    )
    away = {(row.subject, row.step) for row in connection.execute(query)} & here
    on, paused = Counter(step for _, step in here - away), Counter(step for _, step in away)
    return {step: People(number, on[step], paused[step]) for step, number in counts.items()}
