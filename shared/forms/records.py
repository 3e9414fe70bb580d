"""Rules of start and exit records (reference §1.2), pure: for the node that writes a record and the lead that counts.

Three things are kept apart. A record with a *problem* is refused. A record that *lacks* something is kept and counts
only in the grand total of participants. Everything else counts for each indicator as 1 or 0.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from shared.forms.model import Answer, Form

QUESTIONS = (
    *("gender", "age", "labour_status", "unemployed_months", "education"),
    *("foreign_background", "minority", "disability", "other_disadvantage", "homeless", "rural"),
)
"""Whatever some form asks, by the members of `ParticipationStarted`."""

IMMEDIATE = timedelta(days=28)
"""Results count that a person has from the day of leaving until four weeks later."""

NONE = "none"
"""Written down of a person who left without any result; nothing at all means that nobody wrote down whether."""

IN_EURA = "people tell the fund so themselves, in EURA"
"""Why something is not kept here, where people key their records in themselves."""

Problem = tuple[str, str]
"""Field and reason."""


def age_on(birth_date: date, day: date) -> int:
    """Full years on `day`: what counts is the age on the start day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


@dataclass(frozen=True, slots=True)
class Start:
    """What a start record says. `answers` by question, age among them; what was not recorded is left out.

    `asked`: something (a signed form) says that the special categories were asked. `certain`: questions answered for
    the whole target group without asking each; `documented` those of them for which it is written down why. `proof`:
    what confirms the record, `signed`, `eura`, or `none` yet; None: a release before told it, and nobody knows.
    """

    started_on: date
    answers: Mapping[str, Answer]
    asked: bool = False
    certain: frozenset[str] = frozenset()
    documented: frozenset[str] = frozenset()
    paid_by_project: bool = False
    support: str = "direct"
    proof: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """What an exit record says; `results` empty: nobody wrote them down. `later`: what was heard afterwards, by day."""

    ended_on: date
    results: frozenset[str] = frozenset()
    later: tuple[tuple[date, frozenset[str]], ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One person in one programme, or one stay of theirs there; `end` None: still in."""

    programme: str
    person: str
    start: Start
    end: End | None = None


def arrival_problems(
    form: Form, said: Mapping[str, Answer], started_on: date | None, *, participant: bool, asked: bool, here: bool
) -> Iterator[Problem]:
    """Why this cannot be kept of somebody who comes in; of `said` only what some form asks is looked at.

    Of a `participant` it is the start record. `here`: records are kept here, not in the fund's own system alone.
    """
    answers = {name: said[name] for name in QUESTIONS if name in said}
    if not here:
        yield from ((name, IN_EURA) for name in answers if name != "gender")
    if participant and started_on is not None:
        yield from start_problems(form, Start(started_on, answers, asked=asked))
    else:
        yield from answer_problems(form, answers)


def taken(form: Form, said: Mapping[str, Answer], *, here: bool) -> dict[str, Answer]:
    """Of what another node says was answered what the form takes: nobody is for the rest no participant."""
    answers = {name: said[name] for name in QUESTIONS if name in said}
    return {
        key: value
        for key, value in answers.items()
        if (here or key == "gender")
        and (question := form.question_by_key.get(key)) is not None
        and question.may_be(value)
        and question.is_for(answers)
    }


def start_problems(form: Form, start: Start) -> Iterator[Problem]:
    """Why this is no start record of the form."""
    if start.paid_by_project:
        yield "standing", "who is paid by the project is not its participant"
    if start.support != "direct":
        yield "standing", "who is met at an information event or by an open service is no participant"
    yield from answer_problems(form, start.answers)
    for key in sorted(start.certain):
        question = form.question_by_key.get(key)
        if question is not None and question.special:
            yield key, "a special category is asked of each person"
        elif key not in start.documented:
            yield key, "is filled in for everybody, but why is not written down"
    for question in form.questions:
        if question.special and start.answers.get(question.key) == "refused" and not start.asked:
            yield question.key, "is refused, but no signed form says that it was asked"


def proving(form: Form, *, here: bool) -> tuple[str, ...]:
    """The members of a record that prove it, the first one asked for. ESF+ has no paper of its own: there an entry in
    EURA proves as much as a signature; and where records are not kept `here`, nothing else does."""
    if not here:
        return ("eura_on",)
    return ("form_signed_on", "eura_on") if form.key == "esf_plus_2021_2027" else ("form_signed_on",)


def proof_of(form: Form, record: Mapping[str, Any], *, here: bool) -> str:
    """What confirms a record: `signed`, `eura` or `none`."""
    told = {"form_signed_on": "signed", "eura_on": "eura"}
    return next((told[name] for name in proving(form, here=here) if record.get(name)), NONE)


def answer_problems(form: Form, answers: Mapping[str, Answer]) -> Iterator[Problem]:
    """Answers to what the form does not ask, or does not take, or does not ask of this person."""
    for key, value in answers.items():
        question = form.question_by_key.get(key)
        if question is None:
            yield key, f"the form {form.key} does not ask this"
        elif not question.may_be(value):
            yield key, f"is no answer of the form {form.key}"
        elif not question.is_for(answers) and question.only_if is not None:
            yield key, f"is asked only if {question.only_if[0]} is {' or '.join(question.only_if[1])}"


def end_problems(form: Form, started_on: date, end: End) -> Iterator[Problem]:
    """Why this is no exit record of somebody who started then."""
    if end.ended_on < started_on:
        yield "date", "before the start"
    yield from result_problems(form, end.results)
    for day, results in end.later:
        if day < end.ended_on:
            yield "date", "a follow-up before the exit"
        yield from result_problems(form, results)


def result_problems(form: Form, results: Collection[str]) -> Iterator[Problem]:
    """Results that there are not, or that cannot be of one person at once."""
    for result in sorted(results):
        if result != NONE and result not in form.result_by_key:
            yield "results", f"the form {form.key} has no result {result}"
    if NONE in results and len(results) > 1:
        yield "results", "none stands beside a result"
    if len(labour := _labour(form, results)) > 1:
        yield "results", f"{' and '.join(sorted(labour))} exclude each other: the last one counts"


def _labour(form: Form, results: Collection[str]) -> frozenset[str]:
    return frozenset(result.key for result in form.results if result.labour and result.key in results)


def lacks(form: Form, start: Start) -> tuple[str, ...]:
    """Without what the record is incomplete: `proof`, and the questions without an answer; none: it is complete."""
    answers, unproved = start.answers, ("proof",) if start.proof == NONE else ()
    needed = (question for question in form.questions if question.needed and question.is_for(answers))
    return *unproved, *(question.key for question in needed if not question.is_answer(answers.get(question.key)))


def not_asked(form: Form, start: Start) -> tuple[str, ...]:
    """The special categories of which nothing says that they were asked: evidence that is missing."""
    special = (question.key for question in form.questions if question.special)
    return tuple(key for key in special if start.answers.get(key, "not_asked") == "not_asked" or not start.asked)


def immediate(form: Form, end: End) -> frozenset[str]:
    """The results that count: from the exit until 28 days later; of labour events the last one."""
    labour: frozenset[str] = frozenset()
    others: set[str] = set()
    heard = sorted(end.later, key=lambda told: told[0])
    for day, results in ((end.ended_on, end.results), *heard):
        if timedelta(0) <= day - end.ended_on <= IMMEDIATE:  # no day is added to: the last one there is may be told
            event = _labour(form, results)
            labour = event if event or NONE in results else labour
            others |= results - event - {NONE}
    return frozenset(others) | labour


def counted(form: Form, start: Start, end: End | None) -> frozenset[str]:
    """The codes of the indicators in which this record counts; an incomplete one counts in none."""
    if lacks(form, start):
        return frozenset()
    results = immediate(form, end) if end else frozenset[str]()
    found: set[str] = set()
    for indicator in form.indicators:
        if any(all(c.holds(start.answers, results, found) for c in way) for way in indicator.when):
            found.add(indicator.key)
    return frozenset(found)


def one_record(stays: Sequence[tuple[Start, End | None]]) -> tuple[Start, End | None]:
    """Of a person's stays in one programme one record: the first start; the last exit, once every stay has ended."""
    start = min((start for start, _ in stays), key=lambda start: start.started_on)
    ends = [end for _, end in stays if end is not None]
    last = max(ends, key=lambda end: end.ended_on, default=None)
    return start, last if len(ends) == len(stays) else None


@dataclass
class Counts:
    """What is counted from records: different people, of them those with complete records, and by indicator; each by
    gender, `unknown` among them."""

    participants: Counter[str] = field(default_factory=Counter)
    complete: Counter[str] = field(default_factory=Counter)
    indicators: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, form: Form, start: Start, end: End | None, times: int = 1) -> None:
        """Count a record of one person, or of as many people as have equal ones."""
        gender = str(start.answers.get("gender", "unknown"))
        self.participants[gender] += times
        if not lacks(form, start):
            self.complete[gender] += times
        for code in counted(form, start, end):
            self.indicators.setdefault(code, Counter())[gender] += times


def count(form: Form, records: Iterable[Record]) -> dict[str, Counts]:
    """The counts of each programme: the same person in another programme is another participant."""
    stays: dict[tuple[str, str], list[tuple[Start, End | None]]] = defaultdict(list)
    for record in records:
        stays[record.programme, record.person].append((record.start, record.end))
    counts: dict[str, Counts] = defaultdict(Counts)
    for (programme, _), theirs in stays.items():
        counts[programme].add(form, *one_record(theirs))
    return dict(counts)
