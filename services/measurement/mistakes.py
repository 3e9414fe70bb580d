"""The use case that takes back a form which was recorded of the wrong person (decision 0249).

Its rows go and a fact says so; the person is asked again as if nobody had. Its key stays: a list that is read in again
does not bring it back.
"""

from datetime import datetime

from services.measurement import store
from shared.contracts.errors import UnknownPerson
from shared.contracts.mistake_facts import AnonymousSheetRemoved, AssessmentRemoved
from shared.journal import Journal


def remove_assessment(
    journal: Journal, programme: str, subject: str | None, assessment: str, *, by: str, now: datetime
) -> tuple[bool, int | None]:
    """Take back a filled-in form with its scores (`subject` None: one that names nobody); returns whether it was there,
    and the journal position.

    What is somebody else's is not there. Raises `UnknownProgramme` or `UnknownPerson`.
    """
    with journal.unit(now) as unit:
        store.shelf.get(unit.connection, programme)
        if subject is not None:
            person = store.find_people(unit.connection, [subject]).get(subject)
            if person is None or person.programme != programme:
                raise UnknownPerson(field="participant", programme=programme)
        if not store.remove_assessment(unit.connection, programme, subject, assessment):
            return False, None
        if subject is None:
            unit.record(AnonymousSheetRemoved(None, assessment=assessment), programme)
            unit.audit(by, "remove_assessment", programme=programme)
        else:
            unit.record(AssessmentRemoved(subject, assessment=assessment), programme)
            unit.audit(by, "remove_assessment", programme=programme, subject=subject)
    return True, unit.pos
