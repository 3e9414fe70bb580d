"""The tap counter: each tap once, however often it arrives; few lines, and the last of them holds."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.activities import counters, queries, store
from services.activities.domain import NewSession
from shared.contracts.closing_facts import ProgrammeClosed, StreamSealed
from shared.contracts.errors import InvalidInput, PolkuError, ProgrammeIsClosed, UnknownProgramme, UnknownSession
from shared.journal import Journal
from tests.services import kit
from tests.services.activities.kit import event, known, session
from tests.services.kit import KEY, NOW

STATE = (store.session, store.counter, store.keys)
FIVE = counters.TELL_EVERY
HELD, COUNTED = "activities.session_held", "activities.heads_counted"


def crowd(name: str = "c", **changes: Any) -> NewSession:
    empty = dict.fromkeys(("heads", "women", "basis", "start", "minutes", "area")) | {"languages": ()}
    return event(name, **empty | changes)


def start(journal: Journal, *, women: bool = False, new: NewSession | None = None, now: datetime = NOW) -> str:
    return counters.start_counter(journal, KEY, new or crowd(), women=women, by="worker", now=now)[0]


def tap(
    journal: Journal, counter: str, revision: int, heads: int = 1, women: int = 0, done: bool = False, **more: Any
) -> dict[str, Any]:
    given: dict[str, Any] = {"by": "worker", "now": NOW} | more
    return counters.count_heads(journal, KEY, counter, revision=revision, heads=heads, women=women, done=done, **given)[
        0
    ]


def heads_told(engine: Engine) -> list[tuple[int, int | None]]:
    return [(x.body["heads"], x.body.get("women")) for x in kit.lines(engine) if x.kind == COUNTED]


def test_a_hundred_taps_are_two_lines(engine: Engine) -> None:
    journal = known(engine)
    counter = start(journal)
    for n in range(100):
        assert tap(journal, counter, n)["heads"] == n + 1
    assert kit.lines(engine) == []
    tap(journal, counter, 100, 0, done=True)
    held, counted = kit.lines(engine)
    assert (held.kind, held.body["session"], held.body["activity"]) == (HELD, counter, "public_event")
    assert counted.body == {"session": counter, "heads": 100, "basis": "counted"}
    (row,) = kit.rows(engine, store.session)
    assert (row["session"].hex(), row["heads"], row["women"], row["counts"]) == (counter, 100, None, "heads")


def test_a_tap_that_arrives_twice_counts_once_also_after_an_undo(engine: Engine) -> None:
    journal = known(engine)
    counter = start(journal)
    tap(journal, counter, 0)
    late = tap(journal, counter, 0)
    assert (late["heads"], late["taken"], late["revision"]) == (1, False, 1)
    tap(journal, counter, 1, -1)
    assert (tap(journal, counter, 0)["heads"], tap(journal, counter, 1, -1)["heads"]) == (0, 0)


def test_undo_takes_back_and_never_below_0(engine: Engine) -> None:
    journal = known(engine)
    counter = start(journal)
    tap(journal, counter, 0)
    assert tap(journal, counter, 1, -1)["heads"] == 0
    below = tap(journal, counter, 2, -1)
    assert (below["heads"], below["taken"]) == (0, False)


def test_women_are_counted_apart_only_where_asked(engine: Engine) -> None:
    journal = known(engine)
    both = start(journal, women=True)
    tap(journal, both, 0, 1, 1)
    tap(journal, both, 1, 1, 0)
    assert tap(journal, both, 2, -1, 0)["heads"] == 1
    only_her = tap(journal, both, 3, -1, 0)
    assert (only_her["taken"], only_her["heads"], only_her["women"]) == (False, 1, 1)
    tap(journal, both, 3, 0, 0, done=True)
    assert heads_told(engine) == [(1, 1)]
    plain = start(journal, new=crowd("plain"))
    with pytest.raises(InvalidInput, match="women"):
        tap(journal, plain, 0, 1, 1)


def test_nobody_came_is_a_count_when_somebody_says_so(engine: Engine) -> None:
    journal = known(engine)
    counter = start(journal, women=True)
    assert counters.tell_counts(journal, NOW + 2 * FIVE) is None
    tap(journal, counter, 0, 0, done=True)
    assert heads_told(engine) == [(0, 0)]


def test_a_count_goes_on_after_done_and_the_last_holds(engine: Engine) -> None:
    journal = known(engine)
    counter = start(journal)
    tap(journal, counter, 0)
    tap(journal, counter, 1, 0, done=True)
    tap(journal, counter, 2)
    assert queries.list_counters(engine, KEY, None)[0]["heads"] == 2
    tap(journal, counter, 3, 0, done=True)
    tap(journal, counter, 4, 0, done=True)
    assert heads_told(engine) == [(1, None), (2, None)]
    assert kit.kinds(engine).count(HELD) == 1
    assert kit.rows(engine, store.session)[0]["heads"] == 2


def test_a_forgotten_page_loses_nothing_and_makes_a_line_every_five_minutes_at_most(engine: Engine) -> None:
    journal = known(engine)
    counter, now = start(journal), NOW
    for n in range(120):
        tap(journal, counter, n, now=now)
        now += timedelta(seconds=10)
        counters.tell_counts(journal, now)
    assert len(heads_told(engine)) <= 1 + 20 * 60 // FIVE.total_seconds()
    counters.tell_counts(journal, now + FIVE)
    assert heads_told(engine)[-1] == (120, None)
    before = kit.heads(engine)
    assert counters.tell_counts(journal, now + 10 * FIVE) is None
    assert kit.heads(engine) == before


def test_an_undo_to_0_after_it_was_told_is_told(engine: Engine) -> None:
    journal = known(engine)
    counter = start(journal)
    tap(journal, counter, 0)
    counters.tell_counts(journal, NOW + 2 * FIVE)
    tap(journal, counter, 1, -1)
    counters.tell_counts(journal, NOW + 4 * FIVE)
    assert heads_told(engine) == [(1, None), (0, None)]


def test_a_start_that_arrives_twice_is_one_counter(engine: Engine) -> None:
    journal = known(engine)
    assert start(journal) == start(journal)
    assert len(queries.list_counters(engine, KEY, None)) == 1


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (session("p"), "invalid_input"),
        (crowd(occurred_on=kit.PROGRAMME.period.end), "invalid_input"),
        (event("k", location="kuu"), "unknown_code"),
    ],
)
def test_what_cannot_be_counted_by_heads_is_refused(sqlite_engine: Engine, new: NewSession, code: str) -> None:
    journal = known(sqlite_engine)
    with pytest.raises(PolkuError) as refused:
        start(journal, new=new)
    assert refused.value.code == code
    assert all(kit.rows(sqlite_engine, table) == [] for table in STATE)


def test_a_counter_of_another_programme_is_unknown(engine: Engine) -> None:
    journal = known(engine)
    counter = start(journal)
    with pytest.raises(UnknownSession):
        counters.count_heads(journal, "toinen", counter, revision=0, heads=1, women=0, done=False, by="worker", now=NOW)
    with pytest.raises(UnknownProgramme):
        queries.list_counters(engine, "toinen", counter)


def test_open_counters_are_listed_and_one_by_its_id_open_or_not(engine: Engine) -> None:
    journal = known(engine)
    one, two = start(journal), start(journal, new=crowd("d"), now=NOW + FIVE)
    assert [c["counter"] for c in queries.list_counters(engine, KEY, None)] == [two, one]
    tap(journal, two, 0, 0, done=True)
    assert [c["counter"] for c in queries.list_counters(engine, KEY, None)] == [one]
    assert queries.list_counters(engine, KEY, two)[0]["done"] is True


STEP = st.tuples(st.sampled_from(["tap", "woman", "undo", "done", "again", "wait"]), st.integers(0, 3))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=25))
def test_any_run_of_taps_and_repetitions_ends_at_the_sum_of_those_that_counted(
    sqlite_engine: Engine, steps: list[tuple[str, int]]
) -> None:
    """The model: two numbers. `again` repeats an earlier request; what is told last is what was counted."""
    kit.empty(sqlite_engine, *STATE)
    journal = known(sqlite_engine)
    told_before = len(heads_told(sqlite_engine))
    counter, heads, women, revision, now = start(journal, women=True), 0, 0, 0, NOW
    sent: list[dict[str, Any]] = []
    moves = {"tap": (1, 0), "woman": (1, 1), "undo": (-1, 0), "done": (0, 0)}
    for what, which in steps:
        if what == "wait":
            now += FIVE
            counters.tell_counts(journal, now)
        elif what == "again":
            for old in sent[-which:]:
                tap(journal, counter, **old, now=now)
        else:
            more, of_them = moves[what]
            ask = {"revision": revision, "heads": more, "women": of_them, "done": what == "done"}
            answer = tap(journal, counter, **ask, now=now)
            fits = 0 <= women + of_them <= heads + more
            assert answer["taken"] is fits
            if fits:
                heads, women, revision = heads + more, women + of_them, revision + 1
                sent.append(ask)
        (shown,) = queries.list_counters(sqlite_engine, KEY, counter)
        assert (shown["heads"], shown["women"], shown["revision"]) == (heads, women, revision)
    tap(journal, counter, revision, 0, done=True, now=now)
    told = heads_told(sqlite_engine)[told_before:]
    assert told[-1] == (heads, women)
    assert len(told) <= 1 + len(steps)


def test_a_count_of_before_the_closing_is_told_until_the_seal_and_no_tap_counts_any_more(engine: Engine) -> None:
    journal = known(engine)
    counter, other = start(journal), start(journal, new=crowd("d"))
    tap(journal, counter, 0)
    with journal.unit(NOW) as unit:
        unit.record(ProgrammeClosed(left=0, final=False, occurred_on="2016-11-22"), KEY)
    for refused in (lambda: tap(journal, counter, 1), lambda: start(journal, new=crowd("e"))):
        with pytest.raises(ProgrammeIsClosed):
            refused()
    assert counters.tell_counts(journal, NOW + 2 * FIVE)
    assert heads_told(engine) == [(1, None)]
    with journal.unit(NOW) as unit:
        unit.record(StreamSealed(occurred_on="2016-11-22"), KEY)
        store.set_counter(unit.connection, bytes.fromhex(other), {"heads": 3, "revision": 1, "tapped_at": NOW})
    assert counters.tell_counts(journal, NOW + 2 * FIVE) is None, "it stops nothing"
    assert heads_told(engine) == [(1, None)]
