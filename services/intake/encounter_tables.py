"""The tables of encounters and visits, a part of `store`."""

from sqlalchemy import Boolean, Column, Date, DateTime, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from shared.storage import metadata

encounter = Table(
    "intake_encounter",
    metadata,
    Column("encounter", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("start", String(5)),
    Column("location", String(40)),
    Column("area", String(40)),
    Column("staff", Integer),
    Column("people_new", Integer),
    Column("people_known", Integer),
    Column("women", Integer),
    Column("languages", String(200), nullable=False),
    Column("topics", String(2100), nullable=False),
    Column("guided_to", String(2100), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("told", Integer),
    Column("told_at", DateTime(timezone=True), nullable=False),
    Column("door", Boolean, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("taps", String(60), nullable=False),
    Column("hushed", Boolean, nullable=False),
    Index("intake_encounter_day", "programme", "occurred_on"),
    Index("intake_encounter_open", "door", "done"),
)
"""Encounters; `told` is the revision that the last fact said, null before the first. `door`: counted one tap at a
time, `taps` are the last ones; until `done` a fact may lag behind. `hushed`: topics, guided_to and languages stay
here, from the first time that they had to."""

visit = Table(
    "intake_visit",
    metadata,
    Column("visit", LargeBinary, primary_key=True),
    Column("encounter", LargeBinary, nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("programme", String(40), nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("counted", String(1)),
    Column("began", Boolean, nullable=False),
    UniqueConstraint("encounter", "subject", name="intake_visit_once"),
    Index("intake_visit_subject", "programme", "subject"),
)
"""Visitors who were met, by nickname; `counted`: as what a tap on the tile counted them, null where the heads were
written down; `began`: with this visit the visitor began."""
