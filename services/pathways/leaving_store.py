"""Table of the people who have left, and the statements that change it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Boolean, Column, Connection, Date, LargeBinary, String, Table, delete, select, update

from shared.contracts.record_facts import GONE
from shared.storage import metadata
from shared.storage.upsert import upsert

leaving = Table(
    "pathways_leaving",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("left_on", Date, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("settled", Boolean, nullable=False),
)
"""Who has left and is not back, as the exit says that holds. `settled`: what was open of them has ended; not yet of
those who left before this table was. Day and reason belong to the person's record for the fund, and go with it: then
it says `RECORD_ERASED`, and the day of that."""

RECORD_ERASED = "record_erased"
"""As `reason`: the exit is erased, and the person no less away."""

_ONE = (leaving.c.left_on, leaving.c.reason)


@dataclass(frozen=True, slots=True)
class Leaving:
    """That somebody has left."""

    left_on: date
    reason: str

    @property
    def asked_nothing(self) -> bool:
        """Whether nobody asks the person anything any more: the dead, who goes on at another partner, and of whose
        exit nothing is left to ask about."""
        return self.reason in GONE or self.record_erased

    @property
    def record_erased(self) -> bool:
        """Whether nobody knows any more when and why they left."""
        return self.reason == RECORD_ERASED


def find(connection: Connection, subject: str) -> Leaving | None:
    """When and why the person left; None: they are there."""
    row = connection.execute(select(*_ONE).where(leaving.c.subject == bytes.fromhex(subject))).one_or_none()
    return Leaving(*row) if row else None


def days(connection: Connection, subjects: Iterable[str]) -> dict[str, date]:
    """The last days of those of these people who have left; nobody knows those of whom the record is erased."""
    wanted = [bytes.fromhex(subject) for subject in set(subjects)]
    known = leaving.c.subject.in_(wanted) & (leaving.c.reason != RECORD_ERASED)
    query = select(leaving.c.subject, leaving.c.left_on).where(known)
    return {raw.hex(): day for raw, day in connection.execute(query)}


def away(connection: Connection, programme: str) -> set[str]:
    """Everybody of the programme who has left."""
    query = select(leaving.c.subject).where(leaving.c.programme == programme)
    return {raw.hex() for raw in connection.execute(query).scalars()}


def put(connection: Connection, subject: str, programme: str, now: Leaving) -> None:
    """Keep that a person has left, and that what was open of them ends with it."""
    row = {"subject": bytes.fromhex(subject), "programme": programme, "settled": True}
    upsert(connection, leaving, [row | {"left_on": now.left_on, "reason": now.reason}])


def forget_exit(connection: Connection, subject: str, day: date) -> None:
    """Keep of who has left that they are away, and nothing of when and why; `day`: when the record was erased."""
    this = leaving.c.subject == bytes.fromhex(subject)
    connection.execute(update(leaving).where(this).values(left_on=day, reason=RECORD_ERASED))


def forget(connection: Connection, subject: str) -> None:
    """The person is there."""
    connection.execute(delete(leaving).where(leaving.c.subject == bytes.fromhex(subject)))


def unsettled(connection: Connection) -> list[tuple[str, str]]:
    """(programme, person) of whom something may be open although they have left."""
    query = select(leaving.c.programme, leaving.c.subject).where(~leaving.c.settled).order_by(leaving.c.subject)
    return [(programme, raw.hex()) for programme, raw in connection.execute(query)]


def settle(connection: Connection, subject: str) -> bool:
    """Note that what was open of them has ended; whether that was not so before."""
    here = (leaving.c.subject == bytes.fromhex(subject)) & ~leaving.c.settled
    return connection.execute(update(leaving).where(here).values(settled=True)).rowcount > 0
