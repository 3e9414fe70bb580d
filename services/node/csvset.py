"""Checks a set of CSV files by itself, before any service hears of it, and hands out this node's rows.

The files are read twice: `check_set` reads all and keeps only what references need; the iterators of `CheckedSet` read
again, so that no set is too big for memory. Whatever is wrong is a `SetProblem` with file, line and column; nothing
here raises for what a file holds. Names, codes and references of people never stand in a message.
"""

import os
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
    csvinformed,
    csvpauses,
    csvworkers,
)
from services.node.csvcontacts import ContactRow
from services.node.csvencounters import EncounterRow
from services.node.csvexits import ExitRow, FollowUpRow
from services.node.csvinformed import InformedRow
from services.node.csvpauses import PauseRow
from services.node.csvread import Unreadable, records, stamp_of
from services.node.csvrows import (
    ASSESSMENTS,
    ATTENDANCE,
    COLUMNS,
    CONTACTS,
    ENCOUNTERS,
    EXITS,
    FOLLOWUPS,
    INFORMED,
    OPTIONAL,
    ORDER,
    OUTCOMES,
    PARTICIPANTS,
    PAUSES,
    SESSIONS,
    STEPS,
    WORKERS,
    AssessmentRow,
    AttendanceRow,
    OutcomeRow,
    ParticipantRow,
    SessionRow,
    StepRow,
    row_digest,
    row_key,
)
from services.node.csvworkers import WorkerRow
from shared.contracts.errors import PolkuError
from shared.programmes import Programme
from shared.programmes.model import STANDINGS

__all__ = [
    "ORDER",
    "AssessmentRow",
    "AttendanceRow",
    "CheckedSet",
    "ParticipantRow",
    "Row",
    "SessionRow",
    "SetChanged",
    "SetProblem",
    "check_set",
    "row_key",
]

CORE = (PARTICIPANTS, SESSIONS, ATTENDANCE)
"""What a set is without which it is none."""

SHOWN_PROBLEMS = 100  # so many are kept to be shown; the rest is only counted


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


class _Parent(NamedTuple):
    """What other files need of a row they refer to. Equal ones are one object, so 100,000 rows share a few."""

    programme: str
    partner: str
    standing: int  # of a person; -1 for a session
    asked: int  # standing a session asks of participants; -1 for a person
    heads: bool
    minutes: int | None
    day: date | None = None  # a session's day, a person's start
    protected: bool = False


_LEVEL: dict[str, int] = {standing: level for level, standing in enumerate(STANDINGS)}

Row = (
    ParticipantRow
    | SessionRow
    | AttendanceRow
    | AssessmentRow
    | StepRow
    | PauseRow
    | OutcomeRow
    | ExitRow
    | FollowUpRow
    | EncounterRow
    | WorkerRow
    | ContactRow
    | InformedRow
)

_OfPerson = TypeVar(
    "_OfPerson", StepRow, PauseRow, OutcomeRow, ExitRow, FollowUpRow, WorkerRow, ContactRow, InformedRow
)
_Read = Callable[[int, list[str], Callable[[str, str], None], Mapping[str, Programme]], _OfPerson | None]

_Seen = dict[str, tuple[int, int, _Parent | None]]  # by ref: number, hash of the cells, None if the row is bad


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
    """Rows by file that the iterators give; of assessments.csv, forms."""
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
    _sessions: _Seen = field(default_factory=dict, repr=False)
    _forms: csvassessments.Forms = field(default_factory=csvassessments.Forms, repr=False)
    _people: _Seen = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        return self.problem_count == 0

    def problem_lines(self) -> list[str]:
        """The problems as people read them, at most `SHOWN_PROBLEMS` and how many more there are."""
        more = self.problem_count - len(self.problems)
        return [*map(str, self.problems), *([f"and {more} more"] if more else [])]

    def participants(self) -> Iterator[ParticipantRow]:
        for line, cells in self._again(PARTICIPANTS):
            row = csvcells.participant(line, cells, _unexpected(PARTICIPANTS), self._programmes)
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

    def steps(self) -> Iterator[StepRow]:
        yield from self._of_people(STEPS, csvcells.step)

    def pauses(self) -> Iterator[PauseRow]:
        yield from self._of_people(PAUSES, csvpauses.pause)

    def outcomes(self) -> Iterator[OutcomeRow]:
        yield from self._of_people(OUTCOMES, csvcells.outcome)

    def exits(self) -> Iterator[ExitRow]:
        yield from self._of_people(EXITS, csvexits.leaving)

    def followups(self) -> Iterator[FollowUpRow]:
        yield from self._of_people(FOLLOWUPS, csvexits.followup)

    def encounters(self) -> Iterator[EncounterRow]:
        for line, cells in self._again(ENCOUNTERS):
            row = csvencounters.encounter(line, cells, _unexpected(ENCOUNTERS), self._programmes)
            if row and self._own(row.programme, row.partner):
                yield row

    def workers(self) -> Iterator[WorkerRow]:
        yield from self._of_people(WORKERS, csvworkers.worker)

    def contacts(self) -> Iterator[ContactRow]:
        yield from self._of_people(CONTACTS, csvcontacts.contact)

    def informed(self) -> Iterator[InformedRow]:
        yield from self._of_people(INFORMED, csvinformed.informed)

    def _of_people(self, file: str, read: _Read[_OfPerson]) -> Iterator[_OfPerson]:
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
        by_file: dict[str, Callable[[], Iterator[Row]]] = {
            PARTICIPANTS: self.participants,
            SESSIONS: self.sessions,
            ATTENDANCE: self.attendance,
            ASSESSMENTS: self.assessments,
            STEPS: self.steps,
            PAUSES: self.pauses,
            OUTCOMES: self.outcomes,
            EXITS: self.exits,
            FOLLOWUPS: self.followups,
            ENCOUNTERS: self.encounters,
            WORKERS: self.workers,
            CONTACTS: self.contacts,
            INFORMED: self.informed,
        }
        return by_file[file]()

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


def check_set(
    folder: Path, programmes: Mapping[str, Programme], partner_of: Mapping[str, str] | None = None
) -> CheckedSet:
    """Check the CSV files in `folder` against each other and against the programmes (by key).

    `partner_of` tells by programme which partner this node is: other partners' rows are checked, counted and left out.
    None: every row is this node's.
    """
    return _Check(Path(folder), programmes, partner_of).run()


def _unexpected(file: str) -> Callable[[str, str], None]:
    def report(column: str, reason: str) -> None:
        raise SetChanged(file=file)

    return report


class _Check:
    """The first reading: files in `ORDER`, each row by itself and then against what stands before it."""

    def __init__(self, folder: Path, programmes: Mapping[str, Programme], partner_of: Mapping[str, str] | None) -> None:
        self.found = CheckedSet(folder, _programmes=programmes, _partner_of=partner_of)
        self.folder, self.programmes = folder, programmes
        self.seen: dict[str, _Seen] = {PARTICIPANTS: self.found._people, SESSIONS: self.found._sessions}
        self.seen[ENCOUNTERS] = {}
        self.readable: dict[str, bool] = {}
        self.shared: dict[_Parent, _Parent] = {}
        self.reached: dict[str, int] = {}  # of contacts.csv: each person's row
        self.file = ""

    def run(self) -> CheckedSet:
        present = self.files()
        for file, check in (
            (PARTICIPANTS, self.check_participants),
            (SESSIONS, self.check_sessions),
            (ATTENDANCE, self.check_attendance),
            (ASSESSMENTS, self.check_assessments),
            (STEPS, lambda: self.check_of_people(csvcells.step)),
            (PAUSES, lambda: self.check_of_people(csvpauses.pause)),
            (OUTCOMES, lambda: self.check_of_people(csvcells.outcome)),
            (EXITS, lambda: self.check_of_people(csvexits.leaving)),
            (FOLLOWUPS, lambda: self.check_of_people(csvexits.followup)),
            (ENCOUNTERS, self.check_encounters),
            (WORKERS, lambda: self.check_of_people(csvworkers.worker)),
            (CONTACTS, lambda: self.check_of_people(csvcontacts.contact)),
            (INFORMED, lambda: self.check_of_people(csvinformed.informed)),
        ):
            if file not in present:
                continue
            self.file = file
            stamp = stamp_of(self.folder / file)
            if stamp:
                self.found._stamps[file] = stamp
            try:
                check()
                self.readable[file] = True
            except Unreadable:
                self.readable[file] = self.found.usable = False
        return self.found

    def files(self) -> set[str]:
        """Which files of the set there are; whatever else ends in .csv is a problem."""
        try:
            names = {entry.name for entry in os.scandir(self.folder)}
        except OSError as error:
            self.problem(0, "", f"the folder cannot be read: {error.strerror}", file=str(self.folder))
            self.found.usable = False
            return set()
        for name in sorted(names):
            if name.lower().endswith(".csv") and name not in ORDER:
                self.problem(0, "", f"is no file of a set; this release knows {', '.join(ORDER)}", file=name)
        present = names & set(ORDER)
        needed = {PARTICIPANTS, SESSIONS} if ATTENDANCE in present else set()
        of_people = {STEPS, PAUSES, OUTCOMES, EXITS, FOLLOWUPS, WORKERS, CONTACTS, INFORMED}
        needed |= {PARTICIPANTS} if present & of_people else set()
        if not present:
            needed = set(CORE)
        for file in ORDER:
            if file in needed - present:
                self.problem(0, "", "the file is missing", file=file)
                self.readable[file] = self.found.usable = False
        return present

    def problem(self, line: int, column: str, reason: str, *, file: str | None = None) -> None:
        found, file = self.found, file or self.file
        found.problem_count += 1
        if len(found.problems) < SHOWN_PROBLEMS:
            found.problems.append(SetProblem(file, line, column, reason))
        if line and file in found._skip:
            found._skip[file].add(line)

    def records(self) -> Iterator[tuple[int, list[str]]]:
        path, optional = self.folder / self.file, OPTIONAL.get(self.file, ())
        return records(path, COLUMNS[self.file], self.problem, optional)

    def check_participants(self) -> None:
        for line, cells in self.records():
            row = csvcells.participant(line, cells, self.reporter(line), self.programmes)
            parent = None
            if row:
                known = row.start_date, row.protected_address == "yes"
                parent = _Parent(row.programme, row.partner, _LEVEL[row.standing], -1, False, None, *known)
            self.add(line, cells, parent)

    def check_sessions(self) -> None:
        for line, cells in self.records():
            row = csvcells.session(line, cells, self.reporter(line), self.programmes)
            parent = None
            if row:
                activity = self.programmes[row.programme].activity_by_key[row.activity]
                asked, heads = _LEVEL[activity.standing], activity.counts == "heads"
                parent = _Parent(row.programme, row.partner, -1, asked, heads, row.minutes, row.date)
            self.add(line, cells, parent)

    def check_encounters(self) -> None:
        for line, cells in self.records():
            row = csvencounters.encounter(line, cells, self.reporter(line), self.programmes)
            parent = _Parent(row.programme, row.partner, -1, -1, True, None, row.date) if row else None
            self.add(line, cells, parent)

    def reporter(self, line: int) -> Callable[[str, str], None]:
        return lambda column, reason: self.problem(line, column, reason)

    def add(self, line: int, cells: list[str], parent: _Parent | None) -> None:
        """Enter a row under its ref (the first cell) and count it, unless the ref stands there already."""
        seen, ref, content = self.seen[self.file], cells[0], hash(tuple(cells))
        if not ref:
            return
        if ref in seen:
            if seen[ref][1] != content:
                self.problem(line, "ref", "stands in another row already, which differs")
            elif parent:
                self.repeat(line)
            return
        if parent:
            parent = self.shared.setdefault(parent, parent)
            self.count(parent.programme, parent.partner)
        seen[ref] = (len(seen), content, parent)

    def repeat(self, line: int) -> None:
        self.found.repeated[self.file] += 1
        self.found._skip[self.file].add(line)

    def count(self, programme: str, partner: str) -> None:
        found = self.found
        if found._own(programme, partner):
            found.taken[self.file] += 1
        else:
            found.left_out.setdefault((programme, partner), Counter())[self.file] += 1

    def check_attendance(self) -> None:
        pairs: dict[int, int] = {}  # session's and person's numbers in one integer, to the hash of the cells
        for line, cells in self.records():
            row = csvcells.attendance(cells, self.reporter(line))
            if row is None:
                continue
            at = self.refer(line, "session", SESSIONS, row[0])
            who = self.refer(line, "participant", PARTICIPANTS, row[1])
            if at is None or who is None:
                continue
            pair, content = at[0] << 32 | who[0], hash(tuple(cells))
            if pair in pairs:
                if pairs[pair] != content:
                    self.problem(line, "participant", "stands at this session in another row already, which differs")
                else:
                    self.repeat(line)
                continue
            pairs[pair] = content
            if at[2] is None or who[2] is None:
                self.found.dependent[self.file] += 1
                self.found._skip[self.file].add(line)
            elif self.fits(line, row, at[2], who[2]):
                self.count(at[2].programme, at[2].partner)

    def check_of_people(self, read: _Read[_OfPerson]) -> None:
        for line, cells in self.records():
            row = read(line, cells, self.reporter(line), self.programmes)
            named = "ref" if self.file == INFORMED else "participant"
            who = self.refer(line, named, PARTICIPANTS, row.participant) if row else None
            if row is None or who is None:
                continue
            if who[2] is None:
                self.found.dependent[self.file] += 1
                self.found._skip[self.file].add(line)
            elif isinstance(row, InformedRow):  # it names no programme
                if purpose := csvinformed.no_consent(row, self.programmes[who[2].programme]):
                    self.problem(line, "consents", f"{purpose} is no matter of consent")
                else:
                    self.count(who[2].programme, who[2].partner)
            elif who[2].programme != row.programme:
                self.problem(line, "programme", "is not the person's")
            elif self.file in (EXITS, FOLLOWUPS) and who[2].day is None:
                self.problem(line, "participant", "has no start_date: there is nothing to leave")
            elif isinstance(row, ExitRow | FollowUpRow) and who[2].day and row.date < who[2].day:
                self.problem(line, "date", "is before the person's start_date")
            elif self.file == CONTACTS and who[2].protected:
                self.problem(line, "participant", "has a protected address: how they are reached is left out")
            elif self.file == CONTACTS and not self.first_row(row.participant, cells):
                self.problem(line, "participant", "stands in another row already, which differs")
            else:
                self.count(who[2].programme, who[2].partner)

    def first_row(self, participant: str, cells: list[str]) -> bool:
        """Whether no other row is about this person that differs: nobody would know which of them holds."""
        content = hash(tuple(cells))
        return self.reached.setdefault(participant, content) == content

    def refer(self, line: int, column: str, file: str, ref: str) -> tuple[int, int, _Parent | None] | None:
        parent = self.seen[file].get(ref)
        # A file that could not be read to its end has been reported; its rows are not missing.
        if parent is None and self.readable.get(file, True):
            has = f"no row of {file} has this ref" if file in self.readable else f"the set has no {file}"
            self.problem(line, column, has)
        return parent

    def fits(self, line: int, row: tuple[str, str, str, int | None], at: _Parent, who: _Parent) -> bool:
        """Whether this person can have been at this session."""
        before = self.found.problem_count
        if at.programme != who.programme:
            self.problem(line, "participant", "belongs to another programme than the session")
        elif at.partner != who.partner:
            self.problem(line, "participant", "belongs to another partner than the session")
        if at.heads:
            self.problem(line, "session", "its activity counts heads: people are not recorded there")
        elif row[2] == "participant" and who.standing < at.asked:
            self.problem(line, "participant", f"the activity asks the standing {STANDINGS[at.asked]} at least")
        if row[3] is not None and at.minutes is not None and row[3] > at.minutes:
            self.problem(line, "minutes", f"{row[3]} is more than the session's {at.minutes}")
        return self.found.problem_count == before

    def check_assessments(self) -> None:
        forms = self.found._forms
        for line, cells in records(self.folder / self.file, COLUMNS[self.file], forms.reporting(self.problem)):
            before = self.found.problem_count
            row = csvassessments.answer(cells, self.reporter(line))
            if row is None or not self.measured(line, row) or self.found.problem_count != before:
                forms.spoil(cells)
        for programme, partner in forms.whole():
            self.count(programme, partner)

    def measured(self, line: int, row: csvassessments.Answer) -> bool:
        """Enter an answer under its form; False if it refers to a row that is bad or not there."""
        parents: list[csvassessments.Parent | None] = []
        for column, file, ref in (("participant", PARTICIPANTS, row.participant), ("session", SESSIONS, row.session)):
            _, _, found = (self.refer(line, column, file, ref) if ref else None) or (0, 0, None)
            if ref and not found:
                self.found.dependent[self.file] += line not in self.found._skip[self.file]
                self.found._skip[self.file].add(line)
                return False
            parents.append(found and csvassessments.Parent(found.programme, found.partner, found.day))
        if not self.found._forms.take(line, row, (parents[0], parents[1]), self.programmes, self.reporter(line)):
            self.repeat(line)
        return True
