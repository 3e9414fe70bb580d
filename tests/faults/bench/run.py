"""One run of the bench: the plan, the load, the faults, the healing, the verdict."""

import os
import platform
import random
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.testing.wait import until
from tests.faults.bench import ledger as ledgers
from tests.faults.bench import marks
from tests.faults.bench.driver import Driver, Pace
from tests.faults.bench.faults import AT_THE_LEAD, FAULTS, NotStaged, Scene
from tests.faults.bench.federation import UP_SECONDS, Federation, federation
from tests.faults.bench.judge import ZERO, Verdict, claims, judge
from tests.faults.bench.ledger import Ledger
from tests.faults.bench.watch import Watch


@dataclass(frozen=True)
class Profile:
    """What a run is: how many partners and facts, and how often each fault."""

    name: str
    partners: int
    facts: int
    faults: Mapping[str, int]
    full: bool = False
    heal_seconds: float = 180.0
    """A node that has nothing to send hears of a restored lead by its next manifest: after up to two minutes."""


SMOKE = Profile("smoke", 2, 2000, {"F01": 2, "F02": 3, "F08": 1, "F16": 1, "F18": 1, "F20": 1})
CAMPAIGN = Profile(
    "campaign",
    5,
    50_000,
    {
        **{"F01": 80, "F02": 80, "F03": 12, "F07": 30, "F08": 40, "F10": 10, "F12": 4, "F16": 8, "F18": 8},
        **{"F19": 8, "F20": 12, "F21": 14, "F22": 12, "F24": 3, "F25": 10, "F26": 8, "F29": 10},
    },
)
FULL = Profile(
    "full",
    2,
    6000,
    {
        **{
            "F01": 4,
            "F02": 6,
            "F03": 4,
            "F04": 3,
            "F05": 2,
            "F06": 2,
            "F07": 3,
            "F08": 2,
            "F16": 1,
            "F18": 1,
            "F19": 1,
        },
        **{"F20": 2, "F21": 2, "F22": 2, "F25": 2, "F26": 2, "F28": 4, "F29": 2},
    },
    full=True,
)
"""On PostgreSQL and RabbitMQ: what only servers can suffer, and most of the rest."""
LAST = {"F23": "a node's database is put back to an old copy, after the verdict"}
NOT_HERE = {
    "F09": "the carrier “file” has no connection that could be slow",
    "F14": "faketime is not installed" if shutil.which("faketime") is None else "not built yet",
}
NOT_EMBEDDED = dict.fromkeys(("F04", "F05", "F06", "F28"), "the embedded footing has no servers (profile full)")
NOT_FULL = {"F12": "SQLite only", "F23": "SQLite only", "F24": "SQLite only"}
"""Faults that a footing or the carrier cannot have, or that are not built for it; they are no part of any figure."""


@dataclass
class Result:
    """What a run found."""

    profile: Profile
    seed: int
    plan: list[tuple[str, str]]
    done: Counter[str] = field(default_factory=Counter)
    not_staged: Counter[str] = field(default_factory=Counter)
    ended: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    heal: dict[str, list[float]] = field(default_factory=dict)
    samples: int = 0
    complete_samples: int = 0
    ambiguous: int = 0
    seconds: float = 0.0
    stop_seconds: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    restored_node: str = ""

    @property
    def passed(self) -> bool:
        """Whether every counter that must be zero is, and nothing else went wrong."""
        counters = self.verdict.counters
        return not self.failures and not any(counters[name] for name in ZERO) and not counters["conflicted"]


def plan_of(profile: Profile, partners: Sequence[str], seed: int) -> list[tuple[str, str]]:
    """The faults in the order in which they come, each with the partner it looks at."""
    chance = random.Random(seed)
    faults = [fault for fault, count in profile.faults.items() for _ in range(count)]
    chance.shuffle(faults)
    # The last partner's home has the small disk.
    return [(fault, partners[-1 if fault == "F12" else number % len(partners)]) for number, fault in enumerate(faults)]


def run(
    profile: Profile,
    seed: int,
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    seconds: float = 0,
    progress: Callable[[str], None] = lambda _: None,
    after: Callable[[Federation, Scene, "Result"], None] = lambda *_: None,
) -> Result:
    """One run in `folder`. `environment` is given to the lead's processes, `seconds` ends the faults early, `after`
    gets the healed federation before it ends."""
    began = time.monotonic()
    with ExitStack() as ending:
        made = ending.enter_context(
            federation(folder, profile.partners, environment, tight="F12" in profile.faults, full=profile.full)
        )
        ledger = Ledger(folder / "ledger.jsonl")
        ending.callback(ledger.close)
        sites = {site.partner: site for site in made.partners}
        plan = plan_of(profile, list(sites), seed)
        result = Result(profile, seed, plan)
        size = marks.size_of(-(-profile.facts // profile.partners))
        paces = {
            name: Pace(sum(name == at or fault in AT_THE_LEAD for fault, at in plan), size.blocks) for name in sites
        }
        drivers = {name: Driver(site, ledger, size, paces[name].wait) for name, site in sites.items()}
        scene = Scene(made, drivers, random.Random(seed + 1))
        watch = Watch(scene)
        threads = [threading.Thread(target=driver.run, daemon=True) for driver in drivers.values()]
        for thread in threads:
            thread.start()
        watching = watch.start()
        _inject(result, scene, watch, ledger, paces, began + seconds if seconds else None, progress)
        for pace in paces.values():
            pace.begin(len(plan) + 1)
        progress(f"the faults are over after {time.monotonic() - began:.0f} s; the load ends")
        for thread in threads:
            thread.join(600)
        _heal(result, watch, profile.heal_seconds)
        watch.stopping.set()
        watching.join(30)
        result.verdict = _judge(made, scene, watch, folder)
        result.failures += [driver.failed for driver in drivers.values() if driver.failed]
        result.heal, result.samples, result.complete_samples = watch.healed, watch.samples, watch.complete_samples
        result.ambiguous = sum(driver.ambiguous for driver in drivers.values())
        result.stop_seconds = scene.stop_seconds
        result.reasons = Counter(scene.refused.values())
        after(made, scene, result)
    result.seconds = time.monotonic() - began
    return result


def _inject(
    result: Result,
    scene: Scene,
    watch: Watch,
    ledger: Ledger,
    paces: Mapping[str, Pace],
    deadline: float | None,
    progress: Callable[[str], None],
) -> None:
    turns: Counter[str] = Counter()
    for number, (fault, at) in enumerate(result.plan, 1):
        if deadline is not None and time.monotonic() > deadline:
            progress(f"time is up after {number - 1} of {len(result.plan)} faults")
            return
        meant = list(paces) if fault in AT_THE_LEAD else [at]
        turns.update(meant)
        for name in meant:
            paces[name].begin(turns[name])
        site = next(site for site in scene.federation.partners if site.partner == at)
        ledger.entry("fault", id=fault, at_partner=at, number=number)
        try:
            FAULTS[fault](scene, site)
            result.done[fault] += 1
        except NotStaged:
            result.not_staged[fault] += 1
        except Exception as error:  # the bench itself could not do it: the run has failed, and goes on to be judged
            result.failures.append(f"{fault} at {at}: {type(error).__name__}: {error}")
        ledger.entry("fault_over", id=fault, number=number)
        _stand_up(result, scene)
        watch.heal_from_now(fault, list(scene.federation.partners) if fault in AT_THE_LEAD else [site])
        if number % 20 == 0:
            progress(f"{number} of {len(result.plan)} faults, {sum(d.blocks for d in scene.drivers.values())} blocks")


def _stand_up(result: Result, scene: Scene) -> None:
    """Start again what has ended by itself, as systemd would; it is counted."""
    for site in scene.federation.ended():
        result.ended.append(site.path.name)
        site.process = None
        site.up()


def _heal(result: Result, watch: Watch, seconds: float) -> None:
    """Wait until the lead has everything, up to the deadline."""
    watch.heal_from_now("end", list(watch.scene.federation.partners))
    try:
        until(lambda: not watch.pending, seconds, every=0.2)
    except AssertionError:
        result.failures.append(f"not healed within {seconds:.0f} s: {watch.pending}")


def statement(made: Federation) -> dict[str, dict[str, Any]]:
    """What the lead says about each stream."""
    client = until(made.lead.connected, UP_SECONDS)
    assert client is not None
    try:
        rows = client.call("reporting", "completeness", timeout=30)["streams"]
    finally:
        client.close()
    return {row["stream"]: row for row in rows}


def _judge(made: Federation, scene: Scene, watch: Watch, folder: Path) -> Verdict:
    with ExitStack() as looks:
        said = statement(made)
        lead = looks.enter_context(made.lead.look())
        nodes = [(site.partner, site.stream, looks.enter_context(site.look())) for site in made.partners]
        found = claims(ledgers.read(folder / "ledger.jsonl"))
        verdict = judge(found, nodes, lead, said, scene.refused, scene.seen_refused)
    for what in watch.false:
        verdict.count("false_complete", what)
    return verdict


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def summary(result: Result) -> dict[str, Any]:
    """The run as JSON: counters, faults, times to heal, versions, and how to run it again."""
    every = [value for values in result.heal.values() for value in values]
    applied = result.verdict.counters["applied"]
    names = ("attempted", "committed", "delivered", "applied", *ZERO, "conflicted", "quarantined", "erased", "refused")
    commit = ""
    with suppress(OSError):
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return {
        "passed": result.passed,
        "profile": result.profile.name,
        "seed": result.seed,
        "again": f".venv/bin/python -m tests.faults.bench --profile {result.profile.name} --seed {result.seed}"
        f" --facts {result.profile.facts}",
        "carrier": "file",
        "footing": "PostgreSQL and RabbitMQ" if result.profile.full else "embedded: SQLite, in-process bus",
        "partners": result.profile.partners,
        "seconds": round(result.seconds, 1),
        "counters": {name: result.verdict.counters[name] for name in names},
        "found": result.verdict.found,
        "failures": result.failures,
        "bound": f"no loss in {applied} facts bounds the rate of loss at {3 / applied:.1e} (3/N, 95 %)"
        if applied
        else "",
        "heal_seconds": {
            "p50": round(percentile(every, 0.5), 2),
            "p95": round(percentile(every, 0.95), 2),
            "max": round(max(every, default=0), 2),
        },
        "faults": {
            fault: {
                "what": LAST.get(fault) or (FAULTS[fault].__doc__ or "").removeprefix(f"{fault}: ").split("\n")[0],
                "done": result.done[fault],
                "not_staged": result.not_staged[fault],
                "heal_p50": round(percentile(result.heal[fault], 0.5), 2) if fault in result.heal else "–",
                "heal_max": round(max(result.heal[fault]), 2) if fault in result.heal else "–",
            }
            for fault in sorted({*result.profile.faults, *result.done})
        },
        "faults_done": sum(result.done.values()),
        "faults_planned": len(result.plan),
        "not_here": dict(sorted((NOT_HERE | (NOT_FULL if result.profile.full else NOT_EMBEDDED)).items())),
        "quarantined_by_reason": dict(sorted(result.reasons.items())),
        "statements_checked": result.samples,
        "complete_checked": result.complete_samples,
        "ambiguous_answers": result.ambiguous,
        "ended_by_itself": result.ended,
        "stop_seconds_max": round(max(result.stop_seconds, default=0), 2),
        "restored_node": result.restored_node,
        "versions": {
            "commit": commit,
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "system": platform.platform(),
            "cores": os.cpu_count(),
        },
    }


def work_folder() -> Path:
    """A folder with a short name, on a real disk."""
    return Path(tempfile.mkdtemp(prefix="polku-bench-"))
