"""What pathways keeps about a person, for the copy that they are given."""

from typing import Any

from sqlalchemy import Engine

from services.pathways.store import person
from shared.storage import snapshot
from shared.storage.copying import rows_of_subject
from shared.storage.people import refuse_of_another


def person_share(engine: Engine, programme: str, subject: str) -> dict[str, Any]:
    """The person's rows by table. Raises `UnknownPerson` if the person is of another programme;
    who has not been heard of here has nothing here."""
    with snapshot(engine) as connection:
        refuse_of_another(person, connection, subject, programme)
        return dict(rows_of_subject(connection, "pathways", subject))
