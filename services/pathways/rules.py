"""When a rule of the programme file makes a task, and when a task has ended. Pure: facts and days in, changes out.

One rule is looked at for one person at a time. What it has come to is a `Track` and the open tasks; a `Change` says
what is new. Nothing here depends on the clock of the machine that computes: days come from the facts, and time passes
by the days on which lines were written and by the days on which the timer looked. So a restart, a long absence or a
journal that is followed again from its beginning leads to the same tasks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from shared.programmes import TaskRule


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about one person as rules see it.

    `day` is when it happened, `heard` when it was written down (both in Helsinki), `cause` the id of its line.
    `due_on` is a day of its own that the fact sets, `text_ref` a text in the vault, `thing` the id of the agreed
    action, planned meeting or entry of a plan.
    """

    on: str
    day: date
    heard: date
    cause: str
    codes: Mapping[str, str | None]
    due_on: date | None = None
    text_ref: str | None = None
    thing: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a rule for a person. It is made once for its `cause` and `round` (0: by the fact itself, then one more
    for each repetition)."""

    cause: str
    round: int
    opened_on: date
    due_on: date
    text_ref: str | None = None
    thing: str | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """Where a rule stands for a person: up to which day nothing is to be done, and when it opens a task again.

    `cause` and `round` are the last task's; None: there was none yet. While `repeat_on` is set, no task is open.
    `stopped`: the person left while something was to be done, or it would have been asked of who is not asked anything;
    the rule begins again when they come back.
    """

    settled_on: date | None = None
    repeat_on: date | None = None
    cause: str | None = None
    round: int = 0
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What follows: the new track, tasks to open, and open tasks (as given) that were met."""

    track: Track
    opened: tuple[Task, ...] = ()
    met: tuple[Task, ...] = ()


def concerns(rule: TaskRule, event: Event) -> bool:
    """Whether the rule has anything to do with the event."""
    return any(c is not None and c.holds(event.on, event.codes) for c in (rule.opens, rule.closes))


def at_event(rule: TaskRule, last_day: date, track: Track, tasks: Sequence[Task], event: Event) -> Change:
    """What an event that `concerns` the rule changes; `last_day` is the project's, `tasks` are the open ones."""
    change = at_day(rule, track, event.heard)  # what was due before this was written down comes first
    track, opened = change.track, change.opened
    if rule.closes is not None and rule.closes.holds(event.on, event.codes):
        met = tuple(task for task in (*tasks, *opened) if task.opened_on <= event.day)
        track = _settled(rule, last_day, track, event.day, again=bool(met) or track.repeat_on is not None)
        return Change(track, opened, met)
    waits = track.repeat_on is not None or bool((*tasks, *opened))
    if waits and not rule.one_each:
        return Change(track, opened)
    return _asked(rule, last_day, track, opened, event)


def _asked(rule: TaskRule, last_day: date, track: Track, opened: tuple[Task, ...], event: Event) -> Change:
    """What an event asks for: a task, unless what it asks has happened already."""
    if track.settled_on is not None and event.day <= track.settled_on:
        if track.cause is None and rule.repeats_days is not None:  # met before it was asked: the repetition begins
            track = _settled(rule, last_day, replace(track, cause=event.cause), track.settled_on, again=True)
        return Change(track, opened)
    due = event.due_on or event.day + timedelta(days=rule.due_days)
    task = Task(event.cause, 0, event.day, due, event.text_ref, event.thing)
    return Change(replace(track, cause=task.cause, round=0, stopped=False), (*opened, task))


def at_day(rule: TaskRule, track: Track, today: date) -> Change:
    """What the passing of time up to `today` changes."""
    if track.repeat_on is None or track.repeat_on > today or track.cause is None:
        return Change(track)
    due = track.repeat_on + timedelta(days=rule.due_days)
    task = Task(track.cause, track.round + 1, track.repeat_on, due)
    return Change(replace(track, repeat_on=None, round=task.round), (task,))


def goes_on(rule: TaskRule | None) -> bool:
    """Whether it is asked of who has left too; `None` is a rule that a later version of the programme file has not."""
    return rule is not None and (rule.of_leaving or rule.after_leaving)


def at_leaving(
    rule: TaskRule | None, track: Track, tasks: Sequence[Task], today: date
) -> tuple[Change, Sequence[Task]]:
    """What ends when what the rule asks is not to be done any more: the change, and the tasks (as given, and new ones)
    to dismiss. `rule` None: a later version of the programme file has it no more."""
    change = at_day(rule, track, today) if rule is not None else Change(track)
    ended = (*tasks, *change.opened)
    stopped = bool(ended) or change.track.repeat_on is not None
    begins_again = rule is not None and not (rule.one_each or rule.of_leaving)
    track = replace(change.track, repeat_on=None, stopped=track.stopped or (stopped and begins_again))
    return replace(change, track=track), ended


def at_refusal(rule: TaskRule, last_day: date, track: Track, event: Event) -> Track:
    """What it leads to that a rule that goes on after leaving is not asked of somebody (the dead, who goes on at
    another partner): if the exit is corrected, it begins."""
    asks = rule.after_leaving and not rule.one_each and bool(_asked(rule, last_day, track, (), event).opened)
    return replace(track, stopped=True) if asks else track


def at_return(rule: TaskRule, last_day: date, track: Track, event: Event) -> Change:
    """What a person's coming back opens, or that they may be asked after all, of whom the rule was stopped: it asks as
    if for the first time."""
    return _asked(rule, last_day, replace(track, cause=None, round=0, stopped=False), (), event)


def at_closing(rule: TaskRule | None, last_day: date, track: Track, today: date, how: str) -> Track:
    """What a worker's closing a task leads to: a dismissal ends the repetition, `rule` None is a rule that is gone."""
    if rule is None or rule.one_each:
        return track
    return _settled(rule, last_day, track, today, again=how == "done")


def _settled(rule: TaskRule, last_day: date, track: Track, day: date, *, again: bool) -> Track:
    day = max(day, track.settled_on) if track.settled_on else day
    track = replace(track, settled_on=day)
    if not again or rule.repeats_days is None:
        return track
    repeat_on = day + timedelta(days=rule.repeats_days)
    return replace(track, repeat_on=repeat_on if repeat_on <= last_day else None)
