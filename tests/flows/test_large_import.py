"""100,000 rows come in within three minutes and 300 MB, and all of it reaches the lead's figures."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.flows.kit import PROGRAMME, PUBLISHED, Site, figures, joined_pair

SCALE = 72  # 72 × 1,443 rows
MB = 1_000_000


@pytest.mark.slow
def test_a_hundred_thousand_rows_come_in_within_bounds(tmp_path: Path) -> None:
    csv = tmp_path / "csv"
    Site(tmp_path, "node").polku("synth", PROGRAMME, "--out", str(csv), "--scale", str(SCALE))
    assert rows_in(csv) > 100_000
    with joined_pair(tmp_path) as pair:
        began = time.monotonic()
        importing = subprocess.Popen(
            [sys.executable, "-m", "services.node", "--home", str(pair.node.path), "import", str(csv)],
            stderr=subprocess.DEVNULL,
        )
        # Not wait4's figure: that one also holds what the test process itself had when it forked.
        most = most_memory(importing.pid)
        while importing.poll() is None:
            most = max(most, most_memory(importing.pid))
            with contextlib.suppress(subprocess.TimeoutExpired):
                importing.wait(0.2)
        assert importing.returncode == 0
        assert time.monotonic() - began < 180
        assert most < 300 * MB
        assert pair.node.process is not None
        assert most_memory(pair.node.process.pid) < 300 * MB
        wanted = {
            group: (sessions * SCALE, people and people * SCALE, heads and heads * SCALE)
            for group, (sessions, people, heads) in PUBLISHED.items()
        }
        assert figures(pair.wait_until_arrived()) == wanted


def rows_in(folder: Path) -> int:
    return sum(len(path.read_bytes().splitlines()) - 1 for path in folder.iterdir())


def most_memory(pid: int) -> int:
    """The most memory the process has had, in bytes; 0 if it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
