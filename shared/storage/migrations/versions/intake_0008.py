"""Tries to get a start or exit form; exit forms."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0008"
down_revision = "intake_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "intake_attempt",
        sa.Column("attempt", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("record", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("attempt"),
    )
    op.create_index("ix_intake_attempt_subject", "intake_attempt", ["subject"], unique=False)
    op.create_table(
        "intake_exit_form",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("wishes_ref", sa.LargeBinary(), nullable=True),
        sa.Column("may_call", sa.String(length=20), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=True),
        sa.Column("help", sa.String(length=20), nullable=True),
        sa.Column("eura_on", sa.Date(), nullable=True),
        sa.Column("eura_by", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.add_column("intake_participation", sa.Column("end_planned", sa.String(length=40), nullable=True))
