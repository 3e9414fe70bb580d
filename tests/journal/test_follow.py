"""Following the journal: every line once in effect, whatever fails or is killed when."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Engine, Integer, LargeBinary, MetaData, Table, delete, insert, select, update
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, InterfaceError, InternalError, OperationalError

from shared.contracts.catalogue import HeadsCounted, SessionHeld, StandingReached
from shared.contracts.facts import Fact
from shared.journal import Line, Unit, follow
from shared.journal.follow import SKIP, TRIES, Follower
from shared.journal.tables import journal_audit, journal_cursor, journal_head, journal_line, journal_parked
from shared.journal.unit import prepare
from shared.storage import transaction
from tests.journal.journal_kit import (
    ANNA,
    BERTTA,
    NOW,
    Killed,
    assert_whole,
    heads,
    journal_of,
    killed_at,
    loaded,
    record,
    session,
    standing,
)

effect = Table("test_effect", MetaData(), Column("pos", Integer), Column("subject", LargeBinary))
"""No key: an effect that happens twice stands here twice."""


class Failed(Exception):
    """A handler's own."""


@dataclass
class Service:
    """Hears sessions and standings; answers each with a head-count of its own."""

    engine: Engine
    name: str = "activities"
    fails: dict[int, BaseException] = field(default_factory=dict)
    heard: list[int] = field(default_factory=list)
    follower: Follower = field(init=False)

    def __post_init__(self) -> None:
        hears = {(kind.kind, kind.v): self._on for kind in (SessionHeld, StandingReached)}
        self.follower = Follower(journal_of(self.engine), self.name, hears)

    def _on(self, unit: Unit, line: Line, fact: Fact) -> None:
        find = select(journal_line.c.pos).where(journal_line.c.stream == line.stream, journal_line.c.seq == line.seq)
        pos = unit.connection.execute(find).scalar_one()
        self.heard.append(pos)
        subject = bytes.fromhex(fact.subject) if fact.subject else None
        unit.connection.execute(insert(effect), {"pos": pos, "subject": subject})
        unit.record(heads(pos), "lahde")
        if pos in self.fails:
            raise self.fails[pos]

    def run(self) -> None:
        """Follow as long as there is something to do."""
        for _ in range(1000):
            if not self.follower.advance(NOW):
                return
        raise AssertionError("it never ends")

    @property
    def effects(self) -> list[int]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(effect.c.pos)).scalars())

    @property
    def parked(self) -> list[tuple[int, str]]:
        query = select(journal_parked.c.pos, journal_parked.c.error).where(journal_parked.c.service == self.name)
        with self.engine.connect() as connection:
            return [(row.pos, row.error) for row in connection.execute(query.order_by(journal_parked.c.pos))]

    @property
    def answered(self) -> list[int]:
        """The positions that are answered by a fact in the journal."""
        return sorted(
            int(line.body["session"], 16)
            for row in assert_whole(self.engine)
            if (line := follow.parse(row.line)).kind == HeadsCounted.kind and line.body["session"] != "f" * 32
        )


def unheard() -> HeadsCounted:
    """A fact that the service has no handler for."""
    return HeadsCounted(session="f" * 32, heads=1, basis="counted")


@pytest.fixture
def service(engine: Engine) -> Service:
    effect.create(engine)
    return Service(engine)


@pytest.fixture(autouse=True)
def few_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "TOGETHER", 3)


def test_what_a_service_hears_takes_effect_once_and_in_order(service: Service) -> None:
    record(journal_of(service.engine), *(session(n) for n in range(7)), unheard(), standing(), loaded())
    service.run()
    assert service.effects == [1, 2, 3, 4, 5, 6, 7, 9]
    assert len(service.answered) == 8
    assert not service.follower.advance(NOW)
    assert service.follower.position() == 18, "its own answers are behind it too"


def test_a_service_that_comes_again_goes_on_where_it_was(service: Service) -> None:
    record(journal_of(service.engine), session(), session())
    service.run()
    record(journal_of(service.engine), session())
    again = Service(service.engine)
    again.run()
    assert again.heard == [5]
    assert again.effects == [1, 2, 5]


def test_two_services_hear_the_same_lines_each_with_its_own_cursor(service: Service) -> None:
    record(journal_of(service.engine), session(), session())
    other = Service(service.engine, "measurement")
    service.run()
    other.run()
    assert service.heard == other.heard == [1, 2]


def test_killed_again_and_again_each_time_a_step_later_every_line_has_one_effect(service: Service) -> None:
    record(journal_of(service.engine), *(standing(ANNA if n % 2 else BERTTA) for n in range(8)))
    engine, step = service.engine, 0
    while True:
        restarted = Service(engine)
        try:
            with killed_at(engine, step):
                restarted.run()
        except Killed:
            assert len(service.effects) == len(set(service.effects))
            assert service.effects == service.answered
            step += 1
            continue
        break
    assert step > 20
    assert service.effects == service.answered == list(range(1, 9))


def test_an_exception_that_ends_the_worker_leaves_half_of_nothing(service: Service) -> None:
    record(journal_of(service.engine), session(), session())
    service.fails[2] = Killed()
    with pytest.raises(Killed):
        service.run()
    assert service.effects == []
    service.fails.clear()
    service.run()
    assert service.effects == service.answered == [1, 2]


def test_lines_nobody_hears_are_stepped_over_500_at_once(service: Service) -> None:
    record(journal_of(service.engine), *(unheard() for _ in range(2 * SKIP + 200)), session())
    positions = []
    while service.follower.advance(NOW):
        positions.append(service.follower.position())
    assert SKIP == 500
    assert positions[:3] == [500, 1000, 1201]
    assert service.effects == [1201]


def test_a_service_without_handlers_only_moves_its_cursor(service: Service) -> None:
    record(journal_of(service.engine), session(), standing())
    deaf = Follower(journal_of(service.engine), "pathways", {})
    assert deaf.advance(NOW)
    assert deaf.position() == 2
    assert not deaf.advance(NOW)


def test_a_line_that_fails_is_parked_after_three_tries_and_others_go_on(service: Service) -> None:
    record(journal_of(service.engine), session(), standing(ANNA), standing(BERTTA), standing(ANNA), standing(BERTTA))
    service.fails[2] = Failed("Matti Meikäläinen")
    service.run()
    assert service.parked == [(2, "Failed"), (4, "waits for an earlier line")]
    assert service.heard.count(2) == 1 + TRIES, "once with others, then three times alone"
    assert 4 not in service.heard
    assert service.effects == service.answered == [1, 3, 5]


def test_what_comes_later_about_the_same_person_queues_behind(service: Service) -> None:
    record(journal_of(service.engine), standing(ANNA))
    service.fails[1] = Failed()
    service.run()
    service.fails.clear()
    record(journal_of(service.engine), standing(ANNA), standing(BERTTA))
    Service(service.engine).run()
    assert [pos for pos, _ in service.parked] == [1, 2]
    assert service.effects == [3]


def test_a_failure_that_passes_parks_nothing(service: Service) -> None:
    record(journal_of(service.engine), standing(), standing())
    service.fails[1] = Failed()
    for _ in range(TRIES):  # together, and then all tries but the last
        assert service.follower.advance(NOW)
    service.fails.clear()
    service.run()
    assert service.parked == []
    assert service.effects == [1, 2]


def test_a_line_without_subject_stops_the_service_until_it_can_be_handled(service: Service) -> None:
    record(journal_of(service.engine), standing(), session(), standing())
    service.fails[2] = Failed()
    service.run()
    assert (service.follower.stuck_at, service.effects, service.parked) == (2, [1], [])
    gauge = follow.stuck.labels(service.name)
    assert gauge._value.get() == 1
    service.run()  # it is tried again and again
    assert service.effects == [1]
    service.fails.clear()
    service.run()
    assert service.effects == [1, 2, 3]
    assert service.follower.stuck_at is None
    assert gauge._value.get() == 0


@pytest.mark.parametrize("kind", [OperationalError, InternalError, InterfaceError, DatabaseError])
def test_the_databases_trouble_never_parks_a_line(service: Service, kind: Callable[..., Exception]) -> None:
    record(journal_of(service.engine), standing(), session())
    service.fails[1] = kind("SELECT 1", {}, Exception("gone"))
    for _ in range(2 * TRIES):
        with pytest.raises(DatabaseError if kind is not InterfaceError else InterfaceError):
            service.follower.advance(NOW)
    assert (service.parked, service.effects, service.follower.stuck_at) == ([], [], None)
    service.fails.clear()
    service.run()
    assert service.effects == [1, 2]


@pytest.mark.parametrize("kind", [DataError, IntegrityError])
def test_what_the_database_refuses_of_a_line_is_the_lines_fault(
    service: Service, kind: Callable[..., Exception]
) -> None:
    record(journal_of(service.engine), standing(), session())
    service.fails[1] = kind("INSERT", {}, Exception("Matti Meikäläinen"))
    service.run()
    assert service.parked == [(1, kind.__name__)]  # type: ignore[attr-defined]
    assert service.effects == [2]


def test_a_failure_is_logged_by_its_place_and_without_words(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    from shared.ops.logging import JsonFormatter

    record(journal_of(service.engine), standing())
    service.fails[1] = Failed("Matti Meikäläinen")
    with caplog.at_level(logging.ERROR, "shared.journal.follow"):
        service.run()
    lines = [JsonFormatter("node").format(entry) for entry in caplog.records]
    assert len(lines) == TRIES
    assert all("Matti" not in line and '"error": "Failed"' in line and '"pos": 1' in line for line in lines)


def test_an_erased_line_is_stepped_over(service: Service) -> None:
    record(journal_of(service.engine), standing(), standing())
    with transaction(service.engine) as connection:
        erased = update(journal_line).where(journal_line.c.pos == 1)
        connection.execute(erased.values(kind=None, subject=None, line=None))
    service.follower.advance(NOW)
    assert service.effects == [2]


def test_a_version_nobody_hears_is_stepped_over(service: Service) -> None:
    record(journal_of(service.engine), session(), standing())
    only_newer = Follower(journal_of(service.engine), "new", {(SessionHeld.kind, 2): service._on})
    assert only_newer.advance(NOW)
    assert only_newer.position() == 2
    assert service.heard == []


def test_two_workers_of_one_service_never_handle_a_line_twice(service: Service) -> None:
    record(journal_of(service.engine), *(standing(f"{n % 5:032x}") for n in range(60)))
    workers = [Service(service.engine) for _ in range(2)]
    start = threading.Barrier(len(workers))

    def work(worker: Service) -> None:
        start.wait()  # the cursor's row is not there yet: both want to make it
        worker.run()

    with ThreadPoolExecutor(len(workers)) as pool:
        for done in [pool.submit(work, worker) for worker in workers]:
            done.result()
    assert service.effects == service.answered == list(range(1, 61))
    assert sorted(pos for worker in workers for pos in worker.heard) == list(range(1, 61))


def test_a_worker_does_not_park_what_another_has_got_past(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    record(journal_of(service.engine), standing(), standing(), standing())
    service.fails[1] = Failed()
    healthy = Service(service.engine)

    def between(*_: Any, extra: dict[str, int], **__: Any) -> None:
        if extra["tries"] == TRIES:  # it is about to park the line
            healthy.run()

    monkeypatch.setattr(follow.log, "error", between)
    service.run()
    assert service.parked == []
    assert service.effects == service.answered == [1, 2, 3]


def test_a_worker_that_was_stuck_sees_that_another_has_got_past(service: Service) -> None:
    record(journal_of(service.engine), session())
    service.fails[1] = Failed()
    service.run()
    assert service.follower.stuck_at == 1
    Service(service.engine).run()
    assert not service.follower.advance(NOW)
    assert service.follower.stuck_at is None


def test_a_command_can_have_everything_up_to_a_position_heard_first(service: Service) -> None:
    pos = record(journal_of(service.engine), *(session(n) for n in range(7)))
    service.follower.follow_to(pos, lambda: NOW)
    assert service.effects == list(range(1, 8))
    service.follower.follow_to(10**6, lambda: NOW)  # a position that is not there yet does not hang


def test_a_command_does_not_wait_for_a_line_that_cannot_be_handled(service: Service) -> None:
    pos = record(journal_of(service.engine), session(), session())
    service.fails[1] = Failed()
    service.follower.follow_to(pos, lambda: NOW)
    assert service.effects == []


# --- compared with a model that is slow and obviously right ---------------------------------------------------------

SUBJECTS = [ANNA, BERTTA, "c" * 32, None]


@dataclass
class Model:
    """What must have happened, worked out from the whole journal each time."""

    effects: list[int] = field(default_factory=list)
    parked: list[tuple[int, str]] = field(default_factory=list)
    stuck_at: int | None = None

    def run(self, lines: list[tuple[int, str | None, bool]], fails: set[int]) -> None:
        """`lines` are (position, subject, whether the service hears its kind), from the first that is not done."""
        self.stuck_at = None
        waiting = {subject for pos, _ in self.parked for p, subject, _ in lines if p == pos}
        done = {*self.effects, *(pos for pos, _ in self.parked)}
        for pos, subject, hears in lines:
            if not hears or pos in done:
                continue
            if subject is not None and subject in waiting:
                self.parked.append((pos, "waits for an earlier line"))
            elif pos not in fails:
                self.effects.append(pos)
            elif subject is not None:
                waiting.add(subject)
                self.parked.append((pos, "Failed"))
            else:
                self.stuck_at = pos
                return


def _fact(subject: str | None, hears: bool) -> Fact:
    if not hears:
        return unheard()
    return session() if subject is None else standing(subject)


@pytest.fixture
def emptied(service: Service) -> Iterator[Callable[[], Service]]:
    """Gives the service on an empty journal, as often as asked."""

    def empty() -> Service:
        tables = (journal_line, journal_cursor, journal_parked, journal_audit, journal_head, effect)
        with transaction(service.engine) as connection:
            for table in tables:
                connection.execute(delete(table))
            prepare(connection)
        return Service(service.engine)

    together, skip = follow.TOGETHER, follow.SKIP
    yield empty
    follow.TOGETHER, follow.SKIP = together, skip


ROUND = st.tuples(
    st.lists(st.tuples(st.sampled_from(SUBJECTS), st.booleans(), st.sampled_from([False, False, True])), max_size=8),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(ROUND, max_size=4), st.integers(1, 4), st.integers(1, 5))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_following_does_what_the_model_says(
    emptied: Callable[[], Service], rounds: list[Any], together: int, skip: int
) -> None:
    service, model = emptied(), Model()
    follow.TOGETHER, follow.SKIP = together, skip
    lines: list[tuple[int, str | None, bool]] = []
    for added, heals, restarts in rounds:
        if restarts:
            service = Service(service.engine, fails=service.fails)
        if heals:
            service.fails.clear()
        for subject, hears, fails in added:
            pos = record(journal_of(service.engine), _fact(subject, hears))
            lines.append((pos, subject if hears else None, hears))
            if fails and hears:
                service.fails[pos] = Failed()
        service.run()
        model.run(lines, set(service.fails))
        assert service.effects == model.effects
        assert service.parked == sorted(model.parked)
        assert service.follower.stuck_at == model.stuck_at
    assert service.answered == sorted(model.effects)
