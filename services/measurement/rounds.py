"""The read side of questionnaire rounds: who is due for what, and what somebody has filled in."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from services.measurement import store
from services.measurement.schedule import TELLING, Participation, due, told
from shared.contracts.errors import (
    ChangedMeanwhile,
    ConsentWithdrawn,
    ProcessingRestricted,
    ProgrammeIsClosed,
    UnknownPerson,
)
from shared.contracts.purposes import PURPOSE_OF_SERVICE
from shared.journal import Journal
from shared.journal.closing import OPEN, refuse_new, state_of
from shared.journal.reading import lines_about
from shared.ops.clock import today_in_helsinki
from shared.storage import snapshot
from shared.storage.restricting import EVERYTHING, refuse_restricted, restricted_among

_BATCH = 500
_WHAT = (PURPOSE_OF_SERVICE["measurement"], "measurement")
_SILENT = {EVERYTHING, _WHAT[0]}
"""Whoever is restricted, or has taken back the consent to be measured, is not asked."""


def list_due(
    journal: Journal, programme: str, people: Sequence[str] | None, limit: int, offset: int, now: datetime
) -> dict[str, Any]:
    """How many forms are due (`people`: of these), and one page of them, those due first first; none where the
    programme is closed.

    Raises `UnknownProgramme`. Days of starting and leaving are read from the journal, as intake has written them.
    """
    today, rows = today_in_helsinki(now), []
    with snapshot(journal.engine) as connection:
        definition = store.shelf.get(connection, programme)
        if state_of(connection, journal.home, programme) != OPEN:
            return {"total": 0, "due": []}
        for some in _batches(store.people_of(connection, programme, people)):
            filled, silent = store.days_of_forms(connection, some), restricted_among(connection, some)
            for subject, of in _participations(connection, some).items():
                if not _SILENT & silent.get(subject, frozenset()):
                    rows += [(one, subject) for one in due(definition, of, filled.get(subject, {}), today)]
    rows.sort(key=lambda row: (row[0].due_on, row[1], row[0].instrument, row[0].occasion))
    return {
        "total": len(rows),
        "due": [
            {
                "person": subject,
                **{"instrument": one.instrument, "version": one.version, "occasion": one.occasion},
                **{"due_on": one.due_on.isoformat(), "late": one.due_on < today},
            }
            for one, subject in rows[offset : offset + limit]
        ],
    }


def show_forms(journal: Journal, programme: str, subject: str, *, by: str, now: datetime) -> dict[str, Any]:
    """The forms of one person, the newest first, once it is written down who reads them; and as what one more would be
    `refused` (an error's wire form, None: it would not). Raises `UnknownPerson`."""
    with snapshot(journal.engine) as connection:
        person = store.find_people(connection, [subject]).get(subject)
        if person is None or person.programme != programme:
            raise UnknownPerson(field="participant", programme=programme)
    with journal.unit(now) as unit:
        unit.audit(by, "read_answers", programme=programme, subjects=[subject])
    with snapshot(journal.engine) as connection:
        refused = _refused(connection, journal.home, programme, subject)
        rows = store.forms_of(connection, programme, subject)
        scores = store.scores_of(connection, (row.assessment for row in rows))
    return {
        "refused": refused,
        "forms": [
            {
                **{"assessment": row.assessment.hex(), "instrument": row.instrument, "version": row.version},
                **{"occasion": row.occasion, "date": row.occurred_on.isoformat(), "revision": store.revision_of(row)},
                **{"answers": json.loads(row.answers), "scores": scores[row.assessment]},
            }
            for row in rows
        ],
    }


def _refused(connection: Connection, home: str, programme: str, subject: str) -> dict[str, Any] | None:
    """Asked before somebody fills in a form, for nothing."""
    try:
        refuse_new(connection, home, programme)
        refuse_restricted(restricted_among(connection, [subject]), subject, *_WHAT)
    except (ProgrammeIsClosed, ProcessingRestricted, ConsentWithdrawn) as error:
        return error.to_wire()
    except ChangedMeanwhile:  # it is cleared away just now: when the form is filled in, it has been
        return None
    return None


def _batches(people: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(people), _BATCH):
        yield people[start : start + _BATCH]


def _participations(connection: Connection, subjects: Sequence[str]) -> dict[str, Participation]:
    found: dict[str, Participation] = {}
    for line in lines_about(connection, subjects, TELLING):
        subject = str(line.subject)
        found[subject] = told(found.get(subject, Participation()), line.kind, line.body)
    return found
