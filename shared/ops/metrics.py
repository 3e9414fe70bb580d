"""Every metric is declared here or through here, once, with what it means; labels are few and never about a person.

`counter`, `gauge` and `histogram` keep each declaration in `DECLARED`, from which the documentation is made.
Names: ``polku_<part>_<noun>_<unit or total>``. A label is one of `LABELS`, which says what bounds its values.

Declare metrics in modules that do not load eventlet: the documentation is made by importing them.
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

LABELS: dict[str, str] = {
    "link": "a kind of bus connection",
    "method": "a method of a service, or `?`",
    "outcome": "one of the few words that the metric's meaning names",
    "process": "`courier` or `receiver`",
    "programme": "the key of a programme of the home",
    "reason": "one of a closed list of reasons in the code",
    "route": "a route of the portal as declared, never an address as typed",
    "service": "a service of the house",
    "side": "`service` or `caller`",
    "status": "a class of HTTP status: `2xx` to `5xx`",
    "stream": "`NODE/PROGRAMME`, a stream that the home ships or has admitted, or the channel by which one goes",
    "what": "one of the few words that the metric's meaning names",
    "where": "a kind of queue",
    "why": "one of the few words that the metric's meaning names",
}
"""Every label there is, and what its values are. None is about a person, a user or what somebody typed."""

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
