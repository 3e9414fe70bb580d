"""Rounds on both databases: days of starting and leaving come from the journal, forms from the tables."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update

from services.measurement import mistakes, rounds, store
from shared.contracts.catalogue import ParticipationStarted
from shared.contracts.errors import UnknownPerson
from shared.contracts.mistake_facts import FollowUpRemoved
from shared.contracts.record_facts import FollowUpRecorded, ParticipationEnded, ParticipationResumed
from shared.contracts.start_facts import ExitFormRecorded
from shared.journal import Journal
from shared.journal.closing import CLOSED
from shared.journal.erasing import subject_digest
from shared.journal.tables import journal_head
from shared.storage import transaction
from shared.storage.restricting import restricted
from tests.services import kit
from tests.services.measurement.kit import OTHER_SUBJECT, SUBJECT, form, known, record

DUE = "2016-08-28"
ASKED = [{"occasion": "baseline", "days": 14}, {"occasion": "exit", "days": 0}]
DOCUMENT = kit.DOCUMENT | {
    "instruments": [{"key": "three_items", "version": "1", "schedule": ASKED}],
    "followup": {"after_days": 180},
}


@pytest.fixture
def journal(engine: Engine) -> Journal:
    """Two people who have started, in a programme that asks at the beginning, on leaving and afterwards."""
    made = known(engine)
    kit.put_programme(engine, store.shelf, DOCUMENT)
    with transaction(engine) as connection:
        store.put_person(connection, OTHER_SUBJECT, kit.KEY, date(2016, 2, 1))
    for subject, day in ((SUBJECT, "2016-02-01"), (OTHER_SUBJECT, "2016-02-02")):
        tell(made, ParticipationStarted(subject, occurred_on=day, gender="f"))
    return made


def tell(journal: Journal, fact: Any, stream: str | None = kit.KEY) -> None:
    with journal.unit(kit.NOW) as unit:
        unit.record(fact, stream)


def shown(journal: Journal, subject: str) -> dict[str, Any]:
    return rounds.show_forms(journal, kit.KEY, subject, by="anna", now=kit.NOW)


def due(engine: Engine, *people: str, day: str = "2016-02-20", **page: int) -> list[tuple[str, str, str]]:
    now = datetime.fromisoformat(f"{day}T09:00:00").replace(tzinfo=UTC)
    found = rounds.list_due(
        Journal(engine, kit.NODE), kit.KEY, people or None, page.get("limit", 10), page.get("offset", 0), now
    )
    assert found["total"] >= len(found["due"])
    return [(row["person"], row["occasion"], row["due_on"]) for row in found["due"]]


def test_whoever_has_started_is_due_those_first_who_were_due_first_until_a_form_is_there(
    engine: Engine, journal: Journal
) -> None:
    first, second = (SUBJECT, "baseline", "2016-02-15"), (OTHER_SUBJECT, "baseline", "2016-02-16")
    assert due(engine) == [first, second]
    assert due(engine, OTHER_SUBJECT) == [second]
    assert due(engine, limit=1, offset=1) == [second]
    record(journal, form())
    assert due(engine) == [second]


def test_whose_form_was_a_mistake_is_asked_again(engine: Engine, journal: Journal) -> None:
    ((made,), _), asked = record(journal, form()), (SUBJECT, "baseline", "2016-02-15")
    assert due(engine, SUBJECT) == []
    mistakes.remove_assessment(journal, kit.KEY, SUBJECT, made["assessment"], by="anna", now=kit.NOW)
    assert (due(engine, SUBJECT), shown(journal, SUBJECT)["forms"]) == ([asked], [])


def test_leaving_and_coming_back_change_what_is_asked(engine: Engine, journal: Journal) -> None:
    tell(journal, ParticipationEnded(SUBJECT, occurred_on="2016-03-01", reason="completed"))
    assert due(engine, SUBJECT) == [(SUBJECT, "exit", "2016-03-01")]
    assert due(engine, SUBJECT, day="2016-09-01")[1] == (SUBJECT, "followup", "2016-08-28")
    tell(journal, ExitFormRecorded(SUBJECT, programme=kit.KEY, may_call="no"), None)
    assert due(engine, SUBJECT, day="2016-09-01") == [(SUBJECT, "exit", "2016-03-01")]
    tell(journal, ParticipationResumed(SUBJECT, occurred_on="2016-05-01"))
    assert due(engine, SUBJECT, day="2016-09-01") == [(SUBJECT, "baseline", "2016-02-15")]


@pytest.mark.parametrize(
    ("statuses", "asked"),
    [(["refused"], False), (["not_reached"] * 2, True), (["not_reached"] * 3, False), (["reached"], True)],
)
def test_afterwards_nobody_is_asked_who_refused_or_was_not_reached(
    engine: Engine, journal: Journal, statuses: list[str], asked: bool
) -> None:
    tell(journal, ParticipationEnded(SUBJECT, occurred_on="2016-03-01", reason="completed"))
    days = {"due": "2016-08-28", "occurred_on": "2016-08-29"}
    for number, status in enumerate(statuses):
        tell(journal, FollowUpRecorded(SUBJECT, follow_up=f"0{number}" * 16, status=status, **days))
    assert ("followup" in [occasion for _, occasion, _ in due(engine, SUBJECT, day="2016-09-01")]) is asked
    tell(journal, FollowUpRemoved(SUBJECT, follow_up="00" * 16))
    assert "followup" in [occasion for _, occasion, _ in due(engine, SUBJECT, day="2016-09-01")], "one was a mistake"


def test_a_return_that_was_taken_back_is_forgotten_with_what_it_had_asked_anew(
    engine: Engine, journal: Journal
) -> None:
    left = ParticipationEnded(SUBJECT, occurred_on="2016-03-01", reason="completed")
    tell(journal, left)
    record(journal, form(occasion="exit", occurred_on=date(2016, 3, 1)))
    tell(journal, FollowUpRecorded(SUBJECT, follow_up="0f" * 16, status="refused", due=DUE, occurred_on=DUE))
    tell(journal, ParticipationResumed(SUBJECT, occurred_on="2016-09-01"))
    tell(journal, left)
    assert due(engine, SUBJECT, day="2016-09-02") == []


def test_of_several_returns_the_one_that_was_no_mistake_stays(engine: Engine, journal: Journal) -> None:
    tell(journal, ParticipationEnded(SUBJECT, occurred_on="2016-03-01", reason="completed"))
    record(journal, form(occasion="exit", occurred_on=date(2016, 3, 1)))
    again = ParticipationEnded(SUBJECT, occurred_on="2016-06-01", reason="completed")
    tell(journal, ParticipationResumed(SUBJECT, occurred_on="2016-05-01"))
    tell(journal, again)
    asked = due(engine, SUBJECT, day="2016-06-02")
    tell(journal, ParticipationResumed(SUBJECT, occurred_on="2016-07-01"))
    tell(journal, again)  # it was none
    assert due(engine, SUBJECT, day="2016-06-02") == asked != []


@pytest.mark.parametrize("purpose", ["", "measurement"])
def test_about_whom_nothing_may_be_recorded_is_not_asked(engine: Engine, journal: Journal, purpose: str) -> None:
    row = {"subject": bytes.fromhex(SUBJECT), "purpose": purpose, "programme": kit.KEY, "ground": "accuracy"}
    with transaction(engine) as connection:
        connection.execute(insert(restricted), row | {"since": "2016-02-03"})
    assert [who for who, *_ in due(engine)] == [OTHER_SUBJECT]
    codes = [
        shown(journal, who)["refused"] and shown(journal, who)["refused"]["code"] for who in (SUBJECT, OTHER_SUBJECT)
    ]
    assert codes == ["consent_withdrawn" if purpose else "processing_restricted", None]


def test_where_the_programme_is_closed_nobody_is_asked(engine: Engine, journal: Journal) -> None:
    with transaction(engine) as connection:
        this = journal_head.c.name == f"{kit.NODE}/{kit.KEY}"
        connection.execute(update(journal_head).where(this).values(closed=CLOSED))
    assert due(engine) == []
    assert shown(journal, SUBJECT)["refused"]["code"] == "programme_is_closed"


def test_a_form_that_somebody_else_has_recorded_meanwhile_is_not_asked_twice(engine: Engine, journal: Journal) -> None:
    one, two, three = form("one"), form("two"), form("three")
    record(journal, one, seen={one.key: 0})
    ((result,), _) = record(journal, two, seen={two.key: 0})
    assert result["error"]["code"] == "changed_meanwhile"
    assert record(journal, one, seen={one.key: 0})[0][0]["new"] is False, "the same form sent again is known"
    assert record(journal, three, seen={three.key: 1})[0][0]["new"]
    assert len(kit.rows(engine, store.assessment)) == 2


def test_reading_what_somebody_answered_is_logged_and_needs_the_person(engine: Engine, journal: Journal) -> None:
    record(journal, form(answers={"work_ability": 6}))
    (filled,) = shown(journal, SUBJECT)["forms"]
    assert (filled["answers"], filled["scores"]["functioning"]) == ({"work_ability": 6}, None)
    entry = kit.audit(engine)[-1]
    assert (entry["by"], entry["action"], entry["subjects"]) == ("anna", "read_answers", [subject_digest(SUBJECT)])
    with pytest.raises(UnknownPerson):
        rounds.show_forms(journal, "no-such", SUBJECT, by="anna", now=kit.NOW)
