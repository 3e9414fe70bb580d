"""Scores and forms at the lead: the last of each holds, and no report shows them yet (decision 0041)."""

import pytest
from sqlalchemy import Engine

from services.reporting import operations, rebuilding, store, versions
from services.reporting.queries import report
from shared.contracts.catalogue import AnswersRecorded
from tests.services import kit
from tests.services.kit import KEY, NOW, OTHER, OWN
from tests.services.reporting.kit import (
    STREAMS,
    admit,
    asides,
    assessment_removed,
    derive_all,
    hex_id,
    lead,
    receive,
    score,
    sheet,
    sheet_removed,
)

STREAM = STREAMS[OWN]


def scores(engine: Engine) -> dict[tuple[str, str, str], tuple[str | None, str]]:
    """Score and occasion by stream, assessment and scale."""
    return {
        (row["stream"], row["assessment"].hex(), row["scale"]): (row["score"], row["occasion"])
        for row in kit.rows(engine, store.score)
    }


def test_of_each_assessment_and_scale_the_last_score_holds(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN, OTHER)
    receive(engine, STREAM, [score(1, "p", "3"), score(1, "p", None, "work_ability"), score(2, "q", "4")])
    receive(engine, STREAMS[OTHER], [score(1, "r", "9")])
    derive_all(engine)
    receive(engine, STREAM, [score(1, "p", "5", occasion="exit"), score(2, "q", None)])
    derive_all(engine)
    one, two = hex_id("assessment", 1), hex_id("assessment", 2)
    assert scores(engine) == {
        (STREAM, one, "functioning"): ("5", "exit"),
        (STREAM, one, "work_ability"): (None, "baseline"),
        (STREAM, two, "functioning"): (None, "baseline"),  # too little answered, after all
        (STREAMS[OTHER], one, "functioning"): ("9", "baseline"),
    }
    row = next(row for row in kit.rows(engine, store.score) if row["score"] == "9")
    assert (row["subject"].hex(), row["definition"], row["version"]) == (hex_id("person", "r"), "d" * 64, "1")


def test_forms_that_name_nobody_are_only_there(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN)
    receive(engine, STREAM, [sheet(1), sheet(2), sheet(1)])
    derive_all(engine)
    assert len(kit.rows(engine, store.sheet)) == 2
    assert kit.rows(engine, store.score) == []


@pytest.mark.parametrize("at_once", [1, 2_500])
def test_a_form_that_was_a_mistake_has_no_score_whether_it_came_just_now_or_long_ago(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(operations, "READ_AT_ONCE", at_once)
    lead(engine)
    admit(engine, OWN)
    wrong = [score(1, "p", "3"), score(1, "p", None, "work_ability"), assessment_removed(1, "p")]
    receive(engine, STREAM, [*wrong, score(2, "p", "4"), score(3, "q", "5"), assessment_removed(3, "p"), sheet(4)])
    derive_all(engine)
    assert {assessment for _, assessment, _ in scores(engine)} == {hex_id("assessment", n) for n in (2, 3)}
    receive(engine, STREAM, [assessment_removed(2, "p"), sheet_removed(4), assessment_removed(1, "p")])
    derive_all(engine)
    assert {assessment for _, assessment, _ in scores(engine)} == {hex_id("assessment", 3)}, "no line took back q's"
    assert (kit.rows(engine, store.sheet), asides(engine)) == ([], {})
    assert rebuilding.check(engine)["equal"]


def test_an_instrument_that_the_programme_does_not_use_is_set_aside_until_it_does(engine: Engine) -> None:
    journal = lead(engine, kit.changed(instruments=[]))
    admit(engine, OWN)
    receive(engine, STREAM, [score(1, "p", "3"), sheet(2), score(3, "p", "3", version="2")])
    derive_all(engine)
    assert asides(engine) == dict.fromkeys((1, 2, 3), "unknown_instrument")
    versions.load_programme(journal, kit.DOCUMENT, "boss", NOW)
    derive_all(engine)
    assert asides(engine) == {3: "unknown_instrument"}
    assert len(kit.rows(engine, store.score)) == 1


def test_answers_that_reached_a_lead_are_refused(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN)
    receive(engine, STREAM, [AnswersRecorded(hex_id("person", 1), **AnswersRecorded.example)])
    derive_all(engine)
    assert asides(engine) == {1: "foreign_kind"}


def test_no_report_shows_scores_yet(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN)
    before = report(engine, KEY, None, None, NOW)
    receive(engine, STREAM, [score(1, "p", "3"), sheet(2)])
    derive_all(engine)
    after = report(engine, KEY, None, None, NOW)
    assert after.keys() == before.keys()
    assert "change" not in after
    assert after["activities"] == before["activities"]
    assert after["data_quality"]["refused_lines"] == 0
