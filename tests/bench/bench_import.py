"""100,000 rows come in within three minutes and 300 MB, and all of it reaches the lead's figures; on embedded homes.

``python -m tests.bench.bench_import`` prints a table and writes ``build/bench/import.json``. Exits 1 over the limits.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.flows.test_large_import import import_rows

RESULT = Path(__file__).parents[2] / "build" / "bench" / "import.json"
LIMITS = {"import_seconds": 180.0, "client_mb": 300.0, "node_mb": 300.0}
SCALE = 72
"""Times 1,443 rows."""


def main() -> int:
    """Measure; 0 if all is within the limits."""
    with tempfile.TemporaryDirectory() as name:
        found = import_rows(Path(name), SCALE)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"limits": LIMITS, **found}, indent=2) + "\n")
    for key, value in found.items():
        print(f"{key:16} {value:10.1f}" + (f"   limit {LIMITS[key]:.0f}" if key in LIMITS else ""))
    return int(any(found[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
