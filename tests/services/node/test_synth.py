"""Synthetic sets: totals to the digit, and nobody in them who could be somebody."""

import copy
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.node.csvrows import ATTENDANCE, OUTCOMES, PARTICIPANTS, SESSIONS
from services.node.csvset import check_set
from services.node.synth import synthesize
from shared import hetu
from shared.contracts.errors import InvalidInput, InvalidProgramme
from shared.programmes import load_file, parse
from shared.programmes.checking import SCHEMA_FILE
from tests.services.node.sets import LAHDE, LAHDE_OF_TWO, OTHER, OWN, PROGRAMMES, read

FILES = (PARTICIPANTS, SESSIONS, ATTENDANCE, OUTCOMES)
GROUP_OF = {activity.key: activity.group for activity in PROGRAMMES["lahde-mukaan"].activities}
PUBLISHED = {
    "community_coaching": (125, 74),
    "info_sessions": (15, 214),
    "small_group_events": (32, 379),
    "public_events": (16, 2369),
    "individual_coaching": (145, 29),
}
OUTCOMES_PUBLISHED = {
    "education": 6,
    "wage_subsidy": 2,
    "open_labour_market": 2,
    "activated_job_seeker": 14,
    "vocational_rehabilitation": 1,
    "work_trial": 1,
    "apprenticeship": 2,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synth")
    synthesize(LAHDE, folder, seed=1, scale=3)
    return folder


def test_of_which_women_is_exact_and_a_start_form_that_is_asked_is_there(tmp_path: Path) -> None:
    document = load_file(SCHEMA_FILE.parent / "kuntsari.yaml")
    synthesize(document, tmp_path, seed=4, scale=2)
    people = read(tmp_path, PARTICIPANTS)
    assert (len(people), sum(row["gender"] == "f" for row in people)) == (51 * 2, 19 * 2)
    assert {row["standing"] for row in people} == {"esf_participant"}
    assert check_set(tmp_path, {"kuntsari": parse(document)}).problem_lines() == []


def totals(folder: Path) -> dict[str, tuple[int, int]]:
    """By group: sessions, and different people or heads, counted from the files alone."""
    sessions, heads = Counter[str](), Counter[str]()
    people: dict[str, set[str]] = defaultdict(set)
    group_of_session = {}
    for row in read(folder, SESSIONS):
        group = group_of_session[row["ref"]] = GROUP_OF[row["activity"]]
        sessions[group] += 1
        heads[group] += int(row["headcount"] or 0)
    for row in read(folder, ATTENDANCE):
        if row["role"] == "participant":
            people[group_of_session[row["session"]]].add(row["participant"])
    return {group: (count, len(people[group]) or heads[group]) for group, count in sessions.items()}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**9), scale=st.integers(1, 4), document=st.sampled_from([LAHDE, LAHDE_OF_TWO]))
def test_totals_are_the_published_ones_times_scale_and_the_set_has_no_problem(
    seed: int, scale: int, document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("synth")
    synthesize(document, folder, seed, scale)
    assert totals(folder) == {group: (n * scale, m * scale) for group, (n, m) in PUBLISHED.items()}
    assert Counter(row["outcome"] for row in read(folder, OUTCOMES)) == {
        outcome: people * scale for outcome, people in OUTCOMES_PUBLISHED.items()
    }
    assert check_set(folder, PROGRAMMES).problem_lines() == []


@settings(max_examples=25, deadline=None)
@given(
    sessions=st.integers(1, 60),
    people=st.integers(1, 60),
    extra=st.integers(0, 500),
    partners=st.sampled_from([[OWN], [OTHER, OWN]]),
)
def test_any_sizes_come_out_exactly(
    sessions: int, people: int, extra: int, partners: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    document = copy.deepcopy(LAHDE)
    document["synthetic"]["partners"] = partners
    del document["figures"]["outcomes"]
    document["figures"]["groups"] = [
        {"group": "community_coaching", "sessions": sessions, "participants": people},
        {"group": "public_events", "sessions": sessions, "heads": sessions + extra},
    ]
    folder = tmp_path_factory.mktemp("synth")
    synthesize(document, folder, seed=sessions, scale=1)
    assert totals(folder) == {
        "community_coaching": (sessions, people),
        "public_events": (sessions, sessions + extra),
    }
    assert check_set(folder, {"lahde-mukaan": parse(document)}).ok


def test_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        synthesize(LAHDE, tmp_path / name, seed, 1)
    for file in FILES:
        first = (tmp_path / "a" / file).read_bytes()
        assert first == (tmp_path / "b" / file).read_bytes()
        assert first != (tmp_path / "c" / file).read_bytes()


def test_everybody_is_marked_synthetic(made: Path) -> None:
    people = read(made, PARTICIPANTS)
    assert all(row["given_name"].startswith("Synteettinen-") for row in people)
    assert all(row["family_name"].startswith("Henkilö-") for row in people)
    assert len({row["given_name"] for row in people}) == len(people)


def test_identity_codes_are_temporary_with_signs_of_2023_and_tell_the_birth_date(made: Path) -> None:
    codes = [(row["identity_code"], row["birth_date"]) for row in read(made, PARTICIPANTS) if row["identity_code"]]
    assert len({code for code, _ in codes}) == len(codes) > 100
    for code, born in codes:
        assert hetu.is_temporary(code)
        assert code[6] in "YXWVUBCDEF"
        assert str(hetu.birth_date(code)) == born


def test_people_are_18_to_64_when_they_start(made: Path) -> None:
    for row in read(made, PARTICIPANTS):
        born, start = date.fromisoformat(row["birth_date"]), date.fromisoformat(row["start_date"])
        assert 18 <= start.year - born.year - ((start.month, start.day) < (born.month, born.day)) <= 64


def test_days_are_weekdays_and_nobody_attends_before_starting(made: Path) -> None:
    held = {row["ref"]: row["date"] for row in read(made, SESSIONS)}
    start = {row["ref"]: row["start_date"] for row in read(made, PARTICIPANTS)}
    signed = [row["form_signed_on"] for row in read(made, PARTICIPANTS) if row["form_signed_on"]]
    assert signed
    assert all(date.fromisoformat(day).weekday() < 5 for day in [*held.values(), *start.values(), *signed])
    assert all(start[row["participant"]] <= held[row["session"]] for row in read(made, ATTENDANCE))


def test_groups_have_plausible_sizes(made: Path) -> None:
    individual = {row["ref"] for row in read(made, SESSIONS) if row["activity"] == "duuniin"}
    sizes = Counter(row["session"] for row in read(made, ATTENDANCE) if row["session"] not in individual)
    assert 5 <= sum(sizes.values()) / len(sizes) <= 9
    assert max(sizes.values()) <= 16


def test_an_individual_session_is_with_one_person_and_nobody_is_in_two_groups(made: Path) -> None:
    individual = {row["ref"] for row in read(made, SESSIONS) if row["activity"] == "duuniin"}
    there = Counter(row["session"] for row in read(made, ATTENDANCE) if row["session"] in individual)
    assert there == dict.fromkeys(individual, 1)
    groups: dict[str, set[bool]] = defaultdict(set)
    for row in read(made, ATTENDANCE):
        groups[row["participant"]].add(row["session"] in individual)
    assert all(len(where) == 1 for where in groups.values())


def test_outcomes_are_of_different_people_who_were_there_before(made: Path) -> None:
    held = {row["ref"]: row["date"] for row in read(made, SESSIONS) if row["activity"] == "duuniin"}
    last: dict[str, str] = {}
    for row in read(made, ATTENDANCE):
        if row["session"] in held:
            last[row["participant"]] = max(last.get(row["participant"], ""), held[row["session"]])
    outcomes = read(made, OUTCOMES)
    assert len({row["participant"] for row in outcomes}) == len(outcomes) == 28 * 3
    assert len(last) == 29 * 3
    assert all(last[row["participant"]] <= row["date"] <= "2017-05-31" for row in outcomes)


def test_heads_have_a_basis_and_never_more_women(made: Path) -> None:
    for row in read(made, SESSIONS):
        if row["activity"] in ("kaapeli", "lahde_mukaan", "reeraa", "duuniin"):
            assert not row["headcount"]
        else:
            assert int(row["headcount"]) >= max(1, int(row["headcount_women"] or 0))
            assert row["headcount_basis"] in ("counted", "estimated")


def test_both_clients_and_esf_participants_take_part(made: Path) -> None:
    standings = Counter(row["standing"] for row in read(made, PARTICIPANTS))
    assert set(standings) == {"client", "esf_participant"}
    assert min(standings.values()) > 50


def test_nearly_all_participants_were_asked_whether_the_project_pays_them(made: Path) -> None:
    answers = Counter((row["standing"], row["paid_by_project"]) for row in read(made, PARTICIPANTS))
    asked, unasked = answers["esf_participant", "no"], answers["esf_participant", ""]
    assert 0.9 < asked / (asked + unasked) < 1
    assert {standing for standing, answer in answers if answer not in ("", "no")} == set()


def test_records_are_divided_among_the_partners_of_the_file(tmp_path: Path) -> None:
    synthesize(LAHDE_OF_TWO, tmp_path, seed=1, scale=1)
    for file in (PARTICIPANTS, SESSIONS):
        shares = Counter(row["partner"] for row in read(tmp_path, file))
        assert set(shares) == {OWN, OTHER}
        assert max(shares.values()) - min(shares.values()) <= 4


def test_programme_without_figures_and_wrong_scales_are_refused(tmp_path: Path) -> None:
    document = {key: value for key, value in LAHDE.items() if key != "figures"}
    with pytest.raises(InvalidInput):
        synthesize(document, tmp_path / "x", 1, 1)
    for scale in (0, -1, 10_001):
        with pytest.raises(InvalidInput):
            synthesize(LAHDE, tmp_path / "x", 1, scale)
    with pytest.raises(InvalidProgramme):
        synthesize({}, tmp_path / "x", 1, 1)
    assert not (tmp_path / "x").exists()


def test_people_fit_the_target_group_that_they_are_given_where_one_of_the_file_fits(made: Path) -> None:
    out_of_work = {"unemployed": {"unemployed"}, "outside_working_life": {"inactive", "inactive_in_education"}}
    people = [row for row in read(made, PARTICIPANTS) if row["labour_status"] not in ("", "employed")]
    assert people
    assert all(row["labour_status"] in out_of_work[row["target_group"]] for row in people)
