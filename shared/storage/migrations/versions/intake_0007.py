"""Corrections."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0007"
down_revision = "intake_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "intake_correction",
        sa.Column("correction", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("corrected_at", sa.String(length=32), nullable=False),
        sa.Column("changed", sa.String(length=400), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["intake_person.person"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("correction"),
    )
    op.create_index("ix_intake_correction_subject", "intake_correction", ["subject"], unique=False)
