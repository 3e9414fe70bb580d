"""What is known of people's data in the fund's own system, EURA: who entered them and when, and who is still missing.

Nothing is sent to EURA, which takes no data from other systems: this is a worklist.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, select

from services.intake import exit_store, start_store, store
from services.intake.domain import Arrival, check_evidence
from services.intake.records import Stay, proof_of, start_fact
from shared.contracts.errors import InvalidInput, UnknownPerson
from shared.contracts.start_facts import EuraCounted, EuraEntered
from shared.journal import Journal, Unit
from shared.ops.clock import today_in_helsinki
from shared.programmes import Programme
from shared.storage import snapshot
from shared.storage.once import Results, each_once


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry in EURA, to be noted."""

    key: str
    subject: str
    record: str
    by: str
    date: date


def note_entries(
    journal: Journal,
    vault: Mapping[int, bytes],
    programme: str,
    items: Sequence[NewEntry],
    *,
    by: str,
    now: datetime,
    skip_bad: bool = False,
) -> tuple[Results, int | None]:
    """Note that people's start or exit data are in EURA; results are ``{"subject", "new"}`` or ``{"error"}``.

    Where the entry proves a start record that had another proof, or none, the lead is told the record anew.
    """
    with journal.unit(now) as unit:
        definition = store.shelf.get(unit.connection, programme)
        today, stays = today_in_helsinki(now), exit_store.stays(unit.connection, programme, (n.subject for n in items))

        def take(new: NewEntry) -> str:
            row = store.find_participation(unit.connection, programme, new.subject)
            if row is None:
                raise UnknownPerson(field="person", programme=programme)
            _check(new, row.standing, stays[new.subject], definition, today)
            if new.record == "start":
                start_store.put_start_entry(unit.connection, new.subject, new.date, new.by)
                _prove(unit, vault, definition, new, row)
            else:
                start_store.put_exit_entry(unit.connection, programme, new.subject, new.date, new.by)
            tell(unit, programme, new.subject, new.record, new.date.isoformat(), new.by)
            return new.subject

        results, fresh = each_once(
            unit.connection, store.keys, programme, items, take, what="subject", field="key", skip_bad=skip_bad
        )
        if fresh:
            _count(unit, programme)
            unit.audit(by, "note_eura", programme=programme, people=len(fresh))
    return results, unit.pos


def _prove(unit: Unit, vault: Mapping[int, bytes], definition: Programme, new: NewEntry, row: Any) -> None:
    """The start record once more, if the entry changes what proves it: the last one holds."""
    before = json.loads(row.record)
    record = before | {"eura_on": new.date.isoformat(), "eura_by": new.by}
    if proof_of(before, definition) != proof_of(record, definition):
        identity = store.open_identity(vault, row.person, row.wrapped_key, row.box)  # the age is that of a birth date
        arrival = Arrival(new.key, row.standing, row.started_on, record, identity)
        unit.record(start_fact(new.subject, arrival, definition), definition.key)


def _check(new: NewEntry, standing: str, stay: Stay, programme: Programme, today: date) -> None:
    if standing != "esf_participant":
        raise InvalidInput(field="person", reason="is no ESF participant")
    if new.record == "exit" and stay.ended_on is None:
        raise InvalidInput(field="person", reason="has not left")
    if new.record == "exit" and stay.ended_on is not None and new.date < stay.ended_on:
        raise InvalidInput(field="date", reason="before the exit")
    check_evidence("date", new.date, programme, today)


def tell(unit: Unit, programme: str, subject: str, record: str, day: str | None, by: str | None) -> None:
    """Record that an entry is known; one that was taken back (`day` None) shows in the count alone (`recounting`)."""
    if day is not None and by is not None:
        unit.record(EuraEntered(subject, programme=programme, record=record, entered_by=by, occurred_on=day))


def _count(unit: Unit, programme: str) -> None:
    starts, exits = start_store.eura_counts(unit.connection, programme)
    unit.record(EuraCounted(None, starts=starts, exits=exits), programme)


@contextmanager
def recounting(unit: Unit, programme: str) -> Iterator[None]:
    """Around what may change who is known to be in EURA: the lead is told the count if it does."""
    before = start_store.eura_counts(unit.connection, programme)
    yield
    if start_store.eura_counts(unit.connection, programme) != before:
        _count(unit, programme)


def worklist(engine: Engine, programme: str) -> dict[str, Any]:
    """Who is missing in EURA, and how many are there: of participants the start, of those who have left the exit.

    `people` are those of whom something is missing, the earliest start first; `start` and `exit` are entries
    ``{"on", "by"}``, or null: missing; `left`: whether there is an exit to enter.
    """
    p, e = store.participation.c, start_store.exit_form.c
    query = (
        select(p.subject, p.started_on, p.ended_on, p.record, e.eura_on, e.eura_by)
        .select_from(store.participation.outerjoin(start_store.exit_form, p.subject == e.subject))
        .where(p.programme == programme, p.standing == "esf_participant")
        .order_by(p.started_on, p.subject)
    )
    counts = dict.fromkeys(("participants", "starts", "left", "exits"), 0)
    people = []
    with snapshot(engine) as connection:
        store.shelf.get(connection, programme)
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
