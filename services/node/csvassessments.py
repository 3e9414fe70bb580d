"""assessments.csv: an answer a row; the rows of one filled-in form are gathered, wherever in the file they stand.

A form is known by its sheet, or else its participant, with instrument, occasion and date. The first reading keeps a
little of each form and one number of each answer; the second hands out a form when its last row has come, so whoever
writes the rows of a form together needs the memory of one. A form with a bad row is left out whole: the answer that
would be missing could not be added by a later import.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from services.node.csvcells import Cells
from services.node.csvread import Report
from services.node.csvrows import ASSESSMENTS, COLUMNS, AssessmentRow
from shared.contracts.catalogue import OCCASIONS
from shared.contracts.errors import PolkuError
from shared.instruments import Instrument, find_instrument, has_instrument
from shared.programmes import Programme

MOST = 1000
"""No instrument has an answer above this."""

_PARTICIPANT, _SHEET = (COLUMNS[ASSESSMENTS].index(column) for column in ("participant", "sheet"))

Say = Callable[[str, str], None]
"""Takes column and reason."""


class Answer(NamedTuple):
    """One row, by itself right. `value` is None where the item was not answered."""

    participant: str
    session: str
    sheet: str
    instrument: str
    version: str
    occasion: str
    day: date
    item: str
    value: int | None

    @property
    def form(self) -> tuple[str, str, str, date]:
        """The identity of the form that it belongs to."""
        return whose((self.participant, "", self.sheet)), self.instrument, self.occasion, self.day


class Parent(NamedTuple):
    """What a form needs of the row of a person or session that it refers to; `day` is the first day or the day."""

    programme: str
    partner: str
    day: date | None


def whose(cells: Sequence[str]) -> str:
    """Which sheet, or else which participant, a row is of, however bad the rest of it."""
    return f"s{cells[_SHEET]}" if cells[_SHEET] else f"p{cells[_PARTICIPANT]}"


def answer(cells: Sequence[str], say: Say) -> Answer | None:
    """The row, or None after reporting every bad cell."""
    row = Cells(ASSESSMENTS, cells, say)
    participant, session, sheet = (row.text(column) or "" for column in ("participant", "session", "sheet"))
    if not participant and not sheet:
        row.bad("sheet", "is missing: a form that names nobody needs one")
    if not participant and not session:
        row.bad("session", "is missing: of a form that names nobody, it tells whose it is")
    instrument, version = row.text("instrument", needed=True), row.text("version", needed=True)
    occasion, day = row.one_of("occasion", OCCASIONS, needed=True), row.day("date", needed=True)
    item, value = row.text("item", needed=True), row.whole("value", 0, MOST)
    if not row.ok or instrument is None or version is None or occasion is None or day is None or item is None:
        return None
    return Answer(participant, session, sheet, instrument, version, occasion, day, item, value)


@dataclass(slots=True)
class _Form:
    """What the first reading keeps of a form; `head` is what all its rows say alike."""

    number: int
    line: int
    owner: tuple[str, str]
    head: tuple[str, str, str]
    rows: int = 0


@dataclass(slots=True)
class Forms:
    """The forms of a file. `damaged`: a line could not be read, so no form is known to be whole."""

    damaged: bool = False
    _forms: dict[tuple[str, str, str, date], _Form] = field(default_factory=dict)
    _values: dict[int, int] = field(default_factory=dict)
    _spoiled: set[str] = field(default_factory=set)

    def reporting(self, report: Report) -> Report:
        """`report`, for lines that are no rows."""

        def damage(line: int, column: str, reason: str) -> None:
            self.damaged = True
            report(line, column, reason)

        return damage

    def spoil(self, cells: Sequence[str]) -> None:
        """Leave out every form of this row's sheet or participant."""
        self._spoiled.add(whose(cells))

    def take(
        self,
        line: int,
        row: Answer,
        parents: tuple[Parent | None, Parent | None],
        programmes: Mapping[str, Programme],
        say: Say,
    ) -> bool:
        """Enter a row under its form, reporting what does not fit; False if the same answer stands there already.

        `parents` are what it refers to: the participant and the session.
        """
        who, at = parents
        owner = who or at
        if owner is None or (who and at and not _together(who, at, say)):
            return True
        programme = programmes[owner.programme]
        instrument = _instrument(row, programme, say)
        _days(row, programme, who, at, say)
        if instrument is None:
            return True
        head = (row.participant, row.session, row.version)
        form = self._forms.setdefault(row.form, _Form(len(self._forms), line, (owner.programme, owner.partner), head))
        if form.head != head:
            column = next(c for c, one, other in zip(_HEAD, head, form.head, strict=True) if one != other)
            say(column, f"differs from the form's first row, in line {form.line}")
            return True
        place = form.number << 8 | [item.key for item in instrument.items].index(row.item)
        value = -1 if row.value is None else row.value
        if place in self._values:
            if self._values[place] == value:
                return False
            say("item", "is answered otherwise in another row of this form")
            return True
        self._values[place] = value
        form.rows += 1
        return True

    def whole(self) -> Iterator[tuple[str, str]]:
        """Programme and partner of each form that may be imported."""
        return (form.owner for key, form in self._forms.items() if not self.damaged and key[0] not in self._spoiled)

    def gather(
        self, lines: Iterable[tuple[int, list[str]]], own: Callable[[str, str], bool], say: Say
    ) -> Iterator[AssessmentRow]:
        """The forms from the file read again: each when its last row has come."""
        open_: dict[tuple[str, str, str, date], tuple[dict[str, int], list[int]]] = {}
        for _, cells in lines:
            row = answer(cells, say)
            if self.damaged or row is None or row.form[0] in self._spoiled:
                continue
            form = self._forms[row.form]
            if not own(*form.owner):
                continue
            answers, left = open_.setdefault(row.form, ({}, [form.rows]))
            if row.value is not None:
                answers[row.item] = row.value
            left[0] -= 1
            if not left[0]:
                del open_[row.form]
                yield AssessmentRow(form.line, form.owner[0], form.owner[1], *row[:7], answers)


_HEAD = ("participant", "session", "version")


def _together(who: Parent, at: Parent, say: Say) -> bool:
    if (who.programme, who.partner) == (at.programme, at.partner):
        return True
    other = "programme" if who.programme != at.programme else "partner"
    say("participant", f"belongs to another {other} than the session")
    return False


def _instrument(row: Answer, programme: Programme, say: Say) -> Instrument | None:
    """The row's instrument if occasion, item and value are its own."""
    use = programme.instrument_use.get((row.instrument, row.version))
    if use is None:
        if any(key == row.instrument for key, _ in programme.instrument_use):
            say("version", f"is no version of {row.instrument} that the programme uses")
        else:
            say("instrument", "is no instrument of the programme")
        return None
    if row.occasion not in use.occasions:
        say("occasion", f"is none of {', '.join(use.occasions)}")
    if not has_instrument(row.instrument, row.version):
        say("instrument", "is not in this release")
        return None
    try:
        instrument = find_instrument(row.instrument, row.version)
    except PolkuError:
        say("instrument", "has a damaged file in this release")
        return None
    item = instrument.item_by_key.get(row.item)
    if item is None:
        say("item", "is no item of the instrument")
        return None
    if row.value is not None and not item.low <= row.value <= item.high:
        say("value", f"the value is not between {item.low} and {item.high}")
    return instrument


def _days(row: Answer, programme: Programme, who: Parent | None, at: Parent | None, say: Say) -> None:
    after = row.occasion == "followup" and row.day > programme.period.end
    if row.day not in programme.period and not after:
        say("date", "lies outside the programme's period")
    elif at and at.day != row.day:
        say("date", "is not the session's day")
    elif who and who.day and row.occasion != "baseline" and row.day < who.day:
        say("date", "lies before the participant's start_date; only a baseline may")
