"""About whom nothing may be recorded, at all or for a purpose: one table of the journal for every service.

Recording `intake.person_restricted` (GDPR, article 18), `intake.purpose_ended` of a withdrawn consent, and what takes
them back, changes it in the unit of work that commits the line (`shared.journal.unit`); the unit refuses whatever else
somebody records about such a person. Here it is asked before, so that of a list only those items are refused.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Column, Connection, LargeBinary, String, Table, select

from shared.contracts.errors import ChangedMeanwhile, ConsentWithdrawn, ProcessingRestricted
from shared.storage.engine import metadata

restricted = Table(
    "journal_restricted",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("purpose", String(20), primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("ground", String(40), nullable=False),
    Column("since", String(10), nullable=False),
)
"""Who is restricted, and since which day (ISO, Helsinki). `purpose` "": for everything (`ground` "restricted"; which of
the law's, only intake knows); else the consent to it was withdrawn (`WITHDRAWN`). Or the `clearing` of a service that
has not cleared away yet what ended."""

EVERYTHING = ""
WITHDRAWN = "withdrawn"
_BATCH = 500

Restricted = Mapping[str, frozenset[str]]
"""Purposes for which nothing may be recorded, by subject."""


def clearing(service: str) -> str:
    """As `purpose`: no purpose, but what a service has still to clear away."""
    return f"{service}."


def restricted_among(connection: Connection, subjects: Iterable[str | None]) -> Restricted:
    """Those of these subjects about whom nothing may be recorded."""
    wanted = [bytes.fromhex(subject) for subject in {*subjects} if subject]
    found: dict[str, frozenset[str]] = {}
    c = restricted.c
    for start in range(0, len(wanted), _BATCH):
        query = select(c.subject, c.purpose).where(c.subject.in_(wanted[start : start + _BATCH]))
        for row in connection.execute(query):
            found[row.subject.hex()] = found.get(row.subject.hex(), frozenset()) | {row.purpose}
    return found


def withdrawn_since(connection: Connection, subject: str) -> Mapping[str, str]:
    """Since which day (ISO, Helsinki) the person's consents do not hold, by purpose; empty: all do that were given."""
    c = restricted.c
    query = select(c.purpose, c.since).where(c.subject == bytes.fromhex(subject), c.ground == WITHDRAWN)
    return {row.purpose: row.since for row in connection.execute(query)}


def refuse_restricted(
    known: Restricted, subject: str | None, purpose: str | None, service: str, field: str = "participant"
) -> None:
    """Raise `ProcessingRestricted` or `ConsentWithdrawn` if nothing may be recorded about the person for `purpose`;
    `ChangedMeanwhile` if `service` has still to clear away what ended: it would take what is new for old."""
    here = known.get(subject or "", frozenset())
    if EVERYTHING in here:
        raise ProcessingRestricted(field=field)
    if purpose is not None and purpose in here:
        raise ConsentWithdrawn(field=field, purpose=purpose)
    if clearing(service) in here:
        raise ChangedMeanwhile(field=field)
