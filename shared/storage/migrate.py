"""Bringing a home's database to this release (Alembic; a branch per service, in `migrations/`).

Each branch has its own revisions, named ``BRANCH_NNNN`` like their files, so the newest of each is known without
loading Alembic: a database that is up to date costs one query.
"""

import re
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from shared.contracts.errors import DatabaseNewer
from shared.storage.engine import transaction

DIRECTORY = Path(__file__).parent / "migrations"
_LOCK = 0x706F6C6B75  # "polku": the advisory lock of whoever migrates
_NAME = re.compile(r"([a-z]+)_(\d{4})\.py")


def newest() -> set[str]:
    """The newest revision of each branch."""
    heads: dict[str, str] = {}
    for path in sorted((DIRECTORY / "versions").glob("*.py")):
        if match := _NAME.fullmatch(path.name):
            heads[match[1]] = path.stem
    return set(heads.values())


def known_revisions() -> set[str]:
    """All revisions of this release, old ones too."""
    return {path.stem for path in (DIRECTORY / "versions").glob("*.py") if _NAME.fullmatch(path.name)}


def present(engine: Engine) -> set[str]:
    """The revisions that the database is at; empty for a new one."""
    with engine.connect() as connection:
        return revisions(connection)


def revisions(connection: Connection) -> set[str]:
    """As `present`, within a transaction."""
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def migrate(engine: Engine, then: Callable[[Connection], None] = lambda _connection: None) -> None:
    """Apply what is missing, and `then`, in one transaction. Raises `DatabaseNewer` for a newer release's database.

    Processes of a home that start at the same time wait here for the first of them. Of a database that is up to date
    one table is read and nothing else, so a role that may change no table gets through.
    """
    if present(engine) == newest():
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(DIRECTORY))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with transaction(engine) as connection:
        if engine.dialect.name == "postgresql":
            wait_for_turn(connection)
        if unknown := sorted(revisions(connection) - known):
            raise DatabaseNewer(revision=unknown[0])
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
        then(connection)


def wait_for_turn(connection: Connection) -> None:
    """On PostgreSQL: one process at a time changes what tables there are and who may use them."""
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:home)"), {"home": _LOCK})
