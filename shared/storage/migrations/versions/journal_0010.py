"""Which manifests had been written when a receipt was believed."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0010"
down_revision = "journal_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("courier_receipt", sa.Column("stated", number, nullable=False, server_default="0"))
