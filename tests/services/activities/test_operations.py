"""Recording sessions and attendance: state, lines and audit log together, on both databases."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.activities import conversations, hearing, registers, store
from services.activities.domain import NewSession, Presence
from shared.contracts.catalogue import ProgrammeLoaded, StandingReached
from shared.contracts.client_facts import ClientLeft
from shared.contracts.errors import InvalidInput, PolkuError, UnknownProgramme
from shared.contracts.purpose_facts import PurposeEnded
from shared.contracts.record_facts import ParticipationEnded
from shared.journal import Journal, audit
from shared.journal.follow import Follower
from shared.storage import snapshot, transaction
from tests.services import kit
from tests.services.activities.kit import (
    DAY,
    OTHER_SUBJECT,
    SUBJECT,
    attendance,
    event,
    known,
    record_attendance,
    record_sessions,
    session,
)
from tests.services.activities.test_conversations import talk
from tests.services.kit import KEY

STATE = (store.session, store.attendance, store.keys)


def state(engine: Engine) -> list[Any]:
    return [kit.heads(engine), *(kit.rows(engine, table) for table in STATE)]


def test_a_session_is_one_line_and_one_row(engine: Engine) -> None:
    (result,), pos = record_sessions(known(engine), session())
    (line,) = kit.lines(engine)
    assert (pos, result["new"], line.stream, line.subject) == (1, True, f"{kit.NODE}/{kit.KEY}", None)
    assert line.body == {
        "session": result["session"],
        "activity": "kaapeli",
        "occurred_on": "2016-03-01",
        "start": "09:30",
        "minutes": 120,
        "location": "sampola_meeting_place",
        "area": "sampola",
        "languages": ["fi", "ar"],
    }
    (row,) = kit.rows(engine, store.session)
    assert (row["session"].hex(), row["counts"], row["occurred_on"]) == (result["session"], "people", DAY)
    assert (row["heads"], row["basis"]) == (None, None)


@pytest.mark.parametrize("heads", [0, 148])
def test_a_head_count_is_a_line_of_its_own_and_0_is_a_count(engine: Engine, heads: int) -> None:
    (result,), pos = record_sessions(known(engine), event(heads=heads, women=None))
    held, counted = kit.lines(engine)
    assert (pos, held.kind) == (2, "activities.session_held")
    assert (counted.kind, counted.subject) == ("activities.heads_counted", None)
    assert counted.body == {"session": result["session"], "heads": heads, "basis": "estimated"}


def test_a_session_whose_heads_nobody_counted_says_nothing_of_them(engine: Engine) -> None:
    record_sessions(known(engine), event(heads=None, women=None, basis=None))
    assert kit.kinds(engine) == ["activities.session_held"]


def test_an_attendance_carries_subject_role_and_the_day_of_its_session(engine: Engine) -> None:
    journal = known(engine)
    (held,), _ = record_sessions(journal, session())
    (result,), pos = record_attendance(journal, attendance(held["session"], role="peer_instructor", minutes=None))
    line = kit.lines(engine)[-1]
    assert (pos, line.kind, line.subject) == (2, "activities.attendance_recorded", SUBJECT)
    assert line.body == {
        "attendance": result["attendance"],
        "session": held["session"],
        "role": "peer_instructor",
        "occurred_on": "2016-03-01",
    }
    (row,) = kit.rows(engine, store.attendance)
    assert (row["attendance"].hex(), row["session"].hex(), row["subject"].hex(), row["role"], row["minutes"]) == (
        result["attendance"],
        held["session"],
        SUBJECT,
        "peer_instructor",
        None,
    )


def test_the_same_again_answers_alike_and_adds_nothing(engine: Engine) -> None:
    journal = known(engine)
    first, _ = record_sessions(journal, session(), event())
    at = first[0]["session"]
    there, _ = record_attendance(journal, attendance(at))
    before = state(engine)
    again, pos = record_sessions(journal, session(), event())
    assert [r["session"] for r in again] == [r["session"] for r in first]
    assert record_attendance(journal, attendance(at)) == ([{**there[0], "new": False}], None)
    assert (pos, state(engine)) == (None, before)


def test_the_same_key_with_other_content_is_refused(engine: Engine) -> None:
    journal = known(engine)
    (held,), _ = record_sessions(journal, session())
    record_attendance(journal, attendance(held["session"]))
    before = state(engine)
    (result,), _ = record_sessions(journal, session(minutes=60))
    assert result["error"] == {"code": "already_recorded_differs", "params": {"field": "ref"}}
    (result,), _ = record_attendance(journal, attendance(held["session"], minutes=60))
    assert result["error"]["params"] == {"field": "session, participant"}
    assert state(engine) == before


def test_the_same_key_in_another_programme_is_not_the_same_session(engine: Engine) -> None:
    journal = known(engine)
    kit.put_programme(engine, store.shelf, kit.changed(key="toinen"))
    record_sessions(journal, session())
    (result,), _ = record_sessions(journal, session(), programme="toinen")
    assert result["error"]["code"] == "already_recorded_differs"


@pytest.mark.parametrize("skip_bad", [False, True])
def test_it_stops_at_the_first_refused_unless_bad_ones_are_skipped(engine: Engine, skip_bad: bool) -> None:
    journal = known(engine)
    items = (session("a"), session("bad", area="kuu"), session("c"))
    results, pos = record_sessions(journal, *items, skip_bad=skip_bad)
    words = ["new" if "session" in result else result["error"]["code"] for result in results]
    assert words == ["new", "unknown_code", "new"][: 3 if skip_bad else 2]
    assert pos == (2 if skip_bad else 1)
    assert len(kit.rows(engine, store.session)) == pos
    results, _ = record_sessions(journal, session("a"), session("c"))
    assert [result["new"] for result in results] == [False, not skip_bad]


def test_attendance_of_unknown_people_or_sessions_is_refused_one_by_one(engine: Engine) -> None:
    journal = known(engine)
    (held, crowd), _ = record_sessions(journal, session(), event())
    at = held["session"]
    items = (
        attendance(at, "1"),
        attendance("00" * 16, "2"),
        attendance(at, "3", OTHER_SUBJECT),
        attendance(crowd["session"], "4"),
        attendance(at, "5", minutes=121),
    )
    results, _ = record_attendance(journal, *items, skip_bad=True)
    errors = [result["error"]["code"] if "error" in result else None for result in results]
    assert errors == [None, "unknown_session", "unknown_person", "invalid_input", "invalid_input"]
    assert len(kit.rows(engine, store.attendance)) == 1


def test_a_session_of_another_programme_is_unknown_here(engine: Engine) -> None:
    journal = known(engine)
    kit.put_programme(engine, store.shelf, kit.changed(key="toinen"))
    (held,), _ = record_sessions(journal, session(), programme="toinen")
    (result,), _ = record_attendance(journal, attendance(held["session"]))
    assert result["error"] == {"code": "unknown_session", "params": {"field": "session", "programme": kit.KEY}}


def test_today_is_the_day_in_helsinki(engine: Engine) -> None:
    """At 22:30 UTC in winter it is half past midnight there: the new day's session has been."""
    late = datetime(2016, 2, 29, 22, 30, tzinfo=UTC)
    (result,), _ = record_sessions(known(engine), session(), now=late)
    assert result["new"]
    (result,), _ = record_sessions(known(engine), session("b"), now=late.replace(hour=21))
    assert result["error"]["params"] == {"field": "date", "reason": "in the future"}


def test_a_programme_that_is_not_loaded_is_an_error(engine: Engine) -> None:
    with pytest.raises(UnknownProgramme):
        record_sessions(known(engine), session(), programme="toinen")


def test_who_recorded_how_many_stands_in_the_audit_log_with_the_lines(engine: Engine) -> None:
    journal = known(engine)
    (held, _), _ = record_sessions(journal, session(), event())
    record_attendance(journal, attendance(held["session"]))
    common = {"by": "worker", "programme": kit.KEY}
    assert kit.audit(engine) == [
        {**common, "action": "record_sessions", "sessions": 2, "first": 1, "last": 3},
        {**common, "action": "record_attendance", "attendances": 1, "first": 4, "last": 4},
    ]
    with snapshot(engine) as connection:
        assert audit.verify(connection) is None


def follower(engine: Engine) -> Follower:
    """Activities hearing what intake and pathways say, as `service.py` wires it."""
    handlers = {
        (ProgrammeLoaded.kind, 1): lambda unit, _line, fact: store.shelf.put(unit.connection, fact),
        (StandingReached.kind, 1): lambda unit, line, fact: store.put_person(
            unit.connection, fact.subject, line.stream.partition("/")[2], fact["standing"]
        ),
        (ParticipationEnded.kind, 1): lambda unit, _line, fact: hearing.left(unit, fact),
        (ClientLeft.kind, 1): lambda unit, _line, fact: hearing.left(unit, fact),
        (PurposeEnded.kind, 1): hearing.purpose_ended,
    }
    return Follower(Journal(engine, kit.NODE), "activities", handlers)


def test_attendance_right_after_registration_needs_to_follow_to_it_first(engine: Engine) -> None:
    journal = known(engine)
    (held,), _ = record_sessions(journal, session())
    with journal.unit(kit.NOW) as unit:
        unit.record(StandingReached(OTHER_SUBJECT, standing="client"), kit.KEY)
    new = attendance(held["session"], subject=OTHER_SUBJECT)
    (result,), _ = record_attendance(journal, new)
    assert result["error"]["code"] == "unknown_person"
    assert unit.pos is not None
    follower(engine).follow_to(unit.pos, lambda: kit.NOW)
    (result,), _ = record_attendance(journal, new)
    assert result["new"]


def test_a_second_standing_of_a_person_is_the_same_person(engine: Engine) -> None:
    journal = known(engine)
    with journal.unit(kit.NOW) as unit:
        for standing in ("visitor", "client"):
            unit.record(StandingReached(OTHER_SUBJECT, standing=standing), kit.KEY)
    follower(engine).follow_to(unit.pos or 0, lambda: kit.NOW)
    assert [row["subject"].hex() for row in kit.rows(engine, store.person)].count(OTHER_SUBJECT) == 1


ITEM = st.tuples(st.sampled_from("abc"), st.sampled_from([30, 60, 0]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(st.tuples(st.lists(ITEM, min_size=1, max_size=5), st.booleans()), max_size=4))
def test_any_run_of_commands_answers_as_a_dictionary_would(
    sqlite_engine: Engine, commands: list[tuple[list[tuple[str, int]], bool]]
) -> None:
    """The model: a dictionary from key to minutes; 0 stands for a bad row."""
    kit.empty(sqlite_engine, *STATE)
    journal, model = known(sqlite_engine), dict[str, int]()
    for items, skip_bad in commands:
        expected = []
        for key, minutes in items:
            if key in model:
                expected.append("known" if model[key] == minutes else "already_recorded_differs")
            elif minutes:
                model[key] = minutes
                expected.append("new")
            else:
                expected.append("unknown_code")
            if not skip_bad and expected[-1] not in ("new", "known"):
                break
        results, _ = record_sessions(journal, *(_session(*item) for item in items), skip_bad=skip_bad)
        words = [r["error"]["code"] if "error" in r else "new" if r["new"] else "known" for r in results]
        assert words == expected
    assert {row["minutes"] for row in kit.rows(sqlite_engine, store.session)} == set(model.values())


def _session(key: str, minutes: int) -> NewSession:
    return session(key, minutes=minutes) if minutes else session(key, area="kuu")


@pytest.mark.parametrize("way", ["list", "register", "talk"])
def test_nobody_is_anywhere_after_they_died_and_what_was_before_is_recorded_still(engine: Engine, way: str) -> None:
    journal = known(engine)
    with transaction(engine) as connection:
        store.put_died(connection, SUBJECT, DAY)
        store.put_person(connection, SUBJECT, KEY, "client")
    assert _meets(journal, way, DAY) is None
    error = _meets(journal, way, DAY + timedelta(days=1))
    assert error is not None
    reason = "the person had died before that day"
    assert error.params == {"field": "participant" if way == "list" else "subject", "reason": reason}
    with transaction(engine) as connection:
        store.put_died(connection, SUBJECT, None)
    assert _meets(journal, way, DAY + timedelta(days=2)) is None


def _meets(journal: Journal, way: str, day: date) -> PolkuError | None:
    common: dict[str, Any] = {"by": "worker", "now": kit.NOW}
    if way == "talk":
        results, _ = conversations.record_conversation(journal, KEY, [talk(f"t{day}", occurred_on=day)], **common)
    else:
        (held,), _ = record_sessions(journal, session(f"s{day}", occurred_on=day))
        results, _ = record_attendance(journal, attendance(held["session"], f"a{day}")) if way == "list" else ([{}], 0)
        if way == "register":
            tick = Presence(kit.key_of(f"r{day}"), SUBJECT, there=True, was=False)
            try:
                registers.record_register(journal, KEY, held["session"], [tick], **common)
            except InvalidInput as error:
                return error
    return PolkuError.from_wire(results[0]["error"]) if "error" in results[0] else None


def test_that_somebody_died_is_heard_corrected_and_goes_with_their_record_for_the_fund(engine: Engine) -> None:
    journal = known(engine)
    died = {"reason": "died", "occurred_on": "2016-03-01"}
    said = {"ending": "0f" * 16, "purpose": "esf_record", "why": "asked", "occurred_on": "2016-09-01"}

    def after(*facts: Any) -> Any:
        with journal.unit(kit.NOW) as unit:
            for fact in facts:
                unit.record(fact, KEY)
        follower(engine).follow_to(unit.pos or 0, lambda: kit.NOW)
        return kit.rows(engine, store.person)[0]["died_on"]

    assert after(ParticipationEnded(SUBJECT, **died)) == DAY
    assert after(ParticipationEnded(SUBJECT, **died | {"reason": "moved"})) is None
    assert after(ParticipationEnded(SUBJECT, **died), PurposeEnded(SUBJECT, **said)) is None
    assert after(ClientLeft(SUBJECT, programme=KEY, **died)) == DAY, "who has no such record dies as well"
