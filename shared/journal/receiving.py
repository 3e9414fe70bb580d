"""The lead's end: one round of the receiver's take loop. It decides everything that has come and says where it is.

The receiver is a plain process of its own, the only one that writes the `received_*` tables. It calls
`Receiver.round` when woken and every few seconds. A round does this:

1. Read **all manifests** first.
2. Then list the **segments** of every admitted stream and decide each that has not been decided before:

   applied       it joins the watermark: its lines and its proof are stored, watermark and chain move
   duplicate     it ends at or below the watermark, and its chain is ours there
   early         it is ahead of a gap: kept sealed, at most 1,000 per stream, and applied when the gap closes. What is
                 ahead by its name is not even read while there is no room: it is as good as not there yet
   refused       it is no segment of this stream that we can take (quarantined: content digest and reason are noted)
   conflict      its node signed another chain than we hold: two histories exist. The stream stops, nothing is
                 overwritten, `polku lead conflicts` shows both

3. Note the manifests' heads, and that everything before them has been examined.
4. Write a **receipt** for every stream whose watermark or echo has changed.

**Why the echo is true.** A node writes segments before the manifest that speaks for them. We read the manifest first
and look for segments afterwards, so when step 2 is through, every segment from before that manifest has been decided
or was lost. Only then is its nonce stored, and only what is stored is echoed. A stream that could not be listed, or
that is stopped, echoes nothing new. `sending` tells what the node does with it.

**Why nothing is applied twice or in another order.** Lines of a stream are applied at the watermark only, without
a hole, under the lock of its `received_head` row, and lines, proof, watermark and chain are one transaction. What
was decided is decided by content and watermark, never by memory: memory only saves reading again. So any
permutation, repetition, loss or replay of segments ends, once delivered, with the same lines. A crash at any
moment repeats a decision (receipts are written after the commit, again by the first round of a new process).

**Why the head cannot be understated.** The furthest chain that a node ever signed, in a manifest or in a segment's
header, is kept; an old manifest put back lowers nothing. `received.completeness` compares it with the watermark.

Decisions are made in `deciding` and stored by `received`. Signatures are checked before anything else counts;
unpacking and checking lines is done before the transaction, which only compares chains and inserts. A batch may span
streams. Segments of an epoch that nobody has accepted are refused; see `epochs`.
"""

import contextlib
import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from shared.contracts.closing_facts import StreamSealed
from shared.journal import crypto, received
from shared.journal.carrier import MANIFEST, RECEIPT, Carrier, Found
from shared.journal.deciding import Arrival, Outcome, decide, note_manifest
from shared.journal.received import SEALED, STOPPED, NewLines
from shared.journal.segment import (
    MAX_SEGMENT,
    Reason,
    SegmentRefused,
    open_lines,
    verify,
)
from shared.journal.statements import MAX_STATEMENT, Receipt, write_receipt
from shared.ops.clock import parse_wire_time
from shared.ops.metrics import counter, gauge
from shared.storage import LINES_AT_ONCE, snapshot, transaction
from shared.storage.aside import Aside

log = logging.getLogger(__name__)

Admitted = Mapping[str, Mapping[str, bytes]]
"""The streams that are taken, each with its node's public signing keys by id, old ones too."""

EARLY_PER_STREAM = 1000
BATCH_ARRIVALS = 100
"""Half a millisecond each, in which other writers of SQLite wait."""
BATCH_BYTES = 8 * 1024 * 1024

segments_total = counter("polku_receiver_segments_total", "Segments decided, by outcome", "outcome")
refused_total = counter("polku_receiver_refused_total", "Contents refused, each counted once, by reason", "reason")
lines_total = counter("polku_receiver_lines_total", "Lines applied")
failures_total = counter(
    "polku_receiver_failures_total", "Failures of the carrier: a stream not listed, a file not read or written"
)
behind = gauge("polku_receiver_missing_lines", "Lines between the watermark and the node's signed head", "stream")
stopped = gauge("polku_receiver_stopped", "1 while a conflict stops the stream", "stream")
failing = gauge("polku_receiver_failing", "1 while the carrier failed for the stream in the last round", "stream")
manifest_age = gauge(
    "polku_receiver_manifest_age_seconds", "Time since the newest word from the node; infinite: never heard", "stream"
)
for _reason in Reason:  # a counter that appears with its first increment is no increase to Prometheus
    refused_total.labels(_reason)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a round did. `refused` counts contents that are new; `progress`: call again, there may be more to do."""

    outcomes: Counter[Outcome]
    refused: Counter[Reason]
    lines: int
    receipts: int
    failed: frozenset[str]

    @property
    def progress(self) -> bool:
        """Whether the watermark of any stream has moved."""
        return self.lines > 0


@dataclass(frozen=True, slots=True)
class _Decided:
    """What a transaction has decided; where each of its streams was expected to stand then, and stands."""

    outcomes: list[tuple[Arrival, Outcome]]
    refused: Counter[Reason]
    lines: int
    expected: Mapping[str, int]
    stands: Mapping[str, int]


@dataclass(slots=True)
class _Round:
    """What is known and counted within one round. `reach`: where a stream will stand when all is decided that has been
    opened."""

    admitted: Admitted
    now: datetime
    aside: Aside[_Decided]
    reach: dict[str, int] = field(default_factory=dict)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    refused: Counter[Reason] = field(default_factory=Counter)
    lines: int = 0
    failed: set[str] = field(default_factory=set)
    unfinished: set[str] = field(default_factory=set)
    batch: list[Arrival] = field(default_factory=list)

    def full(self, most: int) -> bool:
        """Whether there are `most` lines in the batch, or it takes too long or too much memory."""
        if len(self.batch) >= BATCH_ARRIVALS:
            return True
        lines = sum(len(arrival.lines or ()) for arrival in self.batch)
        return lines >= most or sum(arrival.size for arrival in self.batch) >= BATCH_BYTES


@dataclass(slots=True)
class Receiver:
    """The receiver of one carrier: `signer` is its home's newest signing key, `receiving` its raw private X25519 keys
    by id, old ones too; `channel` names the channel by which a stream comes (`carrier`)."""

    engine: Engine
    carrier: Carrier
    signer: crypto.Key
    receiving: Mapping[str, bytes]
    channel: Callable[[str], str] = str
    early_limit: int = EARLY_PER_STREAM
    _decided: dict[tuple[str, Found], None] = field(default_factory=dict)
    _manifests: dict[str, bytes] = field(default_factory=dict)
    _receipts: dict[str, tuple[int, int, bytes, str]] = field(default_factory=dict)
    _epochs: dict[str, int] = field(default_factory=dict)
    _admitted: Admitted = field(default_factory=dict)
    _incarnation: str | None = None

    def round(self, admitted: Admitted, now: datetime) -> Taken:
        """One round over all admitted streams. What the carrier fails at is counted and tried again next time."""
        first = self._incarnation is None
        if first:
            with transaction(self.engine) as connection:
                self._incarnation = received.incarnation(connection)
                received.seal_what_has_ended(connection, StreamSealed.kind)
        if admitted != self._admitted:
            # What was refused for its stream or key may be welcome now.
            self._decided.clear()
            self._manifests.clear()
            self._admitted = {stream: dict(keys) for stream, keys in admitted.items()}
        work = _Round(admitted, now, Aside(self.engine.dialect.name))
        with snapshot(self.engine) as connection:
            heads = received.read_heads(connection, admitted)
        work.reach = {stream: heads[stream].seq if stream in heads else 0 for stream in admitted}
        halted = {stream for stream, head in heads.items() if head.state == STOPPED}
        epochs = {stream: head.epoch for stream, head in heads.items()}
        for stream in [stream for stream, epoch in epochs.items() if self._epochs.get(stream, epoch) != epoch]:
            # What was refused for its epoch may be welcome now, and comes before any echo.
            self._manifests.pop(stream, None)
            self._decided = {key: None for key in self._decided if key[0] != stream}
        self._epochs = epochs
        manifests = self._read_manifests(work)
        arrivals = self._list(work)
        with work.aside:
            self._take(work, [(stream, found) for stream, found in arrivals if stream not in halted], epochs, first)
        self._note_manifests(work, manifests)
        receipts = self._write_receipts(work)
        for stream in admitted:
            failing.labels(stream).set(stream in work.failed)
        return Taken(work.outcomes, work.refused, work.lines, receipts, frozenset(work.failed))

    def say_again(self) -> None:
        """Write all receipts again in the next round: one may have been lost that nobody waits for."""
        self._receipts.clear()

    def _read_manifests(self, work: _Round) -> dict[str, bytes]:
        """The manifests that have changed since they were last noted."""
        manifests = {}
        for stream in sorted(work.admitted):
            try:
                data = self.carrier.read(self.channel(stream), MANIFEST, MAX_STATEMENT + 1)
            except OSError as error:
                self._fail(work, stream, error)
                continue
            if data is not None and data != self._manifests.get(stream):
                manifests[stream] = data
        return manifests

    def _list(self, work: _Round) -> list[tuple[str, Found]]:
        """What lies there and has not been decided; memory of what is gone is let go."""
        there: dict[tuple[str, Found], None] = {}
        for stream in sorted(work.admitted):
            try:
                listed = self.carrier.list_segments(self.channel(stream)) or ()
                there |= dict.fromkeys((stream, found) for found in listed)
            except OSError as error:
                self._fail(work, stream, error)
                work.unfinished.add(stream)
        self._decided = {key: None for key in self._decided if key in there}
        return [key for key in there if key not in self._decided]

    def _fail(self, work: _Round, stream: str, error: OSError) -> None:
        failures_total.inc()
        work.failed.add(stream)
        why = {"error": type(error).__name__, "why": str(error)}
        log.error("the carrier failed", extra={"stream": stream, **why})

    def _take(
        self, work: _Round, arrivals: list[tuple[str, Found]], epochs: Mapping[str, int], everything: bool
    ) -> None:
        """Decide what has come, and what had been early; and so again what there was no room for, while there is some:
        else nobody would know of what is behind it. `everything`: look at all that is early, whatever has come."""
        while arrivals or everything:
            with snapshot(self.engine) as connection:
                early = received.count_early(connection)
            room = {stream: self.early_limit - early.get(stream, 0) for stream in work.admitted}
            before, left = dict(work.reach), list[tuple[str, Found]]()
            for stream, found in arrivals:
                if found.place.epoch == epochs.get(stream, 1) and found.place.first > work.reach[stream] + 1:
                    if room[stream] <= 0:
                        left.append((stream, found))
                        continue
                    room[stream] -= 1
                self._take_file(work, stream, found)
            self._decide_batch(work)
            for stream in self._streams_ahead(work) if everything or work.lines else ():
                self._close_gap(work, stream)
            arrivals, everything = [(s, found) for s, found in left if work.reach[s] > before[s]], False
            for stream, found in left:
                if work.reach[stream] == before[stream]:
                    # Not remembered: where it stays, it is looked at again. Else the echo asks for it.
                    self.carrier.decided(self.channel(stream), found)

    def _take_file(self, work: _Round, stream: str, found: Found) -> None:
        try:
            data = self.carrier.read(self.channel(stream), found.place.name, MAX_SEGMENT + 1)
        except OSError as error:
            # It does not count, like a lost one; the echo says so, and it is written again.
            self._fail(work, stream, error)
            return
        if data is None:
            return
        arrival = Arrival(stream, found.place.name, data, found)
        self._examine(work, arrival)
        header = arrival.segment.header if arrival.segment else None
        if header and (header.stream, header.epoch, header.first, header.last) != (
            stream,
            found.place.epoch,
            found.place.first,
            found.place.last,
        ):
            arrival.segment, arrival.reason = None, Reason.WRONG_PLACE
        if arrival.segment:
            self._open_if_needed(work, arrival)
        work.batch.append(arrival)
        if work.full(LINES_AT_ONCE[self.engine.dialect.name]):
            self._decide_batch(work, last=False)

    def _examine(self, work: _Round, arrival: Arrival) -> None:
        try:
            arrival.segment = verify(arrival.data, work.admitted, self.receiving)
        except SegmentRefused as refused:
            arrival.reason = refused.reason

    def _open_if_needed(self, work: _Round, arrival: Arrival) -> None:
        """Open it if it will join the watermark; what is covered or early is decided by its header alone."""
        assert arrival.segment is not None
        header, reach = arrival.segment.header, work.reach[arrival.stream]
        if header.first <= reach + 1 and header.last > reach:
            try:
                arrival.lines = open_lines(arrival.segment, self.receiving)
                arrival.size += sum(len(line.line or b"") for line in arrival.lines)
                work.reach[arrival.stream] = header.last
            except SegmentRefused as refused:
                arrival.segment, arrival.reason = None, refused.reason

    def _decide_batch(self, work: _Round, *, last: bool = True) -> None:
        """Decide the arrivals in one transaction; beside what comes next, if they are not the `last`."""
        self._settle(work)
        batch, work.batch = work.batch, []
        if batch:
            expected = {arrival.stream: work.reach[arrival.stream] for arrival in batch}
            work.aside.do(partial(self._decide, batch, expected, work.now), last=last)
        if last:
            self._settle(work)

    def _decide(self, batch: list[Arrival], expected: Mapping[str, int], now: datetime) -> _Decided:
        outcomes: list[tuple[Arrival, Outcome]] = []
        lines = 0
        newly: Counter[Reason] = Counter()
        with transaction(self.engine) as connection:
            heads, new_lines = received.lock_heads(connection, expected), NewLines()
            for arrival in batch:
                head = heads[arrival.stream]
                before = head.seq
                outcome = decide(connection, head, arrival, self.early_limit, now, new_lines)
                lines += head.seq - before
                if outcome is Outcome.REFUSED and arrival.reason:
                    new = received.add_refused(
                        connection, arrival.stream, arrival.name, arrival.data, arrival.reason, now
                    )
                    newly[arrival.reason] += new
                known = outcome is Outcome.CONFLICT and head.state != STOPPED
                if arrival.early and (known or outcome in (Outcome.APPLIED, Outcome.DUPLICATE, Outcome.REFUSED)):
                    received.drop_early(connection, arrival.stream, *arrival.early)
                outcomes.append((arrival, outcome))
            new_lines.write(connection)
            received.save_heads(connection, heads.values())
        return _Decided(outcomes, newly, lines, expected, {stream: head.seq for stream, head in heads.items()})

    def _settle(self, work: _Round) -> None:
        """Count and remember what has been decided beside us, after its commit."""
        done = work.aside.wait()
        if done is None:
            return
        for stream, seq in done.stands.items():
            if seq != done.expected[stream]:  # what was opened meanwhile, in the belief that it joins, is decided anew
                work.reach[stream] = seq
        for arrival, outcome in done.outcomes:
            work.outcomes[outcome] += 1
            if outcome is Outcome.UNDECIDED:
                work.unfinished.add(arrival.stream)
                continue
            if arrival.found:
                self.carrier.decided(self.channel(arrival.stream), arrival.found)
                self._decided[arrival.stream, arrival.found] = None
            segments_total.labels(outcome).inc()
        work.lines += done.lines
        lines_total.inc(done.lines)
        _count_refused(work, done.refused)

    def _streams_ahead(self, work: _Round) -> list[str]:
        """The streams of which something early is held, by name."""
        with snapshot(self.engine) as connection:
            return [stream for stream in sorted(received.count_early(connection)) if stream in work.admitted]

    def _close_gap(self, work: _Round, stream: str) -> None:
        """Apply what had been early for as long as it joins the watermark."""
        while True:
            with snapshot(self.engine) as connection:
                rows = received.next_early(connection, stream, work.reach[stream], limit=4)
            if not rows:
                return
            for first, last, data in rows:
                arrival = Arrival(stream, f"early {first}-{last}", data, None, early=(first, last))
                self._examine(work, arrival)
                if arrival.segment:
                    self._open_if_needed(work, arrival)
                work.batch.append(arrival)
            undecided = work.outcomes[Outcome.UNDECIDED] + work.outcomes[Outcome.CONFLICT]
            self._decide_batch(work)
            if work.outcomes[Outcome.UNDECIDED] + work.outcomes[Outcome.CONFLICT] > undecided:
                return

    def _note_manifests(self, work: _Round, manifests: Mapping[str, bytes]) -> None:
        """Store the heads that manifests state, and their nonces: everything before them has been examined.

        A refused one is counted, not noted: a node with a wrong key writes another every two minutes.
        """
        ready = {stream: data for stream, data in manifests.items() if stream not in work.unfinished}
        if not ready:
            return
        newly: Counter[Reason] = Counter()
        with transaction(self.engine) as connection:
            heads = received.lock_heads(connection, ready)
            for stream, data in ready.items():
                reason = note_manifest(connection, heads[stream], data, work.admitted[stream], work.now)
                if reason is not None:
                    newly[reason] += 1
            received.save_heads(connection, heads.values())
        _count_refused(work, newly)
        self._manifests |= ready

    def _measure(self, work: _Round, heads: Mapping[str, received.Head]) -> None:
        for stream in work.admitted:
            head = heads.get(stream)
            heard = parse_wire_time(head.manifest_at) if head and head.manifest_at else None
            behind.labels(stream).set(max(0, head.head_seq - head.seq) if head else 0)
            stopped.labels(stream).set(bool(head and head.state == STOPPED))
            if head and head.state == SEALED:  # nobody waits for it any more
                with contextlib.suppress(KeyError):
                    manifest_age.remove(stream)
            else:
                manifest_age.labels(stream).set((work.now - heard).total_seconds() if heard else math.inf)

    def _write_receipts(self, work: _Round) -> int:
        """Tell every node whose receipt would say something new. After a commit, and outside any transaction."""
        with snapshot(self.engine) as connection:
            heads = received.read_heads(connection, work.admitted)
        self._measure(work, heads)
        written = 0
        for stream, head in heads.items():
            says = (head.epoch, head.seq, head.chain, head.echo)
            if self._receipts.get(stream) == says:
                continue
            assert self._incarnation is not None
            receipt = Receipt(stream, head.epoch, head.seq, head.chain, self._incarnation, work.now, head.echo)
            try:
                self.carrier.write(self.channel(stream), RECEIPT, write_receipt(receipt, self.signer))
            except OSError as error:
                self._fail(work, stream, error)
                continue
            self._receipts[stream] = says
            written += 1
        return written


def _count_refused(work: _Round, newly: Counter[Reason]) -> None:
    for reason, count in newly.items():
        if count:
            work.refused[reason] += count
            refused_total.labels(reason).inc(count)
