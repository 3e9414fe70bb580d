"""When tasks are opened and closed, written down as slowly and plainly as it can be.

There is no state but the tasks themselves: whatever is to be known is looked up in the whole history, each time anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from shared.programmes import Condition, TaskRule


@dataclass(frozen=True)
class Told:
    """Pathways heard a fact: what, of whom, of which day, written down on which day, in which line."""

    on: str
    person: str
    day: date
    heard: date
    cause: str
    codes: dict[str, str | None] = field(default_factory=dict)
    due_on: date | None = None
    thing: str | None = None
    """The agreed action, planned meeting or entry of a plan."""


@dataclass(frozen=True)
class Looked:
    """The timer looked at the clock."""

    heard: date


Key = tuple[str, str, str, int]
"""Rule, person, line of the cause, round."""


@dataclass(frozen=True)
class ByHand:
    """A worker closed a task."""

    task: Key
    how: str
    day: date


@dataclass
class Expected:
    """A task as it must be."""

    opened_on: date
    due_on: date
    state: str = "open"
    closed_on: date | None = None


Entry = Told | Looked | ByHand


def expected(history: Sequence[Entry], rules: Sequence[TaskRule], last_day: date) -> dict[Key, Expected]:
    """All tasks that there must be after this history."""
    tasks: dict[Key, Expected] = {}
    for number, entry in enumerate(history):
        before = history[:number]
        people = {e.person for e in history[: number + 1] if isinstance(e, Told)}
        if isinstance(entry, ByHand):
            task = tasks[entry.task]
            task.state, task.closed_on = entry.how, entry.day
            continue
        if isinstance(entry, Told) and entry.on in WITHDRAWN:
            for _, task in _of_thing(entry, before, tasks):
                _end(task, "dismissed", entry.heard)
            continue
        if isinstance(entry, Told) and (entry.on == "participation_resumed" or _has_gone(entry)):
            for rule in rules:
                for task in _mine(rule, entry.person, tasks) if rule.opens.on == "participation_ended" else ():
                    _end(task, "dismissed", entry.heard)
        if isinstance(entry, Told) and entry.on == "plan_action":
            for key, task in _of_thing(entry, before, tasks):
                (rule,) = [rule for rule in rules if rule.key == key[0]]
                if entry.codes["state"] == "done":
                    _end(task, "met", entry.heard)
                elif entry.codes["state"] == "given_up" or not _is(rule.opens, entry, entry.person):
                    _end(task, "dismissed", entry.heard)
            if entry.codes["state"] != "open":
                continue
        for rule in rules:
            for person in people:
                _play(rule, person, entry, before, tasks, last_day)
    return tasks


ONE_EACH = ("action_agreed", "meeting_planned", "plan_action")
WITHDRAWN = ("action_withdrawn", "meeting_withdrawn", "plan_entry_withdrawn")


def _of_thing(told: Told, past: Sequence[Entry], tasks: dict[Key, Expected]) -> list[tuple[Key, Expected]]:
    """The tasks that an action, a meeting or an entry of a plan has made."""
    causes = {entry.cause for entry in past if isinstance(entry, Told) and entry.thing == told.thing}
    return [(key, task) for key, task in tasks.items() if key[2] in causes]


def _has_gone(told: Told) -> bool:
    """Whether the person left in a way after which nobody is asked."""
    return told.on == "participation_ended" and told.codes["reason"] in ("died", "transferred")


def _end(task: Expected, how: str, day: date) -> None:
    if task.state == "open":
        task.state, task.closed_on = how, day


def _is(condition: Condition | None, told: Entry, person: str) -> bool:
    if condition is None or not isinstance(told, Told) or told.person != person or told.on != condition.on:
        return False
    return all(told.codes.get(word) == code for word, code in condition.codes.items())


def _play(
    rule: TaskRule, person: str, entry: Told | Looked, before: Sequence[Entry], tasks: dict[Key, Expected], last: date
) -> None:
    opens, closes = _is(rule.opens, entry, person), _is(rule.closes, entry, person)
    if isinstance(entry, Told) and not opens and not closes:
        return
    waits = _waits(rule, person, before, tasks, last)
    if waits is not None and waits[0] <= entry.heard:
        day, cause, number = waits
        tasks[rule.key, person, cause, number] = Expected(day, day + timedelta(days=rule.due_days))
        waits = None
    if isinstance(entry, Looked):
        return
    if closes:
        for task in _mine(rule, person, tasks):
            if task.state == "open" and task.opened_on <= entry.day:
                task.state, task.closed_on = "met", entry.day
        return
    if _has_gone(entry):
        return
    if entry.on == "plan_action":
        made = [task for key, task in _of_thing(entry, before, tasks) if key[0] == rule.key]
        if made and (entry.due_on is None or entry.due_on in [task.due_on for task in made]):
            return
        for task in made:
            _end(task, "dismissed", entry.heard)
    one_each = rule.opens.on in ONE_EACH
    is_open = any(task.state == "open" for task in _mine(rule, person, tasks))
    if not one_each and (is_open or waits is not None):
        return
    if any(day >= entry.day for day in _settling_days(rule, person, before)):
        return
    due = entry.due_on or entry.day + timedelta(days=rule.due_days)
    tasks[rule.key, person, entry.cause, 0] = Expected(entry.day, due)


def _mine(rule: TaskRule, person: str, tasks: dict[Key, Expected]) -> list[Expected]:
    return [task for key, task in tasks.items() if key[:2] == (rule.key, person)]


def _settling_days(rule: TaskRule, person: str, past: Sequence[Entry]) -> list[date]:
    """Days of closing facts and of closings by hand; an action's or a meeting's own closing settles no other."""
    days = [entry.day for entry in past if isinstance(entry, Told) and _is(rule.closes, entry, person)]
    if rule.opens.on in ONE_EACH:
        return days
    return days + [entry.day for entry in past if isinstance(entry, ByHand) and entry.task[:2] == (rule.key, person)]


def _waits(
    rule: TaskRule, person: str, past: Sequence[Entry], tasks: dict[Key, Expected], last: date
) -> tuple[date, str, int] | None:
    """The day on which the rule opens the next task by itself, with its cause and round."""
    own = [(key, task) for key, task in tasks.items() if key[:2] == (rule.key, person)]
    if rule.repeats_days is None or any(task.state == "open" for _, task in own):
        return None
    if own:
        (_, _, cause, number), task = own[-1]
        if task.state == "dismissed":
            return None
    else:  # nothing was ever to be done, because what was asked had happened before it was asked
        early = [
            entry.cause
            for number, entry in enumerate(past)
            if isinstance(entry, Told) and _is(rule.opens, entry, person)
            and any(day >= entry.day for day in _settling_days(rule, person, past[:number]))
        ]  # fmt: skip
        if not early:
            return None
        cause, number = early[0], 0
    day = max(_settling_days(rule, person, past)) + timedelta(days=rule.repeats_days)
    return (day, cause, number + 1) if day <= last else None
