"""What is shown before a person is corrected or erased, and that nothing else is; on both databases."""

import pytest
from sqlalchemy import Engine

from services.intake import operations, previewing, purposes, rights, texts
from services.intake.operations import _nothing
from shared.contracts.catalogue import ActionAgreed, AttendanceRecorded
from shared.contracts.errors import ChangedMeanwhile, UnknownPerson
from shared.journal import Journal
from shared.storage import snapshot
from tests.services import kit
from tests.services.intake.kit import DESK, IDENTITY, KEYS, arrival, register


@pytest.fixture
def subject(journal: Journal) -> str:
    """Somebody with a start record, an attendance, something agreed and a note."""
    made = str(register(journal, arrival())[0][0]["subject"])
    attend(journal, made)
    with journal.unit(kit.NOW) as unit:
        unit.record(ActionAgreed(made, **ActionAgreed.example))
    texts.keep_texts(journal, KEYS, kit.KEY, [texts.NewText(kit.key_of("n"), made, "x")], by="w", now=kit.NOW)
    return made


def attend(journal: Journal, subject: str) -> None:
    with journal.unit(kit.NOW) as unit:
        unit.record(AttendanceRecorded(subject, **AttendanceRecorded.example), kit.KEY)


def end_support(journal: Journal, subject: str, seen: int | None) -> str | None:
    common = {"by": "w", "now": kit.NOW, "first": _nothing, "seen": seen}
    return purposes.end_purpose(journal, KEYS, kit.KEY, subject, "support", "asked", **common)[0]


def erase(journal: Journal, subject: str, seen: int | None) -> bool:
    may = previewing.unless_unseen(purposes.check_may_erase, seen)
    return operations.erase_person(journal, kit.KEY, subject, by="w", now=kit.NOW, may=may)[0]


def test_a_preview_counts_by_purpose_and_kind_what_goes_to_the_lead_and_names_nobody(
    engine: Engine, journal: Journal, subject: str
) -> None:
    with snapshot(engine) as connection:
        found = previewing.preview(connection, kit.KEY, subject)
    record, support, measured = found["purposes"]
    assert record["kinds"] == [{"kind": "intake.participation_started", "lines": 1, "to_lead": 1}]
    assert (record["record"], support["texts"], measured["kinds"]) == (True, 1, [])
    assert {row["kind"]: row["to_lead"] for row in support["kinds"]} == {
        "activities.attendance_recorded": 1,
        "activities.action_agreed": 0,
    }
    assert [row["kind"] for row in found["other"]] == ["intake.standing_reached"]
    assert subject not in str(found)


def test_what_was_recorded_since_the_preview_is_not_erased_unseen(
    engine: Engine, journal: Journal, subject: str
) -> None:
    def seen() -> int:
        with snapshot(engine) as connection:
            return int(previewing.preview(connection, kit.KEY, subject)["seen"])

    before = seen()
    attend(journal, subject)
    heads = kit.heads(engine)
    for refused in (end_support, erase):
        with pytest.raises(ChangedMeanwhile):
            refused(journal, subject, before)
    assert kit.heads(engine) == heads
    assert end_support(journal, subject, seen())
    with snapshot(engine) as connection:
        support = previewing.preview(connection, kit.KEY, subject)["purposes"][1]
    assert (support["kinds"], support["texts"]) == ([], 0)
    last = seen()
    assert erase(journal, subject, last)
    assert not erase(journal, subject, last), "who confirms twice is told that it is done"
    with snapshot(engine) as connection, pytest.raises(UnknownPerson):
        previewing.preview(connection, kit.KEY, subject)


def test_of_two_who_correct_the_second_is_told(engine: Engine, journal: Journal, subject: str) -> None:
    common = {"by": "worker", "now": kit.NOW}
    coded, who = rights.show_identity(journal, KEYS, kit.KEY, subject, **common)
    assert kit.audit(engine)[-1]["action"] == "read_identities"
    assert who == {name: IDENTITY.get(name) for name in who}
    assert coded["standing"] == "esf_participant"

    def name(said: str) -> list[str]:
        told = {"given_name": said}
        return rights.correct_person(
            journal, KEYS, kit.KEY, subject, told, {}, was=coded["revision"], **common, desk=DESK
        )[0]

    assert name("Oikea") == ["given_name"]
    with pytest.raises(ChangedMeanwhile):
        name("Toinen")
    assert rights.show_identity(journal, KEYS, kit.KEY, subject, **common)[1]["given_name"] == "Oikea"
    with pytest.raises(UnknownPerson):
        rights.show_identity(journal, KEYS, kit.KEY, "9" * 32, **common)
