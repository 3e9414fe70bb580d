"""workers.csv."""

from pathlib import Path

import pytest

from services.node.accounts import add
from services.node.csvset import check_set
from services.node.importcommand import strangers
from services.node.opening import init_home
from tests.services.node.sets import OWN, PROGRAMMES, WORKER, write_set


def test_a_row_is_one_persons_worker(tmp_path: Path) -> None:
    checked = check_set(write_set(tmp_path, workers=[WORKER, WORKER]), PROGRAMMES)
    first, again = checked.rows("workers.csv")
    assert (first.participant, first.programme, first.partner, first.worker) == ("p1", "lahde-mukaan", OWN, "anna.k")
    assert first.key != again.key
    assert "p1" not in repr(first)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"worker": ""}, "column worker: is missing"),
        ({"worker": "Anna K"}, "column worker: the value is no name of a user"),
        ({"participant": "p9"}, "column participant: no row of participants.csv has this ref"),
    ],
)
def test_a_row_that_names_nobody_is_a_problem(tmp_path: Path, change: dict[str, str], says: str) -> None:
    checked = check_set(write_set(tmp_path, workers=[WORKER | change]), PROGRAMMES)
    assert checked.problem_lines() == [f"workers.csv, line 2, {says}"]


def test_a_row_that_names_no_user_who_works_with_people_is_found(tmp_path: Path) -> None:
    home = init_home(tmp_path / "node", "node", "pori")
    checked = check_set(write_set(tmp_path, workers=[WORKER, WORKER | {"worker": "audit"}]), PROGRAMMES)
    assert strangers(home, checked) == [2, 3]
    for name, role in (("anna.k", "case_worker"), ("audit", "auditor")):
        add(home, name, [role])
    assert strangers(home, checked) == [3]
