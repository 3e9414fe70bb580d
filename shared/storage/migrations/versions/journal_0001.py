"""The tables of journal as first released."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0001"
down_revision = None
branch_labels = ("journal",)
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "courier_manifest",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("stream", "number"),
    )
    op.create_table(
        "courier_receipt",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("incarnation", sa.String(length=32), nullable=False),
        sa.Column("manifest", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("time", sa.String(length=32), nullable=False),
        sa.Column("conflict", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("stream"),
    )
    op.create_table(
        "courier_segment",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("first", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("time", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("stream", "first"),
    )
    op.create_table(
        "journal_audit",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("n"),
    )
    op.create_table(
        "journal_cursor",
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("pos", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("service"),
    )
    op.create_table(
        "journal_head",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "journal_line",
        sa.Column("pos", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=True),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("pos"),
        sa.UniqueConstraint("stream", "seq", "epoch", name="journal_line_stream_seq"),
    )
    op.create_index("journal_line_subject", "journal_line", ["subject"], unique=False)
    op.create_table(
        "journal_parked",
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("pos", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.Column("parked_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("service", "pos"),
    )
    op.create_table(
        "received_conflict",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ours", sa.LargeBinary(), nullable=False),
        sa.Column("theirs", sa.LargeBinary(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("stream", "digest"),
    )
    op.create_table(
        "received_early",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("first", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("stream", "first", "last"),
    )
    op.create_table(
        "received_head",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("head_epoch", sa.Integer(), nullable=False),
        sa.Column("head_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("head_chain", sa.LargeBinary(), nullable=False),
        sa.Column("manifest_at", sa.String(length=32), nullable=True),
        sa.Column("echo", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("stream"),
    )
    op.create_table(
        "received_incarnation",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("incarnation", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    op.create_table(
        "received_line",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=True),
        sa.Column("v", sa.Integer(), nullable=True),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("stream", "seq"),
    )
    op.create_table(
        "received_refused",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "received_segment",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("last", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("payload_digest", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("stream", "last"),
    )
