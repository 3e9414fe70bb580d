"""People about whom nothing may be recorded (GDPR, article 18): one table of the journal for every service.

Recording `intake.person_restricted` or `intake.restriction_lifted` changes it, in the unit of work that commits the
line (`shared.journal.unit`); the unit refuses whatever else somebody records about such a person. Here it is asked
before, so that of a list of items only those are refused that are about them.
"""

from collections.abc import Iterable

from sqlalchemy import Column, Connection, LargeBinary, String, Table, select

from shared.storage.engine import metadata

restricted = Table(
    "journal_restricted",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("ground", String(40), nullable=False),
    Column("since", String(10), nullable=False),
)
"""Who is restricted, why (`GROUNDS`), and since which day (ISO, Helsinki)."""

_BATCH = 500


def restricted_among(connection: Connection, subjects: Iterable[str | None]) -> set[str]:
    """Those of these subjects about whom nothing may be recorded."""
    wanted = [bytes.fromhex(subject) for subject in {*subjects} if subject]
    found: set[str] = set()
    for start in range(0, len(wanted), _BATCH):
        query = select(restricted.c.subject).where(restricted.c.subject.in_(wanted[start : start + _BATCH]))
        found |= {subject.hex() for subject in connection.execute(query).scalars()}
    return found
