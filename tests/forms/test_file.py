"""Forms: those that are shipped are pinned, and every way one can be wrong is told with its line."""

from pathlib import Path

import pytest

from shared.contracts.catalogue import ParticipationStarted
from shared.contracts.errors import InvalidForm
from shared.contracts.record_facts import RESULTS
from shared.documents.problems import Problem
from shared.forms import find_form
from shared.forms.checking import check_file, load_file
from shared.forms.files import DIRECTORY
from shared.forms.records import NONE

RELEASED = {
    "esf_2007_2013.yaml": "b489e8d3908496cb63a72e0f40ee6ed053f2b67c4ad72c6074cefef0dd0497fb",
    "esf_2014_2020.yaml": "c81c935bce1c1e4be8e84d5d2be341879f926f22d73d98ba7faa5b4a0ff6a86a",
    "esf_plus_2021_2027.yaml": "d72b3362e6654e2f90ca75dbf2dd128cf5f89e73bd707483d979beff174b721f",
}
"""Digests of what has been released: a change changes what is counted, also of what was reported."""

GOOD = """key: test
name: {fi: Lomake, sv: Blankett, en: Form}
questions:
  - {key: status, name: {fi: A, sv: A, en: A}, answers: [in, out], needed: true}
  - {key: months, name: {fi: B, sv: B, en: B}, low: 0, high: 9, only_if: {question: status, answers: [out]}}
  - {key: health, name: {fi: C, sv: C, en: C}, answers: [good], unanswered: [refused], special: true}
results:
  - {key: work, name: {fi: D, sv: D, en: D}, labour: true}
indicators:
  - code: AA01
    name: {fi: E, sv: E, en: E}
    when:
      - all: [{question: status, answers: [out]}, {question: months, low: 3}]
  - code: AA02
    name: {fi: F, sv: F, en: F}
    when:
      - all: [{counted: [AA01]}, {results: [work]}]
"""


def check(folder: Path, text: str, name: str = "test.yaml") -> list[Problem]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return check_file(path)


def test_every_shipped_form_is_right_and_says_what_it_said_when_it_was_released() -> None:
    shipped = sorted(DIRECTORY.glob("*.yaml"))
    assert [p for path in shipped for p in check_file(path)] == []
    assert {path.name: load_file(path).digest for path in shipped} == RELEASED


@pytest.mark.parametrize("key", ["esf_2007_2013", "esf_2014_2020", "esf_plus_2021_2027"])
def test_what_a_form_asks_the_facts_can_say(key: str) -> None:
    form = find_form(key)
    for question in form.questions:
        member = ParticipationStarted.members[question.key]
        for value in (*question.answers, *question.unanswered):
            assert member.take(value) == value
        if question.high is not None:
            assert [member.take(n) for n in (question.low, question.high)] == [question.low, question.high]
    assert {result.key for result in form.results} | {NONE} == set(RESULTS)


def test_only_2014_2020_asks_special_categories() -> None:
    asked = {path.stem: [q.key for q in load_file(path).questions if q.special] for path in DIRECTORY.glob("*.yaml")}
    assert asked == {
        "esf_2007_2013": [],
        "esf_2014_2020": ["foreign_background", "minority", "disability", "other_disadvantage"],
        "esf_plus_2021_2027": [],
    }


def test_a_good_file_has_no_problem_and_is_read(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD) == []
    form = load_file(tmp_path / "test.yaml")
    assert [question.needed for question in form.questions] == [True, False, False]
    assert [indicator.key for indicator in form.indicators] == ["AA01", "AA02"]


BROKEN = {
    # what: (text replaced, by, line, path, part of the reason)
    "a language missing": ("sv: Blankett, ", "", 2, "name", '"sv" is missing'),
    "question twice": ("key: months", "key: status", 5, "questions[1].key", "twice"),
    "answers and a range": ("low: 0, high: 9", "low: 0, high: 9, answers: [a]", 5, "questions[1]", "either answers"),
    "neither": ("answers: [in, out], ", "", 4, "questions[0]", "either answers"),
    "range without width": ("high: 9", "high: 0", 5, "questions[1].high", "not above low"),
    "only after itself": (
        "question: status, answers: [out]}}",
        "question: months, answers: [out]}}",
        5,
        None,
        "no key",
    ),
    "only with an answer that is none": ("answers: [out]}}", "answers: [gone]}}", 5, None, "no key in the answers of"),
    "special and never refused": (", unanswered: [refused]", "", 6, "questions[2].special", "may be refused"),
    "needed in words": ("needed: true", 'needed: "yes"', 4, "questions[0].needed", "must be true or false"),
    "code of another shape": ("code: AA01", "code: aa1", 10, "indicators[0].code", "capital letters"),
    "code twice": ("code: AA02", "code: AA01", 14, "indicators[1].code", "twice"),
    "later indicator": ("counted: [AA01]", "counted: [AA02]", 17, None, "the indicators before this one"),
    "result that is not there": ("results: [work]", "results: [luck]", 17, None, "no key in results"),
    "two conditions in one": ("{counted: [AA01]}", "{counted: [AA01], results: [work]}", 17, None, "exactly one"),
    "a number as an answer": ("{question: months, low: 3}", "{question: months, answers: [out]}", 13, None, "numbers"),
    "a range about nothing": ("{counted: [AA01]}", "{counted: [AA01], low: 1}", 17, None, "about a question"),
    "question text": ("needed: true", "text: Q", 4, "questions[0].text", "unknown key"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_file_gives_its_problem_with_the_line(what: str, tmp_path: Path) -> None:
    old, new, line, path, reason = BROKEN[what]
    assert old in GOOD
    found = [p for p in check(tmp_path, GOOD.replace(old, new, 1)) if reason in p.reason]
    assert [p.line for p in found] == [line], found
    assert path is None or found[0].path == path


def test_file_must_be_called_by_its_key(tmp_path: Path) -> None:
    assert [p.path for p in check(tmp_path, GOOD, "other.yaml")] == ["key"]


def test_loading_a_broken_file_names_the_first_problem(tmp_path: Path) -> None:
    check(tmp_path, GOOD.replace("high: 9", "high: 0"))
    with pytest.raises(InvalidForm, match=r"test\.yaml has 1 problem.*line 5: questions\[1\]\.high"):
        load_file(tmp_path / "test.yaml")


def test_the_image_has_the_forms() -> None:
    assert "COPY deploy/forms deploy/forms" in (DIRECTORY.parent / "Dockerfile").read_text(encoding="utf-8")
