"""A node that was away comes back with 50,000 facts, on the full footing, while somebody reads the lead's report page.

``python -m tests.bench.bench_away [facts]`` prints a table and writes ``build/bench/away.json``. The courier is stopped
while the facts are recorded and goes on when the link returns; the page is asked for again and again all the while
until the lead says that it is complete, three times over. The slowest return counts, and the pages of all. Exits
1 over the limits of issue 4: 30 seconds, 500 ms at the 95th percentile.
"""

import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import quantiles

from sqlalchemy import Engine

from services.reporting import partner_queries
from shared.contracts.facts import Fact
from shared.journal import Journal
from shared.ops.clock import utcnow
from shared.ops.settings import load_home
from shared.storage import open_engine
from shared.testing.broker import Broker
from shared.testing.wait import until
from tests.bench.servers import hosted
from tests.bench.uplink_kit import facts
from tests.flows.full import FullSite, full_pair
from tests.flows.kit import PROGRAMME
from tests.flows.visitor import Visitor

RESULT = Path(__file__).parents[2] / "build" / "bench" / "away.json"
LIMITS = {"complete_seconds": 30.0, "page_p95_ms": 500.0}
EVERY = 0.05
RETURNS = 3
"""How often the node is away: one catching up is over before there are enough pages for a percentile."""
UNIT = 500


def record(node: FullSite, some: Iterator[Fact], count: int) -> None:
    """Have the node record so many facts, as its services do."""
    engine = open_engine(node.environment_of("owner")["POLKU_DATABASE_URL"])
    journal = Journal(engine, load_home(node.path).name)
    for start in range(0, count, UNIT):
        with journal.unit(utcnow()) as unit:
            for fact in islice(some, min(UNIT, count - start)):
                unit.record(fact, PROGRAMME)
    engine.dispose()


class Reader:
    """A reporter who reads the report page and takes the time."""

    def __init__(self, lead: FullSite) -> None:
        told = lead.polku("user", "add", "rita", "--role", "reporter")
        once = max(told.split(), key=len)
        self._visitor = Visitor(f"http://127.0.0.1:{load_home(lead.path).port}", "rita", once)
        self.milliseconds: list[float] = []
        self.read()
        self.milliseconds.clear()

    def read(self) -> None:
        """Ask for the report page once."""
        began = time.perf_counter()
        page = self._visitor.get(f"/report/{PROGRAMME}")
        self.milliseconds.append((time.perf_counter() - began) * 1000)
        assert PROGRAMME in page

    def read_until(self, done: threading.Event) -> None:
        """Go on until it is over; a page that fails ends the measurement."""
        while not done.wait(EVERY):
            self.read()


def measure(folder: Path, broker: Broker, postgres: int, count: int) -> dict[str, float]:
    """Seconds from the link's return to complete, and how long the page took meanwhile."""
    with full_pair(folder, broker, postgres) as pair:
        lead, node = pair.lead, pair.node
        assert isinstance(lead, FullSite)
        assert isinstance(node, FullSite)
        reader = Reader(lead)
        engine = open_engine(lead.environment_of("owner")["POLKU_DATABASE_URL"])
        courier = node.running["courier"].process
        assert courier is not None
        some, seconds = facts(1), []
        for times in range(1, RETURNS + 1):
            courier.send_signal(signal.SIGSTOP)
            record(node, some, count)
            done = threading.Event()
            with ThreadPoolExecutor(1) as reading:
                read = reading.submit(reader.read_until, done)
                began = time.monotonic()
                courier.send_signal(signal.SIGCONT)
                try:
                    until(partial(complete, engine, times * count), 300, every=0.1)
                    seconds.append(time.monotonic() - began)
                finally:
                    done.set()
            read.result()
        engine.dispose()
    return {
        "facts": count,
        "complete_seconds": max(seconds),
        "pages": len(reader.milliseconds),
        "page_p50_ms": quantiles(reader.milliseconds, n=100)[49],
        "page_p95_ms": quantiles(reader.milliseconds, n=100)[94],
    }


def complete(engine: Engine, lines: int) -> bool:
    """Whether the lead says that it is, with so many lines of the node."""
    said = partner_queries.completeness(engine, PROGRAMME, utcnow())
    return bool(said["complete"] and said["streams"][0]["watermark"] >= lines)


def main(count: int) -> int:
    """Measure; 0 if all is within the limits."""
    with tempfile.TemporaryDirectory() as name, hosted() as servers:
        found = measure(Path(name), *servers, count)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"limits": LIMITS, **found}, indent=2) + "\n")
    for key, value in found.items():
        print(f"{key:18} {value:10.1f}" + (f"   limit {LIMITS[key]}" if key in LIMITS else ""))
    return int(any(found[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000))
