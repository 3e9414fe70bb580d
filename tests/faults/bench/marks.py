"""What the bench records, and how each fact is known again by its content alone.

Every fact bears a **mark** that is in its line and in the lead's derived row: of a person the day of the standing, of a
session its day and length, of a head-count its number, of an attendance its session and its minutes. So the judge needs
no key, no id and no table of the system to say which attempt a line or a row came from.

    p7       person 7                  since = day 7 of the programme
    s12      session 12                (day, minutes)
    h12      its head-count            heads = 12
    a12.3    an attendance at it       minutes = 4
"""

from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

PROGRAMME = "osallisuuden-askeleet"
START = date(2017, 5, 4)
DAYS = 1000
SHORTEST = 60
"""Minutes of the first thousand sessions; the next thousand are a minute longer."""
AT_A_SESSION = 10
PEOPLE_ACTIVITY, HEADS_ACTIVITY = "culture_group", "patrol"
BLOCK = 4
"""Sessions sent together; the last of them counts heads."""
LINES_PER_BLOCK = 3 * (1 + AT_A_SESSION) + 2


def key_of(partner: str, mark: str) -> str:
    """The idempotency key of a fact: a digest, the same at every attempt."""
    return sha256(f"{partner} {mark}".encode()).hexdigest()


def person_day(number: int) -> date:
    """The day by which person `number` is known."""
    return START + timedelta(days=number)


def counts_heads(number: int) -> bool:
    """Whether session `number` counts heads instead of people."""
    return number % BLOCK == BLOCK - 1


def session_item(partner: str, number: int) -> dict[str, Any]:
    """The item of session `number` for `activities.record_sessions`."""
    heads = counts_heads(number)
    item: dict[str, Any] = {
        "key": key_of(partner, f"s{number}"),
        "activity": HEADS_ACTIVITY if heads else PEOPLE_ACTIVITY,
        "date": (START + timedelta(days=number % DAYS)).isoformat(),
        "minutes": SHORTEST + number // DAYS,
    }
    return item | {"headcount": number, "headcount_basis": "counted"} if heads else item


def session_number(day: date, minutes: int | None) -> int:
    """Which session this is; -1 if it is none of ours."""
    days = (day - START).days
    return (minutes - SHORTEST) * DAYS + days if minutes is not None and 0 <= days < DAYS else -1


def session_marks(number: int) -> list[str]:
    """The marks of the facts that recording session `number` makes."""
    return [f"s{number}", f"h{number}"] if counts_heads(number) else [f"s{number}"]


@dataclass(frozen=True, slots=True)
class Size:
    """How much one partner records."""

    people: int
    blocks: int

    @property
    def lines(self) -> int:
        """How many facts that is."""
        return self.people + self.blocks * LINES_PER_BLOCK


def size_of(facts: int) -> Size:
    """The size that makes at least `facts` facts."""
    people = max(AT_A_SESSION + 4, min(200, facts // 20))
    return Size(people, -(-(facts - people) // LINES_PER_BLOCK))
