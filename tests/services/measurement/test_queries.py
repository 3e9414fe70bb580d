"""Whether stored scores follow from what they were computed from: nothing that was changed goes unnamed."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update

from services.measurement import queries, store
from services.measurement.queries import check_scores
from shared.storage import transaction
from tests.services.measurement.kit import ANSWERS, THREE, form, known, record


@pytest.fixture
def made(engine: Engine) -> str:
    """The id of an assessment of which not everything was answered; beside it another two."""
    results, _ = record(known(engine), form(answers={"work_ability": 6, "functioning": 0}), form("g"), form("h"))
    return str(results[0]["assessment"])


def different(engine: Engine) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in check_scores(engine).different]


def change(engine: Engine, table: Any, made: str, scale: str | None = None, **values: Any) -> None:
    this = table.c.assessment == bytes.fromhex(made)
    if scale:
        this &= table.c.scale == scale
    with transaction(engine) as connection:
        assert connection.execute(update(table).where(this).values(**values)).rowcount


def test_scores_that_follow_are_counted_and_nothing_is_named(engine: Engine, made: str) -> None:
    found = check_scores(engine)
    assert (found.assessments, found.scores, found.different) == (3, 9, [])


@pytest.mark.parametrize("stored", ["7", None, "6.0", "", "x"])
def test_a_changed_score_is_named_with_what_it_should_be(engine: Engine, made: str, stored: str | None) -> None:
    change(engine, store.score, made, "work_ability", score=stored)
    assert different(engine) == [(made, "work_ability", stored, "6", "differs")]


def test_a_score_where_there_should_be_none_is_named(engine: Engine, made: str) -> None:
    change(engine, store.score, made, "life_satisfaction", score="0")
    assert different(engine) == [(made, "life_satisfaction", "0", None, "differs")]


def test_changed_answers_are_named_by_the_scores_that_no_longer_follow(engine: Engine, made: str) -> None:
    change(engine, store.assessment, made, answers=json.dumps(ANSWERS | {"functioning": 1}))
    assert different(engine) == [
        (made, "functioning", "0", "1", "differs"),
        (made, "life_satisfaction", None, "10", "differs"),
    ]


@pytest.mark.parametrize("answers", ["", "[]", '{"pain": 1}', '{"functioning": 11}', '{"functioning": "1"}', "nul"])
def test_answers_that_are_not_the_instruments_are_named(engine: Engine, made: str, answers: str) -> None:
    change(engine, store.assessment, made, answers=answers)
    assert [row[1:] for row in different(engine)] == [
        ("functioning", "0", None, "answers"),
        ("life_satisfaction", None, None, "answers"),
        ("work_ability", "6", None, "answers"),
    ]


def test_a_score_that_was_removed_added_or_cut_off_is_named(engine: Engine, made: str) -> None:
    lost = "0e" * 16
    with transaction(engine) as connection:
        connection.execute(store.score.delete().where(store.score.c.scale == "functioning"))
        rows = [{"assessment": bytes.fromhex(one), "scale": "total", "score": "9"} for one in (made, lost)]
        connection.execute(insert(store.score), rows)
    found = different(engine)
    assert (made, "functioning", None, "0", "missing") in found
    assert (made, "total", "9", None, "no_such_scale") in found
    assert (lost, "total", "9", None, "no_such_assessment") in found
    assert len(found) == 5


@pytest.mark.parametrize("text", [THREE.text.replace('"high":10', '"high":11'), "{", "[]", "null"])
def test_a_definition_that_is_not_what_its_digest_says_proves_nothing(engine: Engine, made: str, text: str) -> None:
    with transaction(engine) as connection:
        connection.execute(update(store.definition).values(text=text))
    found = different(engine)
    assert len(found) == 9
    assert {row[4] for row in found} == {"definition"}


def test_another_instruments_definition_under_the_assessment_is_named(engine: Engine, made: str) -> None:
    change(engine, store.assessment, made, version="2")
    assert {row[4] for row in different(engine)} == {"definition"}


def test_every_assessment_is_looked_at_however_many_there_are(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "BATCH", 2)
    results, _ = record(known(engine), *(form(f"f{n}") for n in range(5)))
    for result in results:
        change(engine, store.score, result["assessment"], "functioning", score="1")
    assert sorted(row[0] for row in different(engine)) == sorted(result["assessment"] for result in results)


def test_a_home_without_assessments_has_nothing_that_differs(engine: Engine) -> None:
    known(engine)
    assert check_scores(engine) == queries.Check(0, 0, [])
