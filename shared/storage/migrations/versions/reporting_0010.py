"""People who have had the processing restricted."""

import sqlalchemy as sa
from alembic import op

revision = "reporting_0010"
down_revision = "reporting_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the derived table."""
    op.create_table(
        "reporting_restricted",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "subject"),
    )
