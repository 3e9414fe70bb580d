"""What is derived of assessments: scores, and forms that name nobody."""

import sqlalchemy as sa
from alembic import op

revision = "reporting_0002"
down_revision = "reporting_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "reporting_score",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("assessment", sa.LargeBinary(), nullable=False),
        sa.Column("scale", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("instrument", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("definition", sa.String(length=64), nullable=False),
        sa.Column("score", sa.String(length=12), nullable=True),
        sa.Column("occasion", sa.String(length=20), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "assessment", "scale"),
    )
    op.create_table(
        "reporting_sheet",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("assessment", sa.LargeBinary(), nullable=False),
        sa.Column("instrument", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("occasion", sa.String(length=20), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "assessment"),
    )
