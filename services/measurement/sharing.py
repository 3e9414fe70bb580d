"""What measurement keeps about a person, for the copy that they are given."""

import json
from typing import Any

from sqlalchemy import Engine

from services.measurement import store
from shared.storage import snapshot
from shared.storage.copying import rows_of_subject
from shared.storage.people import refuse_of_another


def person_share(engine: Engine, programme: str, subject: str) -> dict[str, Any]:
    """The person's rows by table; an assessment with its answers by item and its scores by scale.

    Raises `UnknownPerson` if they are of another programme; who has not been heard of here has nothing here.
    """
    with snapshot(engine) as connection:
        refuse_of_another(store.person, connection, subject, programme)
        found: dict[str, Any] = dict(rows_of_subject(connection, "measurement", subject))
        forms = found.get("assessment", [])
        scores = store.scores_of(connection, (bytes.fromhex(form["assessment"]) for form in forms))
    for form in forms:
        form |= {"answers": json.loads(form["answers"]), "score": scores[bytes.fromhex(form["assessment"])]}
    return found
