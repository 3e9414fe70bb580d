"""The rules of who may come in, and of whom is looked for."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import check_arrival, is_meant
from shared.contracts.errors import InvalidInput, PolkuError, UnknownCode
from shared.forms.records import age_on
from tests.services.intake.kit import IDENTITY, arrival
from tests.services.kit import PROGRAMME

TODAY = date(2016, 11, 22)
NOBODY = {"birth_date": "1981-02-03"}


def refused(**changes: Any) -> tuple[type[PolkuError], Any]:
    with pytest.raises(PolkuError) as caught:
        check_arrival(arrival(**changes), PROGRAMME, TODAY)
    return type(caught.value), caught.value.params["field"]


@pytest.mark.parametrize("standing", ["visitor", "client", "esf_participant"])
def test_a_person_with_name_and_codes_of_the_programme_may_come_in(standing: str) -> None:
    check_arrival(arrival(standing=standing), PROGRAMME, TODAY)


@pytest.mark.parametrize("name", ["given_name", "family_name"])
def test_one_name_is_enough_for_a_client(name: str) -> None:
    check_arrival(arrival(standing="client", identity={name: "Aino"}), PROGRAMME, TODAY)


def test_a_visitor_may_be_known_by_a_token_alone() -> None:
    check_arrival(arrival(standing="visitor", identity={"token": "kettu"}), PROGRAMME, TODAY)


def test_a_visitor_without_name_and_token_is_refused() -> None:
    assert refused(standing="visitor", identity=NOBODY) == (InvalidInput, "token")


@pytest.mark.parametrize("standing", ["client", "esf_participant"])
def test_a_token_is_not_enough_from_client_on(standing: str) -> None:
    assert refused(standing=standing, identity={"token": "kettu"}) == (InvalidInput, "given_name")


def test_an_esf_participant_needs_a_start_date() -> None:
    assert refused(start_date=None) == (InvalidInput, "start_date")


@pytest.mark.parametrize("day", [date(2016, 11, 23), date(2015, 4, 30), date(2017, 6, 1)])
def test_a_start_in_the_future_or_outside_the_programme_is_refused(day: date) -> None:
    assert refused(start_date=day) == (InvalidInput, "start_date")


@pytest.mark.parametrize("day", [TODAY, date(2015, 5, 1)])
def test_today_and_the_first_day_of_the_programme_are_starts(day: date) -> None:
    check_arrival(arrival(start_date=day), PROGRAMME, TODAY)


@pytest.mark.parametrize(
    ("born", "start"),
    [
        ("2016-03-02", date(2016, 3, 1)),
        ("2016-12-01", date(2016, 3, 1)),
        ("2016-12-01", None),
        ("1850-01-01", None),
        ("1895-02-28", date(2016, 3, 1)),
    ],
)
def test_a_birth_date_after_start_or_today_or_long_ago_is_refused(born: str, start: date | None) -> None:
    standing = "esf_participant" if start else "client"
    identity = IDENTITY | {"birth_date": born}
    assert refused(standing=standing, start_date=start, identity=identity) == (InvalidInput, "birth_date")


@pytest.mark.parametrize("field", ["area", "target_group"])
def test_codes_that_the_programme_does_not_have_are_refused_by_name(field: str) -> None:
    assert refused(record={field: "kuu"}) == (UnknownCode, field)


@given(st.dates(date(1900, 1, 1), date(2020, 12, 31)), st.dates(date(1900, 1, 1), date(2020, 12, 31)))
def test_age_is_the_number_of_birthdays_kept(born: date, day: date) -> None:
    born, day = min(born, day), max(born, day)

    def kept(year: int) -> bool:
        # Who was born on 29 February is a year older on 1 March of other years.
        return (year, born.month, born.day) <= (day.year, day.month, day.day)

    assert age_on(born, day) == sum(kept(year) for year in range(born.year + 1, day.year + 1))


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"identity_code": IDENTITY["identity_code"]}, True),
        ({"identity_code": "010101-1234"}, False),
        ({"name": "öystilä"}, True),
        ({"name": " ÄIKKÄ-testinimi  öystilä "}, True),
        ({"name": "Öystilä Äikkä-Testinimi"}, True),
        ({"name": "Sinikettu7"}, True),
        ({"name": "Äikkä-Testinimi"}, False),
        ({"name": ""}, False),
        ({}, False),
    ],
)
def test_whom_a_question_means(asked: dict[str, str], meant: bool) -> None:
    assert is_meant(IDENTITY, asked) is meant


@pytest.mark.parametrize(
    ("name", "meant"),
    [("äi", True), ("öys äik", True), ("test", True), ("SINI", True), ("inimi", False), ("äi x", False), ("", False)],
)
def test_who_is_looked_for_by_how_words_begin_is_found_unless_protected(name: str, meant: bool) -> None:
    asked = {"name": name, "beginning": True}
    assert is_meant(IDENTITY, asked) is meant
    assert not is_meant(IDENTITY, asked, protected=True)
    assert is_meant(IDENTITY, asked | {"name": "Öystilä"}, protected=True), "by the whole name they are"
    assert not is_meant(IDENTITY, {"name": "äi"})
