"""A checked form as frozen values, addressed by the digest of its canonical bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.documents.values import Named, digest

Answer = str | int


@dataclass(frozen=True)
class Question(Named):
    """One thing that is asked; `deploy/forms/form.schema.json` tells what each member means."""

    answers: tuple[str, ...]
    unanswered: tuple[str, ...]
    low: int | None
    high: int | None
    needed: bool
    special: bool
    only_if: tuple[str, tuple[str, ...]] | None

    def is_answer(self, value: Answer | None) -> bool:
        """Whether this answers the question; `refused`, `not_asked` and `unknown` do not."""
        return _fits(value, self.answers, self.low, self.high)

    def may_be(self, value: Answer) -> bool:
        """Whether this may be written down at all."""
        return self.is_answer(value) or value in self.unanswered

    def is_for(self, answers: Mapping[str, Answer]) -> bool:
        """Whether it is asked of a person with these answers."""
        return self.only_if is None or answers.get(self.only_if[0]) in self.only_if[1]


@dataclass(frozen=True)
class Result(Named):
    """What may be written down of a person who leaves."""

    labour: bool


@dataclass(frozen=True)
class Condition:
    """One of: a question with answers or a range, `results`, or `counted` (earlier indicators)."""

    question: str | None
    answers: tuple[str, ...]
    low: int | None
    high: int | None
    results: frozenset[str]
    counted: frozenset[str]

    def holds(self, answers: Mapping[str, Answer], results: frozenset[str], counted: set[str]) -> bool:
        """Whether it holds for a person, of whom the earlier indicators are `counted` already."""
        if self.question is not None:
            return _fits(answers.get(self.question), self.answers, self.low, self.high)
        return bool(self.results & results) if self.results else bool(self.counted & counted)


@dataclass(frozen=True)
class Indicator(Named):
    """Something that is counted; `key` is the fund's code. It counts if all conditions of one of `when` hold."""

    when: tuple[tuple[Condition, ...], ...]


@dataclass(frozen=True)
class Form(Named):
    """One form; `digest` addresses what it says."""

    digest: str
    questions: tuple[Question, ...]
    results: tuple[Result, ...]
    indicators: tuple[Indicator, ...]

    @cached_property
    def question_by_key(self) -> Mapping[str, Question]:
        return {question.key: question for question in self.questions}

    @cached_property
    def result_codes(self) -> frozenset[str]:
        """The indicators of what became of people: those that look at results, or at others that do."""
        found: set[str] = set()
        for indicator in self.indicators:
            if any(c.results or c.counted & found for way in indicator.when for c in way):
                found.add(indicator.key)
        return frozenset(found)

    @cached_property
    def result_by_key(self) -> Mapping[str, Result]:
        return {result.key: result for result in self.results}


def _fits(value: Answer | None, answers: tuple[str, ...], low: int | None, high: int | None) -> bool:
    if not isinstance(value, int):
        return value in answers
    return (low is None or value >= low) and (high is None or value <= high) and not answers


def build(document: Mapping[str, Any]) -> Form:
    """A `Form` from a document that has passed every check; anything else is a programming error."""
    return Form(
        document["key"],
        dict(document["name"]),
        digest=digest(document),
        questions=tuple(
            Question(
                q["key"],
                dict(q["name"]),
                answers=tuple(q.get("answers", ())),
                unanswered=tuple(q.get("unanswered", ())),
                low=q.get("low"),
                high=q.get("high"),
                needed=q.get("needed", False),
                special=q.get("special", False),
                only_if=(q["only_if"]["question"], tuple(q["only_if"]["answers"])) if "only_if" in q else None,
            )
            for q in document["questions"]
        ),
        results=tuple(Result(r["key"], dict(r["name"]), r.get("labour", False)) for r in document["results"]),
        indicators=tuple(
            Indicator(i["code"], dict(i["name"]), tuple(tuple(map(_condition, a["all"])) for a in i["when"]))
            for i in document["indicators"]
        ),
    )


def _condition(c: Mapping[str, Any]) -> Condition:
    return Condition(
        c.get("question"),
        tuple(c.get("answers", ())),
        c.get("low"),
        c.get("high"),
        frozenset(c.get("results", ())),
        frozenset(c.get("counted", ())),
    )
