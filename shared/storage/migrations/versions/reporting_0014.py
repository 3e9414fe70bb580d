"""What confirms a start record: kept by the lead. A release before passed over what a newer node said of it."""

import sqlalchemy as sa
from alembic import op

revision = "reporting_0014"
down_revision = "reporting_0013"
branch_labels = None
depends_on = None

_LINE = sa.table("received_line", sa.column("stream"), sa.column("kind"), sa.column("line", sa.LargeBinary))
_START = sa.table("reporting_start", sa.column("stream"))


def upgrade() -> None:
    """Add the column; where a line already says it, the stream's start records go, so that it is derived anew."""
    op.add_column("reporting_start", sa.Column("proof", sa.String(length=20), nullable=True))
    if not sa.inspect(op.get_bind()).has_table("received_line"):  # a new database: its branch comes later
        return
    said = sa.literal(b'"proof":', sa.LargeBinary)
    sqlite = op.get_bind().dialect.name == "sqlite"
    place = sa.func.instr(_LINE.c.line, said) if sqlite else sa.func.position(said.op("IN")(_LINE.c.line))
    told = sa.select(_LINE.c.stream).where(_LINE.c.kind == "intake.participation_started", place > 0)
    op.execute(_START.delete().where(_START.c.stream.in_(told)))
