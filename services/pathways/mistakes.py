"""Use cases that take back what was recorded of the wrong person, or by a wrong tap (decision 0249).

The rows go and a fact says so. What a fact has met or opened meanwhile stays, as after every correction (0031): tasks
are a worker's to dismiss, and what ended by itself was ended on a day that can be told again.
"""

from datetime import datetime

from services.pathways import store
from services.pathways.store import shelf
from shared.contracts.errors import UnknownPerson
from shared.contracts.mistake_facts import OutcomeRemoved
from shared.journal import Journal, Unit


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


def _check(unit: Unit, programme: str, subject: str) -> None:
    shelf.get(unit.connection, programme)
    if store.find_people(unit.connection, [subject]).get(subject) != programme:
        raise UnknownPerson(field="person", programme=programme)
