"""The derived table of encounters, a part of `store`."""

from sqlalchemy import Column, Date, Index, Integer, LargeBinary, String, Table

from shared.storage import metadata

encounter = Table(
    "reporting_encounter",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("encounter", LargeBinary, primary_key=True),
    Column("occurred_on", Date, nullable=False),
    Column("location", String(40)),
    Column("area", String(40)),
    Column("staff", Integer),
    Column("people_new", Integer),
    Column("people_known", Integer),
    Column("women", Integer),
    Column("topics", String(2100), nullable=False),
    Column("guided_to", String(2100), nullable=False),
    Index("reporting_encounter_day", "stream", "occurred_on"),
)
"""Outreach and drop-in, as heads: nobody is named. `topics`, `guided_to` parted by spaces; null: not written down."""
