"""Retention: what is due and why, erased as if asked, once, never of who is restricted; on both databases."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine

from services.intake import retention, rights, store
from services.node.complete import lines
from shared.contracts.catalogue import AttendanceRecorded, ScoreComputed
from shared.contracts.errors import UnknownProgramme
from shared.journal import Journal
from shared.storage import snapshot
from tests.services import kit
from tests.services.intake.kit import KEYS, arrival, known, register
from tests.services.intake.test_exits import leave, leaving

RULES = [
    {"key": "esf_record", "basis": "legal_obligation", "law": "Laki", "keep_until": "2021-12-31"},
    {"key": "support", "keep_months": 24},
    {"key": "measurement", "keep_months": 6},
]
LATER = datetime(2017, 6, 1, 9, tzinfo=UTC)


@pytest.fixture
def journal(engine: Engine) -> Journal:
    made = known(engine)
    kit.put_programme(engine, store.shelf, kit.changed(purposes=RULES))
    return made


def person(journal: Journal, name: str = "a", left: date | None = date(2016, 6, 1), **changes: Any) -> str:
    """Somebody with a line for every purpose, who has left."""
    made = str(register(journal, arrival(name, **changes))[0][0]["subject"])
    with journal.unit(kit.NOW) as unit:
        unit.record(ScoreComputed(made, **ScoreComputed.example), kit.KEY)
        unit.record(AttendanceRecorded(made, **AttendanceRecorded.example), kit.KEY)
    if left is not None:
        leave(journal, leaving(made, f"exit {name}", left))
    return made


def due(journal: Journal, now: datetime) -> list[dict[str, Any]]:
    with snapshot(journal.engine) as connection:
        return [one.to_json() for one in retention.due(connection, kit.KEY, now.date())]


def apply(journal: Journal, now: datetime, limit: int = 20) -> dict[str, Any]:
    common: dict[str, Any] = {"by": "operator", "now": now, "first": lambda *_: None, "limit": limit}
    return retention.apply(journal, KEYS, kit.KEY, **common)[0]


def test_how_many_wait_to_be_erased_is_a_metric_and_stands_in_polku_complete(journal: Journal) -> None:
    person(journal)
    restricted = person(journal, "b")
    rights.restrict_person(journal, kit.KEY, restricted, "claims", lift=False, by="w", now=kit.NOW)
    told = {"streams": [], "complete": True}
    for now, people in ((datetime(2016, 11, 30, 9, tzinfo=UTC), 0), (datetime(2016, 12, 2, 9, tzinfo=UTC), 1)):
        retention.measure(journal.engine, now)
        assert REGISTRY.get_sample_value("polku_intake_retention_due", {"programme": kit.KEY}) == people
        with snapshot(journal.engine) as connection:
            counts = retention.counts(connection, now.date())
        said = "\n".join(lines(told | {"retention_due": counts}))
        assert (f"{kit.KEY}: something about 1 people" in said) == bool(people)


def test_nothing_is_due_without_a_rule_or_before_its_day(engine: Engine, journal: Journal) -> None:
    person(journal)
    assert due(journal, datetime(2016, 11, 30, 9, tzinfo=UTC)) == []
    kit.put_programme(engine, store.shelf)
    assert due(journal, datetime(2099, 1, 1, tzinfo=UTC)) == []


def test_a_purpose_whose_time_is_over_is_due_and_says_why(journal: Journal) -> None:
    subject = person(journal)
    assert due(journal, datetime(2016, 12, 1, 9, tzinfo=UTC)) == [
        {
            "person": subject,
            "purposes": [{"purpose": "measurement", "kept_until": "2016-11-30"}],
            "whole": False,
            "held_back": False,
        }
    ]


def test_who_is_still_in_is_counted_from_the_end_of_the_project(journal: Journal) -> None:
    person(journal, left=None)
    assert due(journal, datetime(2017, 11, 29, tzinfo=UTC)) == []
    assert [row["purposes"] for row in due(journal, datetime(2017, 11, 30, tzinfo=UTC))] == [
        [{"purpose": "measurement", "kept_until": "2017-11-29"}]
    ]


def test_what_is_due_is_erased_once_and_the_rest_stays(engine: Engine, journal: Journal) -> None:
    subject = person(journal)
    assert apply(journal, LATER) == {"erased": 0, "ended": 1, "more": False}
    entry = kit.audit(engine)[-1]
    assert (entry["action"], entry["by"], entry["purposes"]) == ("retention", "operator", ["measurement"])
    heads = kit.heads(engine)
    assert apply(journal, LATER) == {"erased": 0, "ended": 0, "more": False}
    assert kit.heads(engine) == heads
    assert kit.rows(engine, store.participation)[0]["subject"].hex() == subject


def test_who_is_due_as_a_whole_is_erased_as_a_whole(engine: Engine, journal: Journal) -> None:
    person(journal)
    person(journal, "v", None, standing="client")
    now = datetime(2022, 1, 1, 9, tzinfo=UTC)
    assert [row["whole"] for row in due(journal, now)] == [True, True]
    assert apply(journal, now) == {"erased": 2, "ended": 0, "more": False}
    assert kit.rows(engine, store.participation) == kit.rows(engine, store.person) == []


def test_answers_of_a_client_without_a_start_go_when_the_record_is_due(sqlite_engine: Engine) -> None:
    journal = known(sqlite_engine)
    rules = [{"key": "esf_record", "basis": "public_task", "keep_until": "2020-06-30"}, {"key": "support"}]
    kit.put_programme(sqlite_engine, store.shelf, kit.changed(purposes=rules))
    person(journal, left=None, standing="client", record={"education": 3})
    now = datetime(2021, 1, 1, 9, tzinfo=UTC)
    assert [one["purpose"] for row in due(journal, now) for one in row["purposes"]] == ["esf_record"]
    assert apply(journal, now) == {"erased": 0, "ended": 1, "more": False}
    assert kit.rows(sqlite_engine, store.participation)[0]["record"] == "{}"
    assert due(journal, now) == []


def test_some_at_a_time_until_nobody_is_left(engine: Engine, journal: Journal) -> None:
    for name in "abc":
        person(journal, name)
    assert [apply(journal, LATER, 2)["more"] for _ in range(2)] == [True, False]
    assert due(journal, LATER) == []


def test_who_is_restricted_is_listed_and_held_back(engine: Engine, journal: Journal) -> None:
    subject = person(journal)
    rights.restrict_person(journal, kit.KEY, subject, "claims", lift=False, by="w", now=kit.NOW)
    assert [row["held_back"] for row in due(journal, LATER)] == [True]
    heads = kit.heads(engine)
    assert apply(journal, LATER) == {"erased": 0, "ended": 0, "more": False}
    assert kit.heads(engine) == heads
    rights.restrict_person(journal, kit.KEY, subject, None, lift=True, by="w", now=kit.NOW)
    assert apply(journal, LATER)["ended"] == 1


def test_a_list_names_nobody_and_changes_nothing(engine: Engine, journal: Journal) -> None:
    person(journal)
    heads = kit.heads(engine)
    assert "Öystilä" not in str(due(journal, LATER))
    assert kit.heads(engine) == heads


def test_a_stranger_programme_is_said(journal: Journal) -> None:
    with pytest.raises(UnknownProgramme), snapshot(journal.engine) as connection:
        retention.due(connection, "muu", (kit.NOW + timedelta(1)).date())
