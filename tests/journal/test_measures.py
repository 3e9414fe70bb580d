"""What courier and receiver say about themselves: ages and gaps, also when a round fails or a stream has stopped."""

import math
from collections.abc import Iterator
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from shared.journal import planning
from shared.journal.carrier import Found
from shared.journal.segment import Reason
from shared.storage import snapshot
from tests.journal.exchange_kit import STREAM, Pipe, World, append

RECORDED_LATER = timedelta(minutes=15, seconds=2, microseconds=123456)
"""How long after the kit's clock begins its lines say they were recorded."""


def value(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(name, labels or {"stream": STREAM})
    assert found is not None
    return found


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    made.now += RECORDED_LATER
    yield made
    made.heal()


def test_the_oldest_line_without_receipt_grows_old_and_a_receipt_ends_it(world: World) -> None:
    append(world.node, 3)
    world.courier()
    assert value("polku_courier_oldest_unreceipted_seconds") == 0
    world.later(7200)
    world.courier()
    assert value("polku_courier_oldest_unreceipted_seconds") == 7200
    assert value("polku_courier_unreceipted_lines") == 3
    world.receiver()
    world.courier()
    assert value("polku_courier_oldest_unreceipted_seconds") == 0
    assert value("polku_courier_unreceipted_lines") == 0


def test_it_is_measured_also_while_the_carrier_fails(world: World) -> None:
    class Broken(Pipe):
        broken = True

        def list_segments(self, stream: str) -> list[Found]:
            if self.broken:
                raise PermissionError
            return super().list_segments(stream)

    world.carrier = Broken()
    append(world.node, 1)
    world.later(60)
    world.courier()
    world.receiver()
    assert (value("polku_courier_failing"), value("polku_receiver_failing")) == (1, 1)
    assert value("polku_courier_oldest_unreceipted_seconds") == 60
    world.carrier.broken = False
    world.courier()
    world.receiver()
    assert (value("polku_courier_failing"), value("polku_receiver_failing")) == (0, 0)


def test_an_erased_line_says_no_time_but_the_next_one_does(world: World) -> None:
    append(world.node, 2, erased=True)
    with snapshot(world.node) as connection:
        view = planning.load(connection, STREAM)
        assert planning.oldest_without_receipt(connection, STREAM, view) is None
    append(world.node, 1)
    with snapshot(world.node) as connection:
        view = planning.load(connection, STREAM)
        assert planning.oldest_without_receipt(connection, STREAM, view) == world.now


def test_a_manifests_age_is_that_of_the_newest_word_and_infinite_before_the_first(world: World) -> None:
    world.receiver()
    assert math.isinf(value("polku_receiver_manifest_age_seconds"))
    append(world.node, 2)
    world.courier()
    world.later(90)
    world.receiver()
    assert value("polku_receiver_manifest_age_seconds") == 90
    assert value("polku_receiver_missing_lines") == 0


def test_a_counter_that_an_alert_watches_is_there_before_it_counts() -> None:
    for reason in Reason:
        assert value("polku_receiver_refused_total", reason=reason.value) >= 0
