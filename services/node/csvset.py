"""Checks a set of CSV files by itself, before any service hears of it, and hands out this node's rows.

The files are read twice: `check_set` reads all and keeps only what references need; the iterators of `CheckedSet` read
again, so that no set is too big for memory. Whatever is wrong is a `SetProblem` with file, line and column; nothing
here raises for what a file holds. Names, codes and references of people never stand in a message.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from services.node import (
    csvassessments,
    csvcells,
    csvencounters,
    csvexits,
    csvinformed,
    csvpeople,
    csvplans,
)
from services.node.csvexits import ExitRow, FollowUpRow
from services.node.csvforms import ExitFormRow
from services.node.csvfound import READERS, CheckedSet, Parent, PersonRow, Row, Seen, SetChanged, SetProblem
from services.node.csvinformed import InformedRow
from services.node.csvpeople import StartRow
from services.node.csvread import Unreadable, records, stamp_of
from services.node.csvrows import (
    ASSESSMENTS,
    ATTENDANCE,
    COLUMNS,
    CONTACTS,
    ENCOUNTERS,
    EXIT_FORMS,
    FOLLOWUPS,
    INFORMED,
    OPTIONAL,
    ORDER,
    PARTICIPANTS,
    PLANS,
    SESSIONS,
    STARTS,
    AssessmentRow,
    AttendanceRow,
    ParticipantRow,
    SessionRow,
    row_key,
)
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


_LEVEL: dict[str, int] = {standing: level for level, standing in enumerate(STANDINGS)}


def check_set(
    folder: Path, programmes: Mapping[str, Programme], partner_of: Mapping[str, str] | None = None
) -> CheckedSet:
    """Check the CSV files in `folder` against each other and against the programmes (by key).

    `partner_of` tells by programme which partner this node is: other partners' rows are checked, counted and left out.
    None: every row is this node's.
    """
    return _Check(Path(folder), programmes, partner_of).run()


class _Check:
    """The first reading: files in `ORDER`, each row by itself and then against what stands before it."""

    def __init__(self, folder: Path, programmes: Mapping[str, Programme], partner_of: Mapping[str, str] | None) -> None:
        self.found = CheckedSet(folder, _programmes=programmes, _partner_of=partner_of)
        self.folder, self.programmes = folder, programmes
        self.seen: dict[str, Seen] = {PARTICIPANTS: self.found._people, SESSIONS: self.found._sessions}
        self.seen[ENCOUNTERS] = {}
        self.readable: dict[str, bool] = {}
        self.shared: dict[Parent, Parent] = {}
        self.only: dict[tuple[str, str], int] = {}  # of files in which a person has one row: by file and person
        self.file = ""

    def run(self) -> CheckedSet:
        present = self.files()
        checks = {
            **dict.fromkeys(READERS, self.check_of_people),
            PARTICIPANTS: self.check_participants,
            SESSIONS: self.check_sessions,
            ATTENDANCE: self.check_attendance,
            ASSESSMENTS: self.check_assessments,
            ENCOUNTERS: self.check_encounters,
            PLANS: self.check_plans,
        }
        for file in ORDER:
            if file not in present:
                continue
            self.file = file
            stamp = stamp_of(self.folder / file)
            if stamp:
                self.found._stamps[file] = stamp
            try:
                checks[file]()
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
        needed |= {PARTICIPANTS} if present & {*READERS, PLANS} else set()
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
            row = csvpeople.participant(line, cells, self.reporter(line), self.programmes)
            parent = None
            if row:
                known = row.start_date, row.protected_address == "yes"
                parent = Parent(row.programme, row.partner, _LEVEL[row.standing], -1, False, None, *known)
            self.add(line, cells, parent)

    def check_sessions(self) -> None:
        for line, cells in self.records():
            row = csvcells.session(line, cells, self.reporter(line), self.programmes)
            parent = None
            if row:
                activity = self.programmes[row.programme].activity_by_key[row.activity]
                asked, heads = _LEVEL[activity.standing], activity.counts == "heads"
                parent = Parent(row.programme, row.partner, -1, asked, heads, row.minutes, row.date)
            self.add(line, cells, parent)

    def check_encounters(self) -> None:
        for line, cells in self.records():
            row = csvencounters.encounter(line, cells, self.reporter(line), self.programmes)
            parent = Parent(row.programme, row.partner, -1, -1, True, None, row.date) if row else None
            self.add(line, cells, parent)

    def reporter(self, line: int) -> Callable[[str, str], None]:
        return lambda column, reason: self.problem(line, column, reason)

    def add(self, line: int, cells: list[str], parent: Parent | None) -> None:
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

    def check_of_people(self) -> None:
        read = READERS[self.file]
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
            elif reason := self.misfit(row, who[2], cells):
                self.problem(line, *reason)
            else:
                if isinstance(row, StartRow):  # whoever was a client is a participant with it
                    now = who[2]._replace(standing=_LEVEL["esf_participant"], day=row.start_date)
                    known = self.seen[PARTICIPANTS]
                    known[row.participant] = (who[0], who[1], self.shared.setdefault(now, now))
                self.count(who[2].programme, who[2].partner)

    def check_plans(self) -> None:
        """A plan is taken whole: one bad row spoils it; one that cannot be read is of nobody knows whom."""
        rows: dict[str, list[csvplans.PlanLine]] = defaultdict(list)
        lines: dict[str, list[int]] = defaultdict(list)
        spoiled, told, before = set[str](), 0, self.found.problem_count
        for line, cells in self.records():
            known = self.found.problem_count
            row = csvplans.plan_line(line, cells, self.reporter(line), self.programmes)
            who = self.refer(line, "participant", PARTICIPANTS, row.participant) if row else None
            if row and who and who[2] and who[2].programme != row.programme:
                self.problem(line, "programme", "is not the person's")
            told += self.found.problem_count - known
            lines[cells[0]].append(line)
            if row and who and who[2] and self.found.problem_count == known:
                rows[cells[0]].append(row)
            else:
                spoiled.add(cells[0])
                self.found.dependent[self.file] += self.found.problem_count == known
        unreadable = self.found.problem_count - before > told
        for participant, theirs in lines.items():
            if participant not in spoiled and (flaw := csvplans.flaw(rows[participant])):
                self.problem(*flaw)
                spoiled.add(participant)
            parent = self.seen[PARTICIPANTS].get(participant, (0, 0, None))[2]
            if parent is None or unreadable or participant in spoiled:
                self.found._skip[self.file].update(theirs)
            else:
                self.count(parent.programme, parent.partner)

    def misfit(self, row: PersonRow, who: Parent, cells: list[str]) -> tuple[str, str] | None:
        """Column and reason of what cannot be of this person, each cell right by itself."""
        if isinstance(row, ExitRow):
            of = who.day, who.standing == _LEVEL["client"]
            if reason := csvexits.not_of(row, *of, self.programmes[row.programme]):
                return reason
        if self.file in (FOLLOWUPS, EXIT_FORMS) and who.day is None:
            return "participant", "has no start_date: there is nothing to leave"
        if isinstance(row, ExitRow | FollowUpRow) and who.day and row.date < who.day:
            return "date", "is before the person's start_date"
        if isinstance(row, ExitFormRow) and who.day and row.signed_on and row.signed_on < who.day:
            return "form_signed_on", "is before the person's start_date"
        if isinstance(row, StartRow) and who.day not in (None, row.start_date):
            return "start_date", "is another day than in participants.csv"
        if self.file == CONTACTS and who.protected:
            return "participant", "has a protected address: how they are reached is left out"
        if self.file in (CONTACTS, STARTS, EXIT_FORMS) and not self.only_row(cells):
            return "participant", "stands in another row already, which differs"
        return None

    def only_row(self, cells: list[str]) -> bool:
        """Whether no other row is about this person that differs: nobody would know which of them holds."""
        content = hash(tuple(cells))
        return self.only.setdefault((self.file, cells[0]), content) == content

    def refer(self, line: int, column: str, file: str, ref: str) -> tuple[int, int, Parent | None] | None:
        parent = self.seen[file].get(ref)
        # A file that could not be read to its end has been reported; its rows are not missing.
        if parent is None and self.readable.get(file, True):
            has = f"no row of {file} has this ref" if file in self.readable else f"the set has no {file}"
            self.problem(line, column, has)
        return parent

    def fits(self, line: int, row: tuple[str, str, str, int | None], at: Parent, who: Parent) -> bool:
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
