"""The read side of questionnaire rounds: who is due for what, and what somebody has filled in."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from services.measurement import store
from services.measurement.schedule import Filled, Participation, due
from shared.contracts.catalogue import ParticipationStarted
from shared.contracts.errors import (
    ChangedMeanwhile,
    ConsentWithdrawn,
    ProcessingRestricted,
    ProgrammeIsClosed,
    UnknownPerson,
)
from shared.contracts.purposes import PURPOSE_OF_SERVICE
from shared.contracts.record_facts import FollowUpRecorded, ParticipationEnded, ParticipationResumed
from shared.contracts.start_facts import ExitFormRecorded
from shared.journal import Journal
from shared.journal.closing import OPEN, refuse_new, state_of
from shared.journal.lines import Line, parse
from shared.journal.tables import journal_line
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
        for some in _batches(_people(connection, programme, people)):
            filled, silent = _filled(connection, some), restricted_among(connection, some)
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
    form, score = store.assessment.c, store.score.c
    with snapshot(journal.engine) as connection:
        refused = _refused(connection, journal.home, programme, subject)
        query = select(store.assessment).where(form.subject == bytes.fromhex(subject), form.programme == programme)
        rows = connection.execute(query.order_by(form.occurred_on.desc(), form.assessment)).all()
        scores: dict[bytes, dict[str, str | None]] = {row.assessment: {} for row in rows}
        for row in connection.execute(select(store.score).where(score.assessment.in_(scores))):
            scores[row.assessment][row.scale] = row.score
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


def _people(connection: Connection, programme: str, only: Sequence[str] | None) -> list[bytes]:
    c = store.person.c
    query = select(c.subject).where(c.programme == programme).order_by(c.subject)
    if only is not None:
        query = query.where(c.subject.in_([bytes.fromhex(subject) for subject in only]))
    return list(connection.execute(query).scalars())


def _batches(people: Sequence[bytes]) -> Iterator[list[str]]:
    for start in range(0, len(people), _BATCH):
        yield [raw.hex() for raw in people[start : start + _BATCH]]


def _raw(subjects: Iterable[str]) -> list[bytes]:
    return [bytes.fromhex(subject) for subject in subjects]


def _filled(connection: Connection, subjects: Sequence[str]) -> dict[str, Filled]:
    c, found = store.assessment.c, dict[str, dict[tuple[str, str], list[date]]]()
    query = select(c.subject, c.instrument, c.occasion, c.occurred_on).where(c.subject.in_(_raw(subjects)))
    for row in connection.execute(query):
        found.setdefault(row.subject.hex(), {}).setdefault((row.instrument, row.occasion), []).append(row.occurred_on)
    return dict(found)


def _participations(connection: Connection, subjects: Sequence[str]) -> dict[str, Participation]:
    c, found = journal_line.c, dict[str, Participation]()
    told = select(c.line).where(c.subject.in_(_raw(subjects)), c.kind.in_(_CHANGES), c.line.is_not(None))
    for data in connection.execute(told.order_by(c.pos)).scalars():
        line = parse(data)
        found[str(line.subject)] = _changed(found.get(str(line.subject), Participation()), line)
    return found


_CHANGES = (
    *(ParticipationStarted.kind, ParticipationEnded.kind, ParticipationResumed.kind),
    *(ExitFormRecorded.kind, FollowUpRecorded.kind),
)


def _changed(before: Participation, line: Line) -> Participation:
    if line.kind == ExitFormRecorded.kind:
        return replace(before, may_call=line.body["may_call"] != "no")
    if line.kind == FollowUpRecorded.kind:
        status = line.body["status"]
        return replace(before, may_call=before.may_call and status != "refused", tries=_tries(before.tries, status))
    day = date.fromisoformat(line.body["occurred_on"])
    if line.kind == ParticipationStarted.kind:
        return replace(before, started_on=day)
    if line.kind == ParticipationResumed.kind:  # the exit form was of the exit that is no more
        return replace(before, back_on=day, ended_on=None, reason="", may_call=True, tries=0)
    return replace(before, ended_on=day, reason=line.body["reason"])


def _tries(before: int, status: str) -> int:
    """Who was reached at last is to be asked."""
    return before + 1 if status == "not_reached" else 0
