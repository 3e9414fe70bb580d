"""The fund's indicators: of lines as they come, against the kit's own way of counting; on both databases."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, text, update

from services.reporting import partner_store, rebuilding, store
from services.reporting.indicators import people_behind
from services.reporting.operations import derive_what_has_become_readable
from services.reporting.people import find_equal
from services.reporting.queries import report
from services.reporting.sampling import Row, draw_sample, drawn
from shared.contracts.catalogue import ParticipationStarted, PersonTagged, SubjectErased
from shared.contracts.errors import UnknownCode
from shared.contracts.facts import Fact
from shared.contracts.record_facts import FollowUpRecorded, ParticipationEnded, ParticipationResumed
from shared.contracts.start_facts import EuraCounted
from shared.forms import find_form
from shared.forms.records import Counts, End, Record, Start, count
from shared.journal import Journal
from shared.programmes import parse
from shared.storage import snapshot, transaction
from shared.storage.migrate import migrate
from tests.services import kit
from tests.services.kit import KEY, NOW, OTHER, OWN
from tests.services.reporting.kit import (
    STREAMS,
    admit,
    derive_all,
    ended,
    forget_everything,
    hex_id,
    lead,
    receive,
    resumed,
    standing,
    started,
)

MINE, THEIRS = STREAMS[OWN], STREAMS[OTHER]
TAGGED = kit.changed(tag={"basis": "name_birth_date", "steward": OTHER})
FORM = find_form("esf_2014_2020")


def followed_up(person: object, day: str, *results: str) -> Fact:
    status, ids = "reached" if results else "not_reached", {"follow_up": hex_id("follow up", person, day, results)}
    days = {"due": day, "occurred_on": day}
    return FollowUpRecorded(hex_id("person", person), **ids, **days, status=status, results=list(results) or None)


def tagged(person: object, human: object) -> Fact:
    return PersonTagged(hex_id("person", person), tag=hex_id(human) * 2, key_no=1)


def counts(
    engine: Engine, start: date | None = None, end: date | None = None, programme: str = KEY
) -> dict[str, dict[str, int]]:
    """By code the genders that are not 0."""
    rows = report(engine, programme, start, end, NOW)["indicators"]
    assert all(row["realised"] == sum(row["by"]["gender"].values()) for row in rows)
    return {row["code"]: {g: n for g, n in row["by"]["gender"].items() if n} for row in rows}


@pytest.fixture
def at_lead(engine: Engine) -> Engine:
    lead(engine, TAGGED)
    admit(engine, OWN, OTHER)
    return engine


def bring(engine: Engine, *facts: Fact, stream: str = MINE) -> None:
    receive(engine, stream, facts)
    derive_all(engine)
    assert rebuilding.check(engine)["equal"]


def test_the_report_names_everybody_who_started_and_every_code_of_the_form(at_lead: Engine) -> None:
    bring(at_lead, started(1), started(2, gender="m", education=None))
    made = report(at_lead, KEY, None, None, NOW)
    first = made["indicators"][0]
    assert first == {
        **{"code": "participants_started", "planned": None, "realised": 2, "suppressed": False},
        "label": {"fi": "Aloittaneita osallistujia", "sv": "Deltagare som börjat", "en": "Participants started"},
        "by": {"gender": {"f": 1, "m": 1, "x": 0, "unknown": 0}},
    }
    assert [row["code"] for row in made["indicators"][1:]] == [indicator.key for indicator in FORM.indicators]
    assert counts(at_lead)["CO10"] == {"f": 1}, "the incomplete record is in the grand total alone"
    assert made["data_quality"]["incomplete_records"] == 1


def test_a_record_that_nothing_confirms_is_in_the_grand_total_alone_until_it_is_confirmed(at_lead: Engine) -> None:
    left = (ended(n, "2016-09-01", "employment") for n in (1, 2, 3))
    bring(at_lead, started(1, proof="none"), started(2, proof="signed"), started(3), *left)
    found = counts(at_lead)
    assert (found["participants_started"], found["CO01"], found["CR04"]) == ({"f": 3}, {"f": 2}, {"f": 2})
    quality = report(at_lead, KEY, None, None, NOW)["data_quality"]
    assert (quality["incomplete_records"], quality["unproved_records"]) == (1, 1)
    bring(at_lead, started(1, proof="eura"))
    found = counts(at_lead)
    assert (found["CO01"], found["CR04"]) == ({"f": 3}, {"f": 3})
    assert report(at_lead, KEY, None, None, NOW)["data_quality"]["unproved_records"] == 0


def test_of_a_person_of_two_partners_the_proof_of_the_record_that_stands_counts(at_lead: Engine) -> None:
    bring(at_lead, started(1, proof="none"), tagged(1, "human"))
    bring(at_lead, started(2, "2016-05-01", proof="signed"), tagged(2, "human"), stream=THEIRS)
    assert (counts(at_lead)["participants_started"], counts(at_lead)["CO01"]) == ({"f": 1}, {})
    assert report(at_lead, KEY, None, None, NOW)["data_quality"]["unproved_records"] == 1
    bring(at_lead, started(1, proof="signed"))
    assert counts(at_lead)["CO01"] == {"f": 1}


def test_what_an_earlier_release_passed_over_of_a_newer_node_is_read_after_the_upgrade(at_lead: Engine) -> None:
    bring(at_lead, started(1, proof="none"))
    bring(at_lead, started(2), stream=THEIRS)
    with transaction(at_lead) as connection:
        connection.execute(update(store.start).values(complete=1, codes="CO01"))
        connection.execute(text("ALTER TABLE reporting_start DROP COLUMN proof"))
        connection.execute(text("DROP TABLE reporting_release"))
        connection.execute(
            text("UPDATE alembic_version SET version_num = 'reporting_0013' WHERE version_num LIKE 'reporting%'")
        )
    migrate(at_lead)
    assert [row["stream"] for row in kit.rows(at_lead, store.start)] == [THEIRS], "nothing is derived anew without need"
    derive_what_has_become_readable(at_lead)
    derive_all(at_lead)
    assert (counts(at_lead)["participants_started"], counts(at_lead)["CO01"]) == ({"f": 2}, {"f": 1})


def test_what_was_planned_is_what_held_on_the_last_day_and_nothing_is_recorded_of_the_files_own_indicators(
    engine: Engine,
) -> None:
    own = [{"key": "participants_started", "name": {"fi": "Mukaan"}}, {"key": "new_jobs", "name": {"fi": "Työpaikat"}}]
    targets = [
        {"indicator": "participants_started", "planned": 60, "valid_from": "2015-05-01"},
        {"indicator": "participants_started", "planned": 80, "valid_from": "2016-06-01"},
        {"indicator": "new_jobs", "planned": 0, "valid_from": "2015-05-01"},
    ]
    lead(engine, TAGGED | {"indicators": own, "targets": targets})
    admit(engine, OWN, OTHER)
    bring(engine, started(1))
    planned = {}
    for last in (date(2015, 4, 30), date(2016, 5, 31), date(2016, 6, 1), None):
        rows = {row["code"]: row for row in report(engine, KEY, None, last, NOW)["indicators"]}
        planned[last] = [rows[code]["planned"] for code in ("participants_started", "new_jobs", "CO01")]
    assert list(planned.values()) == [[None, None, None], [60, 0, None], [80, 0, None], [80, 0, None]]
    assert rows["participants_started"]["label"] == {"fi": "Mukaan"}
    assert (rows["new_jobs"]["realised"], rows["new_jobs"]["by"], rows["new_jobs"]["label"]["fi"]) == (
        None,
        {},
        "Työpaikat",
    )


def test_funding_is_what_the_file_says_was_planned_on_the_last_day_and_published_of_the_whole_project(
    engine: Engine,
) -> None:
    name = {"fi": "Rahaa"}
    own = [
        {"key": "eu_and_state", "name": name, "planned_is": "granted"},
        {"key": "public_total", "name": name, "planned_is": "planned", "includes": ["eu_and_state"]},
    ]
    budget = [
        {"source": "eu_and_state", "planned": 150000, "valid_from": "2015-05-01"},
        {"source": "eu_and_state", "planned": 170000, "valid_from": "2016-06-01"},
    ]
    file = TAGGED | {"funding": own, "budget": budget}
    came = TAGGED["figures"] | {"funding": [{"source": "eu_and_state", "realised": 162158}]}
    lead(engine, file | {"figures": came})
    total = {"source": "public_total", "includes": ["eu_and_state"], "planned_label": "planned"}
    assert report(engine, KEY, None, None, NOW)["funding"] == [
        {"source": "eu_and_state", "planned_label": "granted", "planned": 170000, "realised": 162158},
        total | {"planned": None, "realised": None},
    ]
    some_days = report(engine, KEY, None, date(2016, 5, 31), NOW)["funding"][0]
    assert (some_days["planned"], some_days["realised"]) == (150000, None)
    invented = parse(file | {"figures": came | {"basis": "illustrative"}})
    assert invented.figures is not None
    assert invented.figures.funding == {}


def test_a_later_start_record_corrects_and_a_later_exit_takes_the_place_of_one(at_lead: Engine) -> None:
    bring(at_lead, started(1), ended(1, "2016-08-01", "employment"))
    assert (counts(at_lead)["CO01"], counts(at_lead)["CR04"]) == ({"f": 1}, {"f": 1})
    bring(at_lead, started(1, labour_status="inactive", unemployed_months=None), ended(1, "2016-09-01", "none"))
    found = counts(at_lead)
    assert (found["CO01"], found["CO03"], found["CR04"]) == ({}, {"f": 1}, {})


def test_who_has_come_back_has_no_result_until_the_next_exit(at_lead: Engine) -> None:
    bring(at_lead, started(1), ended(1, "2016-08-01", "qualification"), resumed(1, "2016-09-01"))
    assert counts(at_lead)["CR03"] == {}
    bring(at_lead, ended(1, "2016-10-01", "qualification"))
    assert counts(at_lead)["CR03"] == {"f": 1}


def test_a_follow_up_counts_for_28_days_and_one_in_vain_changes_nothing(at_lead: Engine) -> None:
    people = [started(n) for n in range(3)], [ended(n, "2016-09-01") for n in range(3)]
    told = followed_up(0, "2016-09-29", "employment"), followed_up(1, "2016-09-30", "employment")
    bring(at_lead, *people[0], *people[1], *told, followed_up(2, "2016-09-10"))
    assert counts(at_lead)["CR04"] == {"f": 1}


def test_days_choose_who_started_and_who_left(at_lead: Engine) -> None:
    bring(at_lead, started(1), started(2, "2016-05-01"), ended(1, "2016-06-01", "qualification"))
    spring = counts(at_lead, date(2016, 3, 1), date(2016, 4, 30))
    assert (spring["participants_started"], spring["CR03"]) == ({"f": 1}, {})
    summer = counts(at_lead, date(2016, 6, 1), date(2016, 6, 1))
    assert (summer["participants_started"], summer["CO01"], summer["CR03"]) == ({}, {}, {"f": 1})


def test_a_person_of_two_partners_is_one_record_of_the_first_start_and_the_last_exit(at_lead: Engine) -> None:
    bring(at_lead, started(1), tagged(1, "human"), ended(1, "2016-09-01", "qualification"))
    later = started(2, "2016-05-01", labour_status="employed", unemployed_months=None)
    bring(at_lead, later, tagged(2, "human"), stream=THEIRS)
    found = counts(at_lead)
    assert (found["participants_started"], found["CO01"], found["CO05"]) == ({"f": 1}, {"f": 1}, {})
    assert found["CR03"] == {}, "still in at the second partner"
    bring(at_lead, ended(2, "2016-10-01", "employment"), stream=THEIRS)
    found = counts(at_lead)
    assert (found["CR03"], found["CR04"]) == ({}, {"f": 1})


def test_who_was_referred_is_one_record_with_the_exit_from_the_partner_that_went_on(at_lead: Engine) -> None:
    bring(at_lead, standing(1, "esf_participant"), started(1), ended(1, "2016-05-01", "qualification"))
    went_on = started(2, "2016-05-01", continues=hex_id("person", 1))
    bring(at_lead, standing(2, "esf_participant"), went_on, stream=THEIRS)
    assert (counts(at_lead)["participants_started"], counts(at_lead)["CR03"]) == ({"f": 1}, {})
    bring(at_lead, ended(2, "2016-10-01", "employment"), stream=THEIRS)
    assert (counts(at_lead)["CR03"], counts(at_lead)["CR04"]) == ({}, {"f": 1})


def test_an_erased_person_is_in_no_indicator(at_lead: Engine) -> None:
    bring(at_lead, started(1), ended(1, "2016-09-01", "employment"), followed_up(1, "2016-09-05", "employment"))
    bring(at_lead, SubjectErased(hex_id("person", 1)))
    assert counts(at_lead)["participants_started"] == counts(at_lead)["CR04"] == {}


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"funding_programme": "esf_2007_2013"}, []),
        ({"funding_programme": "esf_plus_2021_2027", "esf_record": "eura_only"}, []),
        ({"funding_programme": "esf_plus_2021_2027"}, ["EECO01", "EECO02", "EECO03", "EECO10"]),
    ],
)
def test_each_period_counts_by_its_own_form_and_nothing_of_what_it_does_not_ask(
    engine: Engine, changes: dict[str, str], codes: list[str]
) -> None:
    lead(engine, kit.changed(**changes))
    admit(engine, OWN)
    bring(engine, started(1, minority="yes", disability="yes"))
    assert [code for code, by in counts(engine).items() if by] == ["participants_started", *codes]


def test_start_records_that_an_earlier_release_made_nothing_of_are_counted_after_it(at_lead: Engine) -> None:
    bring(at_lead, started(1))
    with transaction(at_lead) as connection:
        connection.execute(delete(store.start))
    derive_what_has_become_readable(at_lead)
    derive_all(at_lead)
    assert counts(at_lead)["participants_started"] == {"f": 1}
    assert rebuilding.check(at_lead)["equal"]


# --- against the plain way of counting


PEOPLE, DAYS = st.integers(0, 3), st.integers(1, 28).map(lambda n: f"2016-09-{n:02}")
RESULTS = st.lists(st.sampled_from(["education", "qualification"]), max_size=2, unique=True).flatmap(
    lambda others: st.sampled_from([[], ["job_search"], ["employment"]]).map(lambda labour: [*others, *labour])
)
FACTS = st.one_of(
    st.builds(
        lambda p, d, g, s, a, e, proof: started(
            *(p, d),
            **{"gender": g, "labour_status": s, "unemployed_months": 9 if s == "unemployed" else None},
            **{"age": a, "education": e, "proof": proof},
        ),
        PEOPLE,
        DAYS,
        st.sampled_from(["f", "m", "x", "unknown"]),
        st.sampled_from(["unemployed", "inactive", "employed", None]),
        st.sampled_from([20, 24, 25, 60, None]),
        st.sampled_from([0, 2, 5]),
        st.sampled_from([None, "signed", "none"]),
    ),
    st.builds(lambda p, d, r: ended(p, d, *r), PEOPLE, DAYS, RESULTS),
    st.builds(resumed, PEOPLE, DAYS),
    st.builds(lambda p, d, r: followed_up(p, d, *r), PEOPLE, DAYS, RESULTS),
)


def model(streams: Mapping[str, Sequence[Fact]], human: Mapping[tuple[str, str], str]) -> Counts:
    """One pass over the facts, then every person by the rules of the kit."""
    starts: dict[tuple[str, str], Fact] = {}
    ends: dict[tuple[str, str], Fact] = {}
    later: dict[tuple[str, str], dict[str, Fact]] = defaultdict(dict)
    for stream, facts in streams.items():
        for fact in facts:
            who = (stream, str(fact.subject))
            if isinstance(fact, ParticipationStarted):
                starts[who] = fact
            elif isinstance(fact, ParticipationEnded):
                ends[who] = fact
            elif isinstance(fact, ParticipationResumed):
                ends.pop(who, None)
            elif isinstance(fact, FollowUpRecorded):
                later[who][fact["follow_up"]] = fact
    records = []
    for who, fact in starts.items():
        answers = {name: value for name, value in fact.body.items() if name not in ("occurred_on", "proof")}
        end = None
        if who in ends:
            told = tuple(
                (date.fromisoformat(f["occurred_on"]), frozenset(f["results"]))
                for _, f in sorted(later[who].items(), key=lambda item: (item[1]["occurred_on"], item[0]))
                if f["results"]
            )
            left = ends[who]
            end = End(date.fromisoformat(left["occurred_on"]), frozenset(left["results"] or ()), told)
        start = Start(date.fromisoformat(fact["occurred_on"]), answers, proof=fact["proof"])
        records.append(Record("p", human.get(who, str(who)), start, end))
    return count(FORM, records).get("p", Counts())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(FACTS, max_size=20), st.lists(FACTS, max_size=8), st.booleans())
def test_any_lines_give_what_the_kit_counts(
    sqlite_engine: Engine, mine: list[Fact], theirs: list[Fact], same: bool
) -> None:
    engine = sqlite_engine
    if not kit.rows(engine, partner_store.node):
        lead(engine, TAGGED)
        admit(engine, OWN, OTHER)
    forget_everything(engine)
    streams = {MINE: mine, THEIRS: theirs}
    tags = [tagged(0, "human")] if same else []
    for stream, facts in streams.items():
        receive(engine, stream, [*facts, *tags])
    derive_all(engine)
    subject = hex_id("person", 0)
    expected = model(streams, {(stream, subject): "human" for stream in streams} if same else {})
    found = counts(engine)
    definition = kit.parse_programme(TAGGED)
    with snapshot(engine) as connection:
        one = find_equal(connection, [MINE, THEIRS], by_tag=True)
        for code in ("participants_started", "CO01", "CR05"):  # everybody, of the start, of leaving
            behind = people_behind(connection, definition, code, None, None, one)
            assert len(behind) == sum(found[code].values()), code
    assert found.pop("participants_started") == dict(expected.participants)
    assert {code: by for code, by in found.items() if by} == {c: dict(by) for c, by in expected.indicators.items()}


def test_of_eura_the_lead_shows_each_nodes_last_count_together(at_lead: Engine) -> None:
    assert "eura" not in report(at_lead, KEY, None, None, NOW)["data_quality"], "nobody has said"
    bring(at_lead, EuraCounted(None, starts=1, exits=0), EuraCounted(None, starts=2, exits=1))
    bring(at_lead, EuraCounted(None, starts=5, exits=0), stream=THEIRS)
    assert report(at_lead, KEY, None, None, NOW)["data_quality"]["eura"] == {"starts": 7, "exits": 1}


# --- a controller's sample


def sample(engine: Engine, indicator: str = "co01", size: int = 2, seed: str | None = "0a") -> dict[str, Any]:
    return draw_sample(Journal(engine, "lead"), KEY, indicator, size, seed, None, None, by="boss", now=NOW)


def test_a_sample_is_lines_behind_the_figure_and_the_same_seed_draws_it_again(at_lead: Engine) -> None:
    bring(at_lead, *(standing(n, "esf_participant") for n in range(3)), *(started(n) for n in range(6)))
    bring(at_lead, started(9, labour_status="inactive", unemployed_months=None), stream=THEIRS)
    first = sample(at_lead)
    assert (first["population"], len(first["rows"]), first["seed"]) == (6, 2, "0a")
    assert {row["node"] for row in first["rows"]} == {MINE.split("/")[0]}
    assert all(4 <= row["line"] <= 9 for row in first["rows"]), "the lines of start records"
    assert sample(at_lead) == first
    assert any(sample(at_lead, seed=f"{n:02x}")["rows"] != first["rows"] for n in range(20))
    assert hex_id("person", 0) not in str(first), "nobody is named"
    assert sample(at_lead, seed=None)["seed"] != sample(at_lead, seed=None)["seed"]
    assert kit.audit(at_lead)[-1]["action"] == "draw_sample"


def test_a_corrected_start_is_sampled_by_its_last_line_and_an_erased_one_not_at_all(at_lead: Engine) -> None:
    bring(at_lead, started(1), started(2), started(1, age=50))
    assert {row["line"] for row in sample(at_lead)["rows"]} == {2, 3}
    bring(at_lead, SubjectErased(hex_id("person", 1)))
    assert [row["line"] for row in sample(at_lead)["rows"]] == [2]


def test_what_is_no_figure_of_the_report_has_no_rows(at_lead: Engine) -> None:
    with pytest.raises(UnknownCode):
        sample(at_lead, "eeco01")


def test_a_row_that_is_drawn_stays_drawn_while_others_come() -> None:
    rows = [Row(MINE, n) for n in range(1, 60)]
    few = drawn(rows[:30], "0a", 5)
    assert [row for row in drawn(rows, "0a", 5) if row in rows[:30]] == [r for r in few if r in drawn(rows, "0a", 5)]
    assert len({tuple(drawn(rows, f"{n:02x}", 5)) for n in range(8)}) == 8
