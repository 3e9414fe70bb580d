"""In which order exits, returns and follow-ups are imported, of people who left more than once or came back.

Whoever came back did so before the steps that they are on now, and who was asked after one exit was so before they came
back or left again. Almost everybody leaves once: their rows are sent as they stand in the files, and none is kept here.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TypeVar

from services.node.csvexits import ExitRow, FollowUpRow
from services.node.csvrows import EXITS, FOLLOWUPS
from services.node.csvset import CheckedSet

_One = TypeVar("_One")
_Leaver = TypeVar("_Leaver", ExitRow, FollowUpRow)


@dataclass(frozen=True, slots=True)
class Leaving:
    """One time that a person left, and the tries to reach them before they came back or left again."""

    exit: ExitRow
    asked: list[FollowUpRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Courses:
    """What such people went through, in rounds: in each there is at most one exit of a person."""

    until_back: list[list[Leaving]]
    """Until they were back for the last time: before any step."""
    since: list[list[Leaving]]
    people: frozenset[str]
    """Whose rows these are, by their `ref`."""

    def others(self, checked: CheckedSet, file: str, kind: type[_Leaver]) -> Iterator[_Leaver]:
        """The rows of everybody else."""
        return (row for row in rows_of(checked, file, kind) if row.participant not in self.people)


def courses(checked: CheckedSet) -> Courses:
    """The courses of people who left more than once or came back."""
    once, people = set[str](), set[str]()
    for row in rows_of(checked, EXITS, ExitRow):
        if row.back is not None or row.participant in once:
            people.add(row.participant)
        once.add(row.participant)
    if not people:
        return Courses([], [], frozenset())
    left = defaultdict[str, list[Leaving]](list)
    for row in rows_of(checked, EXITS, ExitRow):
        if row.participant in people:
            left[row.participant].append(Leaving(row))
    for several in left.values():
        several.sort(key=lambda one: one.exit.date)  # of one day: as they stand in the list
    for asked in rows_of(checked, FOLLOWUPS, FollowUpRow):
        if asked.participant in people:
            _after(left[asked.participant], asked).asked.append(asked)
    until_back, since = list[list[Leaving]](), list[list[Leaving]]()
    for several in left.values():
        back = max((number for number, one in enumerate(several, 1) if one.exit.back), default=0)
        until_back.append(several[:back])
        since.append(several[back:])
    return Courses(_rounds(until_back), _rounds(since), frozenset(people))


def rows_of(checked: CheckedSet, file: str, kind: type[_One]) -> Iterator[_One]:
    """The rows of a file that has rows of this kind alone."""
    return (row for row in checked.rows(file) if isinstance(row, kind))


def _after(several: Sequence[Leaving], asked: FollowUpRow) -> Leaving:
    """The last exit that the try can have followed; none: the last one, which will be refused."""
    days = [one.exit.date for one in several if one.exit.date <= min(asked.due, asked.date)]
    return next((one for one in several if days and one.exit.date == days[-1]), several[-1])


def _rounds(courses_of: Sequence[Sequence[Leaving]]) -> list[list[Leaving]]:
    return [[one for one in row if one is not None] for row in zip_longest(*courses_of)]
