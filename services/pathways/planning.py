"""Rules of people's plans, pure."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from shared.contracts.errors import ChangedMeanwhile, InvalidInput, UnknownCode
from shared.programmes import Programme

FARTHEST = timedelta(days=366)
"""How far ahead the day of what was agreed may lie: a farther year is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a plan; `entry` is empty for a new one, which is given an id."""

    entry: str
    what: str
    state: str
    shown: bool
    text_ref: str | None
    who: str | None
    day: date | None
    barrier: str | None
    solutions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as it stands."""

    revision: int = 0
    strengths: tuple[str, ...] = ()
    next: str | None = None
    ready_on: date | None = None
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan to be recorded, whole; `was`: the revision that whoever writes has seen."""

    key: str
    subject: str
    was: int
    strengths: tuple[str, ...]
    next: str | None
    ready: bool
    entries: tuple[Entry, ...]


def check_plan(new: NewPlan, before: Plan, programme: Programme, today: date) -> None:
    """Refuse a plan that cannot be. Raises `ChangedMeanwhile`, `InvalidInput` or `UnknownCode` naming the field."""
    if new.was != before.revision:
        raise ChangedMeanwhile(field="was")
    for code in new.strengths:
        _known("strengths", code, {strength.key for strength in programme.strengths}, programme)
    if new.next is not None:
        _known("next", new.next, programme.outcome_by_key, programme)
        if programme.outcome_by_key[new.next].is_plan:
            raise InvalidInput(field="next", reason="is a plan, not a service")
    if new.ready and new.next is None:
        raise InvalidInput(field="next", reason="a ready plan says which service comes next")
    known = {entry.entry: entry for entry in before.entries}
    barriers: set[str] = set()
    for place, entry in enumerate(new.entries):
        _check_entry(f"entries.{place}", entry, known, programme, today)
        if entry.barrier in barriers:
            raise InvalidInput(field=f"entries.{place}.barrier", reason="stands in the plan already")
        barriers |= {entry.barrier} if entry.barrier else set()
    if len({entry.entry for entry in new.entries if entry.entry}) < sum(bool(entry.entry) for entry in new.entries):
        raise InvalidInput(field="entries", reason="the same entry twice")


def _known(field: str, code: str, known: Container[str], programme: Programme) -> None:
    if code not in known:
        raise UnknownCode(field=field, programme=programme.key, value=code)


def _check_entry(field: str, entry: Entry, known: Mapping[str, Entry], programme: Programme, today: date) -> None:
    before = known.get(entry.entry)
    if entry.entry and before is None:
        raise InvalidInput(field=f"{field}.entry", reason="is not of this plan")
    if before is not None and (before.what, before.text_ref, before.barrier) != _is(entry):
        raise InvalidInput(field=f"{field}.entry", reason="is something else: take it out and write it anew")
    if (entry.text_ref is not None) != (entry.what in ("goal", "action")) and entry.what != "review":
        raise InvalidInput(field=f"{field}.text_ref", reason="goals and actions have a text, barriers have none")
    if entry.who is not None and entry.what != "action":
        raise InvalidInput(field=f"{field}.who", reason="only an action is done by somebody")
    if entry.what == "barrier":
        solutions = {barrier.key: barrier.solutions for barrier in programme.barriers}
        if entry.barrier is None:
            raise InvalidInput(field=f"{field}.barrier", reason="which one")
        _known(f"{field}.barrier", entry.barrier, solutions, programme)
        for code in entry.solutions:
            _known(f"{field}.solutions", code, solutions[entry.barrier], programme)
    elif entry.barrier is not None or entry.solutions:
        member = "solutions" if entry.barrier is None else "barrier"
        raise InvalidInput(field=f"{field}.{member}", reason="only a barrier has one")
    if entry.day is not None and (before is None or before.day != entry.day):
        _check_day(f"{field}.day", entry.day, programme, today)
    if entry.what == "review" and (entry.day is None or entry.day > today):
        raise InvalidInput(field=f"{field}.day", reason="a review was held, and not after today")


def _check_day(field: str, day: date, programme: Programme, today: date) -> None:
    """What is agreed may lie ahead. A day that stands in the plan already is not asked about again."""
    if day < programme.period.start:
        raise InvalidInput(field=field, reason="before the programme's period")
    if day > today + FARTHEST:
        raise InvalidInput(field=field, reason=f"more than {FARTHEST.days} days ahead")


def _is(entry: Entry) -> tuple[str, str | None, str | None]:
    """What an entry is for good."""
    return entry.what, entry.text_ref, entry.barrier


def revised(new: NewPlan, before: Plan, entries: tuple[Entry, ...], today: date) -> Plan:
    """The plan after it; the day on which it became ready stays."""
    ready_on = (before.ready_on or today) if new.ready else None
    return Plan(before.revision + 1, new.strengths, new.next, ready_on, entries)
