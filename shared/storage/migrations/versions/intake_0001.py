"""The tables of intake as first released."""

import sqlalchemy as sa
from alembic import op

revision = "intake_0001"
down_revision = None
branch_labels = ("intake",)
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "intake_key",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "intake_person",
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("person"),
    )
    op.create_table(
        "intake_programme",
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("programme", "digest", "part"),
    )
    op.create_table(
        "intake_participation",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("standing", sa.String(length=40), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["intake_person.person"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("subject"),
        sa.UniqueConstraint("person", "programme", name="intake_participation_once"),
    )
    op.create_table(
        "intake_vault",
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["intake_person.person"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person", "name"),
    )
