"""What the processes of a home count about themselves, besides what shared code and services count.

Gauges that describe what a database holds are set by a look every `EVERY_SECONDS`, not when Prometheus asks: a
question about metrics must not wait for a database.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine

from services.reporting import partner_queries, queries
from shared.journal import parked
from shared.ops.metrics import counter, gauge
from shared.storage import snapshot

EVERY_SECONDS = 5.0

child_restarts_total = counter(
    "polku_home_child_restarts_total", "Times the home has started its courier or receiver again"
)
parked_lines = gauge("polku_journal_parked_lines", "Lines parked now: failed, or waiting behind one", "service")
aside_lines = gauge("polku_reporting_aside_lines", "Received lines that are not in the figures now", "stream", "reason")
silence_limit = gauge("polku_reporting_silence_limit_seconds", "How long the programme lets a node be silent", "stream")


def measure_home(engine: Engine, services: Iterable[str]) -> None:
    """Look at what these services have parked."""
    with snapshot(engine) as connection:
        counts = parked.counts(connection)
    for service in services:
        parked_lines.labels(service).set(counts.get(service, 0))


@dataclass(slots=True)
class LeadMeasures:
    """The lead's looks: at most one every `EVERY_SECONDS`."""

    engine: Engine
    _next: datetime | None = None
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def look(self, now: datetime) -> None:
        """Set the gauges, if that is due; what was aside and no longer is counts 0."""
        if self._next is not None and now < self._next:
            return
        self._next = now + timedelta(seconds=EVERY_SECONDS)
        counts: dict[tuple[str, str], int] = queries.aside_counts(self.engine)
        self._seen |= counts.keys()
        for key in self._seen:
            aside_lines.labels(*key).set(counts.get(key, 0))
        for stream, days in partner_queries.silence_limits(self.engine).items():
            silence_limit.labels(stream).set(days * 86_400)
