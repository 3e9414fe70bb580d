"""Encounters, doors, and visitors who were met."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0006"
down_revision = "intake_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their tables."""
    op.create_table(
        "intake_encounter",
        sa.Column("encounter", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("start", sa.String(length=5), nullable=True),
        sa.Column("location", sa.String(length=40), nullable=True),
        sa.Column("area", sa.String(length=40), nullable=True),
        sa.Column("staff", sa.Integer(), nullable=True),
        sa.Column("people_new", sa.Integer(), nullable=True),
        sa.Column("people_known", sa.Integer(), nullable=True),
        sa.Column("women", sa.Integer(), nullable=True),
        sa.Column("languages", sa.String(length=200), nullable=False),
        sa.Column("topics", sa.String(length=2100), nullable=False),
        sa.Column("guided_to", sa.String(length=2100), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("door", sa.Boolean(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("taps", sa.String(length=60), nullable=False),
        sa.Column("hushed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("encounter"),
    )
    op.create_index("intake_encounter_day", "intake_encounter", ["programme", "occurred_on"], unique=False)
    op.create_index("intake_encounter_open", "intake_encounter", ["door", "done"], unique=False)
    op.create_table(
        "intake_visit",
        sa.Column("visit", sa.LargeBinary(), nullable=False),
        sa.Column("encounter", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("counted", sa.String(length=1), nullable=True),
        sa.Column("began", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("visit"),
        sa.UniqueConstraint("encounter", "subject", name="intake_visit_once"),
    )
    op.create_index("intake_visit_subject", "intake_visit", ["programme", "subject"], unique=False)
