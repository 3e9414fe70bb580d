from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import hetu


@pytest.mark.parametrize("code", ["131052-308T", "131052A308T", "131052Y308T"])
def test_code_of_a_person_is_valid_without_temporary_numbers(code: str) -> None:
    assert hetu.is_valid(code, allow_temporary=False)


@pytest.mark.parametrize(
    "code", ["010190-900P", "010190Y900P", "290204A902E", "290204F902E", "150655U903U", "311299-9019"]
)
def test_temporary_code_is_valid_only_where_temporary_numbers_are_allowed(code: str) -> None:
    assert hetu.is_valid(code)
    assert not hetu.is_valid(code, allow_temporary=False)


@pytest.mark.parametrize(
    "code", ["131052-308U", "310252-308Y", "", "131052308T", "131052G308T", "131052-001H", "١٣١٠٥٢-308T"]
)
def test_what_is_no_code_has_no_birth_date(code: str) -> None:
    assert hetu.birth_date(code) is None


def test_the_sign_tells_the_century() -> None:
    years = {sign: hetu.birth_date(f"131052{sign}308T") for sign in "+-YXWVUABCDEF"}
    assert {sign: day and day.year for sign, day in years.items()} == (
        {"+": 1852} | dict.fromkeys("-YXWVU", 1952) | dict.fromkeys("ABCDEF", 2052)
    )


def test_small_letters_are_read_like_capitals() -> None:
    assert hetu.birth_date(" 131052y308t ") == date(1952, 10, 13)


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.integers(900, 999), st.integers(0, 4))
def test_synthetic_code_is_valid_temporary_and_tells_its_birth_date(born: date, number: int, sign: int) -> None:
    code = hetu.synthetic(born, number, sign)
    assert hetu.birth_date(code) == born
    assert hetu.is_temporary(code)


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.integers(900, 999), st.data())
def test_one_changed_digit_makes_a_code_invalid(born: date, number: int, data: st.DataObject) -> None:
    code = hetu.synthetic(born, number, 0)
    place = data.draw(st.sampled_from([0, 1, 2, 3, 4, 5, 7, 8, 9]))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != code[place]]))
    assert hetu.birth_date(code[:place] + digit + code[place + 1 :]) is None
