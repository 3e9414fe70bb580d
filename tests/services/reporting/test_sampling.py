"""Rows behind outcomes, steps and encounters: as many as the report says, the last line of each; on both databases."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from services.reporting.queries import report
from services.reporting.sampling import draw_sample
from shared.contracts.catalogue import PersonTagged, StepEntered, StepLeft
from shared.contracts.errors import UnknownCode
from shared.contracts.samples import behind
from shared.journal import Journal
from tests.services import kit
from tests.services.kit import KEY, NOW, OTHER, OWN
from tests.services.reporting.kit import STREAMS, admit, attendance, derive_all, hex_id, lead, receive, session
from tests.services.reporting.test_encounters import met, removed
from tests.services.reporting.test_outcomes import outcome
from tests.services.reporting.test_steps import STEPPED, went

MINE, THEIRS = STREAMS[OWN], STREAMS[OTHER]


def lines(engine: Engine, figure: str, end: date | None = None) -> list[tuple[str, int]]:
    """The rows of all that is behind a figure: node's stream and line."""
    told = behind(figure)
    drawn = draw_sample(
        Journal(engine, "lead"), KEY, told["indicator"], 200, "0a", None, end, by="boss", now=NOW, behind=told["behind"]
    )
    assert drawn["population"] == len(drawn["rows"])
    assert drawn["indicator"] == figure
    return [(f"{row['node']}/{KEY}", row["line"]) for row in drawn["rows"]]


def brought(engine: Engine, document: dict[str, Any], mine: list[Any], theirs: list[Any]) -> dict[str, Any]:
    lead(engine, document)
    admit(engine, OWN, OTHER)
    receive(engine, MINE, mine)
    receive(engine, THEIRS, theirs)
    derive_all(engine)
    return report(engine, KEY, None, None, NOW)


def test_behind_an_outcome_is_the_line_that_counts_of_each_person(engine: Engine) -> None:
    held, came = session(1, "duuniin", "2016-03-01", 60), [attendance(n, 1, n, "participant") for n in range(4)]
    human = [PersonTagged(hex_id("person", 0), tag=hex_id("human") * 2, key_no=1)]
    mine = [held, *came, outcome(0, 0, day="2016-03-02"), outcome(1, 1), outcome(2, 2, "work_trial"), *human]
    mine += [outcome(1, 1, day="2016-03-05"), outcome(3, 3, "work_trial"), outcome(3, 3)]  # two corrections
    theirs = [held, came[0], outcome(9, 0, day="2016-04-01"), *human]
    document = kit.changed(tag={"basis": "name_birth_date", "steward": OTHER})
    made = brought(engine, document, mine, theirs)
    assert made["outcomes"][0]["outcomes"]["education"] == 3
    assert sorted(lines(engine, "outcome:education")) == sorted([(MINE, 10), (MINE, 12), (THEIRS, 3)])
    assert lines(engine, "outcome:work_trial") == [(MINE, 8)]
    assert kit.audit(engine)[-1]["indicator"] == "outcome:work_trial"


def test_behind_a_step_is_everybodys_last_entry(engine: Engine) -> None:
    mine = [
        went(StepEntered, "a", "2016-01-01"),
        went(StepLeft, "a", "2016-02-01"),
        went(StepEntered, "a", "2016-05-01"),
    ]
    made = brought(
        engine, STEPPED, [*mine, went(StepEntered, "b", "2016-03-01")], [went(StepEntered, "c", "2016-06-01")]
    )
    assert made["steps"][0]["participations"]["entered"] == 3
    assert lines(engine, "step:outreach") == [(MINE, 3), (MINE, 4), (THEIRS, 1)]
    assert lines(engine, "step:outreach", date(2016, 4, 1)) == [(MINE, 1), (MINE, 4)]


def test_behind_encounters_is_the_last_line_of_each_that_was_not_taken_back(engine: Engine) -> None:
    mine = [met("x"), met("y"), met("x", people_new=3), removed("y"), met("z", "2016-06-01")]
    made = brought(engine, kit.DOCUMENT, mine, [met("x")])
    assert made["encounters"]["encounters"] == 3
    assert lines(engine, "encounters") == [(MINE, 3), (MINE, 5), (THEIRS, 1)]
    assert lines(engine, "encounters", date(2016, 5, 1)) == [(MINE, 3), (THEIRS, 1)]


@pytest.mark.parametrize("figure", ["outcome:moon", "step:moon", "encounters:x", "outcome:", "co99"])
def test_what_is_no_figure_is_refused(sqlite_engine: Engine, figure: str) -> None:
    lead(sqlite_engine)
    with pytest.raises(UnknownCode):
        lines(sqlite_engine, figure)
