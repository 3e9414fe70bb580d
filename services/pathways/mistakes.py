"""Use cases that take back what was recorded of the wrong person, or by a wrong tap (decision 0249).

The rows go and a fact says so. What a fact has met or opened meanwhile stays, as after every correction (0031): tasks
are a worker's to dismiss, and what ended by itself was ended on a day that can be told again.
"""

from datetime import datetime

from services.pathways import step_store, store
from services.pathways.domain import Pause, Stay, check_no_pause
from services.pathways.store import shelf
from shared.contracts.errors import UnknownPerson
from shared.contracts.mistake_facts import OutcomeRemoved, PauseRemoved, StepRemoved
from shared.journal import Journal, Unit
from shared.journal.follow import lock_cursor
from shared.ops.clock import iso_day
from shared.programmes import Programme


def remove_outcome(
    journal: Journal, programme: str, subject: str, outcome_id: str, *, by: str, now: datetime
) -> tuple[bool, int | None]:
    """Take back an outcome; returns whether it was there, and the journal position.

    Raises `UnknownProgramme` or `UnknownPerson`.
    """
    with journal.unit(now) as unit:
        _check(unit, programme, subject)
        if not store.remove_outcome(unit.connection, programme, subject, outcome_id):
            return False, None
        unit.record(OutcomeRemoved(subject, outcome_id=outcome_id), programme)
        unit.audit(by, "remove_outcome", programme=programme, subject=subject)
    return True, unit.pos


def remove_step(
    journal: Journal, programme: str, subject: str, stay: str, *, by: str, now: datetime
) -> tuple[bool, int | None]:
    """Take back a time on a step, with the times away from it; results and refusals as in `remove_outcome`."""
    with journal.unit(now) as unit:
        lock_cursor(unit.connection, "pathways")  # as whoever changes steps (`stepping`)
        _check(unit, programme, subject)
        stays = store.find_stays(unit.connection, [subject])
        found = next(((place, one) for place, several in stays.items() for one in several if one.stay == stay), None)
        if found is None:
            return False, None
        (place, wrong), others = found, [one for one in stays[found[0]] if one.stay != stay]
        pauses = step_store.find_pauses(unit.connection, [subject]).get(place, ())
        gone = [p for p in pauses if _within(p, wrong) and not any(_during(p, other) for other in others)]
        for pause in gone:
            _tell(unit, programme, place, pause)
        days = {"entered_on": wrong.entered_on.isoformat(), "left_on": iso_day(wrong.left_on)}
        unit.record(StepRemoved(subject, step=place[1], **days), programme)
        step_store.remove_stay(unit.connection, stay, [pause.pause for pause in gone])
        unit.audit(by, "remove_step", programme=programme, subject=subject)
    return True, unit.pos


def remove_pause(
    journal: Journal, programme: str, subject: str, pause: str, *, by: str, now: datetime
) -> tuple[bool, int | None]:
    """Take back a time away from a step; the time on it stays. Results and refusals as in `remove_outcome`; and
    `InvalidInput` if the person was on another step meanwhile that cannot go on at the same time."""
    with journal.unit(now) as unit:
        lock_cursor(unit.connection, "pathways")
        definition, stays = _check(unit, programme, subject), store.find_stays(unit.connection, [subject])
        pauses = step_store.find_pauses(unit.connection, [subject])
        found = next(((place, one) for place, several in pauses.items() for one in several if one.pause == pause), None)
        if found is None:
            return False, None
        place, wrong = found
        check_no_pause(wrong, place[1], subject, definition, stays, pauses)
        _tell(unit, programme, place, wrong)
        step_store.remove_pauses(unit.connection, [pause])
        unit.audit(by, "remove_pause", programme=programme, subject=subject)
    return True, unit.pos


def _tell(unit: Unit, programme: str, place: tuple[str, str], pause: Pause) -> None:
    days = {"paused_on": pause.paused_on.isoformat(), "resumed_on": iso_day(pause.resumed_on)}
    unit.record(PauseRemoved(place[0], step=place[1], **days), programme)


def _within(pause: Pause, stay: Stay) -> bool:
    return stay.entered_on <= pause.paused_on and (stay.left_on is None or pause.paused_on <= stay.left_on)


def _during(pause: Pause, stay: Stay) -> bool:
    """The same, but for one that began on the day of leaving: it may belong to the next time on the step."""
    return _within(pause, stay) and pause.paused_on != stay.left_on


def _check(unit: Unit, programme: str, subject: str) -> Programme:
    definition = shelf.get(unit.connection, programme)
    if store.find_people(unit.connection, [subject]).get(subject) != programme:
        raise UnknownPerson(field="person", programme=programme)
    return definition
