"""A new version of a programme: keys that are gone are mapped, or it is refused; nobody's facts are changed."""

import copy
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from services.pathways import plan_store, step_queries, step_store, store, versions
from services.pathways.planning import Plan
from shared.contracts.errors import InvalidProgramme
from shared.contracts.rights_facts import PersonRestricted
from shared.journal import Journal
from shared.programmes import parse
from shared.storage import snapshot, transaction
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
    noon,
    outcome,
    pause,
    record,
    record_outcomes,
    record_pauses,
    record_steps,
    session,
    stay,
    there,
)


def newer(*mapping: tuple[str, str, str], drop: dict[str, set[str]] | None = None) -> dict[str, Any]:
    """The programme without these keys, with a step `way` more."""
    document = copy.deepcopy(DOCUMENT)
    document["steps"].append({"key": "way", "name": {"fi": "Polku"}, "level": "individual"})
    for part, keys in (drop or {}).items():
        document[part] = [item for item in document[part] if item["key"] not in keys]
    gone = {key for keys in (drop or {}).values() for key in keys}
    document["tasks"] = [
        t for t in document["tasks"] if not gone & {*t["opens"].values(), *t.get("closes", {}).values()}
    ]
    del document["figures"]["outcomes"]
    if mapping:
        document["mapping"] = [{"list": part, "key": key, "becomes": becomes} for part, key, becomes in mapping]
    return document


def prepared(engine: Engine) -> Journal:
    """Anna on both steps, Bertta on one, away from it; Anna with an outcome."""
    journal = known(engine)
    record(journal, client(ANNA), client(BERTTA), session(1), there(1, ANNA))
    follow(journal)
    record_steps(journal, stay("a"), stay("b", BERTTA), stay("c", step="resources", entered_on="2016-04-01"))
    record_pauses(journal, pause(subject=BERTTA))
    record_outcomes(journal, outcome())
    follow(journal)
    return journal


def load(journal: Journal, document: dict[str, Any], now: datetime = NOW) -> Any:
    return versions.load_programme(journal, document, "worker", now)


MERGED = (("steps", "outreach", "way"), ("steps", "resources", "way"))
BOTH = {"steps": {"outreach", "resources"}}


def test_a_key_that_is_gone_and_in_use_is_named_and_nothing_is_loaded(engine: Engine) -> None:
    journal = prepared(engine)
    before = kit.kinds(engine)
    with pytest.raises(InvalidProgramme, match='"outreach" is gone, but 3 lines have it'):
        load(journal, newer(drop=BOTH))
    told = versions.rehearse(journal, newer(MERGED[1], drop=BOTH), NOW)
    assert [row["path"] for row in told["problems"]] == ["steps"]
    assert kit.kinds(engine) == before


def test_a_key_that_nobody_used_may_go_without_a_word(engine: Engine) -> None:
    journal = prepared(engine)
    assert load(journal, newer(drop={"steps": {"togetherness"}}))[1] is not None


def test_the_dry_run_counts_people_and_lines_and_changes_nothing(engine: Engine) -> None:
    journal = prepared(engine)
    before = kit.kinds(engine)
    told = versions.rehearse(journal, newer(*MERGED, drop=BOTH), NOW)
    assert told["moves"] == [
        {"list": "steps", "key": "outreach", "becomes": "way", "lines": 3, "people": 2, "now": 2},
        {"list": "steps", "key": "resources", "becomes": "way", "lines": 1, "people": 1, "now": 1},
    ]
    assert (told["new"], told["merged"], told["apart"], told["problems"]) == (True, 1, 0, [])
    assert kit.kinds(engine) == before
    apart = newer(*MERGED[:1], drop={"steps": {"outreach"}})
    apart["steps"][-1]["alone"] = True
    assert versions.rehearse(journal, apart, NOW)["apart"] == 1, (
        "Anna would be on way, which is alone, and on resources"
    )


def test_people_move_and_go_on_under_the_new_key(engine: Engine) -> None:
    journal = prepared(engine)
    old = [line for line in kit.lines(engine) if line.kind.startswith("pathways.step")]
    load(journal, newer(*MERGED, drop=BOTH))
    follow(journal)
    with snapshot(engine) as connection:
        stays = store.find_stays(connection, [ANNA, BERTTA])
    assert {step for _, step in stays} == {"way"}
    days = sorted((str(s.entered_on), str(s.left_on)) for s in stays[ANNA, "way"])
    assert days == [("2016-03-01", "None"), ("2016-04-01", "2016-11-22")], "once on it, as of the day of loading"
    lines = [line for line in kit.lines(engine) if line.kind.startswith("pathways.step")]
    assert lines[: len(old)] == old, "no fact is changed"
    assert [(line.kind, line.body) for line in lines[len(old) :]] == [
        ("pathways.step_left", {"step": "way", "occurred_on": "2016-11-22"})
    ]
    [row] = step_queries.steps_of(engine, KEY, BERTTA)["steps"]
    assert (row["step"], len(row["pauses"])) == ("way", 1)
    left, _ = record_steps(journal, stay("l", BERTTA, "way", left_on="2016-05-01"))
    assert left[0]["new"]
    assert load(journal, newer(*MERGED, drop=BOTH))[1] is None


def test_nobody_is_on_a_step_longer_than_the_programme_lasts_when_steps_become_one_later(sqlite_engine: Engine) -> None:
    journal = prepared(sqlite_engine)
    load(journal, newer(*MERGED, drop=BOTH), noon("2017-09-01"))
    [line] = [line for line in kit.lines(sqlite_engine) if line.kind == "pathways.step_left"]
    assert line.body["occurred_on"] == "2017-05-31"


@pytest.mark.parametrize(("step", "ends"), [("resources", True), ("outreach", False)])
def test_a_time_that_ends_because_steps_become_one_ends_with_its_own_pause_alone(
    sqlite_engine: Engine, step: str, ends: bool
) -> None:
    journal = prepared(sqlite_engine)
    record_pauses(journal, pause("q", ANNA, step, paused_on="2016-05-01"))
    load(journal, newer(*MERGED, drop=BOTH))
    with snapshot(sqlite_engine) as connection:
        [away] = step_store.find_pauses(connection, [ANNA])[ANNA, "way"]
    assert str(away.resumed_on) == ("2016-11-22" if ends else "None")
    told = [line.kind for line in kit.lines(sqlite_engine) if line.kind == "pathways.step_resumed"]
    assert len(told) == ends


def test_a_restricted_person_on_steps_that_become_one_does_not_stop_a_version(sqlite_engine: Engine) -> None:
    journal = prepared(sqlite_engine)
    with journal.unit(NOW) as unit:
        unit.record(PersonRestricted(ANNA, occurred_on="2016-09-01"), KEY)
    assert load(journal, newer(*MERGED, drop=BOTH))[1] is not None
    assert kit.kinds(sqlite_engine).count("pathways.step_left") >= 1


def test_the_next_service_of_a_plan_moves_with_its_key(sqlite_engine: Engine) -> None:
    prepared(sqlite_engine)
    with transaction(sqlite_engine) as connection:
        plan_store.put_plan(connection, KEY, ANNA, Plan(1, next="education"), ())
        store.move(connection, KEY, {("outcomes", "education"): "studies"})
        assert plan_store.find_plan(connection, ANNA).next == "studies"


def test_what_was_recorded_with_an_old_key_and_is_heard_later_counts_under_the_new_one(engine: Engine) -> None:
    journal = known(engine)
    record(journal, client(ANNA), session(1, "kaapeli"))
    document = copy.deepcopy(DOCUMENT)
    document["activities"] = [a for a in document["activities"] if a["key"] != "kaapeli"]
    document["mapping"] = [{"list": "activities", "key": "kaapeli", "becomes": "reeraa"}]
    load(journal, document)
    follow(journal)
    assert [row["activity"] for row in kit.rows(engine, store.session)] == ["reeraa"]


def test_a_version_of_the_leads_is_taken_although_this_node_has_written_with_a_key_that_is_gone(engine: Engine) -> None:
    journal = prepared(engine)
    with journal.unit(NOW) as unit:
        versions._move(unit, parse(newer(*MERGED[:1], drop=BOTH)))
    with snapshot(engine) as connection:
        assert {step for _, step in store.find_stays(connection, [ANNA])} == {"way", "resources"}


@pytest.mark.parametrize(
    ("part", "key", "becomes", "reason"),
    [
        ("steps", "outreach", "network", "outreach was individual, network is not individual"),
        ("activities", "kaapeli", "public_event", "kaapeli was counted as people, public_event is counted as heads"),
    ],
)
def test_a_key_becomes_only_what_is_of_its_kind(
    sqlite_engine: Engine, part: str, key: str, becomes: str, reason: str
) -> None:
    journal = prepared(sqlite_engine)
    with pytest.raises(InvalidProgramme) as refused:
        load(journal, newer((part, key, becomes), drop={part: {key}}))
    assert refused.value.params["reason"] == f"mapping[0].becomes: {reason}"
