"""What a node says of times on steps that were none: which of its earlier lines it takes back."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from services.reporting import mistake_store
from shared.contracts.facts import Fact

Said = tuple[bytes, str, str, date]
"""Subject, step, what happened, and on which day."""

_WHAT = {"entered_on": "entered", "left_on": "left", "paused_on": "paused", "resumed_on": "resumed"}
"""What happened on the day of each member of the facts."""


def named(fact: Fact) -> Iterator[tuple[str, date]]:
    """What `StepRemoved` or `PauseRemoved` takes back: what happened, and on which day."""
    for member, what in _WHAT.items():
        if member in fact.members and fact[member]:
            yield what, date.fromisoformat(fact[member])


@dataclass(slots=True)
class Lines:
    """The numbers of the lines that say the same of steps: those up to line `after` as the derived table has them,
    later ones as they are added. The table may have some of these already, or none."""

    connection: Connection
    stream: str
    after: int
    _lines: dict[Said, list[int]] = field(default_factory=lambda: defaultdict(list))
    _read: set[bytes] = field(default_factory=set)
    """The people whose rows have been read, all at once: a removal may name somebody with thousands."""

    def add(self, seq: int, said: Said) -> None:
        """Line `seq` says so."""
        self._lines[said].append(seq)

    def take_back(self, said: Said) -> int | None:
        """The line that says so no more: of equal ones the last. None if there is none: it may have been refused, and
        then there is nothing to undo."""
        if said[0] not in self._read:
            self._read.add(said[0])
            earlier = defaultdict[Said, list[int]](list)
            for key, what, day, seq in mistake_store.steps_of(self.connection, self.stream, said[0], self.after):
                earlier[said[0], key, what, day].append(seq)
            for same, lines in earlier.items():
                self._lines[same][:0] = lines
        lines = self._lines[said]
        return lines.pop() if lines else None
