"""Looks at the lead all the time: is what it says true, and when has it healed?

Three statements are checked against the nodes' own journals, which are read after the statement was made:

- the lead's **receipt** for a node: the lead's database holds all lines up to there, with that chain;
- **complete** (`reporting.completeness`): it holds what the node had signed as its head before the manifest that the
  lead names, and the chain is the node's;
- the **report**: its figures are those of the node's lines up to the watermark that stands in it.
"""

import json
import threading
import time
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from services.reporting.store import cursor
from shared.contracts.errors import PolkuError
from shared.journal.carrier import RECEIPT
from shared.journal.carry_tables import (
    courier_manifest,
    courier_receipt,
    courier_segment,
    received_head,
    received_line,
)
from shared.journal.lines import chain_next, chain_start
from shared.journal.tables import journal_head, journal_line
from tests.faults.bench import marks
from tests.faults.bench.federation import Partner
from tests.faults.bench.links import FolderLink
from tests.faults.bench.scene import Scene

EVERY_SECONDS = 0.2
GONE = (OSError, SQLAlchemyError, PolkuError, ValueError)
"""What looking at a home may end in while a fault is on."""


@dataclass
class Told:
    """A node's lines, counted from the first on: what a report must say at each watermark."""

    stream: str
    seq: int = 0
    chains: list[bytes] = field(default_factory=list)
    sessions: list[int] = field(default_factory=lambda: [0])
    heads: list[int] = field(default_factory=lambda: [0])
    gone: list[int] = field(default_factory=list)
    attendances: list[int] = field(default_factory=list)
    versions: list[tuple[int, int, int]] = field(default_factory=list)
    of_subject: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chains.append(chain_start(self.stream))

    def read_on(self, connection: Connection) -> None:
        """Take in what has been recorded since."""
        c = journal_line.c
        query = select(c.seq, c.digest, c.line).where(c.stream == self.stream, c.seq > self.seq)
        for row in connection.execute(query.order_by(c.seq)):
            sessions, heads = self.sessions[-1], self.heads[-1]
            if row.line is None:
                self.gone.append(row.seq)
            else:
                line = json.loads(row.line)
                if line["kind"] == "activities.session_held":
                    sessions += 1
                elif line["kind"] == "activities.heads_counted":
                    heads += line["body"]["heads"]
                    self.versions.append((row.seq, line["v"], line["body"]["heads"]))
                elif line["kind"] == "activities.attendance_recorded":
                    self.attendances.append(row.seq)
                    self.of_subject.setdefault(line["subject"], []).append(row.seq)
            self.sessions.append(sessions)
            self.heads.append(heads)
            self.chains.append(chain_next(self.chains[-1], row.digest))
            self.seq = row.seq

    def at(self, seq: int, erased: set[str]) -> tuple[int, int, int, int]:
        """Sessions, heads, and how many attendances there are at least and at most at line `seq`."""
        most = bisect_right(self.attendances, seq)
        unsure = sum(bisect_right(self.of_subject.get(subject, []), seq) for subject in erased)
        return self.sessions[seq], self.heads[seq], most - unsure, most + bisect_right(self.gone, seq)

    def unread(self, seq: int, version: int) -> list[int]:
        """The heads counted up to line `seq` in this version of the fact."""
        return [heads for at, v, heads in self.versions if at <= seq and v == version]


@dataclass
class Heal:
    """After a fault: the line that the lead must reach, from when on."""

    fault: str
    site: Partner
    seq: int
    since: float


@dataclass
class Watch:
    """The watching thread; `false` are the statements that were not true, in words."""

    scene: Scene
    false: list[str] = field(default_factory=list)
    samples: int = 0
    complete_samples: int = 0
    healed: dict[str, list[float]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    _told: dict[str, Told] = field(default_factory=dict)
    _pending: list[Heal] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> threading.Thread:
        """Begin to look."""
        thread = threading.Thread(target=self._run, name="watch", daemon=True)
        thread.start()
        return thread

    def heal_from_now(self, fault: str, sites: list[Partner]) -> None:
        """The fault is over: from now on it is counted until the lead's figures contain what these nodes have."""
        for site in sites:
            with suppress(*GONE), site.look() as connection:
                seq = connection.execute(
                    select(journal_head.c.seq).where(journal_head.c.name == site.stream)
                ).scalar_one_or_none()
                with self._lock:
                    self._pending.append(Heal(fault, site, seq or 0, time.monotonic()))

    @property
    def pending(self) -> list[str]:
        """Faults that have not healed."""
        with self._lock:
            return [heal.fault for heal in self._pending]

    def _run(self) -> None:
        while not self.stopping.wait(EVERY_SECONDS):
            for look in (self._receipts, self._heals, self._statements):
                with suppress(*GONE):
                    look()

    def _receipts(self) -> None:
        """What a receipt says is already in the lead's database. After a restore the old ones lie there for a while."""
        if self.scene.restoring:
            return
        before = self.scene.leads
        said = {}
        for site in self.scene.federation.partners:
            if (receipt := receipt_at(site)) is not None:
                said[site.stream] = receipt
        c = received_head.c
        with self.scene.lead.look() as connection:
            held = {row.stream: row for row in connection.execute(select(c.stream, c.seq, c.chain))}
        if self.scene.restoring or self.scene.leads != before:
            return
        for stream, (seq, chain) in said.items():
            self.samples += 1
            row = held.get(stream)
            if row is None or row.seq < seq or (row.seq == seq and row.chain.hex() != chain):
                self.false.append(f"receipt of {stream} at {seq}, the lead holds {row.seq if row else 0}")

    def _heals(self) -> None:
        with self.scene.lead.look() as connection:
            reached = {row.stream: row.seq for row in connection.execute(select(cursor.c.stream, cursor.c.seq))}
        now = time.monotonic()
        with self._lock:
            done = [heal for heal in self._pending if reached.get(heal.site.stream, 0) >= heal.seq]
            self._pending = [heal for heal in self._pending if heal not in done]
            if "F24" in {heal.fault for heal in done} - {heal.fault for heal in self._pending}:
                self.scene.restoring = False
            self.scene.skewed -= {heal.site.partner for heal in done if heal.fault == "F14"}
        for heal in done:
            self.healed.setdefault(heal.fault, []).append(now - heal.since)

    def _statements(self) -> None:
        """What the lead's services answer, against the nodes' journals."""
        client = self.scene.lead.connected()
        if client is None:
            return
        leads = self.scene.leads
        release = self.scene.federation.release  # after that: a change of it is told there too
        try:
            rows = client.call("reporting", "completeness", timeout=5)["streams"]
            report = client.call("reporting", "report", timeout=5, programme=marks.PROGRAMME)
        finally:
            client.close()
        held = {}
        with self.scene.lead.look() as connection:
            for row in rows:
                c = received_line.c
                upto = select(func.count()).where(c.stream == row["stream"], c.seq <= row["watermark"])
                held[row["stream"]] = connection.execute(upto).scalar_one()
        if self.scene.leads != leads:
            return
        for site in self.scene.federation.partners:
            self._check_complete(site, next(row for row in rows if row["stream"] == site.stream), held[site.stream])
        self._check_figures(report, release)

    def _check_complete(self, site: Partner, row: dict[str, Any], held: int) -> None:
        self.samples += 1
        with site.look() as connection:
            told = self._told.setdefault(site.stream, Told(site.stream))
            told.read_on(connection)
            signed = _signed_before(connection, site.stream, row["manifest_at"])
        if row["state"] != "complete":
            return
        self.complete_samples += 1
        at = f"{site.stream} complete at {row['watermark']}"
        if row["watermark"] > told.seq:
            self.false.append(f"{at}, but the node has {told.seq} lines")
        elif held != row["watermark"]:
            self.false.append(f"{at}, but the lead holds {held} lines")
        elif signed > row["watermark"] and site.partner not in self.scene.skewed:  # its clock says nothing else
            self.false.append(f"{at}, but the node had signed {signed} before {row['manifest_at']}")

    def _check_figures(self, report: dict[str, Any], release: int) -> None:
        sessions = heads = least = most = 0
        newer: list[int] = []
        for row in report["streams"]:
            if row["watermark"] is None:
                continue
            told = self._told[f"{row['node']}/{marks.PROGRAMME}"]
            if row["watermark"] > told.seq or told.chains[row["watermark"]].hex() != row["chain"]:
                self.false.append(f"the report's chain of {told.stream} at {row['watermark']} is not the node's")
                return
            more = told.at(row["watermark"], self.scene.erased)
            sessions, heads, least, most = sessions + more[0], heads + more[1], least + more[2], most + more[3]
            newer += told.unread(row["watermark"], release)
        if report["newer_facts"]:  # it says that the figures lack these, and has to lack exactly the newest release's
            heads -= sum(newer)
            if report["newer_facts"] != len(newer):
                self.false.append(f"the report says {report['newer_facts']} newer facts where there are {len(newer)}")
        self.samples += 1
        rows = report["activities"]
        shown = [sum(row[name] or 0 for row in rows) for name in ("sessions", "heads", "attendances")]
        if shown[:2] != [sessions, heads] or not least <= shown[2] <= most:
            expected = f"{sessions} sessions, {heads} heads, {least} to {most} attendances"
            self.false.append(f"the report says {shown} where its watermarks say {expected}")


def receipt_at(site: Partner) -> tuple[int, str] | None:
    """The line, with its chain, of the newest receipt: as it lies there or, in a queue nobody can look into, as the
    node has taken it in."""
    if isinstance(site.link, FolderLink):
        with suppress(FileNotFoundError):
            receipt = json.loads((site.link.channel() / RECEIPT).read_bytes().split(b"\n")[0])
            return receipt["seq"], receipt["chain"]
        return None
    c = courier_receipt.c
    with site.look() as connection:
        row = connection.execute(select(c.seq, c.chain).where(c.stream == site.stream)).one_or_none()
    return (row.seq, row.chain.hex()) if row else None


def _signed_before(connection: Connection, stream: str, moment: str | None) -> int:
    """The furthest line that the node had signed before this moment of its own clock, as far as it still knows."""
    manifest, segment = courier_manifest.c, courier_segment.c
    heads = [
        connection.execute(select(func.max(column)).where(of == stream, at < (moment or ""))).scalar_one()
        for column, of, at in (
            (manifest.seq, manifest.stream, manifest.time),
            (segment.last, segment.stream, segment.time),
        )
    ]
    return max((head for head in heads if head is not None), default=0)
