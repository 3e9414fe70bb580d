"""Encounters: heads without a name, corrected and removed by later facts; nicknames lead to visitors."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine

from services.intake import doors, encounter_queries, encounters, operations, purposes, rights, store, texts
from services.intake.encounter_rules import Encounter, NewEncounter
from services.intake.operations import Vault
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    ChangedMeanwhile,
    InvalidInput,
    NotFound,
    Overtaken,
    PolkuError,
    UnknownCode,
)
from shared.journal import Journal
from shared.testing.wait import until
from tests.services.intake.kit import IDENTITY, KEYS, arrival, known, register
from tests.services.kit import KEY, NODE, NOW, audit, changed, key_of, kinds, lines, put_programme, rows, stored_bytes
from tests.storage.test_overtaken import waiting

DAY = date(2016, 3, 1)
GUIDED = changed(services=[{"key": "debt_advice", "name": {"fi": "Velkaneuvonta"}}])
EVERYTHING = Encounter(
    DAY, "19:30", "sampola_meeting_place", "sampola", 2, 3, 5, 4, ("fi", "ar"), ("finances", "health"), ("debt_advice",)
)


@pytest.fixture
def journal(engine: Engine) -> Journal:
    put_programme(engine, store.shelf, GUIDED)
    return Journal(engine, NODE)


def met(name: str = "e", content: Encounter = EVERYTHING, *tokens: str) -> NewEncounter:
    return NewEncounter(key_of(name), content, tokens)


def record(journal: Journal, *items: NewEncounter, **options: Any) -> tuple[list[dict[str, Any]], int | None]:
    given: dict[str, Any] = {"by": "worker", "now": NOW, "keys": KEYS} | options
    return encounters.record_encounters(journal, given.pop("keys"), KEY, items, **given)


def correct(journal: Journal, encounter: str, content: Encounter, tokens: Any = None, revision: int = 0) -> Any:
    return encounters.correct_encounter(
        journal, KEYS, KEY, encounter, content, tokens, revision=revision, by="worker", now=NOW
    )


def remove(journal: Journal, encounter: str, revision: int = 0) -> Any:
    return encounters.remove_encounter(journal, KEY, encounter, revision=revision, by="worker", now=NOW)


def test_an_encounter_is_one_line_of_the_programme_without_a_subject(journal: Journal) -> None:
    (result,), pos = record(journal, met())
    (line,) = lines(journal.engine)
    assert (line.stream, line.kind, line.subject) == (f"{NODE}/{KEY}", "intake.encounter_recorded", None)
    assert line.body == {
        **{"encounter": result["encounter"], "occurred_on": "2016-03-01", "start": "19:30", "staff": 2},
        **{"location": "sampola_meeting_place", "area": "sampola", "people_new": 3, "people_known": 5, "women": 4},
        **{"languages": ["fi", "ar"], "topics": ["finances", "health"], "guided_to": ["debt_advice"]},
    }
    assert (result["new"], pos) == (True, 1)
    assert audit(journal.engine)[0]["action"] == "record_encounters"


def test_what_nobody_wrote_down_is_left_out_and_0_is_a_count(journal: Journal) -> None:
    record(journal, met(content=Encounter(DAY, people_new=0)))
    assert set(lines(journal.engine)[0].body) == {"encounter", "occurred_on", "people_new"}


def test_each_nickname_is_a_line_of_its_visitor_and_stays_on_the_node(journal: Journal) -> None:
    (result,), _ = record(journal, met("e", EVERYTHING, "Nalle", "sinikettu 7"))
    found = lines(journal.engine)
    visits = [line for line in found if line.kind == "intake.visitor_met"]
    reached = [line for line in found if line.kind == "intake.standing_reached"]
    assert len(visits) == 2
    assert {line.stream for line in visits} == {f"{NODE}/local"}
    assert {line.body["encounter"] for line in visits} == {result["encounter"]}
    assert {line.subject for line in visits} == {line.subject for line in reached}
    assert {line.body["standing"] for line in reached} == {"visitor"}
    assert "intake.participation_started" not in kinds(journal.engine)
    for name in ("Nalle", "sinikettu"):
        assert name.encode() not in stored_bytes(journal.engine)


ALONE = Encounter(
    DAY, people_new=1, people_known=0, languages=("so",), topics=("finances",), guided_to=("debt_advice",)
)


def told(journal: Journal) -> list[Any]:
    return [line.body.get("topics") for line in lines(journal.engine) if line.kind == "intake.encounter_recorded"]


def test_what_was_talked_about_with_a_visitor_who_begins_and_nobody_else_stays_on_the_node(journal: Journal) -> None:
    (result,), _ = record(journal, met("1", ALONE, "Nalle"))
    record(journal, met("2", ALONE, "Nalle"), met("3", ALONE), met("4", replace(ALONE, people_known=2), "Pekka"))
    assert told(journal) == [None, ["finances"], ["finances"], ["finances"]]
    shown = encounter_queries.list_encounters(journal.engine, KEY, 10, 0, result["encounter"])["encounters"]
    assert shown[0]["topics"] == ["finances"]
    # Nor does a correction tell it, whatever it says of the heads.
    correct(journal, result["encounter"], replace(ALONE, people_known=9))
    assert told(journal)[-1] is None
    assert [line.body for line in lines(journal.engine)][-1].get("languages") is None, "nor whose language it is"


def test_a_nickname_told_again_is_the_same_visitor_in_any_case_and_under_a_newer_index_key(journal: Journal) -> None:
    record(journal, met("1", EVERYTHING, "Nalle"))
    record(journal, met("2", EVERYTHING, "  nALLE "))
    newer = Vault(KEYS.vault, b"j" * 32, [KEYS.index])
    record(journal, met("3", EVERYTHING, "NALLE"), keys=newer)
    assert len(rows(journal.engine, store.participation)) == 1
    assert kinds(journal.engine).count("intake.visitor_met") == 3
    record(journal, met("1", EVERYTHING, "Nalle"), keys=newer)  # the same row again, recognised by the older key
    assert kinds(journal.engine).count("intake.visitor_met") == 3


def test_a_nickname_of_somebody_registered_is_that_person(journal: Journal) -> None:
    (someone,), _ = register(journal, arrival(standing="client", identity=IDENTITY | {"token": "sinikettu7;Kettu"}))
    record(journal, met("e", EVERYTHING, "kettu"))
    assert [line.subject for line in lines(journal.engine) if line.kind == "intake.visitor_met"] == [someone["subject"]]
    assert len(rows(journal.engine, store.participation)) == 1


def test_a_nickname_of_several_people_is_refused_without_naming_it(journal: Journal) -> None:
    register(journal, arrival("a", "client"), arrival("b", "client"))
    (result,), pos = record(journal, met("e", EVERYTHING, "sinikettu7"))
    assert "several people" in str(PolkuError.from_wire(result["error"]))
    assert "sinikettu" not in json.dumps(result)
    assert pos is None


def test_two_nicknames_of_one_person_are_one_visit(journal: Journal) -> None:
    register(journal, arrival(standing="client", identity=IDENTITY | {"token": "a1;b2"}))
    record(journal, met("e", EVERYTHING, "a1", "b2"))
    assert kinds(journal.engine).count("intake.visitor_met") == 1


def test_the_same_row_again_adds_nothing_and_other_content_is_refused(journal: Journal) -> None:
    record(journal, met("e", EVERYTHING, "Nalle"))
    before = len(lines(journal.engine))
    (again,), _ = record(journal, met("e", EVERYTHING, "Nalle"))
    assert again["new"] is False
    for other in (met("e", EVERYTHING, "Pekka"), met("e", Encounter(DAY, people_new=2), "Nalle")):
        (result,), _ = record(journal, other)
        assert isinstance(PolkuError.from_wire(result["error"]), AlreadyRecordedDiffers)
    assert len(lines(journal.engine)) == before


WRONG = {
    "location": Encounter(DAY, location="street"),
    "area": Encounter(DAY, area="moon"),
    "topics": Encounter(DAY, topics=("luck",)),
    "guided_to": Encounter(DAY, guided_to=("moon",)),
    "date": Encounter(date(2016, 11, 23)),
    "women": Encounter(DAY, people_new=1, people_known=1, women=3),
}


@pytest.mark.parametrize("field", WRONG)
def test_what_contradicts_the_programme_or_itself_is_refused_by_name(journal: Journal, field: str) -> None:
    results, pos = record(journal, met("1", WRONG[field], "Nalle"), met("2"))
    error = PolkuError.from_wire(results[0]["error"])
    assert isinstance(error, InvalidInput | UnknownCode)
    assert error.params["field"] == field
    assert (len(results), pos, rows(journal.engine, store.participation)) == (1, None, [])
    assert [r.get("new") for r in record(journal, met("1", WRONG[field]), met("2"), skip_bad=True)[0]] == [None, True]


def test_where_only_one_count_was_written_down_there_may_have_been_more_women(journal: Journal) -> None:
    (result,), _ = record(journal, met(content=Encounter(DAY, people_new=1, women=3)))
    assert result["new"]
    (result,), _ = record(journal, met("2", Encounter(DAY, women=3)))
    assert PolkuError.from_wire(result["error"]).params["field"] == "women"


def test_a_correction_is_a_later_fact_of_the_same_encounter_with_its_visitors(journal: Journal) -> None:
    (result,), _ = record(journal, met("e", EVERYTHING, "Nalle", "Pekka"))
    before, other = len(lines(journal.engine)), Encounter(date(2016, 3, 2), people_new=1)
    revision, _, _ = correct(journal, result["encounter"], other, ["Pekka", "Uusi"])
    later = lines(journal.engine)[before:]
    assert revision == 1
    assert sorted(line.kind for line in later) == sorted(
        ["intake.standing_reached", "intake.encounter_recorded", "intake.visit_removed", *["intake.visitor_met"] * 2]
    )
    assert {line.body["occurred_on"] for line in later if line.kind == "intake.visitor_met"} == {"2016-03-02"}
    told = next(line for line in later if line.kind == "intake.encounter_recorded")
    assert told.body == {"encounter": result["encounter"], "occurred_on": "2016-03-02", "people_new": 1}
    shown = encounter_queries.list_encounters(journal.engine, KEY, 10, 0)["encounters"]
    assert [(row["date"], row["people_new"], row["visitors"]) for row in shown] == [("2016-03-02", 1, 2)]
    assert correct(journal, result["encounter"], other, None, revision=0) == (1, [], None)  # sent twice: nothing more


def test_nobody_new_is_added_to_an_encounter_of_which_it_was_told_what_it_was_about_with_one_head(
    journal: Journal,
) -> None:
    (result,), _ = record(journal, met("e", Encounter(DAY, people_new=1, topics=("finances",))))
    before = len(lines(journal.engine))
    with pytest.raises(InvalidInput, match="somebody new"):
        correct(journal, result["encounter"], Encounter(DAY, people_new=1, topics=("finances",)), ["Uusi"])
    assert len(lines(journal.engine)) == before


def test_of_two_who_change_one_encounter_the_second_is_told(journal: Journal) -> None:
    (result,), _ = record(journal, met())
    correct(journal, result["encounter"], Encounter(DAY, people_new=1))
    for late in (
        lambda: correct(journal, result["encounter"], Encounter(DAY)),
        lambda: remove(journal, result["encounter"]),
    ):
        with pytest.raises(ChangedMeanwhile):
            late()
    with pytest.raises(NotFound):
        correct(journal, "0" * 32, Encounter(DAY))


def test_a_removed_encounter_takes_its_visits_along_and_an_import_does_not_bring_it_back(journal: Journal) -> None:
    (result,), _ = record(journal, met("e", EVERYTHING, "Nalle"))
    assert remove(journal, result["encounter"])[0] is True
    assert kinds(journal.engine)[-2:] == ["intake.visit_removed", "intake.encounter_removed"]
    assert [rows(journal.engine, t) for t in (store.encounter, store.visit)] == [[], []]
    assert remove(journal, result["encounter"]) == (False, [], None)
    assert record(journal, met("e", EVERYTHING, "Nalle"))[0][0]["new"] is False


def test_an_erased_visitor_leaves_the_heads_and_nothing_else(journal: Journal) -> None:
    record(journal, met("e", EVERYTHING, "Nalle"))
    subject = next(line.subject for line in lines(journal.engine) if line.kind == "intake.visitor_met")
    operations.erase_person(journal, KEY, str(subject), by="worker", now=NOW)
    assert rows(journal.engine, store.visit) == []
    assert [row["people_new"] for row in rows(journal.engine, store.encounter)] == [3]
    assert bytes.fromhex(str(subject)) not in {row["made"] for row in rows(journal.engine, store.keys)}
    record(journal, met("2", EVERYTHING, "Nalle"))  # who comes again begins anew
    again = rows(journal.engine, store.participation)
    assert [row["subject"].hex() == subject for row in again] == [False]


def test_a_nickname_is_a_visitor_of_one_programme(engine: Engine) -> None:
    journal = known(engine)
    put_programme(engine, store.shelf, changed(key="toinen"))
    record(journal, met("1", Encounter(DAY), "Nalle"))
    encounters.record_encounters(journal, KEYS, "toinen", [met("2", Encounter(DAY), "Nalle")], by="w", now=NOW)
    assert {row["programme"] for row in rows(engine, store.participation)} == {KEY, "toinen"}


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What these give when they begin at the same moment; who is overtaken begins again, as the bus does."""
    start = threading.Barrier(len(works))

    def do(work: Callable[[], Any]) -> Any:
        start.wait(20)
        for _ in range(3):
            try:
                return work()
            except Overtaken:
                continue
        raise AssertionError("overtaken three times")

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(do, works))


def test_two_workers_who_hear_one_nickname_at_the_same_moment_begin_one_visitor(journal: Journal) -> None:
    for number in range(8):
        tell = [lambda n=n, k=number: record(journal, met(f"{k}.{n}", EVERYTHING, f"Nalle {k}")) for n in range(2)]
        at_once(*tell)
    assert len(rows(journal.engine, store.participation)) == 8
    assert kinds(journal.engine).count("intake.visitor_met") == 16


def test_of_two_phones_that_tap_one_door_at_the_same_moment_one_counts(journal: Journal) -> None:
    content = Encounter(DAY, people_new=0, people_known=0)
    door, _ = doors.open_door(journal, KEY, key_of("d"), content, by="w", now=NOW)
    for revision in range(8):
        tap = partial(doors.tap_door, journal, KEY, door, revision=revision, tap="new", by="w", now=NOW)
        assert sorted(state["taken"] for state, _ in at_once(tap, tap)) == [False, True]
    assert encounter_queries.list_doors(journal.engine, KEY, door)[0]["people_new"] == 8


def test_of_a_list_only_the_encounter_with_a_restricted_visitor_is_refused(journal: Journal) -> None:
    (someone,), _ = register(journal, arrival(standing="visitor", identity={"token": "Nalle"}))
    rights.restrict_person(journal, KEY, someone["subject"], "accuracy", lift=False, by="worker", now=NOW)
    before = rows(journal.engine, store.keys)
    assert record(journal, met("0", ALONE, "NALLE"))[0][0]["error"]["code"] == "processing_restricted"
    assert rows(journal.engine, store.keys) == before, "not even who goes by the nickname is noted"
    results, _ = record(journal, met("2", ALONE, "nalle"), met("3", ALONE, "Pekka"), skip_bad=True)
    assert results[0]["error"]["code"] == "processing_restricted"
    assert results[1]["new"]


def restricted_visitor(journal: Journal) -> tuple[str, str, str]:
    """An encounter with two visitors, one of them restricted: the encounter, who is, who is not."""
    (made,), _ = record(journal, met("1", ALONE, "Nalle", "Kettu"))
    one, other = [str(line.subject) for line in lines(journal.engine) if line.kind == "intake.visitor_met"][-2:]
    rights.restrict_person(journal, KEY, one, "accuracy", lift=False, by="worker", now=NOW)
    return made["encounter"], one, other


def visits(journal: Journal) -> dict[str, date]:
    return {row["subject"].hex(): row["occurred_on"] for row in rows(journal.engine, store.visit)}


def test_the_visit_of_a_restricted_visitor_stays_as_it_is_when_the_encounter_is_corrected(journal: Journal) -> None:
    made, one, other = restricted_visitor(journal)
    revision, left, _ = correct(journal, made, replace(ALONE, occurred_on=date(2016, 3, 2)))
    assert (revision, left) == (1, [one])
    assert visits(journal) == {one: DAY, other: date(2016, 3, 2)}
    _, left, _ = correct(journal, made, replace(ALONE, staff=2), ["Kettu"], revision=1)
    assert left == [one]
    assert visits(journal) == {one: DAY, other: DAY}
    assert correct(journal, made, replace(ALONE, staff=3), revision=2)[1] == [], "nothing of theirs was asked to change"


def test_a_restricted_visitors_visit_of_a_removed_encounter_goes_when_the_restriction_is_lifted(
    journal: Journal,
) -> None:
    made, one, _ = restricted_visitor(journal)
    assert remove(journal, made)[:2] == (True, [one])
    assert (list(visits(journal)), rows(journal.engine, store.encounter)) == ([one], [])
    rights.restrict_person(journal, KEY, one, None, lift=True, by="worker", now=NOW)
    assert visits(journal) == {}
    assert kinds(journal.engine)[-1] == "intake.visit_removed"


def test_a_visit_a_text_and_a_notice_wait_for_whoever_is_erasing_the_person(postgres_engine: Engine) -> None:
    journal = known(postgres_engine)
    record(journal, met("1", Encounter(DAY, people_new=1), "Nalle"))
    (subject,) = [row["subject"].hex() for row in rows(postgres_engine, store.participation)]
    door, _ = doors.open_door(journal, KEY, key_of("d"), Encounter(DAY, people_new=0, people_known=0), by="w", now=NOW)
    note = texts.NewText(key_of("t"), subject, "x")
    tap = partial(doors.tap_visitor, journal, KEY, door, subject, there=True, by="w", now=NOW)
    keep = partial(texts.keep_texts, journal, KEYS, KEY, [note], by="w", now=NOW)
    told = purposes.NewInformed(key_of("i"), subject, 1, "fi", DAY, ())
    inform = partial(purposes.record_informed, journal, KEY, [told], by="w", now=NOW)
    for work in (keep, tap, inform):
        with ThreadPoolExecutor(1) as pool:
            with postgres_engine.begin() as erasing:  # no transaction of ours: it waits inside
                assert store.locked_participation(erasing, KEY, subject) is not None
                done = pool.submit(work)
                until(lambda: waiting(postgres_engine))
            done.result(30)
    operations.erase_person(journal, KEY, subject, by="w", now=NOW)
    assert rows(postgres_engine, store.visit) == []
    assert keep()[0]["error"]["code"] == "unknown_person"
