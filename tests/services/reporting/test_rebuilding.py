"""`polku reporting rebuild --check`: equal to the row, and every difference found; nothing is written."""

from typing import Any, ClassVar

import pytest
from sqlalchemy import Engine, delete, insert, update

from services.reporting import effects, operations, outdated_store, queries, rebuilding, store, versions
from services.reporting.operations import derive_what_has_become_readable
from shared.contracts import catalogue
from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Day
from shared.journal.carry_tables import received_line
from shared.journal.lines import line_digest
from shared.storage import LINES_AT_ONCE, transaction
from tests.services.kit import OTHER, OWN, changed, rows
from tests.services.reporting.kit import (
    NOW,
    STREAMS,
    admit,
    attendance,
    derive_all,
    heads,
    hex_id,
    lead,
    line,
    receive,
    session,
    standing,
)

MINE, THEIRS = STREAMS[OWN], STREAMS[OTHER]


@pytest.fixture
def derived(engine: Engine) -> Engine:
    """A lead with two streams, corrections and a refused line, all derived."""
    lead(engine)
    admit(engine, OWN, OTHER)
    many = [standing(name, "client") for name in range(30)]
    receive(
        engine,
        MINE,
        [
            session("s", "kaapeli", "2016-03-01", 60),
            *many,
            session("s", "kaapeli", "2016-03-02", 90),
            attendance("a", "s", 1, "participant"),
            attendance("b", "nowhere", 1, "participant"),
            None,
            standing(1, "esf_participant"),
        ],
    )
    receive(engine, THEIRS, [session("t", "public_event", "2016-04-01", 120), heads("t", 148)])
    derive_all(engine)
    return engine


def differences(engine: Engine) -> list[tuple[Any, ...]]:
    found = rebuilding.check(engine)
    assert found["equal"] == (not found["differences"])
    return [(d["stream"], d["table"], d["missing"], d["unexpected"], d["changed"]) for d in found["differences"]]


def test_what_was_derived_is_derived_again_to_the_row(derived: Engine) -> None:
    assert rebuilding.check(derived) == {"equal": True, "streams": 2, "lines": 38, "differences": []}


def test_in_whatever_batches_it_was_derived(derived: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "DERIVE_BATCH", dict.fromkeys(LINES_AT_ONCE, 3))
    assert rebuilding.check(derived)["equal"]


def test_an_empty_lead_is_equal(engine: Engine) -> None:
    lead(engine)
    assert rebuilding.check(engine) == {"equal": True, "streams": 0, "lines": 0, "differences": []}


def test_what_arrived_and_was_not_derived_yet_is_no_difference(derived: Engine) -> None:
    receive(derived, MINE, [session("new", "kaapeli", "2016-05-01", 60)])
    assert differences(derived) == []
    derive_all(derived)
    assert rebuilding.check(derived)["lines"] == 39


def test_after_a_new_version_of_the_programme_it_is_equal_again(derived: Engine) -> None:
    newer = changed(name={"fi": "Toinen", "sv": "Annan", "en": "Another"})
    versions.load_programme(lead(derived), newer, "boss", NOW)
    assert differences(derived) == []
    derive_all(derived)
    assert rebuilding.check(derived) == {"equal": True, "streams": 2, "lines": 38, "differences": []}


SESSION = bytes.fromhex(hex_id("session", "s"))
DAMAGE = {
    "changed": (
        update(store.session).where(store.session.c.session == SESSION).values(minutes=91),
        "reporting_session",
    ),
    "missing": (delete(store.attendance), "reporting_attendance"),
    "unexpected": (
        insert(store.heads).values(stream=MINE, session=b"x" * 16, heads=7, basis="counted"),
        "reporting_heads",
    ),
    "person": (update(store.person).values(standing="visitor"), "reporting_person"),
    "aside": (delete(store.aside), "reporting_aside"),
    "chain": (update(store.cursor).where(store.cursor.c.stream == MINE).values(chain=b"?" * 32), "reporting_cursor"),
}


@pytest.mark.parametrize(("damage", "table"), DAMAGE.values(), ids=DAMAGE)
def test_a_row_that_differs_is_found_in_its_table_alone(derived: Engine, damage: Any, table: str) -> None:
    with transaction(derived) as connection:
        connection.execute(damage)
    found = differences(derived)
    assert [(row[0], row[1]) for row in found] == [(MINE, table)]
    assert sum(found[0][2:]) >= 1


def test_a_stream_without_a_cursor_has_no_derived_rows(derived: Engine) -> None:
    with transaction(derived) as connection:
        connection.execute(delete(store.cursor).where(store.cursor.c.stream == THEIRS))
    assert {(row[1], row[3]) for row in differences(derived)} == {("reporting_session", 1), ("reporting_heads", 1)}


def test_a_stored_line_that_was_changed_is_found_even_if_the_figures_follow_it(derived: Engine) -> None:
    forged = line(THEIRS, 2, heads("t", 1480))
    with transaction(derived) as connection:
        row = (received_line.c.stream == THEIRS) & (received_line.c.seq == 2)
        connection.execute(update(received_line).where(row).values(line=forged))
        connection.execute(update(store.heads).values(heads=1480))
    assert differences(derived) == [(THEIRS, "received_line", 0, 0, 1)]
    with transaction(derived) as connection:
        connection.execute(update(received_line).where(row).values(digest=line_digest(forged)))
    assert differences(derived) == [(THEIRS, "reporting_cursor", 0, 0, 1)], "then the chain says it"


def test_keys_are_named_but_never_a_subject(derived: Engine) -> None:
    with transaction(derived) as connection:
        connection.execute(delete(store.person))
        connection.execute(delete(store.session).where(store.session.c.stream == MINE))
    found = rebuilding.check(derived)["differences"]
    assert [d["keys"] for d in found] == [[f"session={SESSION.hex()}"], []]
    assert hex_id("person", 1) not in str(found)


def test_it_writes_nothing_and_holds_up_no_writer(derived: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [rows(derived, table) for table in rebuilding.TABLES]
    seen = []

    def meanwhile(*arguments: Any) -> Any:
        with transaction(derived) as connection:  # in the middle of the check, from another connection
            connection.execute(
                insert(store.heads).values(stream="n-00000000/x", session=seen_id(), heads=1, basis="counted")
            )
        return real(*arguments)

    def seen_id() -> bytes:
        seen.append(len(seen))
        return len(seen).to_bytes(16, "big")

    real = rebuilding.derive_next
    monkeypatch.setattr(rebuilding, "derive_next", meanwhile)
    assert rebuilding.check(derived)["equal"], "one snapshot: what is written meanwhile is not seen"
    assert seen
    with transaction(derived) as connection:
        connection.execute(delete(store.heads).where(store.heads.c.stream == "n-00000000/x"))
    assert [rows(derived, table) for table in rebuilding.TABLES] == before


class HappenedLater(Fact):
    """Of a newer release."""

    kind, v, reach, about = "activities.happened_later", 1, Reach.LEAD, About.NOBODY
    occurred_on = Day()
    example: ClassVar = {"occurred_on": "2016-03-01"}


def test_lines_of_a_newer_release_are_derived_anew_when_this_release_knows_them(
    derived: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(derived, MINE, [HappenedLater(occurred_on="2016-03-01")])
    with transaction(derived) as connection:
        at = received_line.c.line.is_not(None) & (received_line.c.seq == 37)
        connection.execute(update(received_line).where(at).values(kind=HappenedLater.kind, v=1))
    derive_all(derived)
    assert queries.aside_counts(derived) == {(MINE, "foreign_session"): 1, (MINE, "newer"): 1}
    assert {(row["seq"], row["kind"], row["reason"]) for row in queries.list_aside(derived)} == {
        (34, catalogue.AttendanceRecorded.kind, "foreign_session"),
        (37, HappenedLater.kind, "newer"),
    }
    derive_what_has_become_readable(derived)
    assert not operations.derive(derived, {}), "still newer: nothing is done"
    known = {**catalogue.FACTS, (HappenedLater.kind, 1): HappenedLater}
    for module in (outdated_store, effects):
        monkeypatch.setattr(module, "FACTS", known)
    monkeypatch.setitem(effects.EFFECTS, HappenedLater, lambda *_: None)
    derive_what_has_become_readable(derived)
    derive_all(derived)
    assert queries.aside_counts(derived) == {(MINE, "foreign_session"): 1}
    assert rebuilding.check(derived)["equal"]
