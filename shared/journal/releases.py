"""The releases of a programme: the reports that its lead has frozen, as the lead's own stream says.

Like the directory they are read from the lines, in every home alike, and nothing is kept beside them: a restored lead
that has taken its stream back knows all of them, also those whose documents it has lost.
"""

from typing import Any

from sqlalchemy import Connection

from shared.contracts.release_facts import ReleaseMade
from shared.journal.directory import lead_facts


def releases(connection: Connection, programme: str) -> list[dict[str, Any]]:
    """Every release, the oldest first. `follows`: the one before of the same days and audience, or None."""
    found: list[dict[str, Any]] = []
    last: dict[tuple[str | None, ...], str] = {}
    for fact, _ in lead_facts(connection, programme, (ReleaseMade.kind,)):
        audience, start, end = (fact.body.get(name) for name in ("audience", "from_day", "to_day"))
        row = {name: fact[name] for name in ("release", "digest", "audience")}
        times = {"from": start, "to": end, "as_of": fact["as_of"], "made_on": fact["occurred_on"]}
        found.append(row | times | {"follows": last.get((audience, start, end))})
        last[audience, start, end] = fact["release"]
    return found
