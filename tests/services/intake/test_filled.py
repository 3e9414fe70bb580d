"""Whether a start form is filled at another partner: asked by tag, answered by letter; the lead learns nothing."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from services.intake import (
    filled,
    filled_store,
    letters,
    peers,
    referral_listing,
    referral_store,
    rights,
    rights_store,
    store,
)
from services.intake.domain import tag_of
from services.intake.filled_store import filled as table
from shared.contracts.errors import HomeHeld, InvalidInput, ProcessingRestricted, ProgrammeIsClosed, UnknownPerson
from shared.journal import closing, directory
from shared.journal.carry_tables import post_in, post_out
from shared.journal.tables import journal_head, journal_hold
from shared.storage import snapshot, transaction
from tests.services import kit
from tests.services.intake.kit import IDENTITY, KEYS, RECORD, arrival, register
from tests.services.intake.test_referrals import accept, at, erase, send
from tests.services.intake.test_steward import FIRST, LEADERS, STEWARD, THIRD, Land, Place, all_confirm
from tests.services.intake.test_steward import land as land
from tests.services.kit import KEY, OTHER, OWN

SIGNED = RECORD | {"form_signed_on": "2016-03-01"}


def three(land: Land) -> tuple[Place, Place, Place]:
    """Nodes that know each other and have the tag key."""
    places = all_confirm(land)
    places[0].renew()
    land.work()
    return places


def come(place: Place, name: str = "anna", standing: str = "esf_participant", **changes: Any) -> str:
    """Somebody comes in with the one identity of these tests; their form is signed if `record` says so."""
    results, _ = register(place.journal, arrival(name, standing, **changes))
    return str(results[0]["subject"])


def ask(place: Place, subject: str) -> list[str]:
    return filled.ask(at(place), subject, by="worker", now=place.now)[0]


def heard(place: Place, subject: str) -> dict[str, tuple[str | None, str | None]]:
    found = filled.show(place.engine, place.desk, KEY, subject)["answers"]
    return {row["partner"]: (row["answer"], row["signed_on"]) for row in found}


def set_record(place: Place, subject: str, record: dict[str, Any]) -> None:
    with transaction(place.engine) as connection:
        this = store.participation.c.subject == bytes.fromhex(subject)
        connection.execute(update(store.participation).where(this).values(record=json.dumps(record)))


def actions(place: Place, action: str) -> list[dict[str, Any]]:
    return [entry for entry in kit.audit(place.engine) if entry["action"] == action]


def test_each_other_partner_says_whether_the_form_is_filled_there_and_the_lead_learns_nothing(land: Land) -> None:
    first, second, third = three(land)
    theirs = come(first, record=SIGNED)
    come(second, "unsigned")
    ours = come(third)
    assert ask(third, ours) == sorted([OTHER, OWN])
    assert heard(third, ours) == {OTHER: (None, None), OWN: (None, None)}
    land.work()
    assert heard(third, ours) == {OTHER: ("yes", "2016-03-01"), OWN: ("no", None)}
    land.work()
    assert [kit.rows(place.engine, post_out) for place in land.places.values()] == [[], [], []]
    (key,) = third.secrets()
    tag = str(tag_of(IDENTITY, "name_birth_date", KEY, key))
    for secret in (tag, bytes.fromhex(tag), ours, theirs, "filled_question", IDENTITY["given_name"]):
        assert (secret if isinstance(secret, bytes) else secret.encode()) not in land.seen
    assert [(entry["by"], entry["partners"]) for entry in actions(third, "ask_filled")] == [
        ("worker", sorted([OTHER, OWN]))
    ]
    assert [(entry["node"], entry["answer"]) for entry in actions(first, "answer_filled")] == [(THIRD, "yes")]
    assert ours not in json.dumps(kit.audit(third.engine)) + json.dumps(kit.audit(first.engine))


def test_an_entry_in_eura_is_a_filled_form_too_and_a_client_has_none(land: Land) -> None:
    first, second, third = three(land)
    come(first, record=RECORD | {"eura_on": "2016-03-04", "eura_by": "self"})
    come(second, standing="client", record={"gender": "f"})
    ours = come(third)
    ask(third, ours)
    land.work()
    assert heard(third, ours) == {OTHER: ("yes", "2016-03-04"), OWN: ("no", None)}


def test_of_somebody_protected_or_restricted_no_node_says_that_they_are_there(land: Land) -> None:
    first, second, third = three(land)
    set_record(first, come(first), SIGNED | {"protected_address": "yes"})
    held = come(second, record=SIGNED)
    rights.restrict_person(second.journal, KEY, held, "contested", lift=False, by="worker", now=second.now)
    ours = come(third)
    ask(third, ours)
    land.work()
    assert heard(third, ours) == {OTHER: ("no", None), OWN: ("no", None)}
    assert bytes.fromhex(held) not in [row["subject"] for row in kit.rows(second.engine, post_out)]


def test_nobody_is_asked_about_somebody_protected_unknown_or_restricted_or_without_a_tag(land: Land) -> None:
    _, _, third = all_confirm(land)
    ours = come(third)
    with pytest.raises(InvalidInput, match="tag key has not come"):
        ask(third, ours)
    land.places[STEWARD].renew()
    land.work()
    with pytest.raises(UnknownPerson):
        ask(third, "ab" * 16)
    with pytest.raises(InvalidInput, match="subject"):
        ask(third, come(third, "nameless", identity=IDENTITY | {"birth_date": None, "identity_code": None}))
    set_record(third, protected := come(third, "protected"), {"protected_address": "yes"})
    with pytest.raises(InvalidInput, match="protected"):
        ask(third, protected)
    assert filled.show(third.engine, third.desk, KEY, protected)["why_not"] == "protected"
    rights.restrict_person(third.journal, KEY, ours, "contested", lift=False, by="worker", now=third.now)
    with pytest.raises(ProcessingRestricted):
        ask(third, ours)
    assert kit.rows(third.engine, table) == []


def test_where_the_file_has_no_tag_nobody_asks_and_nobody_answers(land: Land) -> None:
    first, _, third = three(land)
    ours = come(third)
    kit.put_programme(first.engine, store.shelf)  # as programme 3 has none
    ask(third, ours)
    land.work()
    assert heard(third, ours)[OTHER] == (None, None)
    assert [entry["reason"] for entry in actions(first, "refuse_letter")] == ["no_tag"]
    with pytest.raises(InvalidInput, match="counted once"):
        ask(first, come(first))
    assert filled.show(first.engine, first.desk, KEY, come(first))["why_not"] == "no_tag"


def test_while_the_tag_key_changes_the_newest_that_both_have_is_compared(land: Land) -> None:
    first, second, third = three(land)
    come(first, record=SIGNED)
    come(second, record=SIGNED)
    ours = come(third)
    with transaction(second.engine) as connection:
        store.drop_tag_key(connection, KEY, FIRST)
    first.renew()
    third.post.round(KEY, land.now)
    ask(third, ours)  # under the first key alone; the second node has none of it, as if it were ahead of everybody
    land.work()
    assert heard(third, ours) == {OTHER: ("yes", "2016-03-01"), OWN: ("cannot_say", None)}


def test_a_question_that_waits_is_not_sent_twice_and_one_that_was_lost_is(land: Land) -> None:
    first, _, third = three(land)
    ours = come(third)
    ask(third, ours)
    assert ask(third, ours) == []
    third.now += timedelta(days=2)
    assert ask(third, ours) == [], "it lies here yet"
    assert len(kit.rows(third.engine, post_out)) == 2
    with transaction(third.engine) as connection:  # taken, and the other restored from before
        connection.execute(post_out.delete())
    land.now = third.now
    assert ask(third, ours) == sorted([OTHER, OWN])
    land.work()
    assert heard(third, ours)[OTHER] == ("no", None)
    come(first, record=SIGNED)
    assert ask(third, ours) == sorted([OTHER, OWN]), "who has answered may be asked again"
    land.work()
    assert heard(third, ours)[OTHER] == ("yes", "2016-03-01")


def test_a_node_that_answers_nothing_is_asked_no_more_than_its_letters_allow(
    land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, third = three(land)
    monkeypatch.setattr(filled, "MOST_WAITING", 1)
    ask(third, come(third))
    other = come(third, "other")
    assert ask(third, other) == []
    assert filled.show(third.engine, third.desk, KEY, other)["not_asked"] == sorted({OTHER, OWN})
    with transaction(third.engine) as connection:  # taken, and lost by a restore: nothing waits there any more
        connection.execute(post_out.delete())
    assert ask(third, other) == sorted([OTHER, OWN])


def test_a_node_that_asks_much_at_once_is_answered_in_several_rounds(
    land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "MOST_QUESTIONS", 2)
    first, _, third = three(land)
    for number in range(3):
        ask(third, come(third, f"n{number}"))
    land.work(rounds=2)
    assert len(actions(first, "answer_filled")) == 2
    land.work(rounds=1)
    assert len(actions(first, "answer_filled")) == 3


def test_erasing_takes_back_question_and_answer(land: Land) -> None:
    first, _, third = three(land)
    theirs, ours = come(first, record=SIGNED), come(third)
    ask(third, ours)
    erase(third, ours)
    assert (kit.rows(third.engine, table), kit.rows(third.engine, post_out)) == ([], [])
    ours = come(third, "again")
    ask(third, ours)
    answered_by(land, first, asked_by=third)
    erase(first, theirs)
    land.work()
    assert heard(third, ours)[OTHER] == (None, None)


def answered_by(land: Land, place: Place, *, asked_by: Place) -> None:
    """Its answer is written, and has not left."""
    for end in (asked_by, place):
        end.post.round(KEY, land.now)
        with snapshot(end.engine) as connection:
            land.lead.round(KEY, {node.node: node.signing("9") for node in members(connection)}, land.now)
    place.post.round(KEY, land.now)
    letters.take_letters(place.journal, place.desk, KEYS, land.now)
    assert len(kit.rows(place.engine, post_out)) == 1, "its answer waits"


def protect(place: Place, subject: str) -> None:
    who, common = (place.journal, KEYS, KEY, subject), {"desk": place.desk, "by": "worker", "now": place.now}
    rights.correct_person(*who, {}, {"protected_address": "yes"}, **common)


def test_whose_address_becomes_protected_is_asked_about_and_told_of_no_more(land: Land) -> None:
    first, second, third = three(land)
    theirs, ours = come(first, record=SIGNED), come(third)
    ask(third, ours)
    protect(third, ours)
    assert (kit.rows(third.engine, table), kit.rows(third.engine, post_out)) == ([], [])
    land.work()
    assert [actions(place, "answer_filled") for place in (first, second)] == [[], []]
    ask(third, ours := come(third, "again"))
    answered_by(land, first, asked_by=third)
    protect(first, theirs)
    land.work()
    assert heard(third, ours) == {OTHER: (None, None), OWN: ("no", None)}
    third.now += timedelta(days=1)
    land.now = third.now
    assert ask(third, ours) == sorted([OTHER, OWN])
    land.work()
    assert heard(third, ours)[OTHER] == ("no", None)


def test_a_referral_that_has_not_left_is_taken_back_when_the_address_becomes_protected(land: Land) -> None:
    first, _, third = three(land)
    subject = come(first)
    number = send(first, subject)
    protect(first, subject)
    (row,) = kit.rows(first.engine, referral_store.referral)
    assert (row["referral"].hex(), row["state"]) == (number, "withdrawn")
    assert [letter["subject"] for letter in kit.rows(first.engine, post_out)] == [None]
    land.work()
    (came,) = kit.rows(third.engine, referral_store.referral)
    assert (came["state"], came["box"]) == ("withdrawn", None)
    send(first, subject, key="anew")
    land.work()
    (shown,) = referral_listing.listed(at(third), 10, 0, by="x", now=third.now)[1]
    assert (shown.coded["state"], shown.coded["protected"]) == ("received", True)


def members(connection: Any) -> Any:
    return directory.members(connection, KEY)


def test_an_answer_that_nobody_asked_for_changes_nothing(land: Land) -> None:
    first, _, third = three(land)
    ours = come(third)
    with transaction(third.engine) as connection:
        for question, node in (("ab", (LEADERS, OWN)), ("ef", (STEWARD, OTHER))):
            filled_store.put_question(connection, question * 16, KEY, ours, [node], asked_on=date(2016, 11, 22))
    bodies = [
        {"kind": filled.ANSWER, "question": "ab" * 16, "answer": "yes", "signed_on": "2016-03-01"},  # another's
        {"kind": filled.ANSWER, "question": "cd" * 16, "answer": "no"},
        {"kind": filled.ANSWER, "question": "ab" * 16, "answer": "perhaps"},
        {"kind": filled.ANSWER, "question": "ef" * 16, "answer": "yes"},  # on no day
        {"kind": filled.QUESTION, "question": "ab" * 16, "tags": []},
        {"kind": filled.QUESTION, "question": "ab" * 16, "tags": [{"key_no": 1, "tag": "A" * 64}]},
        {"kind": filled.QUESTION, "question": "ab" * 16, "tags": [{"key_no": 1, "tag": "a" * 64}] * 21},
    ]
    with first.journal.unit(first.now) as unit:
        (to,) = [node for node in members(unit.connection) if node.node == THIRD]
        for body in bodies:
            peers.write(unit, first.desk, KEY, to, json.dumps(body).encode())
    land.work()
    assert sorted(entry["reason"] for entry in actions(third, "refuse_letter")) == [
        *["malformed"] * 5,
        *["unknown_question"] * 2,
    ]
    assert heard(third, ours) == {OWN: (None, None), OTHER: (None, None)}
    assert [row["letter"] for row in kit.rows(third.engine, post_in)] == [None] * 8


def test_what_was_answered_about_a_wrong_birth_date_is_forgotten_when_it_is_corrected(land: Land) -> None:
    first, second, third = three(land)
    come(first, record=SIGNED)
    ours = come(third)
    ask(third, ours)
    land.work()
    with transaction(third.engine) as connection:  # of the other partner a referral has told
        told = update(table).where(table.c.node == second.name)
        connection.execute(told.values(asked_on=None, answer="yes", signed_on=date(2016, 3, 1)))
    who, common = (third.journal, KEYS, KEY, ours), {"desk": third.desk, "by": "worker", "now": third.now}
    rights.correct_person(*who, {"form_kept": "elsewhere"}, {}, **common)
    assert heard(third, ours)[OTHER] == ("yes", "2016-03-01")
    rights.correct_person(*who, {"birth_date": "1981-02-04", "identity_code": None}, {}, **common)
    assert heard(third, ours) == {OWN: ("yes", "2016-03-01")}


def test_a_referral_has_told_that_the_form_is_filled_where_the_person_agreed(land: Land) -> None:
    first, _, third = three(land)
    send(first, come(first, record=SIGNED), agreed=("name", "birth_date", "start_record"))
    send(first, come(first, "second", record=SIGNED), key="sent second", agreed=("name", "birth_date"))
    land.work()
    taken = {accept(third, row["referral"].hex()) for row in kit.rows(third.engine, referral_store.referral)}
    told = sorted(str(heard(third, subject)) for subject in taken)
    assert told == ["{'third': ('yes', '2016-03-01')}".replace("third", OTHER), "{}"]


def test_a_closed_programme_asks_nothing_and_a_sealed_one_says_nothing(land: Land) -> None:
    first, _, third = three(land)
    come(first, record=SIGNED)
    ours = come(third)
    for place, state in ((first, closing.SEALED), (third, closing.CLOSED)):
        if place is third:
            ask(third, ours)
        with transaction(place.engine) as connection:
            this = journal_head.c.name == f"{place.name}/{KEY}"
            connection.execute(update(journal_head).where(this).values(closed=state))
    land.work()
    assert heard(third, ours)[OTHER] == ("cannot_say", None)
    with pytest.raises(ProgrammeIsClosed):
        ask(third, ours)


def test_a_held_home_asks_nobody(land: Land) -> None:
    _, _, third = three(land)
    ours = come(third)
    with transaction(third.engine) as connection:
        connection.execute(journal_hold.insert(), {"one": 1, "since": "2016-11-22T09:15:02.123456Z"})
    with pytest.raises(HomeHeld):
        ask(third, ours)


def test_ending_the_purpose_of_the_record_clears_what_was_answered(land: Land) -> None:
    _, _, third = three(land)
    ours = come(third)
    ask(third, ours)
    with transaction(third.engine) as connection:
        assert rights_store.clear_own(connection, bytes.fromhex(ours), "esf_record") == 2
    assert kit.rows(third.engine, table) == []
