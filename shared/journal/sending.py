"""The node's end: one round of the courier. It writes what the lead lacks and says how far the stream goes.

The courier is a plain process of its own. It calls `Courier.round` when a line has been recorded and every few
seconds. A round does this for every stream of one uplink:

1. Read the lead's **receipt**. It is believed if a key of the lead signed it, it is not older than the one already
   believed, and its chain is ours at that line; then it is remembered: the lead holds everything up to `seq`.
   A receipt that is ahead of us, or has another chain, is a **conflict**: two histories exist. The stream stops (no
   segment is written, nothing deleted) until a receipt that agrees comes; the manifest tells the lead our chain there.
2. Delete the **segments** that the receipt covers.
3. Make sure that segments lie there for every line after the receipt, up to the head. What lies there stays; what
   is missing is cut from the journal and written. The journal is never pruned, so this is always possible. While
   1,000 segments wait for a receipt, new lines wait until they fill one (`planning.due`); the manifest tells of them.
4. Write a new **manifest** if anything was written, if the head has moved, or if the last one is two minutes old.

**The rule that heals everything.** Each segment is remembered with the number of the first manifest written after
it. The lead reads a manifest before it looks for segments, and echoes its nonce in the receipt when all it found has
been decided. So a receipt that echoes manifest m but stands below the end of a segment written before m says: *this
segment was examined, or was not there, and did not count*: lost, changed on the way, refused, or ahead of a gap. It
is cut and written again, at once the first time, then at growing intervals of up to an hour. Nobody has to know why.

Which receipt is newer? Not the one with the later clock: the one that echoes our later manifest, because only
somebody who has seen it can name its nonce. A lead whose database was restored or is empty echoes the newest manifest
and stands lower: we send from there. An old receipt that is put back into the folder echoes an old manifest: ignored.

**Killed at any moment.** Rows of segments are committed before their files are written, a manifest's row before the
manifest; a row without its file is found and written again, a file without a row is deleted. Segments come before the
manifest that speaks for them. A new process always writes a new manifest first. What the tables forget (`courier_*`
in `carry_tables`) costs a repetition, never a line. No transaction lasts longer than a few statements.
"""

import logging
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert

from shared.journal import closing, crypto, planning
from shared.journal.carrier import MANIFEST, RECEIPT, Carrier, Place, stream_of
from shared.journal.carry_tables import courier_manifest, courier_receipt, courier_segment
from shared.journal.cutting import JournalDamaged, cut_segments, segment_row
from shared.journal.lines import chain_start
from shared.journal.planning import OWN, Ledger, View
from shared.journal.segment import LINES_PER_SEGMENT, Reason
from shared.journal.statements import (
    MAX_STATEMENT,
    Manifest,
    Receipt,
    StatementRefused,
    read_receipt,
    write_manifest,
)
from shared.ops.clock import parse_wire_time, wire_time
from shared.ops.metrics import counter, gauge
from shared.storage import snapshot, transaction

log = logging.getLogger(__name__)

MANIFEST_EVERY = timedelta(minutes=2)

segments_total = counter("polku_courier_segments_total", "Segments written, by why: new, missing, refused", "why")
receipts_refused_total = counter(
    "polku_courier_receipts_refused_total", "Receipts that were not believed, by reason", "reason"
)
unreceipted = gauge("polku_courier_unreceipted_lines", "Lines that no receipt covers yet", "stream")
stopped = gauge("polku_courier_stopped", "1 while a conflict stops the stream", "stream")
failures_total = counter("polku_courier_failures_total", "Rounds of a stream given up because the carrier failed")
failing = gauge("polku_courier_failing", "1 while the last round of the stream was given up", "stream")
oldest_seconds = gauge(
    "polku_courier_oldest_unreceipted_seconds", "Age of the oldest line that no receipt covers yet; 0: none", "stream"
)


def waits_for_nothing(channel: str) -> None:
    """Nobody ships this stream any more: no alert is to go on for it."""
    for one in (unreceipted, stopped, failing, oldest_seconds):
        one.labels(channel).set(0)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a round did for one stream. `conflict` says why the stream has stopped, `failed` that it was given up."""

    head: int = 0
    receipt: int = 0
    written: int = 0
    deleted: int = 0
    manifest: bool = False
    conflict: str | None = None
    failed: bool = False


@dataclass(slots=True)
class Courier:
    """The courier to one peer: a node's to a lead, or a lead's to one of its nodes. `signer` is the home's newest
    signing key, `peer_signing` the peer's public signing keys by id, `peer_receiving` its raw X25519 public key,
    `ledger` where the lines are."""

    engine: Engine
    carrier: Carrier
    signer: crypto.Key
    peer_signing: Mapping[str, bytes]
    peer_receiving: bytes
    manifest_every: timedelta = MANIFEST_EVERY
    max_lines: int = LINES_PER_SEGMENT
    ledger: Ledger = OWN
    _stated: set[str] = field(default_factory=set)
    _wondered: dict[str, str] = field(default_factory=dict)
    _last_refused: dict[str, bytes] = field(default_factory=dict)

    def round(self, channels: Iterable[str], now: datetime) -> dict[str, Sent]:
        """One round for each channel. What the carrier fails at is counted and tried again in the next round."""
        sent = {}
        for channel in channels:
            try:
                sent[channel] = self._round(channel, now)
            except (OSError, JournalDamaged) as error:
                failures_total.inc()
                self._stated.discard(channel)  # whatever has got lost, a new manifest finds out
                why = {"error": type(error).__name__, "why": str(error)}
                log.error("a stream was not sent", extra={"stream": channel, **why})
                sent[channel] = Sent(failed=True)
            failing.labels(channel).set(sent[channel].failed)
        return sent

    def _load(self, channel: str) -> View:
        with snapshot(self.engine) as connection:
            return planning.load(connection, channel, self.ledger)

    def _measure(self, channel: str, view: View, now: datetime) -> None:
        """Say how far behind the receipt is, also when the round failed or a conflict stops the stream."""
        behind = view.seq - (view.receipt.seq if view.receipt else 0)
        since = None
        if behind > 0:
            with snapshot(self.engine) as connection:
                since = planning.oldest_without_receipt(connection, stream_of(channel), view)
        unreceipted.labels(channel).set(behind)
        oldest_seconds.labels(channel).set(max(0.0, (now - since).total_seconds()) if since else 0)

    def _round(self, channel: str, now: datetime) -> Sent:
        view = self._load(channel)
        try:
            view, conflict = self._take_receipt(channel, view)
        finally:
            self._measure(channel, view, now)
        stopped.labels(channel).set(conflict is not None)
        if conflict is not None:
            stated = self._state(channel, self._dispute(channel, view), now, False)
            return Sent(view.seq, view.receipt.seq if view.receipt else 0, manifest=stated, conflict=conflict)
        written, deleted = self._ship(channel, view, now, tidy=True)
        stated = self._state(channel, view, now, bool(written))
        return Sent(view.seq, view.receipt.seq if view.receipt else 0, written, deleted, stated)

    def _ship(self, channel: str, view: View, now: datetime, *, tidy: bool) -> tuple[int, int]:
        """Write what the peer lacks; `tidy`: take away what it needs no more. How many segments of each."""
        found = self._found(channel, view)
        keep, drop = planning.sort_out(view, found, now, self.manifest_every)
        self._forget(channel, view, drop)
        obsolete = sorted(found.keys() - {planning.place_of(row) for row in keep}) if tidy else []
        for place in obsolete:
            self.carrier.delete(channel, place.name)
        written = sum(
            self._write_gap(channel, view, gap, drop, now) for gap in planning.due(view, keep, self.max_lines)
        )
        return written, len(obsolete)

    def _dispute(self, channel: str, view: View) -> View:
        """What to state in a conflict: our chain at the line where the peer stands, so that it sees it too."""
        receipt = self._read_receipt(channel)
        if receipt is None or receipt.seq > view.seq:
            return view
        with snapshot(self.engine) as connection:
            chain = planning.chain_at(connection, stream_of(channel), view, receipt.seq, self.ledger)
        return view if chain is None else replace(view, seq=receipt.seq, chain=chain)

    def _found(self, channel: str, view: View) -> dict[Place, int]:
        """What lies there. If the carrier cannot tell, what was written: the echo says if that is not so."""
        listed = self.carrier.list_segments(channel)
        if listed is None:
            return {planning.place_of(row): row.size for row in view.segments}
        return {entry.place: entry.size for entry in listed}

    def listen(self, channels: Iterable[str], now: datetime) -> dict[str, Sent]:
        """A round of a held home (`holding`): write manifests, believe only receipts that echo one, then ship what the
        peer lacks. Nothing is taken away: what lies there may be all that is left of what is lost."""
        sent = {}
        for channel in channels:
            try:
                sent[channel] = self._listen(channel, now)
            except (OSError, JournalDamaged) as error:
                failures_total.inc()
                why = {"error": type(error).__name__, "why": str(error)}
                log.error("a stream's lead was not asked", extra={"stream": channel, **why})
                sent[channel] = Sent(failed=True)
            failing.labels(channel).set(sent[channel].failed)
        return sent

    def _listen(self, channel: str, now: datetime) -> Sent:
        view = self._load(channel)
        receipt = self._read_receipt(channel)
        answered = receipt is not None and receipt.echo in view.numbers
        view, conflict = self._take_receipt(channel, view) if answered else (view, None)
        stopped.labels(channel).set(conflict is not None)
        knows = view.receipt is not None and view.receipt.manifest and conflict is None
        written = self._ship(channel, view, now, tidy=False)[0] if knows else 0
        stated = self._state(channel, view, now, bool(written))
        return Sent(view.seq, written=written, manifest=stated, conflict=conflict)

    def _take_receipt(self, channel: str, view: View) -> tuple[View, str | None]:
        """Believe the carrier's receipt if it deserves it: what is known now, and why the stream is in conflict."""
        known = view.receipt
        receipt = self._read_receipt(channel)
        if receipt is None or planning.is_stale(receipt, view):
            self._wonder(channel, view, receipt)
            return view, known.conflict if known is not None else None
        conflict, at, chain = self._agrees(channel, view, receipt)
        number = view.numbers.get(receipt.echo, 0)
        row = {
            "stream": channel,
            "epoch": receipt.epoch,
            "seq": at,
            "chain": chain,
            "incarnation": receipt.incarnation,
            "manifest": number,
            "time": wire_time(receipt.time),
            "conflict": None,
            "stated": planning.last_number(view),
        }
        if known is not None and known.incarnation == receipt.incarnation:
            row["stated"] = known.stated
        if conflict is not None:
            start = {"epoch": 1, "seq": 0, "chain": chain_start(stream_of(channel))}
            start |= {"incarnation": "", "manifest": 0, "stated": 0}
            row |= (known._asdict() if known is not None else start) | {"conflict": conflict}
        if known is None or row != known._asdict() | {"time": row["time"]}:
            with transaction(self.engine) as connection:
                connection.execute(delete(courier_receipt).where(courier_receipt.c.stream == channel))
                connection.execute(insert(courier_receipt), row)
                if known is not None and receipt.epoch > known.epoch and conflict is None:
                    # What the peer had refused because of its epoch is welcome now.
                    connection.execute(delete(courier_segment).where(courier_segment.c.stream == channel))
            if known is not None and (receipt.epoch > known.epoch or known.conflict) and conflict is None:
                self._stated.discard(channel)  # the peer waits for a word on how far the accepted history goes
            if conflict is not None:
                log.error("the lead holds another history of this stream", extra={"stream": channel, "why": conflict})
            view = self._load(channel)
        return view, conflict

    def _wonder(self, channel: str, view: View, receipt: Receipt | None) -> None:
        """A receipt of another database that echoes nothing new may be a restored peer's: have it asked at once."""
        if receipt is None or view.receipt is None or receipt.incarnation == view.receipt.incarnation:
            return
        if self._wondered.get(channel) != receipt.incarnation:
            self._wondered[channel] = receipt.incarnation
            self._stated.discard(channel)

    def _agrees(self, channel: str, view: View, receipt: Receipt) -> tuple[str | None, int, bytes]:
        """Why the receipt contradicts us, or None; and the line, with its chain, up to which the peer holds our lines.

        A peer that stands in an earlier epoch than ours may hold lines beyond that epoch's end here: a restored home
        has lost them (`returning`). They are none of ours any more; what we have goes on from the epoch's end.
        """
        stream = stream_of(channel)
        with snapshot(self.engine) as connection:
            at = receipt.seq
            if receipt.epoch < view.epoch:
                at = min(at, planning.end_of_epoch(connection, stream, receipt.epoch, self.ledger))
            elif receipt.epoch > view.epoch or receipt.seq > view.seq:
                return "receipt_ahead", receipt.seq, receipt.chain
            chain = planning.chain_at(connection, stream, view, at, self.ledger)
        if chain is None or (at == receipt.seq and chain != receipt.chain):
            return "chain_differs", receipt.seq, receipt.chain
        return None, at, chain

    def _read_receipt(self, channel: str) -> Receipt | None:
        data = self.carrier.read(channel, RECEIPT, MAX_STATEMENT + 1)
        if data is None:
            return None
        try:
            receipt = read_receipt(data, self.peer_signing)
            if receipt.stream != stream_of(channel):
                raise StatementRefused(Reason.WRONG_PLACE)
        except StatementRefused as refused:
            if self._last_refused.get(channel) != data:
                self._last_refused[channel] = data
                receipts_refused_total.labels(refused.reason).inc()
            return None
        return receipt

    def _forget(self, channel: str, view: View, drop: Mapping[int, str]) -> None:
        """Delete the rows of segments that will be gone, and the manifests that no later receipt can echo."""
        echoed = view.receipt.manifest if view.receipt else 0
        old = [number for number in view.numbers.values() if number < echoed]
        if not drop and not old:
            return
        segments, manifests = courier_segment.c, courier_manifest.c
        with transaction(self.engine) as connection:
            connection.execute(
                delete(courier_segment).where(segments.stream == channel, segments.first.in_(list(drop)))
            )
            connection.execute(delete(courier_manifest).where(manifests.stream == channel, manifests.number < echoed))

    def _write_gap(
        self, channel: str, view: View, gap: tuple[int, int, bytes], drop: Mapping[int, str], now: datetime
    ) -> int:
        """Cut and write segments for the lines from `first` to `last`, which must end at the chain `expected`."""
        first, last, expected = gap
        stream, manifest, written = stream_of(channel), planning.last_number(view) + 1, 0
        with snapshot(self.engine) as connection:
            chain = planning.chain_at(connection, stream, view, first - 1, self.ledger)
        sealing = (self.signer, self.peer_receiving, self.max_lines, now)
        while first <= last:
            with snapshot(self.engine) as connection:
                cut = cut_segments(connection, self.ledger, stream, (first, last), chain, *sealing)
            if cut[-1].header.last == last and cut[-1].header.chain != expected:
                raise JournalDamaged
            histories = [planning.history(view, drop, built.header.first, built.header.last) for built in cut]
            with transaction(self.engine) as connection:
                rows = [
                    segment_row(channel, built, manifest, attempt)
                    for built, (_, attempt) in zip(cut, histories, strict=True)
                ]
                connection.execute(insert(courier_segment), rows)
            for at, (built, (why, _)) in enumerate(zip(cut, histories, strict=True)):
                header = built.header
                try:
                    self.carrier.write(channel, Place(header.epoch, header.first, header.last).name, built.data)
                except OSError:
                    self._forget(channel, view, {left.header.first: "missing" for left in cut[at:]})
                    raise
                segments_total.labels(why).inc()
                written += 1
                first, chain = header.last + 1, header.chain
        return written

    def _state(self, channel: str, view: View, now: datetime, written: bool) -> bool:
        """Write a manifest if one is due."""
        last = view.manifest
        if (
            not written
            and channel in self._stated
            and last is not None
            and (last.epoch, last.seq, last.chain) == (view.epoch, view.seq, view.chain)
            and timedelta() <= now - parse_wire_time(last.time) < self.manifest_every
        ):
            return False
        self._stated.discard(channel)
        manifest = Manifest(stream_of(channel), view.epoch, view.seq, view.chain, now, secrets.token_hex(16))
        row = {
            "stream": channel,
            "number": planning.last_number(view) + 1,
            "nonce": manifest.nonce,
            "epoch": view.epoch,
            "seq": view.seq,
            "chain": view.chain,
            "time": wire_time(now),
        }
        with transaction(self.engine) as connection:
            connection.execute(insert(courier_manifest), row)
        self.carrier.write(channel, MANIFEST, write_manifest(manifest, self.signer))
        self._stated.add(channel)
        return True


def _state_of(connection: Connection, stream: str, conflict: str | None, waiting: bool) -> str:
    node, programme = stream.split("/")
    sealed = closing.state_of(connection, node, programme) == closing.SEALED
    if conflict:
        return "restored" if sealed and conflict == "receipt_ahead" else "stopped"
    return "waiting" if waiting else "closed" if sealed else "complete"


def shipped(connection: Connection, streams: Sequence[str]) -> list[dict[str, Any]]:
    """Per stream how far it goes and how far the lead has confirmed it: for `polku complete` on a node.

    `oldest` is when the oldest line without a receipt was recorded, `manifest_at` when the newest manifest was written
    (UTC, wire form; None if there is none). `same_chain`: the lead holds our lines; None before its first receipt.
    `state` "closed": the stream is sealed and the lead has all of it; "restored": it was sealed, and this home is from
    a backup of before.
    """
    rows = []
    for stream in streams:
        view = planning.load(connection, stream)
        at = view.receipt.seq if view.receipt else 0
        oldest = planning.oldest_without_receipt(connection, stream, view)
        conflict = view.receipt.conflict if view.receipt else None
        rows.append(
            {
                "stream": stream,
                "epoch": view.epoch,
                "head": view.seq,
                "watermark": at,
                "same_chain": None if view.receipt is None else not conflict,
                "manifest_at": view.manifest.time if view.manifest else None,
                "oldest": wire_time(oldest) if oldest else None,
                "missing": [[at + 1, view.seq]] if at < view.seq else [],
                "state": _state_of(connection, stream, conflict, at < view.seq or view.receipt is None),
            }
        )
    return rows
