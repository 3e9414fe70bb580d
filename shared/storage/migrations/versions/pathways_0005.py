"""Whose worker each person has, as pathways has heard it."""

import sqlalchemy as sa
from alembic import op

revision = "pathways_0005"
down_revision = "pathways_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "pathways_worker",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("worker", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("ix_pathways_worker_worker", "pathways_worker", ["worker"], unique=False)
