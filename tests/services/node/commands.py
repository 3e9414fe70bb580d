"""`polku` commands run in the test's own process, and what they need."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from sqlalchemy import Engine

from services.node.cli import polku
from services.node.opening import open_database
from shared.journal.crypto import load_keys
from shared.journal.joining import Invite
from shared.ops.clock import utcnow
from shared.ops.settings import load_home
from tests.services.kit import KEY, OWN

TOKEN = "7" * 64


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error."""
        assert self.code in (1, 2)
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("polku: ")
        return self.err.removeprefix("polku: ").strip()


def run(*arguments: object, home: Path | None = None, **environment: str | None) -> Done:
    """A command in this process; what it prints and its exit code. It never raises."""
    at = ("--home", home) if home else ()
    made = CliRunner(env={"POLKU_HOME": None, **environment}).invoke(polku, [str(word) for word in (*at, *arguments)])
    assert made.exception is None or isinstance(made.exception, SystemExit), made.exception
    return Done(made.exit_code, made.stdout, made.stderr)


def database(home: Path) -> Engine:
    return open_database(load_home(home))


def invite_of(lead: Path, **changes: Any) -> str:
    """An invite by this lead as it is handed over."""
    keys = load_keys(lead / "keys")
    given = {
        "programme": KEY,
        "partner": OWN,
        "uplink": f"file:{lead / 'inbox'}",
        "signing_key": keys.newest("signing").public,
        "receiving_key": keys.newest("receiving").public,
        "token": TOKEN,
        "expires": utcnow() + timedelta(days=1),
    }
    return Invite(**given | changes).to_json()
