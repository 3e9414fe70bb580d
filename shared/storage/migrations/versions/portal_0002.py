"""Where users are told by e-mail that tasks wait."""

import sqlalchemy as sa
from alembic import op

revision = "portal_0002"
down_revision = "portal_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "portal_notice",
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("lang", sa.String(length=2), nullable=False),
        sa.Column("told_on", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["user_name"], ["portal_user.name"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_name"),
    )
