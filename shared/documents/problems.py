"""What can be wrong with a file that people write."""

from dataclasses import dataclass


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
