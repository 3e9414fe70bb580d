"""Exit records and follow-ups."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0005"
down_revision = "intake_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the columns and the table."""
    op.add_column("intake_participation", sa.Column("end_results", sa.String(length=120), nullable=True))
    op.add_column("intake_participation", sa.Column("end_next", sa.String(length=40), nullable=True))
    op.add_column("intake_participation", sa.Column("resumed_on", sa.Date(), nullable=True))
    op.create_table(
        "intake_follow_up",
        sa.Column("follow_up", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("results", sa.String(length=120), nullable=True),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("follow_up"),
    )
    op.create_index("ix_intake_follow_up_subject", "intake_follow_up", ["subject"], unique=False)
