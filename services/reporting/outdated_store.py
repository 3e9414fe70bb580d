"""Which streams were derived by a release that made less of their lines: what is to be forgotten and derived anew."""

from sqlalchemy import Connection, exists, select

from services.reporting.step_tables import step
from services.reporting.store import aside, cursor, start
from shared.contracts.catalogue import FACTS, ParticipationStarted, StepEntered
from shared.journal.carry_tables import received_line


def readable_now(connection: Connection) -> set[str]:
    """The streams with lines that were set aside as newer and that this release knows."""
    line = received_line
    at = (line.c.stream == aside.c.stream) & (line.c.seq == aside.c.seq)
    query = select(aside.c.stream, line.c.kind, line.c.v).join_from(aside, line, at).where(aside.c.reason == "newer")
    return {row.stream for row in connection.execute(query.distinct()) if (row.kind, row.v) in FACTS}


def unmade(connection: Connection) -> set[str]:
    """The streams with start records, or steps, taken and not set aside, none of which is in the derived tables: a
    release before made nothing of them."""
    at, line = cursor.c, received_line.c
    refused = exists().where(aside.c.stream == line.stream, aside.c.seq == line.seq)
    taken = (line.stream == at.stream) & (line.seq <= at.seq) & line.line.is_not(None)
    streams: set[str] = set()
    for fact, table in ((ParticipationStarted, start), (StepEntered, step)):
        some = exists().where(taken, line.kind == fact.kind, ~refused)
        made = exists().where(table.c.stream == at.stream)
        streams |= set(connection.execute(select(at.stream).where(some, ~made)).scalars())
    return streams
