"""What was erased may be the tags of a tag key instead of a person."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0006"
down_revision = "journal_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, at a node and at the lead."""
    op.add_column("journal_erased", sa.Column("key_no", sa.Integer(), nullable=True))
    op.add_column("received_erased", sa.Column("key_no", sa.Integer(), nullable=True))
