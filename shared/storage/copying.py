"""What a service keeps about a person, to be shown to them: one way for every service, so no table is left out."""

from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from shared.storage.forgetting import naming_people

Rows = dict[str, list[dict[str, Any]]]
"""Rows by table, without the service's prefix."""


def rows_of_subject(connection: Connection, service: str, subject: str, without: tuple[str, ...] = ()) -> Rows:
    """The subject's rows of all tables of the service that name people, as JSON takes them: ids in hex, days in ISO.

    What is in the tables named in `without`, and every encrypted column (`box`), is for the service itself to tell.
    """
    raw = bytes.fromhex(subject)
    found: Rows = {}
    for table in reversed(naming_people(service)):
        if table.name in without:
            continue
        columns = [c for c in table.c if c.name not in ("subject", "box", "person")]
        rows = connection.execute(select(*columns).where(table.c.subject == raw).order_by(*table.primary_key))
        plain = [{name: plain_value(value) for name, value in row._mapping.items()} for row in rows]
        if plain:
            found[table.name.removeprefix(f"{service}_")] = plain
    return found


def plain_value(value: Any) -> Any:
    """A column's value as JSON takes it."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value.isoformat() if isinstance(value, date) else value
