"""Schedules: drawn from one integer, run, replayed, made shorter.

``python -m tests.simulator SEED`` shows what happens in one. A schedule draws its setting, then which faults it has
at all (so that some go deep into few of them), then its steps. Afterwards everything works again for some rounds.
"""

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from shared.journal import receiving
from shared.storage import LINES_AT_ONCE
from tests.simulator.checks import check_end, is_astray, is_in_conflict, missing_for_good, settled
from tests.simulator.ledger import Counters, Coverage
from tests.simulator.standins import (
    LEAD_TABLES,
    NODE_TABLES,
    Database,
    Late,
    MemoryDatabase,
    installed,
    lead_owned,
    stand_in_key,
)
from tests.simulator.steps import do
from tests.simulator.world import Keys, Setting, Step, World

NODES = 3
ROUNDS = 24
"""After so many rounds without a fault a schedule has not healed."""

KEYS = Keys(
    tuple(stand_in_key("signing", f"node {number}") for number in range(NODES)),
    tuple(stand_in_key("signing", f"node {number} after a rotation") for number in range(NODES)),
    stand_in_key("receiving", "nodes"),
    stand_in_key("signing", "lead"),
    stand_in_key("receiving", "lead"),
    stand_in_key("signing", "stranger"),
    stand_in_key("receiving", "somebody else"),
)


Draw = Callable[[random.Random], list[Step]]


def _node(r: random.Random) -> int:
    return r.randrange(3)


def _round(r: random.Random) -> Step:
    return ("receiver",) if r.random() < 0.5 else ("courier", _node(r))


def _courier_killed(r: random.Random) -> list[Step]:
    return [("killed", ("courier", _node(r)), r.randrange(16))]


def _receiver_killed(r: random.Random) -> list[Step]:
    return [_arrival(r), ("killed", ("receiver",), r.randrange(14))]


def _record_killed(r: random.Random) -> list[Step]:
    return [("killed", ("record", _node(r), 1 + r.randrange(3)), r.randrange(2))]


def _failing(r: random.Random) -> list[Step]:
    what = r.choice(("", "list", "read", "write"))
    at = r.randrange(3 if what else 12)
    return [("courier", _node(r)), _arrival(r), ("failing", _round(r), at, 1 + r.randrange(3), what)]


def _arrival(r: random.Random) -> Step:
    return ("sync",) if r.random() < 0.5 else ("deliver", r.randrange(1, 2**12))


def _courier_twice(r: random.Random) -> list[Step]:
    node = _node(r)
    return [("meanwhile", ("courier", node), r.randrange(14), ("second_courier", node))]


def _receiver_twice(r: random.Random) -> list[Step]:
    some: Step = ("deliver", r.randrange(1, 2**12))
    before = [("courier", _node(r)), some, ("receiver",)] if r.random() < 0.5 else []
    return [*before, _arrival(r), ("meanwhile", ("receiver",), r.randrange(12), ("second_receiver",))]


def _meanwhile(r: random.Random) -> list[Step]:
    """A round, and in the middle of it the other end's, a fact, or the carrier."""
    if r.random() < 0.5:
        inner = r.choice((("courier", 0), ("courier", _node(r)), _arrival(r), ("lose", r.randrange(30), 0)))
        return [("record", _node(r), 2), ("meanwhile", ("receiver",), r.randrange(8), inner)]
    inner = r.choice((("receiver",), ("record", _node(r), 1 + r.randrange(3)), ("lose", r.randrange(30), 1)))
    return [("meanwhile", ("courier", _node(r)), r.randrange(14), inner)]


def _clock(r: random.Random) -> list[Step]:
    return [("clock", r.randrange(4), r.choice((-3 * 1440, -1500, -3, 0, 0, 3, 1500, 5 * 1440))), _round(r)]


def _changed(r: random.Random) -> list[Step]:
    position = r.choice((r.randrange(40), r.randrange(2000)))
    return [("change", r.randrange(30), r.randrange(2), position), _round(r)]


def _turn(r: random.Random, node: int) -> list[Step]:
    """Some facts, and most of their way to the lead and back."""
    way: list[Step] = [("courier", node), _arrival(r), ("receiver",), ("sync",), ("courier", node)]
    return [("record", node, 1 + r.randrange(4)), *way[: r.randrange(6)]]


def _lead_restored(r: random.Random) -> list[Step]:
    if r.random() < 0.4:
        return [("new_lead",)]
    return [("lead_backup",), *_turn(r, _node(r)), (r.choice(("lead_restore", "lead_copied")),)]


def _node_restored(r: random.Random) -> list[Step]:
    node = _node(r)
    back: list[Step] = [("courier", node), ("sync",), ("receiver",), ("sync",)]
    some = [step for _ in range(r.randrange(5)) for step in back]
    accepted: list[Step] = [("accept", node), ("receiver",)] if r.random() < 0.7 else []
    if r.random() < 0.3:  # its clock is ahead for some of it
        ahead, right = ("node_clock", node, r.choice((5, 1400))), ("node_clock", node, 0)
        some.insert(r.randrange(len(some) + 1), ahead)
        accepted.insert(r.randrange(len(accepted) + 1), right)
    once: list[Step] = [("node_backup", node), *_turn(r, node)]
    if r.random() < 0.3:  # of two backups this one or that, then perhaps the other
        once += [*once, ("node_restore", node, r.randrange(2)), *some[: r.randrange(len(some) + 1)], *_turn(r, node)]
        once += [accepted[0]] if accepted and r.random() < 0.5 else []
    return [*once, ("node_restore", node, r.randrange(2)), *some, *_turn(r, node), *accepted]


def _both_restored(r: random.Random) -> list[Step]:
    """A node's hold, perhaps a new epoch that is accepted; in the middle or afterwards the lead is put back to before,
    and perhaps the node once more."""
    node = _node(r)
    way: list[Step] = [("courier", node), ("sync",), ("receiver",), ("sync",)]
    lines: list[Step] = [("record", node, 1 + r.randrange(5)), *way, *way]
    before: list[Step] = [*lines, ("node_backup", node), ("lead_backup",), *lines, ("node_backup", node), *lines]
    hold: list[Step] = [("node_restore", node, r.randrange(2)), *way * r.randrange(2, 7)]
    accepted: list[Step] = [*lines, ("accept", node), *way, *way] if r.random() < 0.5 else []
    again: list[Step] = [("node_restore", node, 1)] if r.random() < 0.6 else []
    gone: list[Step] = [("purge", 0), ("purge", 1)] if r.random() < 0.6 else []
    after: list[Step] = [*way * r.randrange(1, 5), *lines, ("later", 130)]
    return [*before, *hold, *accepted, ("lead_restore",), *again, *gone, *after]


def _node_copied(r: random.Random) -> list[Step]:
    node = _node(r)
    return [("node_backup", node), *_turn(r, node), ("node_copied", node), *_turn(r, node)]


def _rotated(r: random.Random) -> list[Step]:
    node = _node(r)
    return [("rotate", node), *_turn(r, node), ("learn_keys", node, 0), *_turn(r, node), ("learn_keys", node, 1)]


FAULTS: dict[str, Draw] = {
    "courier_killed": _courier_killed,
    "receiver_killed": _receiver_killed,
    "record_killed": _record_killed,
    "failing": _failing,
    "courier_twice": _courier_twice,
    "receiver_twice": _receiver_twice,
    "meanwhile": _meanwhile,
    "erase": lambda r: [("erase", _node(r), r.randrange(30))],
    "restart": lambda r: [("restart", r.randrange(4))],
    "clock": _clock,
    "long": lambda r: [("later", r.choice((600, 3600, 4 * 86400)))],
    "deliver": lambda r: [("deliver", r.randrange(1, 2**12)), ("receiver",)],
    "lose": lambda r: [("lose", r.randrange(30), r.randrange(2)), _round(r)],
    "purge": lambda r: [("purge", r.randrange(2))],
    "change": _changed,
    "truncate": lambda r: [("truncate", r.randrange(30), r.randrange(2), r.randrange(2000)), _round(r)],
    "repeat": lambda r: [("repeat", r.randrange(30))],
    "misplace": lambda r: [("misplace", r.randrange(30), r.randrange(9))],
    "old_manifest": lambda r: [("old_manifest", r.randrange(30)), ("receiver",)],
    "old_receipt": lambda r: [("old_receipt", r.randrange(30))],
    "crafted": lambda r: [("crafted", r.randrange(16), _node(r), r.randrange(9)), ("receiver",)],
    "lead_restored": _lead_restored,
    "node_restored": _node_restored,
    "accepted": lambda r: [("accept", _node(r)), ("receiver",)],
    "rotated": _rotated,
    "both_restored": _both_restored,
    "node_copied": _node_copied,
    "other_epoch": lambda r: [("crafted", 16, _node(r), r.randrange(9)), ("receiver",)],
}
RARE = {"node_restored": 0.15, "both_restored": 0.1, "rotated": 0.1, "node_copied": 0.1, "other_epoch": 0.02}
"""How often a schedule has a fault at all, where it is not one of the usual."""


@dataclass(frozen=True)
class Schedule:
    """A setting and what happens in it."""

    setting: Setting
    steps: tuple[Step, ...]


@dataclass
class Result:
    """How a schedule went. `error` is what it raised, if it did."""

    counters: Counters = field(default_factory=Counters)
    coverage: Coverage = field(default_factory=Coverage)
    error: str | None = None

    @property
    def bad(self) -> dict[str, int]:
        """Why it has failed; empty if it has not."""
        return {"raised": 1} if self.error else self.counters.failed()


def draw(seed: int) -> Schedule:
    """The schedule of this number."""
    r = random.Random(seed)
    setting = Setting(
        r.choice(((1,), (1,), (1,), (2,), (1, 1), (1, 1, 1))),
        one_folder=r.random() < 0.4,
        max_lines=r.choice((1, 2, 3, 3, 50)),
        early_limit=r.choice((1, 2, 2, 5)),
        batch_lines=r.choice((1, 4, 1000)),
        late=r.random() < 0.5,
    )
    chance = r.choice((0.15, 0.3, 0.5))
    faults = [name for name in FAULTS if r.random() < RARE.get(name, chance)]
    busy = r.choice((0.5, 0.8))
    first = r.randrange(3)
    steps: list[Step] = [("record", first, 2 + r.randrange(7)), ("courier", first)]
    for _ in range(r.randrange(3, 9)):
        if faults and r.random() < busy:
            steps.extend(FAULTS[r.choice(faults)](r))
        else:
            steps.extend(_ordinary(r))
    return Schedule(setting, tuple(steps))


def _ordinary(r: random.Random) -> list[Step]:
    kind, node = r.randrange(10), r.randrange(3)
    if kind < 2:
        return [("record", node, 1 + r.randrange(8))]
    if kind < 4:
        return [("courier", node)]
    if kind < 6:
        return [("deliver", r.randrange(1, 2**12)), ("receiver",)]
    if kind < 9:
        return [("courier", node), ("sync",), ("receiver",), ("sync",), ("courier", node)][r.randrange(2) :]
    return [("later", r.choice((1, 5, 130)))]


_databases: list[Database] = []


def databases() -> list[Database]:
    """The lead's, and those of the nodes; every schedule begins by clearing them."""
    if not _databases:
        _databases.append(lead_owned(MemoryDatabase(LEAD_TABLES)))
        _databases.extend(MemoryDatabase(NODE_TABLES) for _ in range(NODES))
    return _databases


@contextmanager
def quiet() -> Iterator[None]:
    """The stand-ins are in place, and the errors that faults cause are not logged."""
    with installed():
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(before)


def run(schedule: Schedule, log: Callable[[str], None] | None = None) -> Result:
    """Run it; to be called while the stand-ins are in place (`quiet`)."""
    lead, *nodes = databases()
    world = World(schedule.setting, nodes, lead, KEYS, log)
    result = Result(world.counters, world.coverage)
    batch, aside = LINES_AT_ONCE["sqlite"], receiving.Aside
    LINES_AT_ONCE["sqlite"] = schedule.setting.batch_lines
    receiving.Aside = Late if schedule.setting.late else aside  # type: ignore[misc]
    try:
        for step in schedule.steps:
            do(world, step)
        heal(world)
        live_on(world)
        check_end(world)
    except Exception as error:
        result.error = f"{type(error).__name__}: {error}"
        if log is not None:
            raise
    finally:
        LINES_AT_ONCE["sqlite"], receiving.Aside = batch, aside  # type: ignore[misc]
    return result


def heal(world: World) -> None:
    """Everything works again: rounds of all processes until everything that can arrive has arrived."""
    world.lead_skew = timedelta()
    for node in world.nodes:
        node.skew = timedelta()
    enough = 3 if any(node.restored for node in world.nodes) else 0
    for index in range(len(world.nodes)):
        do(world, ("learn_keys", index, 0))
    for number in range(ROUNDS):
        do(world, ("sync",))
        for index in range(len(world.nodes)):
            do(world, ("courier", index))
        do(world, ("sync",))
        do(world, ("receiver",))
        if number >= enough and settled(world):
            return
        for index, node in enumerate(world.nodes):
            if node.restored or node.forked:
                do(world, ("accept", index))
            if number in (5, 10) and node.restored and (is_in_conflict(node) or is_astray(world, node)):
                # What it has lost had been on its way for so long that its lead answered without it; or it was the
                # wrong backup.
                do(world, ("node_restore", index, len(node.backups) - 1 if number > 5 else 0))
        if number > 6:  # what is lost for good is missing until the node has other lines there (0072)
            for index in missing_for_good(world):
                do(world, ("record", index, 2))
        do(world, ("later", 121 if number < 6 else 3700 if number != ROUNDS // 2 else 7 * 86400))


def live_on(world: World) -> None:
    """Life goes on: every stream gets one line more, and that arrives too."""
    for index, (node, stream) in enumerate(world.streams()):
        before = world.counters.committed
        do(world, ("record", index, 1))
        if world.counters.committed == before and not node.forked:
            world.counters.lost += 1
            world.say(f"  !! {stream}: nothing can be recorded")
    heal(world)


def shrink(schedule: Schedule, why: Sequence[str]) -> Schedule:
    """A shorter schedule that fails for one of the same reasons: no step can be left out of it."""

    def fails(shorter: Schedule) -> bool:
        return any(name in run(shorter).bad for name in why)

    smaller = True
    while smaller:
        smaller = False
        for at in reversed(range(len(schedule.steps))):
            shorter = replace(schedule, steps=schedule.steps[:at] + schedule.steps[at + 1 :])
            if fails(shorter):
                schedule, smaller = shorter, True
        for at, (name, *arguments) in enumerate(schedule.steps):
            if name in ("killed", "failing", "meanwhile"):
                plain = replace(schedule, steps=(*schedule.steps[:at], arguments[0], *schedule.steps[at + 1 :]))
                if fails(plain):
                    schedule, smaller = plain, True
    return schedule


def explain(seed: int) -> str:
    """What to read when the schedule of this number has failed: its shortest form, step by step."""
    result = run(draw(seed))
    schedule = shrink(draw(seed), list(result.bad))
    lines = [f"schedule {seed}: {result.bad} {result.error or ''}", f"{schedule.setting}"]
    try:
        run(schedule, lines.append)
    except Exception as error:
        lines.append(f"raised {type(error).__name__}: {error}")
    return "\n".join([*lines, f"replay: python -m tests.simulator {seed}"])
