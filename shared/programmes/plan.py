"""What a project has planned and told its funder, read off a checked document: what held on a day, and business ids."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2)


def in_force(rows: Iterable[Mapping[str, Any]], word: str, key: str, day: date) -> Mapping[str, Any] | None:
    """The row of `targets` (word `indicator`) or `budget` (word `source`) about `key` that held on `day`.

    None before the first one's day, and if there is none: then nothing was set.
    """
    told = [row for row in rows if row[word] == key and row["valid_from"] <= day.isoformat()]
    return max(told, key=lambda row: str(row["valid_from"]), default=None)


def is_business_id(text: str) -> bool:
    """Whether a business id (Y-tunnus) has the form and the check digit of one; a remainder of 1 is never given out."""
    if not re.fullmatch("[0-9]{7}-[0-9]", text):
        return False
    rest = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, text, strict=False)) % 11
    return rest != 1 and int(text[-1]) == (11 - rest) % 11
