"""kill -9 of the node, the courier or the receiver at random moments of an import: nothing is lost, nothing twice.

``POLKU_KILLS`` says how many kills (10; `make faults`: 30), ``POLKU_SEED`` which moments; a failure prints the seed.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from shared.journal.lines import chain_next, chain_start, line_digest
from shared.testing.wait import until
from tests.flows.kit import PROGRAMME, PUBLISHED, Pair, Site, figures, joined_pair

KILLS = int(os.environ.get("POLKU_KILLS", "10"))
SEED = int(os.environ.get("POLKU_SEED", random.SystemRandom().randrange(10**6)))
SCALE = 5


def test_kills_at_random_moments_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    sys.stdout.write(f"POLKU_SEED={SEED} POLKU_KILLS={KILLS}\n")
    chance = random.Random(SEED)
    with joined_pair(tmp_path) as pair:
        csv = tmp_path / "csv"
        pair.node.polku("synth", PROGRAMME, "--out", str(csv), "--scale", str(SCALE))
        importing = start_import(pair.node, csv)
        for number in range(KILLS):
            if importing.poll() is not None:
                importing = start_import(pair.node, csv)
            wait_for_random_moment(importing, chance)
            kill(pair, ("node", "courier", "receiver")[number % 3], importing)
        importing.wait(120)
        pair.node.polku("import", str(csv))
        report = pair.wait_until_arrived()
        assert figures(report) == scaled(SCALE)
        assert_same_lines_without_hole(pair)


def start_import(node: Site, csv: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "services.node", "--home", str(node.path), "import", str(csv)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for_random_moment(importing: subprocess.Popen[bytes], chance: random.Random) -> None:
    try:
        importing.wait(chance.uniform(0.3, 2.5))
    except subprocess.TimeoutExpired:
        return


def kill(pair: Pair, victim: str, importing: subprocess.Popen[bytes]) -> None:
    """Kill the process; the home's own is started again by us, as systemd would, a child by its home.

    An import that had not begun when its home was killed opens the home itself, and must have ended before `up`.
    """
    site = pair.lead if victim == "receiver" else pair.node
    assert site.process is not None
    parent = site.process.pid
    child = until(lambda: child_of(parent), 30)  # one that was killed is started again after a second
    if victim == "node":
        site.kill()
        until(lambda: not is_running(child), 10)  # no orphan
        importing.wait(120)
        site.up()
    else:
        os.kill(child, signal.SIGKILL)
        until(lambda: child_of(parent) not in (0, child), 30)


def child_of(pid: int) -> int:
    """The one child that is alive; 0 if there is none."""
    pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next((int(child) for child in pids if is_running(int(child))), 0)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it may end while we look
        return False


def scaled(scale: int) -> dict[str, tuple[int, int | None, int | None]]:
    return {
        group: (sessions * scale, people and people * scale, heads and heads * scale)
        for group, (sessions, people, heads) in PUBLISHED.items()
    }


def assert_same_lines_without_hole(pair: Pair) -> None:
    """The lead holds the node's lines, byte for byte, 1 to the head, and both chains follow from them."""
    query = "SELECT seq, line FROM {} WHERE stream LIKE '%/" + PROGRAMME + "' ORDER BY seq"
    with sqlite3.connect(pair.node.path / "node.db") as ours, sqlite3.connect(pair.lead.path / "lead.db") as theirs:
        lines = ours.execute(query.format("journal_line")).fetchall()
        assert theirs.execute(query.format("received_line")).fetchall() == lines
        assert [seq for seq, _ in lines] == list(range(1, len(lines) + 1))
        stream, _, chain = ours.execute(
            f"SELECT name, seq, chain FROM journal_head WHERE name LIKE '%/{PROGRAMME}'"
        ).fetchone()
        computed = chain_start(stream)
        for _, line in lines:
            computed = chain_next(computed, line_digest(line))
        assert computed == chain
        assert theirs.execute("SELECT chain FROM received_head").fetchone() == (chain,)


@pytest.mark.parametrize("role", ["lead", "node"])
def test_no_process_outlives_a_home_that_is_killed(tmp_path: Path, role: str) -> None:
    with joined_pair(tmp_path) as pair:
        site = pair.lead if role == "lead" else pair.node
        assert site.process is not None
        parent = site.process.pid
        child = until(lambda: child_of(parent), 30)
        assert is_running(child)
        site.kill()
        until(lambda: not is_running(child), 10)
