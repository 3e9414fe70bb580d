"""What ends when people leave, and begins again when they come back (decision 0247).

Whoever leaves is on no step any more, and nothing is to be done about them but what rules of leaving ask, and those
that the programme file says go on (`rules.goes_on`); of the dead, and of who goes on at another partner, not even that.
`hearing` hears the facts; who left before this release is looked after by the timer, once.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime

from services.pathways import leaving_store, stepping, store
from services.pathways.leaving_store import Leaving
from services.pathways.rules import Event, at_leaving, at_refusal, at_return, goes_on
from services.pathways.task_changes import apply, close
from shared.journal import Journal, Unit
from shared.journal.closing import is_sealed
from shared.journal.follow import lock_cursor
from shared.ops.clock import today_in_helsinki
from shared.programmes import Programme, TaskRule
from shared.storage import snapshot


def left(unit: Unit, definition: Programme, subject: str, now: Leaving, today: date) -> None:
    """End what is open of a person who has left; `today`: when that was written down."""
    _end_tasks(unit, definition, subject, today, lambda rule: now.asked_nothing or not goes_on(rule))
    stepping.end_stays(unit, definition, subject, now.left_on)


def corrected(unit: Unit, definition: Programme, subject: str, today: date) -> None:
    """The exit is of another day, or for another reason: what leaving asked is asked anew, of that day."""
    _end_tasks(
        unit, definition, subject, today, lambda rule: rule is not None and rule.opens.on == "participation_ended"
    )


def no_exit(unit: Unit, definition: Programme, subject: str, today: date) -> None:
    """There is no exit any more: nothing is to be done because of it."""
    _end_tasks(unit, definition, subject, today, lambda rule: rule is not None and rule.of_leaving)


def exit_erased(unit: Unit, definition: Programme, subject: str, today: date) -> None:
    """The exit is erased: nothing is to be done because of it, and about who is away nothing at all."""
    away = leaving_store.find(unit.connection, subject) is not None
    _end_tasks(unit, definition, subject, today, lambda rule: away or (rule is not None and rule.of_leaving))


def back(unit: Unit, definition: Programme, subject: str, event: Event) -> None:
    """Somebody is there again: the rules that leaving has stopped begin again, of the day on which they came."""
    no_exit(unit, definition, subject, event.heard)
    _begin_again(unit, definition, subject, event, lambda _rule: True)


def asked_after_all(
    unit: Unit, definition: Programme, subject: str, before: Leaving | None, now: Leaving, heard: date, cause: str
) -> None:
    """If it was a mistake that nobody asks the person anything, what goes on after leaving begins on the last day."""
    if before is not None and before.asked_nothing and not now.asked_nothing:
        event = Event("participation_ended", now.left_on, heard, cause, {"reason": now.reason})
        _begin_again(unit, definition, subject, event, lambda rule: rule.after_leaving)


def may_open(unit: Unit, rule: TaskRule, subject: str) -> bool:
    """Whether the rule may open a task about the person: about who has left, only one that goes on."""
    away = leaving_store.find(unit.connection, subject)
    return away is None or (goes_on(rule) and not away.asked_nothing)


def refused(unit: Unit, definition: Programme, rule: TaskRule, subject: str, event: Event) -> None:
    """The rule would have opened a task about the person, and may not."""
    if rule.after_leaving:
        place = (definition.key, rule.key, subject)
        track = store.locked_track(unit.connection, *place)
        if (now := at_refusal(rule, definition.period.end, track, event)) != track:
            store.put_track(unit.connection, *place, now)


def _begin_again(
    unit: Unit, definition: Programme, subject: str, event: Event, which: Callable[[TaskRule], bool]
) -> None:
    for key in store.rules_in_motion(unit.connection, definition.key, subject):
        rule, place = definition.task_by_key.get(key), (definition.key, key, subject)
        track = store.locked_track(unit.connection, *place)
        if rule is not None and track.stopped and which(rule):
            apply(unit, place, at_return(rule, definition.period.end, track, event))


def _end_tasks(
    unit: Unit, definition: Programme, subject: str, today: date, which: Callable[[TaskRule | None], bool]
) -> None:
    """Dismiss the open tasks of these rules, and stop what repeats; None: one that the file has no more."""
    for key in store.rules_in_motion(unit.connection, definition.key, subject):
        rule, place = definition.task_by_key.get(key), (definition.key, key, subject)
        if not which(rule):
            continue
        track = store.locked_track(unit.connection, *place)
        tasks = store.open_tasks(unit.connection, *place)
        change, ended = at_leaving(rule, track, list(tasks), today)
        known = tasks | apply(unit, place, change)
        reason = "not_needed" if rule is not None and rule.of_leaving else "has_left"
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
