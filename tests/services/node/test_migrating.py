"""`polku migrate`: roles by passwords from the environment, and what a service says that came too early."""

import os
from pathlib import Path

import psycopg
import pytest

from services.node.opening import init_home
from shared.testing.postgres import new_owned_database
from tests.services.node.test_cli import run


@pytest.fixture
def home(tmp_path: Path, postgres: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node home on PostgreSQL, opened as its database's owner."""
    monkeypatch.setenv("POLKU_DATABASE_URL", new_owned_database(postgres))
    init_home(tmp_path / "home", "node", "pori")
    return tmp_path / "home"


def roles(postgres: int, url: str) -> list[str]:
    name = url.rpartition("/")[2]
    with psycopg.connect(host="127.0.0.1", port=postgres, user="postgres", dbname="postgres") as server:
        found = server.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s ORDER BY 1", [f"{name}\\_%"])
        return [row[0].removeprefix(f"{name}_") for row in found]


def test_a_role_is_made_for_each_password_and_none_without(home: Path, postgres: int, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    given = {"POLKU_PASSWORD_INTAKE": "x", "POLKU_PASSWORD_PORTAL_FILE": str(tmp_path / "secret")}
    url = os.environ["POLKU_DATABASE_URL"]
    for _ in range(2):
        done = run("migrate", home=home, **given)
        assert done.code == 0, done.err
        assert roles(postgres, url) == ["intake", "owner", "portal"]
        assert "from a file" not in done.out + done.err
    assert run("migrate", home=home).out.strip() == "up to date; roles: none"


def test_a_password_for_a_role_that_nobody_has_is_a_mistake(home: Path) -> None:
    done = run("migrate", home=home, POLKU_PASSWORD_INTAK="x")
    assert done.code == 2
    assert "POLKU_PASSWORD_INTAK: there is no such role" in done.error
    assert "intake" in done.error


def test_sqlite_knows_no_roles(tmp_path: Path) -> None:
    init_home(tmp_path / "home", "node", "pori")
    assert run("migrate", home=tmp_path / "home").code == 0
    done = run("migrate", home=tmp_path / "home", POLKU_PASSWORD_INTAKE="x")
    assert (done.code, "SQLite knows no roles" in done.error) == (2, True)


def test_a_service_that_finds_an_older_database_says_what_to_do(home: Path) -> None:
    assert run("migrate", home=home, POLKU_PASSWORD_PORTAL="x").code == 0
    url = os.environ["POLKU_DATABASE_URL"]
    with psycopg.connect(url.replace("+psycopg", "")) as owner:
        owner.execute("UPDATE alembic_version SET version_num = 'portal_0000' WHERE version_num LIKE 'portal_%'")
        owner.execute("DELETE FROM alembic_version WHERE version_num = 'portal_0000'")
    done = run("user", "list", home=home, POLKU_DATABASE_URL=url.replace("_owner@", "_portal@"))
    assert done.code == 2
    assert "run `polku migrate` as its owner" in done.error
