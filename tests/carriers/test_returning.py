"""Over every carrier a restored node gets its end back, and no receipt of before the restore ends its hold."""

import pytest
from sqlalchemy import Engine

from shared.journal import received
from shared.journal.carrier import ERASED, MANIFEST, PROOF, RECEIPT, back_of
from shared.journal.carry_tables import received_line
from shared.journal.holding import WAITING, go_on, held_streams, hold, is_held
from shared.journal.returning import Retriever, Returner
from shared.journal.sending import Courier
from shared.storage import snapshot, transaction
from shared.testing.wait import until
from tests.carriers.kit import Ends
from tests.carriers.test_exchange import settle, world_over
from tests.journal.exchange_kit import STREAM, World, append, make_key, new_engine, public
from tests.services.kit import rows

BACK = back_of(STREAM)


@pytest.fixture
def restored(ends: Ends) -> World:
    """The lead has twenty lines, the node is restored from a backup of after ten."""
    world = world_over(ends)
    append(world.node, 20)
    settle(world)
    world.node = new_engine()
    append(world.node, 10)
    with transaction(world.node) as connection:
        hold(connection, "2026-11-22T09:15:02.123456Z", STREAM.split("/")[0])
    world.restart()
    return world


def asking(world: World, ends: Ends) -> Courier:
    """The restored node's courier, which asks and ships nothing."""
    assert world.lead_receiving.public is not None
    leads, sealed_to = public(world.lead_key), world.lead_receiving.public
    return Courier(world.node, ends.node, world.node_key, leads, sealed_to)


def held(engine: Engine) -> bool:
    with snapshot(engine) as connection:
        return is_held(connection)


def test_a_receipt_of_before_the_restore_does_not_end_the_hold(restored: World, ends: Ends) -> None:
    until(lambda: ends.node.read(STREAM, RECEIPT, 9999) is not None)
    courier = asking(restored, ends)
    for _ in range(3):
        courier.listen([STREAM], restored.now)
        assert not go_on(restored.node, [STREAM], lambda _: None)
        restored.later(1)
    assert held_streams(restored.node, [STREAM]) == {STREAM: WAITING}


def test_the_end_comes_back_and_nothing_of_it_is_left(restored: World, ends: Ends) -> None:
    receiving = make_key("receiving")
    assert receiving.public is not None
    opens, own, leads = {receiving.id: receiving.secret()}, public(restored.node_key), public(restored.lead_key)
    retriever = Retriever(restored.node, ends.node, restored.node_key, opens)
    returner = Returner(restored.lead, ends.lead, restored.lead_key, own, receiving.public)

    courier = asking(restored, ends)

    def one_round() -> bool:
        courier.listen([STREAM], restored.now)
        over = go_on(restored.node, [STREAM], lambda stream: retriever.round(stream, STREAM, leads, own, restored.now))
        restored.receiver()
        returner.round(STREAM, restored.now)
        restored.later(1)
        return over

    until(one_round)
    assert not held(restored.node)
    came = sorted(row["seq"] for row in rows(restored.node, received_line))
    assert came == list(range(11, 21))
    with snapshot(restored.node) as connection:
        assert received.read_heads(connection, [STREAM])[STREAM].seq == 20
    retriever.thank(STREAM)

    def cleared() -> bool:
        return not returner.round(STREAM, restored.now)

    until(cleared)
    until(lambda: all(ends.node.read(BACK, name, 9999) is None for name in (MANIFEST, PROOF, ERASED)))
