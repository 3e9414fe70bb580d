"""A purpose that ended, at the lead: what is derived is what the lines that are left make, also of one batch."""

import pytest
from sqlalchemy import Engine, event

from services.reporting import operations, partners, rebuilding, receipts, store
from shared.contracts.catalogue import ParticipationStarted, PersonTagged, StandingReached, SubjectErased, TagsRetired
from shared.contracts.facts import Fact
from shared.contracts.purpose_facts import LeadCleared, PurposeEnded
from shared.journal.carry_tables import received_line
from shared.journal.returning import Ended
from tests.services.kit import NOW, OWN, lines, rows
from tests.services.reporting.kit import (
    STREAMS,
    WHOLE,
    admit,
    assessment_removed,
    attendance,
    derive_all,
    hex_id,
    lead,
    receive,
    standing,
)

MINE = STREAMS[OWN]
CAME = ParticipationStarted(
    hex_id("person", "a"), occurred_on="2016-03-01", **WHOLE | {"continues": hex_id("person", "theirs")}
)
CLIENT = StandingReached(hex_id("person", "b"), standing="client", continues=hex_id("person", "theirs"))


def ended(person: object, purpose: str) -> PurposeEnded:
    said = {"ending": hex_id("ending", person), "why": "asked", "occurred_on": "2016-09-01"}
    return PurposeEnded(hex_id("person", person), purpose=purpose, **said)


def test_the_link_to_another_partner_goes_with_the_record_in_every_derivation(sqlite_engine: Engine) -> None:
    lead(sqlite_engine)
    admit(sqlite_engine, OWN)
    receive(sqlite_engine, MINE, [CAME, CLIENT])
    derive_all(sqlite_engine)
    assert len(rows(sqlite_engine, store.continues)) == 2
    receive(sqlite_engine, MINE, [ended("a", "esf_record"), ended("b", "esf_record")])
    derive_all(sqlite_engine)
    assert rows(sqlite_engine, store.continues) == []
    assert rebuilding.check(sqlite_engine)["equal"]


def test_a_line_set_aside_in_the_batch_in_which_its_purpose_ends_is_not_said_to_be(sqlite_engine: Engine) -> None:
    lead(sqlite_engine)
    admit(sqlite_engine, OWN)
    receive(sqlite_engine, MINE, [attendance(1, 1, "a", "participant"), ended("a", "support")])
    derive_all(sqlite_engine)
    assert rows(sqlite_engine, store.aside) == []
    assert rebuilding.check(sqlite_engine)["equal"]


def written(numbers: range) -> list[Fact]:
    """Rightly signed lines of a member that makes as much work as it can: tags under a key each, lines that are set
    aside, and then all of it taken back, erased, ended and retired, line by line."""
    there = [fact for n in numbers for fact in (standing(n, "client"), attendance(n, "nowhere", n, "participant"))]
    tags = [PersonTagged(hex_id("person", n), tag="ab" * 32, key_no=n) for n in numbers]
    wrong = [assessment_removed(n, n) for n in numbers]
    gone = [fact for n in numbers for fact in (TagsRetired(None, key_no=n), ended(n, "support"))]
    return [*there, *tags, *wrong, *gone, *(SubjectErased(hex_id("person", n)) for n in numbers[::2])]


def test_a_batch_is_as_many_statements_however_much_it_erases_ends_and_retires(engine: Engine) -> None:
    """Else a member could keep a lead busy with its lines for hours, and all other streams waiting."""
    lead(engine)
    admit(engine, OWN)
    run: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: run.append(statement))
    counts, left = [], set[str]()
    for numbers in (range(1, 5), range(5, 45)):
        receive(engine, MINE, written(numbers))
        run.clear()
        assert operations.derive(engine, {})
        counts.append(len(run))
        left |= {hex_id("person", n) for n in numbers[1::2]}
        subjects = [row["subject"] for row in rows(engine, received_line)]
        assert {bytes(subject).hex() for subject in subjects if subject is not None} == left
        assert (rows(engine, store.tag), rows(engine, store.aside)) == ([], [])
    assert counts[1] <= counts[0]
    assert rebuilding.check(engine)["equal"]


def test_receipts_of_what_ended_after_the_seal_are_given_some_at_a_time_and_each_once(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = lead(sqlite_engine)
    admit(sqlite_engine, OWN)
    receive(sqlite_engine, MINE, [standing("a", "client")])
    monkeypatch.setattr(partners, "AGAIN_AT_ONCE", 2)
    said = [Ended(bytes([n]) * 32, "support", bytes([n]) * 16) for n in range(5)]
    assert [partners.end_received(journal, MINE, [*said, *said], NOW) for _ in range(4)] == [2, 2, 1, 0]
    given = [line.body["ending"] for line in lines(sqlite_engine) if line.kind == LeadCleared.kind]
    assert given == [one.ending.hex() for one in said]


def test_one_node_gets_so_many_receipts_in_all(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every node gets and keeps each of them: else a member could fill their disks with endings of nobody."""
    monkeypatch.setattr(receipts, "RECEIPTS_PER_STREAM", 3)
    journal = lead(sqlite_engine)
    admit(sqlite_engine, OWN)
    receive(sqlite_engine, MINE, [ended(n, "support") for n in range(2)])
    derive_all(sqlite_engine)
    assert [operations.answer_endings(journal, NOW) for _ in range(2)] == [True, False]
    said = [Ended(bytes([n]) * 32, "support", bytes([n]) * 16) for n in range(5)]
    assert [partners.end_received(journal, MINE, said, NOW) for _ in range(2)] == [5, 0]
    receive(sqlite_engine, MINE, [ended(n, "support") for n in range(2, 5)])
    derive_all(sqlite_engine)
    assert [operations.answer_endings(journal, NOW) for _ in range(2)] == [True, False]
    assert sum(line.kind == LeadCleared.kind for line in lines(sqlite_engine)) == 3
