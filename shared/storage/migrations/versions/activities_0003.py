"""The standing of the people whom an attendance may name."""

import sqlalchemy as sa
from alembic import op

revision = "activities_0003"
down_revision = "activities_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; null: heard by a release that did not keep it."""
    op.add_column("activities_person", sa.Column("standing", sa.String(length=40), nullable=True))
