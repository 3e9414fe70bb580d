"""Outcomes and confirmed periods of the report, against a slow model and at their edges."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.reporting import partner_store
from services.reporting.outcomes import rows_behind
from services.reporting.partners import expel_partner
from services.reporting.people import find_equal
from services.reporting.queries import report
from shared.contracts.catalogue import (
    AttendanceRecorded,
    OutcomeRecorded,
    PeriodConfirmed,
    SessionHeld,
    StepEntered,
    StepLeft,
)
from shared.contracts.facts import Fact
from shared.storage import snapshot, transaction
from tests.services import kit
from tests.services.kit import KEY, NOW, OTHER, OWN, PROGRAMME
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
)

KEYS = [outcome.key for outcome in PROGRAMME.outcomes]
DAYS = [date(2016, 3, day) for day in (1, 2, 3)]


def outcome(name: object, person: object, code: str = "education", day: str = "2016-03-02") -> Fact:
    ids = {"outcome_id": hex_id("outcome", name)}
    return OutcomeRecorded(hex_id("person", person), **ids, activity="duuniin", outcome=code, occurred_on=day)


def confirmed(period: str = "whole_project", day: str = "2017-06-12") -> Fact:
    return PeriodConfirmed(None, period=period, occurred_on=day)


def expected(streams: Mapping[str, Sequence[Fact]], start: date | None, end: date | None) -> dict[str, Any]:
    """One loop over the people, each looked at by itself."""
    people: dict[tuple[str, str], set[str]] = {}
    for stream, facts in streams.items():
        held = {f["session"]: f for f in facts if isinstance(f, SessionHeld)}
        there = {f["attendance"]: f for f in facts if isinstance(f, AttendanceRecorded)}
        became = {f["outcome_id"]: f for f in facts if isinstance(f, OutcomeRecorded)}
        for fact in there.values():
            at = held[fact["session"]]
            day = date.fromisoformat(at["occurred_on"])
            inside = (start is None or day >= start) and (end is None or day <= end)
            if at["activity"] == "duuniin" and inside and fact["role"] == "participant":
                people[stream, str(fact.subject)] = {
                    o["outcome"]
                    for o in became.values()
                    if o.subject == fact.subject and (end is None or date.fromisoformat(o["occurred_on"]) <= end)
                }
    return {
        "activity": "duuniin",
        "participants": len(people),
        "outcomes": {key: sum(key in had for had in people.values()) for key in KEYS},
        "unknown": sum(not had for had in people.values()),
    }


SESSIONS = [
    session(0, "duuniin", "2016-03-01", 60),
    session(1, "duuniin", "2016-03-03", 60),
    session(2, "kaapeli", "2016-03-02", 60),
]
SMALL = st.integers(0, 3)
FACTS = st.one_of(
    st.builds(attendance, SMALL, st.integers(0, 2), SMALL, st.sampled_from(["participant", "participant", "staff"])),
    st.builds(outcome, SMALL, SMALL, st.sampled_from(KEYS[:3]), st.sampled_from([d.isoformat() for d in DAYS])),
)
LIMITS = st.sampled_from([None, *DAYS])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FACTS, max_size=15), st.lists(FACTS, max_size=10), LIMITS, LIMITS)
@example([attendance(0, 0, 0, "participant"), outcome(0, 0), outcome(1, 0, "work_trial")], [], None, None)
@example([attendance(0, 0, 0, "participant")], [outcome(0, 0)], None, None)
def test_outcomes_are_those_of_the_model(
    sqlite_engine: Engine, ours: list[Fact], theirs: list[Fact], start: date | None, end: date | None
) -> None:
    """Two outcomes of one person, none, corrections, other roles, the same person at another partner, days."""
    if start and end and end < start:
        start, end = end, start
    agree(sqlite_engine, {STREAMS[OWN]: [*SESSIONS, *ours], STREAMS[OTHER]: [*SESSIONS, *theirs]}, start, end)


def agree(engine: Engine, streams: Mapping[str, Sequence[Fact]], start: date | None, end: date | None) -> None:
    if not kit.rows(engine, partner_store.node):
        lead(engine)
        admit(engine, OWN, OTHER)
    forget_everything(engine)
    for stream, facts in streams.items():
        receive(engine, stream, facts)
    derive_all(engine)
    made = report(engine, KEY, start, end, NOW)
    assert made["outcomes"] == [expected(streams, start, end)]
    assert made["data_quality"]["refused_lines"] == 0
    with snapshot(engine) as connection:
        one = find_equal(connection, list(streams), by_tag=False)
        for key, number in made["outcomes"][0]["outcomes"].items():
            assert len(rows_behind(connection, PROGRAMME, list(streams), key, start, end, one)) == number, key


def test_both_databases_show_the_one_unknown(engine: Engine) -> None:
    ours = [*SESSIONS, *(attendance(n, n % 2, n, "participant") for n in range(4)), *(outcome(n, n) for n in range(3))]
    agree(engine, {STREAMS[OWN]: ours, STREAMS[OTHER]: SESSIONS}, None, None)
    (row,) = report(engine, KEY, None, None, NOW)["outcomes"]
    assert (row["participants"], row["outcomes"]["education"], row["unknown"]) == (4, 3, 1)


def test_a_partner_confirms_a_period_and_the_last_day_holds(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN, OTHER)
    receive(engine, STREAMS[OTHER], [confirmed(day="2017-06-20")])
    receive(engine, STREAMS[OWN], [confirmed(), confirmed(day="2017-07-01")])
    derive_all(engine)
    assert report(engine, KEY, None, None, NOW)["confirmed"] == [
        {"partner": OWN, "period": "whole_project", "on": "2017-07-01"},
        {"partner": OTHER, "period": "whole_project", "on": "2017-06-20"},
    ]


@pytest.mark.parametrize(("before", "after"), [("2017-06-20", "2017-07-01"), ("2017-07-01", "2017-06-20")])
def test_of_a_partner_with_an_expelled_node_a_period_is_confirmed_once_on_the_newest_day_of_either(
    engine: Engine, before: str, after: str
) -> None:
    journal = lead(engine)
    admit(engine, OTHER)
    receive(engine, STREAMS[OTHER], [confirmed(day=before)])
    expel_partner(journal, KEY, OTHER, by="boss", now=NOW)
    node = "rauma-0000000f"
    names = {"stream": f"{node}/{KEY}", "programme": KEY, "partner": OTHER, "node": node}
    with transaction(engine) as connection:
        partner_store.add_node(connection, names | {"signing_key": b"1" * 32, "receiving_key": b"2" * 32})
    receive(engine, f"{node}/{KEY}", [confirmed(day=after)])
    derive_all(engine)
    told = {"partner": OTHER, "period": "whole_project", "on": "2017-07-01"}
    assert report(engine, KEY, None, None, NOW)["confirmed"] == [told]


def test_arrived_and_confirmed_are_told_apart(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN)
    receive(engine, STREAMS[OWN], [confirmed()], said=5)
    derive_all(engine)
    made = report(engine, KEY, None, None, NOW)
    assert (made["arrived"], [row["partner"] for row in made["confirmed"]]) == (False, [OWN])


@pytest.mark.parametrize(
    "fact",
    [
        confirmed("y2015"),
        outcome(1, 1, "happiness"),
        OutcomeRecorded(hex_id("person", 1), **{**outcome(1, 1).body, "activity": "kaapeli"}),
        StepEntered(hex_id("person", 1), step="nowhere", occurred_on="2016-03-01"),
        StepLeft(hex_id("person", 1), step="network", occurred_on="2016-03-01"),
    ],
    ids=["period", "outcome", "activity", "step", "level"],
)
def test_a_line_that_the_programme_does_not_know_is_kept_and_counted(engine: Engine, fact: Fact) -> None:
    steps = [
        {"key": "outreach", "name": {"fi": "Etsivä työ"}, "level": "individual"},
        {"key": "network", "name": {"fi": "Verkosto"}, "level": "service_system"},
    ]
    lead(engine, kit.changed(steps=steps))
    admit(engine, OWN)
    right = StepEntered(hex_id("person", 1), step="outreach", occurred_on="2016-03-01")
    receive(engine, STREAMS[OWN], [right, fact])
    derive_all(engine)
    made = report(engine, KEY, None, None, NOW)
    assert made["data_quality"]["refused_lines"] == 1
    assert (made["confirmed"], made["outcomes"][0]["participants"]) == ([], 0)
