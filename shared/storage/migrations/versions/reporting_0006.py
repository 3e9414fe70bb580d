"""Signing keys that nodes have replaced."""

import sqlalchemy as sa
from alembic import op

revision = "reporting_0006"
down_revision = "reporting_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their table, and a column for when the newest were stated."""
    op.add_column("reporting_node", sa.Column("keys_at", sa.String(length=32), nullable=True))
    op.create_table(
        "reporting_former_key",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("stream", "signing_key"),
    )
