"""Which times on steps, and away from them, may be recorded: written down as slowly and plainly as it can be.

A time is the set of half days that it covers, without its edges: so one may end on the day on which another begins.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.pathways.domain import NewPause, NewStay, Pause, Stay
from shared.programmes import Condition, Programme

Days = tuple[date, date | None]


@dataclass(frozen=True)
class Seen:
    """A fact about the person of whom it is asked."""

    on: str
    codes: Mapping[str, str | None]
    day: date


@dataclass
class Person:
    """What is known of one person before the command, of whichever programme they are."""

    programme: str | None
    stays: dict[str, list[Stay]]
    pauses: dict[str, list[Pause]]
    facts: list[Seen]
    left_on: date | None = None
    """Their last day, of who has left the programme and is not back."""

    def all_facts(self, more: Iterable[Seen] = ()) -> list[Seen]:
        """Their facts with what their times on steps say."""
        found = [*self.facts, *more]
        for step, stays in self.stays.items():
            for stay in stays:
                found.append(Seen("step_entered", {"step": step}, stay.entered_on))
                found += [Seen("step_left", {"step": step}, stay.left_on)] if stay.left_on else []
        return found


def covered(days: Days, today: date) -> set[int]:
    first, last = days[0].toordinal(), (days[1].toordinal() if days[1] else today.toordinal() + 1)
    return {2 * first} if first == last else set(range(2 * first + 1, 2 * last))


def meet(one: Days, other: Days, today: date) -> bool:
    if one[0] == one[1] and other[0] == other[1]:
        return False
    return bool(covered(one, today) & covered(other, today))


def _while_there(stay: Stay, pauses: Sequence[Pause], today: date) -> set[int]:
    there = covered((stay.entered_on, stay.left_on), today)
    for pause in pauses:
        if _during(pause.paused_on, stay):
            end = (pause.resumed_on or stay.left_on or today).toordinal() + (0 if pause.resumed_on else 1)
            there -= set(range(2 * pause.paused_on.toordinal(), 2 * end + 1))
    return there


def _during(day: date, stay: Stay) -> bool:
    return stay.entered_on <= day and (stay.left_on is None or day < stay.left_on)


def _day(conditions: Iterable[Condition], facts: Sequence[Seen], since: date) -> date | None:
    """The day on which the last condition came true, by facts of `since` on."""
    last = since
    for condition in conditions:
        days = [f.day for f in facts if f.day >= since and condition.holds(f.on, f.codes)]
        if not days:
            return None
        last = max(last, min(days))
    return last


def may_stay(new: NewStay, person: Person, programme: Programme, today: date) -> bool:
    """Whether this time on a step may be recorded."""
    if not _possible(new.step, new.entered_on, new.left_on, person, programme, today):
        return False
    step, own, days = programme.step_by_key[new.step], person.stays.get(new.step, []), (new.entered_on, new.left_on)
    if any((s.entered_on, s.left_on) == days for s in own if s.left_on):
        return True  # it is so already
    gone = min(person.left_on, programme.period.end) if person.left_on else None
    pauses = [p for p in person.pauses.get(new.step, []) if p.paused_on >= new.entered_on]
    ending = [s for s in own if s.left_on is None and s.entered_on == new.entered_on]
    if ending and new.left_on is not None:
        return all(new.left_on >= (p.resumed_on or p.paused_on) for p in pauses)
    if gone and (longer := still_on(new, own, gone)):
        until = longer.left_on
        mine = [p for p in pauses if until is None or p.paused_on < until or p.resumed_on == until]
        ends = [p.paused_on if p.resumed_on == until else p.resumed_on or p.paused_on for p in mine]
        return all(end <= (new.left_on or end) for end in ends)
    if any(meet((s.entered_on, s.left_on), days, today) for s in own):
        return False
    if gone and (new.left_on is None or new.left_on > gone):
        return False
    entering = Seen("step_entered", {"step": new.step}, new.entered_on)
    for other in programme.steps:
        if other.key == new.step or not (step.alone or other.alone):
            continue
        for stay in person.stays.get(other.key, []):
            pauses = person.pauses.get(other.key, [])
            stay = ended(stay, other.key, pauses, entering, person, programme)
            if covered(days, today) & _while_there(stay, pauses, today) and not _both_instants(days, stay):
                return False
    if step.entry != "conditional":
        return True
    facts = [f for f in person.all_facts() if f.day <= new.entered_on]
    return all(any(c.holds(f.on, f.codes) for f in facts) for c in step.enter_when)


def still_on(new: NewStay, own: Sequence[Stay], gone: date) -> Stay | None:
    """The time on the step that leaving has ended, on `gone` or later, of which this says that it ended before."""
    for s in own:
        if (
            s.entered_on == new.entered_on
            and s.left_on
            and new.left_on
            and gone <= s.left_on
            and new.left_on < s.left_on
        ):
            return s
    return None


def _both_instants(days: Days, stay: Stay) -> bool:
    return days[0] == days[1] and stay.entered_on == stay.left_on


def ended(stay: Stay, key: str, pauses: Sequence[Pause], entering: Seen, person: Person, programme: Programme) -> Stay:
    """The time on another step as it is once the new one is entered: a step that completes itself may end by this."""
    step = programme.step_by_key[key]
    if stay.left_on is not None or step.completion != "automatic" or stay.entered_on > entering.day:
        return stay
    day = _day(step.complete_when, person.all_facts([entering]), stay.entered_on)
    if day is None:
        return stay
    edges = [p.resumed_on or p.paused_on for p in pauses if p.paused_on >= stay.entered_on]
    return Stay(stay.stay, stay.entered_on, max([min(day, programme.period.end), *edges]))


def may_pause(new: NewPause, person: Person, programme: Programme, today: date) -> bool:
    """Whether this time away from a step may be recorded."""
    if not _possible(new.step, new.paused_on, new.resumed_on, person, programme, today):
        return False
    within = [stay for stay in person.stays.get(new.step, []) if _during(new.paused_on, stay)]
    if not within:
        return False
    stay, days = within[0], (new.paused_on, new.resumed_on)
    if stay.left_on is not None and (new.resumed_on is None or new.resumed_on > stay.left_on):
        return False
    own = [p for p in person.pauses.get(new.step, []) if _during(p.paused_on, stay)]
    if any((p.paused_on, p.resumed_on) == days for p in own if p.resumed_on):
        return True  # it is so already
    ending = [p for p in own if p.resumed_on is None and p.paused_on == new.paused_on]
    if not (ending and new.resumed_on is not None):
        return not any(meet((p.paused_on, p.resumed_on), days, today) for p in own)
    step, back = programme.step_by_key[new.step], covered((new.resumed_on, stay.left_on), today)
    for other in programme.steps:
        if other.key != new.step and (step.alone or other.alone):
            there = [_while_there(s, person.pauses.get(other.key, []), today) for s in person.stays.get(other.key, [])]
            if any(back & points for points in there):
                return False
    return True


def _possible(key: str, first: date, last: date | None, person: Person, programme: Programme, today: date) -> bool:
    step = programme.step_by_key.get(key)
    days = [first] if last is None else [first, last]
    return (
        step is not None
        and step.level == "individual"
        and person.programme == programme.key
        and all(day <= today and day in programme.period for day in days)
        and (last is None or last >= first)
    )


def still_open(person: Person, programme: Programme) -> list[str]:
    """Steps that complete themselves and are done for the person, who is on them all the same: there must be none."""
    return [
        step.key
        for step in programme.steps
        if step.completion == "automatic"
        for stay in person.stays.get(step.key, [])
        if stay.left_on is None and _day(step.complete_when, person.all_facts(), stay.entered_on) is not None
    ]


def done(person: Person, programme: Programme) -> list[tuple[str, Stay]]:
    """The person's ended times on steps that complete themselves."""
    automatic = [step.key for step in programme.steps if step.completion == "automatic"]
    return [(key, stay) for key in automatic for stay in person.stays.get(key, []) if stay.left_on is not None]


def is_due(key: str, stay: Stay, person: Person, programme: Programme) -> bool:
    """Whether the conditions of the step had come true, since it was entered, by the day on which it was left."""
    day = _day(programme.step_by_key[key].complete_when, person.all_facts(), stay.entered_on)
    return day is not None and stay.left_on is not None and min(day, programme.period.end) <= stay.left_on
