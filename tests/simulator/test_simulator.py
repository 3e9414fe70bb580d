"""The schedules that everybody runs, that they really contain what they should, and that broken builds are noticed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.journal.deciding import Outcome
from shared.journal.segment import Reason
from tests.conftest import ROOT
from tests.simulator.broken import BUILDS, broken
from tests.simulator.crafting import CRAFTS
from tests.simulator.ledger import MUST_BE_ZERO
from tests.simulator.schedule import KEYS, Schedule, draw, explain, quiet, run, shrink
from tests.simulator.world import Setting

SCHEDULES = 5000
WITHIN = 2000
"""A broken build is noticed within so many schedules."""

HAPPENED = {
    "accepted",
    "changed",
    "clock",
    "courier_failing",
    "courier_killed",
    "courier_twice",
    "erased",
    "lead_copied",
    "lead_emptied",
    "lead_restored",
    "learned keys",
    "lost",
    "meanwhile",
    "misplaced",
    "node_copied",
    "node_restored",
    "older_backup",
    "old_manifest",
    "old_receipt",
    "purged",
    "receiver_failing",
    "receiver_killed",
    "receiver_twice",
    "record_killed",
    "reordered",
    "repeated",
    "restart",
    "rotated",
    "truncated",
    *(f"crafted {what}" for what in CRAFTS),
}
OPEN = {KEYS.lead_receiving.id: KEYS.lead_receiving.secret()}


@pytest.fixture(scope="module")
def total(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The schedules, run by processes of their own: on two cores they take half the time."""
    out = tmp_path_factory.mktemp("simulator") / "total.json"
    command = [sys.executable, "-m", "tests.simulator", "--schedules", str(SCHEDULES), "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def test_nothing_is_lost_repeated_made_up_or_claimed_falsely_in_any_schedule(total: dict[str, Any]) -> None:
    counters = total["counters"]
    assert total["schedules"] == SCHEDULES
    assert total["failed"] == {}
    assert {name: counters[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
    assert counters["attempted"] > counters["committed"] > 5 * SCHEDULES
    assert counters["applied"] > 0.9 * counters["committed"]


def test_every_fault_happened(total: dict[str, Any]) -> None:
    assert HAPPENED - {name for name, count in total["coverage"]["faults"].items() if count >= 10} == set()


def test_every_outcome_and_every_reason_was_seen(total: dict[str, Any]) -> None:
    coverage = total["coverage"]
    assert {str(outcome) for outcome in Outcome} - coverage["outcomes"].keys() == set()
    # No schedule closes a programme: what follows a seal is refused in tests/flows/test_sealing.py.
    assert {str(reason) for reason in Reason} - coverage["reasons"].keys() == {str(Reason.SEALED)}


def test_everything_that_can_be_said_of_a_stream_was_said(total: dict[str, Any]) -> None:
    states = {name for name, count in total["coverage"]["states"].items() if count}
    assert {"complete", "missing", "differs", "not_known_since", "courier receipt_ahead"} <= states
    assert {"tail came back", "no longer held", "accepted"} <= states


@pytest.mark.parametrize(("build", "counters"), BUILDS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_build_is_noticed(build: Any, counters: set[str]) -> None:
    with quiet(), broken(build, OPEN):
        moved, seed = set[str](), 0
        while not counters <= moved and seed < WITHIN:
            moved |= run(draw(seed)).bad.keys()
            seed += 1
        assert counters <= moved


def test_a_schedule_replays_from_its_number() -> None:
    logs: list[list[str]] = [[], []]
    with quiet():
        for log in logs:
            run(draw(77), log.append)
    assert logs[0] == logs[1]
    assert len(logs[0]) > 10


def test_a_failure_is_explained_by_its_shortest_schedule() -> None:
    noise = [("later", 5), ("courier", 0), ("restart", 1)]
    steps = (("record", 0, 6), *noise, ("courier", 0), ("sync",), ("killed", ("receiver",), 5), ("later", 1))
    build = next(build for build in BUILDS if build.__name__ == "watermark_before_lines")
    with quiet(), broken(build, OPEN):
        found = [at for at in range(3, 20) if run(Schedule(Setting(), (*steps[:6], ("killed", ("receiver",), at)))).bad]
        schedule = Schedule(Setting(), (*steps[:6], ("killed", ("receiver",), found[0]), steps[-1]))
        shorter = shrink(schedule, list(run(schedule).bad))
        assert [step[0] for step in shorter.steps] == ["record", "courier", "sync", "killed"]


def test_an_explanation_names_the_schedule_and_how_to_replay_it() -> None:
    with quiet():
        text = explain(3)
    assert "schedule 3" in text
    assert "python -m tests.simulator 3" in text


def test_the_command_shows_a_schedule() -> None:
    command = [sys.executable, "-m", "tests.simulator", "5"]
    done = subprocess.run(command, cwd=Path(ROOT), capture_output=True, text=True)
    assert done.returncode == 0
    assert "courier" in done.stdout
