"""starts.csv, exitforms.csv and attempts.csv: what cannot be is told by line and column, and nobody is named."""

from pathlib import Path
from typing import Any

import pytest

from services.node.csvset import CheckedSet, check_set
from services.node.importing import Import
from tests.services.node.sets import ATTEMPT, EXIT_FORM, OWN, PERSON, PROGRAMMES, START, write_set
from tests.services.node.test_csvpauses import Services

LATER = EXIT_FORM | {"participant": "p2"}
PEOPLE = [
    PERSON,
    PERSON | {"ref": "p2", "start_date": "2016-03-01"},
    PERSON | {"ref": "v", "standing": "visitor", "token": "Nalle"},
]


def check(folder: Path, **files: Any) -> CheckedSet:
    return check_set(write_set(folder, PEOPLE, attendance=[], **files), PROGRAMMES, {"lahde-mukaan": OWN})


@pytest.mark.parametrize(
    ("file", "rows", "says"),
    [
        (
            "starts",
            [START | {"participant": "p2", "start_date": "2016-03-02"}],
            "column start_date: is another day",
        ),
        (
            "starts",
            [START, START | {"gender": "f"}],
            "column participant: stands in another row already",
        ),
        ("starts", [START | {"paid_by_project": "yes"}], "column paid_by_project: says that it pays them"),
        ("starts", [START | {"birth_date": "2016-03-01"}], "column form_signed_on: is not after the birth date"),
        ("starts", [START | {"eura_on": "2016-03-02"}], "column eura_by: is missing: eura_on stands there"),
        ("exitforms", [EXIT_FORM], "column participant: has no start_date: there is nothing to leave"),
        (
            "exitforms",
            [LATER | {"form_signed_on": "2016-02-01"}],
            "column form_signed_on: is before the person's",
        ),
        ("exitforms", [{"participant": "p2", "programme": "lahde-mukaan"}], "column may_call: is empty, and so are"),
        ("exitforms", [LATER, LATER | {"may_call": "no"}], "column participant: stands in another row already"),
        ("attempts", [ATTEMPT | {"status": "busy"}], 'column status: "busy" is none of refused, not_reached'),
        ("attempts", [ATTEMPT | {"status": "Aino T"}], "column status: the value is none of refused, not_reached"),
        ("exitforms", [LATER | {"may_call": "Aino"}], "column may_call: the value is none of"),
        (
            "attempts",
            [ATTEMPT | {"participant": "Aino"}],
            "column participant: no row of participants.csv",
        ),
    ],
)
def test_what_cannot_be_is_told_by_line_and_column(
    tmp_path: Path, file: str, rows: list[dict[str, str]], says: str
) -> None:
    told = check(tmp_path, **{file: rows}).problem_lines()
    assert told
    assert told[0].startswith(f"{file}.csv, line {len(rows) + 1}, {says}")
    assert "Aino" not in "".join(told)


def test_whoever_starts_by_a_list_may_leave_and_take_part_as_a_participant(tmp_path: Path) -> None:
    checked = check(tmp_path, starts=[START], exitforms=[EXIT_FORM], attempts=[ATTEMPT, ATTEMPT])
    assert checked.problem_lines() == []
    services = Services()
    Import(services, bytes.fromhex("09" + "00" * 31)).run(checked)
    sent = {method: items for method, items in services.asked}
    assert list(sent)[:2] == ["register_participants", "add_starts"]
    assert sent["add_starts"][0]["form_signed_on"] == "2016-03-01"
    assert sent["add_exit_forms"][0]["may_call"] == "yes"
    assert len({item["key"] for item in sent["record_attempts"]}) == 2, "equal rows are told apart"


def test_the_days_of_the_proof_are_part_of_a_rows_identity_and_answers_are_not(tmp_path: Path) -> None:
    def key(**changes: str) -> str:
        return next(check(tmp_path, starts=[START | changes]).rows("starts.csv")).key

    assert key() == key(gender="f")
    assert len({key(), key(form_signed_on=""), key(eura_on="2016-03-02", eura_by="self")}) == 3


def test_a_form_may_be_signed_after_the_programmes_end_as_on_the_page(tmp_path: Path) -> None:
    late = {"form_signed_on": "2019-03-01"}
    assert check(tmp_path, starts=[START | late], exitforms=[LATER | late]).problem_lines() == []


def test_whoever_came_by_the_list_as_a_visitor_may_have_a_start_for_intake_knows_what_they_are_by_now(
    tmp_path: Path,
) -> None:
    checked = check(tmp_path, starts=[START | {"participant": "v"}])
    assert (checked.problem_lines(), checked.taken["starts.csv"]) == ([], 1)
