"""Corrections, purposes that end, who was informed, pairs of people who may be one."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0007"
down_revision = "intake_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "intake_correction",
        sa.Column("correction", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("corrected_at", sa.String(length=32), nullable=False),
        sa.Column("changed", sa.String(length=400), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["intake_person.person"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("correction"),
    )
    op.create_index("ix_intake_correction_subject", "intake_correction", ["subject"], unique=False)
    op.create_table(
        "intake_informed",
        sa.Column("informed", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("notice", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=3), nullable=False),
        sa.Column("consents", sa.String(length=120), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("informed"),
    )
    op.create_index("ix_intake_informed_subject", "intake_informed", ["subject"], unique=False)
    op.create_table(
        "intake_ending",
        sa.Column("ending", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("ending"),
    )
    op.create_index("ix_intake_ending_subject", "intake_ending", ["subject"], unique=False)
    op.create_table(
        "intake_receipt",
        sa.Column("ending", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("ending", "holder"),
    )
    op.create_index("ix_intake_receipt_subject", "intake_receipt", ["subject"], unique=False)
    op.create_table(
        "intake_pair",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("other", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "other"),
    )
    op.create_index("ix_intake_pair_other", "intake_pair", ["other"], unique=False)
