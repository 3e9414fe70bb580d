"""Use cases of people's plans: written whole, shown. Rules are in `planning.py`, the statements in `plan_store.py`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from services.pathways import plan_store, store
from services.pathways.planning import Entry, NewPlan, Plan, check_plan, revised
from services.pathways.store import shelf
from shared.contracts.errors import UnknownPerson
from shared.contracts.plan_facts import PlanEntryRecorded, PlanEntryWithdrawn, PlanRevised
from shared.journal import Journal, Unit
from shared.journal.unit import new_id
from shared.ops.clock import iso_day, today_in_helsinki
from shared.storage import snapshot
from shared.storage.once import Results, each_once


def record_plans(
    journal: Journal, programme: str, items: Sequence[NewPlan], *, by: str, now: datetime, skip_bad: bool = False
) -> tuple[Results, int | None]:
    """Write people's plans, in order, up to the first that is refused (`skip_bad`: all that are not).

    Returns a result per item, ``{"subject", "new"}`` or ``{"error"}``, and the journal position. Of what did not change
    no line is written.
    """
    with journal.unit(now) as unit:
        definition, today = shelf.get(unit.connection, programme), today_in_helsinki(now)
        people = store.find_people(unit.connection, {new.subject for new in items})
        known = sorted(subject for subject, of in people.items() if of == programme)
        plans = {subject: plan_store.locked_plan(unit.connection, subject) for subject in known}

        def take(new: NewPlan) -> str:
            if new.subject not in plans:
                raise UnknownPerson(field="participant", programme=programme)
            before = plans[new.subject]
            check_plan(new, before, definition, today)
            entries = tuple(one if one.entry else replace(one, entry=new_id()) for one in new.entries)
            after = plans[new.subject] = revised(new, before, entries, today)
            removed = _tell(unit, programme, new.subject, before, after, today.isoformat())
            plan_store.put_plan(unit.connection, programme, new.subject, after, removed)
            return new.subject

        results, fresh = each_once(
            unit.connection, store.keys, programme, items, take, what="subject", field="key", skip_bad=skip_bad
        )
        if fresh:
            unit.audit(by, "record_plans", programme=programme, subjects=sorted({subject for subject, _ in fresh}))
    return results, unit.pos


def _tell(unit: Unit, programme: str, subject: str, before: Plan, after: Plan, day: str) -> list[str]:
    """Record what has changed; returns the entries that were taken out."""
    ready = after.ready_on is not None
    if before.revision == 0 or _whole(before) != _whole(after):
        body: dict[str, Any] = {"strengths": list(after.strengths), "next": after.next, "ready": ready}
        unit.record(PlanRevised(subject, programme=programme, occurred_on=day, **body))
    known, stays = {one.entry: one for one in before.entries}, {one.entry for one in after.entries}
    for one in after.entries:
        if known.get(one.entry) != one:
            unit.record(PlanEntryRecorded(subject, entry=one.entry, programme=programme, **_body(one)))
    removed = [one for one in before.entries if one.entry not in stays]
    for one in removed:
        unit.record(PlanEntryWithdrawn(subject, entry=one.entry, programme=programme, text_ref=one.text_ref))
    return [one.entry for one in removed]


def _whole(plan: Plan) -> tuple[object, ...]:
    return plan.strengths, plan.next, plan.ready_on


def _body(one: Entry) -> dict[str, Any]:
    coded = {"what": one.what, "state": one.state, "shown": one.shown, "text_ref": one.text_ref, "who": one.who}
    coded |= {"day": iso_day(one.day), "barrier": one.barrier}
    return coded | {"solutions": list(one.solutions) if one.what == "barrier" else None}


def show_plan(engine: Engine, programme: str, subject: str) -> dict[str, Any]:
    """One person's plan, in codes. Raises `UnknownPerson`."""
    with snapshot(engine) as connection:
        shelf.get(connection, programme)
        if store.find_people(connection, {subject}).get(subject) != programme:
            raise UnknownPerson(field="participant", programme=programme)
        plan = plan_store.find_plan(connection, subject)
    return {
        "revision": plan.revision,
        "strengths": list(plan.strengths),
        "next": plan.next,
        "ready_on": iso_day(plan.ready_on),
        "entries": [{"entry": one.entry} | _body(one) | {"solutions": list(one.solutions)} for one in plan.entries],
    }
