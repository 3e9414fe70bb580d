"""Migrations make just the tables that the code declares, all or none of them, once, whoever starts first."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from shared.contracts.errors import DatabaseNewer
from shared.storage import metadata, open_engine, transaction
from shared.storage.migrate import migrate, newest, present
from tests.conftest import ROOT
from tests.journal.journal_kit import Killed, killed_at

for path in (*ROOT.glob("services/*/*.py"), *ROOT.glob("shared/*/*.py")):
    if "metadata," in path.read_text().split():  # it declares tables
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def empty(empty_url: str) -> Iterator[Engine]:
    engine = open_engine(empty_url)
    yield engine
    engine.dispose()


def test_the_migrated_schema_is_the_declared_one(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        made = set(inspect(connection).get_table_names())
    assert made == {*metadata.tables, "alembic_version"}


def test_a_migrated_database_is_at_the_newest_and_migrating_it_again_does_nothing(engine: Engine) -> None:
    assert present(engine) == newest()
    assert {name.rsplit("_", 1)[0] for name in newest()} >= {"journal", "intake", "activities", "pathways"}
    with engine.connect() as connection:
        before = inspect(connection).get_table_names()
    migrate(engine)
    assert present(engine) == newest()
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == before


@pytest.mark.parametrize("also_old", [True, False])
def test_a_database_of_a_newer_release_is_left_alone(engine: Engine, also_old: bool) -> None:
    with transaction(engine) as connection:
        if not also_old:
            connection.execute(text("DELETE FROM alembic_version WHERE version_num = 'journal_0001'"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('journal_9999')"))
    before = present(engine)
    with pytest.raises(DatabaseNewer, match="journal_9999"):
        migrate(engine)
    assert present(engine) == before


@pytest.mark.parametrize("step", [3, 20, 45])
def test_killed_while_it_migrates_it_can_begin_again(empty: Engine, step: int) -> None:
    with pytest.raises(Killed), killed_at(empty, step):
        migrate(empty)
    assert present(empty) == set()
    with empty.connect() as connection:
        assert inspect(connection).get_table_names() == []
    migrate(empty)
    assert present(empty) == newest()


def test_processes_that_start_at_the_same_time_migrate_once(empty_url: str) -> None:
    script = (
        "import sys\n"
        "from shared.storage import open_engine\n"
        "from shared.storage.migrate import migrate\n"
        "print('there', flush=True); sys.stdin.readline()\n"
        "migrate(open_engine(sys.argv[1]))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, empty_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    engine = open_engine(empty_url)
    assert present(engine) == newest()
    engine.dispose()
