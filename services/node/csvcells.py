"""What one row of each file may hold: cells to typed values, every bad cell reported with its column.

Messages show a value only where it cannot be about a person: in files about people only words shaped like codes, and
never a reference to a person.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, time

from services.intake.domain import EARLIEST
from services.node.csvrows import (
    ATTENDANCE,
    COLUMNS,
    ENCOUNTERS,
    OUTCOMES,
    SESSIONS,
    SHOWN,
    OutcomeRow,
    SessionRow,
    row_digest,
)
from shared.contracts.catalogue import ROLES
from shared.contracts.commands import is_blank
from shared.ops.clock import today_in_helsinki, utcnow
from shared.programmes import Programme

MAX_TEXT = 200
"""Characters in a cell; longer text has no place in a set."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_WHOLE = re.compile(r"[0-9]{1,9}")
_CODE = re.compile(r"[a-z0-9_-]{1,40}")
CODE_WORD = re.compile(r"[a-z_]{1,40}")
LANGUAGE = re.compile(r"[a-z]{2,3}")

PLACES = {file: {column: place for place, column in enumerate(names)} for file, names in COLUMNS.items()}


FORMULA = ("=", "+", "-", "@")
"""With what a formula in a spreadsheet begins: an archive puts an apostrophe before it."""


def unquoted(value: str) -> str:
    """A cell without the apostrophe that an archive put before what would be a formula."""
    return value[1:] if value[:1] == "'" and value[1:2] in FORMULA else value


class Cells:
    """One row being checked. `ok` turns False at the first bad cell; the others are still looked at."""

    __slots__ = ("_cells", "_file", "_places", "_report", "ok")

    def __init__(self, file: str, cells: Sequence[str], report: Callable[[str, str], None]) -> None:
        self._file, self._cells, self._report = file, cells, report
        self._places = PLACES[file]
        self.ok = True

    def bad(self, column: str, reason: str, value: str | None = None) -> None:
        """Report a bad cell, showing `value` if the column is one that may be shown."""
        self.ok = False
        if value is not None and column in SHOWN[self._file]:
            if self._file in (SESSIONS, ENCOUNTERS) or _CODE.fullmatch(value):
                shown = value if len(value) <= 40 else value[:39] + "…"
                reason = f'"{shown}" {reason}'
            else:
                reason = f"the value {reason}"
        elif value is not None:
            reason = f"the value {reason}"
        self._report(column, reason)

    def text(self, column: str, *, needed: bool = False) -> str | None:
        """The cell, None if empty; spaces at its ends and over-long text are bad."""
        value = self._cells[self._places[column]]
        if not value:
            if needed:
                self.bad(column, "is missing")
            return None
        if len(value) > MAX_TEXT:
            self.bad(column, f"longer than {MAX_TEXT} characters")
            return None
        if value[0].isspace() or value[-1].isspace():
            self.bad(column, "has spaces before or after the value")
            return None
        if is_blank(value):
            self.bad(column, "has nothing that can be seen")
            return None
        return value

    def normal(self, column: str) -> str | None:
        """Free text in Unicode's composed form, so that the same name has the same characters."""
        value = self.text(column)
        return unicodedata.normalize("NFC", unquoted(value)) if value else None

    def one_of(self, column: str, allowed: Collection[str], *, needed: bool = False) -> str | None:
        value = self.text(column, needed=needed)
        if value is None or value in allowed:
            return value
        self.bad(column, f"is none of {', '.join(allowed)}", value)
        return None

    def key(self, column: str, known: Collection[str] | None, what: str, *, needed: bool = False) -> str | None:
        """A key of the programme; `known` None: the programme is not known, nothing can be said."""
        value = self.text(column, needed=needed)
        if value is None or known is None or value in known:
            return value
        self.bad(column, f"is no {what}", value)
        return None

    def shaped(self, column: str, shape: re.Pattern[str], reason: str) -> str | None:
        value = self.text(column)
        if value is None or shape.fullmatch(value):
            return value
        self.bad(column, reason, value)
        return None

    def several(self, column: str, shape: re.Pattern[str] | None, reason: str) -> tuple[str, ...]:
        """Values parted by semicolons, each once and none empty."""
        value = self.text(column)
        if value is None:
            return ()
        parts = tuple(unquoted(value).split(";"))
        if any(not part or part != part.strip() or (shape and not shape.fullmatch(part)) for part in parts):
            self.bad(column, reason, value)
        elif len(set(parts)) < len(parts):
            self.bad(column, "names the same twice", value)
        return parts

    def whole(self, column: str, low: int, high: int) -> int | None:
        value = self.text(column)
        if value is None:
            return None
        if not _WHOLE.fullmatch(value):
            self.bad(column, "is no whole number", value)
        elif not low <= int(value) <= high:
            self.bad(column, f"is not between {low} and {high}", value)
        else:
            return int(value)
        return None

    def day(self, column: str, *, needed: bool = False, ahead: bool = False) -> date | None:
        """A day; `ahead`: it may lie in the future."""
        value = self.text(column, needed=needed)
        if value is None:
            return None
        if not _DAY.fullmatch(value):
            self.bad(column, "is no date written YYYY-MM-DD", value)
            return None
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.bad(column, "is no day of the calendar", value)
            return None
        if not ahead and day > today_in_helsinki(utcnow()):
            self.bad(column, "lies in the future", value)
            return None
        return day

    def proof_day(self, column: str, programme: Programme | None, *, needed: bool = False) -> date | None:
        """A day on which somebody signed, entered or was asked for something, for this programme."""
        day = self.day(column, needed=needed)
        if programme and day and too_old(day, programme):
            self.bad(column, "lies more than a year before the programme's period")
        return day

    def time(self, column: str) -> time | None:
        value = self.text(column)
        if value is None:
            return None
        match = _TIME.fullmatch(value)
        if match is None:
            self.bad(column, "is no time written HH:MM", value)
            return None
        return time(int(match[1]), int(match[2]))

    def step_span(self, programme: Programme | None) -> tuple[str, date, date | None] | None:
        """An individual step, and from when to when somebody was on it, or away from it."""
        known = programme.step_by_key if programme else None
        on = self.key("step", known, "step of the programme", needed=True)
        level = known[on].level if known and on and on in known else "individual"
        if level != "individual":
            self.bad("step", f"is a {level} step, which people never enter", on)
        since, until = self.day("from", needed=True), self.day("to")
        for column, day in (("from", since), ("to", until)):
            if programme and day and day not in programme.period:
                self.bad(column, "lies outside the programme's period", day.isoformat())
        if since and until and until < since:
            self.bad("to", "is before the day in from", until.isoformat())
        return None if on is None or since is None else (on, since, until)


def too_old(day: date, programme: Programme) -> bool:
    """Whether nobody can have signed anything for the programme on this day."""
    return day < programme.period.start - EARLIEST


def owner(cells: Cells, programmes: Mapping[str, Programme]) -> tuple[str | None, Programme | None, str | None]:
    """The programme that a row names, its key and itself if this home has it, and the partner's key."""
    key = cells.key("programme", programmes, "programme of this home", needed=True)
    programme = programmes.get(key) if key else None
    partner = cells.key(
        "partner", programme.partner_by_key if programme else None, "partner of the programme", needed=True
    )
    return key, programme, partner


def session(
    line: int, raw: list[str], report: Callable[[str, str], None], programmes: Mapping[str, Programme]
) -> SessionRow | None:
    """The row, or None after reporting every bad cell."""
    cells = Cells(SESSIONS, raw, report)
    ref = cells.text("ref", needed=True)
    key, programme, partner = owner(cells, programmes)
    activity = cells.key(
        "activity", programme.activity_by_key if programme else None, "activity of the programme", needed=True
    )
    day = cells.day("date", needed=True)
    if programme and day and day not in programme.period:
        cells.bad("date", "lies outside the programme's period", day.isoformat())
    heads, women = cells.whole("headcount", 0, 100_000), cells.whole("headcount_women", 0, 100_000)
    basis = cells.one_of("headcount_basis", ("counted", "estimated"))
    counts_people = bool(programme and activity and programme.activity_by_key[activity].counts == "people")
    _heads(cells, raw, heads, women, counts_people=counts_people)
    row = (
        cells.time("start"),
        cells.whole("minutes", 1, 24 * 60),
        cells.key("location", programme.location_by_key if programme else None, "location of the programme"),
        cells.key("area", programme.area_by_key if programme else None, "area of the programme"),
        cells.several("languages", LANGUAGE, "is not a list of ISO 639 codes parted by semicolons"),
        heads,
        women,
        basis,
    )
    if not cells.ok or ref is None or key is None or partner is None or activity is None or day is None:
        return None
    return SessionRow(line, row_digest(raw), ref, key, partner, activity, day, *row)


def _heads(cells: Cells, raw: list[str], heads: int | None, women: int | None, *, counts_people: bool) -> None:
    places = PLACES[SESSIONS]
    given = {column for column in ("headcount", "headcount_women", "headcount_basis") if raw[places[column]]}
    if counts_people:
        for column in sorted(given):
            cells.bad(column, "is given, but the activity counts people, not heads")
        return
    if "headcount" not in given:
        for column in sorted(given):
            cells.bad(column, "is given without a headcount")
    elif "headcount_basis" not in given:
        cells.bad("headcount_basis", "is missing: was the headcount counted or estimated?")
    if heads is not None and women is not None and women > heads:
        cells.bad("headcount_women", f"is more than the headcount {heads}", str(women))


def attendance(raw: list[str], report: Callable[[str, str], None]) -> tuple[str, str, str, int | None] | None:
    """Session, participant, role and minutes, or None after reporting every bad cell."""
    cells = Cells(ATTENDANCE, raw, report)
    at, who = cells.text("session", needed=True), cells.text("participant", needed=True)
    role, minutes = cells.one_of("role", ROLES, needed=True), cells.whole("minutes", 1, 24 * 60)
    if not cells.ok or at is None or who is None or role is None:
        return None
    return at, who, role, minutes


def outcome(
    line: int, raw: list[str], report: Callable[[str, str], None], programmes: Mapping[str, Programme]
) -> OutcomeRow | None:
    """The row, its partner still blank, or None after reporting every bad cell."""
    cells = Cells(OUTCOMES, raw, report)
    who, key, programme = person_of(cells, programmes)
    became = cells.key(
        "outcome", programme.outcome_by_key if programme else None, "outcome of the programme", needed=True
    )
    day = cells.day("date", needed=True)
    if programme and day and day < programme.period.start:
        cells.bad("date", "lies before the programme's period", day.isoformat())
    if not cells.ok or who is None or key is None or became is None or day is None:
        return None
    return OutcomeRow(line, who, key, "", day, became, 0)


def person_of(cells: Cells, programmes: Mapping[str, Programme]) -> tuple[str | None, str | None, Programme | None]:
    """The person that a row is of, by ref, and the programme it names: its key, and itself if this home has it."""
    who = cells.text("participant", needed=True)
    key = cells.key("programme", programmes, "programme of this home", needed=True)
    return who, key, programmes.get(key) if key else None
