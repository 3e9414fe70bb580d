"""The people whom a service knows: its own table with `subject` and `programme`, filled by what it has heard."""

from collections.abc import Iterable

from sqlalchemy import Connection, Table, select

from shared.contracts.errors import UnknownPerson


def known_people(person: Table, connection: Connection, subjects: Iterable[str]) -> dict[str, str]:
    """Those of these people who are in the table, with their programme."""
    wanted = [bytes.fromhex(subject) for subject in set(subjects)]
    rows = connection.execute(select(person.c.subject, person.c.programme).where(person.c.subject.in_(wanted)))
    return {row.subject.hex(): row.programme for row in rows}


def refuse_of_another(person: Table, connection: Connection, subject: str, programme: str) -> None:
    """Raises `UnknownPerson` if the person is of another programme; of who has not been heard of, nothing is here."""
    if known_people(person, connection, [subject]).get(subject, programme) != programme:
        raise UnknownPerson(field="person", programme=programme)
