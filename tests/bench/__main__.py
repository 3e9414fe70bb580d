"""`make bench`: every benchmark in turn, each in a process of its own; results also in build/bench/*.json.

Exit 1 if any is over its limits; the others run all the same.
"""

import subprocess
import sys

NAMES = ("bench_rpc", "bench_idle", "bench_import", "bench_commands", "bench_uplink", "bench_scale", "bench_away")

failed = [name for name in NAMES if subprocess.run([sys.executable, "-m", f"tests.bench.{name}"]).returncode]
if failed:
    sys.exit(f"over its limits, or ended: {', '.join(failed)}")
