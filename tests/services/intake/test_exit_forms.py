"""What is written down beside an exit, who leaves into what, and who is asked afterwards; on both databases."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from services.intake import (
    exit_forms,
    exits,
    operations,
    purposes,
    queries,
    rights,
    start_store,
    starts,
    store,
    text_store,
    texts,
)
from services.intake.exit_forms import NewExitForm
from services.intake.records import NewExit, NewFollowUp, PlannedExit, Stay, check_exit
from shared.contracts.errors import ChangedMeanwhile, InvalidInput, PolkuError, UnknownCode
from shared.journal import Journal
from tests.services import kit
from tests.services.intake.kit import KEYS, arrival, known, register

LEFT = date(2016, 6, 1)
FOUR = kit.parse_programme(kit.load_file(kit.SCHEMA_FILE.parent / "suunta-yhdessa.yaml"))
IN, OUT = date(2020, 1, 1), date(2020, 6, 1)


def gone(journal: Journal, name: str = "p") -> str:
    results, _ = register(journal, arrival(name))
    subject = str(results[0]["subject"])
    leaving = NewExit(kit.key_of(f"{name} leaves"), subject, LEFT, "completed", None, None)
    exits.record_exits(journal, kit.KEY, [leaving], by="worker", now=kit.NOW)
    return subject


def seen(journal: Journal, subject: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return exit_forms.show_exit(journal, KEYS, kit.KEY, subject, by="worker", now=kit.NOW)


def wish(journal: Journal, subject: str, text: str) -> str:
    new = texts.NewText(kit.key_of(text), subject, text)
    return str(texts.keep_texts(journal, KEYS, kit.KEY, [new], by="worker", now=kit.NOW)[0]["text_ref"])


def write(journal: Journal, subject: str, name: str = "f", was: str = "", **told: Any) -> dict[str, Any]:
    given = {"may_call": "yes"} | told
    kept = {"form_version": "esf_2014_2020_end", "form_kept": "kaapissa-kolme"}
    new = NewExitForm(kit.key_of(name), subject, was or seen(journal, subject)[0]["revision"], given, kept)
    return exit_forms.record_exit_forms(journal, KEYS, kit.KEY, [new], by="worker", now=kit.NOW)[0][0]


def test_the_form_stands_beside_the_exit_its_place_in_the_vault_alone(engine: Engine, journal: Journal) -> None:
    subject = gone(journal)
    ref = wish(journal, subject, "Tahtoo-Merille")
    done = write(journal, subject, wishes_ref=ref, form_signed_on="2016-06-01", form_help="self", form_language="sv")
    assert done == {"subject": subject, "new": True}
    coded, named = seen(journal, subject)
    assert coded["form"]["may_call"] == "yes"
    assert (coded["ended"]["reason"], named["form_kept"]) == ("completed", "kaapissa-kolme")
    assert b"kaapissa-kolme" not in kit.stored_bytes(engine)
    assert kit.lines(engine)[-1].body["text_ref"] == ref


def test_a_changed_wish_takes_the_old_text_with_it_and_a_foreign_text_is_refused(
    engine: Engine, journal: Journal
) -> None:
    subject, other = gone(journal), gone(journal, "other")
    write(journal, subject, wishes_ref=wish(journal, subject, "ensin"))
    write(journal, subject, "again", wishes_ref=wish(journal, subject, "sitten"))
    assert len(kit.rows(engine, text_store.text)) == 1
    refused = write(journal, other, "foreign", wishes_ref=seen(journal, subject)[0]["form"]["wishes_ref"])
    assert refused["error"]["params"]["field"] == "wishes_ref"


def test_of_two_workers_the_second_is_told_and_the_same_again_adds_nothing(engine: Engine, journal: Journal) -> None:
    subject = gone(journal)
    was = seen(journal, subject)[0]["revision"]
    write(journal, subject, "one", was)
    before = kit.heads(engine)
    assert write(journal, subject, "one", was) == {"subject": subject, "new": False}
    assert kit.heads(engine) == before
    assert write(journal, subject, "two", was, may_call="no")["error"]["code"] == "changed_meanwhile"


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"form_signed_on": "2036-01-01"}, "form_signed_on"),
        ({"eura_on": "2016-05-31", "eura_by": "self"}, "eura_on"),
        ({"eura_on": "2016-06-02"}, "eura_by"),
    ],
)
def test_a_form_that_cannot_be_is_refused(sqlite_engine: Engine, told: dict[str, str], field: str) -> None:
    journal = known(sqlite_engine)
    assert write(journal, gone(journal), **told)["error"]["params"]["field"] == field


def test_a_form_can_still_be_written_when_the_exit_was_corrected_past_its_entry(sqlite_engine: Engine) -> None:
    journal = known(sqlite_engine)
    subject, entry = gone(journal), {"eura_on": "2016-06-05", "eura_by": "self"}
    write(journal, subject, **entry)
    later = NewExit(kit.key_of("later"), subject, date(2016, 7, 1), "completed", None, None, corrects=True)
    exits.record_exits(journal, kit.KEY, [later], by="worker", now=kit.NOW)
    assert write(journal, subject, "wish", may_call="no", **entry)["new"]
    other = write(journal, subject, "other", **entry | {"eura_on": "2016-06-06"})
    assert other["error"]["params"]["field"] == "eura_on"


def test_who_comes_back_has_no_exit_form_and_erasing_leaves_nothing(engine: Engine, journal: Journal) -> None:
    back, away = gone(journal), gone(journal, "away")
    for subject in (back, away):
        write(journal, subject, subject, wishes_ref=wish(journal, subject, subject[:9]))
    exits.resume_participation(journal, kit.KEY, back, date(2016, 8, 1), by="worker", now=kit.NOW)
    assert (seen(journal, back)[0]["form"], seen(journal, back)[1].get("form_kept")) == ({}, None)
    for subject in (back, away):
        operations.erase_person(journal, kit.KEY, subject, by="worker", now=kit.NOW)
    assert kit.rows(engine, start_store.exit_form) == kit.rows(engine, text_store.text) == []
    assert kit.rows(engine, store.vault) == []


def test_a_form_that_is_refused_leaves_no_exit_and_both_are_one_commit(engine: Engine, journal: Journal) -> None:
    results, _ = register(journal, arrival("p"))
    subject = str(results[0]["subject"])
    was, before = seen(journal, subject)[0]["revision"], kit.heads(engine)
    leaving = NewExit(kit.key_of("leaves"), subject, LEFT, "completed", None, None)
    form = NewExitForm(kit.key_of("form"), subject, was, {"may_call": "no", "form_signed_on": "2036-01-01"}, {})
    common: dict[str, Any] = {"by": "worker", "now": kit.NOW}
    with pytest.raises(InvalidInput, match="form_signed_on"):
        exit_forms.record_leaving(journal, KEYS, kit.KEY, leaving, form, **common)
    assert (kit.heads(engine), seen(journal, subject)[0]["ended"]) == (before, None)
    told = {"may_call": "no", "form_signed_on": "2016-06-01"}
    assert exit_forms.record_leaving(journal, KEYS, kit.KEY, leaving, replace(form, told=told), **common)[0]
    assert kit.kinds(engine)[-2:] == ["intake.participation_ended", "intake.exit_form_recorded"]
    assert not exit_forms.record_leaving(journal, KEYS, kit.KEY, leaving, replace(form, told=told), **common)[0]
    with pytest.raises(InvalidInput, match="form.subject"):
        exit_forms.record_leaving(journal, KEYS, kit.KEY, leaving, replace(form, subject="9" * 32), **common)


def test_of_two_who_correct_an_exit_the_second_is_told_though_the_form_beside_it_is_the_same(journal: Journal) -> None:
    subject = gone(journal)
    write(journal, subject)
    was, common = seen(journal, subject)[0]["revision"], {"by": "worker", "now": kit.NOW}
    kept = {"form_version": "esf_2014_2020_end", "form_kept": "kaapissa-kolme"}

    def correct(reason: str) -> None:
        leaving = NewExit(kit.key_of(reason), subject, LEFT, reason, None, None, corrects=True)
        form = NewExitForm(kit.key_of(f"form {reason}"), subject, was, {"may_call": "yes"}, kept)
        exit_forms.record_leaving(journal, KEYS, kit.KEY, leaving, form, **common)

    correct("moved")
    with pytest.raises(ChangedMeanwhile):
        correct("interrupted")
    assert seen(journal, subject)[0]["ended"]["reason"] == "moved"


def test_of_a_list_only_the_form_of_a_restricted_person_is_refused(journal: Journal) -> None:
    one, other = gone(journal), gone(journal, "other")
    new = [
        NewExitForm(kit.key_of(subject), subject, seen(journal, subject)[0]["revision"], {"may_call": "no"}, {})
        for subject in (one, other)
    ]
    rights.restrict_person(journal, kit.KEY, one, "accuracy", lift=False, by="worker", now=kit.NOW)
    common: dict[str, Any] = {"by": "worker", "now": kit.NOW, "skip_bad": True}
    results, _ = exit_forms.record_exit_forms(journal, KEYS, kit.KEY, new, **common)
    assert ["error" in result for result in results] == [True, False]


# --- project 4: nobody leaves into nothing


def leave(to: str | None, planned: str | None = None, reason: str = "completed") -> None:
    told = (kit.key_of("x"), "0" * 32, OUT, reason, None, to)
    new = PlannedExit(*told, planned=planned) if planned else NewExit(*told)
    check_exit(new, Stay(IN), FOUR, OUT)


@pytest.mark.parametrize(
    ("to", "planned", "reason"),
    [
        ("education", None, "completed"),
        ("ready_plan", "work_trial", "interrupted"),
        (None, None, "died"),
        (None, None, "no_contact"),
    ],
)
def test_who_leaves_is_in_a_service_or_has_a_plan_that_names_one(
    to: str | None, planned: str | None, reason: str
) -> None:
    leave(to, planned, reason)


@pytest.mark.parametrize(
    ("to", "planned", "field"),
    [
        (None, None, "next"),
        ("ready_plan", None, "planned"),
        ("ready_plan", "ready_plan", "planned"),
        ("education", "work_trial", "planned"),
        ("ready_plan", "kuuhun", "planned"),
    ],
)
def test_who_leaves_into_nothing_is_refused_by_field(to: str | None, planned: str | None, field: str) -> None:
    with pytest.raises(PolkuError) as refused:
        leave(to, planned)
    assert isinstance(refused.value, InvalidInput | UnknownCode)
    assert refused.value.params["field"] == field


def test_nobody_goes_on_with_another_partner_where_the_project_has_none(sqlite_engine: Engine) -> None:
    with pytest.raises(InvalidInput, match="reason: .* no other partner"):
        leave(None, None, "transferred")
    moved = NewExit(kit.key_of("x"), "0" * 32, OUT, "transferred", None, None)
    check_exit(moved, Stay(IN), replace(FOUR, partners=kit.PROGRAMME.partners), OUT)
    corrected = replace(moved, date=date(2020, 6, 2), corrects=True)
    check_exit(corrected, Stay(IN).left(moved), FOUR, date(2020, 6, 2))  # by an accepted referral


def test_the_plan_of_an_exit_is_told_to_the_lead_and_an_exit_without_one_is_what_it_was(
    engine: Engine, journal: Journal
) -> None:
    document = kit.changed(outcomes=[o | {"is_plan": o["key"] == "work_trial"} for o in kit.DOCUMENT["outcomes"]])
    kit.put_programme(engine, store.shelf, document)
    subject = str(register(journal, arrival("p"))[0][0]["subject"])
    told = (kit.key_of("e"), subject, LEFT, "completed", None, "work_trial")
    exits.record_exits(journal, kit.KEY, [PlannedExit(*told, planned="education")], by="worker", now=kit.NOW)
    assert kit.lines(engine)[-1].body["planned"] == "education"
    assert seen(journal, subject)[0]["ended"]["planned"] == "education"
    assert kit.rows(engine, store.participation)[0]["end_planned"] == "education"


# --- afterwards


def ask(journal: Journal, subject: str, day: date, status: str = "not_reached") -> dict[str, Any]:
    new = NewFollowUp(kit.key_of(f"{subject}{day}"), subject, date(2016, 7, 1), day, status, None)
    return exits.record_follow_ups(journal, kit.KEY, [new], by="worker", now=kit.NOW)[0][0]


def due(engine: Engine, today: date = date(2016, 11, 1)) -> list[tuple[str, int]]:
    return [(one["person"], one["tries"]) for one in queries.due_follow_ups(engine, kit.KEY, today)]


def test_who_is_due_is_asked_three_times_and_then_not_reached(engine: Engine, journal: Journal) -> None:
    kit.put_programme(engine, store.shelf, kit.changed(followup={"after_days": 30}))
    subject, asked, silent = gone(journal), gone(journal, "asked"), gone(journal, "silent")
    ask(journal, asked, date(2016, 7, 2), "reached")
    write(journal, silent, may_call="no")
    assert due(engine, date(2016, 6, 30)) == [], "not due yet"
    assert due(engine, date(2016, 7, 1)) == [(subject, 0)]
    for day, left in ((2, [(subject, 1)]), (3, [(subject, 2)]), (4, [])):
        assert ask(journal, subject, date(2016, 7, day))["new"]
        assert due(engine) == left
    assert ask(journal, subject, date(2016, 7, 5))["error"]["params"]["field"] == "status"
    assert ask(journal, subject, date(2016, 7, 6), "reached")["new"], "who calls back is heard"


def test_a_refusal_that_was_noted_for_the_wrong_person_is_taken_back_and_they_are_asked(
    engine: Engine, journal: Journal
) -> None:
    kit.put_programme(engine, store.shelf, kit.changed(followup={"after_days": 30}))
    subject, other = gone(journal), gone(journal, "other")
    made = ask(journal, subject, date(2016, 7, 2), "refused")["follow_up"]
    ask(journal, other, date(2016, 7, 2), "refused")
    assert due(engine) == []
    what: dict[str, Any] = {"by": "worker", "now": kit.NOW}
    assert exits.remove_follow_up(journal, kit.KEY, other, made, **what) == (False, None), "it is not theirs"
    removed, pos = exits.remove_follow_up(journal, kit.KEY, subject, made, **what)
    assert (removed, pos is not None, due(engine)) == (True, True, [(subject, 0)])
    assert exits.remove_follow_up(journal, kit.KEY, subject, made, **what) == (False, None)
    (line,) = [line for line in kit.lines(engine) if line.kind == "intake.follow_up_removed"]
    assert (line.subject, line.body) == (subject, {"follow_up": made})
    assert kit.audit(engine)[-1]["action"] == "remove_follow_up"


def test_who_has_answered_is_not_asked_anew_by_a_corrected_exit_or_another_version_but_after_the_next_exit(
    engine: Engine, journal: Journal
) -> None:
    kit.put_programme(engine, store.shelf, kit.changed(followup={"after_days": 30}))
    refused, tried = gone(journal), gone(journal, "tried")
    ask(journal, refused, date(2016, 7, 2), "refused")
    ask(journal, tried, date(2016, 7, 2))

    def leave_on(subject: str, day: date, *, corrects: bool) -> None:
        new = NewExit(kit.key_of(f"{subject}{day}"), subject, day, "completed", None, None, corrects)
        assert "error" not in exits.record_exits(journal, kit.KEY, [new], by="worker", now=kit.NOW)[0][0]

    for subject in (refused, tried):
        leave_on(subject, date(2016, 5, 31), corrects=True)
    assert due(engine) == [(tried, 1)]
    kit.put_programme(engine, store.shelf, kit.changed(followup={"after_days": 32}))
    assert due(engine) == [(tried, 1)]
    for day in (3, 4):
        assert ask(journal, tried, date(2016, 7, day))["new"]
    assert ask(journal, tried, date(2016, 7, 5))["error"]["params"]["field"] == "status"
    leave_on(refused, date(2016, 8, 1), corrects=False)
    assert due(engine) == [(refused, 0)], "the last exit holds, and of it nobody has asked"


def test_whose_processing_is_restricted_is_not_on_the_list_until_that_is_lifted(
    engine: Engine, journal: Journal
) -> None:
    kit.put_programme(engine, store.shelf, kit.changed(followup={"after_days": 30}))
    subject, common = gone(journal), {"by": "worker", "now": kit.NOW}
    rights.restrict_person(journal, kit.KEY, subject, "accuracy", lift=False, **common)
    assert due(engine) == []
    rights.restrict_person(journal, kit.KEY, subject, None, lift=True, **common)
    assert due(engine) == [(subject, 0)]


def test_nobody_is_due_where_the_programme_does_not_ask(engine: Engine, journal: Journal) -> None:
    gone(journal)
    assert due(engine) == []
    assert queries.missing_evidence(engine, kit.KEY, KEYS.vault)


def test_who_left_without_a_form_lacks_it_unless_it_was_asked_for_in_vain(engine: Engine, journal: Journal) -> None:
    def lacking() -> list[str]:
        return [
            one["person"]
            for one in queries.missing_evidence(engine, kit.KEY, KEYS.vault)
            if "exit_form" in one["missing"]
        ]

    signed, tried, bare = gone(journal), gone(journal, "tried"), gone(journal, "bare")
    write(journal, signed, form_signed_on="2016-06-01")
    attempt = starts.NewAttempt(kit.key_of("try"), tried, "exit", "not_reached", date(2016, 6, 8))
    starts.record_attempts(journal, kit.KEY, [attempt], by="worker", now=kit.NOW)
    assert lacking() == [bare]
    other = starts.NewAttempt(kit.key_of("other"), bare, "exit", "refused", date(2016, 6, 8))
    (made,), _ = starts.record_attempts(journal, kit.KEY, [other], by="worker", now=kit.NOW)
    assert lacking() == []
    gone_is = [
        starts.remove_attempt(journal, kit.KEY, subject, made["attempt"], by="worker", now=kit.NOW)[0]
        for subject in (tried, bare, bare)
    ]
    assert (gone_is, lacking()) == ([False, True, False], [bare]), "it was a mistake, and not the other one's"
    rows = queries.with_attempts(engine, [{"person": tried, "missing": []}, {"person": bare, "missing": []}])
    assert [[{n: one[n] for n in one if n != "attempt"} for one in row["attempts"]] for row in rows] == [
        [{"record": "exit", "status": "not_reached", "date": "2016-06-08"}],
        [],
    ]


def test_a_wish_that_went_with_the_support_leaves_a_form_that_can_be_written_anew(
    engine: Engine, journal: Journal
) -> None:
    subject = gone(journal)
    write(journal, subject, wishes_ref=wish(journal, subject, "ensin"))
    common = {"by": "worker", "now": kit.NOW, "first": lambda *_: None}
    purposes.end_purpose(journal, KEYS, kit.KEY, subject, "support", "asked", **common)
    told = seen(journal, subject)[0]["form"]
    assert "wishes_ref" not in told
    assert write(journal, subject, "again", **told)["new"]


def test_a_list_completes_an_exit_form_and_keeps_the_wish_that_a_page_wrote(engine: Engine, journal: Journal) -> None:
    def told(name: str, content: dict[str, Any], **said: Any) -> Any:
        new = NewExitForm(kit.key_of(name), subject, None, {"may_call": "not_asked"} | said, content)
        return exit_forms.record_exit_forms(journal, KEYS, kit.KEY, [new], by="worker", now=kit.NOW)[0][0]

    subject = gone(journal)
    ref = wish(journal, subject, "Tahtoo-Merille")
    write(journal, subject, wishes_ref=ref)
    assert told("list", {}, form_signed_on="2016-06-02", eura_on="2016-06-03", eura_by="self")["new"]
    coded, kept = seen(journal, subject)
    assert coded["form"] == {
        **{"may_call": "yes", "wishes_ref": ref, "form_signed_on": "2016-06-02"},
        **{"eura_on": "2016-06-03", "eura_by": "self"},
    }
    assert kept["form_kept"] == "kaapissa-kolme"
    refused = told("other", {"form_kept": "kaapissa-neljä"})["error"]
    assert (refused["code"], refused["params"]["field"]) == ("already_recorded_differs", "form_kept")
    before = len(kit.lines(engine))
    assert told("list", {}, form_signed_on="2016-06-02", eura_on="2016-06-03", eura_by="self")["new"] is False
    assert "error" not in told("again", {}, form_signed_on="2016-06-02")
    assert len(kit.lines(engine)) == before
