"""Use cases of pathways: one transaction each, state and facts together. What it does by itself is in `hearing.py`."""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from services.pathways import store
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
    ProgrammeLoaded,
    TaskClosed,
)
from shared.contracts.errors import (
    NotFound,
    TaskClosedAlready,
    UnknownProgramme,
)
from shared.contracts.facts import Fact
from shared.journal import Journal, Line, Unit
from shared.journal.directory import lead_stream
from shared.journal.unit import new_id
from shared.ops.clock import today_in_helsinki
from shared.programmes import InvalidProgramme, Programme, ProgrammeRefused, canonical, parse
from shared.programmes.shelf import pieces
from shared.storage.once import Results, each_once

log = logging.getLogger(__name__)


def load_programme(journal: Journal, document: dict[str, Any], by: str, now: datetime) -> tuple[Programme, int | None]:
    """Take a version of a programme file into use on this node; the version in use already adds no line.

    Returns the programme and the journal position, None if nothing was new. Raises `InvalidProgramme`.
    """
    programme = parse(document)
    with journal.unit(now) as unit:
        if _digest_in_use(unit.connection, programme.key) == programme.digest:
            return programme, None
        for piece in pieces(ProgrammeLoaded, programme, canonical(document).decode()):
            shelf.put(unit.connection, piece)
            unit.record(piece)
        unit.audit(by, "load_programme", programme=programme.key, digest=programme.digest)
    return programme, unit.pos


def take_version(unit: Unit, line: Line, piece: Fact) -> None:
    """Take a piece of a programme version that the lead has sent; the version in use already changes nothing.

    The last piece puts the version into use. Raises `InvalidProgramme` if this release cannot read it, because it has
    words of a newer one: the one in use stays, and the lead's stream waits here for the next release. A lead speaks of
    its own programme only.
    """
    key, digest = piece["programme"], piece["digest"]
    if line.stream != lead_stream(key):
        log.error("a lead has sent another's programme", extra={"stream": line.stream, "seq": line.seq})
        return
    if _digest_in_use(unit.connection, key) == digest:
        return
    loaded = ProgrammeLoaded(None, **piece.body)
    shelf.put(unit.connection, loaded)
    unit.record(loaded)
    if piece["part"] != piece["parts"]:
        return
    try:
        taken = shelf.get(unit.connection, key)
    except ProgrammeRefused as refused:
        first = refused.problems[0]
        log.error(
            "this release cannot read the version that the lead has sent: upgrade the node",
            extra={"stream": line.stream, "seq": line.seq, "at": first.path, "problems": len(refused.problems)},
        )
        raise
    if taken.digest != digest:
        raise InvalidProgramme(count=1, line=1, reason="the pieces do not make the version that their digest names")


def _digest_in_use(connection: Connection, programme: str) -> str | None:
    try:
        return shelf.get(connection, programme).digest
    except UnknownProgramme:
        return None


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
            day = _text(new.occurred_on)
            unit.record(OutcomeRecorded(new.subject, outcome_id=made, **codes, occurred_on=day), programme)
            return made

        results, fresh = each_once(
            unit.connection, store.keys, programme, items, take, what="outcome", field="key", skip_bad=skip_bad
        )
        store.add_outcomes(unit.connection, rows)
        if fresh:
            unit.audit(by, "record_outcomes", programme=programme, outcomes=len(fresh))
    return results, unit.pos


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def confirm_period(
    journal: Journal, programme: str, period: str, *, by: str, now: datetime, again: bool = False
) -> tuple[date, int | None]:
    """Confirm a reporting period that is over; one that is confirmed stays so, unless it is meant `again`.

    Returns the day of the confirmation that holds and the journal position, None if nothing was new. Raises
    `UnknownCode` or `InvalidInput`.
    """
    with journal.unit(now) as unit:
        today = today_in_helsinki(now)
        check_confirmation(period, shelf.get(unit.connection, programme), today)
        before = store.confirmed_on(unit.connection, programme, period)
        if before is not None and not again:
            return before, None
        store.put_confirmed(unit.connection, programme, period, today)
        unit.record(PeriodConfirmed(period=period, occurred_on=today.isoformat()), programme)
        unit.audit(by, "confirm_period", programme=programme, period=period)
    return today, unit.pos


def close_task(
    journal: Journal, task: str, how: str, reason: str | None, *, by: str, now: datetime
) -> tuple[bool, int | None]:
    """Close a task by a worker's hand: ``done``, or ``dismissed`` for a reason; the same again changes nothing.

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
        if found is None:
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
