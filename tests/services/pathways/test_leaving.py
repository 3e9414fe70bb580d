"""Who leaves ends what is open of them; who comes back begins again; nothing twice."""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text, update

import services.activities.store as activities_store
from services.intake.exits import record_exits
from services.intake.records import NewExit
from services.node.csvarchive import CsvArchive
from services.node.csvcells import Cells
from services.node.csvrows import STEPS
from services.pathways import hearing, leaving_store, mistakes, operations, queries, step_queries, store
from services.pathways.domain import NewStay
from shared.contracts.catalogue import FACTS, StandingReached, SubjectErased
from shared.contracts.client_facts import ClientLeft, ClientReturned
from shared.contracts.purpose_facts import PurposeEnded
from shared.contracts.record_facts import FollowUpRecorded, ParticipationResumed
from shared.journal import Journal
from shared.programmes import parse
from shared.storage import transaction
from shared.storage.migrate import migrate
from tests.services import kit
from tests.services.intake.kit import arrival, register
from tests.services.intake.kit import known as intake_known
from tests.services.kit import KEY, PROGRAMME
from tests.services.pathways.kit import (
    ANNA,
    BERTTA,
    DOCUMENT,
    action,
    client,
    follow,
    hex_id,
    known,
    left,
    meeting,
    noon,
    pause,
    record_pauses,
    record_steps,
    session,
    stay,
    talk,
    tell,
    there,
)

CALL = {
    **{"key": "call", "name": {"fi": "Soita"}, "opens": {"on": "participation_ended"}, "due_days": 30},
    "closes": {"on": "follow_up_recorded"},
}
CALL_AGAIN = {"key": "again", "name": {"fi": "Vielä"}, "opens": {"on": "follow_up_recorded"}, "due_days": 5}
WHOLE: dict[str, Any] = DOCUMENT | {"tasks": [*DOCUMENT["tasks"], CALL, CALL_AGAIN]}


@pytest.fixture
def journal(sqlite_engine: Engine) -> Journal:
    return known(sqlite_engine, WHOLE)


def back(day: str) -> ParticipationResumed:
    return ParticipationResumed(ANNA, occurred_on=day)


def look(journal: Journal, day: str) -> int:
    return len(list(hearing.look_at_clock(journal, noon(day))))


def tasks(journal: Journal) -> list[tuple[str, str, str]]:
    """Rule, day it is due, state or why it was dismissed."""
    rows = sorted(kit.rows(journal.engine, store.task), key=lambda row: (row["rule"], row["due_on"]))
    return [(row["rule"], row["due_on"].isoformat(), row["reason"] or row["state"]) for row in rows]


def open_tasks(journal: Journal) -> list[tuple[str, str]]:
    return [(rule, due) for rule, due, state in tasks(journal) if state == "open"]


def step_lines(engine: Engine) -> list[tuple[str, str]]:
    found = [line for line in kit.lines(engine) if line.kind.startswith("pathways.step_")]
    return [(line.kind.rpartition("_")[2], line.body["occurred_on"]) for line in found]


def test_nothing_is_to_be_done_about_who_has_left_but_what_leaving_asks(journal: Journal) -> None:
    tell(journal, client(ANNA), client(BERTTA), session(1), there(1), action(1), meeting(1, "2016-07-01"))
    tell(journal, left(), now="2016-06-02")
    assert {state for rule, _, state in tasks(journal) if rule != "call"} == {"open", "has_left"}
    assert open_tasks(journal) == [("call", "2016-07-01"), ("talk", "2016-03-08")], "hers, and the other's"
    assert queries.waiting(journal.engine, noon("2016-06-30"))["case_worker"] == 1, (
        "the e-mail counts the other's alone"
    )
    tell(journal, session(2), there(2), action(2), client(ANNA), now="2016-06-03")
    assert len(open_tasks(journal)) == 2, "what is written down later opens nothing about who has left"
    asked = {"follow_up": hex_id("f"), "due": "2016-07-01", "occurred_on": "2016-07-01"}
    tell(journal, FollowUpRecorded(ANNA, status="not_reached", **asked), now="2016-07-01")
    assert open_tasks(journal) == [("again", "2016-07-06"), ("talk", "2016-03-08")], "but what is of leaving"


@pytest.mark.parametrize("reason", ["died", "transferred"])
def test_of_who_died_or_goes_on_elsewhere_nothing_at_all_is_open(journal: Journal, reason: str) -> None:
    tell(journal, client(), left(), now="2016-06-01")
    assert open_tasks(journal) == [("call", "2016-07-01")]
    tell(journal, left(reason=reason), now="2016-06-02")
    asked = {"follow_up": hex_id("f"), "due": "2016-07-01", "occurred_on": "2016-07-01"}
    tell(journal, FollowUpRecorded(ANNA, status="not_reached", **asked), now="2016-07-01")
    assert open_tasks(journal) == []
    assert ("call", "2016-07-01", "not_needed") in tasks(journal)


@pytest.mark.parametrize("reason", ["moved", "died"])
def test_a_client_leaves_all_that_was_open_and_nothing_is_asked_of_a_record_that_is_none(
    journal: Journal, reason: str
) -> None:
    tell(journal, client(), session(1), there(1), action(1))
    record_steps(journal, stay())
    gone = ClientLeft(ANNA, programme=KEY, reason=reason, occurred_on="2016-06-01")
    tell(journal, gone, gone, now="2016-06-02")
    assert {state for _, _, state in tasks(journal)} == {"has_left"}
    assert step_lines(journal.engine)[-1] == ("left", "2016-06-01")
    tell(journal, session(2), there(2), now="2016-06-03")
    assert open_tasks(journal) == []
    said = {"ending": "0f" * 16, "purpose": "esf_record", "why": "asked", "occurred_on": "2016-09-01"}
    tell(journal, PurposeEnded(ANNA, **said), gone, now="2016-09-01")  # as intake tells it again
    assert look(journal, "2016-10-01") == 0


def test_a_client_comes_back_and_whose_record_began_before_has_left_by_its_exit(journal: Journal) -> None:
    tell(journal, client())
    gone = ClientLeft(ANNA, programme=KEY, reason="moved", occurred_on="2016-06-01")
    tell(journal, gone, ClientReturned(ANNA, programme=KEY, occurred_on="2016-07-01"), now="2016-07-01")
    assert open_tasks(journal) == [("talk", "2016-07-08")]
    tell(journal, gone, left(), now="2016-07-02")
    assert open_tasks(journal) == [("call", "2016-07-01")]


def test_a_repetition_stops_and_begins_again_on_the_day_of_coming_back(engine: Engine) -> None:
    journal = known(engine, WHOLE)
    tell(journal, client(), talk(1, "2016-03-02"), now="2016-03-02")
    tell(journal, left("2016-03-10"), now="2016-03-10")
    assert look(journal, "2016-06-01") == 0, "it would have come back on 25 March"
    assert [rule for rule, _ in open_tasks(journal)] == ["call"]
    tell(journal, back("2016-09-01"), now="2016-09-02")
    assert open_tasks(journal) == [("talk", "2016-09-08")]
    tell(journal, talk(2, "2016-09-05"), now="2016-09-05")
    assert look(journal, "2016-09-28") == 1, "and repeats as before"
    assert open_tasks(journal) == [("talk", "2016-10-05")]


def test_a_talk_on_the_day_of_coming_back_leaves_the_next_one_alone_to_be_held(journal: Journal) -> None:
    tell(journal, client(), left("2016-03-03"), talk(1, "2016-09-01"), back("2016-09-01"), now="2016-09-01")
    assert open_tasks(journal) == []
    assert look(journal, "2016-09-24") == 1
    assert open_tasks(journal) == [("talk", "2016-10-01")]


def test_what_a_worker_had_dismissed_does_not_begin_again_nor_what_was_agreed(journal: Journal) -> None:
    tell(journal, client(), action(1))
    talk_task = next(row for row in kit.rows(journal.engine, store.task) if row["rule"] == "talk")
    operations.close_task(journal, talk_task["task"].hex(), "dismissed", "refused", by="w", now=noon("2016-03-02"))
    tell(journal, left("2016-03-03"), back("2016-05-01"), now="2016-05-01")
    assert open_tasks(journal) == []


def test_an_exit_of_another_day_is_asked_about_from_that_day(journal: Journal) -> None:
    tell(journal, left("2016-06-01"), now="2016-06-02")
    tell(journal, left("2016-05-20"), now="2016-06-03")
    assert tasks(journal) == [("call", "2016-06-19", "open"), ("call", "2016-07-01", "not_needed")]
    tell(journal, left("2016-05-20"), now="2016-06-04")
    assert len(tasks(journal)) == 2, "results alone were corrected"


def test_heard_again_and_after_restarts_nothing_ends_twice(sqlite_engine: Engine, journal: Journal) -> None:
    tell(journal, client(), now="2016-03-01")
    record_steps(journal, stay())
    tell(journal, left(), left(), now="2016-06-01")
    follow(journal, noon("2016-06-02"))
    look(journal, "2016-06-03")
    assert [state for rule, _, state in tasks(journal) if rule == "talk"] == ["has_left"]
    assert kit.kinds(sqlite_engine).count("pathways.task_closed") == 1
    assert step_lines(sqlite_engine) == [("entered", "2016-03-01"), ("left", "2016-06-01")]


def test_who_leaves_is_on_no_step_any_more_and_nothing_is_proposed(engine: Engine) -> None:
    journal = known(engine, WHOLE)
    tell(journal, client())
    record_steps(journal, stay(), stay("b", step="resources", entered_on="2016-07-01"))
    record_pauses(journal, pause())
    tell(journal, left("2016-06-01"), now="2016-09-01")
    assert sorted(step_lines(engine)) == [
        *[("entered", "2016-03-01"), ("entered", "2016-07-01"), ("left", "2016-06-01"), ("left", "2016-07-01")],
        *[("paused", "2016-04-01"), ("resumed", "2016-06-01")],
    ], "on the last day; a time that began after it, on the day that it began"
    assert [row["on"] for row in _people(engine)] == [0, 0]
    assert "next_step" not in [rule for rule, _ in open_tasks(journal)], "leaving the programme is no change of steps"


def _people(engine: Engine) -> list[dict[str, int]]:
    states = step_queries.step_states(engine, KEY, noon("2016-11-01"))
    return [row["participations"] for row in states if row.get("participations")]


def test_proposals_are_about_who_is_there(sqlite_engine: Engine) -> None:
    steps = [s | ({"enter_when": [{"on": "conversation_held"}]} if s["key"] == "outreach" else {})
             for s in DOCUMENT["steps"]]  # fmt: skip
    journal = known(sqlite_engine, WHOLE | {"steps": steps})
    tell(journal, client(), talk(1, "2016-03-01"))
    assert step_queries.list_proposals(sqlite_engine, KEY, 10, 0)["total"] == 1
    tell(journal, left(), now="2016-06-01")
    assert step_queries.list_proposals(sqlite_engine, KEY, 10, 0)["total"] == 0
    assert step_queries.steps_of(sqlite_engine, KEY, ANNA)["proposals"] == []
    tell(journal, back("2016-07-01"), now="2016-07-01")
    assert step_queries.list_proposals(sqlite_engine, KEY, 10, 0)["total"] == 1


@pytest.mark.parametrize(
    ("days", "field"), [({"entered_on": "2016-06-02"}, "from"), ({}, "to"), ({"left_on": "2016-06-02"}, "to")]
)
def test_nobody_is_on_a_step_after_they_left_until_they_are_back(
    journal: Journal, days: dict[str, str], field: str
) -> None:
    tell(journal, client(), left(), now="2016-06-01")
    (result,), _ = record_steps(journal, stay(**days))
    assert result["error"]["params"] == {"field": field, "reason": "the person left the programme on 2016-06-01"}
    assert record_steps(journal, stay("past", left_on="2016-06-01"))[0][0]["new"], "what was before is recorded still"
    tell(journal, back("2016-06-01"), now="2016-06-05")
    again = NewStay(kit.key_of("again"), ANNA, "outreach", date(2016, 6, 1), None)
    assert record_steps(journal, again)[0][0]["new"]


def test_an_export_that_says_how_leaving_has_ended_a_step_adds_nothing(sqlite_engine: Engine, journal: Journal) -> None:
    tell(journal, client())
    (first,), _ = record_steps(journal, stay())
    tell(journal, left(), now="2016-06-01")
    (same,), _ = record_steps(journal, stay("row", left_on="2016-06-01"))
    assert same["stay"] == first["stay"]
    assert len(step_lines(sqlite_engine)) == 2


def test_what_a_list_says_of_who_left_a_step_before_they_left_the_programme_holds(
    sqlite_engine: Engine, journal: Journal
) -> None:
    tell(journal, client())
    (first,), _ = record_steps(journal, stay())
    record_pauses(journal, pause("a", paused_on="2016-03-10", resumed_on="2016-03-12"), pause("b"))
    tell(journal, left(), now="2016-06-01")
    before = kit.lines(sqlite_engine)
    (refused,), _ = record_steps(journal, stay("early", left_on="2016-03-31"))
    assert refused["error"]["params"]["reason"] == "the person was away from the step after that day"
    assert kit.lines(sqlite_engine) == before
    (corrected,), _ = record_steps(journal, stay("row", left_on="2016-05-20"))
    assert corrected == {"stay": first["stay"], "new": True}
    told = [(line.kind.partition(".")[2], line.body) for line in kit.lines(sqlite_engine)[len(before) :]]
    step = {"step": "outreach"}
    assert told == [
        ("pause_removed", step | {"paused_on": "2016-04-01", "resumed_on": "2016-06-01"}),
        ("step_removed", step | {"entered_on": "2016-03-01", "left_on": "2016-06-01"}),
        ("step_entered", step | {"occurred_on": "2016-03-01"}),
        ("step_paused", step | {"occurred_on": "2016-04-01"}),
        ("step_resumed", step | {"occurred_on": "2016-05-20"}),
        ("step_left", step | {"occurred_on": "2016-05-20"}),
    ]
    (row,) = step_queries.steps_of(sqlite_engine, KEY, ANNA)["steps"]
    assert (row["stay"], row["entered_on"], row["left_on"]) == (first["stay"], "2016-03-01", "2016-05-20")
    away = [(one["paused_on"], one["resumed_on"]) for one in row["pauses"]]
    assert away == [("2016-03-10", "2016-03-12"), ("2016-04-01", "2016-05-20")]
    assert record_steps(journal, stay("row", left_on="2016-05-20"))[1] is None, "the same list again adds nothing"
    (other,), _ = record_steps(journal, stay("other", left_on="2016-05-10"))
    assert other["error"]["params"]["field"] == "from", "what is said of it now is somebody's word"
    assert open_tasks(journal) == [("call", "2016-07-01")]


def test_a_time_on_a_step_of_who_has_left_is_put_right_by_taking_it_back_and_telling_it_anew(journal: Journal) -> None:
    tell(journal, client())
    (first,), _ = record_steps(journal, stay())
    tell(journal, left("2016-05-01"), left("2016-05-10"), now="2016-06-01")
    mistakes.remove_step(journal, KEY, ANNA, first["stay"], by="worker", now=noon("2016-06-01"))
    assert record_steps(journal, stay("right", left_on="2016-05-10"))[0][0]["new"]
    (row,) = step_queries.steps_of(journal.engine, KEY, ANNA)["steps"]
    assert (row["entered_on"], row["left_on"]) == ("2016-03-01", "2016-05-10")


def test_who_leaves_after_the_last_day_of_the_programme_was_on_a_step_until_that_day_and_the_archive_says_so(
    sqlite_engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    last, late = PROGRAMME.period.end.isoformat(), "2017-06-15"
    tell(journal, client())
    record_steps(journal, stay(), stay("b", step="resources", entered_on=last), now=noon(late))
    tell(journal, left(late), now=late)
    assert [day for what, day in step_lines(sqlite_engine) if what == "left"] == [last, last]
    made = CsvArchive(PROGRAMME, "leader", {ANNA: "p1"})
    for line in kit.lines(sqlite_engine):
        if line.stream == f"{kit.NODE}/{KEY}" and line.kind.startswith("pathways.step_"):
            made.take(FACTS[line.kind, line.v].read(line.subject, line.body))
    made.write(tmp_path, {ANNA: {"standing": "client"}})
    rows = list(csv.reader((tmp_path / "steps.csv").open(encoding="utf-8")))[1:]
    wrong: list[tuple[str, str]] = []
    spans = [Cells(STEPS, row, lambda *said: wrong.append(said)).step_span(parse(DOCUMENT)) for row in rows]
    assert (wrong, len(spans)) == ([], 2), "the set can be read back"
    for number, span in enumerate(spans):
        assert span is not None
        (same,), _ = record_steps(journal, NewStay(kit.key_of(f"row {number}"), ANNA, *span), now=noon(late))
        assert "error" not in same
    assert len(step_lines(sqlite_engine)) == 4, "and adds nothing where it stands already"


def test_a_home_of_before_learns_who_has_left_and_who_has_died(engine: Engine) -> None:
    journal = intake_known(engine)
    results, _ = register(journal, arrival("a"), arrival("b", identity={"given_name": "B"}), arrival("c"))
    died, moved, there_still = (str(one["subject"]) for one in results)
    exits = [NewExit(kit.key_of(who), who, date(2016, 6, 1), why, None, None) for who, why in
             ((died, "died"), (moved, "moved"))]  # fmt: skip
    record_exits(journal, KEY, exits, by="w", now=noon("2016-06-01"))
    with transaction(engine) as connection:
        for subject in (died, moved, there_still):
            store.put_person(connection, subject, KEY)
            activities_store.put_person(connection, subject, KEY, "client")
        for statement in (
            *("DROP TABLE pathways_leaving", "DROP INDEX pathways_track_subject"),
            *("ALTER TABLE pathways_track DROP COLUMN stopped", "ALTER TABLE activities_person DROP COLUMN died_on"),
            "UPDATE alembic_version SET version_num = 'pathways_0006' WHERE version_num = 'pathways_0007'",
            "UPDATE alembic_version SET version_num = 'activities_0003' WHERE version_num = 'activities_0004'",
        ):
            connection.execute(text(statement))
    migrate(engine)
    rows = {row["subject"].hex(): (row["reason"], row["settled"]) for row in kit.rows(engine, leaving_store.leaving)}
    assert rows == {died: ("died", False), moved: ("moved", False)}
    days = {row["subject"].hex(): row["died_on"] for row in kit.rows(engine, activities_store.person)}
    assert days == {died: date(2016, 6, 1), moved: None, there_still: None}


def test_who_left_before_this_release_is_settled_once_by_the_timer(engine: Engine) -> None:
    journal = known(engine, WHOLE)
    tell(journal, client())
    record_steps(journal, stay())
    with transaction(engine) as connection:  # as the migration leaves it: known to have left, with all still open
        leaving_store.put(connection, ANNA, KEY, leaving_store.Leaving(date(2016, 5, 1), "died"))
        connection.execute(update(leaving_store.leaving).values(settled=False))
    assert look(journal, "2016-06-01") == 1
    assert (open_tasks(journal), step_lines(engine)[-1]) == ([], ("left", "2016-05-01"))
    assert look(journal, "2016-06-02") == 0


def ended(day: str = "2016-09-01", purpose: str = "esf_record") -> PurposeEnded:
    return PurposeEnded(ANNA, ending="0f" * 16, purpose=purpose, why="asked", occurred_on=day)


def test_that_somebody_left_goes_with_them(journal: Journal) -> None:
    tell(journal, client(), left(), now="2016-06-01")
    tell(journal, SubjectErased(ANNA), now="2016-09-01")
    assert kit.rows(journal.engine, leaving_store.leaving) == []
    assert open_tasks(journal) == []


@pytest.mark.parametrize("reason", ["completed", "died"])
def test_whose_record_is_erased_is_no_less_away_and_nobody_knows_since_when(engine: Engine, reason: str) -> None:
    journal = known(engine, WHOLE)
    tell(journal, client(), talk(1, "2016-03-02"), now="2016-03-02")
    tell(journal, left("2016-05-31", reason), now="2016-06-01")
    tell(journal, ended(), client(day=None), now="2016-09-01")  # as intake writes both
    (row,) = kit.rows(engine, leaving_store.leaving)
    assert (row["left_on"], row["reason"]) == (date(2016, 9, 1), "record_erased"), "of the erasing, not of the exit"
    assert open_tasks(journal) == [], "neither anew, nor what leaving had asked"
    if reason == "completed":
        assert ("call", "2016-06-30", "not_needed") in tasks(journal), "there is no exit to ask about"
    tell(journal, session(2, day="2016-09-02"), there(2), action(2), now="2016-09-02")
    assert (open_tasks(journal), look(journal, "2016-11-01")) == ([], 0)
    assert queries.waiting(engine, noon("2016-11-01"))["case_worker"] == 0


@pytest.mark.parametrize("how", ["returns", "begins anew"])
def test_whose_record_is_erased_is_worked_with_again_when_they_are_back(journal: Journal, how: str) -> None:
    tell(journal, client(), left("2016-05-31"), now="2016-06-01")
    tell(journal, ended(), client(day=None), now="2016-09-01")
    anew = StandingReached(ANNA, standing="esf_participant", occurred_on="2016-10-01")
    tell(journal, back("2016-10-01") if how == "returns" else anew, now="2016-10-01")
    assert kit.rows(journal.engine, leaving_store.leaving) == []
    assert open_tasks(journal) == [("talk", "2016-10-08")]


def test_who_is_there_when_their_record_is_erased_is_there(journal: Journal) -> None:
    tell(journal, client(), ended(), client(day=None))
    assert kit.rows(journal.engine, leaving_store.leaving) == []
    assert open_tasks(journal) == [("talk", "2016-03-08")]


def test_a_wrong_exit_that_is_taken_back_at_once_leaves_the_rules_as_they_were(journal: Journal) -> None:
    tell(journal, client(), session(1), there(1))
    before = [rule for rule, _ in open_tasks(journal)]
    tell(journal, left("2016-03-05"), back("2016-03-05"), now="2016-03-05")
    assert [rule for rule, _ in open_tasks(journal)] == before
    assert not any(row["stopped"] for row in kit.rows(journal.engine, store.track))
