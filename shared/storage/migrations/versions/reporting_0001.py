"""The tables of reporting as first released."""

import sqlalchemy as sa
from alembic import op

revision = "reporting_0001"
down_revision = None
branch_labels = ("reporting",)
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "reporting_aside",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("stream", "seq"),
    )
    op.create_table(
        "reporting_attendance",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("attendance", sa.LargeBinary(), nullable=False),
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("stream", "attendance"),
    )
    op.create_index("reporting_attendance_session", "reporting_attendance", ["stream", "session"], unique=False)
    op.create_table(
        "reporting_cursor",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream"),
    )
    op.create_table(
        "reporting_heads",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("women", sa.Integer(), nullable=True),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("stream", "session"),
    )
    op.create_table(
        "reporting_invite",
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("partner", sa.String(length=40), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_by", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("token_digest"),
    )
    op.create_table(
        "reporting_node",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("partner", sa.String(length=40), nullable=False),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False),
        sa.Column("receiving_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream"),
    )
    op.create_table(
        "reporting_person",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("standing", sa.String(length=20), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("stream", "subject"),
    )
    op.create_table(
        "reporting_programme",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("programme", "digest", "part"),
    )
    op.create_table(
        "reporting_session",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("activity", sa.String(length=40), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("location", sa.String(length=40), nullable=True),
        sa.Column("area", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("stream", "session"),
    )
    op.create_index("reporting_session_day", "reporting_session", ["stream", "occurred_on"], unique=False)
