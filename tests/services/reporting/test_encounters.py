"""Encounters in the report: heads on their own basis, compared with a slow model; never people, never participants."""

from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.reporting import queries
from shared.contracts.encounter_facts import EncounterRecorded, EncounterRemoved
from shared.contracts.facts import Fact
from tests.services.kit import KEY, NOW, OTHER, OWN, changed
from tests.services.reporting.kit import (
    STREAMS,
    admit,
    attendance,
    derive_all,
    forget_everything,
    hex_id,
    lead,
    receive,
    session,
    standing,
    started,
)

SERVICES = [{"key": key, "name": {"fi": key}} for key in ("debt_advice", "health_centre")]
DOCUMENT = changed(services=SERVICES)
NUMBERS = ("people_new", "people_known", "women")


def met(name: object, day: str = "2016-03-01", **told: Any) -> Fact:
    return EncounterRecorded(None, encounter=hex_id("encounter", name), occurred_on=day, **told)


def removed(name: object) -> Fact:
    return EncounterRemoved(None, encounter=hex_id("encounter", name))


def report(engine: Engine, start: date | None = None, end: date | None = None) -> dict[str, Any]:
    derive_all(engine)
    return queries.report(engine, KEY, start, end, NOW)


def counted(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    """The slow model: figures of these encounters, one by one."""
    numbers = {name: [body[name] for body in bodies if body.get(name) is not None] for name in NUMBERS}
    seen = [body for body in bodies if body.get("people_new") is not None or body.get("people_known") is not None]
    numbers["heads"] = [(body.get("people_new") or 0) + (body.get("people_known") or 0) for body in seen]
    found: dict[str, Any] = {"encounters": len(bodies)}
    found |= {name: sum(all_) if all_ or not bodies else None for name, all_ in numbers.items()}
    return found | {"not_recorded": {name: len(bodies) - len(all_) for name, all_ in numbers.items()}}


def model(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    by: dict[str, dict[Any, Any]] = {}
    for name, member in (("location", "location"), ("area", "area"), ("topic", "topics"), ("guided_to", "guided_to")):
        keys_of = [
            (body.get(member) or [None]) if name in ("topic", "guided_to") else [body.get(member)] for body in bodies
        ]
        keys = {key for keys in keys_of for key in keys}
        by[name] = {
            key: counted([body for body, keys in zip(bodies, keys_of, strict=True) if key in keys]) for key in keys
        }
    return counted(bodies) | {"by": by}


def as_model(told: dict[str, Any]) -> dict[str, Any]:
    by = {
        name: {row["key"]: {k: v for k, v in row.items() if k != "key"} for row in found}
        for name, found in told["by"].items()
    }
    return told | {"by": by}


SOME = st.fixed_dictionaries(
    {},
    optional={
        "people_new": st.integers(0, 9),
        "people_known": st.integers(0, 9),
        "women": st.integers(0, 9),
        "area": st.sampled_from(["sampola", "pihlava"]),
        "location": st.sampled_from(["sampola_meeting_place", "new_place"]),
        "topics": st.lists(st.sampled_from(["finances", "health", "work"]), min_size=1, max_size=3, unique=True),
        "guided_to": st.lists(st.sampled_from(["debt_advice", "health_centre"]), min_size=1, max_size=2, unique=True),
    },
)
HISTORY = st.lists(
    st.tuples(st.sampled_from([OWN, OTHER]), st.integers(0, 5), st.integers(1, 4), st.none() | SOME), max_size=14
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORY, start=st.none() | st.integers(1, 4), end=st.none() | st.integers(1, 4))
def test_the_figures_are_those_of_a_slow_model_whatever_was_corrected_or_removed(
    engine: Engine, history: list[tuple[str, int, int, dict[str, Any] | None]], start: int | None, end: int | None
) -> None:
    if start and end and start > end:
        start, end = end, start
    with_lead(engine)
    last: dict[tuple[str, int], tuple[int, dict[str, Any]]] = {}
    for partner, name, day, told in history:
        if told is None:
            receive(engine, STREAMS[partner], [removed((partner, name))])
            last.pop((partner, name), None)
        else:
            receive(engine, STREAMS[partner], [met((partner, name), f"2016-03-0{day}", **told)])
            last[partner, name] = (day, told)
    here = [told for day, told in last.values() if (not start or day >= start) and (not end or day <= end)]
    days = [date(2016, 3, day) if day else None for day in (start, end)]
    assert as_model(report(engine, *days)["encounters"]) == model(here)


def with_lead(engine: Engine) -> None:
    forget_everything(engine)
    if not queries.list_programmes(engine):
        lead(engine, DOCUMENT)
        admit(engine, OWN, OTHER)


def test_encounters_change_no_other_figure(engine: Engine) -> None:
    with_lead(engine)
    people = [standing("a", "esf_participant"), started("a"), session("s", "kaapeli", "2016-03-01", 60)]
    receive(engine, STREAMS[OWN], [*people, attendance("x", "s", "a", "participant")])
    before = report(engine)
    receive(engine, STREAMS[OWN], [met("e", people_new=3, people_known=4, women=2), standing("v", "visitor")])
    after = report(engine)
    for part in ("activities", "people", "indicators", "outcomes", "data_quality"):
        assert after[part] == before[part]
    assert after["encounters"]["heads"] == 7


def test_0_is_a_count_and_nothing_written_down_is_none(engine: Engine) -> None:
    with_lead(engine)
    assert report(engine)["encounters"] | {"by": None} == {
        **{"encounters": 0, "heads": 0, "people_new": 0, "people_known": 0, "women": 0, "by": None},
        "not_recorded": {"heads": 0, "people_new": 0, "people_known": 0, "women": 0},
    }
    receive(engine, STREAMS[OWN], [met("a", people_new=0)])
    told = report(engine)["encounters"]
    assert (told["heads"], told["people_new"], told["people_known"], told["women"]) == (0, 0, None, None)
    assert told["by"]["area"] == [{"key": None} | {k: v for k, v in told.items() if k != "by"}]


def test_a_programme_without_encounters_has_no_block(engine: Engine) -> None:
    lead(engine, {key: value for key, value in DOCUMENT.items() if key != "services"})
    admit(engine, OWN)
    assert "encounters" not in report(engine)
    receive(engine, STREAMS[OWN], [met("a", people_new=1)])
    assert report(engine)["encounters"]["people_new"] == 1


def test_only_esf_participants_enter_the_funds_figures_whoever_comes(engine: Engine) -> None:
    with_lead(engine)
    held = session("s", "kaapeli", "2016-03-01", 60)
    everybody = [("v", "visitor"), ("c", "client"), ("e", "esf_participant")]
    came = [attendance(name, "s", name, "participant") for name, _ in everybody]
    reached = [standing(name, what) for name, what in everybody]
    receive(engine, STREAMS[OWN], [held, *reached, started("e"), *came, met("x", people_new=9)])
    told = report(engine)
    assert [row["participants"] for row in told["activities"] if row["group"] == "community_coaching"] == [3]
    assert {row["realised"] for row in told["indicators"]} <= {0, 1}
    assert next(row for row in told["indicators"] if row["code"] == "participants_started")["realised"] == 1


def test_a_visitor_who_keeps_the_history_is_one_person_and_one_who_does_not_is_two(engine: Engine) -> None:
    with_lead(engine)
    visits = [session("s", "kaapeli", "2016-03-01", 60), standing("v", "visitor")]
    visits.append(attendance("x", "s", "v", "participant"))
    receive(engine, STREAMS[OWN], [*visits, session("t", "kaapeli", "2016-04-01", 60)])
    kept = [standing("v", "client"), attendance("y", "t", "v", "participant")]
    receive(engine, STREAMS[OWN], kept)
    assert counted_in(engine) == (1, 2)
    receive(engine, STREAMS[OWN], [standing("w", "client"), attendance("z", "t", "w", "participant")])
    assert counted_in(engine) == (2, 3)


def counted_in(engine: Engine) -> tuple[int, int]:
    (row,) = [row for row in report(engine)["activities"] if row["group"] == "community_coaching"]
    return row["participants"], row["attendances"]
