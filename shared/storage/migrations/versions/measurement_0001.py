"""The tables of measurement as first released."""

import sqlalchemy as sa
from alembic import op

revision = "measurement_0001"
down_revision = None
branch_labels = ("measurement",)
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "measurement_assessment",
        sa.Column("assessment", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("session", sa.LargeBinary(), nullable=True),
        sa.Column("instrument", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("definition", sa.String(length=64), nullable=False),
        sa.Column("occasion", sa.String(length=20), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("assessment"),
    )
    op.create_index("measurement_assessment_subject", "measurement_assessment", ["subject"], unique=False)
    op.create_table(
        "measurement_definition",
        sa.Column("definition", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("definition"),
    )
    op.create_table(
        "measurement_key",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "measurement_person",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "measurement_programme",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("programme", "digest", "part"),
    )
    op.create_table(
        "measurement_score",
        sa.Column("assessment", sa.LargeBinary(), nullable=False),
        sa.Column("scale", sa.String(length=40), nullable=False),
        sa.Column("score", sa.String(length=12), nullable=True),
        sa.PrimaryKeyConstraint("assessment", "scale"),
    )
    op.create_table(
        "measurement_session",
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("session"),
    )
