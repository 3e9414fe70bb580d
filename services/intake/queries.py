"""The read side of intake."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine, func, select

from services.intake.store import participation, person, vault
from shared.storage import snapshot


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person in a programme, the identity still closed."""

    subject: str
    person: bytes
    standing: str
    started_on: date | None
    wrapped_key: bytes
    box: bytes


def list_people(engine: Engine, programme: str, limit: int, offset: int) -> tuple[int, list[PersonRow]]:
    """How many people the programme has here, and one page of them, the newest first."""
    with snapshot(engine) as connection:
        here = participation.c.programme == programme
        total = connection.execute(select(func.count()).select_from(participation).where(here)).scalar_one()
        query = (
            select(participation, person.c.wrapped_key, vault.c.box)
            .join(person, person.c.person == participation.c.person)
            .join(vault, (vault.c.person == participation.c.person) & (vault.c.name == "identity"))
            .where(here)
            # The two databases disagree on where those without a start date stand.
            .order_by(participation.c.started_on.desc().nulls_last(), participation.c.subject)
        )
        return total, [
            PersonRow(row.subject.hex(), row.person, row.standing, row.started_on, row.wrapped_key, row.box)
            for row in connection.execute(query.limit(limit).offset(offset))
        ]
