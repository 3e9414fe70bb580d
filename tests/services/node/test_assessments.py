"""assessments.csv: rows are gathered into forms, each flaw has file, line and column, and nobody is named."""

import random
import tracemalloc
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.node.csvrows import ASSESSMENTS
from services.node.csvset import CheckedSet, check_set
from tests.services.node.sets import ANSWER, ATTENDANCE, EVENT, OTHER, OWN, PERSON, PROGRAMMES, SESSION, write_set

ITEMS = ("work_ability", "functioning", "life_satisfaction")
PEOPLE = [
    PERSON | {"start_date": "2016-02-01"},
    PERSON | {"ref": "p2"},
    PERSON | {"ref": "o1", "partner": OTHER},
    PERSON | {"ref": "x1", "gender": "?"},
]
NOBODY = ANSWER | {"participant": "", "session": "s1", "sheet": "anon"}


def check(folder: Path, *rows: dict[str, str], people: Any = PEOPLE[:3]) -> CheckedSet:
    write_set(folder, people, [SESSION, EVENT], [], assessments=rows)
    return check_set(folder, PROGRAMMES, {"lahde-mukaan": OWN})


def form(**changes: str) -> list[dict[str, str]]:
    """The three rows of a form."""
    return [ANSWER | changes | {"item": item, "value": value} for item, value in zip(ITEMS, "607", strict=True)]


def test_the_rows_of_a_form_are_one_item_wherever_they_stand(tmp_path: Path) -> None:
    one, two = form(), form(sheet="", participant="p2", occasion="exit")
    checked = check(tmp_path, *(row for pair in zip(one, two, strict=True) for row in pair))
    assert (checked.problem_lines(), checked.taken[ASSESSMENTS]) == ([], 2)
    first, second = checked.assessments()
    assert (first.line, first.participant, first.sheet, first.occasion) == (2, "p1", "f1", "baseline")
    assert (second.line, second.participant, second.sheet, second.occasion) == (3, "p2", "", "exit")
    assert first.answers == second.answers == {"work_ability": 6, "functioning": 0, "life_satisfaction": 7}
    assert (first.instrument, first.version, first.date) == ("three_items", "1", date(2016, 3, 1))
    assert first.key != second.key
    assert first.session_key is None
    assert repr(first) == "<AssessmentRow of line 2>"


def test_an_empty_value_is_an_item_without_an_answer(tmp_path: Path) -> None:
    (row,) = check(tmp_path, ANSWER, ANSWER | {"item": "functioning", "value": ""}).assessments()
    assert row.answers == {"work_ability": 7}
    (row,) = check(tmp_path, ANSWER | {"value": ""}).assessments()
    assert row.answers == {}


def test_a_form_that_names_nobody_belongs_to_its_session(tmp_path: Path) -> None:
    checked = check(tmp_path, NOBODY)
    assert checked.ok
    (row,) = checked.assessments()
    (session, _) = checked.sessions()
    assert (row.participant_key, row.session_key, row.partner) == (None, session.key, OWN)


def test_forms_need_neither_sessions_nor_attendance(tmp_path: Path) -> None:
    check(tmp_path, ANSWER)
    for file in ("sessions.csv", "attendance.csv"):
        (tmp_path / file).unlink()
    checked = check_set(tmp_path, PROGRAMMES)
    assert (checked.ok, len(list(checked.assessments()))) == (True, 1)


LATE = {"occasion": "followup", "date": "2017-09-01"}
CELLS: dict[str, tuple[dict[str, str], str, str]] = {
    # what: (row, column blamed, part of the reason)
    "nobody and no sheet": (NOBODY | {"sheet": ""}, "sheet", "needs one"),
    "nobody and no session": (NOBODY | {"session": ""}, "session", "whose it is"),
    "no such person": (ANSWER | {"participant": "p9"}, "participant", "no row of participants.csv"),
    "no such session": (ANSWER | {"session": "s9"}, "session", "no row of sessions.csv"),
    "unknown instrument": (ANSWER | {"instrument": "three"}, "instrument", "no instrument of the programme"),
    "unknown version": (ANSWER | {"version": "2"}, "version", "no version of three_items"),
    "no version": (ANSWER | {"version": ""}, "version", "missing"),
    "unknown occasion": (ANSWER | {"occasion": "end"}, "occasion", '"end" is none of baseline, interim'),
    "unknown item": (ANSWER | {"item": "pain"}, "item", "no item of the instrument"),
    "above the range": (ANSWER | {"value": "11"}, "value", "not between 0 and 10"),
    "far above the range": (ANSWER | {"value": "99999"}, "value", "not between 0 and 1000"),
    "a half": (ANSWER | {"value": "6.5"}, "value", "no whole number"),
    "below the range": (ANSWER | {"value": "-1"}, "value", "no whole number"),
    "no date": (ANSWER | {"date": ""}, "date", "missing"),
    "day that does not exist": (ANSWER | {"date": "2016-02-30"}, "date", "calendar"),
    "before the project": (ANSWER | {"date": "2015-04-30"}, "date", "outside"),
    "exit after the project": (ANSWER | LATE | {"occasion": "exit"}, "date", "outside"),
    "exit before the start": (ANSWER | {"occasion": "exit", "date": "2016-01-31"}, "date", "start_date"),
    "another day than the session's": (ANSWER | {"session": "s1", "date": "2016-03-02"}, "date", "session's day"),
    "person and session of two partners": (ANSWER | {"participant": "o1", "session": "s1"}, "participant", "partner"),
}


@pytest.mark.parametrize("what", CELLS)
def test_bad_cell_is_reported_once_with_line_and_column_and_no_value_of_a_person(what: str, tmp_path: Path) -> None:
    row, column, reason = CELLS[what]
    checked = check(tmp_path, *form(sheet="f0"), row)
    assert [(p.file, p.line, p.column) for p in checked.problems] == [(ASSESSMENTS, 5, column)]
    assert reason in checked.problems[0].reason
    assert row["value"] == "7" or row["value"] not in checked.problems[0].reason


def test_a_follow_up_may_be_after_the_project_and_a_baseline_before_the_start(tmp_path: Path) -> None:
    assert check(tmp_path, ANSWER | LATE, ANSWER | {"date": "2016-01-15"}).ok


def test_a_session_without_its_file_is_a_problem(tmp_path: Path) -> None:
    check(tmp_path, NOBODY)
    for file in ("sessions.csv", "attendance.csv"):
        (tmp_path / file).unlink()
    assert [p.reason for p in check_set(tmp_path, PROGRAMMES).problems] == ["the set has no sessions.csv"]


@pytest.mark.parametrize(("column", "value"), [("participant", "p2"), ("session", "s1"), ("version", "2")])
def test_all_rows_of_a_form_say_the_same_of_it(column: str, value: str, tmp_path: Path) -> None:
    checked = check(tmp_path, ANSWER, ANSWER | {"item": "functioning", column: value})
    assert [(p.line, p.column) for p in checked.problems] == [(3, column)]


def test_an_equal_row_is_passed_over_and_another_answer_is_a_problem(tmp_path: Path) -> None:
    checked = check(tmp_path, *form(), *form())
    assert (checked.ok, checked.taken[ASSESSMENTS], checked.repeated[ASSESSMENTS]) == (True, 1, 3)
    assert len(list(checked.assessments())) == 1
    for value in ("6", ""):
        checked = check(tmp_path, ANSWER, ANSWER | {"value": value})
        assert [(p.line, p.column) for p in checked.problems] == [(3, "item")]


def test_a_bad_row_leaves_its_whole_form_out_and_no_other(tmp_path: Path) -> None:
    bad, good = form(sheet="bad"), form(sheet="good")
    bad[1]["value"] = "11"
    checked = check(tmp_path, *bad, *good)
    assert (checked.problem_count, checked.usable) == (1, True)
    assert [row.sheet for row in checked.assessments()] == ["good"]
    assert checked.taken[ASSESSMENTS] == 1


def test_a_form_of_a_bad_person_is_passed_over_with_it(tmp_path: Path) -> None:
    checked = check(tmp_path, ANSWER | {"participant": "x1", "sheet": "x"}, ANSWER, people=PEOPLE)
    assert (checked.problem_count, checked.dependent[ASSESSMENTS]) == (1, 1)
    assert [row.sheet for row in checked.assessments()] == ["f1"]


def test_after_a_line_that_cannot_be_read_no_form_is_known_to_be_whole(tmp_path: Path) -> None:
    check(tmp_path, *form())
    with (tmp_path / ASSESSMENTS).open("a", encoding="utf-8") as file:
        file.write('p1,,"f1,three_items\n')
    checked = check_set(tmp_path, PROGRAMMES)
    assert (checked.problem_count, checked.taken[ASSESSMENTS], list(checked.assessments())) == (1, 0, [])


def test_other_partners_forms_are_checked_counted_and_left_out(tmp_path: Path) -> None:
    checked = check(tmp_path, *form(), *form(participant="o1", sheet="o"))
    assert (checked.ok, checked.taken[ASSESSMENTS]) == (True, 1)
    assert checked.left_out == {("lahde-mukaan", OTHER): {"participants.csv": 1, ASSESSMENTS: 1}}
    assert [row.sheet for row in checked.assessments()] == ["f1"]


FORMS = [form(sheet=f"f{n}", participant=f"p{n % 2 + 1}", occasion=("baseline", "exit")[n % 3 % 2]) for n in range(6)]


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_order_of_the_rows_gives_the_same_forms(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random
) -> None:
    rows = [row for one in FORMS for row in one]
    chance.shuffle(rows)
    checked = check(tmp_path_factory.mktemp("set"), *rows)
    found = {(row.sheet, row.participant, row.occasion): row.answers for row in checked.assessments()}
    assert found == {
        (one[0]["sheet"], one[0]["participant"], one[0]["occasion"]): {r["item"]: int(r["value"]) for r in one}
        for one in FORMS
    }


def test_a_form_costs_little_memory_so_that_a_hundred_thousand_rows_fit(tmp_path: Path) -> None:
    rows = [row for n in range(4000) for row in form(sheet=f"f{n}")]
    write_set(tmp_path, PEOPLE[:3], [SESSION], [ATTENDANCE], assessments=rows)
    check_set(tmp_path, PROGRAMMES)  # what is imported and cached once is not the rows' cost
    tracemalloc.start()
    try:
        checked = check_set(tmp_path, PROGRAMMES)
        checking = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        assert sum(1 for _ in checked.assessments()) == 4000
        reading = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert checking / len(rows) < 600
    assert reading < 200_000
