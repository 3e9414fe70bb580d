"""What can happen in a schedule, by name. Every step takes whole numbers, any of them, so that steps can be left out
of a schedule and the rest still means something. A step that finds nothing to do does nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.contracts.catalogue import HeadsCounted, StandingReached, SubjectErased
from shared.contracts.errors import HomeHeld, UnknownPerson
from shared.journal import epochs, received
from shared.journal.carrier import MANIFEST, RECEIPT, Place
from shared.journal.holding import hold
from shared.ops.clock import wire_time
from tests.simulator.checks import check_lead, check_node
from tests.simulator.crafting import CRAFTS, craft
from tests.simulator.link import is_back
from tests.simulator.world import CARRIER, INSIDE, Accepted, Killed, Node, Step, World


def do(world: World, step: Step) -> None:
    """Let a step happen, and check what must hold after it. No two happen in the same instant."""
    world.now += timedelta(milliseconds=7)
    name, *arguments = step
    world.say(f"{world.now:%d %H:%M:%S} {name} {' '.join(map(str, arguments))}")
    STEPS[name](world, *arguments)


def _happened(world: World, fault: str) -> None:
    world.coverage.faults[fault] += 1


# Recording


def record(world: World, which: int, count: int) -> None:
    """Facts are recorded in a stream, every other one about somebody."""
    node, stream = world.stream_at(which)
    programme = stream.split("/")[1]
    world.counters.attempted += count
    people = []
    try:
        with node.journal.unit(world.now + node.skew) as unit:
            for _ in range(count):
                number = len(node.people) + len(people)
                if number % 2:
                    people.append((f"{number:032x}", programme))
                    unit.record(StandingReached(f"{number:032x}", standing="client"), programme)
                else:
                    people.append(("", programme))
                    unit.record(HeadsCounted(session=f"{number:032x}", heads=number, basis="counted"), programme)
    except (HomeHeld, Killed):
        return
    node.people += people
    world.note_recorded(node)


def erase(world: World, which: int, whom: int) -> None:
    """Somebody is erased."""
    node = world.node_of(which)
    people = [person for person in node.people if person[0]]
    if not people:
        return
    subject, programme = people[whom % len(people)]
    world.counters.attempted += 1
    try:
        with node.journal.unit(world.now + node.skew) as unit:
            unit.record(SubjectErased(subject), programme)
    except (HomeHeld, UnknownPerson, Killed):
        return
    _happened(world, "erased")
    world.note_recorded(node)


# Processes


def courier(world: World, which: int) -> None:
    """A round of a node's courier."""
    node = world.node_of(which)
    world.courier_round(node)
    check_node(world, node)


def second_courier(world: World, which: int) -> None:
    """A round of another courier of the same node."""
    _happened(world, "courier_twice")
    node = world.node_of(which)
    world.courier_round(node, 1)
    check_node(world, node)


def receiver(world: World) -> None:
    """A round of the receiver."""
    world.receiver_round()
    check_lead(world)


def second_receiver(world: World) -> None:
    """A round of another receiver of the same lead."""
    _happened(world, "receiver_twice")
    world.receiver_round(1)
    check_lead(world)


def restart(world: World, which: int) -> None:
    """A process ends in good order and is started again."""
    homes = len(world.nodes) + 1
    if which % homes:
        world.nodes[which % homes - 1].stop()
    else:
        world.receivers.clear()
        world.returners.clear()
    _happened(world, "restart")


def killed(world: World, outer: Step, at: int) -> None:
    """A round during which the process is killed at its step `at`."""

    def plan(_where: str) -> bool:
        _happened(world, f"{outer[0]}_killed")
        raise Killed

    with world.during(at, plan):
        do(world, outer)


def failing(world: World, outer: Step, at: int, times: int, what: str) -> None:
    """A round during which the carrier fails, `times` times from step `at` on; only at `what`, if that is named."""
    left = times

    def plan(where: str) -> bool:
        nonlocal left
        if where not in CARRIER or (what and where != what):
            return False
        left -= 1
        _happened(world, f"{outer[0]}_failing")
        if left > 0:
            world.plan = plan
        raise OSError("the carrier failed")

    with world.during(at, plan):
        do(world, outer)


def meanwhile(world: World, outer: Step, at: int, inner: Step) -> None:
    """A round in the middle of which something else happens."""

    def plan(where: str) -> bool:
        if where == INSIDE:
            return False
        _happened(world, "meanwhile")
        do(world, inner)
        return True

    with world.during(at, plan):
        do(world, outer)


# Time


def later(world: World, seconds: int) -> None:
    """Time passes."""
    world.now += timedelta(seconds=seconds)


def clock(world: World, which: int, minutes: int) -> None:
    """A home's clock is set wrong, or right again (0)."""
    _happened(world, "clock")
    homes = len(world.nodes) + 1
    if which % homes:
        world.nodes[which % homes - 1].skew = timedelta(minutes=minutes)
    else:
        world.lead_skew = timedelta(minutes=minutes)


def node_clock(world: World, which: int, minutes: int) -> None:
    """A node's clock is set wrong, or right again (0)."""
    _happened(world, "clock")
    world.node_of(which).skew = timedelta(minutes=minutes)


# The carrier


def sync(world: World) -> None:
    """The carrier does what it should."""
    world.link.sync()


def deliver(world: World, which: int) -> None:
    """Some of the items that wait go over to the lead, and not the others; `which` has a bit for each."""
    link = world.link
    if link.one_folder:
        return
    waiting = [
        (channel, name)
        for channel, items in sorted(link.near.items())
        if not is_back(channel)
        for name, item in sorted(items.items())
        if name != RECEIPT and (name not in link.far.get(channel, {}) or link.far[channel][name].data != item.data)
    ]
    for place, (channel, name) in enumerate(waiting):
        if which >> place % 12 & 1:
            link.put(link.far, channel, name, link.near[channel][name].data)
            _happened(world, "reordered")


def lose(world: World, which: int, side: int) -> None:
    """A segment is lost, at the node's end or at the lead's."""
    at = world.link.near if side % 2 else world.link.far
    places = world.link.places(at)
    if places:
        channel, name = places[which % len(places)]
        del at[channel][name]
        _happened(world, "lost")


def purge(world: World, side: int) -> None:
    """Everything is lost, receipts and manifests too."""
    (world.link.near if side % 2 else world.link.far).clear()
    _happened(world, "purged")


def _items(world: World, side: int) -> tuple[Any, list[tuple[str, str]]]:
    at = world.link.near if side % 2 else world.link.far
    return at, [(channel, name) for channel, items in sorted(at.items()) for name in sorted(items)]


def change(world: World, which: int, side: int, position: int) -> None:
    """A byte of an item is changed where it lies."""
    at, items = _items(world, side)
    if items:
        channel, name = items[which % len(items)]
        data = at[channel][name].data
        if data:
            place = position % len(data)
            world.link.put(at, channel, name, data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
            _happened(world, "changed")


def truncate(world: World, which: int, side: int, length: int) -> None:
    """An item is cut off."""
    at, items = _items(world, side)
    if items:
        channel, name = items[which % len(items)]
        data = at[channel][name].data
        world.link.put(at, channel, name, data[: length % (len(data) + 1)])
        _happened(world, "truncated")


def repeat(world: World, which: int) -> None:
    """A segment that was written once comes again."""
    old = [entry for entry in world.link.written if entry[1].endswith(".seg")]
    if old:
        world.link.put(world.link.far, *old[which % len(old)])
        _happened(world, "repeated")


def misplace(world: World, which: int, first: int) -> None:
    """A segment lies where another belongs."""
    old = [entry for entry in world.link.written if entry[1].endswith(".seg")]
    if old:
        _, _, data = old[which % len(old)]
        _, channel = world.stream_at(first)
        world.link.put(world.link.far, channel, Place(1, 1 + first, 3 + first).name, data)
        _happened(world, "misplaced")


def old_manifest(world: World, which: int) -> None:
    """A manifest of the past is put back."""
    old = [entry for entry in world.link.written if entry[1] == MANIFEST]
    if old:
        world.link.put(world.link.far, *old[which % len(old)])
        _happened(world, "old_manifest")


def old_receipt(world: World, which: int) -> None:
    """A receipt of the past is put back, and the node's courier looks."""
    receipts = [entry for entry in world.link.written if entry[1] == RECEIPT]
    newest = {channel: data for channel, _, data in receipts}
    old = [entry for entry in receipts if newest[entry[0]] != entry[2]]
    if old:
        channel, name, data = old[which % len(old)]
        world.link.put(world.link.near, channel, name, data)
        _happened(world, "old_receipt")
        courier(world, next(n for n, node in enumerate(world.nodes) if channel in node.streams))


def crafted(world: World, what: int, which: int, where: int) -> None:
    """Somebody, or a node that is out of order, puts something there that must not be taken."""
    name = CRAFTS[what % len(CRAFTS)]
    if craft(world, name, which, where):
        _happened(world, f"crafted {name}")


# Keys


def rotate(world: World, which: int) -> None:
    """A node signs with a new key from now on; its lead has not heard of it yet."""
    node = world.node_of(which)
    if not node.rotated:
        node.rotated = True
        node.stop()
        _happened(world, "rotated")


def learn_keys(world: World, which: int, only: int) -> None:
    """The lead hears which keys a node has; `only`: the time in which the old one counts too is over."""
    node = world.node_of(which)
    world.learn_keys(node, node.keys[only % 2 and node.rotated : node.rotated + 1])
    _happened(world, "learned keys")


# Backups


def lead_backup(world: World) -> None:
    """The lead's database is backed up."""
    world.take_lead_backup()


def lead_restore(world: World) -> None:
    """The lead's database is put back by `polku restore`: as every new database it has an incarnation of its own."""
    if world.lead_backup:
        rows = world.lead_backup.rows | {"received_incarnation": []}
        world.restore_lead(replace(world.lead_backup, rows=rows))  # the end of its own stream has come back to it
        _happened(world, "lead_restored")


def lead_copied(world: World) -> None:
    """The lead's database is put back behind Polku's back, incarnation and all."""
    if world.lead_backup:
        world.restore_lead(world.lead_backup)
        world.accepted = list(world.lead_backup.accepted)
        _happened(world, "lead_copied")


def new_lead(world: World) -> None:
    """The lead's database is gone; the lead begins with an empty one."""
    world.restore_lead(None)
    _happened(world, "lead_emptied")


def node_backup(world: World, which: int) -> None:
    """A node's database is backed up."""
    world.take_node_backup(world.node_of(which))


def node_restore(world: World, which: int, back: int) -> None:
    """A node's database is put back by `polku restore`, from its newest backup or one `back` before it: it is held."""
    node = world.node_of(which)
    if node.backups:
        _happened(world, "node_restored")
        if back % len(node.backups):
            _happened(world, "older_backup")
        world.restore_node(node, back, lambda connection: _hold(connection, world, node))


def _hold(connection: Any, world: World, node: Node) -> None:
    node.restored = True
    connection.exec_driver_sql("DELETE FROM journal_hold")
    hold(connection, wire_time(world.now + node.skew), node.name)


def node_copied(world: World, which: int) -> None:
    """A node's database is put back behind Polku's back: two histories may come to be."""
    node = world.node_of(which)
    if node.backups:
        world.restore_node(node, 0, lambda _connection: None)
        node.forked |= node.branched
        _happened(world, "node_copied")


def accept(world: World, which: int) -> None:
    """Somebody at the lead says which of a node's histories counts: `reporting.partners.accept_epoch`."""
    node, now = world.node_of(which), wire_time(world.now + world.lead_skew)
    with world.lead.snapshot() as connection:
        for stream, head in received.read_heads(connection, node.streams).items():
            counts = epochs.acceptable(connection, head)
            if counts is not None:
                # Nobody's history may differ but that of who was put back, or whose key was misused.
                world.counters.unexpected += not (node.restored or node.branched or node.forked)
                world.accepted.append(Accepted(stream, *counts, head.seq, now))
                world.say(f"  {world.accepted[-1]}")
                _happened(world, "accepted")


STEPS = {
    step.__name__: step
    for step in (
        record,
        erase,
        courier,
        second_courier,
        receiver,
        second_receiver,
        restart,
        killed,
        failing,
        meanwhile,
        later,
        clock,
        node_clock,
        sync,
        deliver,
        lose,
        purge,
        change,
        truncate,
        repeat,
        misplace,
        old_manifest,
        old_receipt,
        crafted,
        lead_backup,
        lead_restore,
        lead_copied,
        new_lead,
        node_backup,
        node_restore,
        node_copied,
        accept,
        rotate,
        learn_keys,
    )
}
