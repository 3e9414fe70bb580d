"""Use cases of a programme's end on a node: leave open, close, reopen, seal; one transaction each. What may be recorded
after each step says `shared.journal.closing`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from services.pathways import closing_store, store
from services.pathways.closing_store import days_of, left_of, put_days
from shared.contracts.closing_facts import (
    LEFT_OF_PEOPLE,
    ClosingFinal,
    PersonLeftOpen,
    ProgrammeClosed,
    ProgrammeReopened,
    StreamSealed,
    ThingLeftOpen,
)
from shared.contracts.errors import ClosingBlocked, InvalidInput, StreamIsSealed, UnknownCode, UnknownPerson
from shared.journal import Journal, Unit
from shared.journal.closing import CLOSED, FINAL, OPEN, SEALED, lock, state_of
from shared.ops.clock import iso_day, today_in_helsinki
from shared.programmes import Programme
from shared.storage import snapshot

STATES = {OPEN: "open", CLOSED: "closed", FINAL: "final", SEALED: "sealed"}
LATER = "not_over"
"""A period that is left for this reason is still to be confirmed before the stream is sealed."""


@dataclass(frozen=True, slots=True)
class Left:
    """Something that is left open; `item` is empty where there is none."""

    what: str
    item: str
    reason: str


def closing_state(journal: Journal, programme: str, now: datetime) -> dict[str, Any]:
    """What `AskClosing` asks, in one snapshot. Raises `UnknownProgramme`."""
    today, stream = today_in_helsinki(now), f"{journal.home}/{programme}"
    with snapshot(journal.engine) as connection:
        definition = store.shelf.get(connection, programme)
        days, left = days_of(connection, programme), left_of(connection, programme)
        head, receipted = closing_store.ends_of(connection, stream)
        return {
            "programme": programme,
            "stream": stream,
            "state": STATES[state_of(connection, journal.home, programme)],
            **{name: iso_day(days.get(name)) for name in closing_store.DAYS},
            "tasks": store.count_open_tasks(connection, programme),
            "periods": _periods(connection, definition, left, today),
            "left": len(left),
            "head": head,
            "receipted": receipted,
            "kept": [_kept(purpose) for purpose in definition.purposes],
        }


def _kept(purpose: Any) -> dict[str, Any]:
    until = {"keep_until": iso_day(purpose.keep_until), "keep_months": purpose.keep_months}
    return {"purpose": purpose.key, "basis": purpose.basis, "law": purpose.law or None, **until}


def _periods(
    connection: Connection, definition: Programme, left: Mapping[tuple[str, str], str], today: date
) -> list[dict[str, Any]]:
    return [
        {
            "period": key,
            "end": period.end.isoformat(),
            "over": today > period.end,
            "confirmed_on": iso_day(store.confirmed_on(connection, definition.key, key)),
            "left": left.get(("period", key)),
        }
        for key, period in definition.period_by_key.items()
    ]


def leave_open(
    journal: Journal, programme: str, items: Sequence[Left], *, by: str, now: datetime
) -> tuple[int, int | None]:
    """Note what stays open and why; how much of it is new, and the journal position.

    It is noted of people who have had the processing restricted too: nothing about them is worked with, and the record
    would otherwise be silent about why it ends. Raises `UnknownPerson`, `UnknownCode` or `InvalidInput`.
    """
    today = today_in_helsinki(now)
    with journal.unit(now, right=True) as unit:
        definition, known = store.shelf.get(unit.connection, programme), left_of(unit.connection, programme)
        if state_of(unit.connection, journal.home, programme) == SEALED:
            raise StreamIsSealed(field="programme", programme=programme)
        people = store.find_people(unit.connection, {one.item for one in items if one.what in LEFT_OF_PEOPLE})
        fresh = [one for one in dict.fromkeys(items) if known.get((one.what, one.item)) != one.reason]
        for one in fresh:
            _check_left(one, definition, people)
            closing_store.put_left(unit.connection, programme, (one.what, one.item), one.reason, today)
            body = {"programme": programme, "what": one.what, "reason": one.reason, "occurred_on": today.isoformat()}
            if one.what in LEFT_OF_PEOPLE:
                unit.record(PersonLeftOpen(one.item, **body))
            else:
                unit.record(ThingLeftOpen(item=one.item or None, **body))
        if fresh:
            unit.audit(by, "leave_open", programme=programme, items=len(fresh))
            _note_final(unit, definition, today)
    return len(fresh), unit.pos


def _check_left(one: Left, definition: Programme, people: Mapping[str, str]) -> None:
    if one.what in LEFT_OF_PEOPLE and people.get(one.item) != definition.key:
        raise UnknownPerson(field="subject", programme=definition.key)
    if one.what == "period" and one.item not in definition.period_by_key:
        raise UnknownCode(field="period", programme=definition.key, value=one.item)
    if one.what not in (*LEFT_OF_PEOPLE, "period") and one.item:
        raise InvalidInput(field="what", reason="is about nobody and no period")


def close_programme(journal: Journal, programme: str, *, by: str, now: datetime) -> tuple[date | None, int | None]:
    """Close the programme on this node; the day on which it was closed (None: an earlier life of this home did), and
    the journal position, None if it was closed before. Raises `ClosingBlocked` naming what is still open.

    What other services keep (exits, evidence) the edge has looked at: after the closing it may still be completed.
    """
    today = today_in_helsinki(now)
    with journal.unit(now) as unit:
        lock(unit.connection)
        definition = store.shelf.get(unit.connection, programme)
        if state_of(unit.connection, journal.home, programme) != OPEN:
            return days_of(unit.connection, programme).get("closed_on"), None
        _refuse_open(unit.connection, definition, today, sealing=False)
        left, final = len(left_of(unit.connection, programme)), _is_final(unit.connection, definition, today)
        put_days(unit.connection, programme, {"closed_on": today, "final_on": today if final else None})
        unit.record(ProgrammeClosed(left=left, final=final, occurred_on=today.isoformat()), programme)
        unit.audit(by, "close_programme", programme=programme, left=left)
    return today, unit.pos


def reopen_programme(
    journal: Journal, programme: str, reason: str, *, by: str, now: datetime
) -> tuple[date | None, int | None]:
    """Go on with a programme that is closed on this node; the day, and the journal position, None if it is open.

    Who has left stays so, and a task that was dismissed: both can be taken up again one by one. Raises
    `StreamIsSealed`.
    """
    today = today_in_helsinki(now)
    with journal.unit(now) as unit:
        lock(unit.connection)
        store.shelf.get(unit.connection, programme)
        state = state_of(unit.connection, journal.home, programme)
        if state == SEALED:
            raise StreamIsSealed(field="programme", programme=programme)
        if state == OPEN:
            return None, None
        closing_store.forget_closing(unit.connection, programme)
        unit.record(ProgrammeReopened(reason=reason, occurred_on=today.isoformat()), programme)
        unit.audit(by, "reopen_programme", programme=programme, reason=reason)
    return today, unit.pos


def _refuse_open(connection: Connection, definition: Programme, today: date, *, sealing: bool) -> None:
    """`sealing`: what is still to come must have come."""
    periods = _periods(connection, definition, left_of(connection, definition.key), today)
    unsettled = [one for one in periods if not _is_settled(one, later=not sealing)]
    for field, count in (("tasks", store.count_open_tasks(connection, definition.key)), ("periods", len(unsettled))):
        if count:
            raise ClosingBlocked(field=field, count=count, programme=definition.key)


def _is_settled(period: Mapping[str, Any], *, later: bool) -> bool:
    return bool(period["confirmed_on"]) or (period["left"] is not None and (later or period["left"] != LATER))


def _is_final(connection: Connection, definition: Programme, today: date) -> bool:
    """Whether no reporting period is still to be confirmed. Where the file has none, what is there may be corrected
    until the seal."""
    periods = _periods(connection, definition, left_of(connection, definition.key), today)
    return bool(periods) and all(_is_settled(one, later=False) for one in periods)


def _note_final(unit: Unit, definition: Programme, today: date) -> None:
    lock(unit.connection)  # as closing and sealing do, before it is looked at: whoever is second sees the other's
    days = days_of(unit.connection, definition.key)
    if days and not days["final_on"] and _is_final(unit.connection, definition, today):
        put_days(unit.connection, definition.key, days | {"final_on": today})
        unit.record(ClosingFinal(occurred_on=today.isoformat()), definition.key)


def period_was_confirmed(unit: Unit, definition: Programme, today: date) -> None:
    """If the programme is closed and this was its last period, what is there stays as it is."""
    _note_final(unit, definition, today)


def seal_stream(journal: Journal, programme: str, *, by: str, now: datetime) -> tuple[date | None, int | None]:
    """Record the last line of a closed programme's stream; the day, and the journal position, None if it was sealed.

    Raises `InvalidInput` if it is not closed, or something was recorded that not every service has heard, and
    `ClosingBlocked` if something is open.
    """
    today = today_in_helsinki(now)
    with journal.unit(now) as unit:
        lock(unit.connection)
        definition = store.shelf.get(unit.connection, programme)
        state = state_of(unit.connection, journal.home, programme)
        if state == SEALED:
            return days_of(unit.connection, programme).get("sealed_on"), None
        if state == OPEN:
            raise InvalidInput(field="programme", reason="is not closed on this node yet")
        _refuse_open(unit.connection, definition, today, sealing=True)
        _refuse_unheard(unit.connection)
        put_days(unit.connection, programme, days_of(unit.connection, programme) | {"sealed_on": today})
        unit.record(StreamSealed(occurred_on=today.isoformat()), programme)
        unit.audit(by, "seal_stream", programme=programme)
    return today, unit.pos


def _refuse_unheard(connection: Connection) -> None:
    """What a service has not heard may make it record something that would come after the seal."""
    if behind := closing_store.behind(connection):
        raise InvalidInput(field="programme", reason=f"{', '.join(behind)} has not heard everything yet: again")
    if closing_store.count_parked(connection):
        raise InvalidInput(field="programme", reason="lines are parked: polku parked list")


def list_left(journal: Journal, programme: str, limit: int, offset: int) -> dict[str, Any]:
    """What was left open, a page of it. Raises `UnknownProgramme`."""
    with snapshot(journal.engine) as connection:
        store.shelf.get(connection, programme)
        total, rows = closing_store.left_page(connection, programme, limit, offset)
    return {"total": total, "items": rows}


def items(rows: Iterable[Mapping[str, Any]]) -> list[Left]:
    """As they come in a command. Raises `InvalidInput` if one names what it is not about."""
    rows = list(rows)
    for row in rows:
        of = "subject" if row["what"] in LEFT_OF_PEOPLE else row["what"]
        for name in ("subject", "period"):
            if (row[name] is not None) != (name == of):
                raise InvalidInput(field=name, reason=f"stands with what is about a {name}, and only there")
    return [Left(row["what"], row["subject"] or row["period"] or "", row["reason"]) for row in rows]
