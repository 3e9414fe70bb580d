"""pauses.csv: people away from a step that they are on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from services.node.csvcells import Cells, person_of
from services.node.csvrows import PARTICIPANTS, PAUSES, row_key
from shared.programmes import Programme


@dataclass(frozen=True, slots=True)
class PauseRow:
    """One person's time away from a step; the partner is the person's. `before`: how many equal rows stand before."""

    line: int
    participant: str
    programme: str
    partner: str
    step: str
    paused_on: date
    resumed_on: date | None
    before: int

    def __repr__(self) -> str:
        return f"<PauseRow of line {self.line}>"

    @property
    def key(self) -> str:
        days = self.paused_on.isoformat(), self.resumed_on.isoformat() if self.resumed_on else ""
        return row_key(self.programme, self.partner, PAUSES, self.participant, self.step, *days, str(self.before))

    @property
    def participant_key(self) -> str:
        """The key of the `ParticipantRow` it refers to."""
        return row_key(self.programme, self.partner, PARTICIPANTS, self.participant)


def pause(
    line: int, raw: list[str], report: Callable[[str, str], None], programmes: Mapping[str, Programme]
) -> PauseRow | None:
    """The row, its partner still blank, or None after reporting every bad cell."""
    cells = Cells(PAUSES, raw, report)
    who, key, programme = person_of(cells, programmes)
    span = cells.step_span(programme)
    if not cells.ok or who is None or key is None or span is None:
        return None
    return PauseRow(line, who, key, "", *span, 0)
