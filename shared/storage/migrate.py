"""Bringing a home's database to this release (Alembic; a branch per service, in `migrations/`).

Each branch has its own revisions, named ``BRANCH_NNNN`` like their files, so the newest of each is known without
loading Alembic: a database that is up to date costs one query.
"""

import re
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from shared.contracts.errors import DatabaseNewer

DIRECTORY = Path(__file__).parent / "migrations"
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
        if not inspect(connection).has_table("alembic_version"):
            return set()
        return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def migrate(engine: Engine) -> None:
    """Apply what is missing, each revision in a transaction. Raises `DatabaseNewer` for a newer release's database."""
    at = present(engine)
    if at == newest():
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(DIRECTORY))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if unknown := sorted(at - known):
        raise DatabaseNewer(revision=unknown[0])
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
