"""The newest manifest of each received stream, for certificates."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0004"
down_revision = "journal_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("received_head", sa.Column("manifest", sa.LargeBinary(), nullable=True))
