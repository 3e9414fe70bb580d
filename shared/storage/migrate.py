"""Bringing a home's database to this release (Alembic; a branch per service, in `migrations/`).

Each branch has its own revisions, named ``BRANCH_NNNN`` like their files, so the newest of each is known without
loading Alembic: a database that is up to date costs one query.
"""

import re
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


def present(engine: Engine) -> set[str]:
    """The revisions that the database is at; empty for a new one."""
    with engine.connect() as connection:
        return _present(connection)


def _present(connection: Connection) -> set[str]:
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def migrate(engine: Engine) -> None:
    """Apply what is missing, in one transaction. Raises `DatabaseNewer` for a newer release's database.

    Processes of a home that start at the same time wait here for the first of them.
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
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:home)"), {"home": _LOCK})
        if unknown := sorted(_present(connection) - known):
            raise DatabaseNewer(revision=unknown[0])
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
