"""Who has left, and which rules that has stopped."""

import sqlalchemy as sa
from alembic import op

revision = "pathways_0007"
down_revision = "pathways_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, of who has left until now; the timer ends once what is open of them."""
    op.create_table(
        "pathways_leaving",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("programme", sa.String(length=40), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.add_column("pathways_track", sa.Column("stopped", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("pathways_track_subject", "pathways_track", ["subject"], unique=False)
    table = sa.inspect(op.get_bind())
    known = table.get_columns("intake_participation") if table.has_table("intake_participation") else []
    if "end_reason" in {column["name"] for column in known}:  # else it is a new database, or one that knew no exits
        op.execute(
            "INSERT INTO pathways_leaving (subject, programme, left_on, reason, settled) "
            "SELECT i.subject, i.programme, i.ended_on, i.end_reason, false FROM intake_participation i "
            "JOIN pathways_person p ON p.subject = i.subject "
            "WHERE i.ended_on IS NOT NULL AND i.end_reason IS NOT NULL"
        )
