"""Rules of pathways: steps, outcomes and reporting periods. Those of tasks are in `rules.py`; what a programme file
may say is in `shared.programmes`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from shared.contracts.errors import InvalidInput, NeverTookPart, UnknownCode, UnknownPerson
from shared.programmes import Programme, ReportingPeriod, Step


@dataclass(frozen=True, slots=True)
class NewStay:
    """A person's time on a step, to be recorded; `left_on` None: still there, or not recorded."""

    key: str
    subject: str
    step: str
    entered_on: date
    left_on: date | None


@dataclass(frozen=True, slots=True)
class NewOutcome:
    """What became of a person, to be recorded."""

    key: str
    subject: str
    outcome: str
    occurred_on: date


@dataclass(frozen=True, slots=True)
class Stay:
    """A recorded time on a step."""

    stay: str
    entered_on: date
    left_on: date | None


@dataclass(frozen=True, slots=True)
class NewPause:
    """A person's time away from a step that they are on, to be recorded; `resumed_on` None: not back yet."""

    key: str
    subject: str
    step: str
    paused_on: date
    resumed_on: date | None


@dataclass(frozen=True, slots=True)
class Pause:
    """A recorded time away from a step; whoever leaves the step is no longer away from it."""

    pause: str
    paused_on: date
    resumed_on: date | None


Pauses = Mapping[tuple[str, str], Sequence[Pause]]
"""Times away from steps by (person, step)."""
_Span = tuple[date, date | None]


def check_stay(
    new: NewStay,
    programme: Programme,
    people: Mapping[str, str],
    stays: Mapping[tuple[str, str], Sequence[Stay]],
    today: date,
    pauses: Pauses = MappingProxyType({}),
    away: date | None = None,
) -> Stay | None:
    """Refuse a time on a step that cannot be; `stays` are the person's and others', by (person, step); `away`: the last
    day of a person who has left the programme.

    Returns the open stay that the new one ends, one that has ended just so already, or one that leaving has ended
    later than the person left it; None if it is another one. Whoever is away from a step that is `alone` may be on
    others meanwhile. Raises `InvalidInput`, `UnknownCode` or `UnknownPerson` naming the field.
    """
    step = _individual(new.step, programme)
    _check_person(new.subject, programme, people)
    _check_span(new.entered_on, new.left_on, programme, today)
    same, own = stays.get((new.subject, new.step), ()), (new.entered_on, new.left_on)
    by_leaving = [stay for stay in same if _by_leaving(stay, away, programme)]
    for stay in same:
        if stay.left_on and (stay.entered_on, stay.left_on) == own:
            return stay  # a list of later says what is so
    for stay in same:
        if new.left_on is None or stay.entered_on != new.entered_on:
            continue
        if stay.left_on is None or (stay in by_leaving and new.left_on < stay.left_on):
            mine = [p for p in pauses.get((new.subject, new.step), ()) if within(p, stay) or lasted(p, stay)]
            _check_not_later(new.left_on, [replace(p, resumed_on=None) if lasted(p, stay) else p for p in mine])
            return stay
    if any(_overlap((stay.entered_on, stay.left_on), own) for stay in same):
        raise InvalidInput(field="from", reason="the person is on this step already at that time")
    if away is not None and (new.left_on is None or new.left_on > away):
        field = "from" if new.entered_on > away else "to"
        raise InvalidInput(field=field, reason=f"the person left the programme on {away.isoformat()}")
    _check_apart("from", own, step, new.subject, programme, stays, pauses)
    return None


def check_pause(
    new: NewPause,
    programme: Programme,
    people: Mapping[str, str],
    stays: Mapping[tuple[str, str], Sequence[Stay]],
    pauses: Pauses,
    today: date,
) -> Pause | None:
    """Refuse a time away from a step that cannot be: it lies within one time on the step.

    Returns the open pause that the new one ends, or one that is just so already; None if it is another one. Coming back
    is refused while the person is on another step and one of the two is `alone`. Raises as `check_stay`.
    """
    step = _individual(new.step, programme)
    _check_person(new.subject, programme, people)
    _check_span(new.paused_on, new.resumed_on, programme, today)
    place = (new.subject, new.step)
    during = next((stay for stay in stays.get(place, ()) if within(new, stay)), None)
    if during is None:
        raise InvalidInput(field="from", reason="the person is not on this step then")
    if during.left_on is not None and (new.resumed_on is None or new.resumed_on > during.left_on):
        raise InvalidInput(field="to", reason=f"the person left the step on {during.left_on.isoformat()}")
    for pause in pauses.get(place, ()):
        if pause.resumed_on is not None and (pause.paused_on, pause.resumed_on) == (new.paused_on, new.resumed_on):
            return pause
        if pause.resumed_on is None and pause.paused_on == new.paused_on and new.resumed_on is not None:
            later = (new.resumed_on, during.left_on)
            _check_apart("to", later, step, new.subject, programme, stays, pauses)
            return pause
        if within(pause, during) and _overlap((pause.paused_on, pause.resumed_on), (new.paused_on, new.resumed_on)):
            raise InvalidInput(field="from", reason="the person is away from this step already at that time")
    return None


def check_no_pause(
    pause: Pause,
    key: str,
    subject: str,
    programme: Programme,
    stays: Mapping[tuple[str, str], Sequence[Stay]],
    pauses: Pauses,
) -> None:
    """Refuse that a person was never away from a step if they were on another meanwhile and one of the two is `alone`.
    Raises `InvalidInput`."""
    step = programme.step_by_key.get(key)
    if step is not None:
        _check_apart("pause", (pause.paused_on, pause.resumed_on), step, subject, programme, stays, pauses)


def _individual(key: str, programme: Programme) -> Step:
    step = programme.step_by_key.get(key)
    if step is None:
        raise UnknownCode(field="step", programme=programme.key, value=key)
    if step.level != "individual":
        raise InvalidInput(field="step", reason=f"a {step.level} step is never entered by people")
    return step


def _check_span(first: date, last: date | None, programme: Programme, today: date) -> None:
    _check_day("from", first, programme, today)
    if last is not None:
        _check_day("to", last, programme, today)
        if last < first:
            raise InvalidInput(field="to", reason="before from")


def _check_not_later(left_on: date, pauses: Sequence[Pause]) -> None:
    """Nobody leaves before they were last away or back."""
    for pause in pauses:
        if left_on < (pause.resumed_on or pause.paused_on):
            raise InvalidInput(field="to", reason="the person was away from the step after that day")


def _check_apart(
    field: str,
    span: _Span,
    step: Step,
    subject: str,
    programme: Programme,
    stays: Mapping[tuple[str, str], Sequence[Stay]],
    pauses: Pauses,
) -> None:
    """Refuse a time on a step together with another if one of the two is `alone`."""
    for other in programme.steps:
        if other.key == step.key or not (step.alone or other.alone):
            continue
        place = (subject, other.key)
        taken = [part for stay in stays.get(place, ()) for part in present(stay, pauses.get(place, ()))]
        if any(_overlap(part, span) for part in taken):
            raise InvalidInput(field=field, reason=f"the person is on {other.key} then, and one of the two is alone")


def present(stay: Stay, pauses: Sequence[Pause]) -> list[_Span]:
    """The parts of a time on a step on which the person was not away; none if they were away all the time."""
    away = sorted((p for p in pauses if within(p, stay)), key=lambda p: p.paused_on)
    if not away:
        return [(stay.entered_on, stay.left_on)]
    starts = [stay.entered_on, *(pause.resumed_on for pause in away)]
    ends = [*(pause.paused_on for pause in away), stay.left_on]
    parts = zip(starts, ends, strict=True)
    return [(since, until) for since, until in parts if since is not None and (until is None or since < until)]


def within(pause: Pause | NewPause, stay: Stay) -> bool:
    """Whether a time away is one from this time on a step."""
    return stay.entered_on <= pause.paused_on and (stay.left_on is None or pause.paused_on < stay.left_on)


def _by_leaving(stay: Stay, away: date | None, programme: Programme) -> bool:
    """Whether leaving the programme has ended a time on a step: on the last day, if nothing of it began later."""
    return away is not None and stay.left_on is not None and stay.left_on >= min(away, programme.period.end)


def lasted(pause: Pause, stay: Stay) -> bool:
    """Whether somebody was away from a step until they left it: that ended both."""
    return pause.paused_on >= stay.entered_on and stay.left_on is not None and pause.resumed_on == stay.left_on


def _overlap(one: _Span, other: _Span) -> bool:
    """Whether two times share more than the day on which one ends and the other begins."""
    return (one[1] is None or other[0] < one[1]) and (other[1] is None or one[0] < other[1])


def check_outcome(
    new: NewOutcome,
    programme: Programme,
    people: Mapping[str, str],
    took_part: Collection[tuple[str, str]],
    today: date,
) -> str:
    """Refuse an outcome that cannot be; `took_part` are (person, activity). Returns the outcome's activity.

    Raises `InvalidInput`, `UnknownCode`, `UnknownPerson` or `NeverTookPart` naming the field.
    """
    outcome = programme.outcome_by_key.get(new.outcome)
    if outcome is None:
        raise UnknownCode(field="outcome", programme=programme.key, value=new.outcome)
    _check_person(new.subject, programme, people)
    if new.occurred_on > today:
        raise InvalidInput(field="date", reason="in the future")
    # What became of people is often heard of after the project's last day.
    if new.occurred_on < programme.period.start:
        raise InvalidInput(field="date", reason="before the programme's period")
    if (new.subject, outcome.activity) not in took_part:
        raise NeverTookPart(field="participant", value=outcome.activity)
    return outcome.activity


def check_product_day(product: str, day: date, programme: Programme, today: date) -> None:
    """A product of the programme, on a day that can be. Raises `UnknownCode` or `InvalidInput` naming the field."""
    if product not in programme.product_by_key:
        raise UnknownCode(field="product", programme=programme.key, value=product)
    if day > today:
        raise InvalidInput(field="date", reason="in the future")
    if day < programme.period.start:
        raise InvalidInput(field="date", reason="before the programme's period")


def check_confirmation(key: str, programme: Programme, today: date) -> ReportingPeriod:
    """The period, which must be over: its last day is still being worked. Raises `UnknownCode` or `InvalidInput`."""
    period = find_period(key, programme)
    if today <= period.end:
        raise InvalidInput(field="period", reason=f"is not over before {period.end.isoformat()} has passed")
    return period


def find_period(key: str, programme: Programme) -> ReportingPeriod:
    """The reporting period; raises `UnknownCode`."""
    period = programme.period_by_key.get(key)
    if period is None:
        raise UnknownCode(field="period", programme=programme.key, value=key)
    return period


def check_reason(how: str, reason: str | None) -> None:
    """A dismissal says why; what is done needs no excuse. Raises `InvalidInput`."""
    if (reason is None) == (how == "dismissed"):
        said = "a dismissed task needs one" if reason is None else "only a dismissed task has one"
        raise InvalidInput(field="reason", reason=said)


def _check_person(subject: str, programme: Programme, people: Mapping[str, str]) -> None:
    if people.get(subject) != programme.key:
        raise UnknownPerson(field="participant", programme=programme.key)


def _check_day(field: str, day: date, programme: Programme, today: date) -> None:
    if day > today:
        raise InvalidInput(field=field, reason="in the future")
    if day not in programme.period:
        raise InvalidInput(field=field, reason="outside the programme's period")
