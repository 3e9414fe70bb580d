"""What was erased may be the tags of a tag key instead of a person; letters between nodes."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0006"
down_revision = "journal_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, at a node and at the lead, and the tables."""
    op.add_column("journal_erased", sa.Column("key_no", sa.Integer(), nullable=True))
    op.add_column("received_erased", sa.Column("key_no", sa.Integer(), nullable=True))
    op.create_table(
        "post_out",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("letter", sa.LargeBinary(), nullable=False),
        sa.Column("queued_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "post_in",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("sender", sa.String(length=40), nullable=False),
        sa.Column("letter", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
