"""When a node's membership ended."""

import sqlalchemy as sa
from alembic import op

revision = "reporting_0004"
down_revision = "reporting_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("reporting_node", sa.Column("expelled_at", sa.String(length=32)))
