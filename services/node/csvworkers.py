"""workers.csv: who works with whom."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.node.csvcells import Cells, person_of
from services.node.csvrows import WORKERS, OfPerson, row_key
from shared.programmes import Programme

_NAME = re.compile(r"[a-zåäö0-9][a-zåäö0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True)
class WorkerRow(OfPerson):
    """One person's worker, a user of the home's portal; the partner is the person's. `before`: how many equal rows
    stand before it."""

    line: int
    participant: str
    programme: str
    partner: str
    worker: str
    before: int

    def __repr__(self) -> str:
        return f"<WorkerRow of line {self.line}>"

    @property
    def key(self) -> str:
        return row_key(self.programme, self.partner, WORKERS, self.participant, self.worker, str(self.before))


def worker(
    line: int, raw: list[str], report: Callable[[str, str], None], programmes: Mapping[str, Programme]
) -> WorkerRow | None:
    """The row, its partner still blank, or None after reporting every bad cell."""
    cells = Cells(WORKERS, raw, report)
    who, key, _ = person_of(cells, programmes)
    name = cells.text("worker", needed=True)
    if name is not None and not _NAME.fullmatch(name):
        cells.bad("worker", "is no name of a user", name)
    if not cells.ok or who is None or key is None or name is None:
        return None
    return WorkerRow(line, who, key, "", name, 0)
