"""How far a node goes in an epoch that nobody has accepted yet; when it spoke last, by its own clock."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0012"
down_revision = "journal_0011"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns."""
    op.add_column("received_head", sa.Column("next_epoch", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("received_head", sa.Column("next_seq", _BIG, nullable=False, server_default="0"))
    op.add_column("received_head", sa.Column("next_chain", sa.LargeBinary()))
    for name in ("next_at", "spoke_at", "accepted_after", "kept_at"):
        op.add_column("received_head", sa.Column(name, sa.String(32)))
