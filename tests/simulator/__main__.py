"""``python -m tests.simulator SEED`` shows what happens in one schedule; ``--schedules N [--from SEED]`` runs many.

Many: prints the counters, and for the first failures their shortest schedule; writes all as JSON to ``--out``. Exits 1
if a counter that must be zero is not.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.simulator.many import run_many
from tests.simulator.schedule import draw, explain, quiet, run


def main() -> int:
    """What the module's docstring says."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator")
    parser.add_argument("seed", type=int, nargs="?")
    parser.add_argument("--schedules", type=int)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.schedules is None:
        if given.seed is None:
            parser.error("name a schedule, or say how many")
        with quiet():
            result = run(draw(given.seed))
            print(explain(given.seed))
        return int(bool(result.bad))
    total = run_many(given.first, given.schedules, given.processes)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        coverage = {name: dict(counted) for name, counted in vars(total.coverage).items()}
        found = vars(total) | {"counters": asdict(total.counters), "coverage": coverage}
        given.out.write_text(json.dumps(found, indent=2) + "\n")
    print(f"{total.schedules} schedules from {given.first}, {total.cpu_seconds:.0f} s of processor time")
    for name, value in asdict(total.counters).items():
        print(f"{name:18} {value:10}")
    print(f"{'failed':18} {len(total.failed):10}")
    with quiet():
        for seed in list(total.failed)[:3]:
            print("", explain(seed), sep="\n")
    return int(bool(total.failed))


if __name__ == "__main__":
    sys.exit(main())
