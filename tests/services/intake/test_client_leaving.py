"""A client without the fund's record leaves, dies, comes back, or begins one: lines of the node, none to the lead."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from services.intake import exit_forms, queries, returns, rights, store
from services.intake.encounter_rules import Raise
from services.intake.raising import raise_standing
from services.intake.records import PlannedExit
from shared.contracts.errors import ChangedMeanwhile, PolkuError
from shared.journal import Journal
from tests.services import kit
from tests.services.intake.kit import DESK, KEYS, arrival
from tests.services.intake.test_exits import DAY, ask, back, leave, leaving, person, refusal
from tests.services.intake.test_purposes import end
from tests.services.intake.test_starts import form, save

LEFT = {"programme": kit.KEY, "reason": "moved", "occurred_on": "2016-06-01"}
BEFORE, AFTER = date(2016, 5, 1), date(2016, 7, 1)


@pytest.fixture
def client(journal: Journal) -> str:
    return person(journal, standing="client")


def told(engine: Engine) -> list[tuple[str, str]]:
    """The kinds of lines after the standing, and the day that each says."""
    lines = [line for line in kit.lines(engine) if line.body.get("occurred_on") and line.kind.startswith("intake.")]
    return [(line.kind.removeprefix("intake."), line.body["occurred_on"]) for line in lines]


def stands(engine: Engine) -> tuple[Any, ...]:
    (row,) = kit.rows(engine, store.participation)
    return row["started_on"], row["ended_on"], row["end_reason"], row["resumed_on"]


def gone(journal: Journal, subject: str, reason: str = "moved") -> None:
    assert leave(journal, leaving(subject, reason=reason)) == [{"subject": subject, "new": True}]


def test_a_client_leaves_by_day_and_reason_and_the_lead_hears_nothing(
    engine: Engine, journal: Journal, client: str
) -> None:
    before = kit.heads(engine)[f"{kit.NODE}/{kit.KEY}"]
    gone(journal, client)
    (line,) = [line for line in kit.lines(engine) if line.kind == "intake.client_left"]
    assert (line.body, line.stream, line.subject) == (LEFT, f"{kit.NODE}/local", client)
    assert kit.heads(engine)[f"{kit.NODE}/{kit.KEY}"] == before
    _, (listed,) = queries.list_people(engine, kit.KEY, 1, 0)
    assert (listed.ended_on, listed.end_reason) == (DAY, "moved")
    kit.put_programme(engine, store.shelf, kit.changed(followup={"after_days": 1}))
    assert queries.due_follow_ups(engine, kit.KEY, date(2016, 11, 1)) == [], "they are asked of the fund's participants"
    assert refusal(ask(journal, client)) == ("invalid_input", "participant")


def test_a_leaving_of_before_the_return_that_somebody_types_is_refused_not_passed_over(
    journal: Journal, client: str
) -> None:
    gone(journal, client)
    back(journal, client, AFTER)
    early = leaving(client, "early", BEFORE, reason="moved")
    was = exit_forms.show_exit(journal, KEYS, kit.KEY, client, by="w", now=kit.NOW)[0]["revision"]
    with pytest.raises(PolkuError, match="was the return a mistake"):
        exit_forms.record_client_leaving(journal, KEYS, kit.KEY, early, was, by="worker", now=kit.NOW)


def test_a_start_after_leaving_as_a_client_is_no_return_that_could_be_taken_back(
    engine: Engine, journal: Journal, client: str
) -> None:
    gone(journal, client)
    assert save(journal, form(journal, client, start_date=AFTER))[0]["new"]
    leave(journal, leaving(client, "f", date(2016, 9, 1)))
    back(journal, client, date(2016, 10, 1))
    for day, was in ((AFTER, False), (date(2016, 10, 1), True)):
        assert returns.remove_return(journal, kit.KEY, client, day, by="worker", now=kit.NOW)[0] is was
    assert stands(engine) == (AFTER, date(2016, 9, 1), "completed", None)


def test_who_died_and_whose_record_is_erased_begins_no_other(journal: Journal) -> None:
    subject = person(journal)
    leave(journal, leaving(subject, reason="died"))
    end(journal, subject, "esf_record")
    error = save(journal, form(journal, subject))[0]["error"]["params"]
    assert (error["field"], error["reason"]) == ("start_date", "the person has died")


def test_a_client_is_corrected_and_comes_back_as_others_are(engine: Engine, journal: Journal, client: str) -> None:
    gone(journal, client, "died")
    with pytest.raises(PolkuError, match="has died"):
        back(journal, client, AFTER)
    leave(journal, leaving(client, "c", BEFORE, reason="moved", corrects=True))
    assert back(journal, client, AFTER)
    assert not back(journal, client, AFTER)
    assert [kind for kind, _ in told(engine)] == ["client_left", "client_left", "client_returned"]
    assert stands(engine) == (None, None, None, AFTER)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"results": ("employment",)}, "results"),
        ({"next": "education"}, "next"),
        ({"date": date(2014, 1, 1)}, "date"),
        ({"date": date(2036, 1, 1)}, "date"),
        ({"corrects": True}, "corrects"),
    ],
)
def test_what_only_the_funds_record_has_is_refused_by_field(
    journal: Journal, client: str, changes: dict[str, Any], field: str
) -> None:
    new = replace(leaving(client), **changes)
    assert refusal(leave(journal, new)[0]) == ("invalid_input", field)


def test_a_visitor_leaves_nothing_and_who_needs_a_next_service_has_a_record(
    engine: Engine, journal: Journal, client: str
) -> None:
    visitor = person(journal, "v", standing="visitor", identity={"token": "sinikettu8"})
    assert refusal(leave(journal, leaving(visitor))[0]) == ("invalid_input", "participant")
    kit.put_programme(engine, store.shelf, kit.changed(exit_needs_next=True))
    planned = PlannedExit(kit.key_of("p"), client, DAY, "completed", None, None, planned="education")
    assert refusal(leave(journal, planned)[0]) == ("invalid_input", "planned")
    gone(journal, client)


@pytest.mark.parametrize("way", ["form", "raised", "corrected"])
def test_who_begins_a_record_after_they_left_is_back_on_that_day(
    engine: Engine, journal: Journal, client: str, way: str
) -> None:
    gone(journal, client)
    _begin(journal, client, AFTER, way)
    assert told(engine)[1] == ("client_returned", "2016-07-01"), "first: so what a start asks is asked"
    assert stands(engine) == (AFTER, None, None, None)


@pytest.mark.parametrize("reason", ["moved", "died"])
@pytest.mark.parametrize("way", ["form", "raised", "corrected"])
def test_a_record_that_began_before_has_their_leaving_as_its_exit(
    engine: Engine, journal: Journal, client: str, way: str, reason: str
) -> None:
    gone(journal, client, reason)
    _begin(journal, client, BEFORE, way)
    assert told(engine)[-1] == ("participation_ended", "2016-06-01")
    assert stands(engine) == (BEFORE, DAY, reason, None)


def test_nobody_begins_after_their_death(engine: Engine, journal: Journal, client: str) -> None:
    gone(journal, client, "died")
    (refused,) = save(journal, form(journal, client, start_date=AFTER))
    assert refusal(refused) == ("invalid_input", "start_date")
    assert stands(engine) == (None, DAY, "died", None)


def _begin(journal: Journal, subject: str, day: date, way: str) -> None:
    common: dict[str, Any] = {"desk": DESK, "by": "worker", "now": kit.NOW}
    if way == "form":
        assert "error" not in save(journal, form(journal, subject, start_date=day))[0]
    elif way == "raised":
        new = Raise(kit.key_of("r"), subject, None, arrival("r", start_date=day))
        assert raise_standing(journal, KEYS, kit.KEY, [new], **common)[0][0]["new"]
    else:
        changes = {"start_date": day.isoformat()}
        assert rights.correct_person(journal, KEYS, kit.KEY, subject, {}, changes, **common)[0] == ["start_date"]


def test_that_a_client_left_stays_when_answers_of_the_form_are_erased_and_is_told_again(
    engine: Engine, journal: Journal, client: str
) -> None:
    gone(journal, client)
    assert end(journal, client, "esf_record")
    assert stands(engine)[1:3] == (DAY, "moved")
    assert [line.kind for line in kit.lines(engine)][-2:] == ["intake.purpose_ended", "intake.client_left"]


def test_of_two_workers_who_write_it_down_the_second_is_told(engine: Engine, journal: Journal, client: str) -> None:
    def write(name: str, was: str, day: date = DAY) -> tuple[bool, int | None]:
        new = leaving(client, name, day)
        return exit_forms.record_client_leaving(journal, KEYS, kit.KEY, new, was, by="w", now=kit.NOW)

    seen = exit_forms.show_exit(journal, KEYS, kit.KEY, client, by="w", now=kit.NOW)[0]["revision"]
    assert write("one", seen)[0]
    assert not write("one", seen)[0], "the same again"
    with pytest.raises(ChangedMeanwhile):
        write("two", seen, AFTER)
    assert stands(engine)[1] == DAY
    of_the_fund = person(journal, "p")
    with pytest.raises(ChangedMeanwhile):
        exit_forms.record_client_leaving(journal, KEYS, kit.KEY, leaving(of_the_fund, "x"), seen, by="w", now=kit.NOW)
    assert [row["ended_on"] for row in kit.rows(engine, store.participation)].count(None) == 1
