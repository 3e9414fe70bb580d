"""The Finnish personal identity code (henkilötunnus): is it one, what birth date is in it, and synthetic ones.

`DDMMYY` + sign + `NNN` + check character. The sign tells the century (several signs each since 2023); the check
character is the nine digits modulo 31, without the sign. Numbers 002–899 belong to people; 900–999 are temporary or
test codes and never to a person in the population register: everything synthetic uses them.
"""

import re
from datetime import date

CHECK_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_CENTURIES = {"+": 1800, **dict.fromkeys("-YXWVU", 1900), **dict.fromkeys("ABCDEF", 2000)}
_SIGNS_OF_2023 = {1900: "YXWVU", 2000: "BCDEF"}
_SHAPE = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})([-+A-FU-Y])([0-9]{3})([0-9A-Y])")


def normalise(code: str) -> str:
    """Capital letters, no white space at the ends. The sign stays: two people may differ by it alone."""
    return code.strip().upper()


def birth_date(code: str) -> date | None:
    """The birth date in a valid code, temporary ones included; None if the code is not valid."""
    match = _SHAPE.fullmatch(normalise(code))
    if match is None:
        return None
    day, month, year, sign, number, check = match.groups()
    if int(number) < 2 or check != check_character(day + month + year + number):
        return None
    try:
        return date(_CENTURIES[sign] + int(year), int(month), int(day))
    except ValueError:
        return None


def is_valid(code: str, *, allow_temporary: bool = True) -> bool:
    """Whether the code can exist; with `allow_temporary=False` numbers 900–999 do not count."""
    return birth_date(code) is not None and (allow_temporary or not is_temporary(code))


def is_temporary(code: str) -> bool:
    """Whether the number is in 900–999; the code must be valid."""
    return normalise(code)[7] == "9"


def check_character(nine_digits: str) -> str:
    """The check character for `DDMMYYNNN`."""
    return CHECK_CHARACTERS[int(nine_digits) % 31]


def synthetic(born: date, number: int, sign: int) -> str:
    """A temporary code for `born` (1900–2099): `number` 900–999, `sign` 0–4 among the signs introduced in 2023."""
    if not 900 <= number <= 999:
        raise ValueError("synthetic codes are numbered 900-999")
    digits = f"{born:%d%m%y}"
    return f"{digits}{_SIGNS_OF_2023[born.year // 100 * 100][sign]}{number}{check_character(f'{digits}{number}')}"
