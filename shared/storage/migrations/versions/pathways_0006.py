"""Programmes that are closed, and what was left open."""

import sqlalchemy as sa
from alembic import op

revision = "pathways_0006"
down_revision = "pathways_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "pathways_closed",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("final_on", sa.Date(), nullable=True),
        sa.Column("sealed_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("programme"),
    )
    op.create_table(
        "pathways_left",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("noted_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("programme", "what", "item"),
    )
