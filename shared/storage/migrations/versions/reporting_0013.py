"""On which ground somebody is restricted is not told to the lead."""

from alembic import op

revision = "reporting_0013"
down_revision = "reporting_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the column; the table came with no release yet."""
    op.drop_column("reporting_restricted", "ground")
