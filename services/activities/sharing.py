"""What activities keeps about a person, for the copy that they are given."""

from typing import Any

from sqlalchemy import Engine

from services.activities import store
from shared.storage import snapshot
from shared.storage.copying import plain_value, rows_of_subject
from shared.storage.people import refuse_of_another

_OF_OTHERS = ("heads", "women", "basis", "counts")
"""What a session has of the others who were there."""


def person_share(engine: Engine, programme: str, subject: str) -> dict[str, Any]:
    """The person's rows by table, and the sessions that they name.

    Raises `UnknownPerson` if they are of another programme; who has not been heard of here has nothing here.
    """
    with snapshot(engine) as connection:
        refuse_of_another(store.person, connection, subject, programme)
        found = rows_of_subject(connection, "activities", subject)
        named = {row["session"] for rows in found.values() for row in rows if row.get("session")}
        sessions = [
            {name: plain_value(value) for name, value in row._mapping.items() if name not in _OF_OTHERS}
            for row in store.sessions_named(connection, named)
        ]
        return found | ({"session": sessions} if sessions else {})
