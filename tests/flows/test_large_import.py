"""100,000 rows come in within three minutes and 300 MB, and all of it reaches the lead's figures."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.flows.kit import PROGRAMME, PUBLISHED, Site, figures, joined_pair

SCALE = 88  # 88 × 1,149 rows
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
        _, status, usage = os.wait4(importing.pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert time.monotonic() - began < 180
        assert usage.ru_maxrss * 1024 < 300 * MB
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
    """The most memory the process has had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
