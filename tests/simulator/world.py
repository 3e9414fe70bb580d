"""Nodes, a lead, their processes and a carrier, on one virtual clock; `steps` says what can happen to them.

Everything that decides is real: `Journal.unit`, `Courier`, `Receiver`, `erasing`, `holding`. What runs is one process
at a time; a **plan** (`during`) lets something happen at the n-th step of a round: a step is an operation of the
carrier, the beginning, the end or the commit of a transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy.exc import IntegrityError

from shared.journal import crypto, erasing, holding, receiving, unit
from shared.journal.receiving import Receiver
from shared.journal.sending import Courier
from shared.journal.statements import read_manifest
from tests.simulator.ledger import Counters, Coverage, Tree
from tests.simulator.link import LeadEnd, Link, NodeEnd, Seen
from tests.simulator.standins import RANDOMNESS, Database

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
INSIDE = "inside"
CARRIER = {"list", "read", "write", "delete"}


class Killed(BaseException):
    """The process ends here."""


@dataclass(frozen=True)
class Setting:
    """What a world is made of. `programmes` says in how many programmes each node is."""

    programmes: tuple[int, ...] = (1,)
    one_folder: bool = False
    max_lines: int = 3
    early_limit: int = 2
    batch_lines: int = 1000


@dataclass(frozen=True)
class Keys:
    """The keys of all homes; the same for every world, because making real ones takes time."""

    nodes: tuple[crypto.Key, ...]
    lead: crypto.Key
    lead_receiving: crypto.Key
    stranger: crypto.Key
    other_receiving: crypto.Key


@dataclass
class Node:
    """A node: its database, its courier processes (the second runs only beside the first), what it remembers."""

    name: str
    database: Database
    key: crypto.Key
    streams: tuple[str, ...]
    trees: dict[str, Tree]
    skew: timedelta = timedelta()
    couriers: dict[int, Courier] = field(default_factory=dict)
    backup: tuple[dict[str, Any], dict[str, tuple[int, bytes]]] | None = None
    branched: bool = False
    """Put back to an older state at least once: conflicts are to be expected."""
    restored: bool = False
    """By `polku restore`: perhaps still held."""
    believed: dict[str, int] = field(default_factory=dict)
    """Which receipt its courier believes, by its index."""
    people: list[tuple[str, str]] = field(default_factory=list)

    @property
    def journal(self) -> unit.Journal:
        """Its journal; the database stands in for the engine."""
        return unit.Journal(cast(Any, self.database), self.name)


@dataclass
class LeadBackup:
    """The lead's database at a moment, and what it had seen then."""

    rows: dict[str, Any]
    seen: Seen


class World:
    """The world of one schedule. `log` is called with what happens, if somebody wants to read it."""

    def __init__(
        self,
        setting: Setting,
        nodes: list[Database],
        lead: Database,
        keys: Keys,
        log: Callable[[str], None] | None = None,
    ) -> None:
        RANDOMNESS.seed(1)
        self.setting, self.keys, self.lead, self.log = setting, keys, lead, log
        self.now, self.lead_skew = START, timedelta()
        self.counters, self.coverage = Counters(), Coverage()
        self.link = Link(setting.one_folder, self.hook, self.say)
        self.receivers: dict[int, Receiver] = {}
        self.lead_backup: LeadBackup | None = None
        self.nodes: list[Node] = []
        self.plan: Callable[[str], bool] | None = None
        self.left = 0
        for number, count in enumerate(setting.programmes):
            name = f"node-0000000{number}"
            streams = tuple(f"{name}/programme-{p}" for p in range(count))
            trees = {stream: Tree(stream) for stream in streams}
            self.nodes.append(Node(name, nodes[number], keys.nodes[number], streams, trees))
        for database in (lead, *(node.database for node in self.nodes)):
            database.hook = self.hook
            database.load({})
        for node in self.nodes:
            with node.database.transaction() as connection:
                unit.prepare(connection)
        self.admitted = {
            stream: {node.key.id: node.key.public or b""} for node in self.nodes for stream in node.streams
        }

    # Steps within a round

    def hook(self, where: str) -> None:
        """Somebody is at a step; see `during`."""
        if self.plan is None:
            return
        if self.left > 0:
            self.left -= 1
            return
        plan, self.plan = self.plan, None
        if not plan(where):
            self.plan = plan

    @contextmanager
    def during(self, at: int, plan: Callable[[str], bool]) -> Iterator[None]:
        """At the `at`-th step call `plan` with what the step is; if it answers False, at the next one again."""
        self.left, self.plan = at, plan
        try:
            yield
        finally:
            self.plan = None

    # Processes

    def streams(self) -> Iterator[tuple[Node, str]]:
        """Every stream and its node."""
        return ((node, stream) for node in self.nodes for stream in node.streams)

    def node_of(self, index: int) -> Node:
        """Any number names a node."""
        return self.nodes[index % len(self.nodes)]

    def stream_at(self, index: int) -> tuple[Node, str]:
        """Any number names a stream."""
        streams = list(self.streams())
        return streams[index % len(streams)]

    def note_recorded(self, node: Node) -> None:
        """Take what the node has committed into the ledger."""
        for stream, tree in node.trees.items():
            new = f"SELECT digest FROM journal_line WHERE stream = '{stream}' AND seq > {tree.at[0]} ORDER BY seq"
            self.counters.committed += tree.grow(bytes(row[0]) for row in node.database.rows(new))

    def courier_round(self, node: Node, which: int = 0) -> None:
        """A round of the node's courier, as `polku courier` does it; a process that fails is gone."""
        if which not in node.couriers:
            assert self.keys.lead.public is not None
            assert self.keys.lead_receiving.public is not None
            node.couriers[which] = Courier(
                cast(Any, node.database),
                NodeEnd(self.link),
                node.key,
                {self.keys.lead.id: self.keys.lead.public},
                self.keys.lead_receiving.public,
                max_lines=self.setting.max_lines,
                new_nonce=lambda: RANDOMNESS.token_hex(16),
            )
        courier, now = node.couriers[which], self.now + node.skew
        engine = cast(Any, node.database)
        try:
            if node.restored and _still_held(engine, node.streams):
                sent = courier.listen(node.streams, now)
                _still_held(engine, node.streams)
            else:
                sent = courier.round(node.streams, now)
                erasing.finish(engine)
        except Killed:
            node.couriers.pop(which, None)
            self.say("  the courier was killed")
        except IntegrityError:
            # Two at once: the later one dies of it and is started again.
            node.couriers.pop(which, None)
            self.coverage.states["courier died beside another"] += 1
            self.say("  the courier died beside another one")
        else:
            for stream, done in sent.items():
                self.coverage.states["courier failed"] += done.failed
                self.coverage.states[f"courier {done.conflict}"] += done.conflict is not None
                self.say(f"  {stream}: {done}")

    def receiver_round(self, which: int = 0) -> None:
        """A round of the lead's receiver."""
        if which not in self.receivers:
            self.receivers[which] = Receiver(
                cast(Any, self.lead),
                LeadEnd(self.link),
                self.keys.lead,
                {self.keys.lead_receiving.id: self.keys.lead_receiving.secret()},
                early_limit=self.setting.early_limit,
            )
        self.link.read_manifests.clear()
        now = self.now + self.lead_skew
        try:
            taken = self.receivers[which].round(self.admitted, now)
        except Killed:
            self.receivers.pop(which, None)
            self.say("  the receiver was killed")
            return
        except IntegrityError:
            self.receivers.pop(which, None)
            self.coverage.states["receiver died beside another"] += 1
            self.say("  the receiver died beside another one")
            return
        self.coverage.outcomes.update({str(outcome): n for outcome, n in taken.outcomes.items()})
        self.coverage.reasons.update({str(reason): n for reason, n in taken.refused.items()})
        self.counters.quarantined += sum(taken.refused.values())
        self.say(f"  lines {taken.lines}, {dict(taken.outcomes)}, {dict(taken.refused)}, failed {set(taken.failed)}")
        if not taken.failed and not taken.outcomes[receiving.Outcome.UNDECIDED]:
            self._note_heads()

    def _note_heads(self) -> None:
        """The round has noted these manifests; from now on the lead must know that the streams go so far."""
        for stream, data in self.link.read_manifests.items():
            manifest = read_manifest(data, self.admitted[stream])
            if manifest.stream == stream and manifest.epoch == 1:
                self.link.seen.heads.setdefault(stream, set()).add((manifest.seq, manifest.chain))

    def say(self, what: str) -> None:
        """Tell the reader of the log."""
        if self.log is not None:
            self.log(what)

    # Backups

    def take_lead_backup(self) -> None:
        """Remember the lead's database as it is."""
        self.lead_backup = LeadBackup(self.lead.dump(), self.link.seen.copy())

    def restore_lead(self, backup: LeadBackup | None) -> None:
        """Put the lead's database back, or begin with an empty one."""
        self.lead.load(backup.rows if backup else {})
        self.link.seen = backup.seen.copy() if backup else Seen()
        self.link.receipts.clear()
        self.receivers.clear()

    def take_node_backup(self, node: Node) -> None:
        """Remember a node's database as it is."""
        node.backup = node.database.dump(), {stream: tree.at for stream, tree in node.trees.items()}

    def restore_node(self, node: Node, hold: Callable[[Any], None]) -> None:
        """Put a node's database back; `hold` is called in the transaction that does so."""
        assert node.backup is not None
        rows, at = node.backup
        node.database.load(rows)
        with node.database.transaction() as connection:
            hold(connection)
        for stream, tree in node.trees.items():
            node.branched = node.branched or tree.at != at[stream]
            tree.at = at[stream]
        node.couriers.clear()
        node.believed.clear()


Step = tuple[Any, ...]


def _still_held(engine: Any, streams: Any) -> bool:
    """Whether a restored node waits for its leads; one whose lead is ahead waits for ever: nothing comes back here."""
    holding.go_on(engine, list(streams), lambda _stream: None)
    return bool(holding.held_streams(engine, list(streams)))
