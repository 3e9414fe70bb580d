"""What measurement keeps about a person, for the copy that they are given."""

import json
from typing import Any

from sqlalchemy import Engine, select

from services.measurement.store import assessment, find_people, score
from shared.contracts.errors import UnknownPerson
from shared.storage import snapshot
from shared.storage.copying import rows_of_subject


def person_share(engine: Engine, programme: str, subject: str) -> dict[str, Any]:
    """The person's rows by table; an assessment with its answers by item and its scores by scale.

    Raises `UnknownPerson` if they are of another programme; who has not been heard of here has nothing here.
    """
    with snapshot(engine) as connection:
        known = find_people(connection, [subject]).get(subject)
        if known is not None and known.programme != programme:
            raise UnknownPerson(field="person", programme=programme)
        found: dict[str, Any] = dict(rows_of_subject(connection, "measurement", subject))
        theirs = select(assessment.c.assessment).where(assessment.c.subject == bytes.fromhex(subject))
        scores: dict[str, dict[str, str | None]] = {}
        for row in connection.execute(select(score).where(score.c.assessment.in_(theirs)).order_by(score.c.scale)):
            scores.setdefault(row.assessment.hex(), {})[row.scale] = row.score
    for row in found.get("assessment", []):
        row |= {"answers": json.loads(row["answers"]), "score": scores.get(row["assessment"], {})}
    return found
