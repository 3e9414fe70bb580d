"""What was found in a set that was checked by `csvset`, and its rows, read once more: no set is too big for memory."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple, TypeVar

from services.node import (
    csvassessments,
    csvcells,
    csvcontacts,
    csvencounters,
    csvexits,
    csvforms,
    csvinformed,
    csvpeople,
    csvplans,
    csvspans,
    csvworkers,
)
from services.node.csvcontacts import ContactRow
from services.node.csvencounters import EncounterRow
from services.node.csvexits import ExitRow, FollowUpRow
from services.node.csvforms import AttemptRow, ExitFormRow
from services.node.csvinformed import InformedRow
from services.node.csvpeople import StartRow
from services.node.csvplans import PlanLine, PlanRow
from services.node.csvread import records, stamp_of
from services.node.csvrows import (
    ASSESSMENTS,
    ATTEMPTS,
    ATTENDANCE,
    COLUMNS,
    CONTACTS,
    ENCOUNTERS,
    EXIT_FORMS,
    EXITS,
    FOLLOWUPS,
    INFORMED,
    OPTIONAL,
    ORDER,
    OUTCOMES,
    PARTICIPANTS,
    PAUSES,
    PLANS,
    SESSIONS,
    STARTS,
    STEPS,
    WORKERS,
    AssessmentRow,
    AttendanceRow,
    OutcomeRow,
    ParticipantRow,
    SessionRow,
    row_digest,
)
from services.node.csvspans import SpanRow
from services.node.csvworkers import WorkerRow
from shared.contracts.errors import PolkuError
from shared.programmes import Programme


class SetChanged(PolkuError):
    """{file} was changed after it had been checked; import again."""


@dataclass(frozen=True, slots=True)
class SetProblem:
    """One thing to mend. `line` counts from 1 (0: the file or folder itself), `column` may be empty."""

    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        parts = [self.file]
        if self.line:
            parts.append(f"line {self.line}")
        if self.column:
            parts.append(f"column {self.column}")
        return f"{', '.join(parts)}: {self.reason}"


class Parent(NamedTuple):
    """What other files need of a row they refer to. Equal ones are one object, so 100,000 rows share a few."""

    programme: str
    partner: str
    standing: int  # of a person; -1 for a session
    asked: int  # standing a session asks of participants; -1 for a person
    heads: bool
    minutes: int | None
    day: date | None = None  # a session's day, a person's start
    protected: bool = False


Row = (
    ParticipantRow
    | SessionRow
    | AttendanceRow
    | AssessmentRow
    | SpanRow
    | OutcomeRow
    | ExitRow
    | FollowUpRow
    | EncounterRow
    | WorkerRow
    | ContactRow
    | InformedRow
    | StartRow
    | ExitFormRow
    | AttemptRow
    | PlanRow
)

PersonRow = (
    SpanRow
    | OutcomeRow
    | ExitRow
    | FollowUpRow
    | WorkerRow
    | ContactRow
    | InformedRow
    | StartRow
    | ExitFormRow
    | AttemptRow
)
OfPerson = TypeVar("OfPerson", bound=PersonRow | PlanLine)
Read = Callable[[int, list[str], Callable[[str, str], None], Mapping[str, Programme]], OfPerson | None]

READERS: Mapping[str, Read[PersonRow]] = {
    STARTS: csvpeople.started,
    STEPS: csvspans.step,
    PAUSES: csvspans.pause,
    OUTCOMES: csvcells.outcome,
    EXITS: csvexits.leaving,
    FOLLOWUPS: csvexits.followup,
    WORKERS: csvworkers.worker,
    CONTACTS: csvcontacts.contact,
    INFORMED: csvinformed.informed,
    EXIT_FORMS: csvforms.exit_form,
    ATTEMPTS: csvforms.attempt,
}
"""Of each file that has a row for something about one person: what reads a row."""

Seen = dict[str, tuple[int, int, Parent | None]]  # by ref: number, hash of the cells, None if the row is bad


@dataclass
class CheckedSet:
    """What was found. With `problem_count` 0 every row may be imported; `ORDER` is the order to do it in.

    The iterators give rows of this node's own partner, each identity once. With problems they give the good rows whose
    references are good too (for `--skip-bad`), unless `usable` is False: then a whole file could not be read.
    """

    folder: Path
    problems: list[SetProblem] = field(default_factory=list)
    problem_count: int = 0
    usable: bool = True
    taken: Counter[str] = field(default_factory=Counter)
    """Rows by file that the iterators give; of assessments.csv, forms; of plans.csv, plans."""
    repeated: Counter[str] = field(default_factory=Counter)
    """Equal rows by file that stand a second time and are passed over."""
    dependent: Counter[str] = field(default_factory=Counter)
    """Rows by file that are good but refer to a bad one, and are passed over with it."""
    left_out: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    """Rows (forms) of other partners: (programme, partner) to rows by file."""
    _stamps: dict[str, tuple[int, int, int]] = field(default_factory=dict, repr=False)
    _skip: dict[str, set[int]] = field(default_factory=lambda: {file: set() for file in ORDER}, repr=False)
    _programmes: Mapping[str, Programme] = field(default_factory=dict, repr=False)
    _partner_of: Mapping[str, str] | None = field(default=None, repr=False)
    _sessions: Seen = field(default_factory=dict, repr=False)
    _forms: csvassessments.Forms = field(default_factory=csvassessments.Forms, repr=False)
    _people: Seen = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        return self.problem_count == 0

    def problem_lines(self) -> list[str]:
        """The problems as people read them, at most `SHOWN_PROBLEMS` and how many more there are."""
        more = self.problem_count - len(self.problems)
        return [*map(str, self.problems), *([f"and {more} more"] if more else [])]

    def participants(self) -> Iterator[ParticipantRow]:
        for line, cells in self._again(PARTICIPANTS):
            row = csvpeople.participant(line, cells, _unexpected(PARTICIPANTS), self._programmes)
            if row and self._own(row.programme, row.partner):
                yield row

    def sessions(self) -> Iterator[SessionRow]:
        for line, cells in self._again(SESSIONS):
            row = csvcells.session(line, cells, _unexpected(SESSIONS), self._programmes)
            if row and self._own(row.programme, row.partner):
                yield row

    def attendance(self) -> Iterator[AttendanceRow]:
        for line, cells in self._again(ATTENDANCE):
            row = csvcells.attendance(cells, _unexpected(ATTENDANCE))
            held = self._sessions[row[0]][2] if row and row[0] in self._sessions else None
            if row is None or held is None:
                raise SetChanged(file=ATTENDANCE)
            if self._own(held.programme, held.partner):
                yield AttendanceRow(line, row_digest(cells), row[0], row[1], held.programme, held.partner, *row[2:])

    def assessments(self) -> Iterator[AssessmentRow]:
        yield from self._forms.gather(self._again(ASSESSMENTS), self._own, _unexpected(ASSESSMENTS))

    def encounters(self) -> Iterator[EncounterRow]:
        for line, cells in self._again(ENCOUNTERS):
            row = csvencounters.encounter(line, cells, _unexpected(ENCOUNTERS), self._programmes)
            if row and self._own(row.programme, row.partner):
                yield row

    def plans(self) -> Iterator[PlanRow]:
        yield from csvplans.gathered(self._of_people(PLANS, csvplans.plan_line))

    def _of_people(self, file: str, read: Read[OfPerson]) -> Iterator[OfPerson]:
        """Rows whose identity is their content: equal ones are numbered."""
        times = Counter[int]()
        for line, cells in self._again(file):
            row = read(line, cells, _unexpected(file), self._programmes)
            who = self._people[row.participant][2] if row and row.participant in self._people else None
            if row is None or who is None:
                raise SetChanged(file=file)
            content = hash(tuple(cells))
            if self._own(who.programme, who.partner):
                yield replace(row, programme=who.programme, partner=who.partner, before=times[content])
            times[content] += 1

    def rows(self, file: str) -> Iterator[Row]:
        """The rows of one of the files in `ORDER`."""
        others: dict[str, Callable[[], Iterator[Row]]] = {
            PARTICIPANTS: self.participants,
            SESSIONS: self.sessions,
            ATTENDANCE: self.attendance,
            ASSESSMENTS: self.assessments,
            ENCOUNTERS: self.encounters,
            PLANS: self.plans,
        }
        if file in others:
            return others[file]()
        rows: Iterator[PersonRow] = self._of_people(file, READERS[file])
        return rows

    def _own(self, programme: str, partner: str) -> bool:
        return self._partner_of is None or self._partner_of.get(programme) == partner

    def _again(self, file: str) -> Iterator[tuple[int, list[str]]]:
        """The good records of a file, read once more. Raises `SetChanged` if it is not the file that was checked."""
        if not self.usable or file not in self._stamps:
            return
        path, skip = self.folder / file, self._skip[file]

        def report(line: int, column: str, reason: str) -> None:
            if line not in skip:
                raise SetChanged(file=file)

        if stamp_of(path) != self._stamps[file]:
            raise SetChanged(file=file)
        for line, cells in records(path, COLUMNS[file], report, OPTIONAL.get(file, ())):
            if line not in skip:
                yield line, cells
        if stamp_of(path) != self._stamps[file]:
            raise SetChanged(file=file)


def _unexpected(file: str) -> Callable[[str, str], None]:
    def report(column: str, reason: str) -> None:
        raise SetChanged(file=file)

    return report
