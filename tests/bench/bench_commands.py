"""50 commands a second to one worker on the full footing: RabbitMQ, PostgreSQL with fsync, a process per service.

``python -m tests.bench.bench_commands [seconds]`` (120) prints a table and writes ``build/bench/commands.json``. The
worker is the one process of *activities*: it gets 25 sessions and 25 attendances a second; beside it *intake*
registers 5 people a second, and courier, receiver and the other services run as always. Exits 1 if the 95th percentile
is 100 ms or more, or if any command fails.
"""

import json
import sys
import tempfile
from pathlib import Path
from statistics import quantiles

from shared.testing.broker import Broker
from tests.bench.commanding import Commander
from tests.bench.servers import hosted
from tests.flows.full import FullSite, full_pair

RESULT = Path(__file__).parents[2] / "build" / "bench" / "commands.json"
RATE = 50.0
LIMIT_MS = 100.0


def measure(folder: Path, broker: Broker, postgres: int, seconds: float) -> dict[str, float]:
    """Percentiles in milliseconds, how many commands, how many failed."""
    with full_pair(folder, broker, postgres) as pair:
        assert isinstance(pair.node, FullSite)
        commander = Commander(pair.node)
        people = [commander.register(f"person {number}", after=commander.begun) for number in range(20)]
        session = commander.hold("first", after=commander.begun)["session"]
        last = people[-1]["pos"]
        commander.attend("first", session, people[0]["subject"], after=last)

        def command(number: int) -> dict[str, object]:
            kind, person = number % 11, people[number % len(people)]["subject"]
            if kind == 10:
                return commander.register(f"visitor {number}")
            if kind % 2:
                return commander.hold(f"session {number}", minutes=1 + number % 1000)
            return commander.attend(f"attendance {number}", session, person)

        commander.run(RATE * 1.1, seconds, command)
        commander.close()
        pair.wait_until_arrived()
    percentiles = quantiles(commander.results, n=100)
    return {
        "commands": len(commander.results),
        "errors": len(commander.errors),
        "p50_ms": percentiles[49],
        "p95_ms": percentiles[94],
        "p99_ms": percentiles[98],
        "max_ms": max(commander.results),
    }


def main(seconds: float) -> int:
    """Measure; 0 if all is within the limits."""
    with tempfile.TemporaryDirectory() as name, hosted() as servers:
        found = measure(Path(name), *servers, seconds)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"seconds": seconds, "rate": RATE, **found}, indent=2) + "\n")
    for key, value in found.items():
        print(f"{key:10} {value:10.1f}" + (f"   limit {LIMIT_MS}" if key == "p95_ms" else ""))
    return int(found["errors"] > 0 or found["p95_ms"] >= LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 120.0))
