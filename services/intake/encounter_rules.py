"""Rules of encounters: what may be written down of people who were met, and what a tap at the door counts."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from services.intake.domain import Arrival
from shared.contracts.catalogue import STANDINGS
from shared.contracts.errors import InvalidInput, UnknownCode
from shared.programmes import Programme

MOST_HEADS = 100_000


@dataclass(frozen=True, slots=True)
class Encounter:
    """One time that people were met, as heads. None: nobody wrote it down; 0 is a count."""

    occurred_on: date
    start: str | None = None
    location: str | None = None
    area: str | None = None
    staff: int | None = None
    people_new: int | None = None
    people_known: int | None = None
    women: int | None = None
    languages: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    guided_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewEncounter:
    """An encounter to be recorded; `tokens` are nicknames of visitors among the people who were met."""

    key: str
    content: Encounter
    tokens: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "NewEncounter(…)"  # never a nickname in a log


def check_encounter(new: Encounter, programme: Programme, today: date) -> None:
    """Refuse what contradicts itself or the programme; raises `InvalidInput` or `UnknownCode` naming the field."""
    known: tuple[tuple[str, tuple[str | None, ...], Mapping[str, Any]], ...] = (
        ("location", (new.location,), programme.location_by_key),
        ("area", (new.area,), programme.area_by_key),
        ("topics", new.topics, programme.topic_by_key),
        ("guided_to", new.guided_to, programme.service_by_key),
    )
    for field, values, keys in known:
        for value in values:
            if value is not None and value not in keys:
                raise UnknownCode(field=field, programme=programme.key, value=value)
    if new.occurred_on > today:
        raise InvalidInput(field="date", reason="in the future")
    if new.occurred_on not in programme.period:
        raise InvalidInput(field="date", reason="outside the programme's period")
    if problem := women_problem(new.people_new, new.people_known, new.women):
        raise InvalidInput(field="women", reason=problem)


def women_problem(people_new: int | None, people_known: int | None, women: int | None) -> str | None:
    """Why this many women cannot be; None if they can. Where only one of the two counts was written down, there may
    have been more people than that."""
    if women is None:
        return None
    if people_new is None and people_known is None:
        return "are given, but nobody wrote down how many people were met"
    if people_new is not None and people_known is not None and women > people_new + people_known:
        return f"are more than the {people_new + people_known} people who were met"
    return None


def must_hush(content: Encounter, named: int, *, began: bool) -> bool:
    """Whether what an encounter was about stays on the node: a visitor began with it, whose first line stands beside
    it in the lead's stream, and nobody else was met whom it could have been about."""
    return began and (content.people_new or 0) + (content.people_known or 0) <= named


@dataclass(frozen=True, slots=True)
class Raise:
    """A person who is known here and reaches a higher standing; `keeps_history` None: they were not asked."""

    key: str
    subject: str
    keeps_history: bool | None
    arrival: Arrival

    def __repr__(self) -> str:
        return "Raise(…)"  # never a name in a log


def check_raise(new: Raise, standing: str) -> None:
    """Refuse a standing that is no higher than `standing`, and a visitor who was not asked about their history.

    Raises `InvalidInput` naming the field.
    """
    if STANDINGS.index(new.arrival.standing) <= STANDINGS.index(standing):
        raise InvalidInput(field="standing", reason=f"this person is a {standing} already")
    if standing == "visitor" and new.keeps_history is None:
        raise InvalidInput(field="keeps_history", reason="ask the visitor whether their history goes along")
    if standing != "visitor" and new.keeps_history is False:
        raise InvalidInput(field="keeps_history", reason=f"a {standing} has one record, which goes on")


COUNTS: Mapping[str, tuple[str, int, int, int]] = {
    "new": ("n", 1, 0, 0),
    "new_woman": ("N", 1, 0, 1),
    "known": ("k", 0, 1, 0),
    "known_woman": ("K", 0, 1, 1),
}
"""What a tap adds: a letter to remember it by; people new, people known, women of them."""

_BY_LETTER = {letter: counted for letter, *counted in COUNTS.values()}
REMEMBERED = 60
"""So many taps can be taken back."""


@dataclass(frozen=True, slots=True)
class Count:
    """How a door stands: the encounter, and its last taps as letters, the last one last."""

    content: Encounter
    taps: str = ""

    def tapped(self, tap: str) -> "Count | None":
        """After one tap; None if it would count below 0 or beyond what a count may be. Raises `InvalidInput`."""
        if tap in ("done", "go_on"):
            return self
        if tap == "undo":
            after = self.counted(self.taps[-1], -1) if self.taps else None
            return after and replace(after, taps=self.taps[:-1])
        after = self.counted(COUNTS[tap][0], 1)
        return after and replace(after, taps=(self.taps + COUNTS[tap][0])[-REMEMBERED:])

    def counted(self, letter: str, times: int) -> "Count | None":
        """With this counted once more (1) or taken away (-1); None as above."""
        more_new, more_known, more_women = (times * number for number in _BY_LETTER[letter])
        old = self.content
        if more_women and old.women is None:
            raise InvalidInput(field="women", reason="are not counted apart here")
        new, known = (old.people_new or 0) + more_new, (old.people_known or 0) + more_known
        women = None if old.women is None else old.women + more_women
        if not (0 <= new <= MOST_HEADS and 0 <= known <= MOST_HEADS and 0 <= (women or 0) <= new + known):
            return None
        return replace(self, content=replace(old, people_new=new, people_known=known, women=women))


def normalised_token(token: str) -> str:
    """A nickname as it is compared: in one case, spaces alike."""
    return " ".join(unicodedata.normalize("NFKC", token).split()).casefold()


def tokens_of(identity: Mapping[str, Any]) -> set[str]:
    """The nicknames that a person goes by, normalised; an import may have given somebody several."""
    return {token for one in (identity.get("token") or "").split(";") if (token := normalised_token(one))}


def tile(identity: Mapping[str, Any]) -> str:
    """What stands on a person's tile at the door: their own nickname, else initials, never a name; "" if neither."""
    token = (identity.get("token") or "").split(";")[0].strip()
    names = (identity.get("given_name"), identity.get("family_name"))
    return token or "".join(f"{name.strip()[:1].upper()}." for name in names if name and name.strip())
