"""Erasing a person from the journal: their lines become digests, and chains and signatures still verify.

Recording `intake.subject_erased` *is* erasing: the unit of work that records it calls `erase` under the journal's
lock, so all other lines of the subject, what is parked of them, letters about them that have not been acknowledged and
audit entries that name them are gone with the same commit. From then on no unit commits a fact of this subject: each
asks `erased_among`, under the lock.

The line that says so has the subject too, and is needed a little longer: every service of the home and the lead must
hear it. `finish`, called by the courier in every round, erases it when

- every service that follows the journal is past it and none has parked it, and
- the lead's receipt covers it, or nothing of its stream was ever shipped.

Tags under a tag key that was replaced go the same way: recording `intake.tags_retired` turns a stream's `person_tagged`
lines of that key into digests. That line names nobody and stays. So do a person's lines of a purpose that ended
(`intake.purpose_ended`).

What stays is `subject_digest`, which tells whether a given subject was erased, and from which none can be computed.
Database files keep old bytes in free places; `scrub` has them cleared (`shared.storage.scrub`) after each of the two
steps. All steps begin from what the tables say, so a crash at any moment is completed by the next round.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, Engine, Table, bindparam, delete, insert, select, update

from shared.contracts.catalogue import PersonTagged
from shared.contracts.purposes import purpose_of
from shared.journal.audit import entries_naming
from shared.journal.carry_tables import (
    courier_manifest,
    courier_receipt,
    courier_segment,
    post_out,
    received_erased,
    received_line,
    received_void,
)
from shared.journal.lines import line_digest, parse
from shared.journal.tables import journal_audit, journal_cursor, journal_erased, journal_line, journal_parked
from shared.ops.clock import wire_time
from shared.storage import snapshot, transaction
from shared.storage.restricting import restricted
from shared.storage.scrub import scrub_database
from shared.storage.upsert import add_missing

_BATCH = 500
A_PURPOSE = 0
"""As `key_no`, which begins at 1: no tag key, but a purpose of somebody."""
NO_ENDING = "0" * 32
"""In the digest of a purpose that ended after its stream was sealed: no line of the stream names the ending."""
_GONE = {"kind": None, "subject": None, "line": None}
_UNFINISHED = select(journal_erased).where(journal_erased.c.finished.is_(False))


def subject_digest(subject: str) -> str:
    """What stays of an erased subject, and what the audit log names people by: 64 hex digits.

    Without a key: 128 random bits cannot be guessed, and a key would lie in the same backups as the subjects.
    """
    return sha256(b"polku-subject-1" + bytes.fromhex(subject)).hexdigest()


def erased_among(connection: Connection, subjects: Iterable[str]) -> set[str]:
    """Those of these subjects that were erased here."""
    digests = {bytes.fromhex(subject_digest(subject)): subject for subject in subjects}
    found: set[str] = set()
    wanted = list(digests)
    for start in range(0, len(wanted), _BATCH):
        query = select(journal_erased.c.digest).where(journal_erased.c.digest.in_(wanted[start : start + _BATCH]))
        found |= {digests[digest] for digest in connection.execute(query).scalars()}
    return found


def erased_elsewhere(connection: Connection, home: str) -> dict[str, set[str]]:
    """By programme the digests of those whom a lead knows to be erased and this home does not: a restore has brought
    them back (`returning`)."""
    theirs, ours = received_erased.c, journal_erased.c
    query = select(theirs.stream, theirs.digest).outerjoin_from(
        received_erased, journal_erased, ours.digest == theirs.digest
    )
    own = theirs.stream.startswith(f"{home}/", autoescape=True)
    query = query.where(own, theirs.key_no.is_(None), ours.digest.is_(None))
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.stream.partition("/")[2], set()).add(row.digest.hex())
    return found


def ended_elsewhere(connection: Connection, home: str) -> dict[str, set[str]]:
    """The same of purposes that ended after their stream was sealed, by `purpose_digest` without an ending."""
    c = received_erased.c
    own = c.stream.startswith(f"{home}/", autoescape=True)
    found: dict[str, set[str]] = {}
    for row in connection.execute(select(c.stream, c.digest).where(own, c.key_no == A_PURPOSE)):
        found.setdefault(row.stream.partition("/")[2], set()).add(row.digest.hex())
    return found


def erase(connection: Connection, subject: str, *, stream: str, seq: int, pos: int, now: datetime) -> int:
    """Turn the subject's lines, but for the one at `pos` that says so, into their digests; how many they were.

    Call it under the journal's lock, in the transaction that inserts the line at `pos`.
    """
    raw = bytes.fromhex(subject)
    others = (journal_line.c.subject == raw) & (journal_line.c.pos != pos)
    lines = connection.execute(update(journal_line).where(others).values(**_GONE)).rowcount
    connection.execute(delete(journal_parked).where(journal_parked.c.subject == raw))
    connection.execute(delete(post_out).where(post_out.c.subject == raw))
    connection.execute(delete(restricted).where(restricted.c.subject == raw))
    _erase_audit_entries(connection, subject)
    row = {"digest": bytes.fromhex(subject_digest(subject)), "stream": stream, "seq": seq, "pos": pos, "lines": lines}
    connection.execute(
        insert(journal_erased), row | {"erased_at": wire_time(now), "finished": False, "scrubbed": False}
    )
    return lines


def _erase_audit_entries(connection: Connection, subject: str) -> None:
    """Entries of the first release name subjects; such an entry becomes its digest, as a line does."""
    if rows := entries_naming(connection, subject):
        changed = update(journal_audit).where(journal_audit.c.n == bindparam("b_n"))
        digests = [{"b_n": row.n, "entry": b"#" + line_digest(row.entry).hex().encode()} for row in rows]
        connection.execute(changed, digests)


def end_purpose(
    connection: Connection, subject: str, purpose: str, ending: str, *, stream: str, seq: int, pos: int, now: datetime
) -> int:
    """Turn the subject's earlier lines of a purpose into their digests; how many. Call it as `erase`. The line at `pos`
    that says so stays, as long as anything of the person does."""
    c, raw = journal_line.c, bytes.fromhex(subject)
    known = connection.execute(select(c.pos, c.kind).where(c.subject == raw, c.pos < pos)).all()
    theirs = [row.pos for row in known if purpose_of(row.kind) == purpose]
    if theirs:
        gone = update(journal_line).where(c.pos == bindparam("b_pos")).values(**_GONE)
        connection.execute(gone, [{"b_pos": n} for n in theirs])
        for start in range(0, len(theirs), _BATCH):
            these = journal_parked.c.pos.in_(theirs[start : start + _BATCH])
            connection.execute(delete(journal_parked).where(these))
    if purpose == "support":
        connection.execute(delete(post_out).where(post_out.c.subject == raw))
    digest = purpose_digest(subject, purpose, ending)
    row = {"digest": digest, "stream": stream, "seq": seq, "pos": pos, "lines": len(theirs), "key_no": A_PURPOSE}
    state = {"erased_at": wire_time(now), "finished": True, "scrubbed": False}
    connection.execute(insert(journal_erased), row | state)
    return len(theirs)


def note_purpose_ended(connection: Connection, stream: str, subject: str, purpose: str, ending: str, seq: int) -> None:
    """At the lead: the stream's line `seq` says that what was recorded of this subject for the purpose is erased; with
    `NO_ENDING` no line says so, and the lines before `seq` are meant."""
    raw, lines = bytes.fromhex(subject), 0
    for table in (received_line, received_void):
        c = table.c
        known = connection.execute(select(c.seq, c.kind).where(c.stream == stream, c.subject == raw, c.seq < seq))
        theirs = [{"b_seq": row.seq, "b_kind": row.kind} for row in known if purpose_of(row.kind) == purpose]
        this = (
            (c.stream == stream) & (c.seq == bindparam("b_seq")) & (c.subject == raw) & (c.kind == bindparam("b_kind"))
        )
        if theirs:
            connection.execute(update(table).where(this).values(**_GONE, v=None), theirs)
        lines += len(theirs) if table is received_line else 0
    row = {"stream": stream, "digest": purpose_digest(subject, purpose, ending), "seq": seq, "lines": lines}
    add_missing(connection, received_erased, row | {"scrubbed": False, "key_no": A_PURPOSE})


def erased_lines(connection: Connection, stream: str, digest: bytes) -> int:
    """At the lead: how many lines of the stream became digests by this erasure."""
    c = received_erased.c
    query = select(c.lines).where(c.stream == stream, c.digest == digest)
    return connection.execute(query).scalar_one_or_none() or 0


def purpose_digest(subject: str, purpose: str, ending: str) -> bytes:
    """By what an ended purpose of a subject is known when its lines are gone."""
    return sha256(b"polku-purpose-1" + bytes.fromhex(subject) + purpose.encode() + bytes.fromhex(ending)).digest()


def retire_tags(connection: Connection, key_no: int, *, stream: str, seq: int, pos: int, now: datetime) -> int:
    """Turn the stream's lines with tags under this tag key into their digests; how many. Call it as `erase`."""
    c = journal_line.c
    tags = select(c.pos, c.line).where(c.stream == stream, c.kind == PersonTagged.kind, c.pos < pos)
    theirs = [row.pos for row in connection.execute(tags) if _is_tag_of(row.line, key_no)]
    gone = update(journal_line).where(c.pos == bindparam("b_pos")).values(**_GONE)
    if theirs:
        connection.execute(gone, [{"b_pos": n} for n in theirs])
    row = {"digest": _tags_digest(stream, key_no), "stream": stream, "seq": seq, "pos": pos, "lines": len(theirs)}
    state = {"erased_at": wire_time(now), "finished": True, "scrubbed": False, "key_no": key_no}
    connection.execute(insert(journal_erased), row | state)
    return len(theirs)


def note_tags_retired(connection: Connection, stream: str, key_no: int, seq: int) -> None:
    """At the lead: the stream's line `seq` says that tags under this tag key are needed no longer."""
    c = received_line.c
    tags = select(c.seq, c.line).where(c.stream == stream, c.kind == PersonTagged.kind, c.seq < seq)
    theirs = [row.seq for row in connection.execute(tags) if _is_tag_of(row.line, key_no)]
    this = (c.stream == stream) & (c.seq == bindparam("b_seq"))
    if theirs:
        gone = update(received_line).where(this).values(**_GONE, v=None)
        connection.execute(gone, [{"b_seq": n} for n in theirs])
    row = {"stream": stream, "digest": _tags_digest(stream, key_no), "seq": seq, "lines": len(theirs)}
    add_missing(connection, received_erased, row | {"scrubbed": False, "key_no": key_no})


def _is_tag_of(line: bytes | None, key_no: int) -> bool:
    return line is not None and parse(line).body.get("key_no") == key_no


def _tags_digest(stream: str, key_no: int) -> bytes:
    return sha256(f"polku-tags-1{stream}/{key_no}".encode()).digest()


def finish(engine: Engine) -> int:
    """Erase the lines that said who was erased, as far as everybody has heard them; how many."""
    done = 0
    with snapshot(engine) as connection:
        waiting = connection.execute(_UNFINISHED).all()
        ready = [row for row in waiting if _heard(connection, row.pos) and _receipted(connection, row.stream, row.seq)]
    for row in ready:
        with transaction(engine) as connection:
            subject = select(journal_line.c.subject).where(journal_line.c.pos == row.pos)
            raw = connection.execute(subject).scalar_one_or_none()
            if raw is not None:
                connection.execute(update(journal_line).where(journal_line.c.subject == raw).values(**_GONE))
                # A service that had read an older line before it was erased may have parked it since.
                connection.execute(delete(journal_parked).where(journal_parked.c.subject == raw))
            this = journal_erased.c.digest == row.digest
            connection.execute(update(journal_erased).where(this).values(finished=True, scrubbed=False))
        done += 1
    return done


def _heard(connection: Connection, pos: int) -> bool:
    """Whether every service of the home is past `pos` and none has it parked."""
    behind = connection.execute(select(journal_cursor.c.pos).where(journal_cursor.c.pos < pos).limit(1)).first()
    parked = connection.execute(select(journal_parked.c.pos).where(journal_parked.c.pos == pos).limit(1)).first()
    return behind is None and parked is None


def _receipted(connection: Connection, stream: str, seq: int) -> bool:
    """Whether the lead has the stream up to `seq`, or nothing of it was ever shipped."""
    receipt = select(courier_receipt.c.seq).where(courier_receipt.c.stream == stream)
    at = connection.execute(receipt).scalar_one_or_none()
    if at is not None and at >= seq:
        return True
    begun = (
        connection.execute(select(table.c.stream).where(table.c.stream == stream).limit(1)).first()
        for table in (courier_receipt, courier_segment, courier_manifest)
    )
    return not any(row is not None for row in begun)


def note_received(connection: Connection, stream: str, subject: str, seq: int) -> None:
    """At the lead: the stream's line `seq` says that this subject was erased; its received lines become digests."""
    raw = bytes.fromhex(subject)
    theirs = (received_line.c.stream == stream) & (received_line.c.subject == raw)  # no node erases another's
    lines = connection.execute(update(received_line).where(theirs).values(**_GONE, v=None)).rowcount
    void = (received_void.c.stream == stream) & (received_void.c.subject == raw)
    connection.execute(update(received_void).where(void).values(**_GONE, v=None))
    c, digest = received_erased.c, bytes.fromhex(subject_digest(subject))
    more = update(received_erased).where(c.stream == stream, c.digest == digest)
    if connection.execute(more.values(lines=c.lines + lines)).rowcount:
        if lines:
            connection.execute(more.values(scrubbed=False))
        return
    row = {"stream": stream, "digest": digest, "seq": seq, "lines": lines}
    add_missing(connection, received_erased, row | {"scrubbed": False})


def erased_received(connection: Connection, stream: str) -> frozenset[bytes]:
    """At the lead: whom the stream has erased, by `subject_digest`."""
    c = received_erased.c
    return frozenset(connection.execute(select(c.digest).where(c.stream == stream, c.key_no.is_(None))).scalars())


def scrub(engine: Engine) -> bool:
    """Clear the database's files if somebody was erased since; False if there was nothing to do, or not now."""
    with snapshot(engine) as connection:
        due = {table: _unscrubbed(connection, table) for table in (journal_erased, received_erased)}
    if not any(due.values()) or not scrub_database(engine):
        return False
    with transaction(engine) as connection:
        for table, digests in due.items():
            for start in range(0, len(digests), _BATCH):
                these = table.c.digest.in_(digests[start : start + _BATCH])
                connection.execute(update(table).where(these).values(scrubbed=True))
    return True


def _unscrubbed(connection: Connection, table: Table) -> list[bytes]:
    return list(connection.execute(select(table.c.digest).where(table.c.scrubbed.is_(False))).scalars())
