"""Purposes: informed, withdrawn, erased one by one, kept by law; on both databases."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from services.intake import (
    contacts,
    exit_store,
    exits,
    operations,
    purposes,
    queries,
    raising,
    rights,
    rights_store,
    store,
    text_store,
    texts,
)
from services.intake.encounter_rules import Raise
from shared.contracts.catalogue import AttendanceRecorded, ScoreComputed
from shared.contracts.errors import (
    ChangedMeanwhile,
    ConsentWithdrawn,
    InvalidInput,
    KeptByLaw,
    PolkuError,
    UnknownPerson,
)
from shared.contracts.purpose_facts import ActivitiesCleared, LeadCleared, MeasurementCleared, PurposeEnded
from shared.journal import Journal
from shared.journal.tables import journal_erased, journal_hold, journal_line, journal_parked
from shared.storage import snapshot, transaction
from shared.storage.restricting import restricted
from tests.services import kit
from tests.services.intake.kit import DESK, IDENTITY, KEYS, arrival, known, register
from tests.services.intake.test_exits import ask, leave, leaving
from tests.services.reporting.kit import receive

LAW = {
    "key": "esf_record",
    "basis": "legal_obligation",
    "law": "Reg. (EU) 2021/1060, art. 82",
    "keep_until": "2021-12-31",
}
SCORE = {name: value for name, value in ScoreComputed.example.items()}


@pytest.fixture
def subject(journal: Journal) -> str:
    """Somebody with a line for every purpose, and a note."""
    made = str(register(journal, arrival())[0][0]["subject"])
    measure(journal, made)
    with journal.unit(kit.NOW) as unit:
        unit.record(AttendanceRecorded(made, **AttendanceRecorded.example), kit.KEY)
    texts.keep_texts(journal, KEYS, kit.KEY, [texts.NewText(kit.key_of("n"), made, "x")], by="w", now=kit.NOW)
    return made


def measure(journal: Journal, subject: str) -> None:
    with journal.unit(kit.NOW) as unit:
        unit.record(ScoreComputed(subject, **SCORE), kit.KEY)
        unit.audit("worker", "record_assessments")


def end(journal: Journal, subject: str, purpose: str, why: str = "asked", **options: Any) -> str | None:
    common: dict[str, Any] = {"by": "worker", "now": kit.NOW, "first": lambda *_: None} | options
    return purposes.end_purpose(journal, KEYS, kit.KEY, subject, purpose, why, **common)[0]


def inform(journal: Journal, subject: str, name: str = "i", *, listed: bool = False, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"notice": 3, "language": "sv", "date": date(2016, 3, 1), "consents": ("measurement",)}
    new = purposes.NewInformed(kit.key_of(name), subject, **given | changes)
    return purposes.record_informed(journal, kit.KEY, [new], by="worker", now=kit.NOW, listed=listed)[0][0]


def law(engine: Engine, **changes: Any) -> None:
    kit.put_programme(engine, store.shelf, kit.changed(purposes=[LAW | changes]))


def readable(engine: Engine, subject: str) -> list[str]:
    """The kinds of the person's lines that are not digests."""
    rows = [row for row in kit.rows(engine, journal_line) if row["subject"] == bytes.fromhex(subject)]
    return [row["kind"] for row in sorted(rows, key=lambda row: row["pos"])]


def endings(engine: Engine, subject: str) -> list[dict[str, Any]]:
    with snapshot(engine) as connection:
        return rights_store.endings_of(connection, kit.KEY, subject)


def test_a_withdrawn_consent_erases_what_was_recorded_and_nothing_more_is(
    engine: Engine, journal: Journal, subject: str
) -> None:
    before = kit.heads(engine)[f"{kit.NODE}/{kit.KEY}"][0]
    assert end(journal, subject, "measurement", "withdrawn")
    assert readable(engine, subject) == [
        *("intake.standing_reached", "intake.participation_started"),
        *("activities.attendance_recorded", "intake.purpose_ended"),
    ]
    (erased,) = kit.rows(engine, journal_erased)
    assert (erased["lines"], erased["finished"], erased["scrubbed"]) == (1, True, False)
    assert kit.heads(engine)[f"{kit.NODE}/{kit.KEY}"][0] == before + 1
    with pytest.raises(ConsentWithdrawn, match="measurement"):
        measure(journal, subject)
    assert end(journal, subject, "measurement", "withdrawn") is None, "the same again"
    assert leave(journal, leaving(subject))[0]["new"], "another purpose goes on"


def test_who_agrees_again_is_measured_again_and_what_comes_then_stays(
    engine: Engine, journal: Journal, subject: str
) -> None:
    ending = end(journal, subject, "measurement", "withdrawn")
    assert inform(journal, subject, date=kit.NOW.date())["new"]
    with journal.unit(kit.NOW) as unit:
        unit.record(MeasurementCleared(subject, ending=ending, programme=kit.KEY, rows=1))
    measure(journal, subject)
    assert readable(engine, subject)[-1] == "measurement.score_computed"
    assert end(journal, subject, "measurement", "withdrawn")
    assert "measurement.score_computed" not in readable(engine, subject)
    assert len(endings(engine, subject)) == 2


def test_a_consent_of_before_it_was_withdrawn_is_given_to_nobody_anew(
    engine: Engine, journal: Journal, subject: str
) -> None:
    inform(journal, subject)
    end(journal, subject, "measurement", "withdrawn")
    assert not inform(journal, subject)["new"], "the same list again tells nothing"
    refused = PolkuError.from_wire(inform(journal, subject, "found later", date=date(2016, 11, 21))["error"])
    assert refused.message() == "consents: measurement was withdrawn on 2016-11-22, after this day"
    listed = PolkuError.from_wire(inform(journal, subject, "a list", date=kit.NOW.date(), listed=True)["error"])
    assert listed.message().startswith("consents: measurement was withdrawn on this day")
    assert inform(journal, subject, "the notice alone", consents=())["new"]
    with pytest.raises(ConsentWithdrawn):
        measure(journal, subject)


def test_until_a_service_has_cleared_away_what_ended_it_records_nothing_new(
    engine: Engine, journal: Journal, subject: str
) -> None:
    ending = end(journal, subject, "measurement")
    with pytest.raises(ChangedMeanwhile):
        measure(journal, subject)
    with journal.unit(kit.NOW) as unit:
        unit.record(MeasurementCleared(subject, ending=ending, programme=kit.KEY, rows=1))
    measure(journal, subject)
    assert readable(engine, subject)[-1] == "measurement.score_computed"
    assert kit.rows(engine, restricted) == []


def test_only_a_consent_can_be_withdrawn(journal: Journal, subject: str) -> None:
    for purpose, basis in (("esf_record", "legal_obligation"), ("support", "public_task")):
        with pytest.raises(InvalidInput, match=f"its basis is {basis}"):
            end(journal, subject, purpose, "withdrawn")


def test_the_record_goes_and_the_person_stays_as_a_client(engine: Engine, journal: Journal, subject: str) -> None:
    leave(journal, leaving(subject))
    ask(journal, subject)
    assert end(journal, subject, "esf_record")
    assert readable(engine, subject) == [
        *("intake.standing_reached", "measurement.score_computed", "activities.attendance_recorded"),
        *("intake.purpose_ended", "intake.standing_reached"),
    ]
    (row,) = kit.rows(engine, store.participation)
    assert (row["standing"], row["started_on"], row["ended_on"], row["record"]) == ("client", None, None, "{}")
    assert kit.rows(engine, exit_store.follow_up) == []
    _, (found,) = queries.list_people(engine, kit.KEY, 1, 0)
    identity = store.open_identity(KEYS.vault, found.person, found.wrapped_key, found.box)
    assert identity == {name: value for name, value in IDENTITY.items() if name != "form_kept"}
    assert end(journal, subject, "esf_record") is None, "nothing is left"


def test_who_was_no_participant_keeps_the_standing_and_no_answer_of_the_form(engine: Engine, journal: Journal) -> None:
    visitor = arrival("v", "visitor", start_date=date(2016, 3, 1), identity={"token": "Nalle"})
    client = arrival("c", "client", record={"disability": "yes", "form_signed_on": "2016-03-01", "interpreter": "so"})
    results, _ = register(journal, visitor, client)
    for result in results:
        assert end(journal, result["subject"], "esf_record")
        assert end(journal, result["subject"], "esf_record") is None, "the same again"
    kept = {row["standing"]: row["record"] for row in kit.rows(engine, store.participation)}
    assert {name: json.loads(record) for name, record in kept.items()} == {
        "visitor": {},
        "client": {"interpreter": "so"},
    }


def test_a_protected_address_stays_protected_when_the_record_goes(engine: Engine, journal: Journal) -> None:
    guarded = {"gender": "f", "protected_address": "yes"}
    made = str(register(journal, arrival("g", record=guarded))[0][0]["subject"])
    assert end(journal, made, "esf_record")
    (row,) = kit.rows(engine, store.participation)
    assert (row["standing"], json.loads(row["record"])) == ("client", {"protected_address": "yes"})


def test_texts_and_referrals_go_with_the_support_and_are_taken_back_first(
    engine: Engine, journal: Journal, subject: str
) -> None:
    seen: list[str] = []
    assert end(journal, subject, "support", first=lambda _unit, _programme, who: seen.append(who))
    assert seen == [subject]
    assert kit.rows(engine, text_store.text) == []
    assert "activities.attendance_recorded" not in readable(engine, subject)


def test_a_parked_line_of_it_goes_too(engine: Engine, journal: Journal, subject: str) -> None:
    pos = next(row["pos"] for row in kit.rows(engine, journal_line) if row["kind"] == "measurement.score_computed")
    parked = {"service": "x", "pos": pos, "subject": bytes.fromhex(subject), "error": "X", "parked_at": "2016"}
    with transaction(engine) as connection:
        connection.execute(journal_parked.insert(), parked)
    end(journal, subject, "measurement")
    assert kit.rows(engine, journal_parked) == []


def test_every_holder_gives_its_receipt(engine: Engine, journal: Journal, subject: str) -> None:
    ending = end(journal, subject, "support")
    assert ending is not None
    (first,) = endings(engine, subject)
    assert [row["holder"] for row in first["receipts"]] == ["intake"]
    assert first["waiting"] == ["activities", "pathways", "reporting"]
    for fact in (
        ActivitiesCleared(subject, ending=ending, programme=kit.KEY, rows=3),
        LeadCleared(ending=ending, rows=1),
    ):
        with transaction(engine) as connection:
            for _ in range(2):
                rights_store.add_receipt(connection, ending, fact.kind.partition(".")[0], fact["rows"], "2016")
            rights_store.add_receipt(connection, "9" * 32, "activities", 1, "2016")
    (after,) = endings(engine, subject)
    assert {row["holder"]: row["rows"] for row in after["receipts"]} == {"activities": 3, "intake": 1, "reporting": 1}
    assert after["waiting"] == ["pathways"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"date": date(2036, 1, 1)}, "date: in the future"),
        ({"consents": ("support",)}, "consents: support is no matter of consent"),
        ({"subject": "9" * 32}, "no such person"),
    ],
)
def test_what_nobody_can_have_been_told_is_refused(
    engine: Engine, journal: Journal, subject: str, changes: dict[str, Any], said: str
) -> None:
    heads = kit.heads(engine)
    result = inform(journal, **{"subject": subject} | changes)
    assert said in PolkuError.from_wire(result["error"]).message()
    assert kit.heads(engine) == heads


def test_who_is_restricted_is_informed_all_the_same(sqlite_engine: Engine) -> None:
    journal = known(sqlite_engine)
    made = str(register(journal, arrival())[0][0]["subject"])
    rights.restrict_person(journal, kit.KEY, made, "accuracy", lift=False, by="worker", now=kit.NOW)
    assert inform(journal, made)["new"]


def test_being_informed_stays_on_the_node_and_the_same_again_adds_nothing(
    engine: Engine, journal: Journal, subject: str
) -> None:
    assert inform(journal, subject)["new"]
    assert not inform(journal, subject)["new"]
    last = kit.lines(engine)[-1]
    assert (last.stream, last.kind) == (f"{kit.NODE}/local", "intake.person_informed")
    (row,) = kit.rows(engine, rights_store.informed)
    assert (row["notice"], row["language"], row["consents"]) == (3, "sv", "measurement")
    with snapshot(engine) as connection:
        told = {"notice": 3, "language": "sv", "consents": ["measurement"], "occurred_on": "2016-03-01"}
        assert rights_store.informed_of(connection, kit.KEY, subject) == [told]
        assert rights_store.informed_of(connection, "another", subject) == []


# --- kept by law


def test_what_the_law_wants_kept_is_refused_with_its_last_day(engine: Engine, journal: Journal, subject: str) -> None:
    law(engine)
    heads = kit.heads(engine)
    with pytest.raises(KeptByLaw, match=r"esf_record is kept by legal obligation until 2021-12-31 \(Reg\."):
        end(journal, subject, "esf_record")
    with pytest.raises(KeptByLaw):
        erase(journal, subject)
    assert kit.heads(engine) == heads
    assert end(journal, subject, "support"), "the law wants no more than that kept"
    assert end(journal, subject, "measurement")


def test_after_its_last_day_it_may_go(engine: Engine, journal: Journal, subject: str) -> None:
    law(engine)
    with pytest.raises(KeptByLaw):
        erase(journal, subject, now=datetime(2021, 12, 31, 12, tzinfo=UTC))
    assert erase(journal, subject, now=datetime(2021, 12, 31, 22, 30, tzinfo=UTC)), "the next day has come in Helsinki"


def test_who_has_no_record_is_not_kept_by_the_law_about_it(engine: Engine, journal: Journal) -> None:
    visitor = str(register(journal, arrival("v", standing="client"))[0][0]["subject"])
    law(engine)
    assert erase(journal, visitor)
    assert not erase(journal, visitor)
    with pytest.raises(UnknownPerson):
        erase(journal, "9" * 32)


def test_answers_of_a_client_without_a_start_are_not_kept_by_law(sqlite_engine: Engine) -> None:
    engine, journal = sqlite_engine, known(sqlite_engine)
    law(engine)
    client = str(register(journal, arrival("c", standing="client", record={"education": 3}))[0][0]["subject"])
    assert end(journal, client, "esf_record")
    assert kit.rows(engine, store.participation)[0]["record"] == "{}"
    with pytest.raises(InvalidInput, match="only a consent"):
        end(journal, client, "esf_record", "withdrawn")


def erase(journal: Journal, subject: str, now: datetime = kit.NOW) -> bool:
    common: dict[str, Any] = {"by": "worker", "now": now, "may": purposes.check_may_erase}
    return operations.erase_person(journal, kit.KEY, subject, **common)[0]


def test_whoever_is_erased_leaves_no_row_of_purposes(engine: Engine, journal: Journal, subject: str) -> None:
    inform(journal, subject)
    end(journal, subject, "measurement", "withdrawn")
    assert erase(journal, subject)
    for table in (rights_store.informed, rights_store.ending, rights_store.receipt, restricted):
        assert kit.rows(engine, table) == []


def lost(engine: Engine, *facts: PurposeEnded) -> None:
    """Lines that a restored home has lost and its lead has shown."""
    receive(engine, f"{kit.NODE}/{kit.KEY}", facts)


def again(journal: Journal) -> int | None:
    return purposes.end_again(journal, KEYS, kit.NOW, lambda *_: None)


def test_what_had_ended_after_the_backup_is_ended_again_once(engine: Engine, journal: Journal, subject: str) -> None:
    said = PurposeEnded.example | {"purpose": "measurement", "why": "asked"}
    lost(engine, PurposeEnded(subject, **said), PurposeEnded("9" * 32, **said | {"ending": "9" * 32}))
    with transaction(engine) as connection:
        connection.execute(journal_hold.insert(), {"one": 1, "since": "2016-11-22T09:15:02.123456Z"})
    assert again(journal) is None, "nothing is proved yet"
    with transaction(engine) as connection:
        connection.execute(journal_hold.delete())
    assert again(journal) is not None
    assert ScoreComputed.kind not in readable(engine, subject)
    (ended,) = endings(engine, subject)
    assert (ended["purpose"], ended["why"]) == ("measurement", "asked")
    assert ended["ending"] != PurposeEnded.example["ending"], "the lead hears of it anew, and gives its receipt"
    with journal.unit(kit.NOW) as unit:
        unit.record(MeasurementCleared(subject, ending=ended["ending"], programme=kit.KEY, rows=1))
    measure(journal, subject)
    assert again(journal) is None
    assert ScoreComputed.kind in readable(engine, subject), "what was recorded since stays"
    assert [entry["by"] for entry in kit.audit(engine) if entry["action"] == "end_purpose"] == ["restore"]


def test_a_withdrawn_consent_holds_again_after_a_restore_also_where_nothing_was_recorded(
    engine: Engine, journal: Journal
) -> None:
    who = str(register(journal, arrival("other"))[0][0]["subject"])
    lost(engine, PurposeEnded(who, **PurposeEnded.example | {"why": "withdrawn"}))
    again(journal)
    with pytest.raises(ConsentWithdrawn):
        measure(journal, who)
    again(journal)
    assert len(endings(engine, who)) == 1
    operations.erase_person(journal, kit.KEY, who, by="w", now=kit.NOW)
    assert again(journal) is None


@pytest.mark.parametrize(("reason", "kept"), [("died", "died"), ("moved", "left")])
def test_who_had_left_is_no_less_away_when_the_record_is_erased_until_they_are_back(
    engine: Engine, journal: Journal, subject: str, reason: str, kept: str
) -> None:
    leave(journal, leaving(subject, reason=reason))
    common: dict[str, Any] = {"by": "worker", "now": kit.NOW}
    contact = contacts.NewContact(kit.key_of("c"), subject, {"phone": "0401112223"})
    contacts.add_contacts(journal, KEYS, kit.KEY, [contact], **common)
    end(journal, subject, "esf_record")
    (row,) = queries.list_people(engine, kit.KEY, 9, 0)[1]
    assert (row.standing, row.ended_on, row.end_reason) == ("client", None, kept), "without the day, or why"
    assert bool(contacts.read_contacts(journal, KEYS, kit.KEY, [subject], **common)) == (kept == "left")
    assert end(journal, subject, "esf_record") is None, "that is no record of the fund"
    assert exits.resume_participation(journal, kit.KEY, subject, date(2016, 10, 1), **common)[0]
    (row,) = queries.list_people(engine, kit.KEY, 9, 0)[1]
    assert (row.end_reason, row.standing) == (None, "client")
    with pytest.raises(InvalidInput, match="has not left"):
        exits.resume_participation(journal, kit.KEY, subject, date(2016, 10, 2), **common)


def test_who_begins_anew_after_the_record_was_erased_is_there(engine: Engine, journal: Journal, subject: str) -> None:
    leave(journal, leaving(subject))
    end(journal, subject, "esf_record")
    new = Raise(kit.key_of("r"), subject, None, arrival("x", "esf_participant", start_date=date(2016, 9, 1)))
    (result,), _ = raising.raise_standing(journal, KEYS, kit.KEY, [new], by="worker", now=kit.NOW, desk=DESK)
    assert result["new"]
    (row,) = queries.list_people(engine, kit.KEY, 9, 0)[1]
    assert (row.started_on, row.end_reason) == (date(2016, 9, 1), None)
