"""The table of releases. A row is written once: nothing here changes one or takes one away."""

from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, String, Table, Text, insert, select
from sqlalchemy.exc import IntegrityError

from shared.contracts.errors import Overtaken
from shared.storage import metadata

release = Table(
    "reporting_release",
    metadata,
    Column("release", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("language", String(2), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("definition", Text, nullable=False),
    Column("made_by", String(80), nullable=False),
    Column("made_at", String(32), nullable=False),
)
"""Frozen reports: the certified JSON file byte for byte, and the programme's file as it was then (canonical JSON), by
whose names the other forms are made. What each is about says the lead's stream (`shared/journal/releases.py`)."""


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Keep a release. Raises `Overtaken` if another worker has kept one with its id just now."""
    try:
        connection.execute(insert(release), row)
    except IntegrityError:
        raise Overtaken() from None


def find(connection: Connection, number: bytes) -> Any | None:
    """The release with this id, or None."""
    return connection.execute(select(release).where(release.c.release == number)).one_or_none()


def kept(connection: Connection, programme: str) -> dict[str, str]:
    """The ids of the releases whose documents are here, each with who made it."""
    query = select(release.c.release, release.c.made_by).where(release.c.programme == programme)
    return {bytes(row.release).hex(): row.made_by for row in connection.execute(query)}
