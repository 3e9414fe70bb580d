"""Tasks of plans, of leaving and of forms: what opens them, what ends them, nothing twice."""

from typing import Any

import pytest
from sqlalchemy import Engine

from services.pathways import operations, queries, store
from shared.contracts.encounter_facts import VisitorMet
from shared.contracts.plan_facts import PlanEntryRecorded, PlanEntryWithdrawn
from shared.contracts.record_facts import FollowUpRecorded, ParticipationEnded, ParticipationResumed
from shared.contracts.start_facts import EuraEntered, ExitFormRecorded, RecordAttempted
from shared.journal import Journal
from tests.services import kit
from tests.services.kit import KEY
from tests.services.pathways.kit import ANNA, DOCUMENT, hex_id, known, noon, tell

RULES: list[dict[str, Any]] = [
    {"key": "promise", "opens": {"on": "plan_action", "who": "worker"}, "due_days": 14},
    {"key": "call", "opens": {"on": "participation_ended"}, "due_days": 180,
     "closes": {"on": "follow_up_recorded", "status": "reached"}},
    {"key": "form", "opens": {"on": "participation_ended", "reason": "completed"}, "due_days": 28,
     "closes": {"on": "exit_form_recorded"}},
    {"key": "entry", "opens": {"on": "participation_ended"}, "due_days": 7,
     "closes": {"on": "eura_entered", "record": "exit"}},
    {"key": "again", "opens": {"on": "record_attempted", "status": "not_reached"}, "due_days": 3},
    {"key": "review", "opens": {"on": "visitor_met"}, "due_days": 30, "closes": {"on": "plan_reviewed"}},
]  # fmt: skip
LOCAL = {"programme": KEY}
AT = {"occurred_on": "2016-03-01"}


@pytest.fixture
def journal(sqlite_engine: Engine) -> Journal:
    return known(sqlite_engine, DOCUMENT | {"tasks": [{"name": {"fi": rule["key"]}, **rule} for rule in RULES]})


def tasks(journal: Journal) -> list[tuple[str, str, str]]:
    """Rule, day it is due, state and why, the oldest first."""
    rows = sorted(kit.rows(journal.engine, store.task), key=lambda row: (row["rule"], row["due_on"]))
    return [(row["rule"], row["due_on"].isoformat(), row["reason"] or row["state"]) for row in rows]


def agreed(name: str = "a", **more: Any) -> PlanEntryRecorded:
    entry = {"entry": hex_id(name), "what": "action", "state": "open", "shown": True, "who": "worker"}
    return PlanEntryRecorded(ANNA, **LOCAL, **entry | {"day": "2016-03-09", "text_ref": hex_id("t", name)} | more)


def test_what_a_worker_has_promised_in_a_plan_is_a_task_of_that_day(journal: Journal) -> None:
    tell(journal, agreed(), agreed("b", day=None), agreed("c", who="person"))
    assert tasks(journal) == [("promise", "2016-03-09", "open"), ("promise", "2016-03-15", "open")]
    first, _ = queries.list_tasks(journal.engine, KEY, "open", 10, 0, noon("2016-03-10"))["tasks"]
    assert (first["text_ref"], first["late"], first["owner"]) == (hex_id("t", "a"), True, "case_worker")
    assert queries.waiting(journal.engine, noon("2016-03-10"))["case_worker"] == 1, "and in the e-mail notice"


def test_a_plan_that_is_saved_again_makes_no_task_again(journal: Journal) -> None:
    tell(journal, agreed(), agreed(shown=False), now="2016-03-02")
    (row,) = kit.rows(journal.engine, store.task)
    operations.close_task(journal, row["task"].hex(), "done", None, by="w", now=noon("2016-03-03"))
    tell(journal, agreed(), agreed(day=None), now="2016-03-04")
    assert tasks(journal) == [("promise", "2016-03-09", "done")]


@pytest.mark.parametrize(
    ("change", "how"),
    [({"state": "done"}, "met"), ({"state": "given_up"}, "not_needed"), ({"who": "person"}, "not_needed")],
)
def test_what_is_done_given_up_or_somebody_elses_waits_no_longer(
    journal: Journal, change: dict[str, str], how: str
) -> None:
    tell(journal, agreed())
    tell(journal, agreed(**change), now="2016-03-04")
    assert tasks(journal) == [("promise", "2016-03-09", how)]


def test_another_day_is_another_task_and_an_entry_taken_out_is_none(journal: Journal) -> None:
    tell(journal, agreed())
    tell(journal, agreed(day="2016-03-20"), now="2016-03-08")
    assert tasks(journal) == [("promise", "2016-03-09", "not_needed"), ("promise", "2016-03-20", "open")]
    tell(journal, agreed(day="2016-03-09"), now="2016-03-08")
    assert tasks(journal)[1] == ("promise", "2016-03-20", "open"), "one task for an entry and a day"
    tell(journal, PlanEntryWithdrawn(ANNA, entry=hex_id("a"), text_ref=hex_id("t", "a"), **LOCAL))
    assert tasks(journal)[1] == ("promise", "2016-03-20", "not_needed")


def left(reason: str = "completed") -> ParticipationEnded:
    return ParticipationEnded(ANNA, reason=reason, **AT)


def test_after_leaving_forms_entries_and_a_call_are_waited_for(journal: Journal) -> None:
    tell(journal, left())
    assert tasks(journal) == [
        ("call", "2016-08-28", "open"),
        ("entry", "2016-03-08", "open"),
        ("form", "2016-03-29", "open"),
    ]
    asked = {"follow_up": hex_id("f"), "due": "2016-08-28", "occurred_on": "2016-08-29"}
    tell(
        journal,
        ExitFormRecorded(ANNA, may_call="yes", signed_on="2016-02-20", **LOCAL),
        EuraEntered(ANNA, record="start", entered_by="self", **LOCAL, **AT),
        FollowUpRecorded(ANNA, status="not_reached", **asked),
        now="2016-08-29",
    )
    assert [state for _, _, state in tasks(journal)] == ["open", "open", "met"]
    tell(
        journal,
        EuraEntered(ANNA, record="exit", entered_by="self", **LOCAL, **AT),
        FollowUpRecorded(ANNA, status="reached", **asked),
        now="2016-08-29",
    )
    assert [state for _, _, state in tasks(journal)] == ["met", "met", "met"]


def test_who_came_back_has_nothing_to_be_asked_until_they_leave_again(journal: Journal) -> None:
    tell(journal, left("interrupted"), ParticipationResumed(ANNA, **AT))
    assert {state for _, _, state in tasks(journal)} == {"not_needed"}
    tell(journal, ParticipationEnded(ANNA, reason="completed", occurred_on="2016-05-01"), now="2016-05-01")
    assert [state for rule, _, state in tasks(journal) if rule == "call"] == ["not_needed", "open"]


@pytest.mark.parametrize("reason", ["died", "transferred"])
def test_nobody_is_to_ask_who_died_or_goes_on_elsewhere(journal: Journal, reason: str) -> None:
    tell(journal, left(reason))
    assert tasks(journal) == []
    tell(journal, left(), left(reason))
    assert {state for _, _, state in tasks(journal)} == {"not_needed"}, "a mistaken reason was corrected"


def test_a_form_asked_for_in_vain_and_a_visit_may_open_a_task(journal: Journal) -> None:
    tried = {"attempt": hex_id("t"), "record": "start", **LOCAL, **AT}
    met = VisitorMet(ANNA, visit=hex_id("v"), encounter=hex_id("e"), **LOCAL, **AT)
    tell(journal, RecordAttempted(ANNA, status="refused", **tried), met)
    assert tasks(journal) == [("review", "2016-03-31", "open")]
    review = {"entry": hex_id("r"), "what": "review", "state": "done", "shown": True, "day": "2016-03-02"}
    tell(journal, PlanEntryRecorded(ANNA, **LOCAL, **review), RecordAttempted(ANNA, status="not_reached", **tried))
    assert tasks(journal) == [("again", "2016-03-04", "open"), ("review", "2016-03-31", "met")]
