"""Use cases of reporting about partners that are in: they leave, or go on after a restore or a second history."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from services.reporting import partner_store, receipt_store, receipts, store
from shared.contracts.catalogue import (
    FACTS,
    EpochAccepted,
    LeadKeysChanged,
    NodeAdmitted,
    NodeExpelled,
    NodeKeysChanged,
    ProgrammeVersion,
)
from shared.contracts.errors import NotFound
from shared.contracts.facts import Fact
from shared.journal import Journal, epochs, received
from shared.journal.directory import member, members, members_of, renewal_of
from shared.journal.erasing import (
    NO_ENDING,
    erased_lines,
    note_purposes_ended,
    note_received,
    purpose_digest,
    subject_digest,
)
from shared.journal.holding import is_held
from shared.journal.lines import parse
from shared.journal.reading import lines_of_kind
from shared.journal.renewing import APART, OVERLAP, Renewal
from shared.journal.returning import Ended, take_into_journal
from shared.ops.clock import wire_time
from shared.storage import snapshot, transaction

AGAIN_AT_ONCE = 100
"""People, or endings, of one transaction: a node may tell of tens of thousands, and each ending is a fact."""


def expel_partner(journal: Journal, programme: str, partner: str, *, by: str, now: datetime) -> tuple[str, int | None]:
    """End the membership of the partner's node; returns the node and the journal position. Raises `NotFound`.

    Nothing more is taken of it. What it has sent stays in the figures, its last watermark in every report. The partner
    may be admitted again with another node. A held lead (`holding`) no longer waits for it: nothing can be recorded
    yet, the position is None, and `record_expelled` follows when the hold has ended.
    """
    with journal.unit(now) as unit:
        member = partner_store.find_partner(unit.connection, programme, partner)
        if member is None:
            raise NotFound(what=f"joined partner {partner} of {programme}")
        partner_store.expel_node(unit.connection, member.stream, wire_time(now))
        if not is_held(unit.connection):
            unit.record(NodeExpelled(None, partner=partner, node=member.node), programme)
        unit.audit(by, "expel_partner", programme=programme, partner=partner, node=member.node)
    return member.node, unit.pos


def record_expelled(journal: Journal, now: datetime) -> None:
    """Record who was expelled while the lead was held. Raises `HomeHeld` if it still is."""
    with snapshot(journal.engine) as connection:
        gone = partner_store.expelled(connection)
        told = {
            (programme, known.node)
            for programme in {row.programme for row in gone}
            for known in members(connection, programme)
            if known.expelled
        }
    for row in gone:
        if (row.programme, row.node) not in told:
            with journal.unit(now) as unit:
                unit.record(NodeExpelled(None, partner=row.partner, node=row.node), row.programme)


def accept_keys(journal: Journal, stream: str, renewal: Renewal, now: datetime) -> bool:
    """Record a member node's new keys, if a key of it that is taken now has signed them; whether they are new.

    The signing key before is taken for `OVERLAP` more. What comes within `APART` of the last that was accepted is not
    taken: the node states it again.
    """
    until = wire_time(now + OVERLAP)
    with journal.unit(now) as unit:
        connection = unit.connection
        known = partner_store.find_stream(connection, stream)
        if known is None or known.expelled_at is not None or known.node != renewal.home:
            return False
        taken = partner_store.signing_keys(connection, wire_time(now))[stream]
        if (known.signing_key, known.receiving_key) == renewal.keys or renewal.key not in taken:
            return False
        if not renewal.follows(known.keys_at or "", now):
            return False
        listed = member(connection, known.programme, known.node)
        if listed and wire_time(now - APART) < listed.renewed <= wire_time(now):
            return False
        partner_store.change_keys(connection, stream, *renewal.keys, renewal.time, until)
        unit.record(NodeKeysChanged(None, node=known.node, until=until, **members_of(renewal)), known.programme)
        unit.audit("receiver", "accept_keys", programme=known.programme, node=known.node)
    return True


def record_own_keys(journal: Journal, programme: str, renewal: Renewal, now: datetime) -> None:
    """Record the lead's own new keys on its stream of the programme."""
    with journal.unit(now) as unit:
        unit.record(LeadKeysChanged(None, **members_of(renewal)), programme)
        unit.audit("receiver", "change_own_keys", programme=programme)


def accept_epoch(journal: Journal, node: str, *, by: str, now: datetime) -> tuple[list[dict[str, Any]], int | None]:
    """Record which of a node's histories counts; the receiver brings it about (`apply_accepted`).

    Of a stream whose node claims a new epoch: that one, from the line where it joins ours. Of one that has stopped:
    ours. Returns per stream `stream`, `epoch`, `seq`, `void` (lines that will be), and the position. Raises `NotFound`.
    """
    accepted = []
    with journal.unit(now) as unit:
        streams = [row.stream for row in partner_store.streams_of_node(unit.connection, node)]
        for stream, head in received.read_heads(unit.connection, streams).items():
            counts = epochs.acceptable(unit.connection, head)
            if counts is None:
                continue
            epoch, seq = counts
            programme = stream.partition("/")[2]
            unit.record(EpochAccepted(None, node=node, epoch=epoch, seq=seq, held=head.seq), programme)
            unit.audit(by, "accept_epoch", programme=programme, node=node, epoch=epoch, seq=seq)
            accepted.append({"stream": stream, "epoch": epoch, "seq": seq, "void": head.seq - seq})
        if not accepted:
            raise NotFound(what=f"stream of {node} that is stopped or claims a new epoch")
    return accepted, unit.pos


def apply_accepted(engine: Engine, now: datetime) -> bool:
    """Bring the received streams to the epochs that were accepted, and have their figures derived anew; False if one
    must wait for lines before it, which a restored lead is being sent again.

    Begins from what the lead's own lines and the tables say: whatever was half done is completed, and a restored lead
    comes to the same.
    """
    with snapshot(engine) as connection:
        said = list(lines_of_kind(connection, EpochAccepted.kind))
    waits = False
    for line in said:
        stream = f"{line.body['node']}/{line.stream.partition('/')[2]}"
        with transaction(engine) as connection:
            head = received.read_heads(connection, [stream], lock=True).get(stream)
            at = line.body["epoch"], line.body["seq"], line.recorded_at
            if head and epochs.accept(connection, head, *at, held=line.body.get("held"), now=now):
                received.save_heads(connection, [head])
                store.forget_derived(connection, [stream])
            waits |= head is None or head.epoch < line.body["epoch"]
    return not waits


def take_back(engine: Engine, stream: str) -> None:
    """Put what a node has brought back of the lead's own stream into the restored lead's journal, with its effects."""
    programme = stream.partition("/")[2]
    with transaction(engine) as connection:
        for data in take_into_journal(connection, stream):
            line = parse(data)
            known = FACTS.get((line.kind, line.v))
            if known is not None:  # else of a newer release, whose backup this is not
                _take_effect(connection, programme, known.read(line.subject, line.body), line.recorded_at)
        store.forget_derived(connection, partner_store.streams_of(connection, programme))


def _take_effect(connection: Connection, programme: str, fact: Fact, at: str) -> None:
    if isinstance(fact, ProgrammeVersion):
        store.shelf.put(connection, fact)
    elif isinstance(fact, NodeAdmitted):
        stream = f"{fact['node']}/{programme}"
        if partner_store.find_stream(connection, stream) is None:
            keys = {name: bytes.fromhex(fact[name]) for name in ("signing_key", "receiving_key")}
            row = {"stream": stream, "programme": programme, "partner": fact["partner"], "node": fact["node"]}
            partner_store.add_node(connection, row | keys)
    elif isinstance(fact, NodeKeysChanged):
        said = renewal_of(fact)
        partner_store.change_keys(connection, f"{said.home}/{programme}", *said.keys, said.time, fact["until"])
    elif isinstance(fact, NodeExpelled):
        partner_store.expel_node(connection, f"{fact['node']}/{programme}", at)


def erase_received(engine: Engine, stream: str, digests: Collection[bytes]) -> int:
    """Erase whom a node knows to be erased and a restored lead has again; how many people."""
    found = [subject for subject, digest in _subjects(engine, stream) if digest in digests]
    for start in range(0, len(found), AGAIN_AT_ONCE):
        some = found[start : start + AGAIN_AT_ONCE]
        with transaction(engine) as connection:
            store.lock_derived(connection, stream)
            note_received(connection, stream, dict.fromkeys(some, 0))
            store.forget_subjects(connection, stream, some)
            store.forget_aside(connection, stream)
    return len(found)


def end_received(journal: Journal, stream: str, ended: Collection[Ended], now: datetime) -> int:
    """Erase what a node's people had recorded for purposes that have ended since its stream was sealed, and give the
    receipts, as for an ending that came in a line: of the next `AGAIN_AT_ONCE` that are due, and how many these were.
    Raises `HomeHeld` when all is erased: the receipts wait."""
    engine = journal.engine
    with snapshot(engine) as connection:
        done, held = receipt_store.answered_of(connection, stream), is_held(connection)
    due = list({one.ending: one for one in ended if one.ending not in done}.values())
    due = due if held else due[:AGAIN_AT_ONCE]
    subjects = {digest: subject for subject, digest in _subjects(engine, stream)} if due else {}
    found = [(subjects[one.subject], one.purpose) for one in due if one.subject in subjects]
    if found:
        with transaction(engine) as connection:
            store.lock_derived(connection, stream)
            seq = received.read_heads(connection, [stream])[stream].seq + 1  # whatever is there was recorded before
            note_purposes_ended(connection, stream, [(*one, NO_ENDING, seq) for one in found])
            store.forget_purposes(connection, stream, found)
            store.forget_aside(connection, stream)
    if due:
        with journal.unit(now) as unit:
            cleared = []
            for one in due:
                subject = subjects.get(one.subject)
                digest = purpose_digest(subject, one.purpose, NO_ENDING) if subject else b""
                cleared.append((one.ending, erased_lines(unit.connection, stream, digest)))
            receipts.give(unit, stream, cleared)
    return len(due)


def _subjects(engine: Engine, stream: str) -> list[tuple[str, bytes]]:
    """Everybody of whom lines of the stream are here, with what they are known by when they are not."""
    with snapshot(engine) as connection:
        subjects = received.subjects_of(connection, stream)
    return [(subject, bytes.fromhex(subject_digest(subject))) for subject in subjects]
