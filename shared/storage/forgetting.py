"""Deleting what a service keeps of an erased person: one way for every service, so no table is left out."""

from collections.abc import Collection

from sqlalchemy import Connection, LargeBinary, Table, delete, select

from shared.storage.engine import metadata


def naming_people(service: str) -> list[Table]:
    """The service's tables that have a `subject`, what refers before what is referred to."""
    tables = reversed(metadata.sorted_tables)
    return [table for table in tables if table.name.startswith(f"{service}_") and "subject" in table.c]


def forget_subject(connection: Connection, service: str, keys: Table, subject: str, keep: Collection[str] = ()) -> int:
    """Delete the subject's rows of all tables of the service but those in `keep`, and the idempotency `keys` of what
    made them; how many rows."""
    raw, gone = bytes.fromhex(subject), 0
    for table in naming_people(service):
        if table.name in keep:
            continue
        made = table.primary_key.columns[0]
        if isinstance(made.type, LargeBinary):  # an id, as keys hold it
            theirs = select(made).where(table.c.subject == raw)
            connection.execute(delete(keys).where(keys.c.made.in_(theirs)))
        gone += connection.execute(delete(table).where(table.c.subject == raw)).rowcount
    return gone
