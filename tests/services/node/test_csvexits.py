"""exits.csv and followups.csv: rows are typed, each flaw has file, line and column, and nobody is named."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.node.csvrows import EXITS, FOLLOWUPS, PARTICIPANTS
from services.node.csvset import CheckedSet, check_set
from shared.programmes import parse
from tests.services.node.sets import EXIT, FOLLOWUP, LAHDE, OTHER, OWN, PERSON, PROGRAMMES, write_set

PEOPLE = [
    PERSON | {"start_date": "2016-03-01"},
    PERSON | {"ref": "o1", "partner": OTHER, "start_date": "2016-03-01"},
    PERSON | {"ref": "n1"},
    PERSON | {"ref": "v1", "standing": "visitor", "token": "sinikettu8"},
    PERSON | {"ref": "x1", "gender": "?"},
]


def check(folder: Path, exits: Any = (EXIT,), followups: Any = (FOLLOWUP,), people: Any = PEOPLE[:4]) -> CheckedSet:
    write_set(folder, people, [], [], exits=exits, followups=followups)
    return check_set(folder, PROGRAMMES, {"lahde-mukaan": OWN})


def test_rows_are_typed_and_equal_ones_are_numbered(tmp_path: Path) -> None:
    told = EXIT | {"results": "qualification;employment", "next": "open_labour_market"}
    asked = FOLLOWUP | {"results": "none"}
    others = [EXIT | {"participant": "o1"}, EXIT | {"back": "2016-10-01"}]
    checked = check(tmp_path, [EXIT, told, EXIT, *others], [FOLLOWUP, asked])
    assert checked.problem_lines() == []
    person = next(checked.participants())
    plain, full, again, back = checked.rows("exits.csv")
    assert (plain.date, plain.reason, plain.results, plain.next) == (date(2016, 9, 1), "completed", (), None)
    assert (full.results, full.next) == (("qualification", "employment"), "open_labour_market")
    assert (plain.before, again.before) == (0, 1)
    assert (plain.back, back.back, back.before) == (None, date(2016, 10, 1), 0)
    assert len({plain.key, full.key, again.key, back.key}) == 4
    first, second = checked.rows("followups.csv")
    assert (first.due, first.date, first.status) == (date(2017, 3, 1), date(2017, 3, 2), "reached")
    assert (first.results, second.results) == ((), ("none",))
    assert first.key != second.key
    assert {row.participant_key for row in (plain, full, first)} == {person.key}
    assert checked.left_out["lahde-mukaan", OTHER] == {PARTICIPANTS: 1, EXITS: 1}
    assert {repr(plain), repr(first)} == {"<ExitRow of line 2>", "<FollowUpRow of line 2>"}


CELLS: dict[str, tuple[str, dict[str, str], str, str]] = {
    # what: (file, row, column blamed, part of the reason)
    "back before the exit": (EXITS, EXIT | {"back": "2016-08-31"}, "back", "is before the day in date"),
    "back from the dead": (EXITS, EXIT | {"reason": "died", "back": "2016-10-01"}, "back", "has died"),
    "no day": (EXITS, EXIT | {"date": ""}, "date", "missing"),
    "no reason": (EXITS, EXIT | {"reason": ""}, "reason", "missing"),
    "unknown reason": (EXITS, EXIT | {"reason": "tired"}, "reason", '"tired" is none of completed'),
    "unknown result": (EXITS, EXIT | {"results": "luck"}, "results", '"luck" is none of job_search'),
    "result twice": (EXITS, EXIT | {"results": "none;none"}, "results", "twice"),
    "none and a result": (EXITS, EXIT | {"results": "none;education"}, "results", "none stands beside"),
    "two places at work": (EXITS, EXIT | {"results": "job_search;employment"}, "results", "exclude each other"),
    "unknown next": (EXITS, EXIT | {"next": "moon"}, "next", '"moon" is no outcome'),
    "two services": (EXITS, EXIT | {"next": "education;work_trial"}, "next", "only a ready plan names one"),
    "before the start": (EXITS, EXIT | {"date": "2016-02-29"}, "date", "before the person's start_date"),
    "long after the project": (EXITS, EXIT | {"date": "2018-06-02"}, "date", "more than a year after"),
    "of nobody": (EXITS, EXIT | {"participant": "p9"}, "participant", "no row of participants.csv"),
    "of a visitor": (EXITS, EXIT | {"participant": "v1"}, "participant", "has no start_date"),
    "results of a client": (EXITS, EXIT | {"participant": "n1", "results": "none"}, "results", "has no start_date"),
    "a client into something": (EXITS, EXIT | {"participant": "n1", "next": "education"}, "next", "has no start_date"),
    "a client before": (EXITS, EXIT | {"participant": "n1", "date": "2014-01-01"}, "date", "before the programme's"),
    "asked without a start": (FOLLOWUPS, FOLLOWUP | {"participant": "n1"}, "participant", "has no start_date"),
    "in no programme": (EXITS, EXIT | {"programme": "kuntsari"}, "programme", "no programme"),
    "not due": (FOLLOWUPS, FOLLOWUP | {"due": ""}, "due", "missing"),
    "unknown status": (FOLLOWUPS, FOLLOWUP | {"status": "busy"}, "status", '"busy" is none of reached'),
    "told by nobody": (FOLLOWUPS, FOLLOWUP | {"status": "refused", "results": "none"}, "results", "nobody was reached"),
    "reached before it was due": (FOLLOWUPS, FOLLOWUP | {"date": "2017-02-28"}, "date", "before the day in due"),
    "asked before the start": (
        FOLLOWUPS,
        FOLLOWUP | {"date": "2016-01-01", "status": "refused"},
        "date",
        "before the person's start_date",
    ),
}


@pytest.mark.parametrize("what", CELLS)
def test_bad_cell_is_reported_once_with_line_and_column(what: str, tmp_path: Path) -> None:
    file, row, column, reason = CELLS[what]
    rows = {EXITS: [EXIT], FOLLOWUPS: [FOLLOWUP]}
    rows[file].append(row)
    checked = check(tmp_path, rows[EXITS], rows[FOLLOWUPS])
    (problem,) = checked.problems
    assert (problem.file, problem.line, problem.column) == (file, 3, column)
    assert reason in problem.reason


def test_rows_of_a_bad_person_are_passed_over_with_them(tmp_path: Path) -> None:
    checked = check(tmp_path, [EXIT | {"participant": "x1"}], [FOLLOWUP | {"participant": "x1"}], PEOPLE)
    assert (checked.problem_count, checked.dependent) == (1, {EXITS: 1, FOLLOWUPS: 1})
    assert [*checked.rows("exits.csv"), *checked.rows("followups.csv")] == []


def test_a_programme_that_nobody_leaves_into_nothing_has_its_rule_looked_at_in_the_file(tmp_path: Path) -> None:
    outcomes = [o | {"is_plan": o["key"] == "work_trial"} for o in LAHDE["outcomes"]]
    programme = parse(LAHDE | {"outcomes": outcomes, "exit_needs_next": True})
    places = ["", "work_trial", "work_trial;education", "education", "work_trial;moon", "work_trial;education;x"]
    rows = [EXIT | {"next": to, "date": f"2016-09-0{n + 1}"} for n, to in enumerate(places)]
    client = EXIT | {"participant": "n1"}
    write_set(tmp_path, PEOPLE[:3], [], [], exits=[*rows, EXIT | {"reason": "died"}, client], followups=[])
    checked = check_set(tmp_path, {programme.key: programme}, {programme.key: OWN})
    found = checked.problem_lines()
    assert sorted({line.split(", column")[0] for line in found}) == [f"exits.csv, line {n}" for n in (2, 3, 6, 7)]
    assert "in a next service" in found[0]
    write_set(tmp_path, PEOPLE[:3], [], [], exits=rows[2:4], followups=[])
    checked = check_set(tmp_path, {programme.key: programme}, {programme.key: OWN})
    assert checked.problem_lines() == []
    assert [(row.next, row.planned) for row in checked.rows("exits.csv")] == [
        ("work_trial", "education"),
        ("education", None),
    ]


def test_a_programme_that_asks_nobody_after_they_left_takes_no_follow_up(tmp_path: Path) -> None:
    write_set(tmp_path, PEOPLE[:3], [], [], exits=[EXIT], followups=[FOLLOWUP])
    checked = check_set(tmp_path, {"lahde-mukaan": parse(LAHDE)}, {"lahde-mukaan": OWN})
    ((problem),) = checked.problems
    assert (problem.file, problem.column, "no followup" in problem.reason) == (FOLLOWUPS, "programme", True)
