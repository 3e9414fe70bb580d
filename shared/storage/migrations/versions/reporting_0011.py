"""Derived tables of steps and products."""

import sqlalchemy as sa
from alembic import op

revision = "reporting_0011"
down_revision = "reporting_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "reporting_step",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "seq"),
    )
    op.create_index("reporting_step_subject", "reporting_step", ["stream", "subject"], unique=False)
    op.create_table(
        "reporting_product",
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("product", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "product"),
    )
