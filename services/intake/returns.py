"""Use case of a return that was none: it was noted of the wrong person, or for the wrong day (decision 0249).

What the exit before it said is in its own line, for the journal keeps it; the form beside it stays until the next exit.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from services.intake import eura, exit_store, exits, start_store, store
from services.intake.records import PlannedExit, Stay
from shared.contracts.client_facts import ClientLeft, ClientReturned
from shared.contracts.errors import UnknownPerson
from shared.contracts.record_facts import ParticipationEnded, ParticipationResumed
from shared.contracts.start_facts import ExitFormRecorded
from shared.journal import Journal, Line, Unit
from shared.journal.reading import lines_about

_LEFT, _BACK = (ParticipationEnded.kind, ClientLeft.kind), (ParticipationResumed.kind, ClientReturned.kind)


def remove_return(
    journal: Journal, programme: str, subject: str, day: date, *, by: str, now: datetime
) -> tuple[bool, int | None]:
    """Take back that somebody was back on `day`: the exit before it holds again, with its form.

    Returns whether they were back since then, and the journal position. Raises `UnknownProgramme` or `UnknownPerson`.
    """
    with journal.unit(now, mistake=True) as unit:
        store.shelf.get(unit.connection, programme)
        stay = exit_store.stays(unit.connection, programme, [subject]).get(subject)
        if stay is None:
            raise UnknownPerson(field="participant", programme=programme)
        left = _before_the_return(stay, lines_about(unit.connection, [subject], [*_LEFT, *_BACK]))
        if stay.ended_on is not None or stay.resumed_on != day or left is None:
            return False, None
        with eura.recounting(unit, programme):
            exit_store.put_stays(unit.connection, {subject: left})
        _tell(unit, programme, subject, left)
        unit.audit(by, "remove_return", programme=programme, subject=subject)
    return True, unit.pos


def _before_the_return(now: Stay, lines: Iterable[Line]) -> Stay | None:
    """How the participation stood before the last return, by its lines; None: they tell of none."""
    course = [Stay(now.started_on, standing=now.standing)]
    for line in lines:
        day = date.fromisoformat(line.body["occurred_on"])
        if line.kind in _BACK:
            begins = line.kind == ClientReturned.kind and day == now.started_on  # who had left as a client (0240)
            course.append(replace(course[-1].resumed(day), resumed_on=None) if begins else course[-1].resumed(day))
            continue
        left = course[-1].left(_exit(line.body, day))
        if course[-1].ended_on is None and len(course) > 1 and _is_again(left, course[-2], course[-1].resumed_on):
            course.pop()  # that return was taken back
            left = course[-1]
        if course[-1].ended_on is None:
            course.append(left)
        else:
            course[-1] = left
    return course[-2] if len(course) > 1 and course[-1].ended_on is None else None


def _is_again(left: Stay, before: Stay, back: date | None) -> bool:
    """Whether an exit is the one before the return: an exit of before it, or the same on its day."""
    day = left.ended_on or date.max
    return day < (back or date.min) or (day == back and left.said == before.said)


def _exit(body: dict[str, Any], day: date) -> PlannedExit:
    results = body.get("results")
    told = body["reason"], None if results is None else tuple(results), body.get("next")
    return PlannedExit("", "", day, *told, planned=body.get("planned") or "")


def _tell(unit: Unit, programme: str, subject: str, left: Stay) -> None:
    """The exit once more, and the form beside it: the last lines hold."""
    exits.tell_left(unit, programme, subject, left)
    form = start_store.exit_form_of(unit.connection, subject)
    if "may_call" in form:
        said = {"signed_on": form.get("form_signed_on"), "text_ref": form.get("wishes_ref")}
        unit.record(ExitFormRecorded(subject, programme=programme, may_call=form["may_call"], **said))
