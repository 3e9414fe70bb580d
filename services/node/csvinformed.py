"""informed.csv: who was informed, as an archive has it (decision 0189)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from services.intake.domain import EARLIEST
from services.node.csvcells import CODE_WORD, LANGUAGE, Cells
from services.node.csvrows import INFORMED, OfPerson, row_key
from shared.contracts.purposes import PURPOSES
from shared.programmes import Programme


@dataclass(frozen=True, slots=True)
class InformedRow(OfPerson):
    """One time that one person was informed; programme and partner are the person's. `before`: how many equal rows
    stand before it."""

    line: int
    participant: str
    programme: str
    partner: str
    notice: int
    language: str
    consents: tuple[str, ...]
    date: date
    before: int

    def __repr__(self) -> str:
        return f"<InformedRow of line {self.line}>"

    @property
    def key(self) -> str:
        told = (str(self.notice), self.language, ";".join(self.consents), self.date.isoformat(), str(self.before))
        return row_key(self.programme, self.partner, INFORMED, self.participant, *told)


def informed(
    line: int, raw: list[str], report: Callable[[str, str], None], programmes: Mapping[str, Programme]
) -> InformedRow | None:
    """The row, programme and partner still blank, or None after reporting every bad cell."""
    cells = Cells(INFORMED, raw, report)
    who, day = cells.text("ref", needed=True), cells.day("occurred_on", needed=True)
    notice = cells.whole("notice", 1, 9999) if cells.text("notice", needed=True) else None
    language = cells.text("language", needed=True) and cells.shaped("language", LANGUAGE, "is no ISO 639 code")
    consents = cells.several("consents", CODE_WORD, "is not a list of purposes parted by semicolons")
    for purpose in consents:
        if CODE_WORD.fullmatch(purpose) and purpose not in PURPOSES:
            cells.bad("consents", f"is none of {', '.join(PURPOSES)}", purpose)
    first = min((programme.period.start for programme in programmes.values()), default=None)
    if day and first and day < first - EARLIEST:
        cells.bad("occurred_on", "lies more than a year before the programme's period", day.isoformat())
    if not cells.ok or who is None or notice is None or language is None or day is None:
        return None
    return InformedRow(line, who, "", "", notice, language, consents, day, 0)


def no_consent(row: InformedRow, programme: Programme) -> str | None:
    """A purpose that the row says somebody agreed to, though it is no matter of consent."""
    return next((one for one in row.consents if programme.purpose_by_key[one].basis != "consent"), None)
