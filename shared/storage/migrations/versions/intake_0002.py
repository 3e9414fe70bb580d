"""Free texts: of people with their keys, of no person with the programme's."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0002"
down_revision = "intake_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their tables."""
    op.create_table(
        "intake_text_key",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("programme"),
    )
    op.create_table(
        "intake_text",
        sa.Column("text_ref", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("person", sa.LargeBinary(), nullable=True),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["intake_person.person"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("text_ref"),
    )
    op.create_index("ix_intake_text_person", "intake_text", ["person"], unique=False)
