"""Every chain that a node has signed beyond the watermark is kept, not the furthest alone."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0007"
down_revision = "journal_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; the furthest of each stream stands in its head, as before."""
    op.create_table(
        "received_claim",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "seq"),
    )
