"""exits.csv and followups.csv: people leaving, and what was heard of them afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from services.intake.records import ASKS_NOBODY, LATEST_EXIT, LONGEST_WAIT
from services.node.csvcells import CODE_WORD, Cells, person_of
from services.node.csvrows import EXITS, FOLLOWUPS, OfPerson, row_key
from shared.contracts.record_facts import EXITS as REASONS
from shared.contracts.record_facts import FOLLOW_UPS, RESULTS
from shared.forms import find_form
from shared.forms.records import result_problems
from shared.programmes import Programme
from shared.programmes.leaving import next_problems

Say = Callable[[str, str], None]
"""Takes column and reason."""
_Day = date
"""A day, in a class that has a `date`."""


@dataclass(frozen=True, slots=True)
class ExitRow(OfPerson):
    """One person leaving; the partner is the person's. `before`: how many equal rows stand before it."""

    line: int
    participant: str
    programme: str
    partner: str
    date: date
    reason: str
    results: tuple[str, ...]
    next: str | None
    before: int
    planned: str | None = None
    back: _Day | None = None
    """The day on which they came back; part of the identity where it is told, so that a list may tell it later."""

    def __repr__(self) -> str:
        return f"<ExitRow of line {self.line}>"

    @property
    def _next(self) -> str:
        return ";".join(filter(None, (self.next, self.planned)))

    @property
    def key(self) -> str:
        what: tuple[str, ...] = (self.date.isoformat(), self.reason, ";".join(self.results), self._next)
        what += (str(self.before),)
        what += (self.back.isoformat(),) if self.back else ()
        return row_key(self.programme, self.partner, EXITS, self.participant, *what)


@dataclass(frozen=True, slots=True)
class FollowUpRow(OfPerson):
    """One try to reach a person who has left; partner and `before` as in `ExitRow`."""

    line: int
    participant: str
    programme: str
    partner: str
    due: date
    date: date
    status: str
    results: tuple[str, ...]
    before: int

    def __repr__(self) -> str:
        return f"<FollowUpRow of line {self.line}>"

    @property
    def key(self) -> str:
        what = (self.due.isoformat(), self.date.isoformat(), self.status, ";".join(self.results), str(self.before))
        return row_key(self.programme, self.partner, FOLLOWUPS, self.participant, *what)


def leaving(line: int, raw: list[str], report: Say, programmes: Mapping[str, Programme]) -> ExitRow | None:
    """The row, its partner still blank, or None after reporting every bad cell."""
    cells = Cells(EXITS, raw, report)
    who, key, programme = person_of(cells, programmes)
    day, reason = cells.day("date", needed=True), cells.one_of("reason", REASONS, needed=True)
    if programme and day and day > programme.period.end + LATEST_EXIT:
        cells.bad("date", "lies more than a year after the programme's period", day.isoformat())
    results = _results(cells, programme)
    to, planned = _next(cells, programme, reason)
    back = cells.day("back")
    if back and day and back < day:
        cells.bad("back", "is before the day in date", back.isoformat())
    if back and reason == "died":
        cells.bad("back", "is given, but the person has died", back.isoformat())
    if not cells.ok or who is None or key is None or day is None or reason is None:
        return None
    return ExitRow(line, who, key, "", day, reason, results, to, 0, planned, back)


def not_of(row: ExitRow, started: date | None, is_client: bool, programme: Programme) -> tuple[str, str] | None:
    """Column and reason of what cannot be of this person: a client without a start leaves by day and reason alone."""
    if started is not None:
        missing = next_problems(programme, row.reason, row.next, row.planned) if row.next is None else ()
        return next(((field, why) for field, why in missing if field == "next"), None)
    if not is_client:
        return "participant", "has no start_date: there is nothing to leave"
    if row.date < programme.period.start:
        return "date", "lies before the programme's period"
    told = {"results": row.results, "next": row.next}
    of_the_record = "is given, but the person has no start_date: that is of the fund's record"
    return next(((column, of_the_record) for column, value in told.items() if value), None)


def followup(line: int, raw: list[str], report: Say, programmes: Mapping[str, Programme]) -> FollowUpRow | None:
    """The row, its partner still blank, or None after reporting every bad cell."""
    cells = Cells(FOLLOWUPS, raw, report)
    who, key, programme = person_of(cells, programmes)
    due, day = cells.day("due", needed=True, ahead=True), cells.day("date", needed=True)
    status, results = cells.one_of("status", FOLLOW_UPS, needed=True), _results(cells, programme)
    if programme and programme.follow_up_days is None:
        cells.bad("programme", ASKS_NOBODY)
    if status == "reached" and due and day and day < due:
        cells.bad("date", "is before the day in due, though somebody was reached", day.isoformat())
    if programme and due and due < programme.period.start:
        cells.bad("due", "lies before the programme's period", due.isoformat())
    elif programme and due and day and day >= programme.period.start and due > day + LONGEST_WAIT:
        cells.bad("due", "lies more than two years after the day in date", due.isoformat())
    if results and status and status != "reached":
        cells.bad("results", "is given, but nobody was reached who could have told")
    if not cells.ok or who is None or key is None or due is None or day is None or status is None:
        return None
    return FollowUpRow(line, who, key, "", due, day, status, results, 0)


def _next(cells: Cells, programme: Programme | None, reason: str | None) -> tuple[str | None, str | None]:
    """Where the person went: an outcome; or a ready plan and, after a semicolon, the service that it names."""
    told = cells.several("next", CODE_WORD, "is not an outcome, or a ready plan and the service that it names")
    if programme is None:
        return None, None
    for code in told:
        if code not in programme.outcome_by_key:
            cells.bad("next", "is no outcome of the programme", code)
            return None, None
    if len(told) > 2:
        cells.bad("next", "names more than a ready plan and the service that it names")
        return None, None
    to, planned = (*told, None, None)[:2]
    for field, why in next_problems(programme, reason or "", to, planned):
        if field != "next":  # whether a next service is needed hangs on the person: `csvset` looks
            cells.bad("reason" if field == "reason" else "next", why)
    return to, planned


def _results(cells: Cells, programme: Programme | None) -> tuple[str, ...]:
    results = cells.several("results", CODE_WORD, "is not a list of codes parted by semicolons")
    for result in results:
        if result not in RESULTS:
            cells.bad("results", f"is none of {', '.join(RESULTS)}", result)
            return results
    if programme:
        for _, reason in result_problems(find_form(programme.funding_programme), set(results)):
            cells.bad("results", reason)
    return results
