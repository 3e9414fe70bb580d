"""`make bench`: every benchmark in turn, each in a process of its own; results also in build/bench/*.json."""

import subprocess
import sys

for name in ("bench_rpc", "bench_idle", "bench_import", "bench_commands", "bench_uplink", "bench_scale", "bench_away"):
    done = subprocess.run([sys.executable, "-m", f"tests.bench.{name}"])
    if done.returncode:
        sys.exit(done.returncode)
