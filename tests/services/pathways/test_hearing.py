"""Single rules as a worker meets them: what opens a task, what closes it, when it is late."""

from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine

from services.pathways import hearing, operations, queries, store
from shared.contracts.catalogue import (
    FACTS,
    ActionWithdrawn,
    AnswersRecorded,
    AttendanceRemoved,
    MeetingWithdrawn,
    SessionRemoved,
)
from shared.journal import Journal
from shared.programmes.workflow import FILTERS
from shared.storage import transaction
from shared.storage.forgetting import naming_people
from tests.services import kit
from tests.services.kit import KEY
from tests.services.pathways.kit import (
    ANNA,
    BERTTA,
    DOCUMENT,
    action,
    client,
    follow,
    hex_id,
    known,
    meeting,
    noon,
    outcome,
    record_outcomes,
    session,
    talk,
    tell,
    there,
)


def tasks(engine: Engine, state: str = "open", now: str = "2016-11-22") -> list[tuple[str, str, str]]:
    found = queries.list_tasks(engine, KEY, state, 100, 0, noon(now))
    assert found["total"] == len(found["tasks"])
    return [(task["rule"], task["person"], task["due_on"]) for task in found["tasks"]]


def look(journal: Journal, day: str) -> int:
    return len(list(hearing.look_at_clock(journal, noon(day))))


def test_a_fact_opens_a_task_that_is_due_some_days_after_its_own_day(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, client(ANNA, "2016-02-25"), client(BERTTA, None), now="2016-03-01")
    assert tasks(engine) == [("talk", ANNA, "2016-03-03"), ("talk", BERTTA, "2016-03-08")]


def test_a_person_has_one_open_task_of_a_rule(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, session(1), session(2, day="2016-03-02"), there(1), there(2))
    assert tasks(engine) == [("ask_outcome", ANNA, "2016-03-31")]


def test_only_what_the_rule_names_opens_it(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, session(1, "kaapeli"), there(1), session(2), there(2, role="staff"))
    assert tasks(engine) == []


@pytest.mark.parametrize("talk_first", [False, True])
def test_what_has_happened_leaves_nothing_to_do_whichever_was_written_first(engine: Engine, talk_first: bool) -> None:
    journal = known(engine)
    facts = [client(ANNA, "2016-03-01"), talk(1, "2016-03-01")]
    tell(journal, *(reversed(facts) if talk_first else facts))
    assert tasks(engine) == []
    assert look(journal, "2016-03-23") == 0
    assert look(journal, "2016-03-24") == 1  # 23 days after the talk, in both orders
    assert tasks(engine) == [("talk", ANNA, "2016-03-31")]


def test_what_happened_before_does_not_count(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, client(ANNA, "2016-03-02"), talk(1, "2016-03-01"), now="2016-03-02")
    assert tasks(engine) == [("talk", ANNA, "2016-03-09")]


def test_a_task_is_late_when_its_day_in_helsinki_has_passed(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, client(ANNA, "2016-02-22"))  # due on 29 February

    def late(moment: Any) -> bool:
        (task,) = queries.list_tasks(engine, KEY, "open", 10, 0, moment)["tasks"]
        return bool(task["late"])

    evening = noon("2016-02-29").replace(hour=21)
    assert late(evening) is False
    assert late(evening.replace(hour=22)) is True  # midnight in Helsinki


def test_how_late_tasks_are_is_measured_and_ends_when_they_are_met(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, client(ANNA, "2016-02-22"), client(BERTTA, "2016-02-26"))  # due on 29 February and 4 March

    def measured(day: str) -> tuple[float | None, float | None]:
        hearing.measure(engine, noon(day))
        names = ("polku_pathways_late_tasks", "polku_pathways_lateness_seconds")
        late, seconds = (REGISTRY.get_sample_value(name, {"programme": KEY}) for name in names)
        return late, seconds

    assert measured("2016-02-29") == (0, 0)
    assert measured("2016-03-02") == (1, 2 * 86_400)
    assert measured("2016-03-05") == (2, 5 * 86_400)
    tell(journal, talk(1, "2016-03-05"), now="2016-03-05")
    assert measured("2016-03-05") == (1, 86_400)


def test_a_task_comes_back_after_it_was_met_until_it_is_dismissed(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, client(ANNA, "2016-03-01"))
    tell(journal, talk(1, "2016-03-05"), now="2016-03-05")
    tell(journal, talk(2, "2016-03-10"), now="2016-03-10")  # met again while nothing is to be done
    assert look(journal, "2016-04-01") == 0
    assert look(journal, "2016-04-02") == 1
    assert look(journal, "2016-04-03") == 0
    assert tasks(engine) == [("talk", ANNA, "2016-04-09")]
    (task,) = queries.list_tasks(engine, KEY, "open", 10, 0, noon("2016-04-03"))["tasks"]
    operations.close_task(journal, task["task"], "dismissed", "has_left", by="worker", now=noon("2016-04-03"))
    assert look(journal, "2017-04-03") == 0


def test_done_by_hand_it_comes_back_and_never_after_the_project(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, client(ANNA, "2017-04-01"), now="2017-04-01")
    for day, again in (("2017-04-01", 1), ("2017-05-01", 1), ("2017-05-30", 0)):
        (task,) = queries.list_tasks(engine, KEY, "open", 10, 0, noon(day))["tasks"]
        operations.close_task(journal, task["task"], "done", None, by="worker", now=noon(day))
        assert look(journal, "2018-01-01") == again


def test_a_clock_that_goes_back_and_forth_makes_nothing_twice(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, client(ANNA, "2016-03-01"), talk(1, "2016-03-01"))
    assert [look(journal, day) for day in ("2016-05-01", "2016-03-02", "2016-05-01", "2016-03-24")] == [1, 0, 0, 0]
    assert len(tasks(engine)) == 1


def test_while_pathways_is_down_time_passes_by_what_is_written_down(engine: Engine) -> None:
    """A talk in May, heard late: the repetition of March was due before it, and it is met by it."""
    journal = known(engine)
    tell(journal, client(ANNA, "2016-03-01"), talk(1, "2016-03-01"))
    tell(journal, talk(2, "2016-05-01"), now="2016-05-01")
    assert tasks(engine) == []
    assert [due for _, _, due in tasks(engine, "closed")] == ["2016-03-08", "2016-03-31"]
    assert look(journal, "2016-05-24") == 1


def test_an_agreed_action_is_due_on_its_day_or_in_time_and_each_is_its_own(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, action(1, due_on="2016-03-04"), action(2))
    assert tasks(engine) == [("action", ANNA, "2016-03-04"), ("action", ANNA, "2016-03-15")]
    first, second = queries.list_tasks(engine, KEY, "open", 10, 0, noon("2016-03-01"))["tasks"]
    assert (first["text_ref"], second["text_ref"]) == (hex_id("text", 1), hex_id("text", 2))
    opened = [line for line in kit.lines(engine) if line.kind == "pathways.task_opened"]
    assert [line.body["text_ref"] for line in opened] == [hex_id("text", 1), hex_id("text", 2)]
    operations.close_task(journal, first["task"], "done", None, by="worker", now=noon("2016-03-02"))
    tell(journal, action(3), now="2016-03-02")
    assert len(tasks(engine)) == 2


def test_a_planned_meeting_is_met_by_a_talk_on_its_day(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, meeting(1, "2016-03-10"), meeting(2, "2016-04-10"), talk(1, "2016-03-09"))
    assert tasks(engine) == [("meet", ANNA, "2016-03-11"), ("meet", ANNA, "2016-04-11")]
    tell(journal, talk(2, "2016-03-10"), now="2016-03-10")
    assert tasks(engine) == [("meet", ANNA, "2016-04-11")]


def test_what_was_written_down_by_mistake_is_to_be_done_by_nobody(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, action(1), action(2), meeting(1, "2016-03-10"))
    withdrawn = ActionWithdrawn(ANNA, action=hex_id("action", 1), programme=KEY, text_ref=hex_id("text", 1))
    tell(journal, withdrawn, MeetingWithdrawn(ANNA, meeting=hex_id("meeting", 1), programme=KEY))
    (left,) = queries.list_tasks(engine, KEY, "open", 10, 0, noon("2016-03-01"))["tasks"]
    assert left["text_ref"] == hex_id("text", 2)
    closed = queries.list_tasks(engine, KEY, "closed", 10, 0, noon("2016-03-01"))["tasks"]
    assert {(task["state"], task["reason"]) for task in closed} == {("dismissed", "mistake")}


def test_a_session_and_an_attendance_that_were_slips_are_forgotten(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, session(1), there(1), session(2))
    tell(journal, AttendanceRemoved(ANNA, attendance=hex_id("attendance", 1, ANNA), session=hex_id("session", 1)))
    state = queries.period_state(engine, KEY, "whole_project", noon("2017-06-01"))
    assert (state["unmarked"]["total"], state["without_outcome"][0]["participants"]) == (2, 0)
    tell(journal, SessionRemoved(None, session=hex_id("session", 2)))
    assert queries.period_state(engine, KEY, "whole_project", noon("2017-06-01"))["unmarked"]["total"] == 1


def test_a_rule_that_a_new_version_has_not_leaves_its_tasks_to_the_workers(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, client(ANNA), client(BERTTA), talk(1, "2016-03-02", BERTTA))
    kit.put_programme(engine, store.shelf, DOCUMENT | {"tasks": []})
    tell(journal, talk(2, "2016-03-02"))
    assert look(journal, "2016-12-01") == 0
    assert look(journal, "2016-12-01") == 0
    (task,) = queries.list_tasks(engine, KEY, "open", 10, 0, noon("2016-03-02"))["tasks"]
    assert (task["rule"], task["owner"]) == ("talk", "case_worker")
    assert operations.close_task(journal, task["task"], "done", None, by="w", now=noon("2016-03-02"))[0] is True


def test_a_person_who_is_forgotten_is_in_no_table(engine: Engine) -> None:
    journal = known(engine)
    tell(journal, client(ANNA), client(BERTTA), session(1), there(1), there(1, BERTTA))
    record_outcomes(journal, outcome())
    with transaction(engine) as connection:
        store.forget_person(connection, ANNA)
    for table in naming_people("pathways"):
        assert bytes.fromhex(ANNA) not in {row["subject"] for row in kit.rows(engine, table)}
    assert tasks(engine) == [("talk", BERTTA, "2016-03-08"), ("ask_outcome", BERTTA, "2016-03-31")]


def test_a_filled_in_form_closes_what_waits_for_that_instrument_on_that_occasion(engine: Engine) -> None:
    waits = {"on": "answers_recorded", "instrument": "three_items", "occasion": "baseline"}
    rule = {"key": "ask", "name": {"fi": "Kysy"}, "opens": {"on": "standing_reached"}, "due_days": 14, "closes": waits}
    journal = known(engine, DOCUMENT | {"tasks": [rule]})
    tell(journal, client(ANNA), client(BERTTA))
    answered = AnswersRecorded.example | {"programme": KEY, "occurred_on": "2016-03-04"}
    for subject, occasion in ((ANNA, "baseline"), (BERTTA, "interim")):
        with journal.unit(noon("2016-03-04")) as unit:
            unit.record(AnswersRecorded(subject, **answered | {"occasion": occasion}))
    follow(journal, noon("2016-03-04"))
    assert [(rule, who) for rule, who, _ in tasks(engine)] == [("ask", BERTTA)]


def test_every_fact_that_a_rule_may_wait_for_is_heard() -> None:
    heard = {kind.partition(".")[2] for kind in hearing.KINDS if (kind, 1) in FACTS}
    parts = {"plan_action", "plan_reviewed"} if "plan_entry_recorded" in heard else set()  # of one fact
    assert set(FILTERS) <= heard | parts
