"""The tables of pathways as first released."""

import sqlalchemy as sa
from alembic import op

revision = "pathways_0001"
down_revision = None
branch_labels = ("pathways",)
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "pathways_programme",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("programme", "digest", "part"),
    )
