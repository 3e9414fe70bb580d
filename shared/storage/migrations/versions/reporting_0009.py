"""Derived table of encounters."""

import sqlalchemy as sa
from alembic import op

revision = "reporting_0009"
down_revision = "reporting_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "reporting_encounter",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("encounter", sa.LargeBinary(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("location", sa.String(length=40), nullable=True),
        sa.Column("area", sa.String(length=40), nullable=True),
        sa.Column("staff", sa.Integer(), nullable=True),
        sa.Column("people_new", sa.Integer(), nullable=True),
        sa.Column("people_known", sa.Integer(), nullable=True),
        sa.Column("women", sa.Integer(), nullable=True),
        sa.Column("topics", sa.String(length=2100), nullable=False),
        sa.Column("guided_to", sa.String(length=2100), nullable=False),
        sa.PrimaryKeyConstraint("stream", "encounter"),
    )
    op.create_index("reporting_encounter_day", "reporting_encounter", ["stream", "occurred_on"], unique=False)
