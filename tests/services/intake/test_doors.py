"""The door: each tap counts once on the revision shown, undo takes back what was last, tiles turn one visitor."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.intake import doors, encounter_queries, encounters, operations, store
from services.intake.encounter_rules import COUNTS, Encounter
from shared.contracts.encounters import TAPS
from shared.contracts.errors import InvalidInput, NotFound, PolkuError, UnknownPerson
from shared.journal import Journal
from shared.storage import transaction
from tests.services.intake.kit import IDENTITY, KEYS, RECORD, arrival, known, register
from tests.services.intake.test_encounters import met, record
from tests.services.kit import KEY, NOW, empty, key_of, kinds, lines, rows

DAY = date(2016, 3, 1)
BY: dict[str, Any] = {"by": "worker", "now": NOW}


def opened(journal: Journal, name: str = "d", *, women: bool = True) -> str:
    content = Encounter(DAY, people_new=0, people_known=0, women=0 if women else None)
    return doors.open_door(journal, KEY, key_of(name), content, **BY)[0]


def tap(journal: Journal, door: str, what: str, revision: int, **changes: Any) -> dict[str, Any]:
    return doors.tap_door(journal, KEY, door, revision=revision, tap=what, **BY | changes)[0]


def turn(journal: Journal, door: str, subject: str, *, there: bool) -> dict[str, Any]:
    return doors.tap_visitor(journal, KEY, door, subject, there=there, **BY)[0]


def meet(journal: Journal, door: str, token: str, *, woman: bool = False) -> dict[str, Any]:
    return doors.meet_visitor(journal, KEYS, KEY, door, token, woman=woman, **BY)[0]


def counts(state: dict[str, Any]) -> tuple[int, int, int | None]:
    return state["people_new"], state["people_known"], state["women"]


def test_a_door_is_no_encounter_before_somebody_comes_and_is_told_with_done(engine: Engine) -> None:
    journal = known(engine)
    door = opened(journal)
    assert doors.open_door(journal, KEY, key_of("d"), Encounter(DAY, people_new=0, people_known=0, women=0), **BY) == (
        *(door, False),
    )
    assert encounter_queries.list_encounters(engine, KEY, 10, 0)["total"] == 0
    tap(journal, door, "new_woman", 0)
    assert kinds(engine) == []
    tap(journal, door, "done", 1)
    (line,) = lines(engine)
    assert line.body == {
        **{"encounter": door, "occurred_on": "2016-03-01", "people_new": 1, "people_known": 0, "women": 1},
    }
    tap(journal, door, "go_on", 2)
    tap(journal, door, "done", 3)
    assert len(lines(engine)) == 1  # the same count is no second line
    assert encounter_queries.list_encounters(engine, KEY, 10, 0)["total"] == 1


def test_a_tap_that_comes_twice_late_or_from_a_second_phone_counts_once(engine: Engine) -> None:
    journal = known(engine)
    door = opened(journal)
    assert tap(journal, door, "new", 0)["taken"]
    again = tap(journal, door, "new", 0)
    assert (again["taken"], counts(again)) == (False, (1, 0, 0))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(taps=st.lists(st.sampled_from([*TAPS, "late"]), max_size=25))
def test_any_run_of_taps_counts_what_a_list_would_hold(sqlite_engine: Engine, taps: list[str]) -> None:
    if not rows(sqlite_engine, store.shelf.table):
        known(sqlite_engine)
    empty(sqlite_engine, store.encounter, store.keys)
    journal, held = Journal(sqlite_engine, "pori-0a1b2c3d"), list[str]()
    door, revision, state = opened(journal), 0, {"people_new": 0, "people_known": 0, "women": 0}
    for what in taps:
        if what == "late":
            assert not tap(journal, door, "new", revision + 1)["taken"]
            continue
        state = tap(journal, door, what, revision)
        assert state["taken"] == (what != "undo" or bool(held))
        revision += state["taken"]
        if what in COUNTS:
            held.append(what)
        elif what == "undo" and held:
            held.pop()
        new = sum(each.startswith("new") for each in held)
        women = sum(each.endswith("woman") for each in held)
        assert counts(state) == (new, len(held) - new, women)
        assert (state["can_undo"], state["revision"]) == (bool(held), revision)


def test_women_are_refused_where_they_are_not_counted_apart(engine: Engine) -> None:
    journal = known(engine)
    door = opened(journal, women=False)
    with pytest.raises(InvalidInput, match="women"):
        tap(journal, door, "new_woman", 0)
    assert counts(tap(journal, door, "known", 0)) == (0, 1, None)


def test_a_forgotten_door_is_told_by_the_timer_and_each_count_once(engine: Engine) -> None:
    journal = known(engine)
    door = opened(journal)
    tap(journal, door, "new", 0)
    assert doors.tell_doors(journal, NOW + timedelta(minutes=4)) is None
    assert doors.tell_doors(journal, NOW + timedelta(minutes=6)) == 1
    assert doors.tell_doors(journal, NOW + timedelta(minutes=20)) is None


def test_a_tile_records_the_visitor_counts_them_as_known_and_a_second_tap_undoes_it(engine: Engine) -> None:
    journal = known(engine)
    (her,), _ = register(journal, arrival(standing="client", record=RECORD | {"gender": "f"}))
    door, subject = opened(journal), her["subject"]
    for _ in range(2):
        assert counts(turn(journal, door, subject, there=True)) == (0, 1, 1)
    for _ in range(2):
        assert counts(turn(journal, door, subject, there=False)) == (0, 0, 0)
    assert kinds(engine)[1:] == ["intake.visitor_met", "intake.visit_removed"]
    assert rows(engine, store.visit) == []


def test_a_new_nickname_is_a_new_visitor_and_one_told_again_is_known(engine: Engine) -> None:
    journal = known(engine)
    door = opened(journal)
    state = meet(journal, door, "Nalle", woman=True)
    assert (counts(state), kinds(engine)) == ((1, 0, 1), ["intake.standing_reached", "intake.visitor_met"])
    assert meet(journal, door, "nalle")["revision"] == state["revision"]  # there already: nothing changes
    other = opened(journal, "d2")
    assert counts(meet(journal, other, "NALLE")) == (0, 1, 0)
    assert counts(turn(journal, door, state["subject"], there=False)) == (0, 0, 0)
    assert "intake.participation_started" not in kinds(engine)


def test_whoever_taps_after_the_encounter_was_written_anew_takes_no_head_away(engine: Engine) -> None:
    journal = known(engine)
    door = opened(journal)
    state = meet(journal, door, "Nalle")
    fixed = Encounter(DAY, people_new=7, people_known=1, women=0)
    encounters.correct_encounter(journal, KEYS, KEY, door, fixed, None, revision=state["revision"], **BY)
    state = turn(journal, door, state["subject"], there=False)
    assert (counts(state), state["can_undo"]) == ((7, 1, 0), False)


def test_only_a_door_is_tapped_and_only_by_people_of_the_programme(engine: Engine) -> None:
    journal = known(engine)
    (written,), _ = record(journal, met(content=Encounter(DAY)))
    with pytest.raises(InvalidInput):
        tap(journal, written["encounter"], "new", 0)
    with pytest.raises(NotFound):
        tap(journal, "0" * 32, "new", 0)
    with pytest.raises(UnknownPerson):
        turn(journal, opened(journal), "0" * 32, there=True)
    refused = pytest.raises(PolkuError)
    with refused:
        doors.open_door(journal, KEY, key_of("x"), Encounter(date(2030, 1, 1)), **BY)


def test_tiles_are_those_there_then_those_who_came_last_then_visitors_who_wait(engine: Engine) -> None:
    journal = known(engine)
    first, second = opened(journal, "1"), opened(journal, "2")
    a, b = (meet(journal, first, token)["subject"] for token in ("a", "b"))
    here = meet(journal, second, "c")["subject"]
    (waits,), _ = register(journal, arrival("w", "visitor", identity={"token": "w"}))
    register(journal, arrival("x", "client", identity=IDENTITY))  # who never came to a door has no tile
    subjects, there = encounter_queries.regulars(engine, KEY, second, 24)
    assert (subjects[0], set(subjects[1:3]), subjects[3:]) == (here, {a, b}, [waits["subject"]])
    assert there == {here}
    assert encounter_queries.regulars(engine, KEY, second, 1)[0] == [here]
    with transaction(engine) as connection:
        store.end_participation(connection, a, NOW.date(), "died")
    assert a not in encounter_queries.regulars(engine, KEY, second, 24)[0]
    operations.erase_person(journal, KEY, here, by="worker", now=NOW)
    assert here not in encounter_queries.regulars(engine, KEY, second, 24)[0]
