"""Conversations, what was agreed in them, and head-counts on their way."""

import sqlalchemy as sa
from alembic import op

revision = "activities_0002"
down_revision = "activities_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their tables."""
    op.create_table(
        "activities_conversation",
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("how", sa.String(length=40), nullable=False),
        sa.Column("topics", sa.String(length=2100), nullable=False),
        sa.Column("text_ref", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("session"),
    )
    op.create_index("activities_conversation_subject", "activities_conversation", ["subject"], unique=False)
    op.create_table(
        "activities_action",
        sa.Column("action", sa.LargeBinary(), nullable=False),
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("text_ref", sa.LargeBinary(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("action"),
    )
    op.create_index("activities_action_session", "activities_action", ["session"], unique=False)
    op.create_index("activities_action_subject", "activities_action", ["subject"], unique=False)
    op.create_table(
        "activities_meeting",
        sa.Column("meeting", sa.LargeBinary(), nullable=False),
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("start", sa.String(length=5), nullable=True),
        sa.PrimaryKeyConstraint("meeting"),
    )
    op.create_index("activities_meeting_session", "activities_meeting", ["session"], unique=False)
    op.create_index("activities_meeting_subject", "activities_meeting", ["subject"], unique=False)
    op.create_table(
        "activities_counter",
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("activity", sa.String(length=40), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("location", sa.String(length=40), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("women", sa.Integer(), nullable=True),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("told_heads", sa.Integer(), nullable=True),
        sa.Column("told_women", sa.Integer(), nullable=True),
        sa.Column("tapped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session"),
    )
    op.create_index("activities_counter_open", "activities_counter", ["programme", "done"], unique=False)
