"""The report's `steps`: participations on them, and those that advance by sessions and products, on both databases."""

import copy
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, delete

from services.reporting import operations, rebuilding, store
from services.reporting.operations import derive_what_has_become_readable
from services.reporting.queries import report
from services.reporting.step_tables import step
from services.reporting.steps import rows_behind, step_states
from shared.contracts.catalogue import StepEntered, StepLeft, SubjectErased
from shared.contracts.facts import Fact
from shared.contracts.mistake_facts import PauseRemoved, StepRemoved
from shared.contracts.step_facts import ProductRecorded, StepPaused, StepResumed
from shared.storage import snapshot, transaction
from tests.services.kit import DOCUMENT, KEY, NOW, OTHER, OWN
from tests.services.reporting.kit import STREAMS, admit, derive_all, hex_id, lead, receive, session

MINE, THEIRS = STREAMS[OWN], STREAMS[OTHER]
STEPPED: dict[str, Any] = copy.deepcopy(DOCUMENT) | {
    "steps": [
        {"key": "outreach", "name": {"fi": "Etsivä työ"}, "level": "individual"},
        {"key": "network", "name": {"fi": "Verkosto"}, "level": "service_system", "advanced_by": ["public_event"]},
        {"key": "together", "name": {"fi": "Yhdessä"}, "level": "community"},
    ],
    "products": [{"key": "guide", "name": {"fi": "Opas"}, "step": "network"}],
}


def went(what: type[Fact], person: object, day: str, key: str = "outreach") -> Fact:
    return what(hex_id("person", person), step=key, occurred_on=day)


def product(state: str, day: str) -> Fact:
    return ProductRecorded(product="guide", state=state, occurred_on=day)


def test_steps_stand_by_everybodys_days_however_late_they_were_written_down(engine: Engine) -> None:
    lead(engine, STEPPED)
    admit(engine, OWN, OTHER)
    mine = [
        went(StepEntered, "a", "2016-05-01"),
        went(StepEntered, "a", "2016-01-01"),  # an older time, written down later
        went(StepLeft, "a", "2016-02-01"),
        went(StepEntered, "b", "2016-03-01"),
        went(StepPaused, "b", "2016-04-01"),
        went(StepEntered, "c", "2016-03-01"),
        went(StepPaused, "c", "2016-04-01"),
        went(StepResumed, "c", "2016-04-20"),
        went(StepLeft, "c", "2016-06-01"),
        went(StepEntered, "d", "2016-03-01", "network"),
    ]
    receive(engine, MINE, [session(1, "public_event", "2016-03-01", 60), *mine, product("begun", "2016-03-02")])
    receive(engine, THEIRS, [session(2, "public_event", "2016-07-01", 60), went(StepEntered, "a", "2016-01-01"),
                             product("finished", "2016-08-01")])  # fmt: skip
    derive_all(engine)
    outreach, network, together = step_states(engine, KEY)
    assert outreach["participations"] == {"entered": 4, "on": 2, "paused": 1, "left": 1}
    assert network == {
        "step": "network",
        "level": "service_system",
        "state": "done",
        "sessions": 2,
        "first": "2016-03-01",
        "last": "2016-07-01",
        "products": [{"product": "guide", "state": "finished", "on": "2016-08-01"}],
    }
    assert together["state"] is None, "nothing says by what it advances"
    made = report(engine, KEY, None, date(2016, 4, 15), NOW)
    assert made["steps"][0]["participations"] == {"entered": 4, "on": 1, "paused": 2, "left": 1}
    assert (made["steps"][1]["state"], made["steps"][1]["sessions"]) == ("going_on", 1)
    assert made["data_quality"]["refused_lines"] == 1, "nobody is on a network"
    assert rebuilding.check(engine)["equal"]


def test_a_time_that_was_a_mistake_is_in_no_figure_whether_it_came_just_now_or_long_ago(engine: Engine) -> None:
    def wrong(person: object, day: str, left: str | None = None) -> Fact:
        return StepRemoved(hex_id("person", person), step="outreach", entered_on=day, left_on=left)

    def people() -> dict[str, int]:
        derive_all(engine)
        found: dict[str, int] = step_states(engine, KEY)[0]["participations"]
        return found

    def behind() -> list[int]:
        with snapshot(engine) as connection:
            return sorted(line for _, line in rows_behind(connection, [MINE], "outreach", None))

    lead(engine, STEPPED)
    admit(engine, OWN)
    twice = [went(StepEntered, "a", "2016-05-01"), went(StepLeft, "a", "2016-05-01")] * 2
    receive(engine, MINE, [*twice, wrong("a", "2016-05-01", "2016-05-01"), went(StepEntered, "b", "2016-03-01")])
    away = went(StepPaused, "b", "2016-04-01")
    receive(engine, MINE, [went(StepEntered, "b", "2016-06-01"), away, wrong("c", "2016-03-01")])
    assert people() == {"entered": 2, "on": 0, "paused": 1, "left": 1}
    assert behind() == [1, 7], "of the two equal ones the first is left"
    away_removed = PauseRemoved(hex_id("person", "b"), step="outreach", paused_on="2016-04-01")
    receive(engine, MINE, [away_removed, wrong("b", "2016-06-01"), wrong("a", "2016-05-01", "2016-05-01")])
    assert people() == {"entered": 1, "on": 1, "paused": 0, "left": 0}
    assert behind() == [6]
    assert rebuilding.check(engine)["equal"]


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_what_is_taken_back_of_steps_does_not_depend_on_how_many_lines_are_read_at_once(
    engine: Engine, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "READ_AT_ONCE", at_once)
    lead(engine, STEPPED)
    admit(engine, OWN)
    wrong = StepRemoved(hex_id("person", "a"), step="outreach", entered_on="2016-05-01", left_on=None)
    three = [went(StepEntered, "a", "2016-05-01")] * 3
    receive(engine, MINE, [*three, went(StepEntered, "b", "2016-03-01"), wrong, wrong])
    derive_all(engine)
    with snapshot(engine) as connection:
        assert sorted(line for _, line in rows_behind(connection, [MINE], "outreach", None)) == [1, 4]
    assert rebuilding.check(engine)["equal"]


def test_who_is_erased_is_on_no_step(engine: Engine) -> None:
    lead(engine, STEPPED)
    admit(engine, OWN)
    receive(engine, MINE, [went(StepEntered, "a", "2016-05-01"), SubjectErased(hex_id("person", "a"))])
    derive_all(engine)
    assert step_states(engine, KEY)[0]["participations"]["entered"] == 0


def test_what_a_release_before_made_nothing_of_is_derived_anew_once(sqlite_engine: Engine) -> None:
    lead(sqlite_engine, STEPPED)
    admit(sqlite_engine, OWN, OTHER)
    receive(sqlite_engine, MINE, [went(StepEntered, "a", "2016-05-01")])
    receive(sqlite_engine, THEIRS, [went(StepEntered, "d", "2016-03-01", "network")])  # refused: it makes no row
    derive_all(sqlite_engine)
    with transaction(sqlite_engine) as connection:
        connection.execute(delete(step))
    derive_what_has_become_readable(sqlite_engine)
    with sqlite_engine.connect() as connection:
        assert [row.stream for row in connection.execute(store.cursor.select())] == [THEIRS], "only what lacks rows"
    derive_all(sqlite_engine)
    assert step_states(sqlite_engine, KEY)[0]["participations"]["on"] == 1
