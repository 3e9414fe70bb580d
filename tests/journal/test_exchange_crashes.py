"""A process that ends between any two steps: the next one heals it.

A step is an operation of the carrier or the beginning or end of a transaction. The same story is told again and
again; the n-th time, whoever comes to step n ends there.
"""

import contextlib
from collections.abc import Callable

from shared.journal.carrier import Place
from tests.journal.exchange_kit import STREAM, Killed, World, append, held, kept


def story(world: World) -> None:
    """Two deliveries, one of them with a lost and a changed segment."""

    def tried(act: Callable[[], object]) -> None:
        with contextlib.suppress(Killed):
            act()
        world.later()

    append(world.node, 7)
    tried(world.courier)
    tried(world.receiver)
    tried(world.courier)
    append(world.node, 8)
    tried(world.courier)
    sent = world.pipe.sent
    sent.pop((STREAM, Place(1, 8, 10)), None)
    for key in sorted(sent)[:1]:
        sent[key] = sent[key][:-1] + bytes([sent[key][-1] ^ 1])
    world.pipe.sync()
    tried(world.receiver)
    tried(world.courier)
    tried(world.receiver)


def test_an_end_between_any_two_steps_heals() -> None:
    step, fired = 0, True
    while fired:
        world = World()
        world.fuse.left = step
        story(world)
        fired = world.fuse.left is None
        world.heal()
        assert held(world.lead) == kept(world.node)
        world.node.dispose()
        world.lead.dispose()
        step += 1
    assert step > 50
