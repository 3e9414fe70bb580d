"""What is known of people's data in the fund's own system, EURA: who entered them and when, and who is still missing.

Nothing is sent to EURA, which takes no data from other systems: this is a worklist.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.intake import exit_store, start_store, store
from services.intake.domain import Arrival
from services.intake.records import check_entry, proof_of, start_fact
from shared.contracts.errors import UnknownPerson
from shared.contracts.start_facts import EuraCounted, EuraEntered
from shared.journal import Journal, Unit
from shared.ops.clock import today_in_helsinki
from shared.programmes import Programme
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
            check_entry(new.record, new.date, row.standing, stays[new.subject], definition, today)
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
