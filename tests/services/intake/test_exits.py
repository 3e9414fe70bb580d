"""Leaving, coming back, being asked afterwards: state and lines together, on both databases."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.intake import exit_store, exits, operations, queries, rights_store, store
from services.intake.domain import check_arrival
from services.intake.records import NewExit, NewFollowUp, ReturnedExit, Stay, missing_evidence, takes_effect
from shared.contracts.errors import InvalidInput, PolkuError, UnknownPerson
from shared.journal import Journal
from shared.storage import transaction
from tests.services import kit
from tests.services.intake.kit import IDENTITY, KEYS, arrival, register

DAY = date(2016, 6, 1)


def person(journal: Journal, name: str = "a", **changes: Any) -> str:
    results, _ = register(journal, arrival(name, **changes))
    return str(results[0]["subject"])


def leaving(subject: str, name: str = "e", day: date = DAY, *results: str, **changes: Any) -> NewExit:
    given_: dict[str, Any] = {"reason": "completed", "results": results or None, "next": None} | changes
    return NewExit(kit.key_of(name), subject, day, **given_)


def leave(journal: Journal, *items: NewExit, **options: Any) -> list[dict[str, Any]]:
    results, _ = exits.record_exits(journal, kit.KEY, items, by="worker", now=kit.NOW, **options)
    return results


def ask(journal: Journal, subject: str, name: str = "f", **changes: Any) -> dict[str, Any]:
    kit.put_programme(journal.engine, store.shelf, kit.changed(followup={"after_days": 180}))
    given_: dict[str, Any] = {"due": date(2016, 11, 1), "date": date(2016, 11, 2), "status": "reached", "results": None}
    new = NewFollowUp(kit.key_of(name), subject, **given_ | changes)
    results, _ = exits.record_follow_ups(journal, kit.KEY, [new], by="worker", now=kit.NOW)
    return results[0]


def back(journal: Journal, subject: str, day: date) -> bool:
    return exits.resume_participation(journal, kit.KEY, subject, day, by="worker", now=kit.NOW)[0]


def told(engine: Engine) -> list[tuple[str, dict[str, Any]]]:
    """What the lines say after the start."""
    return [(line.kind.removeprefix("intake."), line.body) for line in kit.lines(engine)[2:]]


def refusal(result: dict[str, Any]) -> tuple[str, Any]:
    error = result["error"]
    return error["code"], error["params"]["field"]


def test_an_exit_leaves_a_line_and_holds(engine: Engine, journal: Journal) -> None:
    subject = person(journal)
    assert leave(journal, leaving(subject, "e", DAY, "qualification", "employment")) == [
        {"subject": subject, "new": True}
    ]
    body = {"reason": "completed", "occurred_on": "2016-06-01", "results": ["qualification", "employment"]}
    assert told(engine) == [("participation_ended", body)]
    (row,) = kit.rows(engine, store.participation)
    assert (row["started_on"], row["ended_on"]) == (date(2016, 3, 1), DAY)
    assert (row["end_reason"], row["end_results"]) == ("completed", "qualification employment")
    _, (listed,) = queries.list_people(engine, kit.KEY, 1, 0)
    assert (listed.ended_on, listed.end_reason) == (DAY, "completed")


def test_the_same_again_adds_nothing(engine: Engine, journal: Journal) -> None:
    subject = person(journal)
    leave(journal, leaving(subject))
    before = kit.heads(engine)
    assert leave(journal, leaving(subject)) == [{"subject": subject, "new": False}]
    assert leave(journal, leaving(subject, "same row twice")) == [{"subject": subject, "new": True}]
    assert told(engine) == [("participation_ended", {"reason": "completed", "occurred_on": "2016-06-01"})]
    assert kit.heads(engine) != before, "the second row is in the audit log"


def test_the_last_exit_holds_in_whatever_order_they_come(engine: Engine, journal: Journal) -> None:
    subject = person(journal)
    late, early = leaving(subject, "late", date(2016, 9, 1)), leaving(subject, "early", DAY, "employment")
    assert [result["new"] for result in leave(journal, late, early)] == [True, True]
    assert [body["occurred_on"] for _, body in told(engine)] == ["2016-09-01"]
    assert kit.rows(engine, store.participation)[0]["ended_on"] == date(2016, 9, 1)


def test_a_correction_takes_the_place_of_the_exit_that_holds(engine: Engine, journal: Journal) -> None:
    subject = person(journal)
    leave(journal, leaving(subject, "e", date(2016, 9, 1), "employment"))
    leave(journal, leaving(subject, "c", DAY, "none", reason="moved", corrects=True))
    assert told(engine)[-1][1] == {"reason": "moved", "occurred_on": "2016-06-01", "results": ["none"]}
    (row,) = kit.rows(engine, store.participation)
    assert (row["ended_on"], row["end_results"]) == (DAY, "none")


def test_who_comes_back_keeps_the_first_start_and_has_no_exit(engine: Engine, journal: Journal) -> None:
    subject = person(journal)
    leave(journal, leaving(subject))
    assert back(journal, subject, date(2016, 8, 1))
    assert not back(journal, subject, date(2016, 8, 1)), "the same again"
    assert told(engine)[-1] == ("participation_resumed", {"occurred_on": "2016-08-01"})
    (row,) = kit.rows(engine, store.participation)
    assert (row["started_on"], row["resumed_on"], row["ended_on"]) == (date(2016, 3, 1), date(2016, 8, 1), None)
    assert leave(journal, leaving(subject, "old", date(2016, 7, 1))) == [{"subject": subject, "new": True}]
    assert kit.rows(engine, store.participation)[0]["ended_on"] is None, "an exit from before they came back"
    leave(journal, leaving(subject, "new", date(2016, 8, 1)))
    assert kit.rows(engine, store.participation)[0]["ended_on"] == date(2016, 8, 1)


def test_a_list_may_tell_the_return_with_the_exit_or_later_and_undoes_nothing(engine: Engine, journal: Journal) -> None:
    subject, other = person(journal), person(journal, "b")
    august = date(2016, 8, 1)

    def returned(who: str, name: str, day: date = DAY, back: date = august) -> ReturnedExit:
        return ReturnedExit(kit.key_of(name), who, day, "completed", None, None, back=back)

    assert leave(journal, returned(subject, "r"), leaving(other, "o"), returned(other, "p"))[2]["new"]
    kinds = [kind for kind, _ in told(engine) if kind.startswith("participation_") and kind != "participation_started"]
    assert kinds == ["participation_ended", "participation_resumed"] * 2, "the exit that was there is told once"
    assert {(row["ended_on"], row["resumed_on"]) for row in kit.rows(engine, store.participation)} == {(None, august)}
    leave(journal, leaving(subject, "last", date(2016, 10, 1)))
    assert leave(journal, returned(subject, "again", back=date(2016, 8, 2)))[0]["new"]
    assert date(2016, 10, 1) in {row["ended_on"] for row in kit.rows(engine, store.participation)}, "the last one holds"
    for wrong in ({"back": date(2016, 5, 1)}, {"back": date(2036, 1, 1)}):
        assert refusal(leave(journal, returned(subject, "w", **wrong))[0]) == ("invalid_input", "resumed_on")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"day": date(2016, 2, 29)}, "invalid_input", "date"),
        ({"day": date(2036, 1, 1)}, "invalid_input", "date"),
        ({"results": ("job_search", "employment")}, "invalid_input", "results"),
        ({"results": ("none", "education")}, "invalid_input", "results"),
        ({"next": "kuuhun"}, "unknown_code", "next"),
        ({"corrects": True}, "invalid_input", "corrects"),
        ({"subject": "9" * 32}, "unknown_person", "participant"),
    ],
)
def test_an_exit_that_cannot_be_is_refused_and_leaves_nothing(
    engine: Engine, journal: Journal, changes: dict[str, Any], code: str, field: str
) -> None:
    subject = person(journal)
    before = kit.heads(engine)
    (result,) = leave(journal, leaving(**{"subject": subject} | changes))
    assert refusal(result) == (code, field)
    assert kit.heads(engine) == before


def test_an_exit_more_than_a_year_after_the_programme_is_refused(journal: Journal) -> None:
    subject, late = person(journal), kit.PROGRAMME.period.end + timedelta(days=367)
    common: dict[str, Any] = {"by": "worker", "now": datetime(2026, 3, 1, 9, tzinfo=UTC)}
    ((result,), _) = exits.record_exits(journal, kit.KEY, [leaving(subject, "late", late)], **common)
    assert PolkuError.from_wire(result["error"]).message() == "date: more than a year after the programme's period"
    last = leaving(subject, "last", late - timedelta(days=1))
    assert exits.record_exits(journal, kit.KEY, [last], **common)[0][0]["new"]


def test_an_exit_is_not_corrected_past_what_was_heard_after_it(engine: Engine, journal: Journal) -> None:
    subject = person(journal)
    leave(journal, leaving(subject))
    ask(journal, subject, date=date(2016, 10, 1), status="not_reached")
    late = leaving(subject, "late", date(2016, 10, 2), corrects=True)
    assert refusal(leave(journal, late)[0]) == ("invalid_input", "date")
    assert "error" not in leave(journal, leaving(subject, "c", date(2016, 10, 1), corrects=True))[0]
    again = leave(journal, leaving(subject, "again", date(2016, 11, 1)))
    assert "error" not in again[0], "another exit, of who had come back"
    assert kit.rows(engine, store.participation)[0]["ended_on"] == date(2016, 11, 1)


def test_another_exit_on_the_same_day_must_be_said_to_correct(engine: Engine, journal: Journal) -> None:
    subject = person(journal)
    leave(journal, leaving(subject))
    (result,) = leave(journal, leaving(subject, "other", reason="moved"))
    assert refusal(result) == ("already_recorded_differs", "date")


def test_skip_bad_goes_on_past_what_is_refused(journal: Journal) -> None:
    subject = person(journal)
    bad = leaving(subject, "bad", date(2015, 1, 1))
    assert ["error" in r for r in leave(journal, bad, leaving(subject), skip_bad=True)] == [True, False]
    assert ["error" in r for r in leave(journal, bad, leaving(subject))] == [True]


@pytest.mark.parametrize(("day", "why"), [(date(2016, 5, 31), "before"), (date(2036, 1, 1), "future")])
def test_nobody_comes_back_before_they_left_or_tomorrow(journal: Journal, day: date, why: str) -> None:
    subject = person(journal)
    with pytest.raises(InvalidInput, match="has not left"):
        back(journal, subject, DAY)
    leave(journal, leaving(subject))
    with pytest.raises(InvalidInput, match=why):
        back(journal, subject, day)
    with pytest.raises(UnknownPerson):
        back(journal, "9" * 32, DAY)


def test_the_dead_do_not_come_back(journal: Journal) -> None:
    subject = person(journal)
    leave(journal, leaving(subject, reason="died"))
    with pytest.raises(InvalidInput, match="died"):
        back(journal, subject, date(2016, 8, 1))


def test_a_try_in_vain_is_recorded_like_one_that_reached_somebody(engine: Engine, journal: Journal) -> None:
    subject = person(journal)
    leave(journal, leaving(subject))
    vain = ask(journal, subject, "first", status="not_reached")
    reached = ask(journal, subject, "second", results=("employment",))
    assert [vain["new"], reached["new"]] == [True, True]
    bodies = [body for kind, body in told(engine) if kind == "follow_up_recorded"]
    assert [(body["status"], body.get("results")) for body in bodies] == [
        ("not_reached", None),
        ("reached", ["employment"]),
    ]
    rows = {row["status"]: row["results"] for row in kit.rows(engine, exit_store.follow_up)}
    assert rows == {"not_reached": None, "reached": "employment"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"due": date(2016, 5, 1)}, "due"),
        ({"date": date(2016, 5, 1)}, "date"),
        ({"date": date(2036, 5, 1)}, "date"),
        ({"date": date(2016, 10, 31)}, "date"),
        ({"status": "refused", "results": ("none",)}, "results"),
        ({"results": ("job_search", "employment")}, "results"),
    ],
)
def test_a_follow_up_that_cannot_be_is_refused(journal: Journal, changes: dict[str, Any], field: str) -> None:
    subject = person(journal)
    assert refusal(ask(journal, subject)) == ("invalid_input", "participant"), "who has not left"
    leave(journal, leaving(subject))
    assert refusal(ask(journal, subject, **changes)) == ("invalid_input", field)


def test_who_is_tried_before_it_is_due_may_refuse_and_nobody_is_asked_where_the_programme_does_not(
    engine: Engine, journal: Journal
) -> None:
    subject = person(journal)
    leave(journal, leaving(subject))
    due = date(2016, 11, 1)
    new = NewFollowUp(kit.key_of("unasked"), subject, due, date(2016, 11, 2), "reached", None)
    ((result,), _) = exits.record_follow_ups(journal, kit.KEY, [new], by="worker", now=kit.NOW)
    assert refusal(result) == ("invalid_input", "programme")
    assert ask(journal, subject, date=date(2016, 10, 30), status="not_reached")["new"]
    assert ask(journal, subject, "later", date=date(2016, 10, 31), status="refused")["new"]


def test_erasing_a_person_erases_exit_follow_ups_and_keys(engine: Engine, journal: Journal) -> None:
    subject = person(journal)
    leave(journal, leaving(subject))
    ask(journal, subject)
    operations.erase_person(journal, kit.KEY, subject, by="worker", now=kit.NOW)
    assert kit.rows(engine, exit_store.follow_up) == kit.rows(engine, store.participation) == []
    assert kit.rows(engine, store.keys) == []


DAYS = st.integers(1, 28).map(lambda n: date(2016, 6, n))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(DAYS, min_size=1, max_size=6, unique=True))
def test_the_last_of_any_exits_holds(days: list[date]) -> None:
    stay = Stay(date(2016, 3, 1))
    for day in days:
        new = leaving("0" * 32, str(day), day)
        if takes_effect(new, stay):
            stay = stay.left(new)
    assert stay.ended_on == max(days)


# --- evidence


WHOLE = {"gender": "f", "labour_status": "inactive", "education": 3}
SPECIAL = ["foreign_background", "minority", "disability", "other_disadvantage"]


def test_missing_evidence_names_what_each_record_lacks_and_nobody_else(engine: Engine, journal: Journal) -> None:
    whole = (
        WHOLE
        | {"target_group": "outside_working_life", "form_signed_on": "2016-03-01", "paid_by_project": "no"}
        | dict.fromkeys(SPECIAL, "no")
    )
    told, at = {"form_language": "sv", "form_help": "self"}, IDENTITY | {"form_version": "esf"}
    lost = {name: value for name, value in IDENTITY.items() if name != "form_kept"}
    papers = person(journal, "whole", record=whole, identity=lost)
    silent = person(journal, "told", record=whole | told, identity=at)
    person(journal, "client", standing="client")
    bare = person(journal, "bare", record={"gender": "unknown"}, identity={"given_name": "Aino"})
    some = person(journal, "some", record=whole | {"minority": "not_asked"} | told, start_date=date(2016, 2, 1))
    odd = person(
        journal, "odd", record=whole | told | {"target_group": "unemployed"}, identity={"given_name": "A"} | at
    )
    told_of = {"programme": kit.KEY, "notice": 1, "language": "fi", "consents": "", "occurred_on": DAY}
    with transaction(engine) as connection:
        for subject in (papers, bare, some):
            rights_store.add_informed(connection, subject, subject=bytes.fromhex(subject), **told_of)
    found = queries.missing_evidence(engine, kit.KEY, KEYS.vault)
    assert [tuple(row.values()) for row in found[:2]] == [
        (some, ["minority"], ["form_version"], [], False),
        (
            bare,
            ["form_signed_on", "target_group", "paid_by_project", "gender", "age", "labour_status", "education"],
            [],
            [],
            False,
        ),
    ]
    paper = ["form_version", "form_language", "form_help", "form_kept"]
    rest = {row["person"]: tuple(row.values())[1:] for row in found[2:]}
    assert rest == {
        papers: ([], paper, [], False),
        odd: ([], [], ["labour_status"], True),
        silent: ([], [], [], True),
    }, "of whom all is said nothing is; a client is no part of it"


def test_where_people_key_in_themselves_the_evidence_is_that_they_did() -> None:
    eura = kit.parse_programme(kit.changed(funding_programme="esf_plus_2021_2027", esf_record="eura_only"))
    group = {"target_group": eura.target_groups[0].key, "paid_by_project": "no"}
    assert missing_evidence(group, DAY, eura) == ["eura_on"]
    assert missing_evidence(group | {"eura_on": "2016-03-01", "eura_by": "self"}, DAY, eura) == []
    with pytest.raises(InvalidInput, match="EURA"):
        check_arrival(arrival(record={"gender": "f", "education": 3}), eura, DAY)
    check_arrival(arrival(record={"gender": "f", "eura_on": "2016-03-01"}), eura, DAY)
