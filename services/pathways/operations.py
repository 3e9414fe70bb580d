"""Use cases of pathways: one transaction each, state and facts together. What it does by itself is in `hearing.py`."""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from services.pathways import store, worker_store
from services.pathways.closing import period_was_confirmed
from services.pathways.domain import (
    NewOutcome,
    check_confirmation,
    check_outcome,
    check_reason,
)
from services.pathways.rules import at_closing
from services.pathways.store import shelf
from shared.contracts.catalogue import (
    OutcomeRecorded,
    PeriodConfirmed,
    TaskClosed,
)
from shared.contracts.errors import (
    NotFound,
    TaskClosedAlready,
)
from shared.journal import Journal
from shared.journal.unit import new_id
from shared.ops.clock import iso_day, today_in_helsinki
from shared.storage.once import Results, each_once

log = logging.getLogger(__name__)


def record_outcomes(
    journal: Journal, programme: str, items: Sequence[NewOutcome], *, by: str, now: datetime, skip_bad: bool = False
) -> tuple[Results, int | None]:
    """Record what became of people; refusals and results as in `record_steps`, with ``{"outcome", "new"}``."""
    with journal.unit(now) as unit:
        definition, today = shelf.get(unit.connection, programme), today_in_helsinki(now)
        subjects = {new.subject for new in items}
        people = store.find_people(unit.connection, subjects)
        took_part = store.find_took_part(unit.connection, subjects)
        rows: list[dict[str, Any]] = []

        def take(new: NewOutcome) -> str:
            activity = check_outcome(new, definition, people, took_part, today)
            made = new_id()
            codes = {"activity": activity, "outcome": new.outcome}
            ids = {"outcome_id": bytes.fromhex(made), "subject": bytes.fromhex(new.subject)}
            rows.append({**ids, "programme": programme, **codes, "occurred_on": new.occurred_on})
            day = iso_day(new.occurred_on)
            unit.record(OutcomeRecorded(new.subject, outcome_id=made, **codes, occurred_on=day), programme)
            return made

        results, fresh = each_once(
            unit.connection, store.keys, programme, items, take, what="outcome", field="key", skip_bad=skip_bad
        )
        store.add_outcomes(unit.connection, rows)
        if fresh:
            unit.audit(by, "record_outcomes", programme=programme, outcomes=len(fresh))
    return results, unit.pos


def confirm_period(
    journal: Journal, programme: str, period: str, *, by: str, now: datetime, again: bool = False
) -> tuple[date, int | None]:
    """Confirm a reporting period that is over; one that is confirmed stays so, unless it is meant `again`.

    Returns the day of the confirmation that holds and the journal position, None if nothing was new. Raises
    `UnknownCode` or `InvalidInput`.
    """
    with journal.unit(now) as unit:
        today = today_in_helsinki(now)
        definition = shelf.get(unit.connection, programme)
        check_confirmation(period, definition, today)
        before = store.confirmed_on(unit.connection, programme, period)
        if before is not None and not again:
            return before, None
        store.put_confirmed(unit.connection, programme, period, today)
        unit.record(PeriodConfirmed(period=period, occurred_on=today.isoformat()), programme)
        period_was_confirmed(unit, definition, today)
        unit.audit(by, "confirm_period", programme=programme, period=period)
    return today, unit.pos


def close_task(
    journal: Journal,
    task: str,
    how: str,
    reason: str | None,
    *,
    by: str,
    now: datetime,
    worker: str | None = None,
    own_only: bool = False,
) -> tuple[bool, int | None]:
    """Close a task by a worker's hand: ``done``, or ``dismissed`` for a reason; the same again changes nothing.
    `own_only`: not one of the people of others than `worker` (the id by which facts name one).

    Returns whether it was open, and the journal position. Raises `NotFound`, `InvalidInput`, or `TaskClosedAlready` if
    a fact or a colleague has closed it otherwise.
    """
    check_reason(how, reason)
    with journal.unit(now) as unit:
        today = today_in_helsinki(now)
        found = store.find_task(unit.connection, task)
        if found is None:
            raise NotFound(what="task")
        place = (found.programme, found.rule, found.subject.hex())
        track = store.locked_track(unit.connection, *place)
        found = store.find_task(unit.connection, task)  # as it is now that nobody else can change it
        if found is None or (own_only and not worker_store.may_see(unit.connection, found.subject, worker)):
            raise NotFound(what="task")
        if found.state != "open":
            if (found.state, found.reason) == (how, reason):
                return False, None
            raise TaskClosedAlready(value=found.state)
        definition = shelf.get(unit.connection, found.programme)
        rule = definition.task_by_key.get(found.rule)
        store.close_task(unit.connection, task, how, reason, today)
        store.put_track(unit.connection, *place, at_closing(rule, definition.period.end, track, today, how))
        closed = TaskClosed(place[2], task=task, how=how, reason=reason, occurred_on=today.isoformat())
        unit.record(closed)
        unit.audit(by, "close_task", task=task, how=how)
    return True, unit.pos
