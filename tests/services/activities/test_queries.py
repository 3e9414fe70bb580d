"""The list of sessions."""

from datetime import date

import pytest
from sqlalchemy import Engine

from services.activities import queries, store
from shared.contracts.errors import UnknownProgramme
from tests.services import kit
from tests.services.activities.kit import attendance, event, known, record_attendance, record_sessions, session


def test_a_session_is_listed_with_what_was_recorded_of_it(engine: Engine) -> None:
    (held,), _ = record_sessions(known(engine), session())
    assert queries.list_sessions(engine, kit.KEY, 10, 0) == {
        "total": 1,
        "attendances": 0,
        "heads": {},
        "sessions": [
            {
                "session": held["session"],
                "activity": "kaapeli",
                "occurred_on": "2016-03-01",
                "start": "09:30",
                "minutes": 120,
                "location": "sampola_meeting_place",
                "area": "sampola",
                "attendances": 0,
                "heads": None,
                "heads_basis": None,
            }
        ],
    }


def test_attendances_are_those_of_participants_as_in_the_report(engine: Engine) -> None:
    journal = known(engine)
    (held, _), _ = record_sessions(journal, session("a"), session("b"))
    there = [attendance(held["session"], role, role=role) for role in ("participant", "peer_instructor", "staff")]
    record_attendance(journal, *there)
    listed = queries.list_sessions(engine, kit.KEY, 10, 0)["sessions"]
    assert {row["session"] == held["session"]: row["attendances"] for row in listed} == {True: 1, False: 0}


def test_where_heads_are_counted_there_are_no_attendances_and_0_is_not_nothing(engine: Engine) -> None:
    uncounted = event("c", heads=None, women=None, basis=None)
    record_sessions(known(engine), event("a"), event("b", heads=0, women=0), uncounted)
    listed = queries.list_sessions(engine, kit.KEY, 10, 0)["sessions"]
    found = {(row["heads"], row["heads_basis"], row["attendances"]) for row in listed}
    assert found == {(148, "estimated", None), (0, "estimated", None), (None, None, None)}


def test_the_sessions_behind_one_figure_come_to_it_each_basis_by_itself(engine: Engine) -> None:
    journal = known(engine)
    (held, *_), _ = record_sessions(
        journal,
        session("a"),
        event("b"),
        event("c", heads=10, women=None, basis="counted"),
        event("d", heads=0, women=0),
    )
    record_attendance(journal, attendance(held["session"], "e"))
    whole = queries.list_sessions(engine, kit.KEY, 1, 0)
    assert (whole["total"], whole["attendances"], whole["heads"]) == (4, 1, {"counted": 10, "estimated": 148})
    heads = queries.list_sessions(engine, kit.KEY, 10, 0, ["public_event"])
    assert (heads["total"], heads["attendances"], heads["heads"]) == (3, 0, {"counted": 10, "estimated": 148})
    assert queries.list_sessions(engine, kit.KEY, 10, 0, [])["total"] == 0


def test_sessions_come_newest_first_in_pages_without_gap_or_repetition(engine: Engine) -> None:
    days = [date(2016, 1, 1 + n % 4) for n in range(7)]
    record_sessions(known(engine), *(session(str(n), occurred_on=day) for n, day in enumerate(days)))
    whole = queries.list_sessions(engine, kit.KEY, 100, 0)["sessions"]
    assert [row["occurred_on"] for row in whole] == sorted((day.isoformat() for day in days), reverse=True)
    pages = [queries.list_sessions(engine, kit.KEY, 3, offset)["sessions"] for offset in (0, 3, 6, 9)]
    assert [row for page in pages for row in page] == whole


def test_only_the_programme_asked_for_is_listed(engine: Engine) -> None:
    journal = known(engine)
    kit.put_programme(engine, store.shelf, kit.changed(key="toinen"))
    record_sessions(journal, session("a"))
    record_sessions(journal, session("b"), programme="toinen")
    assert queries.list_sessions(engine, kit.KEY, 10, 0)["total"] == 1
    with pytest.raises(UnknownProgramme):
        queries.list_sessions(engine, "kolmas", 10, 0)
