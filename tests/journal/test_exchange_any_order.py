"""Whatever the carrier, the processes and bystanders do, and in whichever order: the lead ends with the node's lines.

The model is the node's own journal. A script of actions is drawn, run with a carrier that delivers only what the
script says, and checked after every step: the lead holds a prefix of the node's stream, never anything else, and
never says "complete" without holding all that the node had signed to it. Then the carrier works again, and within
some rounds everything must be there, nothing twice, chains equal, no segment left lying.
"""

import contextlib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.journal.carrier import Place
from shared.journal.lines import chain_start
from shared.journal.received import completeness
from shared.journal.segment import build
from tests.journal.exchange_kit import (
    OTHER,
    STREAM,
    Killed,
    World,
    append,
    held,
    kept,
    make_key,
    new_engine,
    some_items,
)

NODE_KEY, LEAD_KEY, LEAD_RECEIVING = make_key("signing"), make_key("signing"), make_key("receiving")
STRANGER = make_key("signing")

which = st.integers(0, 30)
stream = st.sampled_from([STREAM, STREAM, OTHER])
actions = st.one_of(
    st.tuples(st.just("append"), stream, st.integers(1, 8)),
    st.tuples(st.just("append_erased"), stream, st.integers(1, 2)),
    st.tuples(st.just("courier")),
    st.tuples(st.just("receiver")),
    st.tuples(st.just("sync")),
    st.tuples(st.just("deliver"), which),
    st.tuples(st.just("deliver_changed"), which, st.integers(0, 2000)),
    st.tuples(st.just("deliver_elsewhere"), which, which),
    st.tuples(st.just("deliver_foreign"), stream),
    st.tuples(st.just("deliver_manifest"), which),
    st.tuples(st.just("deliver_receipt"), which),
    st.tuples(st.just("lose_sent"), which),
    st.tuples(st.just("lose_arrived"), which),
    st.tuples(st.just("change_sent"), which, st.integers(0, 2000)),
    st.tuples(st.just("later"), st.integers(1, 600)),
    st.tuples(st.just("restart")),
    st.tuples(st.just("kill_courier"), st.integers(0, 25)),
    st.tuples(st.just("kill_receiver"), st.integers(0, 25)),
    st.tuples(st.just("new_lead")),
)


def pick(things: Any, index: int) -> Any:
    things = list(things)
    return things[index % len(things)] if things else None


class Script:
    """A world and what can happen in it."""

    def __init__(self) -> None:
        self.world = World(
            node_key=NODE_KEY,
            lead_key=LEAD_KEY,
            lead_receiving=LEAD_RECEIVING,
            streams=(STREAM, OTHER),
            early_limit=4,
        )
        self.world.pipe.open = False
        self.manifests: list[tuple[str, bytes]] = []
        self.receipts: list[tuple[str, bytes]] = []

    def do(self, name: str, *given: Any) -> None:
        getattr(self, f"do_{name}")(*given)
        self.manifests += [pair for pair in self.world.pipe.manifests.items() if pair not in self.manifests]
        self.receipts += [pair for pair in self.world.pipe.receipts.items() if pair not in self.receipts]

    def do_append(self, stream: str, count: int) -> None:
        append(self.world.node, count, stream)

    def do_append_erased(self, stream: str, count: int) -> None:
        append(self.world.node, count, stream, erased=True)

    def do_courier(self) -> None:
        assert not any(sent.conflict or sent.failed for sent in self.world.courier().values())

    def do_receiver(self) -> None:
        self.world.receiver()

    def do_sync(self) -> None:
        self.world.pipe.sync()

    def do_deliver(self, index: int) -> None:
        if arrival := pick(self.world.pipe.archive, index):
            self.world.pipe.put(*arrival)

    def do_deliver_changed(self, index: int, position: int) -> None:
        if arrival := pick(self.world.pipe.archive, index):
            stream, place, data = arrival
            at = position % len(data)
            self.world.pipe.put(stream, place, data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])

    def do_deliver_elsewhere(self, index: int, other: int) -> None:
        if arrival := pick(self.world.pipe.archive, index):
            self.world.pipe.put(OTHER, Place(1, 1 + other, 3 + other), arrival[2])

    def do_deliver_foreign(self, stream: str) -> None:
        assert LEAD_RECEIVING.public is not None
        foreign = build(
            some_items(1, 3, stream),
            stream=stream,
            epoch=1,
            first=1,
            before=chain_start(stream),
            signer=STRANGER,
            sealed_to=LEAD_RECEIVING.public,
            time=self.world.now,
        )
        self.world.pipe.put(stream, Place(1, 1, 3), foreign.data)

    def do_deliver_manifest(self, index: int) -> None:
        if pair := pick(self.manifests, index):
            self.world.pipe.arrived_manifests[pair[0]] = pair[1]

    def do_deliver_receipt(self, index: int) -> None:
        if pair := pick(self.receipts, index):
            self.world.pipe.arrived_receipts[pair[0]] = pair[1]

    def do_lose_sent(self, index: int) -> None:
        if key := pick(self.world.pipe.sent, index):
            del self.world.pipe.sent[key]

    def do_lose_arrived(self, index: int) -> None:
        if key := pick(self.world.pipe.arrived, index):
            del self.world.pipe.arrived[key]

    def do_change_sent(self, index: int, position: int) -> None:
        """Damage where it lies, the size unchanged: only the echo rule can heal it."""
        if key := pick(self.world.pipe.sent, index):
            data = self.world.pipe.sent[key]
            at = position % len(data)
            self.world.pipe.sent[key] = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]

    def do_later(self, seconds: int) -> None:
        self.world.later(seconds)

    def do_restart(self) -> None:
        self.world.restart()

    def do_kill_courier(self, step: int) -> None:
        self.world.fuse.left = step
        with contextlib.suppress(Killed):
            self.world.courier()
        self.world.fuse.left = None

    def do_kill_receiver(self, step: int) -> None:
        self.world.fuse.left = step
        with contextlib.suppress(Killed):
            self.world.receiver()
        self.world.fuse.left = None

    def do_new_lead(self) -> None:
        self.world.lead.dispose()
        self.world.lead = new_engine()
        self.world.restart()

    def check(self) -> None:
        """What must hold after every step."""
        world = self.world
        with world.lead.connect() as connection:
            said = {row.stream: row for row in completeness(connection, world.now)}
        for name in world.streams:
            lines, _ = held(world.lead, name)
            whole, _ = kept(world.node, name)
            assert lines == whole[: len(lines)], "the lead holds something else than the node recorded"
            if name in said:
                assert said[name].watermark == len(lines)
                assert said[name].state != "differs"
                if said[name].state == "complete":
                    assert len(lines) == said[name].head


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(actions, max_size=40))
def test_any_permutation_repetition_and_loss_ends_with_the_nodes_lines(script: list[tuple[Any, ...]]) -> None:
    run = Script()
    try:
        for action in script:
            run.do(*action)
            run.check()
        run.world.heal(rounds=120)
        run.check()
        for name in run.world.streams:
            assert held(run.world.lead, name) == kept(run.world.node, name)
        assert run.world.pipe.sent == {}
    finally:
        run.world.node.dispose()
        run.world.lead.dispose()
