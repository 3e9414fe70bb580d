"""contacts.csv."""

from pathlib import Path

import pytest

from services.node.csvset import check_set
from tests.services.node.sets import CONTACT, OWN, PERSON, PROGRAMMES, write_set


def test_a_row_is_how_one_person_is_reached_and_its_key_says_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    checked = check_set(write_set(tmp_path, contacts=[CONTACT, CONTACT]), PROGRAMMES)
    first, again = checked.rows("contacts.csv")
    assert (first.participant, first.partner, first.phone, first.contact_way) == ("p1", OWN, "0401112223", "call")
    changed = check_set(write_set(tmp_path / "other", contacts=[CONTACT | {"phone": "+358401112224"}]), PROGRAMMES)
    assert {first.key, again.key} == {row.key for row in changed.rows("contacts.csv")}
    assert "p1" not in repr(first)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"phone": "12"}, "column phone: no phone number: + or 0 and digits, 5 to 15 in all"),
        ({"email": "aino"}, "column email: no e-mail address"),
        ({"contact_way": "dove"}, 'column contact_way: "dove" is none of call, message, email'),
        ({"phone": "", "contact_way": ""}, "column phone: is empty, and so are the others: the row says nothing"),
        ({"participant": "p9"}, "column participant: no row of participants.csv has this ref"),
    ],
)
def test_a_row_that_reaches_nobody_is_a_problem(tmp_path: Path, change: dict[str, str], says: str) -> None:
    checked = check_set(write_set(tmp_path, contacts=[CONTACT | change]), PROGRAMMES)
    assert checked.problem_lines() == [f"contacts.csv, line 2, {says}"]


def test_of_whom_has_a_protected_address_nothing_is_taken(tmp_path: Path) -> None:
    checked = check_set(write_set(tmp_path, [PERSON | {"protected_address": "yes"}], contacts=[CONTACT]), PROGRAMMES)
    says = "contacts.csv, line 2, column participant: has a protected address: how they are reached is left out"
    assert checked.problem_lines() == [says]


def test_of_two_rows_about_one_person_that_differ_nobody_knows_which_holds(tmp_path: Path) -> None:
    rows = [CONTACT, CONTACT | {"participant": "p2"}, CONTACT | {"phone": "0401112224"}]
    checked = check_set(write_set(tmp_path, [PERSON, PERSON | {"ref": "p2"}], contacts=rows), PROGRAMMES)
    says = "contacts.csv, line 4, column participant: stands in another row already, which differs"
    assert checked.problem_lines() == [says]
    assert [row.line for row in checked.rows("contacts.csv")] == [2, 3]
