"""The read side of pathways."""

from typing import Any

from sqlalchemy import Engine

from services.pathways.store import shelf
from shared.storage import snapshot


def list_programmes(engine: Engine) -> list[dict[str, Any]]:
    """The programmes in use: key, names by language, and the whole document."""
    with snapshot(engine) as connection:
        documents = shelf.documents(connection)
    return [{"programme": d["key"], "name": d["name"], "document": d} for d in documents]
