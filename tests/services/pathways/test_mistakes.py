"""What was recorded of the wrong person, or by a wrong tap, is taken back: rows, lines, and what rests on them."""

import copy
from typing import Any

import pytest
from sqlalchemy import Engine

from services.pathways import mistakes, queries, step_queries, step_store, store
from shared.contracts.errors import InvalidInput, UnknownPerson
from shared.contracts.rights_facts import PersonRestricted
from shared.journal import Journal
from tests.services import kit
from tests.services.kit import KEY
from tests.services.pathways.kit import (
    ANNA,
    BERTTA,
    DOCUMENT,
    NOW,
    client,
    follow,
    known,
    outcome,
    pause,
    record,
    record_outcomes,
    record_pauses,
    record_steps,
    session,
    stay,
    there,
)


def prepared(engine: Engine, document: dict[str, Any] = DOCUMENT) -> Journal:
    """Anna has been at a session of Duuniin, Bertta at none."""
    journal = known(engine, document)
    record(journal, client(ANNA), client(BERTTA), session(1), there(1, ANNA))
    follow(journal)
    return journal


def remove_outcome(journal: Journal, made: str, subject: str = ANNA) -> bool:
    removed, pos = mistakes.remove_outcome(journal, KEY, subject, made, by="worker", now=NOW)
    assert removed == (pos is not None)
    return removed


def test_an_outcome_of_the_wrong_person_is_taken_back_once_by_a_line(engine: Engine) -> None:
    journal = prepared(engine)
    (done, other), _ = record_outcomes(journal, outcome(), outcome("later", code="work_trial", day="2016-09-01"))
    assert [row["outcome"] for row in queries.outcomes_of(engine, KEY, ANNA)] == ["education", "work_trial"]
    with pytest.raises(UnknownPerson):
        remove_outcome(journal, done["outcome"], "c5" * 16)
    assert not remove_outcome(journal, done["outcome"], BERTTA), "it is not hers"
    assert remove_outcome(journal, done["outcome"])
    assert not remove_outcome(journal, done["outcome"])
    assert [row["outcome_id"] for row in queries.outcomes_of(engine, KEY, ANNA)] == [other["outcome"]]
    gone = [line for line in kit.lines(engine) if line.kind == "pathways.outcome_removed"]
    assert [(line.subject, line.body) for line in gone] == [(ANNA, {"outcome_id": done["outcome"]})]
    assert kit.audit(engine)[-1]["action"] == "remove_outcome"
    (again, _), _ = record_outcomes(journal, outcome(), outcome("later", code="work_trial", day="2016-09-01"))
    assert not again["new"], "a list that is read in again does not bring it back"
    assert remove_outcome(journal, other["outcome"])
    assert kit.rows(engine, store.outcome) == []


def test_of_a_restricted_person_what_was_wrong_is_taken_back_and_nothing_else_recorded(engine: Engine) -> None:
    journal = prepared(engine)
    (done,), _ = record_outcomes(journal, outcome())
    record(journal, PersonRestricted(ANNA, occurred_on="2016-09-01"))
    assert remove_outcome(journal, done["outcome"])
    (refused,), _ = record_outcomes(journal, outcome("again"))
    assert refused["error"]["code"] == "processing_restricted"


def remove_step(journal: Journal, made: str, subject: str = ANNA) -> bool:
    removed, pos = mistakes.remove_step(journal, KEY, subject, made, by="worker", now=NOW)
    assert removed == (pos is not None)
    return removed


def removals(engine: Engine) -> list[tuple[str, dict[str, str]]]:
    names = ("pathways.step_removed", "pathways.pause_removed")
    return [(line.kind.partition(".")[2], line.body) for line in kit.lines(engine) if line.kind in names]


def test_a_time_on_a_step_that_was_a_wrong_tap_is_taken_back_with_the_times_away_from_it(engine: Engine) -> None:
    journal = prepared(engine)
    first = {"entered_on": "2016-03-01", "left_on": "2016-05-01"}
    (early, late), _ = record_steps(journal, stay("1", **first), stay("2", entered_on="2016-05-01"))
    inside = {"paused_on": "2016-04-01", "resumed_on": "2016-04-20"}
    record_pauses(journal, pause("p1", **inside), pause("p2", paused_on="2016-05-01"))
    assert not remove_step(journal, early["stay"], BERTTA), "it is not hers"
    assert remove_step(journal, early["stay"])
    assert not remove_step(journal, early["stay"])
    step = {"step": "outreach"}
    assert removals(engine) == [("pause_removed", step | inside), ("step_removed", step | first)]
    (row,) = step_queries.steps_of(engine, KEY, ANNA)["steps"]
    assert (row["stay"], len(row["pauses"])) == (late["stay"], 1), "away since the day on which the other began"
    assert remove_step(journal, late["stay"])
    assert removals(engine)[2:] == [
        ("pause_removed", step | {"paused_on": "2016-05-01"}),
        ("step_removed", step | {"entered_on": "2016-05-01"}),
    ]
    assert (kit.rows(engine, store.stay), kit.rows(engine, step_store.pause)) == ([], [])
    assert kit.audit(engine)[-1]["action"] == "remove_step"
    (again,), _ = record_steps(journal, stay("3", **first))
    assert again["new"], "what was recorded by mistake stands in nothing's way"


def remove_pause(journal: Journal, made: str, subject: str = ANNA) -> bool:
    removed, pos = mistakes.remove_pause(journal, KEY, subject, made, by="worker", now=NOW)
    assert removed == (pos is not None)
    return removed


def test_a_time_away_that_was_none_is_taken_back_and_the_time_on_the_step_stays(engine: Engine) -> None:
    journal = prepared(engine)
    record_steps(journal, stay(entered_on="2016-03-01"))
    inside = {"paused_on": "2016-04-01", "resumed_on": "2016-04-20"}
    (over, still), _ = record_pauses(journal, pause("1", **inside), pause("2", paused_on="2016-05-01"))
    assert not remove_pause(journal, over["pause"], BERTTA), "it is not hers"
    assert remove_pause(journal, over["pause"])
    assert not remove_pause(journal, over["pause"])
    (row,) = step_queries.steps_of(engine, KEY, ANNA)["steps"]
    assert [away["pause"] for away in row["pauses"]] == [still["pause"]]
    assert remove_pause(journal, still["pause"])
    step = {"step": "outreach"}
    assert removals(engine) == [("pause_removed", step | inside), ("pause_removed", step | {"paused_on": "2016-05-01"})]
    assert kit.audit(engine)[-1]["action"] == "remove_pause"
    (again,), _ = record_pauses(journal, pause("1", **inside))
    assert not again["new"], "a list that is read in again does not bring it back"
    assert kit.rows(engine, step_store.pause) == []


def test_whoever_was_on_another_step_meanwhile_was_away_if_one_of_the_two_is_alone(engine: Engine) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["steps"] = [step | ({"alone": True} if step["key"] == "outreach" else {}) for step in document["steps"]]
    journal = prepared(engine, document)
    record_steps(journal, stay(entered_on="2016-03-01"))
    (away,), _ = record_pauses(journal, pause(paused_on="2016-04-01", resumed_on="2016-05-01"))
    (other,), _ = record_steps(journal, stay("2", step="resources", entered_on="2016-04-10", left_on="2016-04-12"))
    before = kit.lines(engine)
    with pytest.raises(InvalidInput) as refused:
        remove_pause(journal, away["pause"])
    assert refused.value.params["field"] == "pause"
    assert kit.lines(engine) == before
    assert remove_step(journal, other["stay"])
    assert remove_pause(journal, away["pause"])
