"""Nodes, a lead, their processes and a carrier, on one virtual clock; `steps` says what can happen to them.

Everything that decides is real: `Journal.unit`, `Courier`, `Receiver`, `erasing`, `holding`. What runs is one process
at a time; a **plan** (`during`) lets something happen at the n-th step of a round: a step is an operation of the
carrier, the beginning, the end or the commit of a transaction.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy.exc import IntegrityError

from shared.journal import crypto, epochs, erasing, holding, received, unit
from shared.journal.receiving import Receiver
from shared.journal.returning import Retriever, Returner, Tail
from shared.journal.segment import MAGIC
from shared.journal.sending import Courier
from shared.journal.statements import StatementRefused, read_manifest
from tests.simulator.ledger import Counters, Coverage, Tree
from tests.simulator.link import LeadEnd, Link, NodeEnd, Seen
from tests.simulator.standins import RANDOMNESS, Database, watched_transaction

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
    late: bool = False
    """A batch of the receiver is stored when the next one is full, not at once: on PostgreSQL it may be either."""


@dataclass(frozen=True)
class Keys:
    """The keys of all homes; the same for every world, because making real ones takes time."""

    nodes: tuple[crypto.Key, ...]
    nodes_next: tuple[crypto.Key, ...]
    """Those of after a rotation."""
    nodes_receiving: crypto.Key
    lead: crypto.Key
    lead_receiving: crypto.Key
    stranger: crypto.Key
    other_receiving: crypto.Key


@dataclass
class Node:
    """A node: its database, its courier processes (the second runs only beside the first), what it remembers."""

    name: str
    database: Database
    keys: tuple[crypto.Key, crypto.Key]
    """The one that it begins with, and that of after a rotation."""
    streams: tuple[str, ...]
    trees: dict[str, Tree]
    skew: timedelta = timedelta()
    rotated: bool = False
    couriers: dict[int, Courier] = field(default_factory=dict)
    retrievers: dict[int, Retriever] = field(default_factory=dict)
    thanked: set[int] = field(default_factory=set)
    backups: list[tuple[dict[str, Any], dict[str, tuple[int, bytes]]]] = field(default_factory=list)
    """From the oldest to the newest."""
    branched: bool = False
    """Put back to an older state at least once."""
    forked: bool = False
    """Not by `polku restore`: two histories may have been shipped, and which counts is not for us to say."""
    restored: bool = False
    """By `polku restore`: perhaps still held."""
    believed: dict[str, int] = field(default_factory=dict)
    """Which receipt its courier believes, by its index."""
    people: list[tuple[str, str]] = field(default_factory=list)

    @property
    def journal(self) -> unit.Journal:
        """Its journal; the database stands in for the engine."""
        return unit.Journal(cast(Any, self.database), self.name)

    @property
    def key(self) -> crypto.Key:
        """With which it signs."""
        return self.keys[self.rotated]

    def stop(self, which: int | None = None) -> None:
        """A courier process ends, or all."""
        for number in (0, 1) if which is None else (which,):
            self.couriers.pop(number, None)
            self.retrievers.pop(number, None)
            self.thanked.discard(number)


@dataclass
class LeadBackup:
    """The lead's database at a moment, and what it had seen then."""

    rows: dict[str, Any]
    seen: Seen
    accepted: tuple["Accepted", ...]


class Accepted(NamedTuple):
    """What a line of the lead's own stream says: this history of a node's stream counts."""

    stream: str
    epoch: int
    seq: int
    held: int
    at: str


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
        self.returners: dict[tuple[int, str], Returner] = {}
        self.accepted: list[Accepted] = []
        self.lead_backup: LeadBackup | None = None
        self.nodes: list[Node] = []
        self.plan: Callable[[str], bool] | None = None
        self.left = 0
        for number, count in enumerate(setting.programmes):
            name = f"node-0000000{number}"
            streams = tuple(f"{name}/programme-{p}" for p in range(count))
            trees = {stream: Tree(stream) for stream in streams}
            self.nodes.append(Node(name, nodes[number], (keys.nodes[number], keys.nodes_next[number]), streams, trees))
        for database in (lead, *(node.database for node in self.nodes)):
            database.hook = self.hook
            database.load({})
        for node in self.nodes:
            with node.database.transaction() as connection:
                unit.prepare(connection)
        self.admitted: dict[str, dict[str, bytes]] = {
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
            )
        courier, now = node.couriers[which], self.now + node.skew
        engine = cast(Any, node.database)
        try:
            if node.restored and self._is_held(node):
                sent = courier.listen(node.streams, now)
                if holding.go_on(engine, node.streams, lambda stream: self._retrieve(node, which, stream, now)):
                    node.believed.clear()
                    self._check_release(node)
                    self.coverage.states["no longer held"] += 1
            else:
                sent = courier.round(node.streams, now)
                self._ask_no_more(node, which)
                erasing.finish(engine)
        except Killed:
            node.stop(which)
            self.say("  the courier was killed")
        except IntegrityError:
            # Two at once: the later one dies of it and is started again.
            node.stop(which)
            self.coverage.states["courier died beside another"] += 1
            self.say("  the courier died beside another one")
        else:
            for stream, done in sent.items():
                self.coverage.states["courier failed"] += done.failed
                self.coverage.states[f"courier {done.conflict}"] += done.conflict is not None
                self.say(f"  {stream}: {done}")

    def _check_release(self, node: Node) -> None:
        """A hold that ended: of a stream that goes on in its epoch, its lead had said the last line of the backup."""
        said = "SELECT h.name, h.epoch, h.seq, r.epoch, r.seq FROM journal_head h JOIN courier_receipt r"
        for stream, *at in node.database.rows(f"{said} ON r.stream = h.name AND r.conflict IS NULL"):
            if at[:2] != at[2:]:
                self.counters.lost += 1
                self.say(f"  !! {stream}: no longer held at {at[:2]}, the lead had said {at[2:]}")

    def _is_held(self, node: Node) -> bool:
        with node.database.snapshot() as connection:
            return holding.is_held(connection)

    def _retriever(self, node: Node, which: int) -> Retriever:
        if which not in node.retrievers:
            opens = {self.keys.nodes_receiving.id: self.keys.nodes_receiving.secret()}
            node.retrievers[which] = Retriever(cast(Any, node.database), NodeEnd(self.link), node.key, opens)
        return node.retrievers[which]

    def _retrieve(self, node: Node, which: int, stream: str, now: datetime) -> Tail | None:
        """What the node has lost, once all of it has come."""
        peer = {self.keys.lead.id: self.keys.lead.public or b""}
        ours = {key.id: key.public or b"" for key in node.keys}
        tail = self._retriever(node, which).round(stream, stream, peer, ours, now)
        self.coverage.states["tail came back"] += tail is not None
        return tail

    def _ask_no_more(self, node: Node, which: int) -> None:
        if node.restored and which not in node.thanked:
            for stream in node.streams:
                with suppress(OSError):
                    self._retriever(node, which).thank(stream)
            node.thanked.add(which)

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
        receiver, epoch = self.receivers[which], dict(self.lead.rows("SELECT stream, epoch FROM received_head"))
        same = {stream for stream, known in receiver._epochs.items() if known == epoch.get(stream)}
        noted = {stream: data for stream, data in receiver._manifests.items() if stream in same}
        now = self.now + self.lead_skew
        try:
            taken = receiver.round(self.admitted, now)
            self._note_heads(receiver, noted)
            self._apply_accepted(now)
            self._send_back(which, now)
        except Killed:
            self._stop_receiver(which)
            self.say("  the receiver was killed")
            return
        except IntegrityError:
            self._stop_receiver(which)
            self.coverage.states["receiver died beside another"] += 1
            self.say("  the receiver died beside another one")
            return
        self.coverage.outcomes.update({str(outcome): n for outcome, n in taken.outcomes.items()})
        self.coverage.reasons.update({str(reason): n for reason, n in taken.refused.items()})
        self.counters.quarantined += sum(taken.refused.values())
        self.say(f"  lines {taken.lines}, {dict(taken.outcomes)}, {dict(taken.refused)}, failed {set(taken.failed)}")

    def _stop_receiver(self, which: int) -> None:
        self.receivers.pop(which, None)
        self.returners = {key: returner for key, returner in self.returners.items() if key[0] != which}

    def _note_heads(self, receiver: Receiver, noted: Mapping[str, bytes]) -> None:
        """The round has noted these manifests, and kept segments early; from now on the lead must know that the streams
        go so far.

        Those in `noted` it had read before. `heads`: those of the history that it holds. `newest`: what the node wrote
        last, whatever history counts.
        """
        epoch = dict(self.lead.rows("SELECT stream, epoch FROM received_head"))
        seen = self.link.seen
        for stream, data in self.lead.rows("SELECT stream, data FROM received_early"):
            header, _ = json.JSONDecoder().raw_decode(bytes(data[len(MAGIC) + 2 :]).decode("latin-1"))
            if header["epoch"] == epoch[stream]:
                seen.heads.setdefault(stream, set()).add((header["last"], bytes.fromhex(header["chain"])))
        for stream, data in self.link.read_manifests.items():
            if noted.get(stream) == data or receiver._manifests.get(stream) != data:
                continue
            try:
                manifest = read_manifest(data, self.admitted[stream])
            except StatementRefused:
                continue  # by a key that the lead does not know yet, or no more
            if manifest.stream == stream:
                if manifest.epoch == epoch.get(stream, 1):
                    seen.heads.setdefault(stream, set()).add((manifest.seq, manifest.chain))
                said = self.link.nonces[data][0], manifest.seq, manifest.chain
                seen.newest[stream] = max(said, seen.newest.get(stream, said))

    def _apply_accepted(self, now: datetime) -> None:
        """Bring the lead's tables to what was accepted, as `reporting.partners.apply_accepted` does."""
        for said in self.accepted:
            with watched_transaction(self.lead) as connection:
                head = received.read_heads(connection, [said.stream], lock=True).get(said.stream)
                if head and epochs.accept(connection, head, said.epoch, said.seq, said.at, held=said.held, now=now):
                    received.save_heads(connection, [head])
                    self.coverage.states["accepted"] += 1

    def _send_back(self, which: int, now: datetime) -> None:
        """What restored nodes have lost goes back to them."""
        for node in self.nodes:
            if not node.restored:
                continue
            if (which, node.name) not in self.returners:
                keys = self.keys.lead, dict(self.admitted[node.streams[0]]), self.keys.nodes_receiving.public or b""
                self.returners[which, node.name] = Returner(cast(Any, self.lead), LeadEnd(self.link), *keys)
            for stream in node.streams:
                self.returners[which, node.name].round(stream, now)

    def learn_keys(self, node: Node, keys: Iterable[crypto.Key]) -> None:
        """From now on these keys of the node count."""
        for stream in node.streams:
            self.admitted[stream] = {key.id: key.public or b"" for key in keys}
        self.returners.clear()

    def say(self, what: str) -> None:
        """Tell the reader of the log."""
        if self.log is not None:
            self.log(what)

    # Backups

    def take_lead_backup(self) -> None:
        """Remember the lead's database as it is."""
        self.lead_backup = LeadBackup(self.lead.dump(), self.link.seen.copy(), tuple(self.accepted))

    def restore_lead(self, backup: LeadBackup | None) -> None:
        """Put the lead's database back, or begin with an empty one."""
        self.lead.load(backup.rows if backup else {})
        self.link.seen = backup.seen.copy() if backup else Seen()
        self.link.receipts.clear()
        self.receivers.clear()
        self.returners.clear()

    def take_node_backup(self, node: Node) -> None:
        """Remember a node's database as it is."""
        node.backups.append((node.database.dump(), {stream: tree.at for stream, tree in node.trees.items()}))

    def restore_node(self, node: Node, back: int, hold: Callable[[Any], None]) -> None:
        """Put a node's database back, the newest backup or one `back` before it; `hold` is called in the transaction
        that does so."""
        rows, at = node.backups[-1 - back % len(node.backups)]
        node.database.load(rows)
        with node.database.transaction() as connection:
            hold(connection)
        for stream, tree in node.trees.items():
            node.branched = node.branched or tree.at != at[stream]
            tree.at = at[stream]
        node.stop()
        node.believed.clear()


Step = tuple[Any, ...]
