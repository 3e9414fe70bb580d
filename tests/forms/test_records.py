"""What the cases of `tests/esf_kit` do not show: evidence, and the laws that hold of all records."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.forms import find_form
from shared.forms.records import Counts, End, Record, Start, count, counted, immediate, lacks, not_asked, one_record

FORM = find_form("esf_2014_2020")
BASE: dict[str, Any] = {"gender": "f", "age": 30, "labour_status": "inactive", "education": 3}
SPECIAL = ("foreign_background", "minority", "disability", "other_disadvantage")


def test_evidence_is_missing_where_a_special_category_was_not_asked_or_nothing_says_that_it_was() -> None:
    answered = dict.fromkeys(SPECIAL, "no")
    assert not_asked(FORM, Start(date(2016, 3, 1), BASE | answered, asked=True)) == ()
    assert not_asked(FORM, Start(date(2016, 3, 1), BASE | answered)) == SPECIAL
    some = BASE | answered | {"minority": "not_asked"}
    del some["disability"]
    assert not_asked(FORM, Start(date(2016, 3, 1), some, asked=True)) == ("minority", "disability")


def answers() -> st.SearchStrategy[dict[str, Any]]:
    given_: dict[str, st.SearchStrategy[Any]] = {}
    for question in FORM.questions:
        options: list[Any] = [None, *question.answers, *question.unanswered]
        if question.low is not None:
            options += [question.low, 5, 24, 25, 55]
        given_[question.key] = st.sampled_from(options)
    some = st.fixed_dictionaries(given_)
    return some.map(lambda said: {key: value for key, value in said.items() if value is not None})


DAYS = st.integers(0, 60).map(lambda n: date(2016, 3, 1) + timedelta(days=n))
RESULTS = st.frozensets(st.sampled_from(["education", "qualification"]), max_size=2).flatmap(
    lambda others: st.sampled_from(["none", "job_search", "employment", ""]).map(
        lambda labour: others | {labour} if labour and (labour != "none" or not others) else others
    )
)
ENDS = st.builds(End, DAYS, RESULTS, st.lists(st.tuples(DAYS, RESULTS), max_size=3).map(tuple))
STARTS = st.builds(Start, DAYS, answers())


@settings(max_examples=300, deadline=None)
@given(STARTS, st.none() | ENDS)
def test_the_status_of_a_complete_record_is_one_and_an_incomplete_one_counts_nowhere(start: Start, end: Any) -> None:
    codes = counted(FORM, start, end)
    if lacks(FORM, start):
        assert codes == frozenset()
        return
    assert len(codes & {"CO01", "CO03", "CO05"}) == 1
    assert codes >= {"CO01"} or "CO02" not in codes
    assert "CO03" in codes or "CO04" not in codes
    assert len(codes & {"CR01", "CR04"}) <= 1


@settings(max_examples=200, deadline=None)
@given(ENDS)
def test_results_hold_one_labour_event_at_most_and_never_none(end: End) -> None:
    found = immediate(FORM, end)
    assert len(found & {"job_search", "employment"}) <= 1
    assert "none" not in found


def test_the_last_day_there_is_may_be_told_as_the_day_of_leaving() -> None:
    assert immediate(FORM, End(date.max, frozenset({"employment"}), ())) == {"employment"}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(STARTS, st.none() | ENDS), min_size=1, max_size=4), st.randoms())
def test_the_record_of_a_person_does_not_depend_on_the_order_of_days_that_differ(stays: Any, chance: Any) -> None:
    unlike = {start.started_on for start, _ in stays}
    ends = {end.ended_on for _, end in stays if end is not None}
    mixed = list(stays)
    chance.shuffle(mixed)
    if len(unlike) == len(stays) and len(ends) == sum(end is not None for _, end in stays):
        assert one_record(stays) == one_record(mixed)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), STARTS, st.none() | ENDS), max_size=6))
def test_no_indicator_has_more_people_than_there_are_complete_records(told: Any) -> None:
    found = count(FORM, [Record("p", person, start, end) for person, start, end in told]).get("p", Counts())
    assert found.participants.total() == len({person for person, _, _ in told})
    assert found.complete.total() <= found.participants.total()
    for by_gender in found.indicators.values():
        assert by_gender <= found.complete
