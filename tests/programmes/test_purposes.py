"""Purposes in a programme file: defaults, problems, and from which day something is kept no longer."""

from datetime import date
from typing import Any

import pytest

from shared.programmes import check_document, parse
from shared.programmes.purposes import Purpose
from shared.programmes.purposes import purposes as purposes_of
from tests.services.kit import PROGRAMME, changed

LAST = date(2017, 5, 31)


def test_a_programme_that_says_nothing_has_the_defaults() -> None:
    assert {key: purpose.basis for key, purpose in PROGRAMME.purpose_by_key.items()} == {
        **{"esf_record": "legal_obligation", "support": "public_task", "measurement": "consent"}
    }
    assert {purpose.due_on(date(2016, 1, 1), LAST) for purpose in PROGRAMME.purposes} == {None}
    assert {purpose.kept_by_law(date(2016, 1, 1)) for purpose in PROGRAMME.purposes} == {None}


@pytest.mark.parametrize(
    ("period", "law"),
    [
        ("esf_2007_2013", ""),
        ("esf_2014_2020", "(EU) 1303/2013, (EU) 1304/2013"),
        ("esf_plus_2021_2027", "(EU) 2021/1057, (EU) 2021/1060"),
    ],
)
def test_where_the_obligation_stands_follows_from_the_funding_period(period: str, law: str) -> None:
    document = changed(funding_programme=period)
    assert {purpose.key: purpose.law for purpose in parse(document).purposes} == {
        **{"esf_record": law, "support": "", "measurement": ""}
    }
    document["purposes"] = [{"key": "esf_record", "basis": "public_task"}]
    assert parse(document).purpose_by_key["esf_record"].law == "", "another basis stands elsewhere"


def test_where_no_file_is_in_use_the_defaults_hold_without_a_law() -> None:
    assert [(purpose.basis, purpose.law) for purpose in purposes_of({})] == [
        *(("legal_obligation", ""), ("public_task", ""), ("consent", ""))
    ]


def test_what_the_file_says_takes_the_place_of_the_default() -> None:
    said = {"key": "esf_record", "basis": "legal_obligation", "law": "Laki", "keep_until": "2022-12-31"}
    purpose = parse(changed(purposes=[said, {"key": "support", "keep_months": 24}])).purpose_by_key
    assert purpose["esf_record"].kept_by_law(date(2022, 12, 31)) == date(2022, 12, 31)
    assert purpose["esf_record"].kept_by_law(date(2023, 1, 1)) is None
    assert (purpose["support"].basis, purpose["support"].keep_months) == ("public_task", 24)
    assert purpose["measurement"].basis == "consent"


@pytest.mark.parametrize(
    ("purposes", "said"),
    [
        ([{"key": "esf_record", "basis": "consent"}], "no matter of consent"),
        ([{"key": "support", "basis": "legal_obligation"}], '"law" is missing'),
        ([{"key": "support", "keep_until": "2017-05-30"}], "before the project ends"),
        ([{"key": "support"}, {"key": "support"}], "stands in this list twice"),
        ([{"key": "fun"}], "purposes[0].key"),
        ([{"key": "support", "keep_months": -1}], "keep_months"),
        ([{"key": "support", "keep_days": 1}], "keep_days"),
    ],
)
def test_a_purpose_that_cannot_be_is_a_problem(purposes: list[dict[str, Any]], said: str) -> None:
    problems = check_document(changed(purposes=purposes))
    assert any(said in f"{problem.path} {problem.reason}" for problem in problems), problems


@pytest.mark.parametrize(
    ("purpose", "ended_on", "due"),
    [
        (Purpose("support", "consent"), date(2016, 1, 1), None),
        (Purpose("support", "consent", keep_until=date(2020, 12, 31)), date(2016, 1, 1), date(2021, 1, 1)),
        (Purpose("support", "consent", keep_months=2), date(2015, 12, 31), date(2016, 2, 29)),
        (Purpose("support", "consent", keep_months=1), None, date(2017, 6, 30)),
        (Purpose("support", "consent", keep_months=0), date(2016, 1, 31), date(2016, 1, 31)),
        (Purpose("support", "consent", "", date(2016, 6, 30), 24), date(2016, 1, 31), date(2018, 1, 31)),
    ],
)
def test_the_day_from_which_it_is_kept_no_longer(purpose: Purpose, ended_on: date | None, due: date | None) -> None:
    assert purpose.due_on(ended_on, LAST) == due
