"""Who is to be asked what, by the programme's schedule. Pure: a participation, days of filled-in forms and today in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import takewhile
from typing import Any

from shared.contracts.catalogue import ParticipationStarted
from shared.contracts.mistake_facts import FollowUpRemoved
from shared.contracts.record_facts import GONE, MOST_TRIES, FollowUpRecorded, ParticipationEnded, ParticipationResumed
from shared.contracts.start_facts import ExitFormRecorded
from shared.programmes import InstrumentUse, Programme

EARLY = timedelta(days=14)
"""So long before its day a form on the way may be filled in: rounds are made when a group meets."""
NOT_ASKED = (*GONE, "no_contact")
"""Whoever left so is not asked on leaving, nor afterwards: another partner does, or nobody can."""


@dataclass(frozen=True, slots=True)
class Participation:
    """A person's participation as intake's facts say; `back_on`: the days on which they came back after leaving."""

    started_on: date | None = None
    back_on: tuple[date, ...] = ()
    ended_on: date | None = None
    reason: str = ""
    may_call: bool = True
    asked: tuple[tuple[date, str, str], ...] = ()
    """Tries to reach them after they left: the day of each, its id, what came of it."""

    @property
    def may_be_asked(self) -> bool:
        """Whether they may be asked how they fare, after the tries since the exit that holds, by their own day
        (decision 0217): not who refused, nor who was not reached so often; who was reached at last is to be asked."""
        since = [status for day, _, status in self.asked if self.ended_on is not None and day >= self.ended_on]
        vain = list(takewhile(lambda status: status == "not_reached", reversed(since)))
        return self.may_call and "refused" not in since and len(vain) < MOST_TRIES


TELLING = (
    *(ParticipationStarted.kind, ParticipationEnded.kind, ParticipationResumed.kind),
    *(ExitFormRecorded.kind, FollowUpRecorded.kind, FollowUpRemoved.kind),
)
"""The facts of intake that tell of a participation, by kind."""


def told(before: Participation, kind: str, body: Mapping[str, Any]) -> Participation:
    """How a participation stands after a fact of this kind (one of `TELLING`) with this body."""
    if kind == ExitFormRecorded.kind:
        return replace(before, may_call=body["may_call"] != "no")
    if kind == FollowUpRemoved.kind:
        return replace(before, asked=tuple(one for one in before.asked if one[1] != body["follow_up"]))
    day = date.fromisoformat(body["occurred_on"])
    if kind == FollowUpRecorded.kind:
        return replace(before, asked=(*before.asked, (day, body["follow_up"], body["status"])))
    if kind == ParticipationStarted.kind:
        return replace(before, started_on=day)
    if kind == ParticipationResumed.kind:  # the exit form was of the exit that is no more
        return replace(before, back_on=(*before.back_on, day), ended_on=None, reason="", may_call=True)
    back = tuple(one for one in before.back_on if one <= day)  # a later one was taken back
    return replace(before, back_on=back, ended_on=day, reason=body["reason"])


@dataclass(frozen=True, slots=True)
class Due:
    """An instrument that somebody is to fill in, and by when."""

    instrument: str
    version: str
    occasion: str
    due_on: date


Filled = Mapping[tuple[str, str], Sequence[date]]
"""The days of a person's forms by instrument, in whichever version, and occasion."""


def due(programme: Programme, of: Participation, filled: Filled, today: date) -> list[Due]:
    """What the person may be asked today. A form counts for its occasion from then on that the occasion is of:
    on leaving and afterwards from the last time here, on the way for the day of the schedule that it is nearest to."""
    if of.started_on is None or of.started_on > today:
        return []
    found = []
    for use in _asking(programme):
        for occasion, day, since in _occasions(programme, use, of, of.started_on, today):
            if not any(form >= since for form in filled.get((use.key, occasion), ())):
                found.append(Due(use.key, use.version, occasion, day))
    return found


def _asking(programme: Programme) -> list[InstrumentUse]:
    """Of each instrument the version that is asked: the last in the file that says when."""
    last = {use.key: use for use in programme.instruments if use.schedule or _afterwards(programme, use)}
    return list(last.values())


def _afterwards(programme: Programme, use: InstrumentUse) -> bool:
    return programme.follow_up_days is not None and "followup" in use.occasions


def _occasions(
    programme: Programme, use: InstrumentUse, of: Participation, started: date, today: date
) -> Iterator[tuple[str, date, date]]:
    """Occasion, day, and from which day on a form counts for it, of what may be asked today."""
    days = {occasion: sorted(a.days for a in use.schedule if a.occasion == occasion) for occasion in use.occasions}
    if of.ended_on is None:
        for after in days.get("baseline", ())[:1]:
            yield "baseline", started + timedelta(days=after), date.min
        yield from _on_the_way(started, days.get("interim", ()), today)
    elif of.reason not in NOT_ASKED:
        for after in days.get("exit", ())[:1]:
            yield "exit", of.ended_on + timedelta(days=after), of.back_on[-1] if of.back_on else date.min
        if programme.follow_up_days is not None and _afterwards(programme, use) and of.may_be_asked:
            day = of.ended_on + timedelta(days=programme.follow_up_days)
            if day <= today:
                yield "followup", day, of.ended_on


def _on_the_way(started: date, days: Sequence[int], today: date) -> Iterator[tuple[str, date, date]]:
    """The newest that may be asked: whoever has missed an earlier one is not asked for both."""
    newest, before = None, 0
    for after in days:
        since = started + timedelta(days=(before + after + 1) // 2)
        day = started + timedelta(days=after)
        if max(since, day - EARLY) <= today:
            newest = ("interim", day, since)
        before = after
    if newest is not None:
        yield newest
