"""The operator's commands: parked lines, the audit log's chain, the figures derived anew, the documents."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, text, update

from services.activities.store import person
from services.reporting import store as reporting
from shared.contracts.catalogue import StandingReached
from shared.journal import Journal
from shared.journal.tables import journal_audit, journal_cursor, journal_parked
from shared.ops.settings import load_home
from shared.storage import transaction
from tests.services import kit
from tests.services.kit import KEY, NOW, OTHER, OWN
from tests.services.node.commands import database, run
from tests.services.reporting import kit as received

ANNA, BERTTA = "a" * 32, "b" * 32


def park(home: Path, *subjects: str) -> Engine:
    """Have a standing of each subject parked in activities, as after failures."""
    engine = database(home)
    first: dict[str, str] = {}
    with Journal(engine, load_home(home).name).unit(NOW) as unit:
        for subject in subjects:
            unit.record(StandingReached(subject, standing="client"), KEY)
    with transaction(engine) as connection:
        connection.execute(insert(journal_cursor), {"service": "activities", "pos": len(subjects)})
        for pos, subject in enumerate(subjects, 1):
            error = "waits for an earlier line" if subject in first else "KeyError"
            first[subject] = error
            row = {"service": "activities", "pos": pos, "subject": bytes.fromhex(subject), "error": error}
            connection.execute(insert(journal_parked), {**row, "parked_at": "2026-11-22T09:15:02.123456Z"})
    return engine


def still_parked(engine: Engine) -> list[int]:
    return [row["pos"] for row in kit.rows(engine, journal_parked)]


# --- parked


def test_nothing_is_parked_in_a_new_home(node: Path, lead: Path) -> None:
    for home, empty in ((node, {"parked": [], "lost": []}), (lead, {"parked": [], "aside": []})):
        assert run("parked", "list", home=home).out == "nothing is parked\n"
        assert json.loads(run("parked", "list", "--json", home=home).out) == empty
        assert (run("parked", "retry", home=home).code, run("parked", "retry", home=home).out) == (
            0,
            "nothing is parked\n",
        )


def test_what_is_parked_is_listed_and_nobody_is_named(node: Path) -> None:
    park(node, ANNA, BERTTA, ANNA)
    done = run("parked", "list", home=node)
    assert done.out.splitlines() == [
        "activities 1  intake.standing_reached  KeyError  since 2026-11-22T09:15:02.123456Z",
        "activities 2  intake.standing_reached  KeyError  since 2026-11-22T09:15:02.123456Z",
        "activities 3  intake.standing_reached  waits for an earlier line (1)  since 2026-11-22T09:15:02.123456Z",
    ]
    found = json.loads(run("parked", "list", "--json", home=node).out)["parked"]
    assert [(row["pos"], row["queue"]) for row in found] == [(1, 1), (2, 2), (3, 1)]
    assert ANNA not in str(found)


def test_a_retry_that_fails_says_so_and_one_that_succeeds_takes_all_effects(node: Path) -> None:
    engine = park(node, ANNA, BERTTA, ANNA)
    with engine.begin() as connection:
        poison = f"WHEN NEW.subject = x'{ANNA}' BEGIN SELECT RAISE(ABORT, 'poisoned'); END"
        connection.execute(text(f"CREATE TRIGGER poison BEFORE INSERT ON activities_person {poison}"))
    done = run("parked", "retry", home=node)
    assert (done.code, done.out.splitlines()) == (
        1,
        ["activities 1: 0 took effect; line 1 failed again: IntegrityError", "activities 2: 1 took effect"],
    )
    assert "poisoned" not in done.err
    assert still_parked(engine) == [1, 3]
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER poison"))
    done = run("parked", "retry", "activities", 3, "--json", home=node)
    assert (done.code, json.loads(done.out)) == (
        0,
        [{"service": "activities", "queue": 1, "done": 2, "error": None, "at": None}],
    )
    assert still_parked(engine) == []
    assert {row["subject"].hex() for row in kit.rows(engine, person)} == {ANNA, BERTTA}
    assert [entry["pos"] for entry in kit.audit(engine) if entry["action"] == "retry_parked"] == [2, 1, 3]


def test_a_drop_needs_a_reason_that_is_a_code_and_is_audited(node: Path) -> None:
    engine = park(node, ANNA, ANNA)
    assert run("parked", "drop", "activities", 1, home=node).code == 2
    done = run("parked", "drop", "activities", 1, "--reason", "Matti Meikäläinen said so", home=node)
    assert done.code == 2
    assert "Matti" not in done.err
    assert still_parked(engine) == [1, 2]
    done = run("parked", "drop", "activities", 1, "--reason", "recorded_twice", home=node)
    assert done.out == "activities 1: dropped; 1 wait behind it: `polku parked retry activities`\n"
    assert still_parked(engine) == [2]
    (entry,) = (entry for entry in kit.audit(engine) if entry["action"] == "drop_parked")
    assert (entry["service"], entry["pos"], entry["reason"]) == ("activities", 1, "recorded_twice")
    assert entry["by"].startswith("cli:")


@pytest.mark.parametrize("words", [("drop", "activities", 7, "--reason", "x"), ("retry", "activities", 7)])
def test_what_is_not_parked_is_told_without_opening_the_home(node: Path, words: tuple[object, ...]) -> None:
    done = run("parked", *words, home=node)
    assert (done.code, done.error) == (2, "There is no such parked line.")


def test_a_lead_lists_the_lines_that_are_not_in_the_figures(lead: Path) -> None:
    engine = database(lead)
    received.lead(engine)
    received.admit(engine, OWN)
    received.receive(engine, received.STREAMS[OWN], [received.attendance("a", "nowhere", 1, "participant")])
    received.derive_all(engine)
    stream = received.STREAMS[OWN]
    assert run("parked", "list", home=lead).out == (
        f"{stream} 1  activities.attendance_recorded v1  not in the figures: foreign_session\n"
    )
    (row,) = json.loads(run("parked", "list", "--json", home=lead).out)["aside"]
    assert (row["stream"], row["seq"], row["reason"]) == (stream, 1, "foreign_session")


# --- audit verify


def logged(home: Path) -> Engine:
    engine = database(home)
    for number in range(3):
        with Journal(engine, load_home(home).name).unit(NOW) as unit:
            unit.audit("cli:boss", "tested", number=number)
    return engine


@pytest.mark.parametrize("role", ["lead", "node"])
def test_a_whole_log_is_whole(role: str, request: pytest.FixtureRequest) -> None:
    home = request.getfixturevalue(role)
    assert run("audit", "verify", home=home).out == "0 entries, whole\n"
    logged(home)
    done = run("audit", "verify", home=home)
    assert (done.code, done.out) == (0, "3 entries, whole\n")


def test_a_missing_entry_is_told_by_its_number(node: Path) -> None:
    with transaction(logged(node)) as connection:
        connection.execute(delete(journal_audit).where(journal_audit.c.n == 2))
    done = run("audit", "verify", home=node)
    assert (done.code, done.out) == (1, "broken at entry 2 of 2\n")


def test_a_changed_entry_is_found(node: Path) -> None:
    engine = logged(node)
    with transaction(engine) as connection:
        entry = connection.execute(select(journal_audit.c.entry).where(journal_audit.c.n == 1)).scalar_one()
        forged = entry.replace(b"cli:boss", b"cli:hero")
        connection.execute(update(journal_audit).where(journal_audit.c.n == 1).values(entry=forged))
    done = run("audit", "verify", "--json", home=node)
    assert (done.code, json.loads(done.out)) == (1, {"whole": False, "entries": 3, "broken_at": 3})


# --- reporting rebuild --check


def test_on_a_node_there_is_nothing_to_rebuild(node: Path) -> None:
    done = run("reporting", "rebuild", "--check", home=node)
    assert (done.code, done.out) == (0, "a node derives no figures: nothing to check\n")
    assert json.loads(run("reporting", "rebuild", "--check", "--json", home=node).out)["equal"] is True


def test_rebuilding_without_check_is_not_in_this_release(lead: Path) -> None:
    done = run("reporting", "rebuild", home=lead)
    assert (done.code, done.error) == (2, "`reporting rebuild` without --check: not in this release")


def test_a_check_is_equal_or_says_what_differs_and_exits_1(lead: Path) -> None:
    engine = database(lead)
    received.lead(engine)
    received.admit(engine, OWN, OTHER)
    facts = [received.session("s", "kaapeli", "2016-03-01", 60), received.standing(1, "client")]
    received.receive(engine, received.STREAMS[OWN], facts)
    received.derive_all(engine)
    done = run("reporting", "rebuild", "--check", home=lead)
    assert (done.code, done.out) == (0, "2 lines of 1 streams derived anew: equal\n")
    with transaction(engine) as connection:
        connection.execute(update(reporting.session).values(minutes=61))
    before = kit.rows(engine, reporting.session)
    done = run("reporting", "rebuild", "--check", home=lead)
    id_ = received.hex_id("session", "s")
    said = f"{received.STREAMS[OWN]}  reporting_session: 1 changed (session={id_})\n"
    assert (done.code, done.out) == (1, said)
    found: dict[str, Any] = json.loads(run("reporting", "rebuild", "--check", "--json", home=lead).out)
    assert (found["equal"], found["differences"][0]["changed"]) == (False, 1)
    assert kit.rows(engine, reporting.session) == before, "it says so and changes nothing"


# --- docs


def test_documents_are_written_and_then_current(tmp_path: Path) -> None:
    assert run("docs", "--check", tmp_path).code == 1
    assert list(tmp_path.iterdir()) == []
    assert run("docs", tmp_path).code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"contracts.md", "asyncapi.yaml", "metrics.md"}
    assert run("docs", "--check", tmp_path).out == "all current\n"
