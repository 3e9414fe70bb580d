"""How people are reached: kept in the vault, read with a note of it, of nobody with a protected address."""

from typing import Any

import pytest
from sqlalchemy import Engine

from services.intake import contacts, exits, operations, queries, raising, rights, rights_store, store, workers
from services.intake.encounter_rules import Raise
from services.intake.records import NewExit
from services.intake.workers import NewWorker
from shared.contracts.commands import load
from shared.contracts.errors import ChangedMeanwhile, InvalidInput, ProcessingRestricted, UnknownPerson
from shared.contracts.rights import IdentityChanges
from shared.journal import Journal
from shared.journal.erasing import subject_digest
from tests.services import kit
from tests.services.intake.kit import DESK, IDENTITY, KEYS, RECORD, arrival, register
from tests.services.kit import KEY, key_of

PHONE, EMAIL = "+358401112223", "aino@example.org"
REACHED = {"phone": PHONE, "email": EMAIL, "contact_way": "message"}
NONE: dict[str, str | None] = dict.fromkeys(REACHED)


@pytest.fixture
def subject(journal: Journal) -> str:
    return str(register(journal, arrival(identity=IDENTITY | REACHED))[0][0]["subject"])


def put(journal: Journal, subject: str, was: Any = REACHED, language: str | None = None, **now: Any) -> list[str]:
    return contacts.set_contact(journal, KEYS, KEY, subject, was, now, language, by="anna", now=kit.NOW)


def read(journal: Journal, *subjects: str, by: str = "anna", own_only: bool = False) -> dict[str, Any]:
    common: dict[str, Any] = {"by": by, "now": kit.NOW, "own_only": own_only}
    return contacts.read_contacts(journal, KEYS, KEY, subjects, **common)


def kept(engine: Engine, subject: str) -> dict[str, Any]:
    _, (row,) = queries.list_people(engine, KEY, 1, 0, [subject])
    return store.open_identity(KEYS.vault, row.person, row.wrapped_key, row.box)


def test_the_language_of_service_is_kept_of_who_is_protected_too_and_overtakes_nobody(
    engine: Engine, journal: Journal
) -> None:
    protected = str(
        register(journal, arrival("p", record={"gender": "f", "protected_address": "yes"}))[0][0]["subject"]
    )
    before = kit.kinds(engine)

    def speak(was: dict[str, Any], **told: Any) -> list[str]:
        return contacts.set_languages(journal, KEY, protected, was, told, by="anna", now=kit.NOW)

    assert speak({}, service_language="so", interpreter="yes") == ["service_language", "interpreter"]
    assert speak({"service_language": "so", "interpreter": "yes"}, service_language="so") == ["interpreter"]
    with pytest.raises(ChangedMeanwhile):
        speak({}, service_language="sv")
    _, (row,) = queries.list_people(engine, KEY, 1, 0, [protected])
    assert (row.language, row.interpreter, row.protected) == ("so", None, True)
    assert kit.audit(engine)[-1]["changed"] == ["interpreter"]
    assert kit.kinds(engine) == before, "no line comes of it"


def test_it_is_kept_in_the_vault_alone_and_reading_it_is_written_down(
    engine: Engine, journal: Journal, subject: str
) -> None:
    before = kit.kinds(engine)
    assert put(journal, subject, language="sv", **REACHED | {"phone": "0401112223"}) == ["phone", "contact_language"]
    assert read(journal, subject) == {
        subject: ({"contact_language": "sv", "service_language": None}, REACHED | {"phone": "0401112223"})
    }
    wrote, looked = kit.audit(engine)[-2:]
    assert (wrote["action"], wrote["changed"]) == ("set_contact", ["phone", "contact_language"])
    assert (looked["action"], looked["subjects"]) == ("read_contacts", [subject_digest(subject)])
    assert kit.kinds(engine) == before, "no line comes of it"
    for text in (PHONE, "0401112223", EMAIL):
        assert text.encode() not in kit.stored_bytes(engine)
    assert put(journal, subject, REACHED | {"phone": "0401112223"}, "sv", **REACHED | {"phone": "0401112223"}) == []


def test_the_second_of_two_who_change_it_is_told(journal: Journal, subject: str) -> None:
    put(journal, subject, **REACHED | {"phone": "0401112223"})
    with pytest.raises(ChangedMeanwhile):
        put(journal, subject, **REACHED)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *(("phone", text) for text in ("12345", "+0401", "040 111", "+3584011122233445", "040\n112223", "٠٤٠١١١٢٢٢٣")),
        *(("email", text) for text in ("aino", "a@b", "aino@example.org?bcc=x@y.fi", "ä@example.org", "a b@c.fi")),
    ],
)
def test_what_reaches_nobody_is_refused_by_name(journal: Journal, subject: str, field: str, wrong: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        put(journal, subject, **{field: wrong})
    (refused,), _ = register(journal, arrival("b", identity=IDENTITY | {field: wrong}))
    assert refused["error"]["params"]["field"] == field


def test_of_whom_has_a_protected_address_nothing_is_taken_and_nothing_stays(
    engine: Engine, journal: Journal, subject: str
) -> None:
    record = {"gender": "f", "protected_address": "yes"}
    (refused,), _ = register(journal, arrival("b", record=record, identity=IDENTITY | {"email": EMAIL}))
    assert refused["error"]["params"]["field"] == "email"
    common: dict[str, Any] = {"by": "anna", "now": kit.NOW}
    rights.correct_person(journal, KEYS, KEY, subject, {}, {"protected_address": "yes"}, **common, desk=DESK)
    assert not {*kept(engine, subject)} & {*REACHED}
    with engine.connect() as connection:
        (corrected,) = rights_store.corrections_of(connection, KEYS.vault, bytes.fromhex(subject))
    assert not {*corrected["changed"]} & {*REACHED}, "it would be kept there"
    assert read(journal, subject) == {}
    with pytest.raises(InvalidInput, match="phone"):
        put(journal, subject, NONE, phone=PHONE)


def test_a_client_who_gets_a_protected_address_with_the_start_record_is_reached_no_longer(
    engine: Engine, journal: Journal
) -> None:
    identity = {"given_name": "Testi", "family_name": "Testinen", **REACHED}
    client = str(register(journal, arrival("c", "client", identity=identity, record={"gender": "f"}))[0][0]["subject"])
    started = arrival(
        "d", identity={}, record={**RECORD, "protected_address": "yes", "municipality": None, "area": None}
    )
    raised = raising.raise_standing(
        journal, KEYS, KEY, [Raise(key_of("r"), client, None, started)], desk=DESK, by="anna", now=kit.NOW
    )
    assert raised[0] == [{"subject": client, "new": True}]
    assert not {*kept(engine, client)} & {*REACHED}


def test_who_is_restricted_or_erased_is_not_reached(journal: Journal, subject: str) -> None:
    common: dict[str, Any] = {"by": "anna", "now": kit.NOW}
    rights.restrict_person(journal, KEY, subject, "accuracy", lift=False, **common)
    assert read(journal, subject) == {}
    with pytest.raises(ProcessingRestricted):
        put(journal, subject, **NONE)
    operations.erase_person(journal, KEY, subject, **common)
    assert read(journal, subject) == {}
    with pytest.raises(UnknownPerson):
        put(journal, subject, **NONE)


def test_nobody_calls_who_has_died_and_whoever_left_otherwise_may_be_called(journal: Journal, subject: str) -> None:
    for reason, reached in (("moved", [subject]), ("died", [])):
        left = NewExit(key_of(reason), subject, kit.NOW.date(), reason, None, None, corrects=reason == "died")
        (result,), _ = exits.record_exits(journal, KEY, [left], by="anna", now=kit.NOW)
        assert result["new"]
        assert [*read(journal, subject)] == reached


def test_where_each_sees_their_own_anothers_number_is_not_opened(
    engine: Engine, journal: Journal, subject: str
) -> None:
    workers.assign_workers(journal, KEY, [NewWorker(key_of("w"), subject, "bertta")], by="anna", now=kit.NOW)
    assert [*read(journal, subject, by="bertta", own_only=True)] == [subject]
    found = [queries.find_people(engine, KEY, lambda _: True, theirs=name) for name in ("bertta", "anna")]
    assert [(total, len(rows)) for total, rows in found] == [(1, 1), (0, 0)]
    before = len(kit.audit(engine))
    assert read(journal, subject, by="anna", own_only=True) == {}
    assert len(kit.audit(engine)) == before


# --- by a list


def add(journal: Journal, *rows: tuple[str, str, Any], skip_bad: bool = False) -> list[dict[str, Any]]:
    new = [contacts.NewContact(key_of(key), subject, how) for key, subject, how in rows]
    return contacts.add_contacts(journal, KEYS, KEY, new, by="cli:x", now=kit.NOW, skip_bad=skip_bad)


def test_a_list_tells_how_people_are_reached_once_and_undoes_nothing_told_since(
    engine: Engine, journal: Journal, subject: str
) -> None:
    other = str(register(journal, arrival("b"))[0][0]["subject"])
    row = ("r", other, {"phone": PHONE, "email": None})
    assert add(journal, row) == [{"subject": other, "new": True}]
    entry = kit.audit(engine)[-1]
    assert (entry["action"], entry["subjects"]) == ("set_contact", [subject_digest(other)])
    put(journal, other, {"phone": PHONE}, phone="0401112223")
    heads = kit.heads(engine)
    assert add(journal, row) == [{"subject": other, "new": False}]
    changed, fresh = ("r", other, {"phone": "0401112224"}), ("s", other, {"phone": PHONE})
    refused = add(journal, changed, fresh, skip_bad=True)
    assert [result["error"]["code"] for result in refused] == ["already_recorded_differs"] * 2
    assert (kept(engine, other)["phone"], kit.heads(engine)) == ("0401112223", heads)
    assert PHONE.encode() not in kit.stored_bytes(engine)
    operations.erase_person(journal, KEY, other, by="anna", now=kit.NOW)
    assert add(journal, row)[0]["error"]["code"] == "unknown_person", "its key went too"


def test_of_a_list_only_whom_nobody_may_reach_is_refused(engine: Engine, journal: Journal) -> None:
    record = {"gender": "f", "protected_address": "yes"}
    people = [
        register(journal, arrival(key, record=given))[0][0]["subject"]
        for key, given in (("p", record), ("q", {"gender": "f"}))
    ]
    protected, restricted = map(str, people)
    rights.restrict_person(journal, KEY, restricted, "accuracy", lift=False, by="anna", now=kit.NOW)
    free = str(register(journal, arrival("f"))[0][0]["subject"])
    rows = [(one, one, {"phone": PHONE}) for one in (protected, restricted, free, "9" * 32)]
    told = [result.get("error", {}).get("code") for result in add(journal, *rows, skip_bad=True)]
    assert told == ["invalid_input", "processing_restricted", None, "unknown_person"]
    assert [len(add(journal, *rows)), kept(engine, free)["phone"]] == [1, PHONE]


def test_no_correction_keeps_a_number() -> None:
    with pytest.raises(InvalidInput, match="phone"):
        load(IdentityChanges, {"phone": PHONE})
