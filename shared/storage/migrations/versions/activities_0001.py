"""The tables of activities as first released."""

import sqlalchemy as sa
from alembic import op

revision = "activities_0001"
down_revision = None
branch_labels = ("activities",)
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "activities_attendance",
        sa.Column("attendance", sa.LargeBinary(), nullable=False),
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("attendance"),
    )
    op.create_index("activities_attendance_session", "activities_attendance", ["session"], unique=False)
    op.create_index("activities_attendance_subject", "activities_attendance", ["subject"], unique=False)
    op.create_table(
        "activities_key",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "activities_person",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "activities_programme",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("programme", "digest", "part"),
    )
    op.create_table(
        "activities_session",
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("activity", sa.String(length=40), nullable=False),
        sa.Column("counts", sa.String(length=10), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("start", sa.String(length=5), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("location", sa.String(length=40), nullable=True),
        sa.Column("area", sa.String(length=40), nullable=True),
        sa.Column("languages", sa.String(length=200), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=True),
        sa.Column("women", sa.Integer(), nullable=True),
        sa.Column("basis", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("session"),
    )
    op.create_index("activities_session_day", "activities_session", ["programme", "occurred_on"], unique=False)
