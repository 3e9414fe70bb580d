"""What was recorded of the wrong person, or by a wrong tap, is taken back: rows, lines, and what rests on them."""

import pytest
from sqlalchemy import Engine

from services.pathways import mistakes, queries, store
from shared.contracts.errors import UnknownPerson
from shared.journal import Journal
from tests.services import kit
from tests.services.kit import KEY
from tests.services.pathways.kit import (
    ANNA,
    BERTTA,
    NOW,
    client,
    follow,
    known,
    outcome,
    record,
    record_outcomes,
    session,
    there,
)


def prepared(engine: Engine) -> Journal:
    """Anna has been at a session of Duuniin, Bertta at none."""
    journal = known(engine)
    record(journal, client(ANNA), client(BERTTA), session(1), there(1, ANNA))
    follow(journal)
    return journal


def remove_outcome(journal: Journal, made: str, subject: str = ANNA) -> bool:
    removed, pos = mistakes.remove_outcome(journal, KEY, subject, made, by="worker", now=NOW)
    assert removed == (pos is not None)
    return removed


def test_an_outcome_of_the_wrong_person_is_taken_back_once_by_a_line(engine: Engine) -> None:
    journal = prepared(engine)
    (done, other), _ = record_outcomes(journal, outcome(), outcome("later", code="work_trial"))
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
    (again, _), _ = record_outcomes(journal, outcome(), outcome("later", code="work_trial"))
    assert not again["new"], "a list that is read in again does not bring it back"
    assert remove_outcome(journal, other["outcome"])
    assert kit.rows(engine, store.outcome) == []
