"""How this organisation asks the items of instruments, word for word."""

import sqlalchemy as sa
from alembic import op

revision = "measurement_0002"
down_revision = "measurement_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "measurement_wording",
        sa.Column("instrument", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("lang", sa.String(length=2), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("instrument", "version", "item", "lang"),
    )
