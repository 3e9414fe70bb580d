"""A large set comes in with little memory, and all of it reaches the lead's figures.

`make test` imports 20,000 rows; ``tests/bench/bench_import.py`` runs the same with the 100,000 that the bounds are for.
"""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.flows.kit import PROGRAMME, PUBLISHED, Site, figures, joined_pair

MB = 1_000_000


@pytest.mark.slow
def test_twenty_thousand_rows_come_in_with_little_memory(tmp_path: Path) -> None:
    took = import_rows(tmp_path, scale=14)
    assert took["rows"] > 20_000
    assert took["client_mb"] < 100  # measured: 78 with 100,000 rows
    assert took["node_mb"] < 130  # measured: 100 with 100,000 rows


def import_rows(folder: Path, scale: int) -> dict[str, float]:
    """Import `scale` times the 1,443 rows of programme 3's published figures, and see them in the lead's report; what
    it took: rows, seconds until the import was over and until the lead had it, the most memory of client and node."""
    csv = folder / "csv"
    Site(folder, "node").polku("synth", PROGRAMME, "--out", str(csv), "--scale", str(scale))
    with joined_pair(folder) as pair:
        began = time.monotonic()
        importing = subprocess.Popen(
            [sys.executable, "-m", "services.node", "--home", str(pair.node.path), "import", str(csv)],
            stderr=subprocess.DEVNULL,
        )
        # Not wait4's figure: that one also holds what the test process itself had when it forked.
        client = most_memory(importing.pid)
        while importing.poll() is None:
            client = max(client, most_memory(importing.pid))
            with contextlib.suppress(subprocess.TimeoutExpired):
                importing.wait(0.2)
        assert importing.returncode == 0
        imported = time.monotonic() - began
        assert pair.node.process is not None
        node = most_memory(pair.node.process.pid)
        wanted = {
            group: (sessions * scale, people and people * scale, heads and heads * scale)
            for group, (sessions, people, heads) in PUBLISHED.items()
        }
        assert figures(pair.wait_until_arrived()) == wanted
    return {
        "rows": rows_in(csv),
        "import_seconds": imported,
        "arrived_seconds": time.monotonic() - began,
        "client_mb": client / MB,
        "node_mb": node / MB,
    }


def rows_in(folder: Path) -> int:
    return sum(len(path.read_bytes().splitlines()) - 1 for path in folder.iterdir())


def most_memory(pid: int) -> int:
    """The most memory the process has had, in bytes; 0 if it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
