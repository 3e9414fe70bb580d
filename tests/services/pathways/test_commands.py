"""Recording steps and outcomes, confirming periods, closing tasks: state, lines and audit log, on both databases."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.pathways import operations, queries, store
from shared.contracts.errors import InvalidInput, NotFound, TaskClosedAlready, UnknownCode
from shared.journal import Journal
from tests.services import kit
from tests.services.kit import KEY, NODE, key_of
from tests.services.pathways.kit import (
    ANNA,
    BERTTA,
    DOCUMENT,
    NOW,
    client,
    follow,
    heads,
    known,
    noon,
    outcome,
    record,
    record_outcomes,
    record_steps,
    session,
    stay,
    there,
)

NEW = ("pathways.step_entered", "pathways.step_left", "pathways.outcome_recorded", "pathways.period_confirmed")


def prepared(engine: Engine, document: dict[str, Any] = DOCUMENT) -> Journal:
    """Anna has been at a session of Duuniin, Bertta at none."""
    journal = known(engine, document)
    record(journal, client(ANNA), client(BERTTA), session(1), there(1, ANNA))
    follow(journal)
    return journal


def new_lines(engine: Engine) -> list[tuple[str, str, str | None, dict[str, Any]]]:
    found = [line for line in kit.lines(engine) if line.kind in NEW]
    assert {line.stream for line in found} <= {f"{NODE}/{KEY}"}
    return [(line.kind.partition(".")[2], line.stream, line.subject, line.body) for line in found]


def bodies(engine: Engine) -> list[tuple[str, str | None, dict[str, Any]]]:
    return [(kind, subject, body) for kind, _, subject, body in new_lines(engine)]


def error_of(result: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return result["error"]["code"], result["error"]["params"]


# --- steps


def test_a_time_on_a_step_is_a_line_for_entering_and_one_for_leaving(engine: Engine) -> None:
    journal = prepared(engine)
    results, pos = record_steps(journal, stay(left_on="2016-05-01"), stay("b", BERTTA, "resources"))
    assert ([r["new"] for r in results], pos is not None) == ([True, True], True)
    assert bodies(engine) == [
        ("step_entered", ANNA, {"step": "outreach", "occurred_on": "2016-03-01"}),
        ("step_left", ANNA, {"step": "outreach", "occurred_on": "2016-05-01"}),
        ("step_entered", BERTTA, {"step": "resources", "occurred_on": "2016-03-01"}),
    ]
    assert kit.audit(engine)[-1]["steps"] == 2


def test_an_open_time_is_ended_by_one_of_the_same_first_day(engine: Engine) -> None:
    journal = prepared(engine)
    (first,), _ = record_steps(journal, stay())
    (ended,), _ = record_steps(journal, stay("later", left_on="2016-05-01"))
    assert ended == {"stay": first["stay"], "new": True}
    assert [kind for kind, _, _ in bodies(engine)] == ["step_entered", "step_left"]
    (row,) = kit.rows(engine, store.stay)
    assert (row["stay"].hex(), row["left_on"].isoformat()) == (first["stay"], "2016-05-01")


def test_people_return_to_steps_and_are_on_several_at_once(engine: Engine) -> None:
    journal = prepared(engine)
    items = [
        stay("1", left_on="2016-05-01"),
        stay("2", step="resources"),
        stay("3", entered_on="2016-05-01"),
        stay("4", BERTTA),
    ]
    results, _ = record_steps(journal, *items)
    assert all(result["new"] for result in results)


@pytest.mark.parametrize("alone", ["outreach", "resources"])
def test_a_step_that_is_alone_is_never_at_once_with_another_whichever_comes_first(engine: Engine, alone: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["steps"] = [step | ({"alone": True} if step["key"] == alone else {}) for step in document["steps"]]
    journal = prepared(engine, document)
    first, at_once, after, other = record_steps(
        journal,
        stay("1", left_on="2016-05-01"),
        stay("2", step="resources", entered_on="2016-04-30"),
        stay("3", step="resources", entered_on="2016-05-01"),
        stay("4", BERTTA, "resources"),
        skip_bad=True,
    )[0]
    assert [result.get("new") for result in (first, after, other)] == [True, True, True]
    assert error_of(at_once)[1]["reason"] == "the person is on outreach then, and one of the two is alone"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"step": "togetherness"}, "invalid_input", "step"),
        ({"step": "network"}, "invalid_input", "step"),
        ({"step": "nowhere"}, "unknown_code", "step"),
        ({"subject": "00" * 16}, "unknown_person", "participant"),
        ({"entered_on": "2015-04-30"}, "invalid_input", "from"),
        ({"entered_on": "2016-11-23"}, "invalid_input", "from"),
        ({"left_on": "2016-02-29"}, "invalid_input", "to"),
        ({"left_on": "2016-11-23"}, "invalid_input", "to"),
        ({"entered_on": "2016-04-01", "left_on": "2016-04-02"}, "invalid_input", "from"),
        ({"entered_on": "2016-03-01"}, "invalid_input", "from"),
        ({"entered_on": "2016-02-01", "left_on": "2016-03-02"}, "invalid_input", "from"),
    ],
)
def test_a_time_on_a_step_that_cannot_be_is_refused_by_field(
    engine: Engine, change: dict[str, str], code: str, field: str
) -> None:
    journal = prepared(engine)
    record_steps(journal, stay())  # she is on the step since 1 March
    before = kit.heads(engine)
    (result,), pos = record_steps(journal, stay("bad", **change))  # type: ignore[arg-type]
    assert (error_of(result)[0], error_of(result)[1]["field"], pos) == (code, field, None)
    assert kit.heads(engine) == before


def test_that_people_are_on_no_other_step_is_said_in_words(engine: Engine) -> None:
    (result,), _ = record_steps(prepared(engine), stay(step="network"))
    assert error_of(result)[1]["reason"] == "a service_system step is never entered by people"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    times=st.lists(
        st.tuples(st.integers(1, 9), st.none() | st.integers(0, 4), st.integers(0, 1)), min_size=1, max_size=8
    )
)
def test_times_on_a_step_never_overlap_whatever_is_sent(
    sqlite_engine: Engine, times: list[tuple[int, int | None, int]]
) -> None:
    """The model: a set of days (and a half for the evening of leaving) that are taken."""
    kit.empty(sqlite_engine, store.stay, store.keys, store.person)
    journal = prepared(sqlite_engine)
    taken: list[tuple[int, float]] = []
    for number, (first, length, skip) in enumerate(times):
        last = None if length is None else first + length
        new = stay(f"{number}", entered_on=f"2016-04-{first:02}", left_on=last and f"2016-04-{last:02}")
        (result,), _ = record_steps(journal, new, skip_bad=bool(skip))
        end = float("inf") if last is None else last
        if last is not None and (first, end) in taken:
            assert result["new"]  # it is so already
        elif last is not None and (first, float("inf")) in taken:
            taken.remove((first, float("inf")))
            taken.append((first, end))
            assert result["new"]
        elif any(first < e and f < end for f, e in taken):
            assert error_of(result)[1]["field"] == "from"
        else:
            taken.append((first, end))
            assert result["new"]
    stays = {
        (r["entered_on"].day, r["left_on"].day if r["left_on"] else float("inf"))
        for r in kit.rows(sqlite_engine, store.stay)
    }
    assert stays == set(taken)


# --- outcomes


def test_an_outcome_is_a_line_with_its_activity(engine: Engine) -> None:
    journal = prepared(engine)
    (result,), _ = record_outcomes(journal, outcome())
    ((kind, subject, body),) = bodies(engine)
    assert (kind, subject) == ("outcome_recorded", ANNA)
    assert body == {
        "outcome_id": result["outcome"],
        "activity": "duuniin",
        "outcome": "education",
        "occurred_on": "2016-08-15",
    }


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"code": "happiness"}, "unknown_code", "outcome"),
        ({"subject": BERTTA}, "never_took_part", "participant"),
        ({"subject": "00" * 16}, "unknown_person", "participant"),
        ({"day": "2015-04-30"}, "invalid_input", "date"),
        ({"day": "2016-11-23"}, "invalid_input", "date"),
    ],
)
def test_an_outcome_that_cannot_be_is_refused_by_field(
    engine: Engine, change: dict[str, str], code: str, field: str
) -> None:
    journal = prepared(engine)
    before = kit.heads(engine)
    (result,), _ = record_outcomes(journal, outcome(**change))
    assert (error_of(result)[0], error_of(result)[1]["field"]) == (code, field)
    assert kit.heads(engine) == before


def test_who_was_there_as_staff_took_no_part(engine: Engine) -> None:
    journal = prepared(engine)
    record(journal, session(2), there(2, BERTTA, "staff"))
    follow(journal)
    (result,), _ = record_outcomes(journal, outcome(subject=BERTTA))
    assert error_of(result)[0] == "never_took_part"


def test_an_outcome_may_come_after_the_projects_last_day(engine: Engine) -> None:
    journal = prepared(engine)
    (result,), _ = record_outcomes(journal, outcome(day="2017-08-01"), now=noon("2017-09-01"))
    assert result["new"]


# --- both


@pytest.mark.parametrize("what", ["steps", "outcomes"])
def test_the_same_again_adds_nothing_and_the_same_key_with_other_content_is_refused(engine: Engine, what: str) -> None:
    journal = prepared(engine)
    same, other = (stay(), stay(step="resources")) if what == "steps" else (outcome(), outcome(day="2016-09-01"))
    send: Any = record_steps if what == "steps" else record_outcomes
    (first,), _ = send(journal, same)
    before = kit.heads(engine)
    (again,), pos = send(journal, same)
    assert (again, pos) == ({**first, "new": False}, None)
    (result,), _ = send(journal, other)
    assert error_of(result)[0] == "already_recorded_differs"
    assert kit.heads(engine) == before


@pytest.mark.parametrize("skip_bad", [False, True])
def test_it_stops_at_the_first_refused_unless_bad_ones_are_skipped(engine: Engine, skip_bad: bool) -> None:
    journal = prepared(engine)
    items = (outcome("1"), outcome("2", code="nothing"), outcome("3", code="work_trial"))
    results, _ = record_outcomes(journal, *items, skip_bad=skip_bad)
    assert [result.get("new") for result in results] == [True, None, True][: 3 if skip_bad else 2]
    assert len(bodies(engine)) == (2 if skip_bad else 1)


# --- periods


def confirm(journal: Journal, period: str = "year", **options: Any) -> Any:
    return operations.confirm_period(journal, KEY, period, **{"by": "worker", "now": NOW, **options})


def test_confirming_a_period_is_one_line_about_nobody(engine: Engine) -> None:
    journal = prepared(engine)
    day, pos = confirm(journal)
    assert (day.isoformat(), pos is not None) == ("2016-11-22", True)
    assert bodies(engine) == [("period_confirmed", None, {"period": "year", "occurred_on": "2016-11-22"})]
    assert kit.audit(engine)[-1]["action"] == "confirm_period"
    before = kit.heads(engine)
    assert confirm(journal, now=noon("2016-12-01")) == (day, None)
    assert kit.heads(engine) == before
    day, pos = confirm(journal, now=noon("2016-12-01"), again=True)
    assert (day.isoformat(), len(bodies(engine))) == ("2016-12-01", 2)


def test_a_period_is_confirmed_when_it_is_over_and_not_before(engine: Engine) -> None:
    journal = prepared(engine)
    with pytest.raises(InvalidInput, match="period"):
        confirm(journal, now=noon("2015-12-31"))
    with pytest.raises(InvalidInput, match="period"):
        confirm(journal, "whole_project")
    with pytest.raises(UnknownCode):
        confirm(journal, "y2015")
    assert bodies(engine) == []
    assert confirm(journal, now=noon("2016-01-01"))[1] is not None


def test_what_is_unmarked_unfinished_or_missing_in_a_period_is_told(engine: Engine) -> None:
    journal = known(engine)
    people = [client(subject, "2015-06-01") for subject in (ANNA, BERTTA)]
    record(journal, *people)
    record(journal, session("marked", day="2015-06-01"), there("marked", ANNA), there("marked", BERTTA))
    record(journal, session("bare", day="2015-12-31"), session("other year", day="2016-01-01"))
    record(journal, session("counted", "public_event", "2015-06-02"), heads("counted", 0))
    record(journal, session("uncounted", "public_event", "2015-06-03"))
    follow(journal, noon("2015-06-03"))
    record_outcomes(journal, outcome(day="2015-08-01"))
    follow(journal)
    state = queries.period_state(engine, KEY, "year", NOW)
    assert (state["sessions"], state["over"], state["confirmed_on"]) == (4, True, None)
    assert [(s["activity"], s["occurred_on"]) for s in state["unmarked"]["sessions"]] == [
        ("public_event", "2015-06-03"),
        ("duuniin", "2015-12-31"),
    ]
    assert state["unmarked"]["total"] == 2
    assert state["without_outcome"] == [{"activity": "duuniin", "participants": 2, "total": 1, "people": [BERTTA]}]
    late = [(task["rule"], task["person"], task["due_on"]) for task in state["late_tasks"]["tasks"]]
    assert sorted(late) == [
        ("ask_outcome", BERTTA, "2015-07-01"),
        ("talk", ANNA, "2015-06-08"),
        ("talk", BERTTA, "2015-06-08"),
    ]
    confirm(journal)
    assert queries.period_state(engine, KEY, "year", NOW)["confirmed_on"] == "2016-11-22"
    assert queries.period_state(engine, KEY, "whole_project", NOW)["over"] is False


# --- closing tasks by hand


def one_task(engine: Engine) -> tuple[Journal, str]:
    journal = known(engine)
    record(journal, client(ANNA))
    follow(journal)
    (task,) = queries.list_tasks(engine, KEY, "open", 10, 0, NOW)["tasks"]
    return journal, task["task"]


def close(journal: Journal, task: str, how: str = "done", reason: str | None = None) -> Any:
    return operations.close_task(journal, task, how, reason, by="worker", now=NOW)


def test_a_worker_closes_a_task_once_and_the_second_is_told(engine: Engine) -> None:
    journal, task = one_task(engine)
    assert close(journal, task, "dismissed", "has_left")[0] is True
    line = kit.lines(engine)[-1]
    assert (line.kind, line.stream, line.subject) == ("pathways.task_closed", f"{NODE}/local", ANNA)
    assert line.body == {"task": task, "how": "dismissed", "reason": "has_left", "occurred_on": "2016-11-22"}
    before = kit.heads(engine)
    assert close(journal, task, "dismissed", "has_left") == (False, None)
    with pytest.raises(TaskClosedAlready, match="dismissed"):
        close(journal, task)
    assert kit.heads(engine) == before
    (closed,) = queries.list_tasks(engine, KEY, "closed", 10, 0, NOW)["tasks"]
    assert (closed["state"], closed["reason"], closed["closed_on"]) == ("dismissed", "has_left", "2016-11-22")


@pytest.mark.parametrize(("how", "reason"), [("dismissed", None), ("done", "has_left")])
def test_a_dismissal_has_a_reason_and_what_is_done_has_none(engine: Engine, how: str, reason: str | None) -> None:
    journal, task = one_task(engine)
    with pytest.raises(InvalidInput, match="reason"):
        close(journal, task, how, reason)


def test_a_task_nobody_made_is_not_found(engine: Engine) -> None:
    journal, _ = one_task(engine)
    with pytest.raises(NotFound, match="task"):
        close(journal, key_of("x")[:32])
