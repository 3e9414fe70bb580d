"""A run as JSON."""

import os
import platform
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from tests.faults.bench.faults import FAULTS
from tests.faults.bench.federation import PATIENCE_SECONDS
from tests.faults.bench.judge import ZERO
from tests.faults.bench.run import LAST, NOT_EMBEDDED, NOT_FULL, NOT_HERE, Result


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def summary(result: Result) -> dict[str, Any]:
    """The run as JSON: counters, faults, times to heal, versions, and how to run it again."""
    every = [value for values in result.heal.values() for value in values]
    applied = result.verdict.counters["applied"]
    names = ("attempted", "committed", "delivered", "applied", *ZERO, "conflicted", "quarantined", "erased", "refused")
    commit = ""
    with suppress(OSError):
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return {
        "passed": result.passed,
        "profile": result.profile.name,
        "seed": result.seed,
        "again": f".venv/bin/python -m tests.faults.bench --profile {result.profile.name} --seed {result.seed}"
        f" --facts {result.profile.facts}",
        "carriers": list(result.profile.carriers),
        "faults_by_carrier": dict(sorted(result.by_carrier.items())),
        "patience_seconds": PATIENCE_SECONDS,
        "footing": "PostgreSQL and RabbitMQ" if result.profile.full else "embedded: SQLite, in-process bus",
        "partners": len(result.profile.carriers),
        "seconds": round(result.seconds, 1),
        "counters": {name: result.verdict.counters[name] for name in names},
        "found": result.verdict.found,
        "failures": result.failures,
        "bound": f"no loss in {applied} facts bounds the rate of loss at {3 / applied:.1e} (3/N, 95 %)"
        if applied
        else "",
        "heal_seconds": {
            "p50": round(percentile(every, 0.5), 2),
            "p95": round(percentile(every, 0.95), 2),
            "max": round(max(every, default=0), 2),
        },
        "faults": {
            fault: {
                "what": LAST.get(fault) or (FAULTS[fault].__doc__ or "").removeprefix(f"{fault}: ").split("\n")[0],
                "done": result.done[fault],
                "not_staged": result.not_staged[fault],
                "heal_p50": round(percentile(result.heal[fault], 0.5), 2) if fault in result.heal else "–",
                "heal_max": round(max(result.heal[fault]), 2) if fault in result.heal else "–",
            }
            for fault in sorted({*result.profile.faults, *result.done})
        },
        "faults_done": sum(result.done.values()),
        "faults_planned": len(result.plan),
        "not_here": dict(sorted((NOT_HERE | (NOT_FULL if result.profile.full else NOT_EMBEDDED)).items())),
        "quarantined_by_reason": dict(sorted(result.reasons.items())),
        "statements_checked": result.samples,
        "complete_checked": result.complete_samples,
        "ambiguous_answers": result.ambiguous,
        "ended_by_itself": result.ended,
        "stop_seconds_max": round(max(result.stop_seconds, default=0), 2),
        "restored_node": result.restored_node,
        "versions": {
            "commit": commit,
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "system": platform.platform(),
            "cores": os.cpu_count(),
        },
    }
