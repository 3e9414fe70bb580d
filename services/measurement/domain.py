"""Rules of measurement: what may be recorded of a filled-in form, and how scores follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from shared.contracts.errors import InvalidInput, UnknownAssessment, UnknownCode, UnknownPerson, UnknownSession
from shared.instruments import Instrument, Scale
from shared.programmes import Programme


@dataclass(frozen=True, slots=True)
class NewAssessment:
    """A filled-in form to be recorded; `subject` None: it names nobody. `answers` by item, the unanswered left out."""

    key: str
    subject: str | None
    session: str | None
    instrument: str
    version: str
    occasion: str
    occurred_on: date
    answers: Mapping[str, int]
    corrects: str | None


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """What a rule needs of a person: the programme, and the first day if anybody wrote it down."""

    programme: str
    since: date | None


@dataclass(frozen=True, slots=True)
class KnownSession:
    """What a rule needs of a session."""

    programme: str
    occurred_on: date


@dataclass(frozen=True, slots=True)
class KnownAssessment:
    """What of a recorded assessment a correction cannot change, where and when it was filled in, and its `revision`
    (64 hex digits): how it stands."""

    programme: str
    subject: str | None
    instrument: str
    version: str
    session: str | None
    occurred_on: date
    revision: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the service knows of the people, sessions and assessments that a command names, by id."""

    people: Mapping[str, KnownPerson]
    sessions: Mapping[str, KnownSession]
    assessments: Mapping[str, KnownAssessment]


def check_assessment(new: NewAssessment, programme: Programme, instrument: Instrument, known: Known, day: date) -> None:
    """Refuse what contradicts itself, the instrument or the programme; `day` is today.

    Raises `InvalidInput`, `UnknownCode`, `UnknownPerson`, `UnknownSession` or `UnknownAssessment` naming the field.
    """
    use = programme.instrument_use.get((new.instrument, new.version))
    if use is None:
        raise UnknownCode(field="instrument", programme=programme.key, value=f"{new.instrument} {new.version}")
    if new.occasion not in use.occasions:
        raise InvalidInput(field="occasion", reason="the programme does not use the instrument on this occasion")
    _check_answers(new, instrument)
    _check_day(new, programme, day)
    if new.subject is not None:
        person = known.people.get(new.subject)
        if person is None or person.programme != programme.key:
            raise UnknownPerson(field="participant", programme=programme.key)
        if person.since is not None and new.occasion != "baseline" and new.occurred_on < person.since:
            raise InvalidInput(field="date", reason="before the person's first day; only a baseline may be")
    if new.session is not None:
        session = known.sessions.get(new.session)
        if session is None or session.programme != programme.key:
            raise UnknownSession(field="session", programme=programme.key)
        if session.occurred_on != new.occurred_on:
            raise InvalidInput(field="date", reason="not the session's day")
    if new.corrects is not None:
        _check_correction(new, programme.key, known.assessments.get(new.corrects))


def _check_answers(new: NewAssessment, instrument: Instrument) -> None:
    for key, answer in new.answers.items():
        item = instrument.item_by_key.get(key)
        if item is None:
            raise InvalidInput(field="item", reason="the instrument has no such item")
        if not item.low <= answer <= item.high:
            raise InvalidInput(field=f"answers.{key}", reason=f"not a whole number from {item.low} to {item.high}")


def _check_day(new: NewAssessment, programme: Programme, day: date) -> None:
    if new.occurred_on > day:
        raise InvalidInput(field="date", reason="in the future")
    after = new.occasion == "followup" and new.occurred_on > programme.period.end
    if new.occurred_on not in programme.period and not after:
        raise InvalidInput(field="date", reason="outside the programme's period")


def _check_correction(new: NewAssessment, programme: str, old: KnownAssessment | None) -> None:
    if old is None or old.programme != programme:
        raise UnknownAssessment(field="corrects", programme=programme)
    if (old.subject, old.instrument, old.version) != (new.subject, new.instrument, new.version):
        raise InvalidInput(field="corrects", reason="a correction keeps person, instrument and version")


def as_kept(new: NewAssessment, known: Known) -> NewAssessment:
    """The form as it is kept: a correction that says nothing of the session leaves it, if it is of the same day."""
    old = known.assessments.get(new.corrects or "")
    stays = old is not None and new.session is None and new.occurred_on == old.occurred_on
    return replace(new, session=old.session) if old is not None and stays else new


def scores(instrument: Instrument, answers: Mapping[str, int]) -> dict[str, str | None]:
    """The score of every scale, None where too little was answered for one."""
    return {scale.key: score(scale, instrument, answers) for scale in instrument.scales}


def score(scale: Scale, instrument: Instrument, answers: Mapping[str, int]) -> str | None:
    """One score as a decimal string; exact until it is rounded, once, half to even."""
    values = []
    for key in scale.items:
        if key in answers:
            item = instrument.item_by_key[key]
            values.append(item.low + item.high - answers[key] if key in scale.reversed else answers[key])
    if not values or len(scale.items) - len(values) > scale.max_missing:
        return None
    total = sum(values)
    if scale.rule == "sum":
        total *= len(scale.items)  # the mean of what was answered, for every item
    return _rounded(total, len(values), scale.decimals)


def _rounded(total: int, count: int, decimals: int) -> str:
    """`total / count` (neither below 0) with `decimals` places, half to even."""
    number, rest = divmod(total * 10**decimals, count)
    if 2 * rest > count or (2 * rest == count and number % 2):
        number += 1
    digits = f"{number:0{decimals + 1}}"
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
