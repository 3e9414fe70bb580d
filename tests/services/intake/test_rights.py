"""A copy, corrections, restriction: on both databases, with the lines that they leave."""

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select

from services.activities import operations as activities
from services.activities import store as activities_store
from services.intake import operations, queries, rights, rights_store, store, tags, texts
from services.intake.records import NewExit
from shared.contracts.errors import InvalidInput, PolkuError, ProcessingRestricted, UnknownPerson
from shared.journal import Journal
from shared.journal.tables import journal_line
from shared.storage import snapshot, transaction
from shared.storage.restricting import restricted
from tests.services import kit
from tests.services.activities import kit as activities_kit
from tests.services.intake.kit import DESK, IDENTITY, KEYS, arrival, register
from tests.services.intake.test_exits import leave, leaving


@pytest.fixture
def subject(journal: Journal) -> str:
    return str(register(journal, arrival())[0][0]["subject"])


def correct(journal: Journal, subject: str, identity: dict[str, Any] | None = None, **record: Any) -> list[str]:
    common = {"by": "worker", "now": kit.NOW}
    return rights.correct_person(journal, KEYS, kit.KEY, subject, identity or {}, record, **common, desk=DESK)[0]


def restrict(journal: Journal, subject: str, ground: str | None = "accuracy", *, lift: bool = False) -> bool:
    return rights.restrict_person(journal, kit.KEY, subject, ground, lift=lift, by="worker", now=kit.NOW)[0]


def copied(journal: Journal, subject: str) -> dict[str, Any]:
    return rights.copy_person(journal, KEYS, kit.KEY, subject, by="worker", now=kit.NOW)


def identity_of(engine: Engine, subject: str) -> dict[str, Any]:
    _, (row,) = queries.list_people(engine, kit.KEY, 1, 0, [subject])
    return store.open_identity(KEYS.vault, row.person, row.wrapped_key, row.box)


# --- correcting


def test_a_name_is_corrected_in_the_vault_and_in_no_line(engine: Engine, journal: Journal, subject: str) -> None:
    before = kit.kinds(engine)
    assert correct(journal, subject, {"given_name": "Oikea", "token": None}) == ["given_name", "token"]
    rest = {name: value for name, value in IDENTITY.items() if name not in ("token", "given_name")}
    assert identity_of(engine, subject) == rest | {"given_name": "Oikea"}
    assert kit.kinds(engine) == before
    entry = kit.audit(engine)[-1]
    assert (entry["action"], entry["changed"]) == ("correct_person", ["given_name", "token"])
    assert b"Oikea" not in kit.stored_bytes(engine)


def test_a_record_is_corrected_by_a_later_start_record(engine: Engine, journal: Journal, subject: str) -> None:
    assert correct(journal, subject, education=5, municipality=None) == ["education", "municipality"]
    last = kit.lines(engine)[-1]
    assert (last.kind, last.subject) == ("intake.participation_started", subject)
    assert (last.body["education"], last.body.get("municipality"), last.body["gender"]) == (5, None, "f")


def test_a_signature_that_comes_later_is_told_and_what_proves_nothing_in_its_period_is_not(
    engine: Engine, journal: Journal, subject: str
) -> None:
    before = kit.lines(engine)[-1].body
    assert before["proof"] == "none"
    correct(journal, subject, eura_on="2016-03-02", eura_by="self")
    assert kit.kinds(engine)[-1] == "intake.eura_counted", "no paper of 2014-2020"
    correct(journal, subject, form_signed_on="2016-03-02")
    assert kit.lines(engine)[-1].body == before | {"proof": "signed"}
    correct(journal, subject, form_signed_on="2016-03-03")
    assert kit.kinds(engine).count("intake.participation_started") == 2, "another day of it tells the lead nothing"


def test_another_birth_date_is_another_age(engine: Engine, journal: Journal, subject: str) -> None:
    correct(journal, subject, {"birth_date": "1991-02-03", "identity_code": None})
    assert kit.lines(engine)[-1].body["age"] == 25
    assert b"1991-02-03" not in kit.stored_bytes(engine)


def test_another_start_day_is_told_to_all_and_stays_before_the_exit(
    engine: Engine, journal: Journal, subject: str
) -> None:
    assert correct(journal, subject, start_date="2016-02-01") == ["start_date"]
    standing, started = kit.lines(engine)[-2:]
    assert (standing.kind, started.kind) == ("intake.standing_reached", "intake.participation_started")
    assert standing.body["occurred_on"] == started.body["occurred_on"] == "2016-02-01"
    leave(journal, leaving(subject, day=date(2016, 6, 1)))
    with pytest.raises(InvalidInput, match="start_date: after the person left"):
        correct(journal, subject, start_date="2016-06-02")


def test_the_same_again_corrects_nothing(engine: Engine, journal: Journal, subject: str) -> None:
    correct(journal, subject, {"family_name": "Toinen"}, education=5)
    heads = kit.heads(engine)
    assert correct(journal, subject, {"family_name": "Toinen"}, education=5) == []
    assert kit.heads(engine) == heads


@pytest.mark.parametrize(
    ("identity", "record", "said"),
    [
        ({"given_name": None, "family_name": None}, {}, "given_name: a esf_participant has a name"),
        ({"birth_date": "2030-01-01"}, {}, "birth_date: in the future"),
        ({}, {"area": "kuu"}, "has no area"),
        ({}, {"start_date": "2036-01-01"}, "start_date: in the future"),
    ],
)
def test_what_could_not_come_in_is_no_correction(
    engine: Engine, journal: Journal, subject: str, identity: dict[str, Any], record: dict[str, Any], said: str
) -> None:
    heads, before = kit.heads(engine), identity_of(engine, subject)
    with pytest.raises(PolkuError, match=said):
        correct(journal, subject, identity, **record)
    assert (kit.heads(engine), identity_of(engine, subject)) == (heads, before)


def test_who_has_another_name_is_recognised_anew(engine: Engine, journal: Journal, subject: str, tmp_path: Any) -> None:
    tags.take_tag_key(journal, tmp_path, kit.KEY, 1, "name_birth_date", b"k" * 32, by="w", now=kit.NOW)
    with journal.unit(kit.NOW) as unit:
        tags.tag_those_due(unit, KEYS.vault, lambda _: b"k" * 32, kit.KEY, 1)
    correct(journal, subject, {"family_name": "Toinen"})
    assert kit.kinds(engine)[-1] == "intake.tagging_due"
    with journal.unit(kit.NOW) as unit:
        tags.tag_those_due(unit, KEYS.vault, lambda _: b"k" * 32, kit.KEY, 1)
    told = [line.body["tag"] for line in kit.lines(engine) if line.kind == "intake.person_tagged"]
    assert len(set(told)) == 2
    correct(journal, subject, {"birth_date": None, "identity_code": None})
    told = [line.body["tag"] for line in kit.lines(engine) if line.kind == "intake.person_tagged"]
    assert len(set(told)) == 3, "what can be made into no tag has one of nobody"


def test_a_stranger_is_unknown(journal: Journal, subject: str) -> None:
    for right in (correct, restrict, copied):
        with pytest.raises(UnknownPerson):
            right(journal, "9" * 32)  # type: ignore[operator]


# --- restricting


def test_nobody_records_anything_about_a_restricted_person(engine: Engine, journal: Journal, subject: str) -> None:
    assert restrict(journal, subject)
    assert not restrict(journal, subject), "it is so already"
    assert kit.lines(engine)[-1].body == {"occurred_on": "2016-11-22"}
    heads = kit.heads(engine)
    (result,) = leave(journal, leaving(subject))
    assert result["error"] == ProcessingRestricted(field="participant").to_wire()
    note = texts.NewText(kit.key_of("note"), subject, "jotain")
    (kept,) = texts.keep_texts(journal, KEYS, kit.KEY, [note], by="worker", now=kit.NOW)
    assert kept["error"]["code"] == "processing_restricted"
    assert kit.heads(engine) == heads
    assert restrict(journal, subject, None, lift=True)
    assert not restrict(journal, subject, None, lift=True)
    assert leave(journal, leaving(subject)) == [{"subject": subject, "new": True}]


def test_on_which_ground_somebody_is_restricted_stands_in_no_line_and_erasing_clears_it(
    engine: Engine, journal: Journal, subject: str
) -> None:
    restrict(journal, subject, "claims")
    assert restrict(journal, subject, "objection"), "another ground is new"
    assert not restrict(journal, subject, "objection")
    told = [line for line in kit.lines(engine) if line.kind == "intake.person_restricted"]
    assert [line.body for line in told] == [{"occurred_on": "2016-11-22"}], "and is told to nobody"
    assert copied(journal, subject)["intake"]["restriction"]["ground"] == "objection"
    said = json.dumps([entry for entry in kit.audit(engine)]) + json.dumps(
        [row["ground"] for row in kit.rows(engine, restricted)]
    )
    assert "claims" not in said
    assert "objection" not in said
    operations.erase_person(journal, kit.KEY, subject, by="worker", now=kit.NOW)
    assert kit.rows(engine, rights_store.restriction) == []


def test_a_lifted_restriction_leaves_no_ground(engine: Engine, journal: Journal, subject: str) -> None:
    restrict(journal, subject)
    restrict(journal, subject, None, lift=True)
    assert kit.rows(engine, rights_store.restriction) == []


def test_of_a_list_only_those_about_the_restricted_are_refused(engine: Engine, journal: Journal) -> None:
    one, other = (str(result["subject"]) for result in register(journal, arrival("a"), arrival("b"))[0])
    restrict(journal, one)
    results = leave(journal, leaving(one, "1"), leaving(other, "2"), skip_bad=True)
    assert ["error" in result for result in results] == [True, False]


def test_every_service_is_stopped_even_one_that_has_not_heard_it(
    engine: Engine, journal: Journal, subject: str
) -> None:
    kit.put_programme(engine, activities_store.shelf)
    with transaction(engine) as connection:
        activities_store.put_person(connection, subject, kit.KEY, "esf_participant")
    (held,), _ = activities_kit.record_sessions(journal, activities_kit.session("s"))
    restrict(journal, subject)
    there = activities_kit.attendance(held["session"], "x", subject)
    results, _ = activities.record_attendance(journal, kit.KEY, [there], by="worker", now=kit.NOW)
    assert results[0]["error"]["code"] == "processing_restricted"


def test_a_command_that_looked_before_the_restriction_is_refused_when_it_commits(
    journal: Journal, subject: str
) -> None:
    restrict(journal, subject)

    def record() -> None:
        with journal.unit(kit.NOW) as unit:
            operations.record_start(unit, kit.PROGRAMME, subject, arrival())
            unit.audit("worker", "something")

    with pytest.raises(ProcessingRestricted):
        record()


def test_rights_hold_for_the_restricted_too(engine: Engine, journal: Journal, subject: str) -> None:
    restrict(journal, subject)
    assert correct(journal, subject, {"given_name": "Oikea"}, education=5) == ["education", "given_name"]
    assert copied(journal, subject)["intake"]["restriction"] == {"ground": "accuracy", "since": "2016-11-22"}
    assert queries.list_people(engine, kit.KEY, 1, 0)[1][0].restricted
    assert operations.erase_person(journal, kit.KEY, subject, by="worker", now=kit.NOW)[0]
    assert kit.rows(engine, restricted) == kit.rows(engine, rights_store.correction) == []


def test_a_restriction_has_a_ground(journal: Journal, subject: str) -> None:
    with pytest.raises(InvalidInput, match="ground"):
        restrict(journal, subject, None)


# --- the copy


def test_the_copy_holds_every_row_and_line_and_every_look(engine: Engine, journal: Journal, subject: str) -> None:
    correct(journal, subject, {"given_name": "Oikea"})
    leave(journal, leaving(subject, "e", date(2016, 6, 1), "employment"))
    note = texts.NewText(kit.key_of("note"), subject, "Sovittiin kahvit")
    (kept,) = texts.keep_texts(journal, KEYS, kit.KEY, [note], by="worker", now=kit.NOW)
    operations.log_identities_read(journal, [subject], by="w", programme=kit.KEY, now=kit.NOW)
    copy = copied(journal, subject)
    assert copy["intake"]["identity"]["given_name"] == "Oikea"
    assert copy["intake"]["participation"]["end_results"] == "employment"
    assert copy["intake"]["participation"]["rural"] == "refused"
    (correction,) = copy["intake"]["correction"]
    assert correction["changed"] == {"given_name": [IDENTITY["given_name"], "Oikea"]}
    assert copy["intake"]["text"] == [kept["text_ref"]]
    with snapshot(engine) as connection:
        query = select(journal_line.c.kind).where(journal_line.c.subject == bytes.fromhex(subject))
        assert [line["kind"] for line in copy["history"]] == list(connection.execute(query.order_by("pos")).scalars())
    assert [entry["action"] for entry in copy["reads"]] == ["correct_person", "read_identities", "copy_person"]
    assert "by" not in copy["reads"][0]
    json.dumps(copy)


def test_a_copy_shows_nothing_of_anybody_else(engine: Engine, journal: Journal, subject: str) -> None:
    other = str(register(journal, arrival("other"))[0][0]["subject"])
    leave(journal, NewExit(kit.key_of("o"), other, date(2016, 6, 1), "moved", None, None))
    correct(journal, other, {"given_name": "Muu"})
    said = json.dumps(copied(journal, subject))
    assert other not in said
    assert "Muu" not in said
