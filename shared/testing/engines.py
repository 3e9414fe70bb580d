"""A home's database, migrated and empty, on SQLite and on PostgreSQL: a test that asks for `engine` runs on both.

Each is a copy of one that is migrated once per test run, because migrating takes a second and copying does not.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.storage import open_engine


def _made(url: str) -> Engine:
    from shared.journal.unit import prepare
    from shared.storage.migrate import migrate

    engine = open_engine(url)
    migrate(engine, prepare)
    return engine


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file to be copied, never opened."""
    path = tmp_path_factory.mktemp("migrated") / "home.db"
    engine = _made(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres: int) -> Iterator[str]:
    """The URL of a PostgreSQL database to be copied, never opened."""
    from shared.testing.postgres import drop_database, new_database

    url = new_database(postgres)
    _made(url).dispose()
    yield url
    drop_database(postgres, url)


@pytest.fixture
def sqlite_engine(migrated_file: Path, tmp_path: Path) -> Iterator[Engine]:
    """A migrated SQLite database in ``tmp_path / "home.db"``."""
    engine = open_engine(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'home.db')}")
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_engine(postgres: int, migrated_database: str) -> Iterator[Engine]:
    """A migrated PostgreSQL database."""
    from shared.testing.postgres import drop_database, new_database

    url = new_database(postgres, migrated_database.rpartition("/")[2])
    engine = open_engine(url)
    yield engine
    engine.dispose()
    drop_database(postgres, url)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """A migrated database, first on SQLite, then on PostgreSQL."""
    found: Engine = request.getfixturevalue("sqlite_engine" if request.param == "sqlite" else "postgres_engine")
    return found
