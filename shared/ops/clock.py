"""Times: recorded times are aware UTC, days are days in Europe/Helsinki (architecture §3)."""

import contextlib
import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

HELSINKI = ZoneInfo("Europe/Helsinki")
_WIRE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


def utcnow() -> datetime:
    """The time now, aware, UTC. Rules take `now` as an argument; only the outermost code calls this."""
    return datetime.now(UTC)


def today_in_helsinki(now: datetime) -> date:
    """The day it is in Finland at `now` (aware)."""
    return now.astimezone(HELSINKI).date()


def iso_day(day: date | None) -> str | None:
    """A day as facts and answers have it; None: there is none."""
    return day.isoformat() if day else None


def day_of(text: str | None) -> date | None:
    """The inverse; what is empty is no day. ValueError if the text has another form."""
    return date.fromisoformat(text) if text else None


def wire_time(moment: datetime) -> str:
    """``2026-11-22T09:15:02.123456Z``, as in lines, headers and statements."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_wire_time(text: str) -> datetime:
    """The inverse of `wire_time`; ValueError if the text has another form."""
    if _WIRE.fullmatch(text):  # every line has one; `strptime` takes five times as long
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(text)
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
