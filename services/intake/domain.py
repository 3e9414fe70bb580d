"""Rules of intake: who comes in, with which standing, and what the start record says."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.contracts.errors import InvalidInput, UnknownCode
from shared.programmes import Programme

OLDEST = 120
"""Full years; an older age is a slip of the pen, and no fact takes it."""

STANDING_NEEDS_NAME = ("client", "esf_participant")
"""A visitor may be known by a token alone; from client on a person has a name (glossary: standing)."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One person coming in: what is asked openly (`record`, coded) and the identity, which only the vault keeps."""

    key: str
    standing: str
    start_date: date | None
    record: dict[str, Any]
    identity: dict[str, Any]


def check_arrival(arrival: Arrival, programme: Programme, today: date) -> None:
    """Refuse what contradicts itself or the programme; raises `InvalidInput` or `UnknownCode` naming the field."""
    identity, record = arrival.identity, arrival.record
    named = identity.get("given_name") or identity.get("family_name")
    if arrival.standing in STANDING_NEEDS_NAME and not named:
        raise InvalidInput(field="given_name", reason=f"a {arrival.standing} has a name")
    if not named and not identity.get("token"):
        raise InvalidInput(field="token", reason="a visitor has a token or a name")
    if arrival.start_date is None:
        if arrival.standing == "esf_participant":
            raise InvalidInput(field="start_date", reason="an ESF participant has a start date")
    else:
        _check_start(arrival.start_date, programme, today)
    if identity.get("birth_date"):
        _check_birth(date.fromisoformat(identity["birth_date"]), arrival.start_date, today)
    if record.get("area") and record["area"] not in programme.area_by_key:
        raise UnknownCode(field="area", programme=programme.key, value=record["area"])
    if record.get("target_group") and record["target_group"] not in programme.target_group_by_key:
        raise UnknownCode(field="target_group", programme=programme.key, value=record["target_group"])


def _check_start(start: date, programme: Programme, today: date) -> None:
    if start > today:
        raise InvalidInput(field="start_date", reason="in the future")
    if start not in programme.period:
        raise InvalidInput(field="start_date", reason="outside the programme's period")


def _check_birth(born: date, start: date | None, today: date) -> None:
    if born > today:
        raise InvalidInput(field="birth_date", reason="in the future")
    if start is not None and born > start:
        raise InvalidInput(field="birth_date", reason="after start_date")
    if age_on(born, start or today) > OLDEST:
        raise InvalidInput(field="birth_date", reason=f"more than {OLDEST} years ago")


def age_on(birth_date: date, day: date) -> int:
    """Full years on `day` (reference §1.1: age counts on the start day)."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
