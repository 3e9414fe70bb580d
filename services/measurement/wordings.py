"""How this organisation asks the items of an instrument: loaded by whoever runs the node, shown on the page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Engine, String, Table, Text, delete, insert, select

from shared.instruments.wording import parse_wording
from shared.journal import Journal
from shared.journal.closing import lock
from shared.storage import metadata, snapshot

wording = Table(
    "measurement_wording",
    metadata,
    Column("instrument", String(40), primary_key=True),
    Column("version", String(40), primary_key=True),
    Column("item", String(40), primary_key=True),
    Column("lang", String(2), primary_key=True),
    Column("text", Text, nullable=False),
)
"""Questions, by item and language. Of nobody, and no part of any fact."""


def load_wording(journal: Journal, document: Mapping[str, Any], *, by: str, now: datetime) -> int:
    """Take an organisation's own questions into use, in place of those that were loaded before; how many items.

    Raises `InvalidInstrument`.
    """
    texts = parse_wording(document)
    which = {"instrument": document["instrument"], "version": document["version"]}
    rows = [
        which | {"item": item, "lang": lang, "text": text}
        for item, told in texts.items()
        for lang, text in told.items()
    ]
    c = wording.c
    with journal.unit(now) as unit:
        lock(unit.connection)  # of two at once the second sees, and replaces, what the first has loaded
        this = (c.instrument == which["instrument"]) & (c.version == which["version"])
        unit.connection.execute(delete(wording).where(this))
        unit.connection.execute(insert(wording), rows)
        unit.audit(by, "load_wording", **which, items=len(texts))
    return len(texts)


def show_wording(engine: Engine, instrument: str, version: str) -> dict[str, dict[str, str]]:
    """The questions by item and language; empty where none were loaded."""
    c, found = wording.c, dict[str, dict[str, str]]()
    with snapshot(engine) as connection:
        query = select(wording).where(c.instrument == instrument, c.version == version)
        for row in connection.execute(query):
            found.setdefault(row.item, {})[row.lang] = row.text
    return found
