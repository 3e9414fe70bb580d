"""Two people who may be one: listed, judged, never merged; on both databases."""

from typing import Any

import pytest
from sqlalchemy import Engine

from services.intake import duplicates, operations, rights, rights_store, store
from shared.contracts.errors import ChangedMeanwhile, InvalidInput, ProcessingRestricted, UnknownPerson
from shared.journal import Journal
from tests.services import kit
from tests.services.intake.kit import KEYS, RECORD, arrival, known, register

ANNA = {"given_name": "Anna Maria", "family_name": "Virtanen", "birth_date": "1981-02-03"}


@pytest.fixture
def journal(engine: Engine) -> Journal:
    return known(engine)


def people(journal: Journal, *identities: dict[str, Any], **changes: Any) -> list[str]:
    arrivals = [arrival(f"p{n}", identity=dict(identity), **changes) for n, identity in enumerate(identities)]
    return [str(result["subject"]) for result in register(journal, *arrivals)[0]]


def listed(journal: Journal, *, judged: bool = False) -> list[tuple[set[str], str | None]]:
    common: dict[str, Any] = {"limit": 50, "offset": 0, "by": "worker", "now": kit.NOW}
    _, found = duplicates.listed(journal, KEYS, kit.KEY, judged=judged, **common)
    return [({pair.first.subject, pair.second.subject}, pair.verdict) for pair in found]


def judge(journal: Journal, one: str, other: str, verdict: str = "same", was: str | None = None) -> bool:
    return duplicates.judge(journal, kit.KEY, one, other, verdict, by="worker", now=kit.NOW, was=was)[0]


def test_a_pair_is_listed_until_somebody_has_judged_it(engine: Engine, journal: Journal) -> None:
    one, other, _ = people(journal, ANNA, ANNA | {"family_name": "Wirtanen"}, {"given_name": "B", "family_name": "C"})
    assert listed(journal) == [({one, other}, None)]
    assert len(kit.audit(engine)[-1]["subjects"]) == 2, "nobody else is shown, and who is, is written down"
    assert judge(journal, other, one)
    assert not judge(journal, one, other), "the same again"
    assert listed(journal) == []
    assert listed(journal, judged=True) == [({one, other}, "same")]


def test_of_two_workers_who_judge_a_pair_the_second_is_told_unless_both_say_the_same(
    engine: Engine, journal: Journal
) -> None:
    one, other = people(journal, ANNA, ANNA)
    assert judge(journal, one, other, "same", "none")
    assert not judge(journal, one, other, "same", "none")
    with pytest.raises(ChangedMeanwhile):
        judge(journal, one, other, "apart", "none")
    assert judge(journal, one, other, "apart", "same")


def test_a_link_leaves_a_line_and_so_does_its_end_and_nothing_is_merged(engine: Engine, journal: Journal) -> None:
    low, high = sorted(people(journal, ANNA, ANNA))
    before = [kit.rows(engine, table) for table in (store.participation, store.vault)]
    judge(journal, high, low)
    judge(journal, low, high, "apart")
    assert [kit.rows(engine, table) for table in (store.participation, store.vault)] == before
    said = [(line.kind, line.subject, line.body["same_as"]) for line in kit.lines(engine)[-2:]]
    assert said == [("intake.same_person", low, high), ("intake.not_same_person", low, high)]
    assert not judge(journal, low, high, "apart")


def test_whoever_of_the_two_is_restricted_nobody_judges_them(engine: Engine, journal: Journal) -> None:
    one, other = people(journal, ANNA, ANNA)
    for restricted in (one, other):
        rights.restrict_person(journal, kit.KEY, restricted, "accuracy", lift=False, by="worker", now=kit.NOW)
        before = kit.heads(engine)
        for verdict in ("same", "apart"):
            with pytest.raises(ProcessingRestricted):
                judge(journal, one, other, verdict)
        assert kit.heads(engine) == before
        rights.restrict_person(journal, kit.KEY, restricted, None, lift=True, by="worker", now=kit.NOW)
    assert judge(journal, one, other)


def test_two_who_were_never_linked_are_told_apart_without_a_line(engine: Engine, journal: Journal) -> None:
    one, other = people(journal, ANNA, ANNA)
    before = kit.kinds(engine)
    assert judge(journal, one, other, "apart")
    assert kit.kinds(engine) == before
    assert listed(journal) == []


def test_nobody_is_their_own_double_or_a_strangers(journal: Journal) -> None:
    (one,) = people(journal, ANNA)
    with pytest.raises(InvalidInput, match="same_as"):
        judge(journal, one, one)
    for pair in ((one, "9" * 32), ("9" * 32, one)):
        with pytest.raises(UnknownPerson):
            judge(journal, *pair)


def test_who_has_a_protected_address_is_in_no_list(journal: Journal) -> None:
    record = {name: value for name, value in RECORD.items() if name not in ("municipality", "area")}
    people(journal, ANNA, ANNA, record=record | {"protected_address": "yes"})
    assert listed(journal) == []


def test_a_verdict_goes_with_either_of_the_two_and_is_in_their_copies(engine: Engine, journal: Journal) -> None:
    for number in (0, 1):
        pair = people(journal, ANNA | {"token": str(number)}, ANNA | {"token": str(number)})
        if number:
            pair.reverse()
        judge(journal, *pair)
        copy = rights.copy_person(journal, KEYS, kit.KEY, pair[0], by="w", now=kit.NOW)
        assert copy["intake"]["same_as"] == [pair[1]]
        operations.erase_person(journal, kit.KEY, pair[0], by="worker", now=kit.NOW)
        assert kit.rows(engine, rights_store.pair) == []
        operations.erase_person(journal, kit.KEY, pair[1], by="worker", now=kit.NOW)
