"""What measurement keeps about a person, for the copy that they are given."""

import json
from typing import Any

from sqlalchemy import Engine, select

from services.measurement.store import assessment, person, score
from shared.storage import snapshot
from shared.storage.copying import rows_of_subject
from shared.storage.people import refuse_of_another


def person_share(engine: Engine, programme: str, subject: str) -> dict[str, Any]:
    """The person's rows by table; an assessment with its answers by item and its scores by scale.

    Raises `UnknownPerson` if they are of another programme; who has not been heard of here has nothing here.
    """
    with snapshot(engine) as connection:
        refuse_of_another(person, connection, subject, programme)
        found: dict[str, Any] = dict(rows_of_subject(connection, "measurement", subject))
        theirs = select(assessment.c.assessment).where(assessment.c.subject == bytes.fromhex(subject))
        scores: dict[str, dict[str, str | None]] = {}
        for row in connection.execute(select(score).where(score.c.assessment.in_(theirs)).order_by(score.c.scale)):
            scores.setdefault(row.assessment.hex(), {})[row.scale] = row.score
    for row in found.get("assessment", []):
        row |= {"answers": json.loads(row["answers"]), "score": scores.get(row["assessment"], {})}
    return found
