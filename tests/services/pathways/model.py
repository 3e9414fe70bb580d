"""When tasks are opened and closed, written down as slowly and plainly as it can be.

There is no state but the tasks themselves, and which rules leaving has stopped and a return has begun again: whatever
else is to be known is looked up in the whole history, each time anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
    reason: str | None = None


@dataclass
class Stops:
    """Which rules leaving has stopped, by rule and person, and the return at which each began again last."""

    stopped: set[tuple[str, str]] = field(default_factory=set)
    again: dict[tuple[str, str], Told] = field(default_factory=dict)


@dataclass
class Expected:
    """A task as it must be."""

    opened_on: date
    due_on: date
    state: str = "open"
    closed_on: date | None = None
    reason: str | None = None


Entry = Told | Looked | ByHand


def expected(history: Sequence[Entry], rules: Sequence[TaskRule], last_day: date) -> dict[Key, Expected]:
    """All tasks that there must be after this history."""
    tasks: dict[Key, Expected] = {}
    stops = Stops()
    for number, entry in enumerate(history):
        before = history[:number]
        people = {e.person for e in history[: number + 1] if isinstance(e, Told)}
        if isinstance(entry, ByHand):
            task = tasks[entry.task]
            task.state, task.closed_on, task.reason = entry.how, entry.day, entry.reason
            continue
        if isinstance(entry, Told) and entry.on in WITHDRAWN:
            reason = "not_needed" if entry.on.startswith("plan") else "mistake"
            for _, task in _of_thing(entry, before, tasks):
                _end(task, "dismissed", entry.heard, reason)
            continue
        if isinstance(entry, Told) and (entry.on in BACK or _exit_is_erased(entry)):
            away = _is_away(entry.person, before)
            for rule in rules:
                if _of_leaving(rule):
                    _stop(rule, entry, before, before, tasks, stops, last_day, "not_needed")
                elif entry.on in BACK:
                    _begin_again(rule, entry, before, tasks, stops)
                elif away:  # and nothing is left to ask about
                    _stop(rule, entry, before, before, tasks, stops, last_day, "has_left")
        if isinstance(entry, Told) and _begins_anew(entry) and _left_unknown(entry.person, before):
            for rule in rules:
                if not _of_leaving(rule):
                    _begin_again(rule, replace(entry, day=entry.heard), before, tasks, stops)
        if isinstance(entry, Told) and _is_corrected(entry, before):
            for rule in rules:  # asked anew, of the day and the reason that hold
                if rule.opens.on == "participation_ended":
                    _stop(rule, entry, before, before, tasks, stops, last_day, "not_needed")
        if isinstance(entry, Told) and entry.on == "plan_action":
            for key, task in _of_thing(entry, before, tasks):
                (rule,) = [rule for rule in rules if rule.key == key[0]]
                if entry.codes["state"] == "done":
                    _end(task, "met", entry.heard)
                elif entry.codes["state"] == "given_up" or not _is(rule.opens, entry, entry.person):
                    _end(task, "dismissed", entry.heard, "not_needed")
            if entry.codes["state"] != "open":
                continue
        for rule in rules:
            for person in people:
                _play(rule, person, entry, before, tasks, stops, last_day)
        if isinstance(entry, Told) and entry.on in LEFT:
            for rule in rules:
                if not _goes_on(rule) or entry.codes["reason"] in NOBODY_ASKS:
                    why = "not_needed" if _of_leaving(rule) else "has_left"
                    _stop(rule, entry, history[: number + 1], before, tasks, stops, last_day, why)
                elif rule.after_leaving and _might_be_asked_after_all(entry, before):
                    _begin_again(rule, entry, history[: number + 1], tasks, stops)
    return tasks


ONE_EACH = ("action_agreed", "meeting_planned", "plan_action")
WITHDRAWN = ("action_withdrawn", "meeting_withdrawn", "plan_entry_withdrawn")


def _of_thing(told: Told, past: Sequence[Entry], tasks: dict[Key, Expected]) -> list[tuple[Key, Expected]]:
    """The tasks that an action, a meeting or an entry of a plan has made."""
    causes = {entry.cause for entry in past if isinstance(entry, Told) and entry.thing == told.thing}
    return [(key, task) for key, task in tasks.items() if key[2] in causes]


NOBODY_ASKS = ("died", "transferred")
LEFT, BACK = ("participation_ended", "client_left"), ("participation_resumed", "client_returned")
"""Who has no start of the fund's record leaves by a fact of their own: it opens nothing, and ends what exits end."""


def _exit_is_erased(told: Told) -> bool:
    return told.on == "purpose_ended" and told.codes["purpose"] == "esf_record"


def _begins_anew(told: Told) -> bool:
    return told.on == "standing_reached" and told.codes.get("standing") == "esf_participant"


def _left_unknown(person: str, past: Sequence[Entry]) -> bool:
    """Whether the person is away, and the exit is erased."""
    unknown = False
    for number, entry in enumerate(past):
        if not isinstance(entry, Told) or entry.person != person:
            continue
        if _exit_is_erased(entry):
            unknown = unknown or exit_of(person, past[:number]) is not None
        elif entry.on in (*LEFT, *BACK) or _begins_anew(entry):
            unknown = False
    return unknown


def _is_away(person: str, past: Sequence[Entry]) -> bool:
    return exit_of(person, past) is not None or _left_unknown(person, past)


def exit_of(person: str, past: Sequence[Entry]) -> Told | None:
    """The exit that holds, of who has left and is not back."""
    told = [
        entry
        for entry in past
        if isinstance(entry, Told) and entry.person == person and (entry.on in (*LEFT, *BACK) or _exit_is_erased(entry))
    ]
    return told[-1] if told and told[-1].on in LEFT else None


def _is_corrected(told: Told, before: Sequence[Entry]) -> bool:
    """Whether an exit held before this one, of another day or for another reason."""
    holds = exit_of(told.person, before) if told.on in LEFT else None
    return holds is not None and (holds.day, holds.codes["reason"]) != (told.day, told.codes["reason"])


def _of_leaving(rule: TaskRule) -> bool:
    """Whether what the rule asks is asked of who has left."""
    opens = rule.opens
    if opens.on in ("record_attempted", "eura_entered"):
        return opens.codes.get("record") == "exit"
    return opens.on in ("participation_ended", "follow_up_recorded", "exit_form_recorded")


def _goes_on(rule: TaskRule) -> bool:
    """Whether the rule is asked of who has left too."""
    return _of_leaving(rule) or rule.after_leaving


def _might_be_asked_after_all(told: Told, before: Sequence[Entry]) -> bool:
    """Whether the exit that held before this one said that nobody asks the person anything."""
    holds = exit_of(told.person, before)
    return holds is not None and holds.codes["reason"] in NOBODY_ASKS


def _stop(
    rule: TaskRule,
    told: Told,
    past: Sequence[Entry],
    before: Sequence[Entry],
    tasks: dict[Key, Expected],
    stops: Stops,
    last: date,
    reason: str,
) -> None:
    """What the rule asks of the person ends, and does not come back by itself. What stopped it before it did so is
    looked for in `before`, what has happened in `past`."""
    waits = _waits(rule, told.person, past, tasks, stops, last, before)
    if waits is not None and waits[0] <= told.heard:
        _repeat(rule, told.person, waits, tasks)
    is_open = [task for task in _mine(rule, told.person, tasks) if task.state == "open"]
    for task in is_open:
        _end(task, "dismissed", told.heard, reason)
    if (is_open or waits is not None) and not _of_leaving(rule) and rule.opens.on not in ONE_EACH:
        stops.stopped.add((rule.key, told.person))


def _begin_again(rule: TaskRule, told: Told, past: Sequence[Entry], tasks: dict[Key, Expected], stops: Stops) -> None:
    """Who comes back is asked what leaving has stopped, of the day on which they came; who may be asked after all, of
    their last day."""
    place = (rule.key, told.person)
    if place not in stops.stopped:
        return
    stops.stopped.remove(place)
    stops.again[place] = told
    if not any(day >= told.day for day in _settling_days(rule, told.person, past)):
        tasks[rule.key, told.person, told.cause, 0] = Expected(told.day, told.day + timedelta(days=rule.due_days))


def _end(task: Expected, how: str, day: date, reason: str | None = None) -> None:
    if task.state == "open":
        task.state, task.closed_on, task.reason = how, day, reason


def _is(condition: Condition | None, told: Entry, person: str) -> bool:
    if condition is None or not isinstance(told, Told) or told.person != person or told.on != condition.on:
        return False
    return all(told.codes.get(word) == code for word, code in condition.codes.items())


def _closes(rule: TaskRule, told: Told, person: str) -> bool:
    if isinstance(told, Told) and told.on == "client_left":
        told = replace(told, on="participation_ended")
    return _is(rule.closes, told, person)


def _play(
    rule: TaskRule,
    person: str,
    entry: Told | Looked,
    before: Sequence[Entry],
    tasks: dict[Key, Expected],
    stops: Stops,
    last: date,
) -> None:
    opens, closes = _is(rule.opens, entry, person), _closes(rule, entry, person)
    if isinstance(entry, Told) and opens and not closes and not _might_ask(rule, entry, before):
        settled = any(day >= entry.day for day in _settling_days(rule, person, before))
        if rule.after_leaving and not settled and rule.opens.on not in ONE_EACH:
            stops.stopped.add((rule.key, person))  # it is asked if the exit is corrected
        return
    if isinstance(entry, Told) and not opens and not closes:
        return
    waits = _waits(rule, person, before, tasks, stops, last, before)
    if waits is not None and waits[0] <= entry.heard:
        _repeat(rule, person, waits, tasks)
        waits = None
    if isinstance(entry, Looked):
        return
    if closes:
        for task in _mine(rule, person, tasks):
            if task.state == "open" and task.opened_on <= entry.day:
                task.state, task.closed_on = "met", entry.day
        return
    if entry.on == "plan_action":
        made = [task for key, task in _of_thing(entry, before, tasks) if key[0] == rule.key]
        if made and (entry.due_on is None or entry.due_on in [task.due_on for task in made]):
            return
        for task in made:
            _end(task, "dismissed", entry.heard, "not_needed")
    one_each = rule.opens.on in ONE_EACH
    is_open = any(task.state == "open" for task in _mine(rule, person, tasks))
    if not one_each and (is_open or waits is not None):
        return
    if any(day >= entry.day for day in _settling_days(rule, person, before)):
        return
    due = entry.due_on or entry.day + timedelta(days=rule.due_days)
    tasks[rule.key, person, entry.cause, 0] = Expected(entry.day, due)
    stops.stopped.discard((rule.key, person))


def _repeat(rule: TaskRule, person: str, waits: tuple[date, str, int], tasks: dict[Key, Expected]) -> None:
    day, cause, number = waits
    tasks[rule.key, person, cause, number] = Expected(day, day + timedelta(days=rule.due_days))


def _mine(rule: TaskRule, person: str, tasks: dict[Key, Expected]) -> list[Expected]:
    return [task for key, task in tasks.items() if key[:2] == (rule.key, person)]


def _settling_days(rule: TaskRule, person: str, past: Sequence[Entry]) -> list[date]:
    """Days of closing facts and of closings by hand; an action's or a meeting's own closing settles no other."""
    days = [entry.day for entry in past if isinstance(entry, Told) and _closes(rule, entry, person)]
    if rule.opens.on in ONE_EACH:
        return days
    return days + [entry.day for entry in past if isinstance(entry, ByHand) and entry.task[:2] == (rule.key, person)]


def _waits(
    rule: TaskRule,
    person: str,
    past: Sequence[Entry],
    tasks: dict[Key, Expected],
    stops: Stops,
    last: date,
    before: Sequence[Entry],
) -> tuple[date, str, int] | None:
    """The day on which the rule opens the next task by itself, with its cause and round; `before` has what stops it."""
    own = [(key, task) for key, task in tasks.items() if key[:2] == (rule.key, person)]
    if rule.repeats_days is None or any(task.state == "open" for _, task in own):
        return None
    again = stops.again.get((rule.key, person))
    if own:
        (_, _, cause, number), task = own[-1]
        if again is not None and _place(again.cause, past) > _place(cause, past):
            cause, number = again.cause, 0  # came back, and what was asked had happened already
        elif task.state == "dismissed":
            return None
    elif again is not None:
        cause, number = again.cause, 0
    else:  # nothing was ever to be done, because what was asked had happened before it was asked
        early = [
            entry.cause
            for number, entry in enumerate(past)
            if isinstance(entry, Told) and _is(rule.opens, entry, person) and _might_ask(rule, entry, past[:number])
            and any(day >= entry.day for day in _settling_days(rule, person, past[:number]))
        ]  # fmt: skip
        if not early:
            return None
        cause, number = early[0], 0
    since = _place(cause, past) + 1
    if any(_stops(rule, entry, person, before[:n]) for n, entry in enumerate(before) if n >= since):
        return None
    day = max(_settling_days(rule, person, past)) + timedelta(days=rule.repeats_days)
    return (day, cause, number + 1) if day <= last else None


def _place(cause: str, past: Sequence[Entry]) -> int:
    return next(n for n, entry in enumerate(past) if isinstance(entry, Told) and entry.cause == cause)


def _might_ask(rule: TaskRule, told: Told, before: Sequence[Entry]) -> bool:
    holds = told if told.on in LEFT else exit_of(told.person, before)
    if holds is None:
        return _begins_anew(told) or not _left_unknown(told.person, before)
    return _goes_on(rule) and holds.codes["reason"] not in NOBODY_ASKS


def _stops(rule: TaskRule, entry: Entry, person: str, past: Sequence[Entry]) -> bool:
    """Whether this has ended for good what the rule would ask again."""
    if not isinstance(entry, Told) or entry.person != person:
        return False
    if entry.on in LEFT:
        return not _goes_on(rule) or entry.codes["reason"] in NOBODY_ASKS
    if _exit_is_erased(entry):
        return _of_leaving(rule) or _is_away(person, past)
    return _of_leaving(rule) and entry.on in BACK
