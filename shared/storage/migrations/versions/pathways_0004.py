"""People's own plans."""

import sqlalchemy as sa
from alembic import op

revision = "pathways_0004"
down_revision = "pathways_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "pathways_plan",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("strengths", sa.String(length=4100), nullable=False),
        sa.Column("next", sa.String(length=40), nullable=True),
        sa.Column("ready_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "pathways_plan_entry",
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("text_ref", sa.LargeBinary(), nullable=True),
        sa.Column("who", sa.String(length=20), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("barrier", sa.String(length=40), nullable=True),
        sa.Column("solutions", sa.String(length=2100), nullable=False),
        sa.PrimaryKeyConstraint("entry"),
    )
    op.create_index("pathways_plan_entry_subject", "pathways_plan_entry", ["subject"], unique=False)
