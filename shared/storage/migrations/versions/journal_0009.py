"""How far a stream's programme is closed."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0009"
down_revision = "journal_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("journal_head", sa.Column("closed", sa.Integer(), nullable=False, server_default="0"))
