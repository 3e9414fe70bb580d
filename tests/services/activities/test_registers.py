"""The register: who was at one session, ticked and unticked; all or nothing, and nobody overwrites another."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.activities import queries, registers, store
from services.activities.domain import NewSession, Presence
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    ChangedMeanwhile,
    InvalidInput,
    UnknownPerson,
    UnknownSession,
)
from shared.contracts.facts import Fact
from shared.contracts.purpose_facts import PurposeEnded
from shared.contracts.rights_facts import PersonRestricted
from shared.journal import Journal
from shared.storage import transaction
from tests.services import kit
from tests.services.activities.kit import attendance, event, known, record_attendance, record_sessions, session
from tests.services.kit import KEY, NOW, key_of

PEOPLE = [f"{n:02x}" * 16 for n in range(1, 13)]
STATE = (store.session, store.attendance, store.keys)
CAME, WENT = "activities.attendance_recorded", "activities.attendance_removed"


def ready(engine: Engine) -> Journal:
    journal = known(engine)
    with transaction(engine) as connection:
        for subject in PEOPLE:
            store.put_person(connection, subject, KEY, "client")
    return journal


def tick(subject: str, there: bool = True, name: str = "1", was: bool | None = None, **more: Any) -> Presence:
    """A tick on the page `name`, which showed the opposite unless `was` says otherwise."""
    return Presence(key_of(name + subject), subject, there, not there if was is None else was, **more)


def fill(journal: Journal, at: str | NewSession, *ticks: Presence) -> tuple[str, list[dict[str, Any]], int | None]:
    return registers.record_register(journal, KEY, at, ticks, by="worker", now=NOW)


def present(engine: Engine) -> set[str]:
    return {row["subject"].hex() for row in kit.rows(engine, store.attendance)}


def state(engine: Engine) -> list[Any]:
    return [kit.heads(engine), *(sorted(map(repr, kit.rows(engine, table))) for table in STATE)]


def test_a_group_of_twelve_and_their_session_are_saved_at_once(engine: Engine) -> None:
    made, results, pos = fill(ready(engine), session(), *map(tick, PEOPLE))
    assert (pos, len(results)) == (13, 12)
    assert all(result["new"] for result in results)
    assert kit.kinds(engine) == ["activities.session_held"] + [CAME] * 12
    assert {line.body["session"] for line in kit.lines(engine)} == {made}
    assert {line.subject for line in kit.lines(engine)[1:]} == present(engine) == set(PEOPLE)
    assert kit.audit(engine) == [
        {"by": "worker", "action": "record_register", "programme": KEY, "sessions": 1, "changed": 12}
        | {"first": 1, "last": 13}
    ]


def test_the_same_page_sent_twice_is_one_session(engine: Engine) -> None:
    journal = ready(engine)
    first = fill(journal, session(), *map(tick, PEOPLE))
    before = state(engine)
    again = fill(journal, session(), *map(tick, PEOPLE))
    assert (again[0], again[2]) == (first[0], None)
    assert [r["attendance"] for r in again[1]] == [r["attendance"] for r in first[1]]
    assert state(engine) == before


@pytest.mark.parametrize(("why", "code"), [("restricted", "processing_restricted"), ("withdrawn", "consent_withdrawn")])
def test_of_whom_nothing_may_be_recorded_is_left_out_alone_and_the_other_ticks_are_kept(
    engine: Engine, why: str, code: str
) -> None:
    journal, (one, *others) = ready(engine), PEOPLE[:3]
    made, _, _ = fill(journal, session(), tick(others[0]))
    told: dict[str, Fact] = {
        "restricted": PersonRestricted(one, occurred_on="2016-11-22"),
        "withdrawn": PurposeEnded(one, ending="e" * 32, purpose="support", why="withdrawn", occurred_on="2016-11-22"),
    }
    with journal.unit(NOW) as unit:
        unit.record(told[why], KEY)
    _, results, _ = fill(journal, made, tick(one, name="2"), tick(others[1], name="2"))
    assert [result.get("error", {}).get("code") for result in results] == [code, None]
    assert present(engine) == set(others)


def test_a_session_where_nobody_came_was_held_too(engine: Engine) -> None:
    fill(ready(engine), session())
    assert kit.kinds(engine) == ["activities.session_held"]
    assert kit.audit(engine)[0]["sessions"] == 1


def test_an_untick_is_a_later_fact_and_a_second_thought_another(engine: Engine) -> None:
    journal = ready(engine)
    made, (first,), _ = fill(journal, session(), tick(PEOPLE[0]))
    _, (removed,), _ = fill(journal, made, tick(PEOPLE[0], False, "2"))
    assert (removed["attendance"], present(engine)) == (first["attendance"], set())
    line = kit.lines(engine)[-1]
    assert (line.kind, line.subject) == (WENT, PEOPLE[0])
    assert line.body == {"attendance": first["attendance"], "session": made}
    fill(journal, made, tick(PEOPLE[0], True, "3"))
    assert kit.kinds(engine)[-1] == CAME
    assert present(engine) == {PEOPLE[0]}


def test_role_and_minutes_are_corrected_under_the_same_attendance(engine: Engine) -> None:
    journal = ready(engine)
    made, (first,), _ = fill(journal, session(), tick(PEOPLE[0]))
    stays = tick(PEOPLE[0], True, "2", was=True, role="peer_instructor", minutes=60)
    assert fill(journal, made, stays)[1] == [{"attendance": first["attendance"], "new": True}]
    last = kit.lines(engine)[-1]
    assert (last.kind, last.body["attendance"]) == (CAME, first["attendance"])
    assert (last.body["role"], last.body["minutes"]) == ("peer_instructor", 60)
    (row,) = kit.rows(engine, store.attendance)
    assert (row["role"], row["minutes"]) == ("peer_instructor", 60)
    before = kit.heads(engine)
    same = tick(PEOPLE[0], True, "3", was=True, role="peer_instructor")
    assert fill(journal, made, same) == (made, [{"attendance": None, "new": False}], None)
    assert kit.heads(engine) == before
    with pytest.raises(InvalidInput, match="longer"):
        fill(journal, made, tick(PEOPLE[0], True, "4", was=True, minutes=121))


def test_what_another_has_changed_meanwhile_is_told_and_nothing_is_saved(engine: Engine) -> None:
    journal = ready(engine)
    made, _, _ = fill(journal, session(), tick(PEOPLE[0]), tick(PEOPLE[1]))
    fill(journal, made, tick(PEOPLE[0], False, "theirs"))
    before = state(engine)
    gone = tick(PEOPLE[0], True, "ours", was=True, minutes=30)
    with pytest.raises(ChangedMeanwhile):
        fill(journal, made, tick(PEOPLE[2], True, "ours"), gone)
    assert state(engine) == before
    both_untick = tick(PEOPLE[0], False, "ours too")
    assert fill(journal, made, both_untick)[1] == [{"attendance": None, "new": False}]


def test_ticks_of_two_pages_add_up(engine: Engine) -> None:
    """Each page sends only what its worker changed, so the second saves over nobody."""
    journal = ready(engine)
    made, _, _ = fill(journal, session(), tick(PEOPLE[0]))
    fill(journal, made, tick(PEOPLE[1], True, "theirs"))
    fill(journal, made, tick(PEOPLE[2], True, "ours"))
    assert present(engine) == set(PEOPLE[:3])


def test_one_unknown_person_refuses_the_whole_register(engine: Engine) -> None:
    journal = ready(engine)
    before = state(engine)
    with pytest.raises(UnknownPerson):
        fill(journal, session(), tick(PEOPLE[0]), tick("ee" * 16))
    assert state(engine) == before


def test_sessions_of_heads_of_others_and_of_nobody_have_no_register(engine: Engine) -> None:
    journal = ready(engine)
    (crowd,), _ = record_sessions(journal, event())
    kit.put_programme(engine, store.shelf, kit.changed(key="toinen"))
    (theirs,), _ = record_sessions(journal, session("b"), programme="toinen")
    for at, error in (
        (crowd["session"], InvalidInput),
        (theirs["session"], UnknownSession),
        ("0b" * 16, UnknownSession),
        (session("c", "kuu"), Exception),
        (event("d"), InvalidInput),
    ):
        before = state(engine)
        with pytest.raises(error):
            fill(journal, at, tick(PEOPLE[0]))
        assert state(engine) == before


def test_nobody_stands_on_a_register_twice(engine: Engine) -> None:
    with pytest.raises(InvalidInput, match="twice"):
        fill(ready(engine), session(), tick(PEOPLE[0]), tick(PEOPLE[0], name="2"))


def test_a_key_stands_for_one_tick(engine: Engine) -> None:
    journal = ready(engine)
    made, _, _ = fill(journal, session(), tick(PEOPLE[0]))
    with pytest.raises(AlreadyRecordedDiffers):
        fill(journal, made, tick(PEOPLE[0], False))


TICKS = st.lists(
    st.tuples(st.sampled_from(PEOPLE[:4]), st.booleans(), st.booleans()), max_size=4, unique_by=lambda tick: tick[0]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=st.lists(TICKS, max_size=5))
def test_any_run_of_pages_leaves_whom_a_set_would_hold(
    sqlite_engine: Engine, pages: list[list[tuple[str, bool, bool]]]
) -> None:
    """The model: a set; a page is refused as a whole where a tick is not of what it thought was there."""
    kit.empty(sqlite_engine, *STATE)
    journal, model = ready(sqlite_engine), set[str]()
    made, _, _ = fill(journal, session())
    for number, page in enumerate(pages):
        ticks = [tick(s, there, f"{number}/{n}", was) for n, (s, there, was) in enumerate(page)]
        after, refused = set(model), False
        for subject, there, was in page:
            if there != (subject in after):
                refused |= was == there
                (after.add if there else after.discard)(subject)
        if refused:
            with pytest.raises(ChangedMeanwhile):
                fill(journal, made, *ticks)
        else:
            fill(journal, made, *ticks)
            model = after
        assert present(sqlite_engine) == model
    last: dict[str, str] = {}
    for line in kit.lines(sqlite_engine):
        if line.kind in (CAME, WENT) and line.body["session"] == made:
            last[line.body["attendance"]] = line.kind
    assert sum(kind == CAME for kind in last.values()) == len(model)


def test_the_register_names_who_was_there_last_time_and_who_usually_comes(engine: Engine) -> None:
    journal = ready(engine)
    old, new = (session(name, occurred_on=date(2016, 2, day)) for name, day in (("old", 1), ("new", 8)))
    fill(journal, old, tick(PEOPLE[0], name="o"), tick(PEOPLE[1], name="o"))
    fill(journal, new, tick(PEOPLE[1], name="n"), tick(PEOPLE[2], name="n"))
    shown = queries.show_register(engine, KEY, "kaapeli", None)
    assert [(p["subject"], p["times"], p["last_time"]) for p in shown["regulars"]] == [
        (PEOPLE[1], 2, True),
        (PEOPLE[0], 1, False),
        (PEOPLE[2], 1, True),
    ]
    assert (shown["last"]["occurred_on"], shown["last"]["minutes"]) == ("2016-02-08", 120)
    assert [e["occurred_on"] for e in shown["earlier"]] == ["2016-02-08", "2016-02-01"]
    assert (shown["session"], shown["present"]) == (None, [])
    assert queries.show_register(engine, KEY, "reeraa", None)["regulars"] == []


def test_the_register_of_a_recorded_session_shows_who_is_on_it_and_the_time_before(engine: Engine) -> None:
    journal = ready(engine)
    fill(journal, session("old", occurred_on=date(2016, 2, 1)), tick(PEOPLE[0], name="o"))
    made, _, _ = fill(journal, session("new", occurred_on=date(2016, 2, 8)), tick(PEOPLE[1], name="n", minutes=30))
    fill(journal, session("newer", occurred_on=date(2016, 2, 15)), tick(PEOPLE[2], name="x"))
    shown = queries.show_register(engine, KEY, None, made)
    assert shown["present"] == [{"subject": PEOPLE[1], "role": "participant", "minutes": 30}]
    assert shown["last"]["occurred_on"] == "2016-02-01"
    assert shown["session"]["occurred_on"] == "2016-02-08"


def test_a_register_that_is_not_there_is_not_shown(engine: Engine) -> None:
    journal = ready(engine)
    (crowd,), _ = record_sessions(journal, event())
    for at in (crowd["session"], "0b" * 16):
        with pytest.raises(UnknownSession):
            queries.show_register(engine, KEY, None, at)
    with pytest.raises(InvalidInput):
        queries.show_register(engine, KEY, None, None)


def test_a_person_with_two_attendances_is_unticked_from_both(engine: Engine) -> None:
    journal = ready(engine)
    (held,), _ = record_sessions(journal, session())
    at = held["session"]
    record_attendance(journal, attendance(at, "a", PEOPLE[0]), attendance(at, "b", PEOPLE[0], role="volunteer"))
    fill(journal, at, tick(PEOPLE[0], False))
    assert present(engine) == set()
    assert kit.kinds(engine)[-2:] == [WENT, WENT]
