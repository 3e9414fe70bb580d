"""Derived table of tags."""

import sqlalchemy as sa
from alembic import op

revision = "reporting_0005"
down_revision = "reporting_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "reporting_tag",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("key_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "subject", "key_no"),
    )
    op.create_index("reporting_tag_equal", "reporting_tag", ["key_no", "tag"], unique=False)
