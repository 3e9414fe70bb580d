"""The document as values, and its digest."""

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.programmes import InvalidProgramme, canonical, check_document, digest, load_file, parse
from shared.programmes.checking import SCHEMA_FILE

LAHDE: dict[str, Any] = load_file(SCHEMA_FILE.parent / "lahde-mukaan.yaml")
SIXTH: dict[str, Any] = load_file(Path(__file__).with_name("rannan-tuvat.yaml"))


def test_programme_three_is_what_its_project_published() -> None:
    programme = parse(LAHDE)
    assert (programme.key, programme.project_code) == ("lahde-mukaan", "S20250")
    assert (programme.period.start, programme.period.end) == (date(2015, 5, 1), date(2017, 5, 31))
    assert programme.funding_programme == "esf_2014_2020"
    assert programme.silence_limit_days == 3
    assert programme.lead.role == "lead"
    assert len(programme.partners) == 2
    assert {area.key for area in programme.areas} == {"sampola", "pihlava", "pormestarinluoto"}
    assert programme.figures is not None
    assert {f.group: (f.sessions, f.participants or f.heads) for f in programme.figures.groups} == {
        "community_coaching": (125, 74),
        "info_sessions": (15, 214),
        "small_group_events": (32, 379),
        "public_events": (16, 2369),
        "individual_coaching": (145, 29),  # how many sessions is not published
    }
    assert [f.illustrative for f in programme.figures.groups] == [(), (), (), (), ("sessions",)]
    assert {f.outcome: f.people for f in programme.figures.outcomes} == {
        "education": 6,
        "wage_subsidy": 2,
        "open_labour_market": 2,
        "activated_job_seeker": 14,
        "vocational_rehabilitation": 1,
        "work_trial": 1,
        "apprenticeship": 2,
    }
    assert [area.key for area in programme.work_areas] == ["work", "wellbeing", "community"]
    assert {g.key: g.counts for g in programme.groups} == {
        "community_coaching": "people",
        "info_sessions": "heads",
        "small_group_events": "heads",
        "public_events": "heads",
        "individual_coaching": "people",
        "client_panels": "heads",
    }
    assert {topic.key for topic in programme.topics} >= {"finances", "job_search", "health", "language", "stigma"}
    assert programme.topic_by_key["health"].name["sv"] == "Hälsa"


def test_activity_counts_what_its_group_counts() -> None:
    programme = parse(LAHDE)
    counts = {group.key: group.counts for group in programme.groups}
    assert all(a.counts == counts[a.group] for a in programme.activities)


def test_period_holds_its_first_and_last_day_only() -> None:
    period = parse(LAHDE).period
    assert period.start in period
    assert period.end in period
    assert date(2015, 4, 30) not in period
    assert date(2017, 6, 1) not in period


def test_silence_limit_is_three_days_when_left_out() -> None:
    document = copy.deepcopy(LAHDE)
    document["silence_limit_days"] = 7
    assert parse(document).silence_limit_days == 7
    del document["silence_limit_days"]
    assert parse(document).silence_limit_days == 3


def test_canonical_bytes_are_sorted_compact_utf8() -> None:
    assert canonical({"b": ["ä", 1], "a": {"d": True, "c": None}}) == '{"a":{"c":null,"d":true},"b":["ä",1]}'.encode()


def test_digest_does_not_depend_on_the_order_of_keys() -> None:
    turned = {key: LAHDE[key] for key in reversed(LAHDE)}
    assert digest(turned) == digest(LAHDE) == parse(json.loads(canonical(LAHDE))).digest


def test_digest_of_the_canonical_bytes_is_pinned() -> None:
    assert digest({"key": "lähde"}) == "5258e9285ebd6144fea719b30b5fea701cfab0f149d6e677bf34783045af49ee"


def test_any_other_word_gives_another_digest() -> None:
    document = copy.deepcopy(LAHDE)
    document["areas"][0]["name"]["fi"] = "Sampola!"
    assert digest(document) != digest(LAHDE)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        {},
        {"key": 1.5},
        {"key": "x\n"},
        {"key": "\ud800"},
        {1: "x"},
        {"key": 10**5000},
        {"key": [[[[[[[[[[[[[[[]]]]]]]]]]]]]]]},
        {"partners": {}, "groups": [1], "activities": "x", "figures": [], "synthetic": 3, "period": []},
        {"partners": [{"key": []}], "groups": [{"key": {}, "counts": []}], "activities": [{"key": None, "group": []}]},
        {"figures": {"groups": [{"group": [], "heads": "x"}]}, "synthetic": {"partners": [[]]}},
        {"steps": [{"work_area": []}], "outcomes": [{"activity": {}}], "periods": [{"start": 1, "end": []}]},
        {"tasks": [1, {"opens": [], "closes": 3}, {"opens": {"on": []}, "closes": {"on": {}, "step": []}}]},
        {"figures": {"outcomes": [{"outcome": [], "people": "x"}], "groups": [{"group": [], "illustrative": 1}]}},
        {"partners": [{"organisation": {"business_id": []}}], "publicity": {"logos": [[], {}]}, "period": {"end": 3}},
        {
            "barriers": [{"solutions": [[]]}],
            "funding": [{"key": "a", "includes": ["a", {}]}],
            "forms": 3,
            "followup": [],
        },
        {
            "targets": [{"indicator": [], "valid_from": 1}],
            "budget": [{"source": {}, "planned": "x", "valid_from": "x"}],
        },
        {"steps": [{"key": [], "alone": {}, "enter_when": [[], {"on": {}, "step": []}], "complete_when": "x"}]},
        {
            "instruments": [{"occasions": 3, "schedule": [[], {"occasion": [], "days": {}}]}],
            "figures": {"funding": [[]]},
        },
    ],
    ids=range(20),
)
def test_document_that_is_no_programme_is_refused_without_a_traceback(broken: Any) -> None:
    assert check_document(broken)
    with pytest.raises(InvalidProgramme):
        parse(broken)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.data(), json_values)
def test_any_value_put_anywhere_is_accepted_or_refused_by_name(data: st.DataObject, value: Any) -> None:
    document: Any = copy.deepcopy(data.draw(st.sampled_from([LAHDE, SIXTH])))
    place: Any = document
    while True:
        key = data.draw(st.sampled_from(list(place)) if isinstance(place, dict) else st.integers(0, len(place) - 1))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            place[key] = value
            break
        place = inner
    problems = check_document(document)
    if problems:
        assert all(problem.line == 0 and problem.reason for problem in problems)
    else:
        assert parse(document).digest == digest(document)


def test_schema_describes_every_word() -> None:
    schema = json.loads(Path(SCHEMA_FILE).read_text(encoding="utf-8"))

    def undescribed(node: Any, path: str) -> list[str]:
        found: list[str] = []
        for word, inner in node.get("properties", {}).items():
            if (
                "description" not in inner
                and inner.get("$ref") not in ("#/$defs/name", "#/$defs/code")
                and word != "groups"
            ):
                found.append(f"{path}.{word}")
            found += undescribed(inner, f"{path}.{word}")
        return found + (undescribed(node["items"], path) if isinstance(node.get("items"), dict) else [])

    assert undescribed(schema, "") == []


SERVICES = [{"key": "debt_advice", "name": {"fi": "Velkaneuvonta"}}]
MET = {"encounters": 3, "people_new": 2, "people_known": 1}


def test_services_and_figures_of_encounters_are_values() -> None:
    programme = parse(LAHDE | {"services": SERVICES, "figures": LAHDE["figures"] | {"encounters": MET}})
    assert programme.service_by_key["debt_advice"].name == {"fi": "Velkaneuvonta"}
    assert programme.figures is not None
    assert programme.figures.encounters is not None
    assert (programme.figures.encounters.encounters, programme.figures.encounters.people_known) == (3, 1)
    assert parse({key: value for key, value in LAHDE.items() if key != "services"}).services == ()


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        ({"services": SERVICES * 2}, "services[1].key", "twice"),
        ({"services": [{"key": "x", "name": {}}]}, "services[0].name", "empty"),
        ({"services": [{"key": "X", "name": {"fi": "x"}}]}, "services[0].key", "a code has"),
        ({"figures": LAHDE["figures"] | {"encounters": MET | {"encounters": 4}}}, "encounters", "more encounters than"),
        ({"figures": LAHDE["figures"] | {"encounters": {"encounters": 1}}}, "figures.encounters", "people_new"),
        ({"figures": LAHDE["figures"] | {"encounters": MET | {"women": 1}}}, "encounters.women", "unknown key"),
    ],
)
def test_a_slip_in_them_is_one_problem(changes: dict[str, Any], place: str, reason: str) -> None:
    problems = check_document(LAHDE | changes)
    assert any(place in problem.path and reason in problem.reason for problem in problems), problems
