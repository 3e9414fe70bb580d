"""Steps, outcomes, periods and tasks, and what pathways hears of people, sessions and attendance."""

import sqlalchemy as sa
from alembic import op

revision = "pathways_0002"
down_revision = "pathways_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their tables; the ones that are there stay as they are."""
    op.create_table(
        "pathways_key",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "pathways_person",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "pathways_session",
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("activity", sa.String(length=40), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("session"),
    )
    op.create_index("pathways_session_day", "pathways_session", ["programme", "occurred_on"], unique=False)
    op.create_table(
        "pathways_attendance",
        sa.Column("attendance", sa.LargeBinary(), nullable=False),
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("attendance"),
    )
    op.create_index("pathways_attendance_session", "pathways_attendance", ["session"], unique=False)
    op.create_index("pathways_attendance_subject", "pathways_attendance", ["subject"], unique=False)
    op.create_table(
        "pathways_stay",
        sa.Column("stay", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("stay"),
    )
    op.create_index("pathways_stay_subject", "pathways_stay", ["subject"], unique=False)
    op.create_table(
        "pathways_outcome",
        sa.Column("outcome_id", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("activity", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("outcome_id"),
    )
    op.create_index("pathways_outcome_subject", "pathways_outcome", ["subject"], unique=False)
    op.create_table(
        "pathways_confirmed",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=40), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("programme", "period"),
    )
    op.create_table(
        "pathways_track",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("repeat_on", sa.Date(), nullable=True),
        sa.Column("cause", sa.String(length=200), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("programme", "rule", "subject"),
    )
    op.create_index("pathways_track_repeat", "pathways_track", ["repeat_on"], unique=False)
    op.create_table(
        "pathways_task",
        sa.Column("task", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("text_ref", sa.LargeBinary(), nullable=True),
        sa.Column("thing", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("task"),
        sa.UniqueConstraint("programme", "rule", "subject", "cause", "round", name="pathways_task_once"),
    )
    op.create_index("pathways_task_thing", "pathways_task", ["thing"], unique=False)
    op.create_index("pathways_task_due", "pathways_task", ["programme", "state", "due_on"], unique=False)
