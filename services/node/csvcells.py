"""What one row of each file may hold: cells to typed values, every bad cell reported with its column.

Messages show a value only where it cannot be about a person: in participants.csv only words shaped like codes, and
never a reference to a person.
"""

import functools
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, time
from typing import Any

from services.intake.domain import EARLIEST, PAID, WHERE_PEOPLE_LIVE, is_protected
from services.node.csvrows import (
    ATTENDANCE,
    COLUMNS,
    OPTIONAL,
    OUTCOMES,
    PARTICIPANTS,
    ROLES,
    SENSITIVE,
    SESSIONS,
    SHOWN,
    STEPS,
    OutcomeRow,
    ParticipantRow,
    SessionRow,
    StepRow,
    row_digest,
)
from shared import hetu
from shared.forms import find_form
from shared.forms.records import arrival_problems
from shared.ops.clock import today_in_helsinki, utcnow
from shared.programmes import Programme

MAX_TEXT = 200
"""Characters in a cell; longer text has no place in a set."""

OLDEST_BIRTH = date(1900, 1, 1)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_WHOLE = re.compile(r"[0-9]{1,9}")
_CODE = re.compile(r"[a-z0-9_-]{1,40}")
_FORM_VERSION = re.compile(r"[a-z0-9_]{1,40}")
CODE_WORD = re.compile(r"[a-z_]{1,40}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
_MUNICIPALITY = re.compile(r"[0-9]{3}")

_PLACES = {file: {column: place for place, column in enumerate(names)} for file, names in COLUMNS.items()}


class Cells:
    """One row being checked. `ok` turns False at the first bad cell; the others are still looked at."""

    __slots__ = ("_cells", "_file", "_places", "_report", "ok")

    def __init__(self, file: str, cells: Sequence[str], report: Callable[[str, str], None]) -> None:
        self._file, self._cells, self._report = file, cells, report
        self._places = _PLACES[file]
        self.ok = True

    def bad(self, column: str, reason: str, value: str | None = None) -> None:
        """Report a bad cell, showing `value` if the column is one that may be shown."""
        self.ok = False
        if value is not None and column in SHOWN[self._file]:
            if self._file != PARTICIPANTS or _CODE.fullmatch(value):
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
        return value

    def normal(self, column: str) -> str | None:
        """Free text in Unicode's composed form, so that the same name has the same characters."""
        value = self.text(column)
        return unicodedata.normalize("NFC", value) if value else None

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
        parts = tuple(value.split(";"))
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


def owner(cells: Cells, programmes: Mapping[str, Programme]) -> tuple[str | None, Programme | None, str | None]:
    """The programme that a row names, its key and itself if this home has it, and the partner's key."""
    key = cells.key("programme", programmes, "programme of this home", needed=True)
    programme = programmes.get(key) if key else None
    partner = cells.key(
        "partner", programme.partner_by_key if programme else None, "partner of the programme", needed=True
    )
    return key, programme, partner


def participant(
    line: int, raw: list[str], report: Callable[[str, str], None], programmes: Mapping[str, Programme]
) -> ParticipantRow | None:
    """The row, or None after reporting every bad cell."""
    cells = Cells(PARTICIPANTS, raw, report)
    ref = cells.text("ref", needed=True)
    key, programme, partner = owner(cells, programmes)
    standing = cells.one_of("standing", ("visitor", "client", "esf_participant"), needed=True)
    born, start, signed = cells.day("birth_date"), cells.day("start_date"), cells.day("form_signed_on")
    code = cells.text("identity_code")
    _dates(cells, programme, born, start, signed)
    _identity(cells, code, born)
    if standing == "esf_participant" and start is None and not raw[_PLACES[PARTICIPANTS]["start_date"]]:
        cells.bad("start_date", "is missing: the standing is esf_participant")
    answers: dict[str, Any] = {
        column: cells.one_of(column, ("yes", "no", "refused", "not_asked")) for column in SENSITIVE
    }
    row = functools.partial(
        ParticipantRow,
        line=line,
        token=cells.several("token", None, "is not a list parted by semicolons"),
        identity_code=hetu.normalise(code) if code else None,
        given_name=cells.normal("given_name"),
        family_name=cells.normal("family_name"),
        birth_date=born,
        gender=cells.one_of("gender", ("f", "m", "x", "unknown")),
        service_language=cells.shaped("service_language", LANGUAGE, "is no ISO 639 code"),
        contact_language=cells.shaped("contact_language", LANGUAGE, "is no ISO 639 code"),
        interpreter=cells.one_of("interpreter", ("yes", "no")),
        municipality=cells.shaped("municipality", _MUNICIPALITY, "is no three-digit code"),
        area=cells.key("area", programme.area_by_key if programme else None, "area of the programme"),
        target_group=cells.key(
            "target_group", programme.target_group_by_key if programme else None, "target group of the programme"
        ),
        start_date=start,
        labour_status=cells.one_of("labour_status", ("unemployed", "inactive", "inactive_in_education", "employed")),
        unemployed_months=cells.whole("unemployed_months", 0, 720),
        education=cells.whole("education", 0, 8),
        form_version=cells.shaped("form_version", _FORM_VERSION, "is no code of a-z, 0-9 and _"),
        form_signed_on=signed,
        form_kept=cells.normal("form_kept"),
        protected_address=cells.one_of("protected_address", ("yes", "no")),
        paid_by_project=cells.one_of("paid_by_project", ("yes", "no")),
        **answers,
    )
    if not cells.ok or ref is None or key is None or partner is None or standing is None:
        return None
    _record(cells, row.keywords, programme, participant=standing == "esf_participant")
    if standing == "esf_participant" and row.keywords["paid_by_project"] == "yes":
        cells.bad("paid_by_project", f"says that it pays them: {PAID}")
    if is_protected(row.keywords):
        for column in WHERE_PEOPLE_LIVE:
            if row.keywords[column]:
                cells.bad(column, "is left out of who has a protected address")
    if not cells.ok:
        return None
    digest = row_digest(raw, len(OPTIONAL[PARTICIPANTS]))
    return row(digest=digest, ref=ref, programme=key, partner=partner, standing=standing)


def _record(cells: Cells, row: Mapping[str, Any], programme: Programme | None, *, participant: bool) -> None:
    """Against the form of the programme's funding period, each cell right by itself."""
    if programme is None:
        return
    form, said = (
        find_form(programme.funding_programme),
        {name: value for name, value in row.items() if value is not None},
    )
    asked, here = row["form_signed_on"] is not None, programme.esf_record == "here"
    for column, reason in arrival_problems(
        form, said, row["start_date"], participant=participant, asked=asked, here=here
    ):
        cells.bad(column, reason)


def _dates(
    cells: Cells, programme: Programme | None, born: date | None, start: date | None, signed: date | None
) -> None:
    if programme and start and start not in programme.period:
        cells.bad("start_date", "lies outside the programme's period")
    if programme and signed and signed > programme.period.end:
        cells.bad("form_signed_on", "lies after the programme's end")
    if born is not None and signed and signed <= born:
        cells.bad("form_signed_on", "is not after the birth date")
    elif programme and signed and signed < programme.period.start - EARLIEST:
        cells.bad("form_signed_on", "lies more than a year before the programme's period")
    if born is None:
        return
    if born < OLDEST_BIRTH or (programme and born > programme.period.end):
        cells.bad("birth_date", "is not plausible")
        return
    if start and start <= born:
        cells.bad("start_date", "is not after the birth date")


def _identity(cells: Cells, code: str | None, born: date | None) -> None:
    if code is None:
        return
    coded = hetu.birth_date(code)
    if coded is None:
        cells.bad("identity_code", "is not valid")
    elif born and coded != born:
        cells.bad("identity_code", "tells another birth date than the column birth_date")


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
    places = _PLACES[SESSIONS]
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


def step(
    line: int, raw: list[str], report: Callable[[str, str], None], programmes: Mapping[str, Programme]
) -> StepRow | None:
    """The row, its partner still blank, or None after reporting every bad cell."""
    cells = Cells(STEPS, raw, report)
    who, key, programme = person_of(cells, programmes)
    span = cells.step_span(programme)
    if not cells.ok or who is None or key is None or span is None:
        return None
    return StepRow(line, who, key, "", *span, 0)


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
