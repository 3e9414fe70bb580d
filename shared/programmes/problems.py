"""What can be wrong with a programme file, and the error that carries it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.contracts.errors import InvalidProgramme

__all__ = ["InvalidProgramme", "Problem", "ProgrammeRefused"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend. `line` counts from 1; 0 for a document that did not come from a file.

    `path` says where in words of the schema (`activities[2].group`); empty for the file as a whole.
    """

    line: int
    path: str
    reason: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.path}: {self.reason}" if self.path else f"{where}{self.reason}"


class ProgrammeRefused(InvalidProgramme):
    """The programme file has {count} problem(s); first: line {line}: {reason}

    Carries every problem in `problems`. Over the wire it becomes a plain `InvalidProgramme`.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        first = self.problems[0]
        reason = f"{first.path}: {first.reason}" if first.path else first.reason
        super().__init__(count=len(self.problems), line=first.line, reason=reason)

    def to_wire(self) -> dict[str, Any]:
        """The JSON form of the base class, which every process knows."""
        return InvalidProgramme(**self.params).to_wire()
