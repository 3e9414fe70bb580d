"""What can be wrong with a programme file, and the error that carries it."""

from collections.abc import Sequence
from typing import Any

from shared.contracts.errors import InvalidProgramme
from shared.documents.problems import Problem

__all__ = ["InvalidProgramme", "Problem", "ProgrammeRefused"]


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
