"""Steps: times away from them, what they wait for, products."""

import sqlalchemy as sa
from alembic import op

revision = "pathways_0003"
down_revision = "pathways_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their tables."""
    op.create_table(
        "pathways_seen",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("fact", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("programme", "subject", "fact", "code", "seen_on"),
    )
    op.create_index("pathways_seen_subject", "pathways_seen", ["subject"], unique=False)
    op.create_table(
        "pathways_pause",
        sa.Column("pause", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("paused_on", sa.Date(), nullable=False),
        sa.Column("resumed_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("pause"),
    )
    op.create_index("pathways_pause_subject", "pathways_pause", ["subject"], unique=False)
    op.create_table(
        "pathways_product",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("product", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("programme", "product"),
    )
