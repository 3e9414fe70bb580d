"""What must hold after every step of a schedule, and at its end. What does not is counted in the world's counters."""

from typing import Any, cast

from shared.journal import received
from shared.journal.lines import chain_next, chain_start, line_digest
from tests.simulator.world import Node, World

ALL = 10**9


def check_lead(world: World) -> None:
    """The lead holds what was recorded, once, in order, and claims no more than that."""
    now = world.now + world.lead_skew
    _forget_what_is_void(world)
    with world.lead.snapshot() as connection:
        said = {row.stream: row for row in received.completeness(connection, now, streams=world.admitted)}
    effects = "SELECT COUNT(*) FROM (SELECT 1 FROM simulator_effect GROUP BY stream, seq HAVING COUNT(*) > 1) AS again"
    world.counters.duplicated_effect += world.lead.rows(effects)[0][0]
    lines: dict[str, list[tuple[Any, ...]]] = {}
    for stream, *row in world.lead.rows("SELECT stream, seq, digest, line FROM received_line ORDER BY stream, seq"):
        lines.setdefault(stream, []).append(tuple(row))
    early = "SELECT stream, first, last FROM received_early"
    kept: dict[str, list[tuple[int, int]]] = {}
    for stream, first, last in world.lead.rows(early):
        kept.setdefault(stream, []).append((first, last))
    for node, stream in world.streams():
        chains = _chains(world, node, stream, lines.pop(stream, []))
        _compare(world, stream, said[stream], chains, kept.get(stream, []))
        _compare_receipt(world, stream, chains)
    world.counters.unexpected += sum(len(foreign) for foreign in lines.values())


def _forget_what_is_void(world: World) -> None:
    """Since somebody said which history counts, what was shown before is of another one, or of two."""
    seen = world.link.seen
    for stream, *which in world.lead.rows("SELECT stream, epoch, accepted_at FROM received_head"):
        asked = any((said.stream, said.epoch, said.at) == (stream, *which) for said in world.accepted)
        if which[1] and not asked:
            world.counters.unexpected += 1
            world.say(f"  !! {stream}: epoch {which[0]} counts, and nobody has accepted it")
        if which[1] and which != seen.accepted.get(stream):
            seen.accepted[stream] = which
            seen.heads.pop(stream, None)
            world.link.receipts.pop(stream, None)


def _chains(world: World, node: Node, stream: str, rows: list[tuple[Any, ...]]) -> dict[int, bytes]:
    """The chain at every line held without a hole from the first; lines that nobody recorded are counted."""
    tree, chain = node.trees[stream], chain_start(stream)
    chains = {0: chain}
    for number, (seq, digest, line) in enumerate(rows, 1):
        if seq != number:
            break
        chain = chain_next(chain, bytes(digest))
        chains[seq] = chain
        if not tree.holds(seq, chain) or (line is not None and line_digest(bytes(line)) != bytes(digest)):
            world.counters.unexpected += 1
    return chains


def _compare(world: World, stream: str, said: Any, chains: dict[int, bytes], early: list[tuple[int, int]]) -> None:
    """What the lead says about the stream, against what it holds and the heads that it was shown."""
    world.coverage.states[said.state] += 1
    held, shown = len(chains) - 1, world.link.seen.heads.get(stream, set())
    if said.state == "complete":
        newest = [world.link.seen.newest[stream][1:]] if stream in world.link.seen.newest else []
        all_shown = [*shown, *newest]
        complete = held == said.watermark and all(seq <= held and chains[seq] == chain for seq, chain in all_shown)
        world.counters.false_complete += not complete
        if not complete:
            world.say(
                f"  !! {stream} is said to be complete: {said}; held {held}, shown {sorted(s for s, _ in all_shown)}"
            )
    reported = [(0, ALL)] if said.state == "differs" else [*said.missing, *early]
    furthest = max((seq for seq, _ in shown), default=0)
    gap = sum(not any(a <= seq <= b for a, b in reported) for seq in range(held + 1, furthest + 1))
    world.counters.undetected_gap += gap
    if gap:
        world.say(f"  !! {stream}: {gap} lines are missing and not reported: {said}; held {held}, shown {furthest}")


def _compare_receipt(world: World, stream: str, chains: dict[int, bytes]) -> None:
    """The newest receipt that this lead has written says no more than it holds."""
    receipt = world.link.receipts.get(stream)
    if receipt is not None and chains.get(receipt.seq, b"").hex() != receipt.chain:
        world.counters.false_complete += 1
        world.say(f"  !! {stream}: {receipt}, held {len(chains) - 1}")


def check_node(world: World, node: Node) -> None:
    """The node's courier does not go back to an older receipt, least of all one that says more than the lead holds."""
    rows = node.database.rows("SELECT stream, seq, incarnation, time FROM courier_receipt WHERE incarnation <> ''")
    for stream, seq, incarnation, time in rows:
        # Of one from before our epoch only what is of that epoch here is believed.
        index = max(said.index for said in world.link.said[stream, incarnation, time] if said.seq >= seq)
        before = node.believed.get(stream, 0)
        node.believed[stream] = index
        if index < before:
            world.counters.stale_believed += 1
            head = world.lead.rows(f"SELECT seq FROM received_head WHERE stream = '{stream}'")
            held = head[0][0] if head else 0
            world.counters.false_complete += seq > held
            world.say(f"  !! {stream}: an old receipt is believed, {seq} lines of which {held} are held")


def is_whole(world: World, node: Node, stream: str) -> bool:
    """Whether the lead stands where the node stands."""
    tree = node.trees[stream]
    head = world.lead.rows(f"SELECT seq, chain FROM received_head WHERE stream = '{stream}'")
    return bool(head) and (head[0][0], bytes(head[0][1])) == tree.at


def is_stopped(world: World, node: Node, stream: str) -> bool:
    """Whether a conflict or a hold keeps the stream from going on."""
    lead = f"SELECT 1 FROM received_head WHERE stream = '{stream}' AND (state = 'stopped' OR head_epoch <> epoch)"
    own = f"SELECT 1 FROM courier_receipt WHERE stream = '{stream}' AND conflict IS NOT NULL"
    held = node.database.rows("SELECT 1 FROM journal_hold")
    return bool(held or world.lead.rows(lead) or node.database.rows(own))


def is_in_conflict(node: Node) -> bool:
    """Whether a node that is not held sees that its lead holds more than it has, or other lines."""
    held = node.database.rows("SELECT 1 FROM journal_hold")
    return not held and bool(node.database.rows("SELECT 1 FROM courier_receipt WHERE conflict IS NOT NULL"))


def is_astray(world: World, node: Node) -> bool:
    """Whether a node is held at a backup of a history that it gave up when it was restored from an older one: its lead
    holds other lines, or has accepted another epoch from before, or goes on with lines of an epoch before its own."""
    if not node.database.rows("SELECT 1 FROM journal_hold"):
        return False
    own = {name: (epoch, seq) for name, epoch, seq in node.database.rows("SELECT name, epoch, seq FROM journal_head")}
    with world.lead.snapshot() as connection:
        for stream, head in received.read_heads(connection, node.streams).items():
            epoch, seq = own.get(stream, (1, 0))
            both = min(seq, head.seq)
            here = received.chain_at(connection, head, both)
            beyond = f"SELECT 1 FROM received_line WHERE stream = '{stream}' AND seq > {seq} AND epoch < {epoch}"
            void = (epoch < head.epoch and seq > head.seq) or connection.exec_driver_sql(beyond).first()
            if void or not node.trees[stream].leads_through(both, here):
                return True
    return False


def missing_for_good(world: World) -> list[int]:
    """By number the streams of restored nodes of which the lead knows lines that the node has lost, and nobody has;
    also where it knows them to be of an epoch that was given up."""
    with world.lead.snapshot() as connection:
        said = {row.stream: row for row in received.completeness(connection, world.now, streams=world.admitted)}
    return [
        number
        for number, (node, stream) in enumerate(world.streams())
        if node.restored and not node.forked and is_whole(world, node, stream) and said[stream].missing
    ]


def settled(world: World) -> bool:
    """Whether nothing is left to happen: every stream is whole and known to be, or of a forked node and has stopped."""
    with world.lead.snapshot() as connection:
        said = {row.stream: row.state for row in received.completeness(connection, world.now, streams=world.admitted)}
    return all(
        (is_whole(world, node, stream) and said[stream] == "complete" and not is_stopped(world, node, stream))
        or (node.forked and is_stopped(world, node, stream) and said[stream] in ("complete", "differs"))
        for node, stream in world.streams()
    )


def check_end(world: World) -> None:
    """Everything has arrived, and the lead says so; a stream may have stopped only where a node was put back."""
    with world.lead.snapshot() as connection:
        said = {row.stream: row for row in received.completeness(connection, world.now, streams=world.admitted)}
    counters = world.counters
    counters.delivered, counters.false_echo = world.link.delivered, world.link.false_echo
    for node, stream in world.streams():
        count = f"SELECT COUNT(*) FROM received_line WHERE stream = '{stream}'"
        held = cast(int, world.lead.rows(count)[0][0])
        counters.applied += held
        stopped = is_stopped(world, node, stream)
        counters.conflicted += stopped
        if node.forked:
            continue
        lost = node.trees[stream].at[0] - held
        if lost or stopped or not is_whole(world, node, stream) or said[stream].state != "complete":
            counters.lost += max(lost, 1)
            world.say(f"  !! {stream}: not healed, {lost} lost: {said[stream]}")
        text = f"SELECT seq, line FROM {{}} WHERE stream = '{stream}' AND line IS NOT NULL"
        theirs = dict(world.lead.rows(text.format("received_line")))
        for seq, line in node.database.rows(text.format("journal_line")):
            if bytes(theirs.get(seq, b"")) != bytes(line):
                counters.unexpected += 1
                world.say(f"  !! {stream}: line {seq} is another one")
