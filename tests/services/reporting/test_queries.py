"""Figures against a slow, obviously right model; what a report says about the streams it was made from."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from services.reporting import operations, partner_queries, partner_store, queries, versions
from services.reporting.queries import report
from services.reporting.records import STARTED
from shared.contracts.catalogue import (
    AttendanceRecorded,
    AttendanceRemoved,
    HeadsCounted,
    SessionHeld,
    SessionRemoved,
    StepEntered,
    StepLeft,
)
from shared.contracts.errors import InvalidInput, UnknownProgramme
from shared.contracts.facts import Fact
from shared.forms import find_form
from shared.journal.crypto import key_id
from shared.ops.clock import wire_time
from shared.storage import LINES_AT_ONCE
from tests.services import kit
from tests.services.kit import KEY, NOW, OTHER, OWN, PROGRAMME
from tests.services.reporting.kit import (
    NODES,
    SIGNING,
    STREAMS,
    admit,
    attendance,
    attendance_removed,
    derive_all,
    forget_everything,
    heads,
    lead,
    receive,
    session,
    session_removed,
)
from tests.services.reporting.test_operations import FACTS

DAY = "2016-03-01"


def hours(minutes: int) -> float:
    return float((Decimal(minutes) / 60).quantize(Decimal("0.1"), ROUND_HALF_UP))


def expected(
    streams: Mapping[str, Sequence[Fact]], start: date | None, end: date | None
) -> tuple[list[dict[str, Any]], int]:
    """The activities of the report and the refused lines: one pass over the facts, one over what they left."""
    sessions: dict[tuple[str, str], Fact] = {}
    there: dict[tuple[str, str], Fact] = {}
    counted: dict[tuple[str, str], Fact] = {}
    refused = 0
    for stream, facts in streams.items():
        for fact in facts:
            if isinstance(fact, SessionHeld):
                if fact["activity"] in PROGRAMME.activity_by_key:
                    sessions[stream, fact["session"]] = fact
                else:
                    refused += 1
            elif isinstance(fact, AttendanceRemoved):
                there.pop((stream, fact["attendance"]), None)
            elif isinstance(fact, SessionRemoved):
                refused += (stream, fact["session"]) not in sessions
                sessions.pop((stream, fact["session"]), None)
                counted.pop((stream, fact["session"]), None)
            elif isinstance(fact, AttendanceRecorded | HeadsCounted):
                if (stream, fact["session"]) not in sessions:
                    refused += 1
                elif isinstance(fact, AttendanceRecorded):
                    there[stream, fact["attendance"]] = fact
                else:
                    counted[stream, fact["session"]] = fact
            elif isinstance(fact, StepEntered | StepLeft):
                refused += fact["step"] not in PROGRAMME.step_by_key
    rows = []
    for group in PROGRAMME.groups:
        held = {
            place: fact
            for place, fact in sessions.items()
            if PROGRAMME.activity_by_key[fact["activity"]].group == group.key
            and (start is None or date.fromisoformat(fact["occurred_on"]) >= start)
            and (end is None or date.fromisoformat(fact["occurred_on"]) <= end)
        }
        minutes = [fact["minutes"] for fact in held.values() if fact["minutes"] is not None]
        seen = [fact["heads"] for place, fact in counted.items() if place in held]
        present = [
            (stream, fact.subject)
            for (stream, _), fact in there.items()
            if (stream, fact["session"]) in held and fact["role"] == "participant"
        ]
        people = group.counts == "people"
        rows.append(
            {
                "group": group.key,
                "sessions": len(held),
                "participants": len(set(present)) if people else None,
                "attendances": len(present) if people else None,
                "heads": None if people or (held and not seen) else sum(seen),
                "hours": None if held and not minutes else hours(sum(minutes)),
            }
        )
    return rows, refused


LIMITS = st.sampled_from([None, date(2016, 3, 1), date(2016, 3, 2), date(2016, 5, 1)])
CORRECTED = [
    session(0, "kaapeli", "2016-03-01", 60),
    attendance(0, 0, 0, "participant"),
    attendance(1, 0, 1, "participant"),
    attendance(1, 0, 1, "staff"),
    session(1, "public_event", "2016-03-01", 15),
    heads(1, 10),
    heads(1, 0),
    session(0, "reeraa", "2016-04-01", None),
]
TAKEN_BACK = [
    *CORRECTED,
    session(2, "duuniin", "2016-03-01", 45),
    attendance(2, 2, 2, "participant"),
    attendance_removed(0, 0, 0),
    attendance_removed(1, 0, 1),
    attendance(1, 0, 1, "participant"),
    session_removed(1),
    heads(1, 3),
    attendance_removed(2, 2, 2),
    session_removed(2),
    session_removed(2),
    attendance_removed(9, 0, 0),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FACTS, max_size=20), st.lists(FACTS, max_size=20), LIMITS, LIMITS)
@example(CORRECTED, [], None, None)
@example(CORRECTED, CORRECTED, None, date(2016, 3, 2))
@example(TAKEN_BACK, CORRECTED, None, None)
def test_figures_are_those_of_the_model(
    sqlite_engine: Engine, ours: list[Fact], theirs: list[Fact], start: date | None, end: date | None
) -> None:
    """Of two partners, with corrections, refused lines, other roles, zeros and gaps, whole and from day to day."""
    if start and end and end < start:
        start, end = end, start
    if not kit.rows(sqlite_engine, partner_store.node):
        lead(sqlite_engine)
        admit(sqlite_engine, OWN, OTHER)
    forget_everything(sqlite_engine)
    streams = {STREAMS[OWN]: ours, STREAMS[OTHER]: theirs}
    for stream, facts in streams.items():
        receive(sqlite_engine, stream, facts)
    derive_all(sqlite_engine)
    made = report(sqlite_engine, KEY, start, end, NOW)
    activities, refused = expected(streams, start, end)
    assert made["activities"] == activities
    assert made["data_quality"]["refused_lines"] == refused
    assert made["arrived"] is True


def test_both_databases_give_the_figures_of_the_model(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN, OTHER)
    streams = {STREAMS[OWN]: TAKEN_BACK, STREAMS[OTHER]: CORRECTED[:5]}
    for stream, facts in streams.items():
        receive(engine, stream, facts)
    derive_all(engine)
    for start, end in ((None, None), (date(2016, 3, 2), None), (None, date(2016, 3, 2))):
        assert report(engine, KEY, start, end, NOW)["activities"] == expected(streams, start, end)[0]


def test_a_report_holds_the_members_due_and_no_others(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN)
    chain = receive(engine, STREAMS[OWN], [session(1, "public_event", DAY, 90), heads(1, 0)])
    derive_all(engine)
    made = report(engine, KEY, date(2016, 1, 1), None, NOW)
    del made["proof"]
    absent = {"sessions": 0, "hours": 0.0, "participants": None, "attendances": None, "heads": 0}
    assert made == {
        "programme": KEY,
        "from": "2016-01-01",
        "to": None,
        "audience": "funder",
        "as_of": "2016-11-22T09:15:02.123456Z",
        "release": None,
        "arrived": True,
        "confirmed": [],
        "newer_facts": 0,
        "streams": [
            {
                "node": NODES[OWN],
                "partner": OWN,
                "epoch": 1,
                "watermark": 2,
                "head": 2,
                "chain": chain.hex(),
                "manifest_at": wire_time(NOW),
                "expelled": None,
                "closed": None,
            },
            dict.fromkeys(("node", "epoch", "watermark", "head", "chain", "manifest_at", "expelled", "closed"))
            | {"partner": OTHER},
        ],
        "people": {"counted_once_by_tag": None, "not_comparable": 0, "range": [0, 0]},
        "activities": [
            {"group": "community_coaching", **absent, "participants": 0, "attendances": 0, "heads": None},
            {"group": "info_sessions", **absent},
            {"group": "small_group_events", **absent},
            {"group": "public_events", **absent, "sessions": 1, "hours": 1.5},
            {"group": "individual_coaching", **absent, "participants": 0, "attendances": 0, "heads": None},
            {"group": "client_panels", **absent},
        ],
        "encounters": {
            **dict.fromkeys(("encounters", "heads", "people_new", "people_known", "women"), 0),
            "not_recorded": dict.fromkeys(("heads", "people_new", "people_known", "women"), 0),
            "by": {"location": [], "area": [], "topic": [], "guided_to": []},
        },
        "indicators": [
            {
                **{"code": code, "label": label, "planned": None, "realised": 0, "suppressed": False},
                "by": {"gender": {"f": 0, "m": 0, "x": 0, "unknown": 0}},
            }
            for code, label in (
                (
                    STARTED,
                    {"fi": "Aloittaneita osallistujia", "sv": "Deltagare som börjat", "en": "Participants started"},
                ),
                *((indicator.key, indicator.name) for indicator in find_form("esf_2014_2020").indicators),
            )
        ],
        "steps": [],
        "funding": [],
        "outcomes": [
            {
                "activity": "duuniin",
                "participants": 0,
                "outcomes": dict.fromkeys((outcome.key for outcome in PROGRAMME.outcomes), 0),
                "unknown": 0,
            }
        ],
        "data_quality": {
            "refused_lines": 0,
            "void_lines": 0,
            "incomplete_records": 0,
            "unproved_records": 0,
            "erased_people": 0,
            "erased_lines": 0,
            "restricted_people": 0,
        },
    }


def test_days_the_wrong_way_round_and_unknown_programmes_are_refused(engine: Engine) -> None:
    lead(engine)
    with pytest.raises(InvalidInput):
        report(engine, KEY, date(2016, 3, 2), date(2016, 3, 1), NOW)
    with pytest.raises(UnknownProgramme):
        report(engine, "toinen", None, None, NOW)


def test_watermark_and_chain_are_what_the_figures_contain_not_what_has_come(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead(engine)
    admit(engine, OWN)
    first = receive(engine, STREAMS[OWN], [session(1, "kaapeli", DAY, 60)])
    receive(engine, STREAMS[OWN], [session(2, "kaapeli", DAY, 60)])
    before = report(engine, KEY, None, None, NOW)
    assert (before["streams"][0]["watermark"], before["streams"][0]["head"], before["arrived"]) == (0, 2, False)
    monkeypatch.setattr(operations, "DERIVE_BATCH", dict.fromkeys(LINES_AT_ONCE, 1))
    operations.derive(engine, {})
    made = report(engine, KEY, None, None, NOW)
    assert (made["streams"][0]["watermark"], made["streams"][0]["chain"]) == (1, first.hex())
    assert (made["activities"][0]["sessions"], made["arrived"]) == (1, False)


@pytest.mark.parametrize(
    ("said", "heard", "state", "arrived", "word"),
    [
        (None, NOW, "open", True, "complete"),
        (3, NOW, "open", False, "missing"),
        (3, NOW - timedelta(days=9), "open", False, "missing"),
        (None, NOW - timedelta(days=3, seconds=1), "open", None, "not_known_since"),
        (None, NOW - timedelta(days=3), "open", True, "complete"),
        (None, NOW, "stopped", False, "differs"),
    ],
)
def test_the_report_and_completeness_agree(
    engine: Engine, said: int | None, heard: datetime, state: str, arrived: bool | None, word: str
) -> None:
    lead(engine)
    admit(engine, OWN)
    receive(engine, STREAMS[OWN], [session(1, "kaapeli", DAY, 60)], said=said, heard=heard, state=state)
    derive_all(engine)
    assert report(engine, KEY, None, None, NOW)["arrived"] is arrived
    found = partner_queries.completeness(engine, KEY, NOW)
    (stream,) = found["streams"]
    assert (found["complete"], stream["state"]) == (word == "complete", word)
    assert stream["missing"] == ([[2, 3]] if word == "missing" else [])
    assert (stream["node"], stream["programme"], stream["partner"]) == (NODES[OWN], KEY, OWN)


def test_a_node_that_has_joined_and_not_spoken_makes_it_unknown(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN)
    made = report(engine, KEY, None, None, NOW)
    assert made["arrived"] is None
    assert (made["streams"][0]["node"], made["streams"][0]["watermark"]) == (NODES[OWN], None)
    found = partner_queries.completeness(engine, None, NOW)
    assert (found["complete"], found["streams"][0]["state"]) == (False, "not_known_since")


def test_the_programmes_own_limit_of_silence_holds(engine: Engine) -> None:
    lead(engine, kit.changed(silence_limit_days=10))
    admit(engine, OWN)
    receive(engine, STREAMS[OWN], [], heard=NOW - timedelta(days=9))
    assert report(engine, KEY, None, None, NOW)["arrived"] is True
    assert partner_queries.completeness(engine, KEY, NOW)["complete"] is True


def test_a_joined_partner_that_a_new_version_leaves_out_still_stands_with_its_figures(engine: Engine) -> None:
    journal = lead(engine)
    admit(engine, OTHER)
    receive(engine, STREAMS[OTHER], [session(1, "kaapeli", DAY, 60)], said=5)
    partners = [p for p in kit.DOCUMENT["partners"] if p["key"] == OWN]
    synthetic = kit.DOCUMENT["synthetic"] | {"partners": [OWN]}
    versions.load_programme(journal, kit.changed(partners=partners, synthetic=synthetic), "boss", NOW)
    derive_all(engine)
    made = report(engine, KEY, None, None, NOW)
    assert [stream["partner"] for stream in made["streams"]] == [OWN, OTHER]
    assert made["activities"][0]["sessions"] == 1
    assert made["arrived"] is False


def test_only_the_streams_of_the_programme_count(engine: Engine) -> None:
    journal = lead(engine)
    versions.load_programme(journal, kit.changed(key="toinen"), "boss", NOW)
    admit(engine, OWN)
    admit(engine, OWN, programme="toinen")
    receive(engine, STREAMS[OWN], [session(1, "kaapeli", DAY, 60)])
    receive(engine, f"{NODES[OWN]}/toinen", [session(n, "kaapeli", DAY, 60) for n in range(2, 5)])
    derive_all(engine)
    assert report(engine, KEY, None, None, NOW)["activities"][0]["sessions"] == 1
    assert report(engine, "toinen", None, None, NOW)["activities"][0]["sessions"] == 3
    assert len(partner_queries.completeness(engine, None, NOW)["streams"]) == 2
    assert len(partner_queries.completeness(engine, KEY, NOW)["streams"]) == 1


def test_the_receiver_is_told_each_admitted_stream_with_its_keys(engine: Engine) -> None:
    lead(engine)
    assert partner_queries.admitted_keys(engine, NOW) == {}
    admit(engine, OWN, OTHER)
    assert partner_queries.admitted_keys(engine, NOW) == {
        stream: {key_id(SIGNING): SIGNING} for stream in STREAMS.values()
    }


def test_programmes_are_listed_with_names_and_document(engine: Engine) -> None:
    lead(engine)
    listed = {"programme": KEY, "name": kit.DOCUMENT["name"], "document": kit.DOCUMENT}
    assert queries.list_programmes(engine) == [listed]


def test_statistics_of_an_empty_lead_do_not_have_each_attendance_compared_with_each_session(
    postgres_engine: Engine,
) -> None:
    """A node that comes back brings tens of thousands of lines before the database looks at its tables again."""
    engine = postgres_engine
    lead(engine)
    admit(engine, OWN)
    receive(engine, STREAMS[OWN], [session(n, "kaapeli", DAY, 60) for n in range(50)])
    derive_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    receive(engine, STREAMS[OWN], [attendance(n, n % 50, str(n % 9), "participant") for n in range(500)])
    derive_all(engine)
    plans: list[str] = []

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        if "JOIN" in statement:
            plans.extend(row[0] for row in cursor.execute(f"EXPLAIN {statement}", parameters).fetchall())

    event.listen(engine, "before_cursor_execute", explain)
    report(engine, KEY, None, None, NOW)
    assert any("reporting_attendance" in line for line in plans)
    assert not any("Nested Loop" in line for line in plans)
