"""What ends when people leave, and begins again when they come back (decision 0247).

Whoever leaves is on no step any more, and nothing is to be done about them but what rules of leaving ask
(`rules.of_leaving`); of the dead, and of who goes on at another partner, not even that. `hearing` hears the facts; who
left before this release is looked after by the timer, once.
"""

from collections.abc import Iterator
from datetime import date, datetime

from services.pathways import leaving_store, stepping, store
from services.pathways.leaving_store import Leaving
from services.pathways.rules import Event, at_leaving, at_return, of_leaving
from services.pathways.task_changes import apply, close
from shared.journal import Journal, Unit
from shared.journal.closing import is_sealed
from shared.journal.follow import lock_cursor
from shared.ops.clock import today_in_helsinki
from shared.programmes import Programme, TaskRule
from shared.storage import snapshot


def left(unit: Unit, definition: Programme, subject: str, now: Leaving, today: date) -> None:
    """End what is open of a person who has left; `today`: when that was written down."""
    _end_tasks(unit, definition, subject, today, of_those_who_left=False)
    if now.asked_nothing:
        _end_tasks(unit, definition, subject, today, of_those_who_left=True)
    stepping.end_stays(unit, definition.key, subject, now.left_on)


def corrected(unit: Unit, definition: Programme, subject: str, today: date) -> None:
    """The exit is of another day, or for another reason: what leaving asked is asked anew, of that day."""
    rules = {rule.key for rule in definition.tasks if rule.opens.on == "participation_ended"}
    _end_tasks(unit, definition, subject, today, of_those_who_left=True, only=rules)


def no_exit(unit: Unit, definition: Programme, subject: str, today: date) -> None:
    """There is no exit any more: nothing is to be done because of it."""
    _end_tasks(unit, definition, subject, today, of_those_who_left=True)


def back(unit: Unit, definition: Programme, subject: str, event: Event) -> None:
    """Somebody is there again: the rules that leaving has stopped begin again, of the day on which they came."""
    no_exit(unit, definition, subject, event.heard)
    for key in store.rules_in_motion(unit.connection, definition.key, subject):
        rule, place = definition.task_by_key.get(key), (definition.key, key, subject)
        track = store.locked_track(unit.connection, *place)
        if rule is not None and track.stopped:
            apply(unit, place, at_return(rule, definition.period.end, track, event))


def may_open(unit: Unit, rule: TaskRule, subject: str) -> bool:
    """Whether the rule may open a task about the person: about who has left, only what is of leaving."""
    away = leaving_store.find(unit.connection, subject)
    return away is None or (of_leaving(rule) and not away.asked_nothing)


def _end_tasks(
    unit: Unit,
    definition: Programme,
    subject: str,
    today: date,
    *,
    of_those_who_left: bool,
    only: set[str] | None = None,
) -> None:
    """Dismiss the open tasks of rules of leaving, or of all others, and stop what repeats."""
    reason = "not_needed" if of_those_who_left else "has_left"
    for key in store.rules_in_motion(unit.connection, definition.key, subject):
        rule, place = definition.task_by_key.get(key), (definition.key, key, subject)
        if (rule is not None and of_leaving(rule)) != of_those_who_left or (only is not None and key not in only):
            continue
        track = store.locked_track(unit.connection, *place)
        tasks = store.open_tasks(unit.connection, *place)
        change, ended = at_leaving(rule, track, list(tasks), today)
        known = tasks | apply(unit, place, change)
        for task in ended:
            if task in known:  # a programme that is closed opens none
                close(unit, subject, known[task], "dismissed", reason, today)


def settle_earlier(journal: Journal, now: datetime) -> Iterator[int]:
    """End what is open of people who left before this release kept that they had; yields the journal positions."""
    with snapshot(journal.engine) as connection:
        found = leaving_store.unsettled(connection)
    for programme, subject in found:
        with journal.unit(now) as unit:
            lock_cursor(unit.connection, "pathways")
            away = leaving_store.find(unit.connection, subject)
            fresh = leaving_store.settle(unit.connection, subject)  # else they are back meanwhile
            if fresh and away is not None and not is_sealed(unit.connection, unit.home, programme):
                definition = store.shelf.get(unit.connection, programme)
                left(unit, definition, subject, away, today_in_helsinki(now))
        if unit.pos is not None:
            yield unit.pos
