"""The end of a stream goes back to the home that wrote it and has lost it: a restored home asks, its peer answers.

A restored home is held (`holding`). If its peer is ahead, the peer has lines that the home has lost. They come back as
everything else travels: in segments with manifest and receipts, over the channel's back channel (`carrier.back_of`),
sealed to the home. The home asks with a receipt there that says where its backup stands (`Retriever`); the peer sends
what it has received beyond (`Returner`: a courier whose ledger is `planning.RECEIVED`). The lines come to lie in the
home's `received_line`, under its own stream's name: beside its journal, not in it. The echo rule heals every loss.

Whoever sends is not believed about what the home itself had written. The **proof** is: the home's own signature, by
which the last of these lines came to the peer. It is under the chain, so it holds for every line before. A key that
the restore has lost counts if one that is left has vouched for it (`directory.own_signing`). Lines of epochs that the
home opened after its backup come back too: each is entered where it joins. What goes with
it unproved is who was **erased**: digests of subjects, signed by the peer. Their lines are digests by now, so only
in this way does a restored home learn of them. A restored lead learns it from its nodes by the same item in their own
channels, which a node writes when a lead's database is another one (`erased_here`).
"""

import contextlib
import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from shared.contracts.purpose_facts import PurposeEnded
from shared.contracts.purposes import PURPOSES
from shared.journal import crypto, epochs, received
from shared.journal.carrier import ERASED, MANIFEST, PROOF, RECEIPT, Carrier, back_of, stream_of
from shared.journal.carry_tables import (
    courier_manifest,
    courier_receipt,
    courier_segment,
    received_claim,
    received_early,
    received_epoch,
    received_erased,
    received_head,
    received_line,
    received_segment,
)
from shared.journal.directory import own_signing
from shared.journal.erasing import A_PURPOSE, subject_digest
from shared.journal.lines import parse
from shared.journal.planning import RECEIVED
from shared.journal.receiving import Receiver
from shared.journal.segment import HEX64, MAX_HEADER, SegmentRefused, signed_header
from shared.journal.sending import Courier
from shared.journal.statements import MAX_STATEMENT, StatementRefused, read_manifest
from shared.journal.tables import journal_erased, journal_head, journal_line
from shared.ops.clock import wire_time
from shared.storage import snapshot, transaction
from shared.storage.upsert import add_missing

log = logging.getLogger(__name__)

HOME_ROW = ""
ERASED_CONTEXT = b"polku-erased-1"
MAX_ERASED = 4 * 1024 * 1024
_SIGNED = 32 + 64
"""Digest of the payload and signature, at the end of a proof."""
MAX_PROOF = MAX_HEADER + _SIGNED
CAME_BACK = (received_head, received_line, received_segment, received_early, received_claim, received_epoch)
"""Where a home's own stream lies when it comes back; who is erased stands apart (`keep_erased`)."""
ASK_EVERY = timedelta(minutes=2)
"""A question that the carrier has lost is put again."""
_ENDING = re.compile("[0-9a-f]{32}")


@dataclass(slots=True)
class Returner:
    """The peer's end. `signer` and `peer_*` as of a `Courier`."""

    engine: Engine
    carrier: Carrier
    signer: crypto.Key
    peer_signing: Mapping[str, bytes]
    peer_receiving: bytes
    _couriers: dict[str, Courier] = field(default_factory=dict)
    _cleared: set[str] = field(default_factory=set)

    def round(self, channel: str, now: datetime) -> bool:
        """Send the end of the channel's stream back if its home asks for it, or take away what was sent."""
        back = back_of(channel)
        try:
            if self.carrier.read(back, RECEIPT, MAX_STATEMENT + 1) is None:
                self._clear(back)
                return False
            self._cleared.discard(back)
            self._tell(back, now)
        except OSError as error:
            log.error("the end of a stream was not sent back", extra={"stream": back, "error": type(error).__name__})
            return False
        courier = self._couriers.get(back)
        if courier is None:
            keys = (self.signer, self.peer_signing, self.peer_receiving)
            courier = self._couriers[back] = Courier(self.engine, self.carrier, *keys, ledger=RECEIVED)
        if courier.round([back], now)[back].conflict:
            with contextlib.suppress(OSError):  # what lies there is of before we were restored, or is void now
                self._take_away(back)
        return True

    def _tell(self, back: str, now: datetime) -> None:
        stream = stream_of(back)
        with snapshot(self.engine) as connection:
            proof, digests = last_proof(connection, stream), erased_of(connection, stream)
            cleared = erased_of(connection, stream, A_PURPOSE)
        if proof is not None and self.carrier.read(back, PROOF, MAX_PROOF + 1) != proof:
            self.carrier.write(back, PROOF, proof)
        said = write_erased(stream, digests, now, self.signer, self.peer_receiving, cleared=cleared)
        self.carrier.write(back, ERASED, said)

    def _clear(self, back: str) -> None:
        if back in self._cleared:
            return
        self._take_away(back)
        for name in (MANIFEST, PROOF, ERASED):
            self.carrier.delete(back, name)
        with transaction(self.engine) as connection:
            for table in (courier_receipt, courier_manifest, courier_segment):
                connection.execute(delete(table).where(table.c.stream == back))
        self._couriers.pop(back, None)
        self._cleared.add(back)

    def _take_away(self, back: str) -> None:
        for found in self.carrier.list_segments(back) or []:
            self.carrier.delete(back, found.place.name)


@dataclass(frozen=True, slots=True)
class Tail:
    """All that came back of a stream: its last line, the digests of the subjects that were erased and of the purposes
    that ended (`erasing.purpose_digest`); and the epoch in which the peer stands."""

    stream: str
    last: int
    erased: tuple[bytes, ...]
    cleared: tuple[bytes, ...] = ()
    epoch: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Ended:
    """A purpose of somebody that ended after the stream was sealed; `subject` is a digest."""

    subject: bytes
    purpose: str
    ending: bytes


@dataclass(slots=True)
class Retriever:
    """The restored home's end. `signer` and `receiving` as of a `Receiver`."""

    engine: Engine
    carrier: Carrier
    signer: crypto.Key
    receiving: Mapping[str, bytes]
    _receivers: dict[str, Receiver] = field(default_factory=dict)
    _asked: dict[str, datetime] = field(default_factory=dict)

    def round(
        self, stream: str, channel: str, peer: Mapping[str, bytes], ours: Mapping[str, bytes], now: datetime
    ) -> Tail | None:
        """Ask, and take in what has come; the tail once all of it is here and proved. `peer`: its signing keys; `ours`:
        the public ones of the home's key files."""
        back = back_of(channel)
        with transaction(self.engine) as connection:
            _begin(connection, stream)
        receiver = self._receivers.get(back)
        if receiver is None:
            receiver = Receiver(self.engine, self.carrier, self.signer, self.receiving, lambda _stream: back)
            self._receivers[back] = receiver
        if abs(now - self._asked.setdefault(back, now)) >= ASK_EVERY:
            receiver.say_again()  # a peer that has not got the question says nothing that asked for an answer
            self._asked[back] = now
        receiver.round({stream: peer}, now)
        with transaction(self.engine) as connection:
            head = received.lock_heads(connection, [stream])[stream]
            # A lead never opens an epoch: whatever a node says of one.
            if not stream.startswith("lead/") and epochs.go_on(connection, head):
                received.save_heads(connection, [head])
                return None
            home, _, programme = stream.partition("/")
            own, nothing = own_signing(connection, home, programme, ours), _only_an_epoch(connection, head)
        if self._stands_elsewhere(back, head, peer):
            with transaction(self.engine) as connection:
                forget(connection, stream)
            del self._receivers[back]
            return None
        if not head.echo or head.seq < head.head_seq or head.state == received.STOPPED:
            return None
        try:
            proof = self.carrier.read(back, PROOF, MAX_PROOF + 1)
            said = self.carrier.read(back, ERASED, MAX_ERASED + 1)
        except OSError:
            return None
        of = stream, peer, self.receiving
        erased = read_erased(said, *of) if said is not None else None
        proved = nothing or (proof is not None and proves(proof, head, own))
        if said is None or erased is None or not proved:
            return None
        return Tail(stream, head.seq, erased, read_cleared(said, *of), head.head_epoch)

    def _stands_elsewhere(self, back: str, head: received.Head, peer: Mapping[str, bytes]) -> bool:
        """Whether the peer, by what it said last, holds less than has come from it, or goes on from before that in
        another epoch: it was restored meanwhile, or somebody there has accepted what we had opened before. Then we ask
        anew from where the backup stands; not if that goes beyond what counts there, for nothing would be another."""
        try:
            data = self.carrier.read(back, MANIFEST, MAX_STATEMENT + 1)
            said = read_manifest(data, peer) if data else None
        except (OSError, StatementRefused):
            return False
        if said is None or said.nonce != head.echo:
            return False
        if said.epoch <= head.epoch:
            return (said.epoch, said.seq) < (head.epoch, head.seq)
        c, own = received_epoch.c, journal_head.c
        ends = select(func.coalesce(func.max(own.seq), 0)).where(own.name == head.stream).scalar_subquery()
        before = select(c.epoch).where(c.stream == head.stream, c.epoch > head.epoch, c.seq < head.seq, c.seq >= ends)
        with snapshot(self.engine) as connection:
            return connection.execute(before.limit(1)).first() is not None

    def thank(self, channel: str) -> None:
        """Ask no more: the peer takes away what it has sent."""
        self.carrier.delete(back_of(channel), RECEIPT)


def forget(connection: Connection, stream: str) -> None:
    """Forget what has come back of the home's own stream."""
    for table in CAME_BACK:
        connection.execute(delete(table).where(table.c.stream == stream))


def _begin(connection: Connection, stream: str) -> None:
    """Begin to receive the home's own stream where its journal ends."""
    if connection.execute(select(received_head.c.seq).where(received_head.c.stream == stream)).first():
        return
    head = connection.execute(select(journal_head).where(journal_head.c.name == stream)).one_or_none()
    at = received.lock_heads(connection, [stream])[stream]
    if head is not None:
        at.epoch, at.seq, at.chain = at.head_epoch, at.head_seq, at.head_chain = head.epoch, head.seq, head.chain
        # The lines before are in the journal: the chain here stands in a proof's place, with nothing else in it.
        where = {"stream": stream, "epoch": at.epoch, "first": at.seq, "last": at.seq, "chain": at.chain}
        nothing = {"header": b"", "payload_digest": b"", "signature": b"", "received_at": ""}
        connection.execute(insert(received_segment), where | nothing)
    received.save_heads(connection, [at])


def _only_an_epoch(connection: Connection, head: received.Head) -> bool:
    """Whether the peer has none of our lines that we have not, and only stands in a later epoch: nothing to prove."""
    c = journal_head.c
    at = connection.execute(select(c.epoch, c.seq).where(c.name == head.stream)).one_or_none()
    epoch, seq = at or (1, 0)
    return head.seq == seq and head.epoch > epoch


def last_proof(connection: Connection, stream: str) -> bytes | None:
    """The signed header by which the last received line of the stream came: header, digest of payload, signature."""
    c = received_segment.c
    query = select(c.header, c.payload_digest, c.signature).where(c.stream == stream, c.header != b"")
    row = connection.execute(query.order_by(c.last.desc()).limit(1)).one_or_none()
    return bytes(row.header + row.payload_digest + row.signature) if row else None


def proves(proof: bytes, head: received.Head, keys: Mapping[str, bytes]) -> bool:
    """Whether one of `keys` has signed that the stream has this chain at this last line, in whatever epoch: a later one
    may have been opened there."""
    encoded, digest, signature = proof[:-_SIGNED], proof[-_SIGNED:-64], proof[-64:]
    try:
        header = signed_header(encoded, digest, signature, {head.stream: keys})
    except SegmentRefused:
        return False
    same = (header.stream, header.last, header.chain) == (head.stream, head.seq, head.chain)
    return same and header.epoch <= head.epoch


def erased_of(connection: Connection, stream: str, key_no: int | None = None) -> Sequence[bytes]:
    """Digests of the subjects of a received stream that were erased; with `A_PURPOSE` of their purposes that ended."""
    c = received_erased.c
    query = select(c.digest).where(c.stream == stream, c.key_no.is_not_distinct_from(key_no))
    return list(connection.execute(query.order_by(received_erased.c.digest)).scalars())


def erased_here(connection: Connection, stream: str) -> Sequence[bytes]:
    """Digests of the subjects of a stream of this home that were erased here."""
    c = journal_erased.c
    query = select(c.digest).where(c.stream == stream, c.key_no.is_(None))
    return list(connection.execute(query.order_by(journal_erased.c.digest)).scalars())


def ended_here(connection: Connection, home: str, programme: str) -> list[Ended]:
    """Of a programme whose stream is sealed, what has ended since of people who are not erased."""
    c = journal_line.c
    query = select(c.line).where(c.stream == f"{home}/local", c.kind == PurposeEnded.kind, c.line.is_not(None))
    said = (parse(line) for line in connection.execute(query.order_by(c.pos)).scalars())
    found = ((line.subject, line.body) for line in said if line.subject and line.body.get("programme") == programme)
    return sorted(
        Ended(bytes.fromhex(subject_digest(subject)), str(body["purpose"]), bytes.fromhex(body["ending"]))
        for subject, body in found
    )


def write_erased(
    stream: str,
    digests: Iterable[bytes],
    now: datetime,
    signer: crypto.Key,
    sealed_to: bytes,
    ended: Sequence[Ended] = (),
    cleared: Iterable[bytes] = (),
) -> bytes:
    """The item `erased`: whose lines of the stream were erased, all of them or those of a purpose (`ended`: a node's
    word, with the ending that waits for a receipt; `cleared`: a lead's, which knows no more); signed and sealed."""
    said: dict[str, Any] = {
        "stream": stream,
        "time": wire_time(now),
        "erased": [d.hex() for d in digests],
        "key": signer.id,
    }
    if ended:
        said["ended"] = [[one.subject.hex(), one.purpose, one.ending.hex()] for one in ended]
    if purposes := [digest.hex() for digest in cleared]:
        said["cleared"] = purposes
    body = json.dumps(said, separators=(",", ":")).encode()
    signature = crypto.sign(signer.secret(), ERASED_CONTEXT, body).hex().encode()
    return crypto.seal(sealed_to, ERASED_CONTEXT, body + b"\n" + signature)


def read_erased(
    data: bytes, stream: str, keys: Mapping[str, bytes], privates: Mapping[str, bytes]
) -> tuple[bytes, ...] | None:
    """The digests in an item `erased` about this stream, signed by one of `keys`; None if it is anything else."""
    said = _opened(data, stream, keys, privates)
    return _digests(said.get("erased")) if said else None


def read_cleared(
    data: bytes, stream: str, keys: Mapping[str, bytes], privates: Mapping[str, bytes]
) -> tuple[bytes, ...]:
    """The purposes that such an item of a lead says have ended, by `erasing.purpose_digest`."""
    said = _opened(data, stream, keys, privates) or {}
    return _digests(said.get("cleared")) or ()


def _digests(said: Any) -> tuple[bytes, ...] | None:
    if not isinstance(said, list) or not all(isinstance(d, str) and HEX64.fullmatch(d) for d in said):
        return None
    return tuple(bytes.fromhex(digest) for digest in said)


def read_ended(data: bytes, stream: str, keys: Mapping[str, bytes], privates: Mapping[str, bytes]) -> tuple[Ended, ...]:
    """The purposes of people that such an item of a node says have ended; what is none is passed over."""
    said = _opened(data, stream, keys, privates) or {}
    rows = said.get("ended") if isinstance(said.get("ended"), list) else []
    good = [row for row in rows or [] if isinstance(row, list) and [type(one) for one in row] == [str] * 3]
    return tuple(
        Ended(bytes.fromhex(who), purpose, bytes.fromhex(ending))
        for who, purpose, ending in good
        if HEX64.fullmatch(who) and purpose in PURPOSES and _ENDING.fullmatch(ending)
    )


def _opened(
    data: bytes, stream: str, keys: Mapping[str, bytes], privates: Mapping[str, bytes]
) -> dict[str, Any] | None:
    for private in privates.values():
        try:
            body, _, signature = crypto.open_sealed(private, ERASED_CONTEXT, data).partition(b"\n")
            said = json.loads(body)
            signed = crypto.verify(keys[said["key"]], bytes.fromhex(signature.decode()), ERASED_CONTEXT, body)
            return said if signed and said["stream"] == stream else None
        except crypto.CannotOpen:
            continue
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
    return None


def take_into_journal(connection: Connection, stream: str) -> list[bytes]:
    """Put what came back of the home's own stream into its journal, where the backup left off; the lines, in order.

    Only for a lead: its facts are whole without anything beside them, and the nodes hold the same lines. The caller
    brings their effects about in the same transaction.
    """
    c = received_line.c
    heads = select(journal_head.c.name, journal_head.c.seq).where(journal_head.c.name.in_([HOME_ROW, stream]))
    at = {row.name: row.seq for row in connection.execute(heads.order_by(journal_head.c.name).with_for_update())}
    query = select(c.seq, c.epoch, c.kind, c.subject, c.digest, c.line).where(c.stream == stream)
    rows = connection.execute(query.where(c.seq > at.get(stream, 0)).order_by(c.seq)).all()
    new = [row._asdict() | {"stream": stream, "pos": at[HOME_ROW] + n} for n, row in enumerate(rows, 1)]
    if new:
        connection.execute(insert(journal_line), new)
        head = received.read_heads(connection, [stream])[stream]
        values = {"epoch": head.epoch, "seq": head.seq, "chain": head.chain}
        add_missing(connection, journal_head, {"name": stream} | values)
        connection.execute(update(journal_head).where(journal_head.c.name == stream).values(**values))
        connection.execute(update(journal_head).where(journal_head.c.name == HOME_ROW).values(seq=new[-1]["pos"]))
    for table in (received_line, received_segment, received_early, received_claim, received_head):
        connection.execute(delete(table).where(table.c.stream == stream))
    return [row.line for row in rows if row.line is not None]


def keep_erased(connection: Connection, tail: Tail) -> None:
    """Keep whom the peer knows to be erased, and what ended, until the home has erased it again."""
    common = {"stream": tail.stream, "seq": tail.last, "lines": 0, "scrubbed": True}
    rows = [
        common | {"digest": digest, "key_no": key_no}
        for key_no, digests in ((None, tail.erased), (A_PURPOSE, tail.cleared))
        for digest in {*digests} - {*erased_of(connection, tail.stream, key_no)}
    ]
    if rows:
        connection.execute(insert(received_erased), rows)
