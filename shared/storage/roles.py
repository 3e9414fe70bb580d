"""A role per service on PostgreSQL: what each process of a home may touch (architecture §2).

A role is called DATABASE_SERVICE, for example ``node_intake``. Rights follow from the prefixes of the tables, so a new
table of a service is its own without a word here, and nobody else's:

=============  =========================================================  ===========================================
role           changes                                                    besides
=============  =========================================================  ===========================================
a service      its own tables                                             appends to the journal, follows it and leads,
                                                                          says that it has cleared away what ended
``intake``     its own tables, ``post_*``                                 the same, restricts, erases: lines to digests
``courier``    ``courier_*``, ``received_*``, ``post_*``                  reads the journal, ends erasing, ends a hold
``receiver``   ``received_*``, ``courier_*``, ``reporting_*``             appends to the journal, which it ships
``reporting``  its own tables                                             the same, reads ``received_*``
``portal``     its own tables
=============  =========================================================  ===========================================

Nobody but the owner of the database, who migrates, changes a table's form; nobody deletes a line, and only who erases
may take a line's content away (decision 0070). Roles are made, their passwords set and their rights given anew each
time: what an earlier release gave and this one does not is taken away.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Engine, inspect, text

from shared.storage.engine import transaction
from shared.storage.migrate import wait_for_turn

ALL = "SELECT, INSERT, UPDATE, DELETE"
READ = "SELECT"
VERSION_TABLE = "alembic_version"
NO_SERVICE = {"alembic", "courier", "journal", "portal", "post", "received"}
"""Prefixes of tables that belong to no domain service."""

APPEND = {
    "journal_line": "SELECT, INSERT",
    "journal_head": "SELECT, INSERT, UPDATE",
    "journal_audit": "INSERT",
    "journal_cursor": "SELECT, INSERT, UPDATE",
    "journal_lead_cursor": "SELECT, INSERT, UPDATE",
    "received_erased": READ,
    "received_head": READ,
    "received_line": READ,
    "journal_parked": ALL,
    "journal_erased": READ,
    "journal_hold": READ,
    "journal_restricted": "SELECT, DELETE",
}
ERASE = APPEND | {
    "journal_line": "SELECT, INSERT, UPDATE (kind, subject, line)",
    "journal_audit": "SELECT, INSERT, UPDATE (entry)",
    "journal_erased": "SELECT, INSERT",
    "journal_restricted": ALL,
}
FOLLOW_OUT = {
    "journal_line": "SELECT, UPDATE (kind, subject, line)",
    "journal_head": "SELECT, INSERT, UPDATE (epoch, closed)",
    "journal_cursor": READ,
    "journal_parked": "SELECT, DELETE",
    "journal_erased": "SELECT, UPDATE (finished, scrubbed)",
    "journal_hold": "SELECT, DELETE",
}


def prefix(table: str) -> str:
    """Whose table it is."""
    return table.partition("_")[0]


def roles_for(tables: Iterable[str]) -> list[str]:
    """Every role that a database with these tables can have."""
    return sorted({prefix(table) for table in tables} - {"alembic", "journal", "post", "received"} | {"receiver"})


def rights(role: str, tables: Iterable[str]) -> dict[str, str]:
    """What `role` may do, by table; a table that is not named it may not touch."""
    owned, read, rest = {
        "courier": ({"courier", "received", "post"}, set[str](), FOLLOW_OUT),
        "receiver": (
            {"received", "courier", "reporting"},
            set[str](),
            APPEND | {"journal_hold": "SELECT, DELETE"},
        ),
        "reporting": ({"reporting"}, {"received"}, APPEND),
        "portal": ({"portal"}, set[str](), {}),
        "intake": ({"intake", "post"}, set[str](), ERASE),
        "pathways": ({"pathways"}, set[str](), APPEND | {"courier_receipt": READ}),
    }.get(role, ({role} - NO_SERVICE, set[str](), APPEND))
    given = {VERSION_TABLE: READ}
    for table in tables:
        if prefix(table) in owned:
            given[table] = ALL
        elif prefix(table) in read:
            given[table] = READ
        elif table in rest:
            given[table] = rest[table]
    return given


def give_roles(engine: Engine, passwords: Mapping[str, str]) -> list[str]:
    """Make the roles that have a password, or give them this one, and exactly their rights; returns their full names.

    `engine` is the owner's, who may create roles. A password leaves this process only as its SCRAM verifier.
    """
    with transaction(engine) as connection:
        wait_for_turn(connection)
        quote = connection.dialect.identifier_preparer.quote
        database = str(connection.execute(text("SELECT current_database()")).scalar_one())
        tables = inspect(connection).get_table_names()
        for place in (f"DATABASE {quote(database)}", "SCHEMA public"):
            connection.exec_driver_sql(f"REVOKE ALL ON {place} FROM PUBLIC")
        names = []
        for role, password in sorted(passwords.items()):
            names.append(f"{database}_{role}")
            _set_password(connection, names[-1], password)
            name = quote(names[-1])
            connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {quote(database)} TO {name}")
            connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {name}")
            connection.exec_driver_sql(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}")
            for table, privileges in rights(role, tables).items():
                connection.exec_driver_sql(f"GRANT {privileges} ON {quote(table)} TO {name}")
    return names


def _set_password(connection: Connection, name: str, password: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote(name)
    known = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).first()
    if known is None:
        connection.exec_driver_sql(f"CREATE ROLE {quoted} LOGIN")
    driver = connection.connection.driver_connection
    assert driver is not None
    verifier = driver.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    connection.exec_driver_sql(f"ALTER ROLE {quoted} LOGIN PASSWORD '{verifier}'")
