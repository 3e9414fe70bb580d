"""A purpose that ends: gone at the node and at the lead, receipts from both, all else still whole and counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.activities import store as activities
from services.intake import duplicates, purposes, rights, rights_store
from services.reporting import rebuilding
from services.reporting import store as reporting
from shared.journal.carry_tables import received_line
from shared.journal.tables import journal_line
from shared.storage import snapshot
from tests.flows.house import House, joined
from tests.services import kit
from tests.services.intake.kit import KEYS


@pytest.fixture
def house(migrated_file: Path, tmp_path: Path) -> Iterator[House]:
    with joined(migrated_file, tmp_path) as made:
        yield made


def end(house: House, subject: str, purpose: str) -> str:
    common = {"by": "worker", "now": house.now, "first": lambda *_: None}
    ending, _ = purposes.end_purpose(house.journal, KEYS, kit.KEY, subject, purpose, "asked", **common)
    assert ending is not None
    return ending


def test_an_ended_purpose_is_gone_everywhere_and_every_holder_says_so(house: House) -> None:
    anna, bertta = house.register("anna", "bertta")
    there = house.attend("first", anna, bertta)[0]["attendance"]
    house.work()
    assert house.report()["activities"][0]["participants"] == 2
    ending = end(house, anna, "support")
    house.work()
    for engine in (house.node, house.lead):
        data = kit.stored_bytes(engine)
        assert there.encode() not in data
        assert bytes.fromhex(there) not in data
        assert anna.encode() in data, "the person stays"
    report = house.report()
    assert (report["arrived"], report["activities"][0]["participants"]) == (True, 1)
    assert report["indicators"][0]["realised"] == 2, "the record of the fund stays"
    assert report["data_quality"] == {
        **{"refused_lines": 0, "void_lines": 0, "incomplete_records": 2, "unproved_records": 2},
        **{"erased_people": 0, "erased_lines": 1, "restricted_people": 0},
    }
    house.assert_whole()
    assert rebuilding.check(house.lead)["equal"]
    with snapshot(house.node) as connection:
        (known,) = rights_store.endings_of(connection, kit.KEY, anna)
    assert {row["holder"]: row["rows"] for row in known["receipts"]} == {"activities": 1, "intake": 0}
    last = kit.lines(house.lead)[-1]
    assert (last.kind, last.subject, last.body) == ("reporting.purpose_cleared", None, {"ending": ending, "rows": 1})
    before = kit.heads(house.lead)
    house.work()
    assert kit.heads(house.lead) == before, "one receipt"


def test_what_was_never_shipped_leaves_as_digests_and_what_comes_after_is_counted(house: House) -> None:
    anna, _ = house.register("anna", "bertta")
    house.attend("first", anna)
    end(house, anna, "support")
    assert house.attend("too soon", anna)[0]["error"]["code"] == "changed_meanwhile"
    house.follow()
    house.attend("second", anna)
    house.work()
    assert house.report()["activities"][0]["attendances"] == 1
    assert len(kit.rows(house.lead, reporting.attendance)) == len(kit.rows(house.node, activities.attendance)) == 1
    assert sum(row["line"] is None for row in kit.rows(house.lead, received_line)) == 1
    house.assert_whole()
    assert rebuilding.check(house.lead)["equal"]


def test_the_lead_forgets_both_when_the_lines_come_in_one_batch(house: House) -> None:
    (anna,) = house.register("anna")
    house.attend("first", anna)
    house.courier.round([kit_stream()], house.now)
    end(house, anna, "support")
    house.courier.round([kit_stream()], house.now)
    house.work()
    assert kit.rows(house.lead, reporting.attendance) == []
    assert rebuilding.check(house.lead)["equal"]


def kit_stream() -> str:
    return f"{kit.NODE}/{kit.KEY}"


def test_the_lead_says_how_many_are_restricted_and_counts_them(house: House) -> None:
    anna, bertta = house.register("anna", "bertta")
    house.attend("first", anna, bertta)
    common = {"by": "worker", "now": house.now}
    rights.restrict_person(house.journal, kit.KEY, anna, "claims", lift=False, **common)
    assert house.attend("second", anna)[0]["error"]["code"] == "processing_restricted"
    house.work()
    report = house.report()
    assert (report["data_quality"]["restricted_people"], report["activities"][0]["participants"]) == (1, 2)
    rights.restrict_person(house.journal, kit.KEY, anna, None, lift=True, **common)
    house.work()
    assert house.report()["data_quality"]["restricted_people"] == 0
    assert any(row["kind"] == "intake.person_restricted" for row in kit.rows(house.node, journal_line))


def test_people_of_one_node_who_were_linked_count_once_until_they_are_told_apart(house: House) -> None:
    anna, bertta, cecilia = house.register("anna", "bertta", "cecilia")
    house.attend("first", anna, bertta, cecilia)
    common = {"by": "worker", "now": house.now}
    duplicates.judge(house.journal, kit.KEY, anna, bertta, "same", **common)
    house.work()
    report = house.report()
    assert (report["activities"][0]["participants"], report["activities"][0]["attendances"]) == (2, 3)
    assert report["indicators"][0]["realised"] == 2
    assert report["people"]["range"] == [2, 2]
    assert rebuilding.check(house.lead)["equal"]
    duplicates.judge(house.journal, kit.KEY, anna, bertta, "apart", **common)
    house.work()
    assert house.report()["activities"][0]["participants"] == 3
    assert rebuilding.check(house.lead)["equal"]


def test_who_was_linked_and_is_erased_leaves_the_other_counted(house: House) -> None:
    anna, bertta = house.register("anna", "bertta")
    house.attend("first", anna, bertta)
    duplicates.judge(house.journal, kit.KEY, anna, bertta, "same", by="worker", now=house.now)
    house.work()
    for erased, left in ((anna, 1), (bertta, 0)):
        assert house.erase(erased)
        house.work()
        assert house.report()["activities"][0]["participants"] == left
        assert rebuilding.check(house.lead)["equal"]
        house.assert_whole()
