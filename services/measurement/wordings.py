"""How this organisation asks the items of an instrument: loaded by whoever runs the node, shown on the page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from services.measurement import store
from shared.instruments.wording import parse_wording
from shared.journal import Journal
from shared.journal.closing import lock
from shared.storage import snapshot


def load_wording(journal: Journal, document: Mapping[str, Any], *, by: str, now: datetime) -> int:
    """Take an organisation's own questions into use, in place of those that were loaded before; how many items.

    Raises `InvalidInstrument`.
    """
    texts = parse_wording(document)
    which = {"instrument": document["instrument"], "version": document["version"]}
    with journal.unit(now) as unit:
        lock(unit.connection)  # of two at once the second sees, and replaces, what the first has loaded
        store.put_wording(unit.connection, **which, texts=texts)
        unit.audit(by, "load_wording", **which, items=len(texts))
    return len(texts)


def show_wording(engine: Engine, instrument: str, version: str) -> dict[str, dict[str, str]]:
    """The questions by item and language; empty where none were loaded."""
    with snapshot(engine) as connection:
        return store.wording_of(connection, instrument, version)
