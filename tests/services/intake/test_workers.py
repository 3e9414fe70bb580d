"""Who works with whom: on both databases, with the lines and entries of the audit log that it leaves."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from services.intake import operations, queries, raising, rights, texts, worker_store, workers
from services.intake.domain import HandOver
from services.intake.encounter_rules import Raise
from services.intake.workers import NewWorker
from shared.contracts.errors import InvalidInput, NotFound
from shared.journal import Journal
from shared.journal.erasing import subject_digest
from shared.storage import snapshot
from tests.services import kit
from tests.services.intake.kit import DESK, KEYS, arrival, register
from tests.services.kit import KEY, key_of

TODAY = date(2016, 11, 22)


def people(journal: Journal, *names: str, worker: str | None = "anna") -> list[str]:
    results, _ = register(journal, *(arrival(name) for name in names), worker=worker)
    return [result["subject"] for result in results]


def over(journal: Journal, worker: str = "anna", to: str = "bertta", **more: Any) -> dict[str, int]:
    options = {name: more.pop(name) for name in ("day", "dry_run") if name in more}
    wanted = HandOver(worker, to, more.pop("reason", "absent"), **more)
    return workers.hand_over(journal, wanted, options.pop("day", None), by="anna", now=kit.NOW, **options)[0]


def whose(journal: Journal, subjects: list[str]) -> list[str | None]:
    with snapshot(journal.engine) as connection:
        found = worker_store.workers_of(connection, subjects)
    return [found.get(subject) for subject in subjects]


def assign(journal: Journal, subject: str, worker: str, key: str = "k") -> dict[str, Any]:
    items = [NewWorker(key_of(key), subject, worker)]
    return workers.assign_workers(journal, KEY, items, by="anna", now=kit.NOW)[0][0]


def test_who_registers_a_person_is_their_worker_and_no_line_names_either(engine: Engine, journal: Journal) -> None:
    (subject,) = people(journal, "a", worker="bertta.b")
    assert whose(journal, [subject]) == ["bertta.b"]
    line = kit.lines(engine)[-1]
    assert (line.kind, line.subject, line.stream) == ("intake.worker_changed", subject, f"{kit.NODE}/local")
    assert b"bertta.b" not in b"".join(str(one).encode() for one in kit.lines(engine))


def test_an_import_registers_people_of_nobody(journal: Journal) -> None:
    assert whose(journal, people(journal, "a", worker=None)) == [None]


def test_a_visitor_who_registers_gets_a_worker_and_a_client_keeps_theirs(journal: Journal) -> None:
    (subject,) = people(journal, "a", worker=None)
    esf = arrival("b", "client", identity={"given_name": "Testi"}, record={"gender": "f"})
    visitor = register(journal, arrival("v", "visitor", identity={"token": "kettu"}, record={}))[0][0]["subject"]

    def up(subject: str, keeps: bool | None, standing: Any, key: str) -> str:
        new = [Raise(key_of(key), subject, keeps, standing)]
        common: dict[str, Any] = {"by": "cecilia", "now": kit.NOW, "worker": "cecilia"}
        return str(raising.raise_standing(journal, KEYS, KEY, new, **common, desk=DESK)[0][0]["subject"])

    begun = up(visitor, False, esf, "r1")
    assert whose(journal, [visitor, begun]) == [None, "cecilia"]
    assert assign(journal, begun, "anna")["new"]
    assert up(begun, None, arrival("c"), "r2") == begun
    assert whose(journal, [begun, subject]) == ["anna", None]


def test_all_of_a_workers_people_are_handed_over_at_once(engine: Engine, journal: Journal) -> None:
    subjects = [*people(journal, "a", "b"), *people(journal, "c", worker="cecilia")]
    before = len(kit.lines(engine))
    assert over(journal, dry_run=True) == {KEY: 2}
    assert (len(kit.lines(engine)), whose(journal, subjects)) == (before, ["anna", "anna", "cecilia"])
    assert over(journal, day=TODAY - timedelta(days=1)) == {KEY: 2}
    assert whose(journal, subjects) == ["bertta", "bertta", "cecilia"]
    lines = kit.lines(engine)[before:]
    assert {(line.kind, line.subject, line.body["reason"]) for line in lines} == {
        ("intake.worker_changed", subject, "absent") for subject in subjects[:2]
    }
    assert {line.body["occurred_on"] for line in lines} == {"2016-11-21"}
    entry = kit.audit(engine)[-1]
    assert (entry["action"], entry["by"], entry["reason"]) == ("hand_over", "anna", "absent")
    assert sorted(entry["subjects"]) == sorted(map(subject_digest, subjects[:2]))
    assert "bertta" not in str(entry)
    assert over(journal) == {}, "a second time there is nobody"


def test_who_comes_back_gets_those_back_whom_they_gave_and_no_others(journal: Journal) -> None:
    mine, theirs = people(journal, "a", "b"), people(journal, "c", worker="bertta")
    over(journal)
    assign(journal, mine[1], "cecilia")
    assert over(journal, "bertta", "anna", reason="back", back=True) == {KEY: 1}
    assert whose(journal, [*mine, *theirs]) == ["anna", "cecilia", "bertta"]


def test_of_two_who_take_a_person_at_once_the_second_is_told(journal: Journal) -> None:
    (subject,) = people(journal, "a", worker=None)

    def take(worker: str, was: str | None) -> dict[str, Any]:
        key = key_of(f"{worker} {was}")
        given = journal, KEY, [NewWorker(key, subject, worker)], {key: was}
        return workers.assign_workers(*given, by=worker, now=kit.NOW)[0][0]

    assert take("anna", None)["new"]
    assert take("bertta", None)["error"]["code"] == "changed_meanwhile"
    assert [row["name"] for row in kit.rows(journal.engine, worker_store.worker)] == ["anna"], "nothing is left of it"
    assert whose(journal, [subject]) == ["anna"]
    assert take("bertta", "zoe")["error"]["code"] == "changed_meanwhile"
    assert take("anna", None)["new"] is False
    assert take("bertta", "anna")["new"]


def test_of_a_list_either_all_go_or_nobody(journal: Journal) -> None:
    first, second, third = people(journal, "a", "b", "c")
    assert over(journal, programme=KEY, people=[first]) == {KEY: 1}
    assert over(journal, programme=KEY, people=[first, second]) == {KEY: 1}, "who is there already stays"
    assign(journal, first, "cecilia")
    for subject in (first, "00" * 16):
        with pytest.raises(InvalidInput, match="people"):
            over(journal, programme=KEY, people=[subject, third])
    assert whose(journal, [first, second, third]) == ["cecilia", "bertta", "anna"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"to": "anna"}, "to"),
        ({"day": TODAY + timedelta(days=1)}, "date"),
        ({"day": TODAY - timedelta(days=32)}, "date"),
        ({"people": ["ab" * 16]}, "programme"),
    ],
)
def test_a_hand_over_that_cannot_be_is_refused(journal: Journal, wrong: dict[str, Any], field: str) -> None:
    people(journal, "a")
    with pytest.raises(InvalidInput, match=field):
        over(journal, **wrong)
    with pytest.raises(NotFound, match="worker"):
        over(journal, "zoe")


def test_a_restricted_person_is_handed_over_and_an_erased_one_is_nobodys(engine: Engine, journal: Journal) -> None:
    restricted, erased = people(journal, "a", "b")
    common: dict[str, Any] = {"by": "anna", "now": kit.NOW}
    rights.restrict_person(journal, KEY, restricted, "accuracy", lift=False, **common)
    operations.erase_person(journal, KEY, erased, **common)
    assert over(journal) == {KEY: 1}
    assert whose(journal, [restricted, erased]) == ["bertta", None]
    assert [row["subject"].hex() for row in kit.rows(engine, worker_store.caseload)] == [restricted]
    assert assign(journal, erased, "anna")["error"]["code"] == "unknown_person"


def test_ones_own_people_stand_first_and_alone_where_each_sees_their_own(engine: Engine, journal: Journal) -> None:
    theirs, mine, nobodys = (
        people(journal, name, worker=worker)[0] for name, worker in (("a", "anna"), ("b", "bertta"), ("c", None))
    )

    def listed(**options: Any) -> tuple[int, list[str]]:
        total, rows = queries.list_people(engine, KEY, 10, 0, None, "bertta", **options)
        return total, [row.subject for row in rows]

    total, team = listed()
    assert (total, team[0], {*team}) == (3, mine, {theirs, mine, nobodys})
    assert listed(own_only=True) == (2, [mine, nobodys])
    assert listed(of="anna") == (1, [theirs])
    over(journal, programme=KEY, people=[theirs])
    assert listed(own_only=True)[0] == 3


def test_texts_of_anothers_person_are_not_opened_where_each_sees_their_own(engine: Engine, journal: Journal) -> None:
    (subject,) = people(journal, "a")
    kept = [texts.NewText(key_of("t"), subject, "Sovittiin"), texts.NewText(key_of("u"), None, "Ryhmästä")]
    refs = [r["text_ref"] for r in texts.keep_texts(journal, KEYS, KEY, kept, by="anna", now=kit.NOW)]

    def read(by: str) -> list[str]:
        common: dict[str, Any] = {"by": by, "now": kit.NOW, "own_only": True}
        return sorted(texts.read_texts(journal, KEYS, KEY, refs, **common).values())

    assert (read("anna"), read("bertta")) == (["Ryhmästä", "Sovittiin"], ["Ryhmästä"])
    assert kit.audit(engine)[-1]["subjects"] == []
