"""What must hold on SQLite and PostgreSQL alike: the whole way of a user, and guesses made at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.portal import attempts
from services.portal.errors import TooManyAttempts
from services.portal.users import remove_user
from tests.services.portal.samples import Portal, make_portal


@pytest.fixture(params=["sqlite", "postgresql"])
def portal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Portal]:
    is_file = request.param == "sqlite"
    made = make_portal(str(tmp_path / "home.db") if is_file else request.getfixturevalue("postgres_url"))
    yield made
    made.engine.dispose()


def test_user_logs_in_changes_password_and_is_removed(portal: Portal) -> None:
    portal.user_logged_in("worker", "reporter")
    assert portal.client.get("/report/lahde-mukaan").status_code == 200
    portal.clock.forward(minutes=5)
    assert portal.client.get("/").status_code == 200
    remove_user(portal.engine, "worker")
    assert portal.client.get("/").status_code == 303


@pytest.mark.parametrize("name", ["worker\0", "\0", "työ\x1b[2J", "x" * 10_000])
def test_what_can_be_nobodys_name_is_nobody(portal: Portal, name: str) -> None:
    assert portal.log_in(name, "arvaus").status_code == 403


def test_guesses_made_at_the_same_moment_are_all_counted(portal: Portal) -> None:
    """Each is counted before its password is looked at, so a slow hash opens no window."""
    guess, now = attempts.Guess.of("worker", "10.0.0.1"), portal.clock()

    def may_try(_: int) -> bool:
        try:
            attempts.count_attempt(portal.engine, guess, now)
        except TooManyAttempts:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(may_try, range(24))) == attempts.FREE_PER_ACCOUNT
