"""The decision about what has come, one segment or manifest at a time, against what is held and what was signed.

Called inside the transaction that holds the stream's lock; `receiving` tells when and in which order. Everything
here compares chains: a chain at a line stands for the stream up to that line, to the byte.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from shared.contracts.closing_facts import StreamSealed
from shared.journal import epochs, received
from shared.journal.carrier import Found
from shared.journal.lines import chain_next
from shared.journal.received import SEALED, STOPPED, Head, NewLines
from shared.journal.segment import OpenedLine, Reason, Refused, Segment
from shared.journal.statements import Manifest, StatementRefused, read_manifest, stated_place
from shared.ops.clock import wire_time

log = logging.getLogger(__name__)

CLOCK_SLACK = timedelta(days=1)


class Outcome(StrEnum):
    """What was decided about a segment; all but the last are final until the watermark goes back."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    EARLY = "early"
    REFUSED = "refused"
    CONFLICT = "conflict"
    UNDECIDED = "undecided"
    """Not now: the stream is stopped, or something changed in between."""


@dataclass(slots=True)
class Arrival:
    """A segment on its way through a round; either `segment` or `reason` is set, `lines` if it was opened."""

    stream: str
    name: str
    data: bytes
    found: Found | None
    segment: Segment | None = None
    lines: Sequence[OpenedLine] | None = None
    reason: Reason | None = None
    early: tuple[int, int] | None = None
    size: int = field(init=False)
    """Bytes that it takes, opened or not: a segment of a kilobyte may hold eight MiB of lines."""

    def __post_init__(self) -> None:
        self.size = len(self.data)


def decide(
    connection: Connection, head: Head, arrival: Arrival, early_limit: int, now: datetime, new: NewLines
) -> Outcome:
    """The decision about one segment; changes `head` and the tables accordingly, but saves neither it nor `new`."""
    if head.state == STOPPED:
        return Outcome.UNDECIDED
    if arrival.segment is None:
        return Outcome.REFUSED
    segment = arrival.segment
    header = segment.header
    if head.state == SEALED:
        new.write(connection)
        if _is_known(connection, head, header.epoch, header.last, header.chain):
            return Outcome.DUPLICATE
        arrival.reason = Reason.SEALED
        return Outcome.REFUSED
    if (header.epoch, header.first) != (head.epoch, head.seq + 1):
        new.write(connection)  # its chain may be compared with a line's that is not stored yet
    if header.epoch != head.epoch:
        said = {"statement": segment.header_bytes + segment.payload_digest, "signature": segment.signature}
        epochs.note_claim(connection, head, header.epoch, header.first - 1, header.before, **said, now=now)
        epochs.note_reach(head, header.epoch, header.last, header.chain, header.time, now=now, whole=False)
        arrival.reason = Reason.OTHER_EPOCH
        return Outcome.REFUSED
    clash = None
    if header.first <= head.seq + 1:
        clash = _clash(header.first - 1, header.before, received.chain_at(connection, head, header.first - 1))
    clash = clash or _against_head(connection, head, header.last, header.chain)
    if clash is None and header.first > head.seq + 1:
        if not received.add_early(connection, segment, arrival.data, early_limit, now):
            return Outcome.UNDECIDED  # it was to join the watermark; else it had not been read
        head.heard(header.time, now, whole=False)
        received.add_claim(connection, head, header.last, header.chain)
        return Outcome.EARLY
    if clash is None and header.last > head.seq:
        if arrival.lines is None:
            return Outcome.UNDECIDED
        clash = _clash_within(head, segment, arrival.lines)
        if clash is None:
            if any(line.kind == StreamSealed.kind for line in arrival.lines[:-1]):
                arrival.reason = Reason.SEALED  # nothing follows a seal, in whatever it came
                return Outcome.REFUSED
            new.add(segment, arrival.lines[head.seq + 1 - header.first :], now)
            head.seq, head.chain = header.last, header.chain
            if arrival.lines[-1].kind == StreamSealed.kind and head.head_seq <= head.seq:
                head.state = SEALED  # if the node has signed more than this, that more is missing, visibly
            head.heard(header.time, now, whole=False)
            received.add_claim(connection, head, header.last, header.chain)
            return Outcome.APPLIED
    if clash is None:
        head.heard(header.time, now, whole=False)
        return Outcome.DUPLICATE
    _stop(connection, head, clash, segment.header_bytes + segment.payload_digest, segment.signature, now)
    return Outcome.CONFLICT


def _is_known(connection: Connection, head: Head, epoch: int, seq: int, chain: bytes) -> bool:
    """Whether this is what we hold up to that line."""
    return epoch <= head.epoch and seq <= head.seq and received.chain_at(connection, head, seq) == chain


def _stop(
    connection: Connection,
    head: Head,
    clash: tuple[int, bytes, bytes],
    statement: bytes,
    signature: bytes,
    now: datetime,
) -> None:
    seq, theirs, ours = clash
    log.error("a node signed another history", extra={"stream": head.stream, "seq": seq})
    received.add_conflict(
        connection, head, seq=seq, ours=ours, theirs=theirs, statement=statement, signature=signature, now=now
    )


def note_manifest(
    connection: Connection, head: Head, data: bytes, keys: Mapping[str, bytes], now: datetime
) -> Reason | None:
    """Take the head and the nonce out of a manifest; the answer is why it was refused, or None.

    Of one from the future only the head is taken.
    """
    try:
        manifest = read_manifest(data, keys)
        if manifest.stream != head.stream:
            raise StatementRefused(Reason.WRONG_PLACE)
    except Refused as refused:
        return refused.reason
    if head.state == SEALED and not _is_known(connection, head, manifest.epoch, manifest.seq, manifest.chain):
        log.error("a node goes on after its seal", extra={"stream": head.stream, "seq": manifest.seq})
        return Reason.SEALED
    # What it says of the stream is signed and counts at once. What it says of the time does not: believed, it would
    # make a node that has fallen silent look alive for as long as its clock was wrong.
    from_the_future = manifest.time > now + CLOCK_SLACK
    before = head.kept_at if head.kept_at == head.spoke_at else None
    if not from_the_future and manifest.epoch >= head.epoch:
        head.heard(manifest.time, now, whole=True)
    if manifest.epoch != head.epoch:
        encoded, signature, _ = data.split(b"\n")
        said = {"statement": encoded, "signature": bytes.fromhex(signature.decode())}
        back = manifest.epoch < head.epoch and not from_the_future and wire_time(manifest.time) > (head.spoke_at or "")
        if back and not _is_known(connection, head, manifest.epoch, manifest.seq, manifest.chain):
            # It was put back to what is void here: until it speaks again, where it will go on is not known.
            head.manifest_at, head.accepted_after = None, wire_time(manifest.time)
        epochs.note_claim(connection, head, manifest.epoch, manifest.seq, manifest.chain, **said, now=now)
        epochs.note_reach(head, manifest.epoch, manifest.seq, manifest.chain, manifest.time, now=now, whole=True)
        agrees = manifest.epoch < head.epoch
    else:
        agrees = _note_claim(connection, head, manifest, data, now)
    if agrees and not from_the_future:
        head.kept_at = max(head.kept_at or "", wire_time(min(manifest.time, now)))
        kept = manifest.epoch == head.epoch and _keep(head, manifest, data)
        if kept and epochs.given_up(connection, head, manifest.time, before):
            head.head_epoch = head.epoch
    if from_the_future:
        return Reason.FROM_THE_FUTURE
    if head.state != STOPPED:
        head.echo = manifest.nonce
    return Reason.OTHER_EPOCH if manifest.epoch != head.epoch else None


def _note_claim(connection: Connection, head: Head, manifest: Manifest, data: bytes, now: datetime) -> bool:
    """Hold the manifest's head against ours; whether it agrees."""
    clash = _against_head(connection, head, manifest.seq, manifest.chain)
    if clash is None:
        received.add_claim(connection, head, manifest.seq, manifest.chain)
    elif head.state != STOPPED:
        encoded, signature, _ = data.split(b"\n")
        _stop(connection, head, clash, encoded, bytes.fromhex(signature.decode()), now)
    return clash is None


def _keep(head: Head, manifest: Manifest, data: bytes) -> bool:
    """Keep the newest manifest: a replayed old one is true, but says less than the one we have. Whether it was."""
    newer = head.manifest is None or stated_place(head.manifest) < (manifest.epoch, manifest.seq, manifest.time)
    if newer:
        head.manifest = data
    return newer


def _clash(seq: int, theirs: bytes, ours: bytes) -> tuple[int, bytes, bytes] | None:
    """Where two chains differ, theirs and ours; None if they do not."""
    return None if theirs == ours else (seq, theirs, ours)


def _against_head(connection: Connection, head: Head, seq: int, chain: bytes) -> tuple[int, bytes, bytes] | None:
    """Compare a signed chain at `seq` with what we hold, or with what the node signed before, where that is known."""
    if seq <= head.seq:
        return _clash(seq, chain, received.chain_at(connection, head, seq))
    if seq in head.claims:
        return _clash(seq, chain, head.claims[seq])
    return None


def _clash_within(head: Head, segment: Segment, lines: Sequence[OpenedLine]) -> tuple[int, bytes, bytes] | None:
    """Compare the chain inside a segment with our watermark and with what the node has signed of the lines in it."""
    header = segment.header
    known = {head.seq: head.chain, **head.claims}
    if not any(header.first <= seq < header.last for seq in known):
        # Its first line follows our watermark, and at its last one `_against_head` has compared the chains.
        return None
    chain = header.before
    for line in lines:
        chain = chain_next(chain, line.digest)
        clash = _clash(line.seq, chain, known.get(line.seq, chain))
        if clash is not None:
            return clash
    return None
