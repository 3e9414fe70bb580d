"""The read side of reporting, of start and exit records: the fund's indicators. Part of `queries.report`.

Nearly everybody is known to one partner alone. Their records are counted as they were derived; those of people whom
several partners met are put together first, one by one (reference §1.2: one record per person and project).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, not_, select, true

from services.reporting import partner_store, records, store
from services.reporting.domain import Person
from services.reporting.people import OnePerson
from shared.forms.records import NONE, End, Start, counted, immediate, lacks, one_record
from shared.programmes import Programme

Later = dict[Person, list[tuple[date, frozenset[str]]]]
"""What people told who were reached after they had left."""


def figures(
    connection: Connection, definition: Programme, start: date | None, end: date | None, one: OnePerson, today: date
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The report's `indicators`, and for its `data_quality` how many who started have an incomplete record, and of them
    one that nothing confirms yet.

    Who started on the days `start` to `end` counts at the start; who left on these days, by results. Beside them what
    was planned, as it held on the last of these days.
    """
    counting = _Counting(connection, definition, start, end, one)
    counting.starts()
    counting.exits()
    counting.of_several_partners()
    quality = {"incomplete_records": counting.incomplete, "unproved_records": counting.unproved}
    return records.rows(definition, counting.started, counting.by_code, end or today), quality


def code_of(definition: Programme, asked: str) -> str | None:
    """The code of an indicator of the report that counts people, however it is written; None if it has no such."""
    rows = records.rows(definition, Counter(), {}, date.max)
    codes = (str(row["code"]) for row in rows if row["realised"] is not None)
    return next((code for code in codes if code.lower() == asked), None)


def people_behind(
    connection: Connection, definition: Programme, code: str, start: date | None, end: date | None, one: OnePerson
) -> list[Person]:
    """Whoever counts in the indicator `code` on these days, as in `figures`: as many as it says."""
    return list(_Counting(connection, definition, start, end, one).behind(code))


class _Counting:
    def __init__(
        self, connection: Connection, definition: Programme, start: date | None, end: date | None, one: OnePerson
    ) -> None:
        self.connection, self.one, self.days = connection, one, (start, end)
        self.form = records.form_of(definition)
        self.streams: Sequence[str] = partner_store.streams_of(connection, definition.key)
        self.started: Counter[str] = Counter()
        self.incomplete = self.unproved = 0
        self.by_code: dict[str, Counter[str]] = defaultdict(Counter)

    def within(self, day: date) -> bool:
        start, end = self.days
        return (start is None or day >= start) and (end is None or day <= end)

    def starts(self) -> None:
        """Whom one partner knows, by what their start records say."""
        s = store.start.c
        query = select(s.gender, s.complete, s.codes, s.proof, func.count().label("n"))
        here = s.stream.in_(self.streams) & self._of_one_partner() & self._on_these_days(s.started_on)
        for row in self.connection.execute(query.where(here).group_by(s.gender, s.complete, s.codes, s.proof)):
            self.add_start(row.gender, bool(row.complete), row.codes.split(), row.proof, row.n)

    def exits(self) -> None:
        """Of the same people those who have left, by results."""
        s, e = store.start.c, store.exit_.c
        left = store.start.join(store.exit_, (s.stream == e.stream) & (s.subject == e.subject))
        query = select(s.stream, s.subject, s.gender, s.answers, e.ended_on, e.results).select_from(left)
        here = s.stream.in_(self.streams) & self._of_one_partner() & self._on_these_days(e.ended_on)
        later = self.later()
        for row in self.connection.execute(query.where(here, s.complete == 1)):
            end = _end(row, later)
            if results := immediate(self.form, end):
                self.add(records.result_codes(self.form.key, row.answers, results), row.gender)

    def _of_one_partner(self) -> ColumnElement[bool]:
        """Whose tag nobody else has, and who was not referred."""
        if not self.one.stands_for:
            return true()
        s, theirs = store.start.c, self.one.shared.c
        return not_(exists().where(theirs.stream == s.stream, theirs.subject == s.subject))

    def of_several_partners(self) -> None:
        """People whom several partners know: one record of each."""
        for _, start, end in self.records_of_several():
            gender = str(start.answers.get("gender", "unknown"))
            if self.within(start.started_on):
                self.add_start(gender, not lacks(self.form, start), counted(self.form, start, None), start.proof)
            if end is not None and self.within(end.ended_on):
                self.add(counted(self.form, start, end) & self.form.result_codes, gender)

    def records_of_several(self) -> Iterator[tuple[Person, Start, End | None]]:
        """The one record of each person whom several partners know, and whose start it is."""
        if not self.one.stands_for:
            return
        s, e, theirs = store.start.c, store.exit_.c, self.one.shared.c
        known = store.start.join(self.one.shared, (s.stream == theirs.stream) & (s.subject == theirs.subject))
        known = known.outerjoin(store.exit_, (s.stream == e.stream) & (s.subject == e.subject))
        columns = (s.stream, s.subject, s.started_on, s.answers, s.proof, e.ended_on, e.results)
        query = select(*columns).select_from(known)
        later, last = self.later(), self.days[1]
        stays: dict[Person, list[tuple[Person, Start, End | None]]] = defaultdict(list)
        for row in self.connection.execute(query.where(s.stream.in_(self.streams)).order_by(s.stream, s.subject)):
            person = (row.stream, bytes(row.subject))
            gone = row.ended_on is not None and (last is None or row.ended_on <= last)
            start = Start(row.started_on, json.loads(row.answers), proof=row.proof)
            stays[self.one.stands_for.get(person, person)].append((person, start, _end(row, later) if gone else None))
        for theirs_ in stays.values():
            start, end = one_record([(start, end) for _, start, end in theirs_])
            yield next(person for person, told, _ in theirs_ if told is start), start, end

    def behind(self, code: str) -> Iterator[Person]:
        """Whoever counts in this indicator, each once, by their start."""
        s, e = store.start.c, store.exit_.c
        here = s.stream.in_(self.streams) & self._of_one_partner()
        of_exit = code in self.form.result_codes
        if of_exit:
            left, later = store.start.join(store.exit_, (s.stream == e.stream) & (s.subject == e.subject)), self.later()
            query = select(s.stream, s.subject, s.answers, e.ended_on, e.results).select_from(left)
            for row in self.connection.execute(query.where(here, self._on_these_days(e.ended_on), s.complete == 1)):
                results = immediate(self.form, _end(row, later))
                if results and code in records.result_codes(self.form.key, row.answers, results):
                    yield row.stream, bytes(row.subject)
        else:
            started = select(s.stream, s.subject, s.codes).where(here, self._on_these_days(s.started_on))
            for begun in self.connection.execute(started):
                if code == records.STARTED or code in begun.codes.split():
                    yield begun.stream, bytes(begun.subject)
        for person, start, end in self.records_of_several():
            if of_exit:
                if end is not None and self.within(end.ended_on) and code in counted(self.form, start, end):
                    yield person
            elif self.within(start.started_on) and (code == records.STARTED or code in counted(self.form, start, None)):
                yield person

    def add_start(self, gender: str, complete: bool, codes: Any, proof: str | None, times: int = 1) -> None:
        self.started[gender] += times
        self.incomplete += 0 if complete else times
        self.unproved += times if proof == NONE else 0
        self.add(codes, gender, times)

    def add(self, codes: Any, gender: str, times: int = 1) -> None:
        for code in codes:
            self.by_code[code][gender] += times

    def later(self) -> Later:
        f = store.follow_up.c
        query = select(f.stream, f.subject, f.occurred_on, f.results).where(f.stream.in_(self.streams))
        told: Later = defaultdict(list)
        for row in self.connection.execute(query.where(f.results.is_not(None)).order_by(f.occurred_on, f.follow_up)):
            told[row.stream, bytes(row.subject)].append((row.occurred_on, frozenset(row.results.split())))
        return told

    def _on_these_days(self, day: ColumnElement[Any]) -> ColumnElement[bool]:
        start, end = self.days
        on: ColumnElement[bool] = day.is_not(None)
        if start:
            on &= day >= start
        return on & (day <= end) if end else on


def _end(row: Any, later: Later) -> End:
    results = frozenset((row.results or "").split())
    return End(row.ended_on, results, tuple(later.get((row.stream, bytes(row.subject)), ())))
