"""What pathways keeps about a person, for the copy that they are given."""

from typing import Any

from sqlalchemy import Engine

from services.pathways.store import find_people
from shared.contracts.errors import UnknownPerson
from shared.storage import snapshot
from shared.storage.copying import rows_of_subject


def person_share(engine: Engine, programme: str, subject: str) -> dict[str, Any]:
    """The person's rows by table. Raises `UnknownPerson` if the person is of another programme;
    who has not been heard of here has nothing here."""
    with snapshot(engine) as connection:
        known = find_people(connection, [subject]).get(subject)
        if known is not None and known != programme:
            raise UnknownPerson(field="person", programme=programme)
        return dict(rows_of_subject(connection, "pathways", subject))
