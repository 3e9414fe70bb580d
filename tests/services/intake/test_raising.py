"""A visitor registers: the history goes along on their wish, and nothing leads to it without."""

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from services.intake import encounters, exits, raising, rights, store, tags
from services.intake.encounter_rules import Encounter, NewEncounter, Raise
from services.intake.records import NewExit
from services.intake.store import TagKey
from shared.contracts.catalogue import STANDINGS
from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, PolkuError, UnknownPerson
from shared.journal import Journal
from shared.journal.carry_tables import post_out
from shared.storage import snapshot, transaction
from tests.services.intake.kit import DESK, IDENTITY, KEYS, arrival, known, letter_waits, register
from tests.services.kit import KEY, NOW, key_of, kinds, lines, rows

NAMED = {name: IDENTITY[name] for name in ("given_name", "family_name", "birth_date")}


def visitor(journal: Journal, token: str = "Nalle", name: str = "e") -> str:
    met = NewEncounter(key_of(name), Encounter(date(2016, 3, 1), people_new=1), (token,))
    encounters.record_encounters(journal, KEYS, KEY, [met], by="worker", now=NOW)
    return [str(line.subject) for line in lines(journal.engine) if line.kind == "intake.visitor_met"][-1]


def register_visitor(
    journal: Journal, subject: str, kept: bool | None, standing: str = "client", name: str = "r", **changes: Any
) -> Any:
    new = arrival("x", standing, **{"identity": dict(NAMED)} | changes)
    items = [Raise(key_of(name), subject, kept, new)]
    (result,), _ = raising.raise_standing(journal, KEYS, KEY, items, by="worker", now=NOW, desk=DESK)
    return PolkuError.from_wire(result["error"]) if "error" in result else result


def identity_of(engine: Engine, subject: str) -> dict[str, Any]:
    with snapshot(engine) as connection:
        (row,) = store.people_of(connection, KEY, [bytes.fromhex(subject)]).values()
        return store.open_identity(KEYS.vault, row.person, row.wrapped_key, row.box)


def test_on_the_persons_wish_the_subject_and_the_history_stay_and_the_wish_is_recorded(engine: Engine) -> None:
    journal = known(engine)
    subject = visitor(journal)
    assert register_visitor(journal, subject, True) == {"subject": subject, "new": True}
    asked = next(line for line in lines(engine) if line.kind == "intake.history_asked")
    assert (asked.subject, asked.body["kept"], asked.stream.endswith("/local")) == (subject, True, True)
    assert identity_of(engine, subject) == NAMED | {"token": "Nalle"}
    assert [row["standing"] for row in rows(engine, store.participation)] == ["client"]
    assert visitor(journal, "nalle", "e2") == subject
    assert kinds(engine).count("intake.standing_reached") == 2
    assert "intake.participation_started" not in kinds(engine)


def test_without_the_wish_a_new_subject_begins_and_the_nickname_leads_nowhere(engine: Engine) -> None:
    journal = known(engine)
    before = visitor(journal)
    made = register_visitor(journal, before, False)["subject"]
    assert made != before
    asked = next(line for line in lines(engine) if line.kind == "intake.history_asked")
    assert (asked.subject, asked.body["kept"]) == (made, False)
    assert identity_of(engine, before) == {}
    assert before not in str([line.body for line in lines(engine)])
    assert visitor(journal, "Nalle", "e2") not in (made, before)


def test_a_nickname_that_goes_along_to_the_new_subject_is_theirs_from_then_on(engine: Engine) -> None:
    journal = known(engine)
    made = register_visitor(journal, visitor(journal), False, identity=NAMED | {"token": "Nalle"})["subject"]
    assert visitor(journal, "NALLE", "e2") == made


def test_a_nickname_of_somebody_else_is_refused_before_anything_is_done(engine: Engine) -> None:
    journal = known(engine)
    before, other = visitor(journal), visitor(journal, "Kettu", "e2")
    state = len(lines(engine)), len(rows(engine, store.person))
    error = register_visitor(journal, before, False, identity=NAMED | {"token": "Nalle;kettu"})
    assert (type(error), error.params["field"]) == (InvalidInput, "token")
    assert (len(lines(engine)), len(rows(engine, store.person))) == state
    assert identity_of(engine, before) == {"token": "Nalle"}
    assert [visitor(journal, "nalle", "e3"), visitor(journal, "kettu", "e4")] == [before, other]


@pytest.mark.parametrize("kept", [True, False])
def test_the_same_form_sent_twice_registers_once(engine: Engine, kept: bool) -> None:
    journal = known(engine)
    subject = visitor(journal)
    first = register_visitor(journal, subject, kept)
    count = len(lines(engine))
    assert register_visitor(journal, subject, kept) == first | {"new": False}
    assert isinstance(register_visitor(journal, subject, not kept), AlreadyRecordedDiffers)
    assert len(lines(engine)) == count


def test_a_visitor_is_asked_and_a_client_keeps_the_one_record(engine: Engine) -> None:
    journal = known(engine)
    subject = visitor(journal)
    error = register_visitor(journal, subject, None)
    assert (type(error), error.params["field"]) == (InvalidInput, "keeps_history")
    register_visitor(journal, subject, True)
    error = register_visitor(journal, subject, False, "esf_participant", "r2")
    assert (type(error), error.params["field"]) == (InvalidInput, "keeps_history")
    assert register_visitor(journal, subject, None, "esf_participant", "r3", identity={})["subject"] == subject
    assert kinds(engine)[-2:] == ["intake.standing_reached", "intake.participation_started"]
    assert lines(engine)[-1].body["age"] == 35  # by the birth date that was told before


def test_who_has_left_does_not_start_afterwards(engine: Engine) -> None:
    journal = known(engine)
    (result,), _ = register(journal, arrival(standing="client", start_date=date(2016, 3, 1)))
    left = NewExit(key_of("e"), result["subject"], date(2016, 6, 1), "moved", None, None)
    exits.record_exits(journal, KEY, [left], by="worker", now=NOW)
    late = {"start_date": date(2016, 9, 1)}
    assert register_visitor(journal, result["subject"], None, "esf_participant", **late).params["field"] == "start_date"
    assert rows(engine, store.participation)[0]["standing"] == "client"


def test_who_is_unemployed_no_longer_has_no_months_of_it(engine: Engine) -> None:
    journal = known(engine)
    record = {"gender": "f", "labour_status": "unemployed", "unemployed_months": 8}
    (result,), _ = register(journal, arrival(standing="client", record=record))
    now_is = {"record": {"gender": "f", "labour_status": "employed"}}
    assert register_visitor(journal, result["subject"], None, "esf_participant", **now_is)["new"]
    assert "unemployed_months" not in json.loads(rows(engine, store.participation)[0]["record"])


@pytest.mark.parametrize("reached", STANDINGS)
@pytest.mark.parametrize("asked", STANDINGS)
def test_a_standing_is_only_raised(sqlite_engine: Engine, reached: str, asked: str) -> None:
    journal = known(sqlite_engine)
    (someone,), _ = register(journal, arrival(standing=reached))
    kept = True if reached == "visitor" else None
    found = register_visitor(journal, someone["subject"], kept, asked)
    if STANDINGS.index(asked) > STANDINGS.index(reached):
        assert found["new"]
    else:
        assert found.params["field"] == "standing"


def test_who_has_no_name_or_is_not_there_is_not_registered(engine: Engine) -> None:
    journal = known(engine)
    subject, count = visitor(journal), len(lines(engine))
    assert register_visitor(journal, subject, True, identity={}).params["field"] == "given_name"
    assert register_visitor(journal, subject, False, identity={}).params["field"] == "given_name"
    assert isinstance(register_visitor(journal, "0" * 32, True), UnknownPerson)
    assert len(lines(engine)) == count
    assert identity_of(engine, subject)["token"] == "Nalle"


def test_who_registers_is_looked_at_anew_for_a_tag(engine: Engine) -> None:
    journal = known(engine)
    subject = visitor(journal)
    with transaction(engine) as connection:
        store.add_tag_key(connection, KEY, TagKey(1, 1, "name_birth_date"))
        store.note_tagged(connection, [bytes.fromhex(subject)], 1)
    register_visitor(journal, subject, True)
    with journal.unit(NOW) as unit:
        tags.tag_person(unit, KEYS.vault, lambda _number: b"t" * 32, KEY, subject)
    assert kinds(engine)[-1] == "intake.person_tagged"


def test_without_the_history_the_visitor_of_before_keeps_no_tag_that_the_new_subject_has(engine: Engine) -> None:
    journal = known(engine)
    with transaction(engine) as connection:
        store.add_tag_key(connection, KEY, TagKey(1, 1, "name_birth_date"))
    before = str(register(journal, arrival("v", "visitor", identity=dict(NAMED)))[0][0]["subject"])

    def tag(subject: str) -> None:
        with journal.unit(NOW) as unit:
            tags.tag_person(unit, KEYS.vault, lambda _number: b"t" * 32, KEY, subject)

    tag(before)
    made = register_visitor(journal, before, False)["subject"]
    tag(before)
    tag(made)
    tagged = {line.subject: line.body["tag"] for line in lines(engine) if line.kind == "intake.person_tagged"}
    assert {*tagged} == {before, made}
    assert tagged[before] != tagged[made]


def test_without_the_history_a_protected_address_stays_protected(engine: Engine) -> None:
    journal = known(engine)
    before = visitor(journal)
    common = {"by": "worker", "now": NOW}
    rights.correct_person(journal, KEYS, KEY, before, {}, {"protected_address": "yes"}, **common, desk=DESK)
    made = register_visitor(journal, before, False, record={"gender": "f"})["subject"]
    (row,) = [row for row in rows(engine, store.participation) if row["subject"] == bytes.fromhex(made)]
    assert json.loads(row["record"])["protected_address"] == "yes"


@pytest.mark.parametrize("kept", [True, False])
def test_who_registers_with_a_protected_address_has_what_has_not_left_taken_back(engine: Engine, kept: bool) -> None:
    journal = known(engine)
    before = visitor(journal)
    letter_waits(engine, before)
    assert "subject" in register_visitor(journal, before, kept, record={"gender": "f", "protected_address": "yes"})
    assert rows(engine, post_out) == []


def test_a_nickname_that_was_corrected_leads_to_nobody_and_the_right_one_to_the_visitor(engine: Engine) -> None:
    journal = known(engine)
    subject = visitor(journal)
    rights.correct_person(journal, KEYS, KEY, subject, {"token": "Karhu"}, {}, by="worker", now=NOW, desk=DESK)
    assert visitor(journal, "karhu", "e2") == subject
    assert visitor(journal, "Nalle", "e3") != subject


def test_a_new_nickname_told_on_registering_leaves_the_old_one_to_somebody_else(engine: Engine) -> None:
    journal = known(engine)
    subject = visitor(journal)
    register_visitor(journal, subject, True, identity=NAMED | {"token": "Karhu"})
    assert visitor(journal, "karhu", "e2") == subject
    assert visitor(journal, "Nalle", "e3") != subject


def test_a_nickname_that_two_people_go_by_after_a_correction_leads_to_neither(engine: Engine) -> None:
    journal = known(engine)
    subject, other = visitor(journal), visitor(journal, "Karhu", "e2")
    rights.correct_person(journal, KEYS, KEY, other, {"token": "nalle"}, {}, by="worker", now=NOW, desk=DESK)
    met = NewEncounter(key_of("e3"), Encounter(date(2016, 3, 1), people_known=1), ("Nalle",))
    (result,), _ = encounters.record_encounters(journal, KEYS, KEY, [met], by="worker", now=NOW)
    assert result["error"]["params"]["field"] == "token", (subject, other)
