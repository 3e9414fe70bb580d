"""``python -m tests.soak [--seconds N] [--seed S]``: an hour of schedules, years, faults and bad input; one table.

Three tenths of the time go to schedules of the simulator (100,000 of them at least, unless the soak is short), a
quarter to random bad input; beside them a year of all five programmes is lived, and a campaign of the fault bench is
run whole. Whatever is under way is finished. What each found stands in ``build/soak/``. Exits 1 if any of them found
something.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.simulator.many import CHUNK, Total, run_many

OUT = Path("build/soak")
SHORT = 1800
"""Seconds: a shorter soak has the short profile of the fault bench, and fewer of everything."""
SCHEDULES = 100_000
PROCESSES = 2


@dataclass(frozen=True)
class Part:
    """A line of the table; `again`: how to see a failure once more."""

    name: str
    seconds: float
    done: str
    failures: int
    again: str


def schedules(seconds: float, seed: int, least: int) -> Part:
    """Schedules of the simulator from the number `seed` on, `least` at least."""
    began, total = time.monotonic(), Total()
    while total.schedules < least or time.monotonic() - began < seconds:
        total.add(run_many(seed + total.schedules, CHUNK * PROCESSES * 4, PROCESSES))
        print(f"schedules: {total.schedules}, {len(total.failed)} failed", file=sys.stderr, flush=True)
    (OUT / "schedules.json").write_text(json.dumps({"counters": asdict(total.counters), "failed": total.failed}))
    again = f"python -m tests.simulator {min(total.failed, default=seed)}"
    return Part("schedules", time.monotonic() - began, f"{total.schedules} schedules", len(total.failed), again)


def faults(seed: int, profile: str) -> Part:
    """A round of the fault bench."""
    began = time.monotonic()
    command = ["-m", "tests.faults.bench", "--profile", profile, "--seed", str(seed)]
    code = _run(*command, "--out", str(OUT))
    found = _read(OUT / f"{profile}.json")
    applied = found.get("counters", {}).get("applied", "?")
    return Part("faults", time.monotonic() - began, f"{applied} facts, {profile}", code, f"python {' '.join(command)}")


def bad_input(seconds: float, seed: int) -> Part:
    """Random bad input to every command."""
    began, out = time.monotonic(), OUT / "badinput.json"
    code = _run("-m", "tests.badinput", "--seconds", str(int(seconds)), "--seed", str(seed), "--out", str(out))
    found = _read(out)
    failures = len(found.get("failures", ())) or code
    done, again = f"{found.get('calls', '?')} calls", f"python -m tests.badinput --seed {seed} --seconds {int(seconds)}"
    return Part("bad input", time.monotonic() - began, done, failures, again)


def years(people: int, seed: int) -> Part:
    """A year of all five programmes against the slow models."""
    began = time.monotonic()
    command = f"POLKU_SEED={seed} python -m tests.bench.bench_years {people}"
    code = _run("-m", "tests.bench.bench_years", str(people), POLKU_SEED=str(seed))
    return Part("years", time.monotonic() - began, f"{people} people", code, command)


def _run(*command: str, **environment: str) -> int:
    return subprocess.run(
        [sys.executable, *command], stdin=subprocess.DEVNULL, env={**os.environ, **environment}
    ).returncode


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found


def main() -> int:
    """What the module's docstring says."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", file=sys.stderr, flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    for file in OUT.glob("*.json"):
        file.unlink()
    short = asked.seconds < SHORT
    parts = [
        schedules(asked.seconds * 0.3, asked.seed, 1 if short else SCHEDULES),
        years(200 if short else 2000, asked.seed),
        faults(asked.seed, "smoke" if short else "campaign"),
        bad_input(asked.seconds * 0.25, asked.seed),
    ]
    print(f"\n{'soak':12} {'seconds':>8} {'failures':>9}  done{'':24}  once more")
    for part in parts:
        print(f"{part.name:12} {part.seconds:8.0f} {part.failures:9}  {part.done:28}  {part.again}")
    print(f"seed {asked.seed}: {'passed' if not any(part.failures for part in parts) else 'FAILED'}")
    return int(any(part.failures for part in parts))


if __name__ == "__main__":
    sys.exit(main())
