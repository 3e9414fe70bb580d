"""Recording assessments: state, lines and audit log together, on both databases."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from services.measurement import rounds, store
from shared.contracts.catalogue import ProgrammeLoaded, SessionHeld, StandingReached
from shared.contracts.errors import UnknownProgramme
from shared.journal import Journal, audit
from shared.journal.follow import Follower
from shared.storage import snapshot, transaction
from tests.services import kit
from tests.services.measurement.kit import DAY, OTHER_SUBJECT, SESSION, SUBJECT, THREE, form, known, record

STATE = (store.assessment, store.score, store.definition, store.keys)
LOCAL, SHIPPED = f"{kit.NODE}/local", f"{kit.NODE}/{kit.KEY}"


def state(engine: Engine) -> list[Any]:
    return [kit.heads(engine), *(kit.rows(engine, table) for table in STATE)]


def stored(engine: Engine) -> dict[str, str | None]:
    return {row["scale"]: row["score"] for row in kit.rows(engine, store.score)}


def test_answers_stay_and_each_score_goes_to_the_lead_with_its_definition(engine: Engine) -> None:
    (result,), pos = record(known(engine), form(session=SESSION, answers={"work_ability": 6, "functioning": 0}))
    answered, *scored = kit.lines(engine)
    assert (pos, result["new"]) == (4, True)
    pinned = {"assessment": result["assessment"], "instrument": "three_items", "version": "1"}
    pinned |= {"definition": THREE.digest, "occasion": "baseline", "occurred_on": "2016-03-01"}
    assert (answered.stream, answered.kind, answered.subject) == (LOCAL, "measurement.answers_recorded", SUBJECT)
    answers = {"functioning": 0, "work_ability": 6}
    assert answered.body == pinned | {"programme": kit.KEY, "session": SESSION, "answers": answers}
    assert {(line.stream, line.kind, line.subject) for line in scored} == {
        (SHIPPED, "measurement.score_computed", SUBJECT)
    }
    assert [line.body for line in scored] == [
        pinned | {"scale": "work_ability", "score": "6"},
        pinned | {"scale": "functioning", "score": "0"},
        pinned | {"scale": "life_satisfaction"},  # not answered is not 0
    ]
    assert stored(engine) == {"work_ability": "6", "functioning": "0", "life_satisfaction": None}
    (row,) = kit.rows(engine, store.assessment)
    assert (row["assessment"].hex(), row["subject"].hex(), row["session"].hex(), row["occurred_on"]) == (
        *(result["assessment"], SUBJECT, SESSION, DAY),
    )
    assert kit.rows(engine, store.definition) == [{"definition": THREE.digest, "text": THREE.text}]


def test_of_a_form_that_names_nobody_the_lead_gets_only_that_it_is(engine: Engine) -> None:
    (result,), _ = record(known(engine), form(subject=None))
    answered, counted = kit.lines(engine)
    assert (answered.stream, answered.kind, answered.subject) == (
        *(LOCAL, "measurement.anonymous_answers_recorded", None),
    )
    assert answered.body["answers"] == {"functioning": 0, "life_satisfaction": 10, "work_ability": 6}
    assert (counted.stream, counted.kind, counted.subject) == (SHIPPED, "measurement.anonymous_sheet_recorded", None)
    assert counted.body == {
        **{"assessment": result["assessment"], "instrument": "three_items", "version": "1"},
        **{"occasion": "baseline", "occurred_on": "2016-03-01"},
    }
    assert stored(engine)["work_ability"] == "6"


def test_a_correction_is_the_same_assessment_and_the_last_one_holds(engine: Engine) -> None:
    journal = known(engine)
    (first,), _ = record(journal, form())
    made = first["assessment"]
    changes: dict[str, Any] = {"corrects": made, "occasion": "interim"}
    results, _ = record(
        journal,
        form("c1", answers={"work_ability": 1}, **changes),
        form("c2", answers={"functioning": 4}, **changes),
    )
    assert [r["assessment"] for r in results] == [made, made]
    assert {line.body["assessment"] for line in kit.lines(engine)} == {made}
    assert len(kit.lines(engine)) == 12
    assert stored(engine) == {"work_ability": None, "functioning": "4", "life_satisfaction": None}
    (row,) = kit.rows(engine, store.assessment)
    assert (row["occasion"], row["answers"]) == ("interim", '{"functioning":4}')


def test_of_two_who_correct_the_same_form_the_second_is_told_and_the_same_again_is_known(engine: Engine) -> None:
    journal = known(engine)
    (first,), _ = record(journal, form())
    (seen,) = rounds.show_forms(journal, kit.KEY, SUBJECT, by="anna", now=kit.NOW)["forms"]
    one, two = (form(name, corrects=first["assessment"], answers={"work_ability": n}) for n, name in enumerate("12"))
    for sent, new in ((one, True), (one, False)):
        assert record(journal, sent, revisions={sent.key: seen["revision"]})[0][0]["new"] is new
    ((refused,), _) = record(journal, two, revisions={two.key: seen["revision"]})
    assert refused["error"] == {"code": "changed_meanwhile", "params": {"field": "revision"}}
    assert stored(engine)["work_ability"] == "0"


def test_a_correction_that_says_nothing_of_the_session_leaves_it_on_its_day(engine: Engine) -> None:
    journal = known(engine)
    (first,), _ = record(journal, form(session=SESSION))
    record(journal, form("c1", corrects=first["assessment"], answers={"work_ability": 1}))
    assert kit.rows(engine, store.assessment)[0]["session"].hex() == SESSION
    (told,) = [line for line in kit.lines(engine)[4:] if "answers" in line.body]
    assert told.body["session"] == SESSION
    record(journal, form("c2", corrects=first["assessment"], occurred_on=date(2016, 3, 2)))
    assert kit.rows(engine, store.assessment)[0]["session"] is None


def test_nobody_elses_assessment_can_be_corrected(engine: Engine) -> None:
    journal = known(engine)
    (first,), _ = record(journal, form())
    before = state(engine)
    results, _ = record(
        journal,
        form("c1", corrects="0f" * 16),
        form("c2", corrects=first["assessment"], subject=None),
        skip_bad=True,
    )
    assert [r["error"]["code"] for r in results] == ["unknown_assessment", "invalid_input"]
    assert state(engine) == before


def test_the_same_again_answers_alike_and_adds_nothing(engine: Engine) -> None:
    journal = known(engine)
    first, _ = record(journal, form(), form("g", subject=None))
    before = state(engine)
    again, pos = record(journal, form(), form("g", subject=None))
    assert (again, pos) == ([{**result, "new": False} for result in first], None)
    assert state(engine) == before
    (result,), _ = record(journal, form(answers={"work_ability": 5}))
    assert result["error"] == {"code": "already_recorded_differs", "params": {"field": "sheet"}}
    assert state(engine) == before


def test_the_first_refused_form_stops_and_with_skip_bad_the_others_are_taken(engine: Engine) -> None:
    journal = known(engine)
    bad = form("b", instrument="four_items")
    results, _ = record(journal, form(), bad, form("g"))
    assert ["error" in r for r in results] == [False, True]
    assert results[1]["error"]["code"] == "unknown_instrument"
    results, _ = record(journal, bad, form("g"), skip_bad=True)
    assert ["error" in r for r in results] == [True, False]
    assert len(kit.rows(engine, store.assessment)) == 2


def test_an_unknown_programme_is_refused_as_a_whole(engine: Engine) -> None:
    with pytest.raises(UnknownProgramme):
        record(known(engine), form(), programme="kuu")


def test_who_recorded_stands_in_the_audit_log_with_the_lines(engine: Engine) -> None:
    record(known(engine), form())
    entry = {"by": "worker", "action": "record_assessments", "programme": kit.KEY, "assessments": 1}
    assert kit.audit(engine) == [{**entry, "first": 1, "last": 4}]
    with snapshot(engine) as connection:
        assert audit.verify(connection) is None


def test_500_forms_are_one_unit_of_work(engine: Engine) -> None:
    results, pos = record(known(engine), *(form(f"f{n}", answers={"work_ability": n % 11}) for n in range(500)))
    assert (len(results), pos) == (500, 2000)
    assert len(kit.rows(engine, store.score)) == 1500


def follower(engine: Engine) -> Follower:
    """Measurement hearing what the others say, as `service.py` wires it."""

    def programme(line: Any) -> str:
        return str(line.stream.partition("/")[2])

    handlers = {
        (ProgrammeLoaded.kind, 1): lambda unit, _line, fact: store.shelf.put(unit.connection, fact),
        (StandingReached.kind, 1): lambda unit, line, fact: store.put_person(
            unit.connection,
            fact.subject,
            programme(line),
            date.fromisoformat(fact["occurred_on"]) if fact["occurred_on"] else None,
        ),
        (SessionHeld.kind, 1): lambda unit, line, fact: store.put_session(
            unit.connection, fact["session"], programme(line), date.fromisoformat(fact["occurred_on"])
        ),
    }
    return Follower(Journal(engine, kit.NODE), "measurement", handlers)


def test_people_and_sessions_are_known_once_their_facts_are_heard(engine: Engine) -> None:
    journal, held = known(engine), "0c" * 16
    with journal.unit(kit.NOW) as unit:
        unit.record(StandingReached(OTHER_SUBJECT, standing="client"), kit.KEY)
        unit.record(SessionHeld(None, session=held, activity="kaapeli", occurred_on="2016-03-01"), kit.KEY)
    new = form(subject=OTHER_SUBJECT, session=held)
    (result,), _ = record(journal, new)
    assert result["error"]["code"] == "unknown_person"
    follower(engine).follow_to(unit.pos or 0, lambda: kit.NOW)
    (result,), _ = record(journal, new)
    assert result["new"]


def test_of_several_standings_the_earliest_day_is_a_persons_first(engine: Engine) -> None:
    journal = known(engine)
    with journal.unit(kit.NOW) as unit:
        for day in ("2016-04-01", None, "2016-01-15", "2016-05-01"):
            unit.record(StandingReached(OTHER_SUBJECT, standing="client", occurred_on=day), kit.KEY)
    follower(engine).follow_to(unit.pos or 0, lambda: kit.NOW)
    found = {row["subject"].hex(): row["since"] for row in kit.rows(engine, store.person)}
    assert found[OTHER_SUBJECT] == date(2016, 1, 15)


def test_of_an_erased_person_no_form_score_or_key_is_left_and_others_keep_theirs(engine: Engine) -> None:
    journal = known(engine)
    record(journal, form("gone"), form("kept", subject=None))
    with transaction(engine) as connection:
        store.forget_person(connection, SUBJECT)
    (kept,) = kit.rows(engine, store.assessment)
    assert kept["subject"] is None
    assert {row["assessment"] for row in kit.rows(engine, store.score)} == {kept["assessment"]}
    assert [row["made"] for row in kit.rows(engine, store.keys)] == [kept["assessment"]]
    assert SUBJECT not in {row["subject"].hex() for row in kit.rows(engine, store.person)}
