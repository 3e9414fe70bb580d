"""The rules of what may be recorded of a session."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.domain import KnownSession, NewSession, check_attendance, check_session
from shared.contracts.errors import InvalidInput, PolkuError, UnknownCode, UnknownPerson, UnknownSession
from tests.services.activities.kit import DAY, SUBJECT, attendance, event, session
from tests.services.kit import KEY, PROGRAMME

TODAY = date(2016, 11, 22)
AT = "0a" * 16
SESSIONS = {AT: KnownSession(KEY, DAY, 120, "people", "kaapeli")}


def refused(new: NewSession) -> tuple[type[PolkuError], Any]:
    with pytest.raises(PolkuError) as caught:
        check_session(new, PROGRAMME, TODAY)
    return type(caught.value), caught.value.params["field"]


@pytest.mark.parametrize("field", ["activity", "location", "area"])
def test_a_code_that_the_programme_does_not_have_is_refused_by_name(field: str) -> None:
    new = session(activity="kuu") if field == "activity" else session(**{field: "kuu"})
    assert refused(new) == (UnknownCode, field)


def test_what_nobody_wrote_down_may_be_left_out() -> None:
    check_session(session(start=None, minutes=None, location=None, area=None, languages=()), PROGRAMME, TODAY)
    check_session(event(heads=None, women=None, basis=None), PROGRAMME, TODAY)


@pytest.mark.parametrize("day", [date(2016, 11, 23), date(2015, 4, 30), date(2017, 6, 1)])
def test_a_day_in_the_future_or_outside_the_programme_is_refused(day: date) -> None:
    assert refused(session(occurred_on=day)) == (InvalidInput, "date")


def test_the_last_day_of_the_programme_belongs_to_it() -> None:
    check_session(session(occurred_on=date(2017, 5, 31)), PROGRAMME, date(2020, 1, 1))


@given(
    heads=st.none() | st.integers(0, 3), women=st.none() | st.integers(0, 3), basis=st.sampled_from([None, "counted"])
)
def test_heads_women_and_basis_go_together(heads: int | None, women: int | None, basis: str | None) -> None:
    """Right: nothing at all, or heads with their basis and no more women than heads; 0 is a count."""
    right = (heads, women, basis) == (None, None, None)
    right |= heads is not None and basis is not None and (women is None or women <= heads)
    new = event(heads=heads, women=women, basis=basis)
    if right:
        check_session(new, PROGRAMME, TODAY)
    else:
        assert refused(new)[1] in ("headcount_basis", "headcount_women")


def test_an_activity_that_counts_people_takes_no_heads_not_even_0() -> None:
    assert refused(session(heads=0, basis="counted")) == (InvalidInput, "headcount")


def why_refused(sessions: Any = SESSIONS, people: Any = None, **changes: Any) -> type[PolkuError]:
    with pytest.raises(PolkuError) as caught:
        check_attendance(attendance(AT, **changes), KEY, sessions, {SUBJECT: KEY} if people is None else people)
    return type(caught.value)


@pytest.mark.parametrize("minutes", [None, 1, 120])
def test_a_known_person_at_a_known_session_is_recorded(minutes: int | None) -> None:
    check_attendance(attendance(AT, minutes=minutes), KEY, SESSIONS, {SUBJECT: KEY})


def test_nobody_stays_longer_than_the_session() -> None:
    assert why_refused(minutes=121) is InvalidInput


def test_a_session_whose_length_nobody_knows_sets_no_limit() -> None:
    check_attendance(
        attendance(AT, minutes=999), KEY, {AT: KnownSession(KEY, DAY, None, "people", "kaapeli")}, {SUBJECT: KEY}
    )


def test_person_and_session_must_be_known_in_this_programme() -> None:
    assert why_refused(sessions={}) is UnknownSession
    assert why_refused(sessions={AT: KnownSession("toinen", DAY, 120, "people", "kaapeli")}) is UnknownSession
    assert why_refused(people={}) is UnknownPerson
    assert why_refused(people={SUBJECT: "toinen"}) is UnknownPerson


def test_where_heads_are_counted_nobody_is_named() -> None:
    assert why_refused(sessions={AT: KnownSession(KEY, DAY, 120, "heads", "kaapeli")}) is InvalidInput
