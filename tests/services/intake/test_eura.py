"""What is known of people's data in EURA: entries, who is missing, and the counts that the lead gets."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select

from services.intake import eura, exits, operations, queries, rights, start_store, starts, store
from services.intake.eura import NewEntry
from services.intake.records import NewExit
from services.intake.starts import NewStart
from shared.journal import Journal
from shared.journal.lines import parse
from shared.journal.tables import journal_line
from shared.storage import snapshot
from tests.services import kit
from tests.services.intake.kit import DESK, KEYS, arrival, known, register

LEFT = date(2016, 6, 1)


def person(journal: Journal, name: str, *, left: date | None = None, **changes: Any) -> str:
    results, _ = register(journal, arrival(name, **changes))
    subject = str(results[0]["subject"])
    if left:
        leaving = NewExit(kit.key_of(f"{name} {left}"), subject, left, "completed", None, None)
        exits.record_exits(journal, kit.KEY, [leaving], by="worker", now=kit.NOW)
    return subject


def note(journal: Journal, subject: str, record: str, day: date = LEFT, by: str = "self", **options: Any) -> Any:
    new = NewEntry(kit.key_of(f"{subject}{record}{day}{by}"), subject, record, by, day)
    return eura.note_entries(journal, KEYS.vault, kit.KEY, [new], by="worker", now=kit.NOW, **options)[0][0]


def counted(engine: Engine) -> list[dict[str, Any]]:
    return [line.body for line in kit.lines(engine) if line.kind == "intake.eura_counted"]


def test_who_lacks_start_or_exit_is_listed_and_who_has_both_is_not(engine: Engine, journal: Journal) -> None:
    gone, here = person(journal, "gone", left=LEFT), person(journal, "here")
    person(journal, "client", standing="client")
    for subject, record, by in ((gone, "start", "worker"), (gone, "exit", "self"), (here, "start", "self")):
        assert note(journal, subject, record, by=by)["new"]
    bare = person(journal, "bare", left=LEFT, record={"gender": "f", "service_language": "sv"})
    found = queries.eura_worklist(engine, kit.KEY)
    assert found["counts"] == {"participants": 3, "starts": 2, "left": 2, "exits": 1}
    assert found["people"] == [
        {"person": bare, "service_language": "sv", "left": True, "start": None, "exit": None},
    ]
    note(journal, bare, "start")
    assert queries.eura_worklist(engine, kit.KEY)["people"][0]["start"] == {"on": "2016-06-01", "by": "self"}


def test_the_lead_gets_counts_and_the_node_keeps_who(engine: Engine, journal: Journal) -> None:
    gone = person(journal, "gone", left=LEFT)
    note(journal, gone, "start")
    note(journal, gone, "exit")
    assert counted(engine) == [{"starts": 1, "exits": 0}, {"starts": 1, "exits": 1}]
    to_lead = [line for line in kit.lines(engine) if line.kind.startswith("intake.eura") and "local" not in line.stream]
    assert [line.subject for line in to_lead] == [None, None]


def test_an_entry_proves_a_start_record_of_esf_plus_and_the_lead_is_told_once(engine: Engine) -> None:
    kit.put_programme(engine, store.shelf, kit.changed(funding_programme="esf_plus_2021_2027"))
    journal = Journal(engine, kit.NODE)
    subject = person(journal, "p", record={"gender": "f", "education": 3})
    note(journal, subject, "start")
    note(journal, subject, "start", by="worker")
    told = [line.body for line in kit.lines(engine) if line.kind == "intake.participation_started"]
    assert [body.pop("proof") for body in told] == ["none", "eura"]
    assert told[0] == told[1], "and nothing else is another, the age neither"


def test_an_entry_of_an_earlier_exit_is_none_of_the_later(engine: Engine, journal: Journal) -> None:
    subject = person(journal, "p", left=LEFT)
    note(journal, subject, "exit")
    later = NewExit(kit.key_of("later"), subject, date(2016, 9, 1), "completed", None, None)
    exits.record_exits(journal, kit.KEY, [later], by="worker", now=kit.NOW)
    assert queries.eura_worklist(engine, kit.KEY)["people"][0]["exit"] is None
    assert note(journal, subject, "exit", LEFT, "worker")["error"]["params"]["field"] == "date"


@pytest.mark.parametrize(
    ("standing", "record", "day", "field"),
    [
        ("client", "start", LEFT, "person"),
        ("esf_participant", "exit", LEFT, "person"),
        ("esf_participant", "start", date(2036, 1, 1), "date"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(
    sqlite_engine: Engine, standing: str, record: str, day: date, field: str
) -> None:
    engine, journal = sqlite_engine, known(sqlite_engine)
    subject = person(journal, "p", standing=standing)
    before = kit.heads(engine)
    assert note(journal, subject, record, day)["error"]["params"]["field"] == field
    assert kit.heads(engine) == before


def test_the_same_entry_again_adds_nothing_and_all_goes_with_the_person(engine: Engine, journal: Journal) -> None:
    subject = person(journal, "p", left=LEFT)
    note(journal, subject, "exit")
    before = kit.heads(engine)
    assert note(journal, subject, "exit") == {"subject": subject, "new": False}
    assert kit.heads(engine) == before
    operations.erase_person(journal, kit.KEY, subject, by="worker", now=kit.NOW)
    assert kit.rows(engine, start_store.exit_form) == []


def test_whatever_changes_who_is_known_there_tells_the_count(engine: Engine, journal: Journal) -> None:
    entered = {"gender": "f", "eura_on": "2016-06-01", "eura_by": "self"}
    one, two = (person(journal, name, left=LEFT, record=entered) for name in ("one", "two"))
    note(journal, two, "exit")
    assert counted(engine) == [{"starts": 1, "exits": 0}, {"starts": 2, "exits": 0}, {"starts": 2, "exits": 1}]
    common = {"by": "worker", "now": kit.NOW}
    exits.resume_participation(journal, kit.KEY, two, date(2016, 7, 1), **common)
    rights.correct_person(journal, KEYS, kit.KEY, two, {}, {"eura_on": None, "eura_by": None}, **common, desk=DESK)
    assert counted(engine)[3:] == [{"starts": 2, "exits": 0}, {"starts": 1, "exits": 0}]
    _, last = operations.erase_person(journal, kit.KEY, one, **common)
    with snapshot(engine) as connection:
        line = connection.execute(select(journal_line.c.line).where(journal_line.c.pos == (last or 0) - 1)).scalar_one()
    assert (parse(line).kind, parse(line).body) == ("intake.eura_counted", {"starts": 0, "exits": 0})


def test_a_client_whose_entry_was_known_already_is_counted_when_a_list_starts_them(sqlite_engine: Engine) -> None:
    engine, journal = sqlite_engine, known(sqlite_engine)
    entered = {"gender": "f", "eura_on": "2016-03-03", "eura_by": "worker"}
    clients = [person(journal, name, standing="client", record=entered) for name in ("one", "two")]
    new = [NewStart(kit.key_of(who), who, None, date(2016, 3, 1), {"paid_by_project": "no"}, {}) for who in clients]
    starts.record_starts(journal, KEYS, kit.KEY, new, by="worker", now=kit.NOW, desk=DESK)
    assert counted(engine) == [{"starts": 2, "exits": 0}]
