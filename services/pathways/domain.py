"""Rules of pathways: steps, outcomes and reporting periods. Those of tasks are in `rules.py`; what a programme file
may say is in `shared.programmes`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from shared.contracts.errors import InvalidInput, NeverTookPart, UnknownCode, UnknownPerson
from shared.programmes import Programme, ReportingPeriod


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


def check_stay(
    new: NewStay,
    programme: Programme,
    people: Mapping[str, str],
    stays: Mapping[tuple[str, str], Sequence[Stay]],
    today: date,
) -> Stay | None:
    """Refuse a time on a step that cannot be; `stays` are the person's and others', by (person, step).

    Returns the open stay that the new one ends, None if it is another one. Raises `InvalidInput`, `UnknownCode` or
    `UnknownPerson` naming the field.
    """
    step = programme.step_by_key.get(new.step)
    if step is None:
        raise UnknownCode(field="step", programme=programme.key, value=new.step)
    if step.level != "individual":
        raise InvalidInput(field="step", reason=f"a {step.level} step is never entered by people")
    _check_person(new.subject, programme, people)
    _check_day("from", new.entered_on, programme, today)
    if new.left_on is not None:
        _check_day("to", new.left_on, programme, today)
        if new.left_on < new.entered_on:
            raise InvalidInput(field="to", reason="before from")
    same = stays.get((new.subject, new.step), ())
    for stay in same:
        if stay.left_on is None and stay.entered_on == new.entered_on and new.left_on is not None:
            return stay
    if any(_overlap(stay, new) for stay in same):
        raise InvalidInput(field="from", reason="the person is on this step already at that time")
    apart = (other.key for other in programme.steps if other.key != step.key and (step.alone or other.alone))
    for key in apart:
        if any(_overlap(stay, new) for stay in stays.get((new.subject, key), ())):
            raise InvalidInput(field="from", reason=f"the person is on {key} then, and one of the two is alone")
    return None


def _overlap(stay: Stay, new: NewStay) -> bool:
    """Whether two times share more than the day on which one ends and the other begins."""
    return (stay.left_on is None or new.entered_on < stay.left_on) and (
        new.left_on is None or stay.entered_on < new.left_on
    )


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
