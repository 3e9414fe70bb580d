"""People who have had the processing restricted, purposes that ended, people who are one."""

import sqlalchemy as sa
from alembic import op

revision = "reporting_0010"
down_revision = "reporting_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "reporting_restricted",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("ground", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("stream", "subject"),
    )
    op.create_table(
        "reporting_ending",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("ending", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("stream", "ending"),
    )
    op.create_table(
        "reporting_answered",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("ending", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "ending"),
    )
    op.create_table(
        "reporting_same",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("same_as", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "subject", "same_as"),
    )
