"""Derived table of who continues as whom."""

import sqlalchemy as sa
from alembic import op

revision = "reporting_0007"
down_revision = "reporting_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "reporting_continues",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("continues", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "subject"),
    )
