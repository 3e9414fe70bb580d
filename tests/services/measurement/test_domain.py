"""What may be recorded of a form, and scores against a slow reference that is obviously right."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.measurement.domain import (
    Known,
    KnownAssessment,
    KnownPerson,
    KnownSession,
    NewAssessment,
    check_assessment,
    score,
    scores,
)
from shared.contracts.errors import (
    InvalidInput,
    PolkuError,
    UnknownAssessment,
    UnknownCode,
    UnknownPerson,
    UnknownSession,
)
from shared.contracts.fields import Score as ScoreField
from shared.instruments import Instrument, Scale, parse
from shared.programmes import InstrumentUse
from tests.services.kit import KEY, PROGRAMME
from tests.services.measurement.kit import ANSWERS, DAY, OTHER_SUBJECT, SESSION, SUBJECT, THREE, form

TODAY = date(2016, 11, 22)
OLD = "0b" * 16
KNOWN = Known(
    {SUBJECT: KnownPerson(KEY, date(2016, 2, 1)), OTHER_SUBJECT: KnownPerson("toinen", None)},
    {SESSION: KnownSession(KEY, DAY), "0c" * 16: KnownSession("toinen", DAY)},
    {OLD: KnownAssessment(KEY, SUBJECT, "three_items", "1", None, date(2016, 3, 1), "00")},
)


def check(new: NewAssessment, programme: Any = PROGRAMME, today: date = TODAY) -> None:
    check_assessment(new, programme, THREE, KNOWN, today)


def refused(new: NewAssessment, programme: Any = PROGRAMME, today: date = TODAY) -> tuple[type[PolkuError], Any]:
    with pytest.raises(PolkuError) as caught:
        check(new, programme, today)
    return type(caught.value), caught.value.params["field"]


def test_a_form_of_a_known_person_or_of_nobody_is_taken() -> None:
    check(form())
    check(form(session=SESSION))
    check(form(subject=None, session=SESSION, answers={}))
    check(form(corrects=OLD, answers={"functioning": 3}, occasion="exit"))


WRONG: dict[str, tuple[dict[str, Any], tuple[type[PolkuError], str]]] = {
    "instrument the programme does not use": ({"version": "2"}, (UnknownCode, "instrument")),
    "item of another instrument": ({"answers": {"pain": 3}}, (InvalidInput, "item")),
    "answer above the range": ({"answers": {"functioning": 11}}, (InvalidInput, "answers.functioning")),
    "day to come": ({"occurred_on": date(2016, 11, 23)}, (InvalidInput, "date")),
    "day before the project": ({"occurred_on": date(2015, 4, 30)}, (InvalidInput, "date")),
    "exit before the person's first day": (
        {"occasion": "exit", "occurred_on": date(2016, 1, 31)},
        (InvalidInput, "date"),
    ),
    "person nobody knows": ({"subject": "5c" * 16}, (UnknownPerson, "participant")),
    "person of another programme": ({"subject": OTHER_SUBJECT}, (UnknownPerson, "participant")),
    "session nobody knows": ({"session": "0d" * 16}, (UnknownSession, "session")),
    "session of another programme": ({"session": "0c" * 16}, (UnknownSession, "session")),
    "another day than the session's": (
        {"session": SESSION, "occurred_on": date(2016, 3, 2)},
        (InvalidInput, "date"),
    ),
    "correction of nothing": ({"corrects": "0e" * 16}, (UnknownAssessment, "corrects")),
    "correction that takes the person away": ({"corrects": OLD, "subject": None}, (InvalidInput, "corrects")),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_hold_is_refused_by_field(what: str) -> None:
    changes, expected = WRONG[what]
    assert refused(form(**changes)) == expected


def test_a_baseline_may_be_taken_before_the_first_day() -> None:
    check(form(occurred_on=date(2016, 1, 31)))


def test_only_a_follow_up_may_be_after_the_project() -> None:
    late, today = date(2017, 8, 1), date(2018, 1, 1)
    check(form(occasion="followup", occurred_on=late), today=today)
    assert refused(form(occasion="exit", occurred_on=late), today=today) == (InvalidInput, "date")


def test_an_occasion_that_the_programme_does_not_use_is_refused() -> None:
    some = replace(PROGRAMME, instruments=(InstrumentUse("three_items", "1", ("baseline", "exit")),))
    check(form(occasion="exit"), some)
    assert refused(form(occasion="interim"), some) == (InvalidInput, "occasion")


# --- scores


def instrument(
    items: int, low: int, high: int, rule: str = "mean", backwards: int = 0, missing: int = 0, decimals: int = 2
) -> Instrument:
    """An instrument of one scale with items i0, i1, …, of which the first `backwards` are reversed."""
    names, keys = {"fi": "X", "sv": "X", "en": "X"}, [f"i{n}" for n in range(items)]
    scale: dict[str, Any] = {"key": "s", "name": names, "items": keys, "rule": rule, "max_missing": missing}
    scale |= {"decimals": decimals, "better": "higher"} | ({"reversed": keys[:backwards]} if backwards else {})
    asked = [{"key": key, "name": names, "low": low, "high": high} for key in keys]
    return parse({"key": "x", "version": "1", "name": names, "items": asked, "scales": [scale]})


def of(answers: list[int | None], **rule: Any) -> str | None:
    found = instrument(len(answers), **{"low": 0, "high": 10} | rule)
    given = {f"i{n}": answer for n, answer in enumerate(answers) if answer is not None}
    return score(found.scales[0], found, given)


BY_HAND = [
    # answers, rule, score
    ([7], {"decimals": 0}, "7"),
    ([0], {"decimals": 0}, "0"),
    ([0], {"decimals": 2}, "0.00"),
    ([10], {"decimals": 4}, "10.0000"),
    ([None], {"decimals": 0}, None),
    ([1, 2], {"decimals": 0}, "2"),  # 1.5 to even
    ([2, 3], {"decimals": 0}, "2"),  # 2.5 to even
    ([2, 3, 3], {"decimals": 0}, "3"),  # 2.67
    ([1, 2, 2], {}, "1.67"),
    ([1, 1, 2], {}, "1.33"),
    ([0, 0, 0, 0, 0, 0, 0, 1], {}, "0.12"),  # 0.125 to even
    ([0, 0, 0, 0, 0, 0, 0, 3], {}, "0.38"),  # 0.375 to even
    ([5, 6, 7], {"rule": "sum", "decimals": 0}, "18"),
    ([5, 6, None], {"rule": "sum", "decimals": 0}, None),
    ([5, 6, None], {"rule": "sum", "decimals": 1, "missing": 1}, "16.5"),  # 5.5 for each of three
    ([5, None, None], {"rule": "sum", "decimals": 1, "missing": 1}, None),
    ([5, 6, None], {"missing": 1}, "5.50"),
    ([1, 5], {"low": 1, "high": 5, "backwards": 1}, "5.00"),  # 1 of 1–5 the other way round is 5
    ([0, 0], {"backwards": 1}, "5.00"),
    ([None, None], {"missing": 1}, None),
]


@pytest.mark.parametrize(("answers", "rule", "expected"), BY_HAND)
def test_scores_computed_by_hand(answers: list[int | None], rule: dict[str, Any], expected: str | None) -> None:
    assert of(answers, **rule) == expected


def reference(scale: Scale, made_of: Instrument, answers: Mapping[str, int]) -> str | None:
    """The rule of the schema word for word, with fractions; rounding by looking at both neighbours."""
    item = made_of.item_by_key[scale.items[0]]
    given = [
        Fraction(item.low + item.high - answers[key] if key in scale.reversed else answers[key])
        for key in scale.items
        if key in answers
    ]
    if len(given) < len(scale.items) - scale.max_missing:
        return None
    exact = sum(given, Fraction(0)) / len(given)
    if scale.rule == "sum":
        exact *= len(scale.items)
    steps = exact * 10**scale.decimals
    below = int(steps)
    near = min((below, below + 1), key=lambda whole: (abs(whole - steps), whole % 2))
    whole, rest = divmod(near, 10**scale.decimals)
    return f"{whole}.{str(rest).rjust(scale.decimals, '0')}" if scale.decimals else str(whole)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Instrument, dict[str, int]]:
    items, low = draw(st.integers(1, 12)), draw(st.integers(0, 3))
    high = low + draw(st.integers(1, 12))
    made = instrument(
        *(items, low, high, draw(st.sampled_from(["mean", "sum"])), draw(st.integers(0, items))),
        missing=draw(st.integers(0, items - 1)),
        decimals=draw(st.integers(0, 4)),
    )
    answers = {item.key: draw(st.integers(low, high)) for item in made.items if draw(st.integers(0, 4))}
    return made, answers


@given(cases())
def test_every_score_is_what_the_reference_says_and_a_fact_can_hold_it(case: tuple[Instrument, dict[str, int]]) -> None:
    made, answers = case
    (scale,) = made.scales
    found = score(scale, made, answers)
    assert found == reference(scale, made, answers)
    if found is not None:
        assert ScoreField.pattern.fullmatch(found)


def test_each_of_the_three_items_is_its_own_score_and_there_is_no_total() -> None:
    assert scores(THREE, ANSWERS) == {"work_ability": "6", "functioning": "0", "life_satisfaction": "10"}
    assert scores(THREE, {"functioning": 0}) == {"work_ability": None, "functioning": "0", "life_satisfaction": None}
