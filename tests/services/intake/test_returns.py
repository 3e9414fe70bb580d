"""A return that was noted by mistake: the exit before it holds again, and all that belongs to it; on both databases."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from services.intake import exit_forms, exits, referrals, returns, start_store, store, text_store
from services.intake.exit_forms import NewExitForm
from services.intake.records import NewExit
from shared.contracts.errors import InvalidInput, UnknownPerson
from shared.journal import Journal
from tests.services import kit
from tests.services.intake.kit import KEYS
from tests.services.intake.test_exit_forms import gone, seen, wish, write
from tests.services.intake.test_rights import restrict

BACK = date(2016, 8, 1)
BY: dict[str, Any] = {"by": "worker", "now": kit.NOW}


def back(journal: Journal, subject: str, day: date = BACK) -> None:
    assert exits.resume_participation(journal, kit.KEY, subject, day, **BY)[0]


def not_back(journal: Journal, subject: str, day: date = BACK) -> bool:
    return returns.remove_return(journal, kit.KEY, subject, day, **BY)[0]


def leave(journal: Journal, subject: str, day: date, *, corrects: bool = False) -> dict[str, Any]:
    new = NewExit(kit.key_of(f"{day} {corrects}"), subject, day, "moved", ("education",), "work_trial", corrects)
    return exits.record_exits(journal, kit.KEY, [new], **BY)[0][0]


def test_a_return_of_the_wrong_person_is_taken_back_and_exit_form_and_wish_are_what_they_were(
    engine: Engine, journal: Journal
) -> None:
    subject = gone(journal)
    write(journal, subject, wishes_ref=wish(journal, subject, "Merille"), form_signed_on="2016-06-01", may_call="no")
    before = seen(journal, subject)
    back(journal, subject)
    assert (seen(journal, subject)[0]["ended"], seen(journal, subject)[0]["form"]) == (None, {})
    assert not not_back(journal, subject, date(2016, 8, 2)), "no return of that day"
    assert not_back(journal, subject)
    assert not not_back(journal, subject), "the same again"
    assert seen(journal, subject) == before
    assert len(kit.rows(engine, text_store.text)) == 1
    ended, form = kit.lines(engine)[-2:]
    assert (ended.kind, ended.body) == (
        "intake.participation_ended",
        {"reason": "completed", "occurred_on": "2016-06-01"},
    )
    assert (form.kind, form.body["may_call"]) == ("intake.exit_form_recorded", "no")
    assert leave(journal, subject, date(2016, 5, 20), corrects=True)["new"], "and its true day can be told"
    with pytest.raises(UnknownPerson):
        not_back(journal, "9" * 32)


def test_of_several_returns_the_last_is_taken_back_and_the_one_before_stays(engine: Engine, journal: Journal) -> None:
    subject = gone(journal)
    back(journal, subject)
    leave(journal, subject, date(2016, 9, 1))
    for day in (date(2016, 10, 1), date(2016, 9, 1), date(2016, 11, 1)):
        back(journal, subject, day)
        assert not_back(journal, subject, day)
        (row,) = kit.rows(engine, store.participation)
        assert (row["resumed_on"], row["ended_on"], row["end_reason"]) == (BACK, date(2016, 9, 1), "moved")
        assert (row["end_results"], row["end_next"]) == ("education", "work_trial")


def test_of_a_restricted_person_it_is_taken_back_too(engine: Engine, journal: Journal) -> None:
    subject = gone(journal)
    back(journal, subject)
    restrict(journal, subject)
    assert not_back(journal, subject)
    (row,) = kit.rows(engine, store.participation)
    assert (row["resumed_on"], row["end_reason"]) == (None, "completed")


@pytest.mark.parametrize("referred", [False, True])
def test_who_leaves_again_has_no_form_of_the_exit_before(engine: Engine, journal: Journal, referred: bool) -> None:
    subject = gone(journal)
    write(journal, subject, wishes_ref=wish(journal, subject, "Merille"))
    back(journal, subject)
    if referred:
        with journal.unit(kit.NOW) as unit:
            referrals._transferred(unit, kit.KEY, kit.PROGRAMME, subject, date(2016, 9, 1))
    else:
        assert leave(journal, subject, date(2016, 9, 1))["new"]
    assert (seen(journal, subject)[0]["form"], seen(journal, subject)[1].get("form_kept")) == ({}, None)
    assert kit.rows(engine, start_store.exit_form) == kit.rows(engine, text_store.text) == []


def test_an_exit_of_before_the_return_is_refused_on_the_page_and_said_so(engine: Engine, journal: Journal) -> None:
    subject = gone(journal)
    back(journal, subject)
    was, before = seen(journal, subject)[0]["revision"], kit.heads(engine)
    leaving = NewExit(kit.key_of("true"), subject, date(2016, 7, 1), "moved", None, None)
    form = NewExitForm(kit.key_of("form"), subject, was, {"may_call": "no"}, {})
    with pytest.raises(InvalidInput, match=r"exit\.resumed_on"):
        exit_forms.record_leaving(journal, KEYS, kit.KEY, leaving, form, **BY)
    assert kit.heads(engine) == before
