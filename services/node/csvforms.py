"""exitforms.csv and attempts.csv: the forms of people who have left, and forms that were asked for in vain."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.node.csvcells import Cells, person_of
from services.node.csvpeople import form_cells, told_and_kept
from services.node.csvrows import ATTEMPTS, EXIT_FORMS, OfPerson, row_key
from shared.contracts.start_facts import ATTEMPTS as STATUSES
from shared.contracts.start_facts import MAY_CALL, RECORDS
from shared.programmes import Programme

Say = Callable[[str, str], None]
"""Takes column and reason."""
_Day = date
"""A day, in a class that has a `date`."""


@dataclass(frozen=True, slots=True)
class ExitFormRow(OfPerson):
    """What was written down beside one person's exit; the partner is the person's. A person has one row: `before`
    counts for nothing. `told`: what is coded; `kept`: what is for the vault."""

    line: int
    participant: str
    programme: str
    partner: str
    signed_on: date | None
    told: Mapping[str, Any]
    kept: Mapping[str, str]
    before: int = 0

    def __repr__(self) -> str:
        return f"<ExitFormRow of line {self.line}>"

    @property
    def key(self) -> str:
        """Of what is told only the days of the proof, so that a list may tell them later."""
        days = (self.told.get(name) or "" for name in ("form_signed_on", "eura_on"))
        return row_key(self.programme, self.partner, EXIT_FORMS, self.participant, *days)


@dataclass(frozen=True, slots=True)
class AttemptRow(OfPerson):
    """One try to get a form, in vain; the partner is the person's. `before`: how many equal rows stand before it."""

    line: int
    participant: str
    programme: str
    partner: str
    record: str
    status: str
    date: date
    before: int

    def __repr__(self) -> str:
        return f"<AttemptRow of line {self.line}>"

    @property
    def key(self) -> str:
        what = (self.record, self.status, self.date.isoformat(), str(self.before))
        return row_key(self.programme, self.partner, ATTEMPTS, self.participant, *what)


def exit_form(line: int, raw: list[str], report: Say, programmes: Mapping[str, Programme]) -> ExitFormRow | None:
    """The row, its partner still blank, or None after reporting every bad cell."""
    cells = Cells(EXIT_FORMS, raw, report)
    who, key, programme = person_of(cells, programmes)
    said = {"may_call": cells.one_of("may_call", MAY_CALL), **form_cells(cells, programme)}
    if cells.ok and not any(said.values()):
        cells.bad("may_call", "is empty, and so are the others: the row says nothing")
    if not cells.ok or who is None or key is None:
        return None
    told, kept = told_and_kept(said, "form_version", "form_kept")
    return ExitFormRow(line, who, key, "", said["form_signed_on"], told, kept)


def attempt(line: int, raw: list[str], report: Say, programmes: Mapping[str, Programme]) -> AttemptRow | None:
    """The row, its partner still blank, or None after reporting every bad cell."""
    cells = Cells(ATTEMPTS, raw, report)
    who, key, programme = person_of(cells, programmes)
    record, status = cells.one_of("record", RECORDS, needed=True), cells.one_of("status", STATUSES, needed=True)
    day = cells.proof_day("date", programme, needed=True)
    if not cells.ok or who is None or key is None or record is None or status is None or day is None:
        return None
    return AttemptRow(line, who, key, "", record, status, day, 0)
