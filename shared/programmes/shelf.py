"""A service's own copy of the programmes in use, filled from facts piece by piece.

`pathways` (on a lead: `reporting`) owns the definitions and records them as facts; every other service keeps a copy,
because no service reads another's tables. A version counts from the moment its last piece is there.
"""

import json
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Integer, String, Table, Text, delete, func, select

from shared.contracts.errors import UnknownProgramme
from shared.contracts.facts import Fact
from shared.programmes import Programme, parse
from shared.storage import metadata
from shared.storage.upsert import upsert

PIECE = 12_000
"""Characters of canonical JSON in one fact: a line stays under 64 KiB whatever they are."""

_by_digest: dict[str, Programme] = {}
"""Versions this process has parsed: a digest addresses one document for ever."""


class Shelf:
    """The programmes a service knows, in the table ``<service>_programme``."""

    def __init__(self, service: str) -> None:
        self.table = Table(
            f"{service}_programme",
            metadata,
            Column("programme", String(40), primary_key=True),
            Column("digest", String(64), primary_key=True),
            Column("part", Integer, primary_key=True),
            Column("parts", Integer, nullable=False),
            Column("text", Text, nullable=False),
        )

    def put(self, connection: Connection, piece: Fact) -> None:
        """Keep one piece (`ProgrammeLoaded` or `ProgrammeVersion`); the last one puts the version into use."""
        table, key, digest = self.table, piece["programme"], piece["digest"]
        this = (table.c.programme == key) & (table.c.digest == digest)
        connection.execute(delete(table).where(this & (table.c.parts != piece["parts"])))  # cut by another release
        upsert(connection, table, [{column.name: piece[column.name] for column in table.c}])
        if piece["part"] == piece["parts"]:
            connection.execute(delete(table).where((table.c.programme == key) & (table.c.digest != digest)))

    def get(self, connection: Connection, key: str) -> Programme:
        """The version in use; raises `UnknownProgramme`.

        Cheap enough to be asked for every line: the text is read only when this process has not met its digest.
        """
        table = self.table
        whole = select(table.c.digest).where(table.c.programme == key).group_by(table.c.digest, table.c.parts)
        digest = connection.execute(whole.having(func.count() == table.c.parts)).scalars().first()
        if digest is None:
            raise UnknownProgramme(programme=key)
        if (known := _by_digest.get(digest)) is not None:
            return known
        for programme, document in self._complete(connection):
            if programme == key:
                parsed = _parsed(document)
                if parsed.digest == digest:
                    _by_digest[digest] = parsed
                return parsed
        raise UnknownProgramme(programme=key)

    def all(self, connection: Connection) -> list[Programme]:
        """Every programme in use, by key."""
        return [_parsed(document) for _, document in self._complete(connection)]

    def document(self, connection: Connection, key: str) -> dict[str, Any]:
        """The document of the version in use; raises `UnknownProgramme`."""
        for programme, text in self._complete(connection):
            if programme == key:
                document: dict[str, Any] = json.loads(text)
                return document
        raise UnknownProgramme(programme=key)

    def documents(self, connection: Connection) -> list[dict[str, Any]]:
        """Every programme in use, as the document it was loaded from, by key."""
        return [json.loads(document) for _, document in self._complete(connection)]

    def _complete(self, connection: Connection) -> list[tuple[str, str]]:
        table = self.table
        texts: dict[tuple[str, str], list[str]] = {}
        wanted: dict[tuple[str, str], int] = {}
        query = select(table).order_by(table.c.programme, table.c.digest, table.c.part)
        for row in connection.execute(query):
            texts.setdefault((row.programme, row.digest), []).append(row.text)
            wanted[row.programme, row.digest] = row.parts
        return [(key[0], "".join(parts)) for key, parts in texts.items() if len(parts) == wanted[key]]


def pieces(kind: type[Fact], programme: Programme, text: str) -> list[Fact]:
    """The facts that carry the canonical JSON `text` of a programme."""
    cut = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    common = {"programme": programme.key, "digest": programme.digest, "parts": len(cut)}
    return [kind(None, **common, part=number, text=part) for number, part in enumerate(cut, 1)]


@lru_cache(maxsize=64)
def _parsed(document: str) -> Programme:
    return parse(json.loads(document))
