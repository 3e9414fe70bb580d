"""Tag keys of programmes, who has been tagged with which, and the nodes that were recognised."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0003"
down_revision = "intake_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their tables."""
    op.create_table(
        "intake_tag_key",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("key_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("programme", "key_no"),
    )
    op.create_table(
        "intake_tagged",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("key_no", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "intake_peer",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("words", sa.String(length=40), nullable=False),
        sa.Column("confirmed_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("programme", "node"),
    )
