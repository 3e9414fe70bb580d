"""Erased people by digest, at a node and at the lead, and the hold of a restored home."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0002"
down_revision = "journal_0001"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "journal_erased",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("seq", _BIG, nullable=False),
        sa.Column("pos", _BIG, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("erased_at", sa.String(length=32), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("scrubbed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "received_erased",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("seq", _BIG, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("scrubbed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "digest"),
    )
    op.create_table(
        "journal_hold",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
