"""What activities keeps about a person, for the copy that they are given."""

from typing import Any

from sqlalchemy import Engine, select

from services.activities.store import person, session
from shared.storage import snapshot
from shared.storage.copying import plain_value, rows_of_subject
from shared.storage.people import refuse_of_another


def person_share(engine: Engine, programme: str, subject: str) -> dict[str, Any]:
    """The person's rows by table, and the sessions that they name.

    Raises `UnknownPerson` if they are of another programme; who has not been heard of here has nothing here.
    """
    with snapshot(engine) as connection:
        refuse_of_another(person, connection, subject, programme)
        found = rows_of_subject(connection, "activities", subject)
        named = {bytes.fromhex(row["session"]) for rows in found.values() for row in rows if row.get("session")}
        columns = [c for c in session.c if c.name not in ("heads", "women", "basis", "counts")]  # of the others there
        query = select(*columns).where(session.c.session.in_(named)).order_by(session.c.occurred_on, session.c.session)
        sessions = [{name: plain_value(v) for name, v in row._mapping.items()} for row in connection.execute(query)]
        return found | ({"session": sessions} if sessions else {})
