"""Pauses, conditions that are acted upon, proposals, and steps that nobody is on, on both databases."""

import copy
from typing import Any

import pytest
from sqlalchemy import Engine

from services.pathways import step_queries, step_store, store
from services.pathways.stepping import record_product
from shared.contracts.catalogue import ParticipationStarted, SubjectErased
from shared.contracts.errors import InvalidInput, UnknownCode
from shared.contracts.facts import Fact
from shared.contracts.purpose_facts import PurposeEnded
from shared.journal import Journal
from shared.storage import snapshot
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
    meeting,
    pause,
    record,
    record_pauses,
    record_steps,
    session,
    stay,
    talk,
    there,
)


def document(**steps: dict[str, Any]) -> dict[str, Any]:
    """The programme, its steps with more words; products of the network."""
    changed = copy.deepcopy(DOCUMENT)
    changed["steps"] = [step | steps.get(step["key"], {}) for step in changed["steps"]]
    changed["products"] = [
        {"key": "guide", "name": {"fi": "Opas"}, "step": "network"},
        {"key": "model", "name": {"fi": "Malli"}, "step": "network"},
    ]
    return changed


ALONE = document(outreach={"alone": True})
GUARDED = document(
    resources={
        "entry": "conditional",
        "enter_when": [{"on": "conversation_held"}, {"on": "step_entered", "step": "outreach"}],
    }
)
DONE_BY = {"complete_when": [{"on": "attendance_recorded", "activity": "duuniin"}, {"on": "conversation_held"}]}
MOVES = document(outreach={"alone": True, "completion": "automatic",
                           "complete_when": [{"on": "step_entered", "step": "resources"}]})  # fmt: skip


def prepared(engine: Engine, doc: dict[str, Any], *facts: Fact) -> Journal:
    journal = known(engine, doc)
    record(journal, client(ANNA), client(BERTTA), *facts)
    follow(journal)
    return journal


def error_of(results: list[dict[str, Any]]) -> dict[str, Any]:
    params: dict[str, Any] = results[0]["error"]["params"]
    return params


def told(engine: Engine, *kinds: str) -> list[tuple[str, str, str]]:
    """Steps' lines: what, step, day."""
    found = [line for line in kit.lines(engine) if line.kind.startswith("pathways.step_")]
    rows = [(line.kind.rpartition("_")[2], line.body["step"], line.body["occurred_on"]) for line in found]
    return [row for row in rows if not kinds or row[0] in kinds]


# --- pauses


def test_a_pause_and_its_end_are_a_line_each_and_the_second_names_the_first(engine: Engine) -> None:
    journal = prepared(engine, DOCUMENT)
    record_steps(journal, stay())
    first, _ = record_pauses(journal, pause("a"))
    second, _ = record_pauses(journal, pause("b", resumed_on="2016-05-01"))
    assert first[0]["pause"] == second[0]["pause"]
    assert told(engine, "paused", "resumed") == [
        ("paused", "outreach", "2016-04-01"),
        ("resumed", "outreach", "2016-05-01"),
    ]
    [row] = step_queries.steps_of(engine, KEY, ANNA)["steps"]
    assert [(p["paused_on"], p["resumed_on"]) for p in row["pauses"]] == [("2016-04-01", "2016-05-01")]
    assert record_pauses(journal, pause("b", resumed_on="2016-05-01"))[1] is None, "the same again adds nothing"


@pytest.mark.parametrize(
    ("days", "field", "reason"),
    [
        ({"paused_on": "2016-02-01"}, "from", "the person is not on this step then"),
        ({"paused_on": "2016-06-01"}, "from", "the person is not on this step then"),
        ({}, "to", "the person left the step on 2016-06-01"),
        ({"resumed_on": "2016-06-02"}, "to", "the person left the step on 2016-06-01"),
        ({"resumed_on": "2016-03-31"}, "to", "before from"),
        ({"resumed_on": "2016-11-23"}, "to", "in the future"),
    ],
)
def test_a_pause_lies_within_a_time_on_the_step(
    sqlite_engine: Engine, days: dict[str, str], field: str, reason: str
) -> None:
    journal = prepared(sqlite_engine, DOCUMENT)
    record_steps(journal, stay(left_on="2016-06-01"))
    assert error_of(record_pauses(journal, pause(**days))[0]) == {"field": field, "reason": reason}
    assert told(sqlite_engine, "paused") == []


def test_a_later_list_that_says_what_is_so_already_adds_nothing(engine: Engine) -> None:
    journal = prepared(engine, DOCUMENT)
    on, _ = record_steps(journal, stay())
    away, _ = record_pauses(journal, pause(resumed_on="2016-05-01"))
    record_steps(journal, stay("ends", left_on="2016-06-01"))
    lines = kit.kinds(engine)
    stays, _ = record_steps(journal, stay("of a later list", left_on="2016-06-01"))
    pauses, _ = record_pauses(journal, pause("away, of a later list", resumed_on="2016-05-01"))
    assert (stays[0]["stay"], pauses[0]["pause"]) == (on[0]["stay"], away[0]["pause"])
    assert kit.kinds(engine) == lines


def test_two_pauses_of_a_step_never_overlap(sqlite_engine: Engine) -> None:
    journal = prepared(sqlite_engine, DOCUMENT)
    record_steps(journal, stay())
    record_pauses(journal, pause("a", resumed_on="2016-05-01"), pause("b", paused_on="2016-05-01"))
    refused = error_of(record_pauses(journal, pause("c", paused_on="2016-04-20", resumed_on="2016-05-03"))[0])
    assert refused == {"field": "from", "reason": "the person is away from this step already at that time"}


def test_whoever_is_away_from_a_step_that_is_alone_may_be_on_another_but_not_come_back_to_both(engine: Engine) -> None:
    journal = prepared(engine, ALONE)
    record_steps(journal, stay())
    refused, _ = record_steps(journal, stay("r", step="resources", entered_on="2016-04-10"))
    assert error_of(refused)["reason"].endswith("one of the two is alone")
    record_pauses(journal, pause("a"))
    taken, _ = record_steps(journal, stay("r", step="resources", entered_on="2016-04-10"))
    assert taken[0]["new"]
    back, _ = record_pauses(journal, pause("b", resumed_on="2016-05-01"))
    assert error_of(back) == {"field": "to", "reason": "the person is on resources then, and one of the two is alone"}
    record_steps(journal, stay("r2", step="resources", entered_on="2016-04-10", left_on="2016-05-01"))
    assert record_pauses(journal, pause("b", resumed_on="2016-05-01"))[0][0]["new"]


def test_nobody_leaves_a_step_before_they_were_last_away_from_it(sqlite_engine: Engine) -> None:
    journal = prepared(sqlite_engine, DOCUMENT)
    record_steps(journal, stay())
    record_pauses(journal, pause("a"))
    refused = error_of(record_steps(journal, stay("l", left_on="2016-03-20"))[0])
    assert refused == {"field": "to", "reason": "the person was away from the step after that day"}
    assert record_steps(journal, stay("l", left_on="2016-04-20"))[0][0]["new"], "whoever is away may leave"


# --- conditions


def test_a_conditional_step_is_refused_to_whom_it_is_not_open_yet_and_says_what_lacks(engine: Engine) -> None:
    journal = prepared(engine, GUARDED)
    refused = error_of(record_steps(journal, stay("r", step="resources"))[0])
    assert refused["field"] == "step"
    assert refused["reason"] == "may not be entered on that day without: conversation_held; step_entered outreach"
    record(journal, talk(1, "2016-03-05"))
    follow(journal)
    early = stay("early", step="resources", entered_on="2016-03-04")
    both, _ = record_steps(journal, stay("o"), early, skip_bad=True)
    assert both[0]["new"], both
    assert "conversation_held" in both[1]["error"]["params"]["reason"], "a talk of the next day opens nothing today"
    assert record_steps(journal, stay("r", step="resources", entered_on="2016-03-05"))[0][0]["new"]


def test_a_step_is_left_by_itself_on_the_day_on_which_the_last_condition_was_met(engine: Engine) -> None:
    journal = prepared(engine, document(outreach=DONE_BY | {"completion": "automatic"}), talk(0, "2016-02-01"))
    record_steps(journal, stay())
    record(journal, session(1, day="2016-04-02"), there(1, day="2016-04-02"))
    follow(journal)
    assert told(engine, "left") == [], "the talk was before entering"
    record(journal, talk(1, "2016-03-20"))
    follow(journal)
    assert told(engine, "left") == [("left", "outreach", "2016-04-02")]
    again, _ = record_steps(journal, stay("again", entered_on="2016-06-01"))
    follow(journal)
    assert again[0]["new"], "whoever has completed a step may return to it"
    assert told(engine, "left") == [("left", "outreach", "2016-04-02")], "and what was before does not end that"


def test_what_had_happened_before_it_was_written_down_that_somebody_is_on_a_step_completes_it_too(
    sqlite_engine: Engine,
) -> None:
    doc = document(outreach=DONE_BY | {"completion": "automatic"})
    journal = prepared(
        sqlite_engine, doc, session(1, day="2016-04-02"), there(1, day="2016-04-02"), talk(1, "2016-04-05")
    )
    record_steps(journal, stay())
    follow(journal)
    assert told(sqlite_engine, "left") == [("left", "outreach", "2016-04-05")]


def test_a_pause_that_is_later_than_the_completing_fact_moves_the_day_of_leaving(sqlite_engine: Engine) -> None:
    journal = prepared(sqlite_engine, document(outreach=DONE_BY | {"completion": "automatic"}))
    record_steps(journal, stay())
    record_pauses(journal, pause("a", paused_on="2016-05-01"))
    record(journal, session(1, day="2016-04-02"), there(1, day="2016-04-02"), talk(1, "2016-04-02"))
    follow(journal)
    assert told(sqlite_engine, "left") == [("left", "outreach", "2016-05-01")]


def test_entering_the_next_step_ends_the_one_that_is_completed_by_it(engine: Engine) -> None:
    journal = prepared(engine, MOVES)
    record_steps(journal, stay())
    moved, _ = record_steps(journal, stay("r", step="resources", entered_on="2016-04-01"))
    assert moved[0]["new"], "outreach is alone, and ends on that day"
    follow(journal)
    assert told(engine) == [
        ("entered", "outreach", "2016-03-01"),
        ("left", "outreach", "2016-04-01"),
        ("entered", "resources", "2016-04-01"),
    ]
    with snapshot(engine) as connection:
        stays = store.find_stays(connection, [ANNA])
    assert [str(s.left_on) for s in stays[ANNA, "outreach"]] == ["2016-04-01"]


def test_an_export_that_says_how_a_step_ended_by_itself_adds_nothing_and_another_end_is_refused(engine: Engine) -> None:
    journal = prepared(engine, MOVES)
    first, _ = record_steps(journal, stay(), stay("r", step="resources", entered_on="2016-04-01"))
    lines = kit.kinds(engine)
    same, _ = record_steps(journal, stay("later export", left_on="2016-04-01"))
    assert same == [{"stay": first[0]["stay"], "new": True}]
    assert kit.kinds(engine) == lines
    other = error_of(record_steps(journal, stay("other", left_on="2016-04-02"))[0])
    assert other == {"field": "from", "reason": "the person is on this step already at that time"}


def test_proposals_name_who_may_enter_and_for_whom_a_step_is_done(engine: Engine) -> None:
    doc = document(outreach=DONE_BY, resources={"enter_when": [{"on": "meeting_planned"}]})
    journal = prepared(engine, doc, meeting(1, "2016-12-24", BERTTA), session(1), there(1), talk(1, "2016-03-09"))
    record_steps(journal, stay())
    follow(journal)
    found = step_queries.list_proposals(engine, KEY, 10, 0)
    shown = [(p["subject"], p["step"], p["what"], p["since"]) for p in found["proposals"]]
    done = (ANNA, "outreach", "complete", "2016-03-09")
    assert found["total"] == 2
    assert shown == [done, (BERTTA, "resources", "enter", "2016-11-22")], "the day that says so, not the meeting's"
    assert step_queries.list_proposals(engine, KEY, 1, 1)["proposals"][0]["subject"] == BERTTA
    record_steps(journal, stay("l", left_on="2016-03-09"), stay("b", BERTTA, "resources"))
    assert step_queries.list_proposals(engine, KEY, 10, 0) == {"total": 0, "proposals": []}


def test_what_steps_wait_for_and_pauses_are_forgotten_with_the_person(engine: Engine) -> None:
    journal = prepared(engine, DOCUMENT, talk(1, "2016-03-09"))
    record_steps(journal, stay())
    record_pauses(journal, pause())
    record(journal, SubjectErased(ANNA))
    follow(journal)
    left = [row["subject"].hex() for table in (step_store.seen, step_store.pause) for row in kit.rows(engine, table)]
    assert left == [BERTTA]


def test_a_start_that_steps_wait_for_is_forgotten_when_the_funds_record_goes(engine: Engine) -> None:
    began = ParticipationStarted(ANNA, occurred_on="2016-03-01", gender="f", target_group="outside_working_life")
    journal = prepared(engine, DOCUMENT, began)
    assert "participation_started" in [row["fact"] for row in kit.rows(engine, step_store.seen)]
    said = {"ending": "0f" * 16, "purpose": "esf_record", "why": "asked", "occurred_on": "2016-09-01"}
    record(journal, PurposeEnded(ANNA, **said))
    follow(journal)
    assert "participation_started" not in [row["fact"] for row in kit.rows(engine, step_store.seen)]


# --- steps that nobody is on


def test_community_steps_stand_by_sessions_and_products_and_the_others_by_people(engine: Engine) -> None:
    doc = document(togetherness={"advanced_by": ["kaapeli"]}, network={"advanced_by": ["public_event"]})
    journal = prepared(engine, doc)
    rows = {row["step"]: row for row in step_queries.step_states(engine, KEY, NOW)}
    assert [rows[key]["state"] for key in ("togetherness", "network")] == ["not_begun", "not_begun"]
    record(journal, session(1, "kaapeli", "2016-03-01"), session(2, "kaapeli", "2016-05-01"))
    record_steps(journal, stay(), stay("b", BERTTA), stay("r", step="resources", left_on="2016-03-02"))
    record_pauses(journal, pause(subject=BERTTA))
    follow(journal)
    common: dict[str, Any] = {"by": "worker", "now": NOW}
    assert record_product(journal, KEY, "guide", "finished", NOW.date(), **common)[0]
    assert not record_product(journal, KEY, "guide", "finished", NOW.date(), **common)[0]
    rows = {row["step"]: row for row in step_queries.step_states(engine, KEY, NOW)}
    assert rows["outreach"]["participations"] == {"entered": 2, "on": 1, "paused": 1, "left": 0}
    assert rows["resources"]["participations"] == {"entered": 1, "on": 0, "paused": 0, "left": 1}
    together = rows["togetherness"]
    assert (together["state"], together["sessions"], together["first"], together["last"]) == (
        *("going_on", 2),
        *("2016-03-01", "2016-05-01"),
    )
    assert rows["network"]["state"] == "going_on"
    record_product(journal, KEY, "model", "finished", NOW.date(), **common)
    assert step_queries.step_states(engine, KEY, NOW)[3]["state"] == "done"


def test_a_product_is_the_programmes_and_of_a_day_that_can_be(sqlite_engine: Engine) -> None:
    journal = prepared(sqlite_engine, document())
    common: dict[str, Any] = {"by": "worker", "now": NOW}
    with pytest.raises(UnknownCode):
        record_product(journal, KEY, "nothing", "begun", NOW.date(), **common)
    with pytest.raises(InvalidInput, match="in the future"):
        record_product(journal, KEY, "guide", "begun", NOW.date().replace(year=2017), **common)
