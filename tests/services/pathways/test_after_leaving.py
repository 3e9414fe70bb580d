"""Rules that go on when somebody leaves: what became of people is known only then (decision 0241)."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from services.pathways import operations, queries, stepping, store
from services.pathways.domain import NewStay
from services.pathways.store import shelf
from shared.contracts.catalogue import AttendanceRecorded, ConversationHeld, OutcomeRecorded, SessionHeld
from shared.contracts.facts import Fact
from shared.contracts.purpose_facts import PurposeEnded
from shared.contracts.record_facts import ParticipationEnded, ParticipationResumed
from shared.journal import Journal
from shared.programmes import Programme, load_file, parse
from shared.programmes.checking import SCHEMA_FILE
from tests.services import kit
from tests.services.kit import NODE, key_of
from tests.services.pathways.kit import (
    ANNA,
    DOCUMENT,
    action,
    client,
    follow,
    hex_id,
    known,
    left,
    noon,
    outcome,
    record_outcomes,
    record_steps,
    session,
    stay,
    tell,
    there,
)

AFTER: list[dict[str, Any]] = [
    {"key": "came_of", "opens": {"on": "attendance_recorded", "activity": "duuniin"}, "due_days": 180,
     "closes": {"on": "outcome_recorded", "activity": "duuniin"}},
    {"key": "whereto", "opens": {"on": "step_left", "step": "outreach"}, "due_days": 14,
     "closes": {"on": "outcome_recorded"}},
    {"key": "holds", "opens": {"on": "outcome_recorded"}, "due_days": 90},
    {"key": "agreed", "opens": {"on": "action_agreed"}, "due_days": 14},
]  # fmt: skip
WHOLE = DOCUMENT | {"tasks": [{"name": {"fi": rule["key"]}, "after_leaving": True, **rule} for rule in AFTER]}


@pytest.fixture
def journal(sqlite_engine: Engine) -> Journal:
    return known(sqlite_engine, WHOLE)


def tasks(engine: Engine) -> list[tuple[str, str, str]]:
    """Rule, day it is due, state or why it was dismissed."""
    rows = sorted(kit.rows(engine, store.task), key=lambda row: (row["rule"], row["due_on"]))
    return [(row["rule"], row["due_on"].isoformat(), row["reason"] or row["state"]) for row in rows]


def test_nothing_goes_on_about_whom_whose_record_is_erased(engine: Engine) -> None:
    journal = known(engine, WHOLE)
    tell(journal, client(), session(1, day="2016-03-01"), there(1), left("2016-05-31"), now="2016-06-01")
    assert [state for rule, _, state in tasks(engine) if rule == "came_of"] == ["open"]
    ended = PurposeEnded(ANNA, ending="0f" * 16, purpose="esf_record", why="asked", occurred_on="2016-09-01")
    tell(journal, ended, client(day=None), now="2016-09-01")
    assert [state for rule, _, state in tasks(engine) if rule == "came_of"] == ["has_left"]
    assert queries.waiting(engine, noon("2016-11-01"))["case_worker"] == 0


# --- the shipped files


def _there(_programme: Programme, day: date) -> list[Fact]:
    ids = {"session": hex_id("session")}
    held = SessionHeld(None, **ids, activity="duuniin", occurred_on=day.isoformat())
    said = {"attendance": hex_id("at"), "role": "participant", "occurred_on": day.isoformat()}
    return [held, AttendanceRecorded(ANNA, **ids, **said)]


def _moved_on(programme: Programme, day: date) -> list[Fact]:
    """As on the page: the talk at the end, and what became of the person, recorded after the exit."""
    ids, on = {"session": hex_id("talk"), "programme": programme.key}, day.isoformat()
    said = {"outcome_id": hex_id("outcome"), "activity": "guidance_talk", "outcome": "work"}
    talk = ConversationHeld(ANNA, **ids, how="meeting", occurred_on=on)
    return [talk, OutcomeRecorded(ANNA, **said, occurred_on=on)]


FIVE = {
    # programme: (the rule, the step that the person is on, what is told before and after the exit)
    "lahde-mukaan": ("ask_outcome", None, _there, None),
    "kuntsari": ("went_where", "intensive_place", None, None),
    "osallisuuden-askeleet": ("next_path", "onward_person", None, None),
    "suunta-yhdessa": ("what_next", "coaching", None, None),
    "tyollista-valittaen": ("after_transition", None, None, _moved_on),
}


@pytest.mark.parametrize("key", FIVE)
@pytest.mark.parametrize(("reason", "asked"), [("completed", True), ("died", False)])
def test_what_became_of_who_has_left_is_asked_as_each_of_the_five_files_says(
    sqlite_engine: Engine, key: str, reason: str, asked: bool
) -> None:
    document = load_file(SCHEMA_FILE.parent / f"{key}.yaml")
    kit.put_programme(sqlite_engine, shelf, document)
    programme, journal = parse(document), Journal(sqlite_engine, NODE)
    rule, step, before, after = FIVE[key]
    day = programme.period.start + timedelta(days=100)

    def written(facts: list[Fact], on: date) -> None:
        if facts:
            with journal.unit(noon(on)) as unit:
                for fact in facts:
                    unit.record(fact, key)
        follow(journal, noon(on))

    written([client(ANNA, day.isoformat()), *(before(programme, day) if before else [])], day)
    if step is not None:
        on = NewStay(key_of("on"), ANNA, step, day, None)
        stepping.record_steps(journal, key, [on], by="worker", now=noon(day))
    last = day + timedelta(days=30)
    written([ParticipationEnded(ANNA, reason=reason, occurred_on=last.isoformat())], last)
    written(after(programme, last) if after else [], last)
    is_open = {row["rule"] for row in kit.rows(sqlite_engine, store.task) if row["state"] == "open"}
    assert (rule in is_open, bool(is_open)) == (asked, asked)


# --- what such a rule does


def test_it_stays_open_when_somebody_leaves_and_the_step_that_leaving_ends_opens_it(journal: Journal) -> None:
    tell(journal, client(), session(1), there(1), action(1, due_on="2016-05-01"))
    record_steps(journal, stay(), now=noon("2016-03-01"))
    tell(journal, left(), now="2016-06-02")
    expected = [("agreed", "2016-05-01", "open"), ("came_of", "2016-08-28", "open"), ("whereto", "2016-06-15", "open")]
    assert tasks(journal.engine) == expected
    tell(journal, left("2016-06-03"), left("2016-05-20", "moved"), now="2016-06-04")
    assert tasks(journal.engine) == expected, "an exit of another day asks none of it anew"
    tell(journal, ParticipationResumed(ANNA, occurred_on="2016-06-04"), now="2016-06-04")
    assert tasks(journal.engine) == expected, "who is back is on no step still"
    record_outcomes(journal, outcome(day="2016-06-20"), now=noon("2016-06-21"))
    follow(journal, noon("2016-06-21"))
    assert [state for _, _, state in tasks(journal.engine)] == ["open", "met", "open", "met"]


def test_it_is_opened_about_who_has_left_also_by_what_is_written_down_late(journal: Journal) -> None:
    tell(journal, client(), left(), now="2016-06-02")
    tell(journal, session(1), there(1), now="2016-06-05")
    assert tasks(journal.engine) == [("came_of", "2016-08-28", "open")]
    record_outcomes(journal, outcome(day="2016-06-20"), now=noon("2016-06-21"))
    follow(journal, noon("2016-06-21"))
    assert tasks(journal.engine) == [("came_of", "2016-08-28", "met"), ("holds", "2016-09-18", "open")]


@pytest.mark.parametrize("reason", ["died", "transferred"])
def test_who_is_not_asked_anything_after_all_is_asked_from_the_last_day_once_that_is_corrected(
    journal: Journal, reason: str
) -> None:
    tell(journal, client(), session(1), there(1), action(1, due_on="2016-05-01"))
    record_steps(journal, stay(), now=noon("2016-03-01"))
    tell(journal, left(reason=reason), now="2016-06-02")
    gone = [("agreed", "2016-05-01", "has_left"), ("came_of", "2016-08-28", "has_left")]
    assert tasks(journal.engine) == gone
    tell(journal, left("2016-06-10"), left("2016-06-11"), now="2016-06-12")
    asked = [("came_of", "2016-12-07", "open"), ("whereto", "2016-06-24", "open")]
    assert tasks(journal.engine) == [*gone, *asked], "of the day that the correction says; nothing agreed comes back"
    tell(journal, left("2016-06-11", reason), now="2016-06-13")
    assert not [state for _, _, state in tasks(journal.engine) if state == "open"]


def test_what_had_become_of_somebody_is_not_asked_again_when_it_was_no_death(journal: Journal) -> None:
    tell(journal, client(), left(reason="died"), session(1), there(1), now="2016-06-02")
    record_outcomes(journal, outcome(day="2016-06-20"), now=noon("2016-06-21"))
    tell(journal, left(), now="2016-06-22")
    assert tasks(journal.engine) == [("holds", "2016-08-30", "open")]


def test_heard_again_and_by_another_worker_nothing_is_opened_twice(journal: Journal) -> None:
    tell(journal, client())
    record_steps(journal, stay(), now=noon("2016-03-01"))
    tell(journal, left(), left(), now="2016-06-02")
    (row,) = kit.rows(journal.engine, store.task)
    operations.close_task(journal, row["task"].hex(), "dismissed", "not_needed", by="w", now=noon("2016-06-03"))
    tell(journal, left(), left("2016-05-01"), now="2016-06-04")
    follow(journal, noon("2016-06-05"))
    assert tasks(journal.engine) == [("whereto", "2016-06-15", "not_needed")]


def test_a_version_without_the_word_ends_with_the_next_exit_what_it_does_not_say_any_more(journal: Journal) -> None:
    tell(journal, client(), session(1), there(1), left(), now="2016-06-02")
    plain = [{name: said for name, said in rule.items() if name != "after_leaving"} for rule in WHOLE["tasks"]]
    kit.put_programme(journal.engine, shelf, WHOLE | {"tasks": plain})
    assert tasks(journal.engine) == [("came_of", "2016-08-28", "open")]
    tell(journal, left("2016-06-03"), now="2016-06-04")
    assert tasks(journal.engine) == [("came_of", "2016-08-28", "has_left")]
