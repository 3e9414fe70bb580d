"""The list of programmes, and how many tasks wait."""

from typing import Any

import pytest
from sqlalchemy import Engine

from services.pathways import operations, queries
from services.pathways.store import shelf
from shared.contracts.errors import NotFound
from shared.contracts.rights_facts import PersonRestricted
from shared.contracts.worker_facts import WorkerChanged
from tests.services import kit
from tests.services.pathways.kit import ANNA, BERTTA, NOW, client, follow, known, noon, record, record_steps, stay


def test_programmes_are_listed_by_key_with_names_and_document(engine: Engine) -> None:
    assert queries.list_programmes(engine) == []
    other = kit.changed(key="aaa", name={"fi": "Toinen"})
    for document in (kit.DOCUMENT, other):
        kit.put_programme(engine, shelf, document)
    assert queries.list_programmes(engine) == [
        {"programme": "aaa", "name": {"fi": "Toinen"}, "document": other},
        {"programme": kit.KEY, "name": kit.DOCUMENT["name"], "document": kit.DOCUMENT},
    ]


def test_what_waits_is_counted_by_the_role_whose_it_is(engine: Engine) -> None:
    journal = known(engine)
    record(journal, client(day="2016-11-10"), client(BERTTA, day="2016-11-20"))  # a talk within seven days
    record_steps_of = record_steps
    follow(journal)
    record_steps_of(journal, stay(left_on="2016-11-22"))  # next_step: the coordinator's, due at once
    follow(journal)
    assert queries.waiting(engine, NOW) == {"case_worker": 1, "coordinator": 1, "workers": []}
    assert queries.waiting(engine, noon("2016-11-27")) == {"case_worker": 2, "coordinator": 1, "workers": []}
    whose = {"worker": "0a" * 16, "programme": kit.KEY, "occurred_on": "2016-11-20"}
    record(journal, WorkerChanged(ANNA, **whose))  # the coordinator's task about her stays the coordinator's
    follow(journal)
    theirs = [{"worker": "0a" * 16, "tasks": 1}]
    assert queries.waiting(engine, NOW) == {"case_worker": 1, "coordinator": 1, "workers": theirs}


def test_of_whom_nothing_may_be_recorded_no_task_is_counted_as_waiting_or_late(engine: Engine) -> None:
    journal = known(engine)
    record(journal, client(day="2016-11-10"), client(BERTTA, day="2016-11-10"))
    follow(journal)
    late = noon("2016-12-01")
    assert (queries.waiting(engine, late)["case_worker"], queries.lateness(engine, late)[kit.KEY][0]) == (2, 2)
    with journal.unit(NOW, right=True) as unit:
        unit.record(PersonRestricted(ANNA, occurred_on="2016-11-22"), kit.KEY)
    assert (queries.waiting(engine, late)["case_worker"], queries.lateness(engine, late)[kit.KEY][0]) == (1, 1)
    assert queries.list_tasks(engine, kit.KEY, "open", 10, 0, late, None)["total"] == 2, "and stays listed"


def test_ones_own_tasks_stand_first_and_go_along_when_a_person_is_handed_over(engine: Engine) -> None:
    journal = known(engine)
    record(journal, client(day="2016-11-10"), client(BERTTA, day="2016-11-20"))
    of_anna, of_berttas, third = (raw * 16 for raw in ("0a", "0b", "0c"))
    said = {"programme": kit.KEY, "occurred_on": "2016-11-20"}
    record(journal, WorkerChanged(ANNA, worker=of_anna, **said), WorkerChanged(BERTTA, worker=of_berttas, **said))
    follow(journal)

    def listed(who: str | None, **options: bool) -> list[str]:
        found = queries.list_tasks(engine, kit.KEY, "open", 10, 0, NOW, who, **options)
        assert found["total"] == len(found["tasks"])
        return [row["person"] for row in found["tasks"]]

    assert listed(None) == listed(third) == [ANNA, BERTTA]
    assert listed(of_berttas) == [BERTTA, ANNA]
    assert (listed(of_berttas, own_only=True), listed(None, own_only=True)) == ([BERTTA], [])
    record(journal, WorkerChanged(ANNA, worker=of_berttas, reason="absent", **said))
    follow(journal)
    assert listed(of_berttas, own_only=True) == [ANNA, BERTTA]
    assert queries.tasks_of(engine, of_berttas) == [{"programme": kit.KEY, "tasks": 2}]
    assert queries.tasks_of(engine, of_anna) == []
    row = queries.list_tasks(engine, kit.KEY, "open", 1, 0, NOW, of_berttas)["tasks"][0]
    closing: dict[str, Any] = {"by": "anna", "now": NOW, "own_only": True}
    for who in (of_anna, None):
        with pytest.raises(NotFound):
            operations.close_task(journal, row["task"], "done", None, worker=who, **closing)
    assert operations.close_task(journal, row["task"], "done", None, worker=of_berttas, **closing)[0]
