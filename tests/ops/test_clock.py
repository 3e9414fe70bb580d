"""Days are days in Helsinki, times are aware UTC in one form."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ops.clock import HELSINKI, parse_wire_time, today_in_helsinki, utcnow, wire_time


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-01-15T21:59:59.999999Z", date(2026, 1, 15)),
        ("2026-01-15T22:00:00.000000Z", date(2026, 1, 16)),  # winter: two hours before Greenwich
        ("2026-07-15T20:59:59.999999Z", date(2026, 7, 15)),
        ("2026-07-15T21:00:00.000000Z", date(2026, 7, 16)),  # summer: three
        ("2026-03-28T21:59:59.000000Z", date(2026, 3, 28)),
        ("2026-03-28T22:00:00.000000Z", date(2026, 3, 29)),  # the night the clocks go forward, at 01 UTC
        ("2026-03-29T20:59:59.000000Z", date(2026, 3, 29)),
        ("2026-03-29T21:00:00.000000Z", date(2026, 3, 30)),
        ("2026-10-24T21:00:00.000000Z", date(2026, 10, 25)),  # the night they go back
        ("2026-10-25T21:59:59.000000Z", date(2026, 10, 25)),
        ("2026-10-25T22:00:00.000000Z", date(2026, 10, 26)),
        ("2025-12-31T22:00:00.000000Z", date(2026, 1, 1)),
    ],
)
def test_the_day_changes_at_midnight_in_helsinki(moment: str, day: date) -> None:
    assert today_in_helsinki(parse_wire_time(moment)) == day


def test_the_day_the_clocks_go_forward_has_23_hours_and_the_other_25() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    hours = [today_in_helsinki(start + timedelta(hours=n)) for n in range(366 * 24)]
    assert hours.count(date(2026, 3, 29)) == 23
    assert hours.count(date(2026, 10, 25)) == 25
    assert hours.count(date(2026, 5, 1)) == 24


@given(st.datetimes(datetime(1900, 1, 1), datetime(2199, 1, 1), timezones=st.sampled_from([UTC, HELSINKI])))
def test_a_time_is_read_as_it_was_written(moment: datetime) -> None:
    text = wire_time(moment)
    assert len(text) == 27
    assert parse_wire_time(text) == moment.astimezone(UTC)
    assert parse_wire_time(text).tzinfo is UTC


def test_a_time_has_one_form() -> None:
    winter = timezone(timedelta(hours=2))
    assert wire_time(datetime(2026, 11, 22, 11, 15, 2, 123456, winter)) == "2026-11-22T09:15:02.123456Z"
    assert wire_time(datetime(2026, 11, 22, 9, 15, 2, 0, UTC)) == "2026-11-22T09:15:02.000000Z"


@pytest.mark.parametrize("text", ["", "2026-11-22", "2026-11-22T09:15:02Z", "2026-11-22T09:15:02.123456+00:00"])
def test_another_form_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="match"):
        parse_wire_time(text)


def test_now_is_aware() -> None:
    assert utcnow().utcoffset() == timedelta(0)
