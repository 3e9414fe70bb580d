"""The programme file's word on counting one person once."""

from typing import Any

import pytest

from shared.programmes import Tagging, check_document, parse
from tests.services.kit import DOCUMENT, OTHER, OWN, changed


def problems(tag: Any) -> list[str]:
    return [f"{problem.path}: {problem.reason}" for problem in check_document(changed(tag=tag))]


def test_a_file_says_by_what_people_are_recognised_and_who_makes_the_key() -> None:
    assert parse(changed(tag={"basis": "name_birth_date", "steward": OTHER})).tag == Tagging("name_birth_date", OTHER)


def test_a_file_that_says_nothing_counts_people_per_partner() -> None:
    assert parse(DOCUMENT).tag is None


@pytest.mark.parametrize(
    ("tag", "word"),
    [
        ({"basis": "name_birth_date", "steward": OWN}, "tag.steward: the lead organisation counts"),
        ({"basis": "name_birth_date", "steward": "nobody"}, "tag.steward"),
        ({"basis": "name", "steward": OTHER}, "tag.basis"),
        ({"basis": "name_birth_date"}, "steward"),
        ({"basis": "name_birth_date", "steward": OTHER, "key": "x"}, "key"),
    ],
)
def test_what_is_wrong_is_named(tag: dict[str, str], word: str) -> None:
    (problem,) = problems(tag)
    assert word in problem
