"""Use cases of the door: who comes, counted one tap at a time, and regulars by their tiles.

As the tap counter of activities (decision 0082): a tap changes the encounter's row only, names the revision that its
page showed, and is told to the journal with *done*, or by a timer while nobody says so. A tile says who is there, so
the same tap twice is no second one; it is told at once, on this node.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from services.intake import encounter_store, store
from services.intake.encounter_rules import Count, Encounter, NewEncounter, check_encounter
from services.intake.encounters import add_visits, locked, remove_visit, tell
from services.intake.operations import Vault
from services.intake.visitors import Visitors
from shared.contracts.errors import InvalidInput, UnknownPerson, unless_refused
from shared.journal import Journal, Unit
from shared.journal.closing import is_sealed, refuse_new
from shared.journal.unit import new_id
from shared.ops.clock import today_in_helsinki
from shared.storage.once import each_once

TELL_EVERY = timedelta(minutes=5)


def open_door(
    journal: Journal, programme: str, key: str, content: Encounter, *, by: str, now: datetime
) -> tuple[str, bool]:
    """Begin to count; returns the encounter and whether it is new. No fact comes of it before there is a count."""
    with journal.unit(now) as unit:
        definition, today = store.shelf.get(unit.connection, programme), today_in_helsinki(now)
        refuse_new(unit.connection, journal.home, programme)

        def take(new: NewEncounter) -> str:
            check_encounter(new.content, definition, today)
            return new_id()

        new = [NewEncounter(key, content)]
        results, fresh = each_once(
            unit.connection, store.keys, programme, new, take, what="encounter", field="key", skip_bad=False
        )
        made: str = unless_refused(*results)["encounter"]
        encounter_store.add_encounters(unit.connection, programme, [(made, content) for _ in fresh], now, door=True)
        if fresh:
            unit.audit(by, "open_door", programme=programme)
    return made, bool(fresh)


def tap_door(
    journal: Journal, programme: str, encounter: str, *, revision: int, tap: str, by: str, now: datetime
) -> tuple[dict[str, Any], int | None]:
    """One tap, if the door still is at `revision`; returns how it stands now with `taken`, and the journal position.

    A tap that would count below 0 changes nothing. Raises `NotFound`, or `InvalidInput` for women where they are not
    counted apart.
    """
    with journal.unit(now) as unit:
        row = _door(unit, programme, encounter)
        refuse_new(unit.connection, journal.home, programme)
        after = _count(row).tapped(tap) if row.revision == revision else None
        if after is not None:
            _keep(unit, row, after, done=tap == "done")
            if tap == "done":
                _tell(unit, _door(unit, programme, encounter), by)
        state = state_of(_door(unit, programme, encounter))
    return {**state, "taken": after is not None}, unit.pos


def tap_visitor(
    journal: Journal, programme: str, encounter: str, subject: str, *, there: bool, by: str, now: datetime
) -> tuple[dict[str, Any], int | None]:
    """A regular is there, and counted as known, or is not after all; the same again changes nothing.

    Returns how the door stands, and the journal position. Raises `NotFound` or `UnknownPerson`.
    """
    with journal.unit(now) as unit:
        row = _door(unit, programme, encounter)
        if subject not in store.owners(unit.connection, programme, [subject]):
            raise UnknownPerson(field="subject", programme=programme)
        here = encounter_store.visits_of(unit.connection, row.encounter)
        if there and subject not in here:
            woman = row.women is not None and encounter_store.gender_of(unit.connection, subject) == "f"
            _come(unit, row, programme, subject, "K" if woman else "k")
        elif not there and subject in here:
            letter = here[subject].counted
            after = _count(row).counted(letter, -1) if letter else None
            remove_visit(unit, programme, encounter, here[subject])
            _keep(unit, row, after or _count(row), done=False)
        if there != (subject in here):
            unit.audit(by, "tap_visitor", programme=programme, subject=subject)
        state = state_of(_door(unit, programme, encounter))
    return state, unit.pos


def meet_visitor(
    journal: Journal, keys: Vault, programme: str, encounter: str, token: str, *, woman: bool, by: str, now: datetime
) -> tuple[dict[str, Any], int | None]:
    """Somebody tells a nickname: whoever has it comes as known, else a visitor begins, counted as new.

    Returns how the door stands with the visitor's `subject`, and the journal position. The same again changes nothing.
    """
    with journal.unit(now) as unit:
        row, visitors = _door(unit, programme, encounter), Visitors(unit, keys, programme)
        known = visitors.find(token)
        gender = "f" if woman else "unknown"
        subject = known or visitors.make(token, row.occurred_on, gender=gender)
        if subject not in encounter_store.visits_of(unit.connection, row.encounter):
            letter = "n" if known is None else "k"
            letter = letter.upper() if woman and row.women is not None else letter
            _come(unit, row, programme, subject, letter, visitors.began)
            unit.audit(by, "meet_visitor", programme=programme, subject=subject)
        state = state_of(_door(unit, programme, encounter))
    return {**state, "subject": subject}, unit.pos


def tell_doors(journal: Journal, now: datetime) -> int | None:
    """Record the counts that nobody has said *done* to and that changed since they were told; the journal position."""
    with journal.unit(now, late=True) as unit:
        for row in encounter_store.untold(unit.connection, now - TELL_EVERY):
            if not is_sealed(unit.connection, journal.home, row.programme):
                _tell(unit, row, "door")
    return unit.pos


def state_of(row: Any) -> dict[str, Any]:
    """A door as pages see it."""
    plain = {
        name: getattr(row, name)
        for name in ("location", "area", "people_new", "people_known", "women", "revision", "done")
    }
    ids = {"encounter": row.encounter.hex(), "occurred_on": row.occurred_on.isoformat()}
    return ids | plain | {"can_undo": bool(row.taps)}


def _door(unit: Unit, programme: str, encounter: str) -> Any:
    row = locked(unit, programme, encounter)
    if not row.door:
        raise InvalidInput(field="encounter", reason="was written down, not counted at a door")
    return row


def _count(row: Any) -> Count:
    return Count(encounter_store.content_of(row), row.taps)


def _come(unit: Unit, row: Any, programme: str, subject: str, letter: str, began: Collection[str] = ()) -> None:
    after = _count(row).counted(letter, 1)
    counted = letter if after else None
    place = (row.encounter.hex(), row.occurred_on)
    add_visits(unit, programme, *place, [subject], began=began, counted=counted)
    _keep(unit, row, after or _count(row), done=False)


def _keep(unit: Unit, row: Any, after: Count, *, done: bool) -> None:
    counts = {name: getattr(after.content, name) for name in ("people_new", "people_known", "women")}
    values: dict[str, Any] = counts | {"taps": after.taps, "done": done, "revision": row.revision + 1}
    if after.content == encounter_store.content_of(row) and row.told == row.revision:
        values["told"] = row.revision + 1  # nothing new to tell
    encounter_store.set_encounter(unit.connection, row.encounter, values)


def _tell(unit: Unit, row: Any, by: str) -> None:
    """The door as a fact; one that says what was told already is left out."""
    if row.told == row.revision:
        return
    content = encounter_store.content_of(row)
    tell(unit, row.programme, row.encounter.hex(), content, hushed=row.hushed)
    encounter_store.set_encounter(unit.connection, row.encounter, {"told": row.revision, "told_at": unit.now})
    heads = (content.people_new or 0) + (content.people_known or 0)
    unit.audit(by, "count_door", programme=row.programme, heads=heads)
