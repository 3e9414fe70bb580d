"""The read side of intake."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine, Select, case, exists, func, select

from services.intake import records
from services.intake.domain import is_protected
from services.intake.exit_store import SINCE_THE_EXIT, follow_up
from services.intake.rights_store import informed
from services.intake.start_store import attempt, attempts_of, exit_form
from services.intake.store import open_identity, participation, person, shelf, vault
from services.intake.worker_store import caseload, is_theirs, worker
from shared.contracts.record_facts import GONE
from shared.storage import snapshot
from shared.storage.restricting import EVERYTHING, restricted, restricted_among

_SILENT = {EVERYTHING, "esf_record"}
"""Of whom nothing may be recorded, or no more of the fund's record: they are not called for it."""

MOST_FOUND = 50
"""Whoever asks for a name that more people have is told so, and asks for more of it or for the identity code."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person in a programme, the identity still closed."""

    subject: str
    person: bytes
    standing: str
    started_on: date | None
    restricted: bool
    protected: bool
    language: str | None
    interpreter: str | None
    wrapped_key: bytes
    box: bytes
    worker: str | None = None
    ended_on: date | None = None
    end_reason: str | None = None


def list_people(
    engine: Engine,
    programme: str,
    limit: int,
    offset: int,
    subjects: Sequence[str] | None = None,
    by: str = "",
    *,
    of: str | None = None,
    own_only: bool = False,
) -> tuple[int, list[PersonRow]]:
    """How many people the programme has here (`subjects`: of these), and one page of them: who is here before who has
    left, of both those of the worker `by` first, then the newest. `of`: those of this worker; `own_only`: leave out
    whoever is another's than `by`'s.

    Raises `UnknownProgramme`.
    """
    with snapshot(engine) as connection:
        shelf.get(connection, programme)
        here = participation.c.programme == programme
        if subjects is not None:
            here &= participation.c.subject.in_([bytes.fromhex(subject) for subject in subjects])
        if own_only:
            here &= is_theirs(by)
        if of is not None:
            here &= worker.c.name == of
        both = participation.outerjoin(caseload, caseload.c.subject == participation.c.subject)
        both = both.outerjoin(worker, worker.c.worker == caseload.c.worker)
        total = connection.execute(select(func.count()).select_from(both).where(here)).scalar_one()
        # The two databases disagree on where those without a start date stand.
        mine = case((worker.c.name == by, 0), else_=1)
        newest = (participation.c.started_on.desc().nulls_last(), participation.c.subject)
        there = participation.c.ended_on.is_(None) & participation.c.end_reason.is_(None)
        query = _people(programme).where(here).order_by(case((there, 0), else_=1), mine, *newest)
        return total, [_row(row) for row in connection.execute(query.limit(limit).offset(offset))]


def everybody(engine: Engine, programme: str) -> list[PersonRow]:
    """The people of the programme, in one order."""
    with snapshot(engine) as connection:
        query = _people(programme).order_by(participation.c.subject).execution_options(yield_per=500)
        return [_row(row) for row in connection.execute(query)]


def missing_evidence(engine: Engine, programme: str, keys: Mapping[int, bytes]) -> list[dict[str, Any]]:
    """The ESF participants whose records lack something (`missing`), of whose signed form something was not written
    down (`unsaid`), who do not fit the target group (`misfits`), or of whom nobody wrote down that they were informed
    (`uninformed`). Those whose records lack something come first, then
    those who started first. Of an exit form that could not be had, a try in vain since the exit is the evidence. The
    vault is opened with `keys` to see whether it says where a paper is; nothing of it is told."""
    c, e, a = participation.c, exit_form.c, attempt.c
    tried = exists().where(a.subject == c.subject, a.record == "exit", a.occurred_on >= c.ended_on)
    told = exists().where(informed.c.subject == c.subject)
    query = (
        select(
            *(c.subject, c.started_on, c.record, c.ended_on, c.end_reason, e.signed_on, e.eura_on),
            *(tried.label("tried"), told.label("told"), c.person, person.c.wrapped_key, vault.c.box),
        )
        .select_from(participation.outerjoin(exit_form, c.subject == e.subject))
        .join(person, person.c.person == c.person)
        .join(vault, (vault.c.person == c.person) & (vault.c.name == "identity"))
        .where(c.programme == programme, c.standing == "esf_participant", c.started_on.is_not(None))
    )
    found = []
    with snapshot(engine) as connection:
        definition = shelf.get(connection, programme)
        for row in connection.execute(query.order_by(c.started_on, c.subject)):
            record = json.loads(row.record)
            missing = records.missing_evidence(record, row.started_on, definition)
            if row.ended_on is not None and not row.tried:
                missing += records.missing_exit(row.end_reason, row.signed_on, row.eura_on, definition)
            said = open_identity(keys, row.person, row.wrapped_key, row.box) if record.get("form_signed_on") else {}
            more = {"unsaid": records.unsaid(record, said), "misfits": records.misfits(record, definition)}
            if missing or any(more.values()) or not row.told:
                found.append({"person": row.subject.hex(), "missing": missing, **more, "uninformed": not row.told})
    return sorted(found, key=lambda one: not one["missing"])


def still_in(engine: Engine, programme: str, limit: int, offset: int) -> dict[str, Any]:
    """How many have begun and not left, and a page of them, those who began first first. Raises `UnknownProgramme`."""
    c = participation.c
    here = (c.programme == programme) & c.started_on.is_not(None) & c.ended_on.is_(None)
    with snapshot(engine) as connection:
        shelf.get(connection, programme)
        total = connection.execute(select(func.count()).select_from(participation).where(here)).scalar_one()
        of = (restricted.c.subject == c.subject) & (restricted.c.purpose == EVERYTHING)
        query = select(c.subject, c.started_on, restricted.c.since).select_from(participation.outerjoin(restricted, of))
        rows = connection.execute(query.where(here).order_by(c.started_on, c.subject).limit(limit).offset(offset))
        people = [
            {"person": r.subject.hex(), "started_on": r.started_on.isoformat(), "restricted": r.since is not None}
            for r in rows
        ]
    return {"total": total, "people": people}


def eura_worklist(engine: Engine, programme: str) -> dict[str, Any]:
    """Who is missing in EURA, and how many are there: of participants the start, of those who have left the exit.

    `people` are those of whom something is missing, the earliest start first; `start` and `exit` are entries
    ``{"on", "by"}``, or null: missing; `left`: whether there is an exit to enter.
    """
    p, e = participation.c, exit_form.c
    query = (
        select(p.subject, p.started_on, p.ended_on, p.record, e.eura_on, e.eura_by)
        .select_from(participation.outerjoin(exit_form, p.subject == e.subject))
        .where(p.programme == programme, p.standing == "esf_participant")
        .order_by(p.started_on, p.subject)
    )
    counts = dict.fromkeys(("participants", "starts", "left", "exits"), 0)
    people = []
    with snapshot(engine) as connection:
        shelf.get(connection, programme)
        for row in connection.execute(query):
            record, left = json.loads(row.record), row.ended_on is not None
            start = _entry(record.get("eura_on"), record.get("eura_by"))
            known = left and row.eura_on is not None and row.eura_on >= row.ended_on  # of this exit, not of one before
            end = _entry(row.eura_on.isoformat(), row.eura_by) if known else None
            counts["participants"] += 1
            counts["left"] += left
            counts["starts"] += start is not None
            counts["exits"] += end is not None
            if start is None or (left and end is None):
                language = record.get("service_language")
                who = {"person": row.subject.hex(), "service_language": language, "left": left}
                people.append(who | {"start": start, "exit": end})
    return {"counts": counts, "people": people}


def _entry(day: str | None, by: str | None) -> dict[str, Any] | None:
    return {"on": day, "by": by} if day else None


def due_follow_ups(engine: Engine, programme: str, today: date) -> list[dict[str, Any]]:
    """Who is due to be asked: ``{"person", "due", "tries"}``, those due first before the others."""
    p, e, f = participation.c, exit_form.c, follow_up.c
    with snapshot(engine) as connection:
        after = shelf.get(connection, programme).follow_up_days
        if after is None:
            return []
        span = timedelta(days=after)
        asked: dict[bytes, list[str]] = defaultdict(list)
        told = select(f.subject, f.status).join(participation, p.subject == f.subject)
        for try_ in connection.execute(told.where(f.programme == programme, SINCE_THE_EXIT)):
            asked[bytes(try_.subject)].append(try_.status)
        left = select(p.subject, p.ended_on, e.may_call).where(p.programme == programme, p.ended_on <= today - span)
        left = left.where(p.end_reason.not_in(GONE))
        left = left.select_from(participation.outerjoin(exit_form, p.subject == e.subject))
        rows = connection.execute(left.order_by(p.ended_on, p.subject)).all()
        silent = restricted_among(connection, (row.subject.hex() for row in rows))
    found = []
    for row in rows:
        tries = asked[bytes(row.subject)]
        if records.is_to_be_asked(tries, row.may_call) and not _SILENT & silent.get(row.subject.hex(), frozenset()):
            due = (row.ended_on + span).isoformat()
            found.append({"person": row.subject.hex(), "due": due, "tries": len(tries)})
    return found


def with_attempts(engine: Engine, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """These rows of `missing_evidence`, with the tries to get each person's forms that were in vain."""
    with snapshot(engine) as connection:
        tries = attempts_of(connection, [bytes.fromhex(row["person"]) for row in rows])
    return [row | {"attempts": tries.get(row["person"], [])} for row in rows]


def find_people(
    engine: Engine, programme: str, is_meant: Callable[[PersonRow], bool], *, theirs: str | None = None
) -> tuple[int, list[PersonRow]]:
    """How many people of the programme are meant, and at most `MOST_FOUND`; every identity is opened, none is shown.
    `theirs`: leave out whoever is another worker's.

    Raises `UnknownProgramme`.
    """
    with snapshot(engine) as connection:
        shelf.get(connection, programme)
        query = _people(programme) if theirs is None else _people(programme).where(is_theirs(theirs))
        rows = connection.execute(query.execution_options(yield_per=500))
        found = [one for row in rows if is_meant(one := _row(row))]
        return len(found), found[:MOST_FOUND]


def _people(programme: str) -> Select[Any]:
    return (
        select(participation, person.c.wrapped_key, vault.c.box, restricted.c.since, worker.c.name.label("worker"))
        .join(person, person.c.person == participation.c.person)
        .join(vault, (vault.c.person == participation.c.person) & (vault.c.name == "identity"))
        .outerjoin(caseload, caseload.c.subject == participation.c.subject)
        .outerjoin(worker, worker.c.worker == caseload.c.worker)
        .outerjoin(restricted, (restricted.c.subject == participation.c.subject) & (restricted.c.purpose == EVERYTHING))
        .where(participation.c.programme == programme)
    )


def _row(row: Any) -> PersonRow:
    record = json.loads(row.record)
    marks = (row.since is not None, is_protected(record), record.get("service_language"), record.get("interpreter"))
    sealed = (row.wrapped_key, row.box)
    ended = (row.ended_on, row.end_reason)
    return PersonRow(row.subject.hex(), row.person, row.standing, row.started_on, *marks, *sealed, row.worker, *ended)
