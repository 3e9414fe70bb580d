"""When an epoch of a stream was accepted: words from before say nothing of how far it goes."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0011"
down_revision = "journal_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("received_head", sa.Column("accepted_at", sa.String(32)))
