"""Parked lines: run again in order, or given up; each with an entry in the audit log."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import OperationalError

from shared.contracts.errors import NotFound
from shared.journal import parked
from shared.journal.audit import verify
from shared.journal.tables import journal_audit, journal_line
from tests.journal.journal_kit import ANNA, BERTTA, NOW, journal_of, record, session, standing
from tests.journal.test_follow import Failed, Service, effect


@pytest.fixture
def service(engine: Engine) -> Service:
    effect.create(engine)
    return Service(engine)


def park(service: Service, *subjects: str, fails: tuple[int, ...]) -> None:
    """Record a standing of each subject; the lines at positions `fails` have no effect, and what waits behind them."""
    record(journal_of(service.engine), *map(standing, subjects))
    service.fails = {pos: Failed() for pos in fails}
    service.run()


def retry(service: Service, pos: int) -> parked.Retried:
    return parked.retry(service.follower, pos, by="cli:boss", now=NOW)


def drop(service: Service, pos: int) -> int:
    return parked.drop(service.follower, pos, reason="recorded_twice", by="cli:boss", now=NOW)


def audit(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        assert verify(connection) is None
        entries = connection.execute(select(journal_audit.c.entry).order_by(journal_audit.c.n)).scalars()
        return [{k: v for k, v in json.loads(entry).items() if k not in ("n", "at")} for entry in entries]


def test_a_queue_runs_in_order_once_and_leaves_other_peoples_alone(service: Service) -> None:
    park(service, ANNA, BERTTA, ANNA, BERTTA, ANNA, fails=(1, 2))
    assert [pos for pos, _ in service.parked] == [1, 2, 3, 4, 5]
    service.fails.clear()
    done = retry(service, 1)
    assert (done.done, done.at, done.error) == ((1, 3, 5), None, None)
    assert (service.effects, service.parked) == ([1, 3, 5], [(2, "Failed"), (4, "waits for an earlier line")])
    retry(service, 4)  # any line of the queue names it
    assert service.effects == [1, 3, 5, 2, 4]
    assert (service.answered, service.parked) == ([1, 2, 3, 4, 5], [])


def test_what_fails_again_keeps_its_place_with_its_new_error_and_holds_up_the_rest(service: Service) -> None:
    park(service, ANNA, ANNA, ANNA, fails=(1, 2))
    service.fails = {2: ValueError("Meikäläinen")}
    done = retry(service, 1)
    assert (done.done, done.at, done.error) == ((1,), 2, "ValueError")
    assert service.effects == [1]
    assert service.parked == [(2, "ValueError"), (3, "waits for an earlier line")]


def test_a_line_that_comes_while_a_queue_is_there_waits_behind_it(service: Service) -> None:
    park(service, ANNA, ANNA, fails=(1,))
    late = record(journal_of(service.engine), standing(ANNA))
    service.run()
    service.fails.clear()
    assert retry(service, 1).done == (1, 2, late)
    assert service.effects == [1, 2, late]
    later = record(journal_of(service.engine), standing(ANNA))
    service.run()
    assert service.effects == [1, 2, late, later], "nobody waits any more"


def test_the_position_of_what_the_effects_recorded_is_told(service: Service) -> None:
    park(service, ANNA, fails=(1,))
    service.fails.clear()
    with service.engine.connect() as connection:
        before = max(connection.execute(select(journal_line.c.pos)).scalars())
    assert retry(service, 1).pos == before + 1


def test_a_long_queue_is_run_piece_by_piece(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    park(service, *[ANNA] * 5, fails=(1,))
    service.fails.clear()
    monkeypatch.setattr(parked, "AT_ONCE", 2)
    done = retry(service, 1)
    assert (done.done, done.at, done.error) == ((1, 2), 3, None)
    assert retry(service, 3).at == 5
    assert retry(service, 5).at is None
    assert service.effects == [1, 2, 3, 4, 5]


def test_a_dropped_line_never_takes_effect_and_the_rest_waits_for_a_retry(service: Service) -> None:
    park(service, ANNA, ANNA, ANNA, fails=(1,))
    assert drop(service, 1) == 2
    assert [pos for pos, _ in service.parked] == [2, 3]
    service.run()
    assert service.effects == []
    assert retry(service, 2).done == (2, 3)
    assert service.effects == [2, 3]


def test_both_ways_out_are_audited(service: Service) -> None:
    park(service, ANNA, BERTTA, fails=(1, 2))
    service.fails.clear()
    drop(service, 1)
    retry(service, 2)
    first, second = audit(service.engine)
    common = {"by": "cli:boss", "service": "activities"}
    dropped = {"action": "drop_parked", "pos": 1, "error": "Failed", "reason": "recorded_twice"}
    assert first == {**common, **dropped}
    assert {name: value for name, value in second.items() if name not in ("first", "last")} == {
        **common,
        "action": "retry_parked",
        "pos": 2,
    }


@pytest.mark.parametrize("way", [retry, drop])
def test_what_is_not_parked_is_not_found(service: Service, way: Callable[[Service, int], Any]) -> None:
    park(service, ANNA, BERTTA, fails=(2,))
    with pytest.raises(NotFound):
        way(service, 1)
    assert audit(service.engine) == []


def test_an_erased_line_has_no_effect_any_more_and_holds_nobody_up(service: Service) -> None:
    park(service, ANNA, ANNA, fails=(1,))
    with service.engine.begin() as connection:
        erased = update(journal_line).where(journal_line.c.pos == 1)
        connection.execute(erased.values(kind=None, subject=None, line=None))
        assert parked.listed(connection)[0]["kind"] is None
    assert retry(service, 1).done == (1, 2)
    assert service.effects == [2]


def test_the_databases_trouble_changes_nothing(service: Service) -> None:
    park(service, ANNA, fails=(1,))
    service.fails = {1: OperationalError("", None, Exception("locked"))}
    with pytest.raises(OperationalError):
        retry(service, 1)
    assert service.parked == [(1, "Failed")]


def test_the_list_says_what_waits_behind_what_and_nothing_of_anybody(service: Service) -> None:
    record(journal_of(service.engine), session(1))
    park(service, ANNA, BERTTA, ANNA, fails=(2, 3))
    with service.engine.connect() as connection:
        rows, counts = parked.listed(connection), parked.counts(connection)
    assert [(row["service"], row["pos"], row["queue"], row["seq"]) for row in rows] == [
        ("activities", 2, 2, 2),
        ("activities", 3, 3, 3),
        ("activities", 4, 2, 4),
    ]
    assert rows[0] == {
        "service": "activities",
        "pos": 2,
        "stream": "pori-0a1b2c3d/lahde",
        "seq": 2,
        "kind": "intake.standing_reached",
        "error": "Failed",
        "parked_at": "2026-11-22T09:15:02.123456Z",
        "queue": 2,
    }
    assert ANNA not in str(rows)
    assert parked.queues(rows) == [("activities", 2), ("activities", 3)]
    assert counts == {"activities": 3}
