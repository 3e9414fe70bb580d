"""The journal's tables. Rows of `journal_line` are never changed, but for erasing; see `shared.journal`."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from shared.storage import metadata

# BIGINT on PostgreSQL; on SQLite only INTEGER makes the key the row's own number.
BIG = BigInteger().with_variant(Integer, "sqlite")

journal_head = Table(
    "journal_head",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("seq", BIG, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("closed", Integer, nullable=False, server_default="0"),
)
"""One row for the home (name "", `seq` is the last `pos`): the lock of the journal. One row for the audit log (name
"audit"). One per stream: its epoch, last seq and chain, and how far its programme is closed here (`closing`)."""

journal_line = Table(
    "journal_line",
    metadata,
    Column("pos", BIG, primary_key=True, autoincrement=False),
    Column("stream", String(80), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("seq", BIG, nullable=False),
    Column("kind", String(80)),
    Column("subject", LargeBinary),
    Column("digest", LargeBinary, nullable=False),
    Column("line", LargeBinary),
    UniqueConstraint("stream", "seq", "epoch", name="journal_line_stream_seq"),
    Index("journal_line_subject", "subject"),
)
"""The lines, in the order of their commits. An erased line has lost kind, subject and line."""

journal_cursor = Table(
    "journal_cursor",
    metadata,
    Column("service", String(40), primary_key=True),
    Column("pos", BIG, nullable=False),
)
"""How far each service has followed the journal."""

journal_lead_cursor = Table(
    "journal_lead_cursor",
    metadata,
    Column("service", String(40), primary_key=True),
    Column("stream", String(80), primary_key=True),
    Column("seq", BIG, nullable=False),
)
"""How far each service of a node has followed what each of its leads has sent."""

journal_parked = Table(
    "journal_parked",
    metadata,
    Column("service", String(40), primary_key=True),
    Column("pos", BIG, primary_key=True, autoincrement=False),
    Column("subject", LargeBinary),
    Column("error", String(200), nullable=False),
    Column("parked_at", String(32), nullable=False),
)
"""Lines whose effect failed repeatedly, and the later lines of the same subject that wait behind them."""

journal_audit = Table(
    "journal_audit",
    metadata,
    Column("n", BIG, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
)
"""Who did what, as chained JSON entries; its head is the row "audit" of `journal_head`."""

journal_erased = Table(
    "journal_erased",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("stream", String(80), nullable=False),
    Column("seq", BIG, nullable=False),
    Column("pos", BIG, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("erased_at", String(32), nullable=False),
    Column("finished", Boolean, nullable=False),
    Column("scrubbed", Boolean, nullable=False),
    Column("key_no", Integer),
)
"""The subjects that were erased, by `subject_digest`, and the tag keys (`key_no`) whose tags were; where the line that
says so stands, how many lines went, whether that line is erased too, and whether the database's files have been
cleared since. See `erasing`."""

journal_hold = Table(
    "journal_hold",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("since", String(32), nullable=False),
)
"""A row while the home is held after a restore; see `holding`."""
