"""The private servers of the test run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.testing.wait import until

SCRIPT = """
import time
from shared.testing import broker, postgres
broker.shared_broker(), postgres.shared_postgres()
print(*[p.pid for p in broker._own.processes], postgres._own.process.pid)
print(broker._own.folder, postgres._own.folder, flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_no_server_outlives_a_killed_test_run(
    rabbitmq: object, postgres: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("POLKU_TEST_RABBITMQ", "POLKU_TEST_POSTGRES"):
        monkeypatch.delenv(variable)
    run = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    pids = [int(pid) for pid in run.stdout.readline().split()]
    folders = run.stdout.readline().split()
    assert len(pids) == 3
    assert all(is_alive(pid) for pid in pids)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    try:
        until(lambda: not any(is_alive(pid) for pid in pids))
    finally:
        subprocess.run(["rm", "-rf", *folders])


def is_alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_until_gives_up_with_what_it_waited_for() -> None:
    with pytest.raises(AssertionError, match="not so within"):
        until(lambda: False, timeout=0.02)
    assert until(lambda: "there", timeout=0.02) == "there"
