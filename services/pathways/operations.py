"""Use cases of pathways: one transaction each."""

from datetime import datetime
from typing import Any

from services.pathways.store import shelf
from shared.contracts.catalogue import ProgrammeLoaded
from shared.contracts.errors import UnknownProgramme
from shared.journal import Journal
from shared.programmes import Programme, canonical, parse
from shared.programmes.shelf import pieces


def load_programme(journal: Journal, document: dict[str, Any], by: str, now: datetime) -> tuple[Programme, int | None]:
    """Take a version of a programme file into use on this node; the version in use already adds no line.

    Returns the programme and the journal position, None if nothing was new. Raises `InvalidProgramme`.
    """
    programme = parse(document)
    with journal.unit(now) as unit:
        try:
            if shelf.get(unit.connection, programme.key).digest == programme.digest:
                return programme, None
        except UnknownProgramme:
            pass  # its first version
        for piece in pieces(ProgrammeLoaded, programme, canonical(document).decode()):
            shelf.put(unit.connection, piece)
            unit.record(piece)
        unit.audit(by, "load_programme", programme=programme.key, digest=programme.digest)
    return programme, unit.pos
