"""Numbers, days and times as people read them in Finnish, Finland-Swedish and English."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from services.portal.words import Lang, words
from shared.ops.clock import HELSINKI

NBSP = "\u00a0"


def number(value: int | float | str | Decimal, lang: Lang) -> str:
    """``2 369`` and ``4,5`` in Finnish and Swedish, ``2,369`` and ``4.5`` in English; every digit given is kept.

    Raises ValueError if a string is no decimal.
    """
    try:
        exact = Decimal(str(value))
    except ArithmeticError:
        raise ValueError("not a number") from None
    if not exact.is_finite():
        raise ValueError("not a number")
    plain = f"{exact:,f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    if lang == "en":
        return plain.replace("-", "−")
    return plain.replace("-", "−").replace(",", NBSP).replace(".", ",")


def day(value: date, lang: Lang) -> str:
    """``4.5.2017``; in English ``2017-05-04``."""
    return value.isoformat() if lang == "en" else f"{value.day}.{value.month}.{value.year}"


def moment(value: datetime, lang: Lang) -> str:
    """A time in Finland: ``4.5.2017 klo 10.30``, ``4.5.2017 kl. 10.30``, ``2017-05-04 10:30``."""
    local = value.astimezone(HELSINKI)
    return f"{day(local.date(), lang)} {clock(f'{local:%H:%M}', lang, label=True)}"


def clock(value: str, lang: Lang, *, label: bool = False) -> str:
    """A time of day ``HH:MM``: ``10.30``, in English ``10:30``; with `label` after ``klo`` or ``kl.``."""
    if lang == "en":
        return value
    shown = value.lstrip("0") if not value.startswith("00") else value[1:]
    said = {"fi": "klo", "sv": "kl."}[lang]
    return (f"{said}{NBSP}" if label else "") + shown.replace(":", ".")


def age(span: timedelta, lang: Lang) -> str:
    """A span in its largest whole unit: ``40 s``, ``12 min``, ``5 h``, ``3 pv``."""
    say, seconds = words(lang), max(0, int(span.total_seconds()))
    for unit, size in (("days_short", 86400), ("hours_short", 3600), ("minutes_short", 60)):
        if seconds >= size:
            return say(unit, n=seconds // size).replace(" ", NBSP)
    return say("seconds", n=seconds).replace(" ", NBSP)
