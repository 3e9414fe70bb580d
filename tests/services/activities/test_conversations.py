"""The conversation: an individual session with attendance at the lead, what it was about on the node."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from services.activities import conversations, queries, store
from services.activities.domain import Agreed, NewConversation
from shared.contracts.errors import UnknownProgramme, UnknownSession
from shared.journal import Journal
from shared.storage import transaction
from tests.services import kit
from tests.services.activities.kit import DAY, OTHER_SUBJECT, SUBJECT, known, record_sessions, session
from tests.services.kit import KEY, NOW, key_of

NOTE, FIRST, SECOND = "a1" * 16, "a2" * 16, "a3" * 16
TABLES = (store.session, store.attendance, store.conversation, store.action, store.meeting)


def talk(name: str = "t", **changes: Any) -> NewConversation:
    """45 minutes by phone about money and language, two things agreed, the next meeting in a week."""
    given: dict[str, Any] = {
        "activity": "duuniin",
        "subject": SUBJECT,
        "occurred_on": DAY,
        "minutes": 45,
        "how": "phone",
        "topics": ("finances", "language"),
        "text_ref": NOTE,
        "actions": (Agreed(FIRST, date(2016, 3, 4)), Agreed(SECOND, None)),
        "meeting": (date(2016, 3, 8), "09:30"),
    }
    return NewConversation(key=key_of(name), **given | changes)


def record(journal: Journal, *talks: NewConversation, **options: Any) -> tuple[list[dict[str, Any]], int | None]:
    return conversations.record_conversation(journal, KEY, talks, **{"by": "worker", "now": NOW} | options)


def remove(journal: Journal, session: str) -> int | None:
    return conversations.remove_conversation(journal, KEY, session, by="worker", now=NOW)


def state(engine: Engine) -> list[Any]:
    return [kit.heads(engine), *(sorted(map(repr, kit.rows(engine, table))) for table in (*TABLES, store.keys))]


def test_a_conversation_is_a_session_with_attendance_at_the_lead_and_no_word_of_what_it_was_about(
    engine: Engine,
) -> None:
    (result,), _ = record(known(engine), talk())
    lead = [line for line in kit.lines(engine) if line.stream == f"{kit.NODE}/{KEY}"]
    assert [(line.kind, line.subject) for line in lead] == [
        ("activities.session_held", None),
        ("activities.attendance_recorded", SUBJECT),
    ]
    assert lead[0].body == {
        "session": result["session"],
        "activity": "duuniin",
        "occurred_on": "2016-03-01",
        "minutes": 45,
    }
    assert lead[1].body["session"] == result["session"]
    assert (lead[1].body["role"], lead[1].body["minutes"]) == ("participant", 45)
    shipped = repr(lead)
    assert not [word for word in ("finances", "language", "phone", NOTE, FIRST) if word in shipped]


def test_topics_actions_and_the_next_meeting_stay_on_the_node_with_the_persons_subject(engine: Engine) -> None:
    (result,), _ = record(known(engine), talk())
    local = [line for line in kit.lines(engine) if line.stream == f"{kit.NODE}/local"]
    assert {line.subject for line in local} == {SUBJECT}
    held, first, second, meeting = local
    place = {"session": result["session"], "programme": KEY}
    assert held.body == {
        **place,
        "how": "phone",
        "topics": ["finances", "language"],
        "text_ref": NOTE,
        "occurred_on": "2016-03-01",
    }
    assert {line.kind for line in (first, second)} == {"activities.action_agreed"}
    assert [(x.body["text_ref"], x.body.get("due_on")) for x in (first, second)] == [
        (FIRST, "2016-03-04"),
        (SECOND, None),
    ]
    assert (meeting.kind, meeting.body["on"], meeting.body["start"]) == (
        "activities.meeting_planned",
        "2016-03-08",
        "09:30",
    )


def test_a_short_word_needs_no_note_no_topic_and_no_action(engine: Engine) -> None:
    record(known(engine), talk(topics=(), text_ref=None, actions=(), meeting=None, how="message", minutes=5))
    assert kit.kinds(engine)[2:] == ["activities.conversation_held"]
    assert set(kit.lines(engine)[2].body) == {"session", "programme", "how", "occurred_on"}


def test_the_same_again_answers_alike_and_other_content_is_refused(engine: Engine) -> None:
    journal = known(engine)
    (first,), _ = record(journal, talk())
    before = state(engine)
    assert record(journal, talk()) == ([{**first, "new": False}], None)
    (other,), _ = record(journal, talk(minutes=60))
    assert other["error"] == {"code": "already_recorded_differs", "params": {"field": "ref"}}
    assert state(engine) == before


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "nobody we know": ({"subject": OTHER_SUBJECT}, "unknown_person", "subject"),
    "unknown topic": ({"topics": ("kuu",)}, "unknown_code", "topics"),
    "unknown activity": ({"activity": "kuu"}, "unknown_code", "activity"),
    "a group": ({"activity": "kaapeli"}, "invalid_input", "activity"),
    "an event": ({"activity": "public_event"}, "invalid_input", "activity"),
    "the future": ({"occurred_on": date(2016, 11, 23), "actions": (), "meeting": None}, "invalid_input", "date"),
    "before the project": ({"occurred_on": date(2015, 4, 30)}, "invalid_input", "date"),
    "due before": ({"actions": (Agreed(FIRST, date(2016, 2, 29)),)}, "invalid_input", "actions.due_on"),
    "met before": ({"meeting": (date(2016, 2, 29), None)}, "invalid_input", "next_meeting.on"),
    "a slip of a year": ({"meeting": (date(2026, 3, 8), None)}, "invalid_input", "next_meeting.on"),
    "corrects nothing": ({"replaces": "0b" * 16}, "unknown_session", "replaces"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_refused_by_field_and_leaves_no_trace(sqlite_engine: Engine, what: str) -> None:
    changes, code, field = REFUSED[what]
    journal = known(sqlite_engine)
    before = state(sqlite_engine)
    (result,), pos = record(journal, talk(**changes))
    assert (result["error"]["code"], result["error"]["params"]["field"], pos) == (code, field, None)
    assert state(sqlite_engine) == before


def test_a_person_of_another_programme_is_unknown_here(engine: Engine) -> None:
    journal = known(engine)
    with transaction(engine) as connection:
        store.put_person(connection, OTHER_SUBJECT, "toinen", "client")
    (result,), _ = record(journal, talk(subject=OTHER_SUBJECT))
    assert result["error"]["code"] == "unknown_person"


def test_taking_back_removes_all_that_came_of_it_and_says_so(engine: Engine) -> None:
    journal = known(engine)
    (result,), _ = record(journal, talk())
    recorded = kit.lines(engine)
    remove(journal, result["session"])
    assert all(kit.rows(engine, table) == [] for table in TABLES)
    removed = kit.lines(engine)[len(recorded) :]
    assert sorted(line.kind for line in removed) == [
        "activities.action_withdrawn",
        "activities.action_withdrawn",
        "activities.attendance_removed",
        "activities.conversation_removed",
        "activities.meeting_withdrawn",
        "activities.session_removed",
    ]
    said = {line.body[name] for line in recorded for name in ("action", "meeting", "attendance") if name in line.body}
    gone = {line.body[name] for line in removed for name in ("action", "meeting", "attendance") if name in line.body}
    assert gone == said
    assert {line.body["text_ref"] for line in removed if "text_ref" in line.body} == {NOTE, FIRST, SECOND}
    with pytest.raises(UnknownSession):
        remove(journal, result["session"])
    assert kit.audit(engine)[-1]["action"] == "remove_conversation"


def test_only_conversations_are_taken_back(engine: Engine) -> None:
    journal = known(engine)
    (held,), _ = record_sessions(journal, session())
    with pytest.raises(UnknownSession):
        remove(journal, held["session"])
    assert len(kit.rows(engine, store.session)) == 1


def test_a_correction_takes_the_first_back_in_the_same_transaction(engine: Engine) -> None:
    journal = known(engine)
    (first,), _ = record(journal, talk())
    (second,), _ = record(journal, talk("corrected", minutes=30, replaces=first["session"]))
    (row,) = kit.rows(engine, store.session)
    assert (row["session"].hex(), row["minutes"]) == (second["session"], 30)
    assert len(kit.rows(engine, store.attendance)) == len(kit.rows(engine, store.conversation)) == 1
    shown = queries.show_conversation(engine, KEY, second["session"])
    assert (shown["minutes"], shown["topics"]) == (30, ["finances", "language"])
    (late,), _ = record(journal, talk("late", minutes=20, replaces=first["session"]))
    assert late["error"] == {"code": "unknown_session", "params": {"field": "replaces", "programme": KEY}}


def test_of_two_who_correct_at_the_same_time_the_second_is_told(engine: Engine) -> None:
    journal = known(engine)
    (first,), _ = record(journal, talk())
    gate, told = threading.Barrier(2), list[str]()

    def correct(name: str) -> None:
        gate.wait(10)
        (result,), _ = record(journal, talk(name, replaces=first["session"]))
        told.append("recorded" if "session" in result else result["error"]["code"])

    _together(lambda: correct("one"), lambda: correct("other"))
    assert sorted(told) == ["recorded", "unknown_session"]
    assert len(kit.rows(engine, store.session)) == 1


def test_two_corrections_of_one_conversation_in_one_command_are_both_refused(engine: Engine) -> None:
    journal = known(engine)
    (first,), _ = record(journal, talk())
    results, _ = record(journal, *(talk(name, replaces=first["session"]) for name in ("a", "b")))
    assert [result["error"]["code"] for result in results] == ["unknown_session"]


def _together(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_a_conversation_is_shown_as_it_was_recorded(engine: Engine) -> None:
    (result,), _ = record(known(engine), talk())
    assert queries.show_conversation(engine, KEY, result["session"]) == {
        "session": result["session"],
        "activity": "duuniin",
        "subject": SUBJECT,
        "date": "2016-03-01",
        "minutes": 45,
        "how": "phone",
        "topics": ["finances", "language"],
        "text_ref": NOTE,
        "actions": [{"text_ref": FIRST, "due_on": "2016-03-04"}, {"text_ref": SECOND, "due_on": None}],
        "next_meeting": {"on": "2016-03-08", "start": "09:30"},
    }
    for programme, at in ((KEY, "0b" * 16), ("toinen", result["session"])):
        with pytest.raises(UnknownSession):
            queries.show_conversation(engine, programme, at)


def test_those_talked_with_last_come_first_and_once(engine: Engine) -> None:
    journal = known(engine)
    with transaction(engine) as connection:
        store.put_person(connection, OTHER_SUBJECT, KEY, "client")
    for n, (subject, day) in enumerate([(SUBJECT, 1), (OTHER_SUBJECT, 2), (SUBJECT, 3)]):
        record(journal, talk(str(n), subject=subject, occurred_on=date(2016, 2, day)))
    assert queries.recent_people(engine, KEY, 6) == [SUBJECT, OTHER_SUBJECT]
    assert queries.recent_people(engine, KEY, 1) == [SUBJECT]
    with pytest.raises(UnknownProgramme):
        queries.recent_people(engine, "toinen", 6)
