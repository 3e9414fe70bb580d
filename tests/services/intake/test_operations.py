"""Registering people: state, lines and audit log together, on both databases."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from services.intake import operations, store
from shared.contracts.errors import UnknownPerson, UnknownProgramme
from shared.journal import Journal, audit
from shared.storage import snapshot, transaction
from shared.storage.vault import VaultError
from tests.services import kit
from tests.services.intake.kit import IDENTITY, KEYS, RECORD, arrival, known, register

STATE = (store.person, store.vault, store.participation, store.keys)


def test_a_participant_leaves_two_lines_and_the_coded_record(engine: Engine) -> None:
    results, pos = register(known(engine), arrival())
    assert results == [{"subject": results[0]["subject"], "new": True}]
    assert pos == 2
    reached, started = kit.lines(engine)
    assert (reached.kind, reached.stream) == ("intake.standing_reached", f"{kit.NODE}/{kit.KEY}")
    assert reached.body == {"standing": "esf_participant", "occurred_on": "2016-03-01"}
    assert (started.kind, started.stream) == ("intake.participation_started", reached.stream)
    assert started.body == {"occurred_on": "2016-03-01", "age": 35, **RECORD, "proof": "none"}
    assert reached.subject == started.subject == results[0]["subject"]
    (row,) = kit.rows(engine, store.participation)
    assert row["subject"].hex() == reached.subject
    assert (row["programme"], row["standing"], row["started_on"]) == (kit.KEY, "esf_participant", date(2016, 3, 1))
    assert json.loads(row["record"]) == RECORD | {"age": 35}


@pytest.mark.parametrize("standing", ["visitor", "client"])
def test_who_is_no_participant_leaves_the_standing_alone(engine: Engine, standing: str) -> None:
    register(known(engine), arrival(standing=standing))
    assert [(line.kind, line.body) for line in kit.lines(engine)] == [
        ("intake.standing_reached", {"standing": standing})
    ]


def test_a_participant_without_birth_date_has_no_age(engine: Engine) -> None:
    register(known(engine), arrival(identity={"given_name": "Aino"}))
    assert "age" not in kit.lines(engine)[1].body


def test_the_subject_is_derived_from_nothing(engine: Engine) -> None:
    journal = known(engine)
    results, _ = register(journal, arrival("a"), arrival("b"))
    assert results[0]["subject"] != results[1]["subject"]
    (first, second) = kit.rows(engine, store.participation)
    assert first["subject"] not in (first["person"], second["person"])


def test_the_same_key_and_content_again_answers_alike_and_adds_nothing(engine: Engine) -> None:
    journal = known(engine)
    first, _ = register(journal, arrival("a"), arrival("b", "client"))
    before = [kit.heads(engine), *(kit.rows(engine, table) for table in STATE)]
    again, pos = register(journal, arrival("a"), arrival("b", "client"))
    assert [result["subject"] for result in again] == [result["subject"] for result in first]
    assert {result["new"] for result in again} == {False}
    assert pos is None
    assert [kit.heads(engine), *(kit.rows(engine, table) for table in STATE)] == before


def test_the_same_key_twice_in_one_command_is_one_person(engine: Engine) -> None:
    results, _ = register(known(engine), arrival("a"), arrival("a"))
    assert results[0]["subject"] == results[1]["subject"]
    assert [result["new"] for result in results] == [True, False]
    assert len(kit.rows(engine, store.person)) == 1


@pytest.mark.parametrize("changes", [{"identity": IDENTITY | {"token": "toinen"}}, {"record": {"gender": "m"}}])
def test_the_same_key_with_other_content_is_refused(engine: Engine, changes: Any) -> None:
    journal = known(engine)
    register(journal, arrival("a"))
    before = kit.heads(engine)
    (result,), pos = register(journal, arrival("a", **changes))
    assert result == {"error": {"code": "already_recorded_differs", "params": {"field": "ref"}}}
    assert pos is None
    assert kit.heads(engine) == before


def test_it_stops_at_the_first_refused_and_keeps_the_earlier(engine: Engine) -> None:
    journal = known(engine)
    bad = arrival("bad", record={"area": "kuu"})
    results, pos = register(journal, arrival("a"), bad, arrival("c"))
    assert [list(result) for result in results] == [["subject", "new"], ["error"]]
    assert results[1]["error"]["code"] == "unknown_code"
    assert pos == 2
    assert len(kit.rows(engine, store.person)) == 1
    results, _ = register(journal, arrival("a"), arrival("c"))
    assert [result["new"] for result in results] == [False, True]


def test_skip_bad_goes_on_past_what_is_refused(engine: Engine) -> None:
    journal = known(engine)
    register(journal, arrival("d"))
    items = (arrival("a"), arrival("bad", start_date=None), arrival("d", "client"), arrival("c"))
    results, pos = register(journal, *items, skip_bad=True)
    codes = [result["error"]["code"] if "error" in result else "new" for result in results]
    assert codes == ["new", "invalid_input", "already_recorded_differs", "new"]
    assert pos == 6
    assert len(kit.rows(engine, store.person)) == 3


def test_an_impossible_age_is_one_refused_person_and_not_a_failed_command(engine: Engine) -> None:
    bad = arrival("bad", identity=IDENTITY | {"birth_date": "1850-01-01"})
    results, _ = register(known(engine), arrival("a"), bad)
    assert results[1]["error"]["params"]["field"] == "birth_date"
    assert len(kit.rows(engine, store.person)) == 1


def test_a_refused_person_leaves_no_trace(engine: Engine) -> None:
    journal = known(engine)
    before = kit.heads(engine)
    results, pos = register(journal, arrival(standing="client", identity={"token": "sinikettu7"}))
    assert "error" in results[0]
    assert pos is None
    assert kit.heads(engine) == before
    assert [kit.rows(engine, table) for table in STATE] == [[]] * len(STATE)


def test_a_programme_that_is_not_loaded_is_an_error(engine: Engine) -> None:
    with pytest.raises(UnknownProgramme):
        register(known(engine), arrival(), programme="toinen")


def test_who_registered_how_many_stands_in_the_audit_log_with_the_lines(engine: Engine) -> None:
    register(known(engine), arrival("a"), arrival("b", "client"))
    expected = {"by": "worker", "action": "register_participants", "programme": kit.KEY, "people": 2}
    assert kit.audit(engine) == [{**expected, "first": 1, "last": 3}]
    with snapshot(engine) as connection:
        assert audit.verify(connection) is None


def test_no_identity_lies_in_the_database_in_clear(engine: Engine) -> None:
    """Not in a line, an audit entry, a table, a deleted page or the write-ahead log; nor its escaped form."""
    journal = known(engine)
    register(journal, arrival("a"), arrival("bad", start_date=None))
    register(journal, arrival("a", identity=IDENTITY | {"token": "toinen-kettu"}))
    found = stored = kit.stored_bytes(engine)
    assert b"sampola" in stored  # the search finds what is there
    for value in (*IDENTITY.values(), "toinen-kettu"):
        for form in (value.encode(), json.dumps(value)[1:-1].encode(), value.encode("utf-16-le")):
            assert form not in found


def test_the_vault_opens_with_its_key_and_with_no_other(engine: Engine) -> None:
    register(known(engine), arrival("a", "client"), arrival("b", "visitor", identity={"token": "kettu"}))
    people = {row["person"]: row["wrapped_key"] for row in kit.rows(engine, store.person)}
    boxes = {row["person"]: row["box"] for row in kit.rows(engine, store.vault)}
    opened = [store.open_identity(KEYS.vault, person, people[person], boxes[person]) for person in people]
    assert sorted(opened, key=len) == [{"token": "kettu"}, IDENTITY]
    one, other = people
    for keys, person, wrapped, box in (
        ({1: b"x" * 32}, one, people[one], boxes[one]),
        ({2: KEYS.vault[1]}, one, people[one], boxes[one]),
        (KEYS.vault, one, people[other], boxes[one]),
        (KEYS.vault, one, people[one], boxes[other]),
        (KEYS.vault, other, people[one], boxes[one]),
    ):
        with pytest.raises(VaultError):
            store.open_identity(keys, person, wrapped, box)


def test_the_digest_of_a_person_cannot_be_recomputed_without_the_index_key(engine: Engine) -> None:
    register(known(engine), arrival("a"))
    (row,) = kit.rows(engine, store.keys)
    content = operations._content(kit.KEY, arrival("a"))
    assert row["digest"] == KEYS.digest(content)
    assert row["digest"] != replace(KEYS, index=b"x" * 32).digest(content)


ITEM = st.tuples(st.sampled_from("abc"), st.sampled_from(["client", "esf_participant", "bad"]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(st.tuples(st.lists(ITEM, min_size=1, max_size=5), st.booleans()), max_size=4))
def test_any_run_of_commands_answers_as_a_dictionary_would(
    sqlite_engine: Engine, commands: list[tuple[list[tuple[str, str]], bool]]
) -> None:
    """The model: a dictionary from key to content; bad and different ones are refused, equal ones are known."""
    kit.empty(sqlite_engine, store.vault, store.participation, store.person, store.keys)
    journal, model = known(sqlite_engine), dict[str, str]()
    for items, skip_bad in commands:
        expected = []
        for key, standing in items:
            if key in model:
                expected.append("known" if model[key] == standing else "already_recorded_differs")
            else:
                expected.append("unknown_code" if standing == "bad" else "new")
                if standing != "bad":
                    model[key] = standing
            if not skip_bad and expected[-1] not in ("new", "known"):
                break
        given = [
            arrival(key, "client", record={"area": "kuu"}) if standing == "bad" else arrival(key, standing)
            for key, standing in items
        ]
        results, _ = register(journal, *given, skip_bad=skip_bad)
        assert [_word(result) for result in results] == expected
    assert len(kit.rows(sqlite_engine, store.person)) == len(model)


def _word(result: dict[str, object]) -> object:
    error = result.get("error")
    if isinstance(error, dict):
        return error["code"]
    return "new" if result["new"] else "known"


def test_the_journal_of_a_home_is_named_by_it(engine: Engine) -> None:
    known(engine)
    register(Journal(engine, "turku-00000001"), arrival())
    assert {line.stream for line in kit.lines(engine)} == {f"turku-00000001/{kit.KEY}"}


# --- erasing


def test_a_person_of_two_programmes_keeps_key_and_identity_until_the_last_is_erased(engine: Engine) -> None:
    journal = known(engine)
    results, _ = register(journal, arrival())
    (row,) = kit.rows(engine, store.participation)
    second = row | {"subject": bytes(16), "programme": "another"}
    with transaction(engine) as connection:
        connection.execute(insert(store.participation), second)
    operations.erase_person(journal, kit.KEY, results[0]["subject"], by="worker", now=kit.NOW)
    assert kit.rows(engine, store.participation) == [second]
    assert (len(kit.rows(engine, store.person)), len(kit.rows(engine, store.vault))) == (1, 1)
    operations.erase_person(journal, "another", "0" * 32, by="worker", now=kit.NOW)
    assert kit.rows(engine, store.person) == kit.rows(engine, store.vault) == []


def test_somebody_of_another_programme_is_not_erased(engine: Engine) -> None:
    journal = known(engine)
    results, _ = register(journal, arrival())
    with pytest.raises(UnknownPerson):
        operations.erase_person(journal, "another", results[0]["subject"], by="worker", now=kit.NOW)
    assert len(kit.rows(engine, store.participation)) == 1


def test_after_erasing_the_same_row_makes_somebody_new(engine: Engine) -> None:
    journal = known(engine)
    (first,), _ = register(journal, arrival())
    assert operations.erase_person(journal, kit.KEY, first["subject"], by="worker", now=kit.NOW)[0]
    (second,), _ = register(journal, arrival())
    assert second["new"]
    assert second["subject"] != first["subject"]
