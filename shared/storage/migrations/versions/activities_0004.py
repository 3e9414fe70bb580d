"""When people have died, after whom nobody is at a session any more."""

import sqlalchemy as sa
from alembic import op

revision = "activities_0004"
down_revision = "activities_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, with what intake knows of who has died."""
    op.add_column("activities_person", sa.Column("died_on", sa.Date(), nullable=True))
    table = sa.inspect(op.get_bind())
    known = table.get_columns("intake_participation") if table.has_table("intake_participation") else []
    if "end_reason" in {column["name"] for column in known}:  # else it is a new database, or one that knew no exits
        op.execute(
            "UPDATE activities_person SET died_on = (SELECT i.ended_on FROM intake_participation i "
            "WHERE i.subject = activities_person.subject AND i.end_reason = 'died')"
        )
