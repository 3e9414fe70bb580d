"""Start records of people who are known, completed and corrected; tries in vain: state and lines, on both databases."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from services.intake import exits, operations, purposes, rights, rights_store, start_store, starts, store, tags
from services.intake.records import NewExit, misfits
from services.intake.starts import NewAttempt, NewStart
from shared.contracts.errors import UnknownPerson
from shared.journal import Journal
from shared.journal.carry_tables import post_out
from shared.journal.lines import parse
from shared.journal.tables import journal_line
from shared.storage import snapshot
from tests.services import kit
from tests.services.intake.kit import DESK, IDENTITY, KEYS, arrival, known, letter_waits, register

DAY = date(2016, 3, 1)
WHOLE: dict[str, Any] = {
    **{"gender": "f", "labour_status": "inactive", "education": 3, "target_group": "outside_working_life"},
    **{"form_signed_on": "2016-03-01", "form_language": "sv", "form_help": "self", "paid_by_project": "no"},
    **dict.fromkeys(("foreign_background", "minority", "disability", "other_disadvantage"), "refused"),
}
CONTENT = {"birth_date": "1981-02-03", "form_version": "esf_2014_2020", "form_kept": "kaapissa-kolme"}


def client(journal: Journal, **changes: Any) -> str:
    given = {"standing": "client", "record": {"gender": "f", "service_language": "sv"}} | changes
    results, _ = register(journal, arrival("p", **given))
    return str(results[0]["subject"])


def seen(journal: Journal, subject: str) -> dict[str, Any]:
    return starts.show_start(journal, KEYS, kit.KEY, subject, by="worker", now=kit.NOW)[0]


def form(journal: Journal, subject: str, name: str = "s", **changes: Any) -> NewStart:
    given: dict[str, Any] = {"start_date": DAY, "record": dict(WHOLE), "content": dict(CONTENT)} | changes
    return NewStart(kit.key_of(name), subject, given.pop("was", None) or seen(journal, subject)["revision"], **given)


def save(journal: Journal, *items: NewStart, **options: Any) -> list[dict[str, Any]]:
    results, _ = starts.record_starts(journal, KEYS, kit.KEY, items, by="worker", now=kit.NOW, **options, desk=DESK)
    return results


def refusal(result: dict[str, Any]) -> tuple[str, Any]:
    return result["error"]["code"], result["error"]["params"]["field"]


def test_a_client_with_a_whole_record_is_a_participant_with_age_on_the_start_day(
    engine: Engine, journal: Journal
) -> None:
    subject = client(journal)
    (result,) = save(journal, form(journal, subject))
    assert result == {"subject": subject, "new": True, "lacks": [], "missing": [], "misfits": []}
    told = [(line.kind, line.body) for line in kit.lines(engine)][-2:]
    assert [kind for kind, _ in told] == ["intake.standing_reached", "intake.participation_started"]
    assert (told[1][1]["age"], told[1][1]["minority"], told[1][1]["proof"]) == (35, "refused", "signed")
    assert b"1981" not in json.dumps([body for _, body in told]).encode()
    (row,) = kit.rows(engine, store.participation)
    assert (row["standing"], row["started_on"]) == ("esf_participant", DAY)
    assert json.loads(row["record"])["service_language"] == "sv", "what the form does not ask stays"
    coded, named = starts.show_start(journal, KEYS, kit.KEY, subject, by="worker", now=kit.NOW)
    assert (coded["record"]["age"], named["form_kept"], named["given_name"]) == (
        *(35, "kaapissa-kolme"),
        IDENTITY["given_name"],
    )


def test_an_incomplete_record_is_taken_and_says_what_it_lacks(journal: Journal) -> None:
    subject = client(journal, identity={"given_name": "A"})
    (result,) = save(journal, form(journal, subject, record={"gender": "f", "paid_by_project": "no"}, content={}))
    assert result["lacks"] == ["proof", "age", "labour_status", "education"]
    assert kit.lines(journal.engine)[-1].body["proof"] == "none"
    assert result["missing"] == ["form_signed_on", "target_group", "age", "labour_status", "education"]
    assert seen(journal, subject)["standing"] == "esf_participant"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"record": WHOLE | {"paid_by_project": "yes"}}, "paid_by_project"),
        ({"record": WHOLE | {"form_signed_on": "2036-01-01"}}, "form_signed_on"),
        ({"record": WHOLE | {"eura_on": "2016-03-02"}}, "eura_by"),
        ({"record": {**WHOLE, "form_signed_on": "2016-03-01", "unemployed_months": 3}}, "unemployed_months"),
        ({"record": {name: value for name, value in WHOLE.items() if name != "form_signed_on"}}, "foreign_background"),
        ({"start_date": date(2036, 1, 1)}, "start_date"),
        ({"start_date": date(2014, 1, 1)}, "start_date"),
        ({"content": {"birth_date": "2016-03-02"}}, "birth_date"),
    ],
)
def test_a_record_that_cannot_be_is_refused_by_field_and_leaves_nothing(
    sqlite_engine: Engine, changes: dict[str, Any], field: str
) -> None:
    engine, journal = sqlite_engine, known(sqlite_engine)
    new = form(journal, client(journal), **changes)
    before = kit.heads(engine)
    assert refusal(save(journal, new)[0]) == ("invalid_input", field)
    assert kit.heads(engine) == before


def test_a_visitor_registers_before_a_start_record_for_the_history_is_asked_there(journal: Journal) -> None:
    subject = client(journal, standing="visitor", identity={"token": "sinikettu7"})
    named = form(journal, subject, content=CONTENT | {"given_name": "Äikkä-Testinimi"})
    assert refusal(save(journal, named)[0]) == ("invalid_input", "standing")


def test_a_start_after_the_exit_is_refused(journal: Journal) -> None:
    subject = client(journal)
    save(journal, form(journal, subject))
    leaving = NewExit(kit.key_of("e"), subject, date(2016, 6, 1), "completed", None, None)
    exits.record_exits(journal, kit.KEY, [leaving], by="worker", now=kit.NOW)
    late = form(journal, subject, "late", start_date=date(2016, 6, 2))
    assert refusal(save(journal, late)[0]) == ("invalid_input", "start_date")


def test_a_first_start_after_somebody_has_come_back_is_refused(journal: Journal) -> None:
    (result,), _ = register(journal, arrival("p", "client", start_date=DAY, record={"gender": "f"}))
    subject = str(result["subject"])
    leaving = NewExit(kit.key_of("e"), subject, date(2016, 6, 1), "moved", None, None)
    exits.record_exits(journal, kit.KEY, [leaving], by="worker", now=kit.NOW)
    exits.resume_participation(journal, kit.KEY, subject, date(2016, 8, 1), by="worker", now=kit.NOW)
    (late,) = save(journal, form(journal, subject, start_date=date(2016, 9, 1)))
    assert refusal(late) == ("invalid_input", "start_date")
    assert save(journal, form(journal, subject, "f"))[0]["new"]


def test_the_same_form_again_adds_nothing_and_another_with_its_key_is_refused(engine: Engine, journal: Journal) -> None:
    subject = client(journal)
    new = form(journal, subject)
    save(journal, new)
    before = kit.heads(engine)
    (again,) = save(journal, new)
    assert (again["new"], kit.heads(engine)) == (False, before)
    assert refusal(save(journal, form(journal, subject, start_date=date(2016, 3, 2)))[0]) == (
        *("already_recorded_differs",),
        "key",
    )


def test_of_two_workers_who_saw_the_same_the_second_is_told(journal: Journal) -> None:
    subject = client(journal)
    first, second = form(journal, subject, "first"), form(journal, subject, "second", start_date=date(2016, 3, 5))
    save(journal, first)
    assert refusal(save(journal, second)[0]) == ("changed_meanwhile", "was")
    assert seen(journal, subject)["started_on"] == "2016-03-01"


def test_a_corrected_birth_date_has_the_person_tagged_anew(engine: Engine, journal: Journal) -> None:
    subject = client(journal, identity=IDENTITY | {"identity_code": None})
    save(journal, form(journal, subject))
    with kit.transaction(engine) as connection:
        store.add_tag_key(connection, kit.KEY, store.TagKey(1, 1, "name_birth_date"))
        store.note_tagged(connection, [bytes.fromhex(subject)], 1)
    save(journal, form(journal, subject, "b", content=CONTENT | {"birth_date": "1980-02-03"}))
    assert kit.rows(engine, store.tagged) == []
    assert kit.kinds(engine)[-2:] == ["intake.tagging_due", "intake.participation_started"]
    assert [line.body["age"] for line in kit.lines(engine) if "age" in line.body] == [35, 36]


def test_who_does_not_fit_the_target_group_is_told_and_taken() -> None:
    group = {"target_group": "unemployed"}
    assert misfits(group | {"labour_status": "inactive"}, kit.PROGRAMME) == ["labour_status"]
    assert misfits(group | {"labour_status": "unemployed"}, kit.PROGRAMME) == []
    assert misfits(group, kit.PROGRAMME) == [], "of what was not answered nothing is said"
    kuntsari = kit.parse_programme(kit.load_file(kit.SCHEMA_FILE.parent / "kuntsari.yaml"))
    young = {"target_group": "hard_to_employ", "age": 24}
    assert (misfits(young, kuntsari), misfits(young | {"age": 25}, kuntsari)) == (["age"], [])


def test_tries_in_vain_are_dated_stay_on_the_node_and_go_with_the_person(engine: Engine, journal: Journal) -> None:
    subject = client(journal)
    tries = [
        NewAttempt(kit.key_of("1"), subject, "start", "not_reached", date(2016, 3, 1)),
        NewAttempt(kit.key_of("2"), subject, "start", "refused", date(2016, 3, 8)),
        NewAttempt(kit.key_of("3"), subject, "start", "refused", date(2036, 3, 8)),
    ]
    results, _ = starts.record_attempts(journal, kit.KEY, tries, by="worker", now=kit.NOW, skip_bad=True)
    assert [result.get("new") for result in results] == [True, True, None]
    assert {line.stream.split("/")[1] for line in kit.lines(engine)[-2:]} == {"local"}
    assert [(one["status"], one["date"]) for one in seen(journal, subject)["attempts"]] == [
        ("not_reached", "2016-03-01"),
        ("refused", "2016-03-08"),
    ]
    operations.erase_person(journal, kit.KEY, subject, by="worker", now=kit.NOW)
    assert kit.rows(engine, start_store.attempt) == kit.rows(engine, store.keys) == []


def test_reading_a_start_record_is_in_the_audit_log_and_nobody_else_is_shown(engine: Engine, journal: Journal) -> None:
    seen(journal, client(journal))
    assert kit.audit(engine)[-1]["action"] == "read_identities"
    with pytest.raises(UnknownPerson):
        seen(journal, "9" * 32)


def test_of_two_workers_at_the_same_moment_one_record_stands_and_the_other_is_told(
    engine: Engine, journal: Journal
) -> None:
    subject = client(journal)
    forms = [form(journal, subject, f"form {n}", start_date=date(2016, 3, 1 + n)) for n in range(6)]
    with ThreadPoolExecutor(len(forms)) as pool:
        results = list(pool.map(lambda new: save(journal, new)[0], forms))
    stands = [new for new, result in zip(forms, results, strict=True) if "error" not in result]
    assert [new.start_date.isoformat() for new in stands] == [seen(journal, subject)["started_on"]]
    assert {refusal(result) for result in results if "error" in result} == {("changed_meanwhile", "was")}
    assert kit.kinds(engine).count("intake.participation_started") == 1


def test_a_start_record_that_protects_the_address_takes_back_what_has_not_left(
    engine: Engine, journal: Journal
) -> None:
    subject = client(journal)
    letter_waits(engine, subject)
    (result,) = save(journal, form(journal, subject, record=WHOLE | {"protected_address": "yes"}))
    assert (result["subject"], kit.rows(engine, post_out)) == (subject, [])


def test_a_protected_address_is_no_question_of_the_form_and_stays(engine: Engine, journal: Journal) -> None:
    subject = client(journal, record={"gender": "f", "protected_address": "yes"})
    (result,) = save(journal, form(journal, subject, record=WHOLE | {"municipality": "609"}))
    assert refusal(result) == ("invalid_input", "municipality")
    save(journal, form(journal, subject, "t"))
    assert json.loads(kit.rows(engine, store.participation)[0]["record"])["protected_address"] == "yes"


# --- a start form that corrects


def corrections(journal: Journal, subject: str) -> list[dict[str, Any]]:
    with snapshot(journal.engine) as connection:
        found = rights_store.corrections_of(connection, KEYS.vault, bytes.fromhex(subject))
    return [one["changed"] for one in found]


def test_a_name_or_birth_date_that_the_form_changes_is_kept_as_a_correction(engine: Engine, journal: Journal) -> None:
    nobody_asked = {name: value for name, value in IDENTITY.items() if name != "identity_code"}
    subject = client(journal, identity=nobody_asked)
    save(journal, form(journal, subject))
    assert corrections(journal, subject) == [], "what nobody had answered is completed, not corrected"
    other = CONTENT | {"birth_date": "1982-02-04", "family_name": "Toinen-Testinimi"}
    save(journal, form(journal, subject, "again", content=other, record=WHOLE | {"education": 5}))
    assert corrections(journal, subject) == [
        {
            "birth_date": ["1981-02-03", "1982-02-04"],
            "family_name": [IDENTITY["family_name"], "Toinen-Testinimi"],
            "education": [3, 5],
        }
    ]
    corrected, recorded = kit.audit(engine)[-2:]
    assert (corrected["action"], corrected["changed"]) == ("correct_person", ["birth_date", "education", "family_name"])
    assert recorded["action"] == "record_starts"
    assert b"Toinen-Testinimi" not in kit.stored_bytes(engine)


def test_a_first_form_that_contradicts_what_was_known_corrects_that_alone(journal: Journal) -> None:
    subject = client(journal)
    save(journal, form(journal, subject, content=CONTENT | {"given_name": "Uusi"}))
    assert corrections(journal, subject) == [{"given_name": [IDENTITY["given_name"], "Uusi"]}]


def test_a_corrected_birth_date_that_makes_no_tag_any_more_leaves_the_tag_of_nobody(
    engine: Engine, journal: Journal
) -> None:
    subject = client(journal, identity=IDENTITY | {"identity_code": None})
    save(journal, form(journal, subject))
    with journal.unit(kit.NOW) as unit:
        store.add_tag_key(unit.connection, kit.KEY, store.TagKey(1, 1, "name_and_birth_date"))
        tags.tag_those_due(unit, KEYS.vault, lambda _: b"k" * 32, kit.KEY, 1)
    save(journal, form(journal, subject, "again", content={}))
    told = [line.body["tag"] for line in kit.lines(engine) if line.kind == "intake.person_tagged"]
    assert len(set(told)) == 2


def test_of_a_list_of_forms_only_that_of_a_restricted_person_is_refused(journal: Journal) -> None:
    one, other = client(journal), str(register(journal, arrival("q", standing="client"))[0][0]["subject"])
    new = [form(journal, one, "one"), form(journal, other, "other")]
    rights.restrict_person(journal, kit.KEY, one, "accuracy", lift=False, by="worker", now=kit.NOW)
    refused, taken = save(journal, *new, skip_bad=True)
    assert refused["error"]["code"] == "processing_restricted"
    assert taken["new"]


def test_a_list_completes_what_is_not_known_and_never_changes_what_somebody_told(
    engine: Engine, journal: Journal
) -> None:
    def told(name: str, **record: Any) -> NewStart:
        content = {"birth_date": None, "form_kept": "kaapissa-neljä"} if name != "first" else dict(CONTENT)
        return NewStart(kit.key_of(name), subject, None, DAY, record, content)

    subject = client(journal)
    answers = {name: value for name, value in WHOLE.items() if not name.startswith("form_")}
    unsigned = answers | dict.fromkeys(("foreign_background", "minority", "disability", "other_disadvantage"), "no")
    (begun,) = save(journal, told("first", **unsigned | {"minority": "not_asked"}))
    assert (begun["new"], begun["lacks"]) == (True, ["proof"])
    signed = {"form_signed_on": "2016-03-01", "form_help": "self", "minority": "yes", "gender": "unknown"}
    assert refusal(save(journal, told("moved", **signed))[0]) == ("already_recorded_differs", "form_kept")
    later = replace(told("first", **signed), key=kit.key_of("later"), content={})
    (done,) = save(journal, later)
    record = seen(journal, subject)["record"]
    assert (done["missing"], record["minority"], record["gender"], record["service_language"]) == ([], "yes", "f", "sv")
    assert [line.body["proof"] for line in kit.lines(engine) if "proof" in line.body] == ["none", "signed"]
    for name, other in (("education", 4), ("form_help", "with_help")):
        changed = replace(later, key=kit.key_of(name), record={name: other})
        assert refusal(save(journal, changed)[0]) == ("already_recorded_differs", name)
    before = len(kit.lines(engine))
    assert save(journal, later)[0]["new"] is False
    assert "error" not in save(journal, replace(later, key=kit.key_of("again")))[0]
    assert refusal(save(journal, replace(later, key=kit.key_of("day"), start_date=date(2016, 3, 2)))[0])[1] == (
        "start_date"
    )
    assert len(kit.lines(engine)) == before, "a list that tells nothing new adds no line"


def test_a_list_starts_anew_whose_record_was_erased_and_the_lead_is_told(sqlite_engine: Engine) -> None:
    engine, journal = sqlite_engine, known(sqlite_engine)
    subject = str(register(journal, arrival("p"))[0][0]["subject"])
    common: dict[str, Any] = {"by": "worker", "now": kit.NOW, "first": lambda *_: None}
    purposes.end_purpose(journal, KEYS, kit.KEY, subject, "esf_record", "asked", **common)
    assert save(journal, NewStart(kit.key_of("l"), subject, None, DAY, WHOLE | {"gender": ""}, CONTENT))[0]["new"]
    last = parse(max(kit.rows(engine, journal_line), key=lambda row: row["pos"])["line"])
    assert (last.kind, last.body["gender"]) == ("intake.participation_started", "unknown")


def test_a_record_of_which_no_fact_can_be_made_leaves_nothing(sqlite_engine: Engine) -> None:
    engine, journal = sqlite_engine, known(sqlite_engine)
    new = form(journal, client(journal, record={}), record={"paid_by_project": "no"})
    before = kit.heads(engine), kit.rows(engine, store.participation)
    assert save(journal, new)[0]["error"]["code"] == "fact_not_writable"
    assert (kit.heads(engine), kit.rows(engine, store.participation)) == before
