"""Use cases of encounters: recorded, corrected, removed; one transaction each, state and facts together.

Rules are in `encounter_rules.py`, the statements in `encounter_store.py`. A fact tells the whole encounter; the last
one holds.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from services.intake import encounter_store, exit_store, store
from services.intake.encounter_rules import Encounter, NewEncounter, check_encounter, must_hush
from services.intake.operations import Vault
from services.intake.visitors import Visitors
from shared.contracts.encounter_facts import EncounterRecorded, EncounterRemoved, VisitorMet, VisitRemoved
from shared.contracts.errors import (
    ChangedMeanwhile,
    ConsentWithdrawn,
    InvalidInput,
    NotFound,
    ProcessingRestricted,
    UnknownPerson,
)
from shared.journal import Journal, Unit
from shared.journal.unit import new_id
from shared.ops.clock import today_in_helsinki
from shared.storage.once import Results, each_once
from shared.storage.restricting import refuse_restricted, restricted_among


def record_encounters(
    journal: Journal,
    keys: Vault,
    programme: str,
    items: Sequence[NewEncounter],
    *,
    by: str,
    now: datetime,
    skip_bad: bool = False,
) -> tuple[Results, int | None]:
    """Record encounters, in order, up to the first that is refused (`skip_bad`: all that are not).

    Returns a result per item, ``{"encounter", "new"}`` or ``{"error"}``, and the journal position, None if nothing was
    new. Whoever is told by a nickname that nobody has here begins as a visitor.
    """
    with journal.unit(now) as unit:
        definition, today = store.shelf.get(unit.connection, programme), today_in_helsinki(now)
        visitors = Visitors(unit, keys, programme)
        met: dict[str, list[str]] = {}

        def take(new: NewEncounter) -> str:
            check_encounter(new.content, definition, today)
            known = {token: visitors.find(token, note=False) for token in new.tokens}
            restricted = restricted_among(unit.connection, known.values())
            for subject in known.values():
                refuse_restricted(restricted, subject, "support", "intake", "token")
            made, day = new_id(), new.content.occurred_on
            met[made] = [visitors.find(token) or visitors.make(token, day) for token in new.tokens]
            return made

        results, fresh = each_once(
            unit.connection,
            store.keys,
            programme,
            items,
            take,
            what="encounter",
            field="ref",
            skip_bad=skip_bad,
            digester=keys,
        )
        encounter_store.add_encounters(unit.connection, programme, ((made, new.content) for made, new in fresh), now)
        for made, new in fresh:
            add_visits(unit, programme, made, new.content.occurred_on, met[made], began=visitors.began)
            tell(unit, programme, made, new.content, hushed=False)
        if fresh:
            unit.audit(by, "record_encounters", programme=programme, encounters=len(fresh))
    return results, unit.pos


def correct_encounter(
    journal: Journal,
    keys: Vault,
    programme: str,
    encounter: str,
    content: Encounter,
    tokens: Sequence[str] | None,
    *,
    revision: int,
    by: str,
    now: datetime,
) -> tuple[int, list[str], int | None]:
    """Write an encounter anew; returns its revision, whom it leaves alone, and the journal position (None if nothing is
    new).

    `tokens` None: the visitors stay. Left alone is a visitor about whom nothing may be recorded: their visit stays as
    it is, or none is added. Raises `NotFound`; `ChangedMeanwhile` if it is not at `revision` any more.
    """
    with journal.unit(now) as unit:
        row = locked(unit, programme, encounter)
        check_encounter(content, store.shelf.get(unit.connection, programme), today_in_helsinki(now))
        here = encounter_store.visits_of(unit.connection, row.encounter)
        visitors = Visitors(unit, keys, programme)
        asked = (
            list(here)
            if tokens is None
            else [visitors.find(token, note=False) or visitors.make(token, content.occurred_on) for token in tokens]
        )
        fixed, moved = _not_to_be_recorded(unit, {*here, *asked}), content.occurred_on != row.occurred_on
        left = sorted(one for one in fixed if (one in here) != (one in asked) or (one in here and moved))
        wanted = [one for one in here if one in fixed] + [one for one in asked if one not in fixed]
        before = encounter_store.content_of(row)
        told_what = row.told is not None and not row.hushed and (before.topics or before.guided_to or before.languages)
        if told_what and must_hush(before, len(wanted), began=bool(visitors.began)):
            # What it was about has been told already, of nobody but them (decision 0200).
            raise InvalidInput(field="sealed.tokens", reason="somebody new is met at the door or at an encounter anew")
        same = before == content
        if same and set(wanted) == set(here):
            return row.revision, left, unit.pos
        if row.revision != revision:
            raise ChangedMeanwhile(field="encounter")
        told = {"revision": revision + 1, "told": revision + 1, "told_at": now, "taps": ""}
        encounter_store.set_encounter(unit.connection, row.encounter, encounter_store.columns_of(content) | told)
        for subject in here.keys() - set(wanted):
            remove_visit(unit, programme, encounter, here[subject])
        staying = [here[subject] for subject in here if subject in wanted and subject not in fixed]
        encounter_store.settle_visits(unit.connection, [visit.visit for visit in staying], content.occurred_on)
        if moved:
            for visit in staying:
                _met(unit, programme, encounter, visit.subject.hex(), visit.visit.hex(), content.occurred_on)
        coming = [one for one in wanted if one not in here]
        add_visits(unit, programme, encounter, content.occurred_on, coming, began=visitors.began)
        if not same or row.told != row.revision:
            tell(unit, programme, encounter, content, hushed=row.hushed)
        unit.audit(by, "correct_encounter", programme=programme, encounter=encounter)
    return revision + 1, left, unit.pos


def remove_encounter(
    journal: Journal, programme: str, encounter: str, *, revision: int, by: str, now: datetime
) -> tuple[bool, list[str], int | None]:
    """Take back an encounter that was recorded by mistake, and who was met; whether it was there, whom it leaves alone,
    and the position. The visit of somebody about whom nothing may be recorded goes when that is lifted.

    Raises `UnknownProgramme`; `ChangedMeanwhile` if it is not at `revision` any more.
    """
    with journal.unit(now) as unit:
        row = encounter_store.lock_encounter(unit.connection, programme, encounter)
        if row is None:
            store.shelf.get(unit.connection, programme)
            return False, [], None
        if row.revision != revision:
            raise ChangedMeanwhile(field="encounter")
        here = encounter_store.visits_of(unit.connection, row.encounter)
        left = _not_to_be_recorded(unit, here)
        for visit in (here[subject] for subject in here if subject not in left):
            remove_visit(unit, programme, encounter, visit)
        encounter_store.remove_encounter(unit.connection, row.encounter)
        if row.told is not None:
            unit.record(EncounterRemoved(None, encounter=encounter), programme)
        unit.audit(by, "remove_encounter", programme=programme, encounter=encounter)
    return True, sorted(left), unit.pos


def remove_visits_left(unit: Unit, programme: str, subject: str) -> None:
    """Something may be recorded about the person again: remove their visits of encounters that are there no more."""
    for visit in encounter_store.visits_of_removed(unit.connection, programme, bytes.fromhex(subject)):
        remove_visit(unit, programme, visit.encounter.hex(), visit)


def _not_to_be_recorded(unit: Unit, subjects: Iterable[str]) -> set[str]:
    """Those of these people about whom nothing may be recorded."""
    known, found = restricted_among(unit.connection, subjects), set[str]()
    for subject in known:
        try:
            refuse_restricted(known, subject, "support", "intake")
        except (ProcessingRestricted, ConsentWithdrawn):
            found.add(subject)
    return found


def locked(unit: Unit, programme: str, encounter: str) -> Any:
    """The row of an encounter, which nobody else changes until the transaction ends. Raises `UnknownProgramme` or
    `NotFound`."""
    row = encounter_store.lock_encounter(unit.connection, programme, encounter)
    if row is None:
        store.shelf.get(unit.connection, programme)
        raise NotFound(what="encounter")
    return row


def tell(unit: Unit, programme: str, encounter: str, content: Encounter, *, hushed: bool) -> None:
    """The fact of an encounter as it stands; called after its visits are noted.

    Without topics, guided_to and languages where they could be tied to a visitor who began with it (decision 0200), and
    once that was so (`hushed`) for ever.
    """
    visits = encounter_store.visits_of(unit.connection, bytes.fromhex(encounter)).values()
    if not hushed and must_hush(content, len(visits), began=any(visit.began for visit in visits)):
        encounter_store.set_encounter(unit.connection, bytes.fromhex(encounter), {"hushed": True})
        hushed = True
    if hushed:
        content = replace(content, topics=(), guided_to=(), languages=())
    heads = {name: getattr(content, name) for name in ("staff", "people_new", "people_known", "women")}
    place = {name: getattr(content, name) for name in ("start", "location", "area")}
    several = {name: list(getattr(content, name)) or None for name in ("languages", "topics", "guided_to")}
    day = content.occurred_on.isoformat()
    unit.record(EncounterRecorded(None, encounter=encounter, occurred_on=day, **heads, **place, **several), programme)


def add_visits(
    unit: Unit,
    programme: str,
    encounter: str,
    day: date,
    subjects: Iterable[str],
    *,
    began: Collection[str] = (),
    counted: str | None = None,
) -> None:
    """Visitors met at an encounter, each once: state and facts; `began` are those for whom it is the first.

    Raises `UnknownPerson` if one was erased meanwhile; who is erased from now on is erased with the visit.
    """
    subjects = list(subjects)
    if subjects and set(subjects) - exit_store.stays(unit.connection, programme, subjects).keys():
        raise UnknownPerson(field="subject", programme=programme)
    common = {"encounter": encounter, "occurred_on": day, "counted": counted}
    rows: list[dict[str, Any]] = [
        {"visit": new_id(), "subject": one, "began": one in began, **common} for one in dict.fromkeys(subjects)
    ]
    encounter_store.add_visits(unit.connection, programme, rows)
    for row in rows:
        _met(unit, programme, encounter, row["subject"], row["visit"], day)


def remove_visit(unit: Unit, programme: str, encounter: str, visit: Any) -> None:
    """A visitor was not there: state and fact."""
    ids = {"visit": visit.visit.hex(), "encounter": encounter, "programme": programme}
    unit.record(VisitRemoved(visit.subject.hex(), **ids))
    encounter_store.remove_visit(unit.connection, visit.visit)


def _met(unit: Unit, programme: str, encounter: str, subject: str, visit: str, day: date) -> None:
    ids = {"visit": visit, "encounter": encounter, "programme": programme}
    unit.record(VisitorMet(subject, **ids, occurred_on=day.isoformat()))
