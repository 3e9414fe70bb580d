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

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

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
from shared.storage.upsert import add_missing, in_pieces

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


def note_purposes_ended(connection: Connection, stream: str, ended: Sequence[tuple[str, str, str, int]]) -> None:
    """At the lead: each of `ended`, in order, is a subject, a purpose, an ending and the stream's line which says that
    what was recorded of the subject for the purpose is erased; with `NO_ENDING` no line says so, and the lines before
    that number are meant. One pass through the stream, however many they are."""
    said: dict[tuple[bytes, str | None], list[tuple[int, int]]] = defaultdict(list)
    for number, (subject, purpose, _, seq) in enumerate(ended):
        said[bytes.fromhex(subject), purpose].append((seq, number))
    for endings in said.values():
        endings.sort()
    lines, before = [0] * len(ended), max((seq for *_, seq in ended), default=0)
    for table in (received_line, received_void):
        c = table.c
        for subjects in in_pieces(sorted({subject for subject, _ in said})):
            query = select(c.epoch, c.seq, c.subject, c.kind)
            known = connection.execute(query.where(c.stream == stream, c.subject.in_(subjects), c.seq < before)).all()
            theirs = []
            for row in known:
                endings = said.get((bytes(row.subject), purpose_of(row.kind)), [])
                at = bisect_right(endings, (row.seq, len(ended)))
                if at < len(endings):
                    theirs.append(row)
                    lines[endings[at][1]] += table is received_line
            _become_digests(connection, table, stream, theirs)
    rows = (
        {
            "stream": stream,
            "digest": purpose_digest(*one),
            "seq": seq,
            "lines": n,
            "scrubbed": False,
            "key_no": A_PURPOSE,
        }
        for (*one, seq), n in zip(ended, lines, strict=True)
    )
    add_missing(connection, received_erased, *rows)


def _become_digests(connection: Connection, table: Table, stream: str, rows: Sequence[Any]) -> None:
    """What the lead has received turns into digests: lines by `epoch` and `seq`."""
    if rows:
        c = table.c
        this = (c.stream == stream) & (c.epoch == bindparam("b_epoch")) & (c.seq == bindparam("b_seq"))
        gone = update(table).where(this).values(**_GONE, v=None)
        connection.execute(gone, [{"b_epoch": row.epoch, "b_seq": row.seq} for row in rows])


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


def note_tags_retired(connection: Connection, stream: str, retired: Mapping[int, int]) -> None:
    """At the lead: by tag key, the stream's line which says that tags under it are needed no longer. One pass through
    the stream's tags, however many they are."""
    c, lines, theirs = received_line.c, Counter[int](), []
    tags = select(c.epoch, c.seq, c.line).where(c.stream == stream, c.kind == PersonTagged.kind)
    for row in connection.execute(tags.where(c.seq < max(retired.values(), default=0), c.line.is_not(None))):
        key_no = parse(row.line).body.get("key_no")
        if isinstance(key_no, int) and retired.get(key_no, 0) > row.seq:
            theirs.append(row)
            lines[key_no] += 1
    _become_digests(connection, received_line, stream, theirs)
    rows = (
        {"digest": _tags_digest(stream, key_no), "seq": seq, "lines": lines[key_no], "key_no": key_no}
        for key_no, seq in retired.items()
    )
    add_missing(connection, received_erased, *(row | {"stream": stream, "scrubbed": False} for row in rows))


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


def note_received(connection: Connection, stream: str, erased: Mapping[str, int]) -> None:
    """At the lead: by subject, the stream's line which says that this subject was erased; their received lines become
    digests. One pass through the stream, however many they are."""
    for subjects in in_pieces(sorted(erased)):
        raws = [bytes.fromhex(subject) for subject in subjects]
        lines = Counter[bytes]()
        for table in (received_line, received_void):
            c = table.c
            query = select(c.epoch, c.seq, c.subject).where(c.stream == stream, c.subject.in_(raws))
            theirs = connection.execute(query).all()  # no node erases another's
            _become_digests(connection, table, stream, theirs)
            if table is received_line:
                lines.update(bytes(row.subject) for row in theirs)
        _note_erased(
            connection,
            stream,
            {subject: (erased[subject], lines[raw]) for subject, raw in zip(subjects, raws, strict=True)},
        )


def _note_erased(connection: Connection, stream: str, erased: Mapping[str, tuple[int, int]]) -> None:
    """By subject: the line that says so and how many lines became digests, as many more if it had been noted before."""
    c = received_erased.c
    digests = {bytes.fromhex(subject_digest(subject)): said for subject, said in erased.items()}
    known = set(
        map(bytes, connection.execute(select(c.digest).where(c.stream == stream, c.digest.in_(digests))).scalars())
    )
    more = [
        {"b_digest": digest, "b_lines": lines} for digest, (_, lines) in digests.items() if digest in known and lines
    ]
    if more:
        this = update(received_erased).where(c.stream == stream, c.digest == bindparam("b_digest"))
        connection.execute(this.values(lines=c.lines + bindparam("b_lines"), scrubbed=False), more)
    rows = (
        {"stream": stream, "digest": d, "seq": seq, "lines": n, "scrubbed": False}
        for d, (seq, n) in digests.items()
        if d not in known
    )
    add_missing(connection, received_erased, *rows)


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
