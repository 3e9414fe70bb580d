"""Who works with whom."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0009"
down_revision = "intake_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "intake_worker",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("worker", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("worker"),
    )
    op.create_table(
        "intake_caseload",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("worker", sa.LargeBinary(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("ix_intake_caseload_worker", "intake_caseload", ["worker"], unique=False)
