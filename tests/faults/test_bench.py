"""The smoke profile of the fault bench, and that its counters move: over doctored figures and over broken builds.

``POLKU_SEED`` says which plan; a failure prints the seed.
"""

import os
import random
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.journal.segment import Reason
from shared.storage import open_engine, snapshot
from tests.faults.bench import ledger
from tests.faults.bench.epilogue import restore_node
from tests.faults.bench.faults import FAULTS
from tests.faults.bench.federation import Federation
from tests.faults.bench.judge import ZERO, Verdict, claims, judge
from tests.faults.bench.page import page, table
from tests.faults.bench.run import (
    CAMPAIGN,
    FULL,
    SMOKE,
    Profile,
    Result,
    never_staged,
    plan_of,
    run,
    statement,
    too_little,
)
from tests.faults.bench.scene import Scene
from tests.faults.bench.summary import summary

SEED = int(os.environ.get("POLKU_SEED", random.SystemRandom().randrange(10**6)))
BROKEN = Path(__file__).parent / "bench" / "broken"


@dataclass
class Smoke:
    """A smoke run, and copies of what it was judged by."""

    result: Result
    folder: Path
    nodes: list[tuple[str, str]]
    said: dict[str, dict[str, Any]]
    refused: dict[bytes, Reason]

    def judged(
        self, change: str = "", said: dict[str, dict[str, Any]] | None = None, more: Sequence[dict[str, Any]] = ()
    ) -> Verdict:
        """The verdict over a copy of the lead's database with this change, and `more` in the ledger."""
        with closing(sqlite3.connect(self.folder / "lead.copy")) as whole:
            with closing(sqlite3.connect(self.folder / "doctored.db")) as doctored:
                whole.backup(doctored)
                doctored.executescript(change)
        with ExitStack() as looks:
            lead = looks.enter_context(snapshot(open_engine(f"sqlite:///{self.folder / 'doctored.db'}")))
            nodes = [
                (partner, stream, looks.enter_context(snapshot(open_engine(f"sqlite:///{self.folder / partner}.copy"))))
                for partner, stream in self.nodes
            ]
            entries = [*ledger.read(self.folder / "ledger.copy"), *more]
            return judge(claims(entries), nodes, lead, said or self.said, self.refused, {})


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    folder = tmp_path_factory.mktemp("bench")
    kept: list[Smoke] = []

    def keep(made: Federation, scene: Scene, result: Result) -> None:
        databases = {"lead": made.lead.path / "lead.db"} | {p.partner: p.path / "node.db" for p in made.partners}
        for name, database in databases.items():
            with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(folder / f"{name}.copy")) as to:
                source.backup(to)
        shutil.copy(folder / "ledger.jsonl", folder / "ledger.copy")
        nodes = [(site.partner, site.stream) for site in made.partners]
        kept.append(Smoke(result, folder, nodes, statement(made), dict(scene.refused)))
        restore_node(made, scene, result)

    run(SMOKE, SEED, folder, after=keep)
    return kept[0]


def test_two_thousand_facts_under_faults_are_neither_lost_nor_doubled_nor_claimed_too_early(smoke: Smoke) -> None:
    result = smoke.result
    assert result.passed, f"POLKU_SEED={SEED}\n{table(summary(result))}"
    counters = result.verdict.counters
    assert counters["attempted"] == counters["committed"] == counters["delivered"] == counters["applied"] >= 2000
    assert result.done.keys() >= {"F01", "F02", "F08", "F09", "F15", "F16", "F18"}
    assert counters["quarantined"] == 15
    assert result.complete_samples > 0


def test_a_node_put_back_to_an_old_copy_stops_and_overwrites_nothing(smoke: Smoke) -> None:
    assert smoke.result.restored_node


ONE = "(SELECT rowid FROM {} LIMIT 1)"
SESSION = "INSERT INTO reporting_session SELECT stream, zeroblob(16), activity, occurred_on, {}, location, area"
DOCTORED = {
    "lost": f"DELETE FROM reporting_attendance WHERE rowid = {ONE.format('reporting_attendance')}",
    "duplicated_effect": f"{SESSION.format('minutes')} FROM reporting_session LIMIT 1",
    "unexpected": f"{SESSION.format('1400')} FROM reporting_session LIMIT 1",
    "undetected_gap": f"DELETE FROM received_line WHERE rowid = {ONE.format('received_line')}",
    "false_complete": f"DELETE FROM received_line WHERE rowid = {ONE.format('received_line')}",
    "conflicted": "INSERT INTO received_conflict SELECT stream, x'00', 1, 1, x'00', x'00', x'00', x'00', received_at"
    " FROM received_segment LIMIT 1",
    "quarantined": "INSERT INTO received_refused VALUES (x'00', 's', 'n', 1, 'bad_magic', '')",
}


@pytest.mark.parametrize("counter", DOCTORED)
def test_the_counter_moves(smoke: Smoke, counter: str) -> None:
    assert smoke.judged().counters[counter] == smoke.result.verdict.counters[counter]
    assert smoke.judged(DOCTORED[counter]).counters[counter] > smoke.result.verdict.counters[counter]


def test_what_the_lead_says_that_it_lacks_is_no_undetected_gap(smoke: Smoke) -> None:
    _, stream = smoke.nodes[0]
    head = smoke.said[stream]["watermark"]
    said = {**smoke.said, stream: {**smoke.said[stream], "state": "missing", "missing": [[1, head]]}}
    verdict = smoke.judged(f"DELETE FROM received_line WHERE stream = '{stream}'", said)
    assert verdict.counters["undetected_gap"] == 0
    assert verdict.counters["delivered"] == smoke.result.verdict.counters["delivered"] - head


KILLS = Profile("kills", ("file",), 400, {"F02": 6}, heal_seconds=60)
KILLS_SEED = 3
"""A plan in which the receiver is killed after a receipt and after its cursor moved."""


POISON = Profile("poison", ("file",), 400, {"F15": 1}, heal_seconds=60)


@pytest.mark.parametrize(
    ("profile", "what", "counter"),
    [
        (KILLS, "receipt_before_commit", "false_complete"),
        (KILLS, "cursor_before_effect", "lost"),
        (POISON, "effect_passed_over", "lost"),
    ],
)
def test_a_broken_build_is_caught(tmp_path: Path, profile: Profile, what: str, counter: str) -> None:
    result = run(profile, KILLS_SEED, tmp_path, environment={"PYTHONPATH": str(BROKEN), "POLKU_BROKEN": what})
    assert result.verdict.counters[counter] > 0, table(summary(result))
    assert not result.passed


def test_a_person_who_is_gone_is_lost_though_somebody_else_was_erased(smoke: Smoke) -> None:
    partner = smoke.nodes[0][0]
    made: list[dict[str, Any]] = [
        {"do": "attempt", "partner": partner, "marks": ["p9999"]},
        {"do": "answer", "partner": partner, "marks": ["p9999"], "refused": {}, "who": ["aa" * 16]},
    ]
    erased = [{"do": "erase", "partner": partner, "subject": subject * 16} for subject in ("bb", "aa")]
    assert smoke.judged(more=[*made, erased[0]]).counters["lost"] == 1
    assert smoke.judged(more=[*made, erased[1]]).counters["lost"] == 0


def test_the_plan_comes_from_its_seed_and_the_campaign_is_as_large_as_it_says() -> None:
    names = ["a", "b", "c", "d", "e"]
    assert plan_of(CAMPAIGN, names, 7) == plan_of(CAMPAIGN, names, 7) != plan_of(CAMPAIGN, names, 8)
    assert set(CAMPAIGN.carriers) == set(SMOKE.carriers) == {"file", "https", "amqp"}
    assert sum(CAMPAIGN.faults.values()) >= 300
    assert CAMPAIGN.facts >= 50_000
    assert CAMPAIGN.faults.keys() | FULL.faults.keys() == FAULTS.keys()


def test_the_page_shows_every_counter_and_how_to_run_it_again(smoke: Smoke) -> None:
    found = summary(smoke.result)
    text = page(found)
    assert all(name in text for name in (*ZERO, *found["counters"]))
    assert found["again"] in text
    assert f"--seed {SEED}" in found["again"]


def test_a_fault_that_came_about_not_once_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.faults.bench.run.NOT_HERE", {"F30": "no other RabbitMQ"})
    result = Result(CAMPAIGN, 7, [])
    result.not_staged.update({"F24": 3, "F20": 3, "F21": 2, "F30": 3})
    result.done["F20"] = 1
    assert never_staged(result) == ["F24 was never staged"]


def test_a_campaign_with_too_few_faults_or_without_a_complete_stream_fails() -> None:
    result = Result(CAMPAIGN, 7, [])
    result.done["F01"] = 299
    few, never = too_little(result)
    assert few == "299 faults came about, 300 are needed"
    assert "complete" in never
    result.done["F02"] = result.complete_samples = 1
    assert too_little(result) == []
