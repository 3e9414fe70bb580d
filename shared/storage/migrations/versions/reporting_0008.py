"""Derived tables of start and exit records."""

import sqlalchemy as sa
from alembic import op

revision = "reporting_0008"
down_revision = "reporting_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "reporting_start",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("gender", sa.String(length=20), nullable=False),
        sa.Column("complete", sa.Integer(), nullable=False),
        sa.Column("codes", sa.String(length=400), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "subject"),
    )
    op.create_index("reporting_start_day", "reporting_start", ["stream", "started_on"], unique=False)
    op.create_table(
        "reporting_exit",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("results", sa.String(length=120), nullable=True),
        sa.Column("next", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("stream", "subject"),
    )
    op.create_table(
        "reporting_follow_up",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("follow_up", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("results", sa.String(length=120), nullable=True),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "follow_up"),
    )
    op.create_index("reporting_follow_up_subject", "reporting_follow_up", ["stream", "subject"], unique=False)
