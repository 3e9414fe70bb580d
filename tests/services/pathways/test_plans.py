"""People's own plans: state and lines together, on both databases; a plan that cannot be leaves nothing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from services.pathways import plan_store, plans, store
from services.pathways.planning import Entry, NewPlan
from shared.contracts.errors import UnknownPerson
from shared.journal import Journal
from shared.storage import transaction
from tests.services import kit
from tests.services.kit import key_of
from tests.services.pathways.kit import ANNA, DOCUMENT, NOW, hex_id, known

TODAY = date(2016, 11, 22)
WITH_PLANS: dict[str, Any] = DOCUMENT | {
    "strengths": [{"key": "humour", "name": {"fi": "Huumori"}}, {"key": "hands", "name": {"fi": "Kädentaidot"}}],
    "solutions": [{"key": "talk", "name": {"fi": "Juttelu"}}, {"key": "walk", "name": {"fi": "Kävely"}}],
    "barriers": [
        {"key": "debt", "name": {"fi": "Velat"}, "solutions": ["talk"]},
        {"key": "fear", "name": {"fi": "Pelot"}, "solutions": ["talk", "walk"]},
    ],
}
WITH_PLANS["outcomes"] = [o | {"is_plan": o["key"] == "work_trial"} for o in DOCUMENT["outcomes"]]


@pytest.fixture
def journal(engine: Engine) -> Journal:
    return with_anna(engine)


def with_anna(engine: Engine) -> Journal:
    made = known(engine, WITH_PLANS)
    with transaction(engine) as connection:
        store.put_person(connection, ANNA, kit.KEY)
    return made


def entry(what: str = "goal", **changes: Any) -> Entry:
    text = hex_id(what, changes.pop("text", "x")) if what in ("goal", "action") else None
    given: dict[str, Any] = {"entry": "", "state": "open", "shown": True, "text_ref": text, "who": None, "day": None}
    return Entry(**{"what": what, "barrier": None, "solutions": ()} | given | changes)


def seen(engine: Engine, subject: str = ANNA) -> dict[str, Any]:
    return plans.show_plan(engine, kit.KEY, subject)


def write(journal: Journal, *entries: Entry, name: str = "p", **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"was": seen(journal.engine)["revision"], "strengths": ("humour",), "next": None}
    new = NewPlan(key_of(name), ANNA, entries=entries, **given | {"ready": False} | changes)
    return plans.record_plans(journal, kit.KEY, [new], by="worker", now=NOW)[0][0]


def stands(engine: Engine) -> tuple[Entry, ...]:
    with engine.connect() as connection:
        return plan_store.find_plan(connection, ANNA).entries


def told(engine: Engine) -> list[tuple[str, dict[str, Any]]]:
    return [(line.kind.removeprefix("pathways.plan_"), line.body) for line in kit.lines(engine)]


def refusal(result: dict[str, Any]) -> tuple[str, Any]:
    return result["error"]["code"], result["error"]["params"]["field"]


def test_a_plan_is_written_whole_shown_and_its_lines_stay_on_the_node(engine: Engine, journal: Journal) -> None:
    whole = (
        entry(),
        entry("action", who="worker", day=date(2016, 12, 1)),
        entry("barrier", barrier="fear", solutions=("walk", "talk"), shown=False),
        entry("review", day=TODAY, state="done", shown=False),
    )
    assert write(journal, *whole, next="education", ready=True) == {"subject": ANNA, "new": True}
    plan = seen(engine)
    assert (plan["strengths"], plan["next"], plan["ready_on"]) == (["humour"], "education", "2016-11-22")
    assert [one["what"] for one in plan["entries"]] == ["goal", "action", "barrier", "review"]
    assert plan["entries"][2]["solutions"] == ["walk", "talk"]
    assert [kind for kind, _ in told(engine)] == ["revised", *["entry_recorded"] * 4]
    assert {line.stream.split("/")[1] for line in kit.lines(engine)} == {"local"}
    assert {line.subject for line in kit.lines(engine)} == {ANNA}


def test_only_what_changed_is_told_and_what_is_left_out_is_withdrawn(engine: Engine, journal: Journal) -> None:
    write(journal, entry(), entry("action", who="person"))
    goal, action = stands(engine)
    before = len(told(engine))
    assert write(journal, replace(goal, state="done"), name="q")["new"]
    assert told(engine)[before:] == [
        ("entry_recorded", told(engine)[before][1] | {"state": "done"}),
        ("entry_withdrawn", {"entry": action.entry, "programme": kit.KEY, "text_ref": action.text_ref}),
    ]
    assert [one.state for one in stands(engine)] == ["done"]
    assert seen(engine)["revision"] == 2


def test_the_same_again_adds_nothing_and_of_two_workers_the_second_is_told(engine: Engine, journal: Journal) -> None:
    write(journal, entry(), was=0)
    before = kit.heads(engine)
    assert write(journal, entry(), was=0) == {"subject": ANNA, "new": False}
    assert kit.heads(engine) == before
    assert refusal(write(journal, entry(text="y"), name="other", was=0)) == ("changed_meanwhile", "was")


@pytest.mark.parametrize(
    ("entries", "changes", "code", "field"),
    [
        ((), {"strengths": ("x",)}, "unknown_code", "strengths"),
        ((), {"next": "kuuhun"}, "unknown_code", "next"),
        ((), {"next": "work_trial"}, "invalid_input", "next"),
        ((), {"ready": True}, "invalid_input", "next"),
        ((entry(entry="9" * 32),), {}, "invalid_input", "entries.0.entry"),
        ((entry(text_ref=None),), {}, "invalid_input", "entries.0.text_ref"),
        ((entry(who="worker"),), {}, "invalid_input", "entries.0.who"),
        ((entry("barrier"),), {}, "invalid_input", "entries.0.barrier"),
        ((entry("barrier", barrier="moon"),), {}, "unknown_code", "entries.0.barrier"),
        ((entry("barrier", barrier="debt", solutions=("walk",)),), {}, "unknown_code", "entries.0.solutions"),
        ((entry("barrier", barrier="debt"),) * 2, {}, "invalid_input", "entries.1.barrier"),
        ((entry(solutions=("walk",)),), {}, "invalid_input", "entries.0.solutions"),
        ((entry("action", barrier="debt"),), {}, "invalid_input", "entries.0.barrier"),
        ((entry("action", day=date(2015, 4, 30)),), {}, "invalid_input", "entries.0.day"),
        ((entry("action", day=date(2017, 11, 24)),), {}, "invalid_input", "entries.0.day"),
        ((entry("review"),), {}, "invalid_input", "entries.0.day"),
        ((entry("review", day=date(2036, 1, 1)),), {}, "invalid_input", "entries.0.day"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_by_field(
    sqlite_engine: Engine, entries: tuple[Entry, ...], changes: dict[str, Any], code: str, field: str
) -> None:
    engine, journal = sqlite_engine, with_anna(sqlite_engine)
    before = kit.heads(engine)
    assert refusal(write(journal, *entries, **changes)) == (code, field)
    assert kit.heads(engine) == before


def test_an_entry_is_never_turned_into_another(engine: Engine, journal: Journal) -> None:
    write(journal, entry())
    (goal,) = stands(engine)
    turned = replace(goal, text_ref=hex_id("another"))
    assert refusal(write(journal, turned, name="q")) == ("invalid_input", "entries.0.entry")
    assert refusal(write(journal, goal, goal, name="r")) == ("invalid_input", "entries")


def test_the_day_a_plan_became_ready_stays_until_it_is_not(engine: Engine, journal: Journal) -> None:
    write(journal, next="education", ready=True)
    with transaction(engine) as connection:
        connection.exec_driver_sql("UPDATE pathways_plan SET ready_on = '2016-10-01'")
    write(journal, entry(), name="q", next="education", ready=True)
    assert seen(engine)["ready_on"] == "2016-10-01"
    write(journal, name="r")
    assert seen(engine)["ready_on"] is None


def test_who_is_not_known_has_no_plan_and_an_erased_one_leaves_nothing(engine: Engine, journal: Journal) -> None:
    with pytest.raises(UnknownPerson):
        seen(engine, "9" * 32)
    write(journal, entry())
    with transaction(engine) as connection:
        store.forget_person(connection, ANNA)
    assert kit.rows(engine, plan_store.plan) == kit.rows(engine, plan_store.entry) == kit.rows(engine, store.keys) == []


def test_of_two_workers_at_the_same_moment_one_plan_stands_and_the_other_is_told(
    engine: Engine, journal: Journal
) -> None:
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda n: write(journal, entry(text=n), name=f"plan {n}", was=0), range(6)))
    assert sorted("error" in result for result in results) == [False, *[True] * 5]
    assert {refusal(result) for result in results if "error" in result} == {("changed_meanwhile", "was")}
    assert (len(stands(engine)), seen(engine)["revision"]) == (1, 1)
