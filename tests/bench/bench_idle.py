"""What a home costs while nobody uses it: memory of node and courier, and their share of a core.

``python -m tests.bench.bench_idle [seconds]`` prints a table and writes ``build/bench/idle.json``. The node holds
programme 3, loaded in an earlier run of its processes, as a home does on most days. Exits 1 over the limits of issue 2:
130 MB, 60 MB, 1 % of a core for both together.
"""

import json
import os
import select
import sys
import tempfile
from pathlib import Path

from tests.faults.test_kills import child_of
from tests.flows.kit import joined_pair, synthetic_set

RESULT = Path(__file__).parents[2] / "build" / "bench" / "idle.json"
LIMITS = {"node_mb": 130.0, "courier_mb": 60.0, "core_percent": 1.0}


def memory_mb(pid: int) -> float:
    """Resident memory in MB as ps, top and docker count them: 2^20 bytes."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def cpu_seconds(pid: int) -> float:
    """Processor time used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(seconds: float) -> int:
    """Measure; 0 if all is within the limits."""
    with tempfile.TemporaryDirectory() as name, joined_pair(Path(name)) as pair:
        pair.node.polku("import", str(synthetic_set(Path(name))))
        pair.wait_until_arrived()
        pair.node.down()
        pair.node.up()
        assert pair.node.process is not None
        node = pair.node.process.pid
        courier = child_of(node)
        select.select([], [], [], 10)  # what a start leaves to do is done by then
        before = cpu_seconds(node) + cpu_seconds(courier)
        select.select([], [], [], seconds)
        used = cpu_seconds(node) + cpu_seconds(courier) - before
        found = {
            "node_mb": memory_mb(node),
            "courier_mb": memory_mb(courier),
            "core_percent": 100 * used / seconds,
        }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=2))
    for key, value in found.items():
        print(f"{key:14} {value:8.2f}   limit {LIMITS[key]}")
    return int(any(found[key] > limit for key, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0))
