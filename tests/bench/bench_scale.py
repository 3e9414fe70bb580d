"""Does a lead stay as fast and as small with more lines, and with more nodes? To the derived tables, as `bench_uplink`.

``python -m tests.bench.bench_scale [lines]`` (100000) prints a table and writes ``build/bench/scale.json``: `lines` and
ten times as many of one node, then as many over 4 and over 100 nodes. Exits 1 over the limits of issue 4: ten times the
lines take at most 11 times as long, the receiver's peak memory grows by at most 20 %, and a fact of one of 100 nodes
costs the lead at most 1.5 times the processor time of one of 4. (How long 100 take has no limit: all nodes are one
process here, which works for 100.) Each is run several times, all but the long one in turn, and of each
figure the one in the middle counts: on a busy machine the same work differs by half.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from shared.testing.broker import Broker
from tests.bench.bench_uplink import journal, uplink
from tests.bench.servers import hosted

RESULT = Path(__file__).parents[2] / "build" / "bench" / "scale.json"
LIMITS = {"ten_times_the_lines": 11.0, "memory": 1.2, "processor_per_fact": 1.5}
FEW, MANY = 4, 100
TURNS, LONG = 5, 3
"""Runs of one, few and many nodes, and of ten times the lines."""


def one(broker: Broker, postgres: int, nodes: int, lines: int) -> dict[str, float]:
    """`lines` lines of each of so many nodes, all complete."""
    numbers = range(1, nodes + 1)
    with journal(postgres, numbers, lines) as node:
        return uplink(node, broker, postgres, nodes=numbers, lines=lines, derive=True)


def measure(broker: Broker, postgres: int, lines: int) -> dict[str, dict[str, float]]:
    """The rows of the table."""
    turns = [[one(broker, postgres, nodes, lines // nodes) for nodes in (1, FEW, MANY)] for _ in range(TURNS)]
    once, few, many = map(middle, zip(*turns, strict=True))
    ten = middle([one(broker, postgres, 1, 10 * lines) for _ in range(LONG)])
    return {"one": once, "ten_times": ten, "few_nodes": few, "many_nodes": many}


def middle(runs: Iterable[dict[str, float]]) -> dict[str, float]:
    """Of each figure the one of which as many runs had less as more."""
    found = list(runs)
    return {name: median(run[name] for run in found) for name in found[0]}


def ratios(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    """What the limits are about."""
    once, ten, few, many = (rows[name] for name in ("one", "ten_times", "few_nodes", "many_nodes"))
    return {
        "ten_times_the_lines": ten["seconds"] / once["seconds"],
        "memory": ten["receiver_peak_mb"] / once["receiver_peak_mb"],
        "processor_per_fact": many["receiver_us"] / few["receiver_us"],
        "time_per_fact": few["per_second"] / many["per_second"],
    }


def main(lines: int) -> int:
    """Measure; 0 if all is within the limits."""
    with hosted() as (broker, postgres):
        rows = measure(broker, postgres, lines)
    found = ratios(rows)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"limits": LIMITS, "ratios": found, "rows": rows}, indent=2) + "\n")
    print(f"{'':12}{'lines':>9}{'seconds':>9}{'lines/s':>9}{'sender us':>11}{'receiver us':>13}{'peak MB':>9}")
    for name, row in rows.items():
        print(
            f"{name:12}{row['lines']:9.0f}{row['seconds']:9.1f}{row['per_second']:9.0f}{row['sender_us']:11.1f}"
            f"{row['receiver_us']:13.1f}{row['receiver_peak_mb']:9.1f}"
        )
    for name, value in found.items():
        print(f"{name:22}{value:8.2f}" + (f"   limit {LIMITS[name]}" if name in LIMITS else ""))
    return int(any(found[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
