"""Who is due for what: the schedule of the programme file, days of the participation, forms that are there."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.measurement.schedule import Participation, due
from shared.programmes import Asking, InstrumentUse, Programme
from tests.services.kit import PROGRAMME

WHEN = (Asking("baseline", 14), Asking("interim", 90), Asking("interim", 180), Asking("exit", 7))
USE = InstrumentUse("three_items", "1", schedule=WHEN)
START = date(2016, 3, 1)
HERE = Participation(START)
LEFT = Participation(START, ended_on=date(2016, 9, 1), reason="completed")


def programme(*uses: InstrumentUse, follow_up_days: int | None = None) -> Programme:
    return replace(PROGRAMME, instruments=uses or (USE,), follow_up_days=follow_up_days)


def asked(of: Participation, today: date, filled: dict[str, list[date]] | None = None, **more: int) -> dict[str, date]:
    by = {("three_items", occasion): days for occasion, days in (filled or {}).items()}
    return {one.occasion: one.due_on for one in due(programme(**more), of, by, today)}


def test_the_first_form_waits_from_the_start_until_it_is_filled_in() -> None:
    assert asked(Participation(), START) == {}, "nobody without a start"
    assert asked(HERE, START - timedelta(days=1)) == {}
    assert asked(HERE, START) == {"baseline": START + timedelta(days=14)}
    assert asked(HERE, START, {"baseline": [START - timedelta(days=9)]}) == {}, "it may be the reason for the start"


@pytest.mark.parametrize(
    ("day", "filled", "wanted"),
    [
        (75, [], None),
        (76, [], 90),
        (90, [45], None),
        (90, [44], 90),
        (134, [], 90),
        (166, [], 180),
        (166, [100], 180),
        (166, [135], None),
        (900, [90, 134], 180),
        (900, [900], None),
    ],
)
def test_a_form_on_the_way_is_of_the_day_that_it_is_nearest_to(day: int, filled: list[int], wanted: int | None) -> None:
    days = {"interim": [START + timedelta(days=n) for n in filled], "baseline": [START]}
    found = asked(HERE, START + timedelta(days=day), days)
    assert found == ({} if wanted is None else {"interim": START + timedelta(days=wanted)})


def test_whoever_has_left_is_asked_that_alone_and_afterwards_where_the_project_does() -> None:
    later = date(2017, 4, 1)
    assert asked(LEFT, date(2016, 9, 1)) == {"exit": date(2016, 9, 8)}
    assert asked(LEFT, later, {"exit": [date(2016, 8, 30)]}) == {}, "filled in before the last day"
    assert asked(LEFT, later, {"exit": [later]}, follow_up_days=180) == {"followup": date(2017, 2, 28)}
    assert asked(LEFT, later, {"exit": [later], "followup": [later]}, follow_up_days=180) == {}
    assert asked(replace(LEFT, may_call=False), later, follow_up_days=180) == {"exit": date(2016, 9, 8)}


@pytest.mark.parametrize("reason", ["died", "no_contact", "transferred"])
def test_who_cannot_be_asked_is_not(reason: str) -> None:
    assert asked(replace(LEFT, reason=reason), date(2017, 4, 1), follow_up_days=180) == {}


def test_who_came_back_and_leaves_again_is_asked_again() -> None:
    again = replace(LEFT, back_on=(date(2016, 10, 1),), ended_on=date(2016, 12, 1))
    assert asked(again, date(2016, 12, 1), {"exit": [date(2016, 9, 1)]}) == {"exit": date(2016, 12, 8)}


def test_of_two_versions_the_later_is_asked_and_a_form_of_either_counts() -> None:
    both = programme(USE, replace(USE, version="2"))
    (one,) = due(both, HERE, {}, START)
    assert one.version == "2"
    assert due(both, HERE, {("three_items", "baseline"): [START]}, START) == []
