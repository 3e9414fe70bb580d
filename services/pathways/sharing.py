"""What pathways keeps about a person, for the copy that they are given."""

from typing import Any

from sqlalchemy import Engine

from shared.storage import snapshot
from shared.storage.copying import rows_of_subject


def person_share(engine: Engine, subject: str) -> dict[str, Any]:
    """The person's rows by table."""
    with snapshot(engine) as connection:
        return dict(rows_of_subject(connection, "pathways", subject))
