"""The lead's reporting as an edge calls it, without a bus: to make and read releases."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine

from services.portal.names import ProgrammeNames
from services.portal.report_file import make_release, release_file
from services.reporting import certifying, queries, releases
from shared.contracts.commands import load
from shared.contracts.releases import MakeRelease, ReadRelease
from shared.contracts.reports import AskReport, CertifyReport
from shared.journal import Journal
from shared.journal.certificate import Form
from shared.journal.crypto import Key, Keys
from tests.services.kit import DOCUMENT, KEY


@dataclass
class Reporting:
    """Answers as the service does; what was given to `make_release` last is kept."""

    engine: Engine
    keys: Keys
    now: datetime
    made: dict[str, Any] | None = None

    @classmethod
    def of(cls, engine: Engine, key: Key, now: datetime) -> "Reporting":
        return cls(engine, Keys((key,)), now)

    def call(self, service: str, method: str, /, *, timeout: float = 10.0, **body: Any) -> Any:
        assert service == "reporting"
        answers: dict[str, Callable[..., Any]] = {
            "report": self._report,
            "certify": self._certify,
            "make_release": self._make,
            "read_release": lambda **b: releases.read_release(self.engine, self.keys, **load(ReadRelease, b)),
        }
        return answers[method](**body)

    def _report(self, **body: Any) -> Any:
        asked = load(AskReport, body)
        start, end = (date.fromisoformat(asked[name]) if asked[name] else None for name in ("from_", "to"))
        figures = queries.report(self.engine, asked["programme"], start, end, self.now)
        return figures | {"proof": certifying.sign(figures["proof"], self.keys)}

    def _certify(self, **body: Any) -> Any:
        return {"certificate": certifying.certify(**load(CertifyReport, body), keys=self.keys)}

    def _make(self, **body: Any) -> Any:
        self.made = load(MakeRelease, body)
        digest, _ = self.make()
        return {"release": self.made["release"], "digest": digest}

    def make(self, **changes: Any) -> tuple[str, int | None]:
        """The last release once more, or with changes."""
        asked = (self.made or {}) | changes
        what = asked["programme"], asked["release"], asked["language"]
        common = {"by": asked["by"], "now": self.now}
        journal = Journal(self.engine, "lead")
        return releases.make_release(journal, self.keys, *what, bytes.fromhex(asked["document"]), **common)

    def release(self, start: str | None = None, end: str | None = None) -> str:
        """A release of programme 3; its id."""
        names = ProgrammeNames.of({"programme": KEY, "name": DOCUMENT["name"], "document": DOCUMENT})
        return str(make_release(self, names, "fi", start, end, by="boss")["release"])

    def file(self, release: str, form: Form = "json") -> bytes:
        """A form of it, the others in English."""
        return release_file(self, form, KEY, release, "en")

    def listed(self) -> list[dict[str, Any]]:
        return releases.list_releases(self.engine, KEY)
