"""Every metric is declared here or through here, once, with what it means; labels are few and never about a person.

`counter`, `gauge` and `histogram` keep each declaration in `DECLARED`, from which the documentation is made.
Names: ``polku_<part>_<noun>_<unit or total>``.
"""

from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram


@dataclass(frozen=True)
class Declared:
    """A metric's name, kind, meaning and labels."""

    name: str
    kind: str
    meaning: str
    labels: tuple[str, ...]


DECLARED: dict[str, Declared] = {}

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


def _declare(name: str, kind: str, meaning: str, labels: tuple[str, ...]) -> None:
    if not name.startswith("polku_"):
        raise ValueError(f"{name}: our metrics begin with polku_")
    DECLARED[name] = Declared(name, kind, meaning, labels)


def counter(name: str, meaning: str, *labels: str) -> Counter:
    """Declare a counter; the name ends in ``_total``."""
    _declare(name, "counter", meaning, labels)
    return Counter(name, meaning, labels)


def gauge(name: str, meaning: str, *labels: str) -> Gauge:
    """Declare a gauge."""
    _declare(name, "gauge", meaning, labels)
    return Gauge(name, meaning, labels)


def histogram(name: str, meaning: str, *labels: str, buckets: tuple[float, ...] = LATENCY_BUCKETS) -> Histogram:
    """Declare a histogram; times in seconds."""
    _declare(name, "histogram", meaning, labels)
    return Histogram(name, meaning, labels, buckets=buckets)
