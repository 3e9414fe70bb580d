"""steps.csv and pauses.csv: people's time on a step, and away from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

from services.node.csvcells import Cells, person_of
from services.node.csvrows import PAUSES, STEPS, OfPerson, row_key
from shared.programmes import Programme


@dataclass(frozen=True, slots=True)
class SpanRow(OfPerson):
    """One person's time on a step, or away from it, as `file` says; the partner is the person's. `before`: how many
    equal rows stand before it."""

    file: str
    line: int
    participant: str
    programme: str
    partner: str
    step: str
    since: date
    until: date | None
    before: int

    def __repr__(self) -> str:
        return f"<SpanRow of line {self.line}>"

    @property
    def key(self) -> str:
        days = self.since.isoformat(), self.until.isoformat() if self.until else ""
        return row_key(self.programme, self.partner, self.file, self.participant, self.step, *days, str(self.before))


def _span(
    file: str,
    line: int,
    raw: list[str],
    report: Callable[[str, str], None],
    programmes: Mapping[str, Programme],
) -> SpanRow | None:
    """The row, its partner still blank, or None after reporting every bad cell."""
    cells = Cells(file, raw, report)
    who, key, programme = person_of(cells, programmes)
    span = cells.step_span(programme)
    if not cells.ok or who is None or key is None or span is None:
        return None
    return SpanRow(file, line, who, key, "", *span, 0)


step, pause = partial(_span, STEPS), partial(_span, PAUSES)
