"""Derived tables of steps and products; filled and emptied by `store`, like all of `DERIVED`."""

from sqlalchemy import Column, Date, Index, LargeBinary, String, Table

from shared.journal.tables import BIG
from shared.storage import metadata

step = Table(
    "reporting_step",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("seq", BIG, primary_key=True, autoincrement=False),
    Column("subject", LargeBinary, nullable=False),
    Column("step", String(40), nullable=False),
    Column("what", String(20), nullable=False),
    Column("occurred_on", Date, nullable=False),
    Index("reporting_step_subject", "stream", "subject"),
)
"""What happened between people and steps, a row for each line: entered, left, paused, resumed. Lines come in any order
of days, so how somebody stands is what these add up to."""

product = Table(
    "reporting_product",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("product", String(40), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("occurred_on", Date, nullable=False),
)
"""How far each partner says that a product is."""

STEPS = (step, product)
