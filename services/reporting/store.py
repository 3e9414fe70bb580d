"""The derived tables, and the only statements that change them.

They (`DERIVED`) are made from the received lines alone and can be made anew at any time; an entity's key is its stream
and its id. The cursor says up to which line they have been made.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    func,
    select,
)

from services.reporting.encounter_table import encounter
from services.reporting.eura import eura
from services.reporting.partner_store import node
from services.reporting.step_tables import STEPS, step
from shared.journal.carry_tables import received_head, received_line
from shared.journal.lines import chain_start
from shared.journal.tables import BIG
from shared.programmes.shelf import Shelf
from shared.storage import metadata
from shared.storage.upsert import in_pieces, read_many, upsert

shelf = Shelf("reporting")

session = Table(
    "reporting_session",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("session", LargeBinary, primary_key=True),
    Column("activity", String(40), nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("minutes", Integer),
    Column("location", String(40)),
    Column("area", String(40)),
    Index("reporting_session_day", "stream", "occurred_on"),
)

attendance = Table(
    "reporting_attendance",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("attendance", LargeBinary, primary_key=True),
    Column("session", LargeBinary, nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("role", String(20), nullable=False),
    Column("minutes", Integer),
    Index("reporting_attendance_session", "stream", "session"),
)

heads = Table(
    "reporting_heads",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("session", LargeBinary, primary_key=True),
    Column("heads", Integer, nullable=False),
    Column("women", Integer),
    Column("basis", String(20), nullable=False),
)

person = Table(
    "reporting_person",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
    Column("standing", String(20), nullable=False),
    Column("since", Date),
)

score = Table(
    "reporting_score",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("assessment", LargeBinary, primary_key=True),
    Column("scale", String(40), primary_key=True),
    Column("subject", LargeBinary, nullable=False),
    Column("instrument", String(40), nullable=False),
    Column("version", String(40), nullable=False),
    Column("definition", String(64), nullable=False),
    Column("score", String(12)),
    Column("occasion", String(20), nullable=False),
    Column("occurred_on", Date, nullable=False),
)
"""Scores as the nodes computed them; null where too little was answered. No report shows them yet: its `change`, of one
person's scores at two times, will (decision 0041)."""

sheet = Table(
    "reporting_sheet",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("assessment", LargeBinary, primary_key=True),
    Column("instrument", String(40), nullable=False),
    Column("version", String(40), nullable=False),
    Column("occasion", String(20), nullable=False),
    Column("occurred_on", Date, nullable=False),
)
"""Forms that name nobody: that they are, not what they say. No report counts them yet."""

cursor = Table(
    "reporting_cursor",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("seq", BIG, nullable=False),
    Column("chain", LargeBinary, nullable=False),
)

aside = Table(
    "reporting_aside",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("seq", BIG, primary_key=True),
    Column("reason", String(40), nullable=False),
)
"""Lines that are kept but not in the figures: of a newer release ("newer"), or refused, with the reason."""

outcome = Table(
    "reporting_outcome",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("outcome_id", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False),
    Column("activity", String(40), nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("occurred_on", Date, nullable=False),
)

confirmed = Table(
    "reporting_confirmed",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("period", String(40), primary_key=True),
    Column("occurred_on", Date, nullable=False),
)
"""Reporting periods that partners have confirmed, and when they last did."""

tag = Table(
    "reporting_tag",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
    Column("key_no", Integer, primary_key=True, autoincrement=False),
    Column("tag", LargeBinary, nullable=False),
    Index("reporting_tag_equal", "key_no", "tag"),
)
"""By what a person is recognised whom several partners met; shown to nobody."""

start = Table(
    "reporting_start",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
    Column("started_on", Date, nullable=False),
    Column("gender", String(20), nullable=False),
    Column("complete", Integer, nullable=False),
    Column("codes", String(400), nullable=False),
    Column("answers", Text, nullable=False),
    Column("proof", String(20)),
    Index("reporting_start_day", "stream", "started_on"),
)
"""Start records, by the form of the programme's funding period: whether one is complete (0 or 1), the indicators of the
start in which it counts, parted by spaces, what was answered, as JSON with its keys in order, and what confirms it;
null: its release did not tell."""

exit_ = Table(
    "reporting_exit",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
    Column("ended_on", Date, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("results", String(120)),
    Column("next", String(40)),
)
"""The exits that hold; nobody who has come back. `results` parted by spaces, null: not written down."""

follow_up = Table(
    "reporting_follow_up",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("follow_up", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False),
    Column("due", Date, nullable=False),
    Column("status", String(20), nullable=False),
    Column("results", String(120)),
    Column("occurred_on", Date, nullable=False),
    Index("reporting_follow_up_subject", "stream", "subject"),
)

continues = Table(
    "reporting_continues",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
    Column("continues", LargeBinary, nullable=False),
)
"""Who was referred by another partner, and whom they are said to be there: a claim about somebody else's subject."""

restricted = Table(
    "reporting_restricted",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
)
"""People who have had the processing restricted: what is known of them stays in the figures, which say how many."""

ending = Table(
    "reporting_ending",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("ending", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False),
    Column("purpose", String(20), nullable=False),
)
"""Purposes of people that ended: what was recorded for them is erased."""

answered = Table(
    "reporting_answered",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("ending", LargeBinary, primary_key=True),
)
"""To which endings the lead has given its receipt, or gives none (`receipts`, `receipt_store`); not derived."""

same = Table(
    "reporting_same",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
    Column("same_as", LargeBinary, primary_key=True),
    Column("since", Date, nullable=False),
)
"""People of one node whom somebody there has found to be one."""

RECORDS = (start, exit_, follow_up, eura)
RIGHTS = (restricted, ending, same)
OF_PURPOSE = {
    "esf_record": (start, exit_, follow_up, continues),
    "support": (attendance, outcome, step),
    "measurement": (score,),
}
"""Derived tables of what is recorded about people, by purpose. Whom somebody continues stands in the start record: that
it goes with any ending of it, in every derivation, keeps the tables equal to what the lines that are left make."""

DERIVED = (
    *(session, attendance, heads, person, outcome, confirmed, aside, score, sheet, tag, continues, encounter),
    *(*RECORDS, *RIGHTS, *STEPS),
)


KEYS = {table.name: tuple(column.name for column in table.primary_key) for table in DERIVED}
"""The names of the columns of each derived table's key."""

Rows = dict[str, dict[tuple[Any, ...], dict[str, Any] | None]]
"""The last state of entities by table name and key; None: it was removed."""


def put_derived(connection: Connection, rows: Rows) -> None:
    """Store the last state of each entity."""
    for table in DERIVED:
        last = rows.get(table.name, {})
        upsert(connection, table, [row for row in last.values() if row is not None])
        if removed := [key for key, row in last.items() if row is None]:
            names = KEYS[table.name]
            this = and_(*(table.c[name] == bindparam(f"b_{name}") for name in names))
            keys = [{f"b_{name}": part for name, part in zip(names, key, strict=True)} for key in removed]
            connection.execute(delete(table).where(this), keys)


def held_sessions(connection: Connection, stream: str, sessions: Iterable[bytes]) -> set[bytes]:
    """Those of `sessions` that the stream has."""
    wanted, c, held = sorted(sessions), session.c, set[bytes]()
    for start in range(0, len(wanted), 500):
        query = select(c.session).where(c.stream == stream, c.session.in_(wanted[start : start + 500]))
        held.update(bytes(found) for found in connection.execute(query).scalars())
    return held


def streams_behind(connection: Connection) -> list[str]:
    """The nodes' streams of which more has been received than is in the derived tables."""
    head = received_head.c
    query = select(head.stream).outerjoin(cursor, cursor.c.stream == head.stream).where(head.node != "lead")
    return list(connection.execute(query.where(head.seq > func.coalesce(cursor.c.seq, 0))).scalars())


# Between two numbers, and without a LIMIT: then no plan reads what lies further on, whatever the database guesses.
_NEXT = (
    select(*(received_line.c[name] for name in ("seq", "kind", "v", "subject", "line", "epoch", "digest")))
    .where(
        received_line.c.stream == bindparam("stream"),
        received_line.c.seq > bindparam("after"),
        received_line.c.seq <= bindparam("to"),
    )
    .order_by(received_line.c.seq)
)


def next_lines(connection: Connection, stream: str, after: int, to: int) -> Sequence[Sequence[Any]]:
    """The received lines of the stream beyond `after`, up to `to`, in order: seq, kind, v, subject, line, epoch, digest
    (kind, v, subject and line None where it was erased)."""
    return read_many(connection, _NEXT, {"stream": stream, "after": after, "to": to})


def cursor_of(connection: Connection, stream: str) -> tuple[int, bytes]:
    """Up to which line the derived tables contain the stream, and the chain there."""
    at = connection.execute(select(cursor).where(cursor.c.stream == stream)).one_or_none()
    return (at.seq, at.chain) if at else (0, chain_start(stream))


def set_cursor(connection: Connection, stream: str, epoch: int, seq: int, chain: bytes) -> None:
    """The derived tables contain the stream up to here."""
    upsert(connection, cursor, [{"stream": stream, "epoch": epoch, "seq": seq, "chain": chain}])


def lock_derived(connection: Connection, stream: str) -> None:
    """Until the transaction ends, nobody else changes what is derived of this stream: its node's row is the lock."""
    connection.execute(select(node.c.stream).where(node.c.stream == stream).with_for_update())


def forget_derived(connection: Connection, streams: Iterable[str]) -> None:
    """Empty the derived tables for these streams, so that they are made anew from line 1."""
    for stream in streams:
        lock_derived(connection, stream)
        for table in (*DERIVED, cursor):
            connection.execute(delete(table).where(table.c.stream == stream))


def forget_subjects(connection: Connection, stream: str, subjects: Iterable[str]) -> None:
    """Delete what is derived of erased people; that their lines had been set aside: `forget_aside`."""
    _forget_of(connection, stream, [table for table in DERIVED if "subject" in table.c], subjects)


def forget_purposes(connection: Connection, stream: str, ended: Iterable[tuple[str, str]]) -> None:
    """Delete what is derived of people, each for a purpose."""
    of: dict[str, set[str]] = defaultdict(set)
    for subject, purpose in ended:
        of[purpose].add(subject)
    for purpose, subjects in of.items():
        _forget_of(connection, stream, OF_PURPOSE[purpose], subjects)


def _forget_of(connection: Connection, stream: str, tables: Iterable[Table], subjects: Iterable[str]) -> None:
    pieces = list(in_pieces(map(bytes.fromhex, subjects)))
    for table in tables:
        for some in pieces:
            connection.execute(delete(table).where(table.c.stream == stream, table.c.subject.in_(some)))


def forget_aside(connection: Connection, stream: str) -> None:
    """Delete that lines had been set aside which are digests by now."""
    line = received_line.c
    gone = exists().where(line.stream == aside.c.stream, line.seq == aside.c.seq, line.line.is_(None))
    connection.execute(delete(aside).where(aside.c.stream == stream, gone))


def forget_tags(connection: Connection, stream: str, key_nos: Iterable[int]) -> None:
    """Delete a stream's tags under tag keys that are needed no longer."""
    for some in in_pieces(key_nos):
        connection.execute(delete(tag).where(tag.c.stream == stream, tag.c.key_no.in_(some)))
