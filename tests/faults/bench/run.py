"""One run of the bench: the plan, the load, the faults, the healing, the verdict."""

import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.testing.wait import until
from tests.faults.bench import ledger as ledgers
from tests.faults.bench import marks
from tests.faults.bench.driver import Driver, Pace
from tests.faults.bench.faults import ALONE, AT_A_NODE, AT_THE_LEAD, BY_BROKER, FAULTS
from tests.faults.bench.faults.servers import OTHER_RABBITMQ
from tests.faults.bench.federation import UP_SECONDS, Federation, Partner, federation
from tests.faults.bench.judge import ZERO, Verdict, claims, judge
from tests.faults.bench.ledger import Ledger
from tests.faults.bench.links import CARRIERS
from tests.faults.bench.scene import NotStaged, Scene
from tests.faults.bench.watch import Watch


@dataclass(frozen=True)
class Profile:
    """What a run is: by which carrier each partner comes, how many facts, and how often each fault."""

    name: str
    carriers: tuple[str, ...]
    facts: int
    faults: Mapping[str, int]
    full: bool = False
    heal_seconds: float = 180.0
    """A node that has nothing to send hears of a restored lead by its next manifest: after up to two minutes."""
    at_least: int = 0
    """So many faults must have come about, whatever was planned."""


SMOKE = Profile(
    "smoke", CARRIERS, 2000, {"F01": 3, "F02": 3, "F08": 3, "F09": 1, "F15": 1, "F16": 1, "F18": 1, "F20": 1}
)
CAMPAIGN = Profile(
    "campaign",
    ("amqp", "https", "file", "amqp", "https"),
    50_000,
    {
        **{"F01": 60, "F02": 60, "F03": 12, "F04": 4, "F05": 3, "F06": 3, "F07": 24, "F08": 50, "F09": 14, "F10": 10},
        **{"F11": 3, "F12": 6, "F13": 3, "F14": 4, "F15": 4, "F16": 8, "F17": 3, "F18": 8, "F19": 8, "F20": 12},
        **{"F21": 12, "F22": 12, "F24": 3, "F25": 8, "F26": 6, "F27": 4, "F29": 10, "F30": 2},
    },
    at_least=300,
)
FULL = Profile(
    "full",
    ("file", "amqp"),
    6000,
    {
        **{"F01": 4, "F02": 5, "F03": 3, "F04": 3, "F05": 2, "F06": 2, "F07": 2, "F08": 3, "F09": 1, "F15": 2},
        **{"F16": 1, "F17": 2, "F18": 1, "F19": 1, "F20": 1, "F21": 1, "F22": 2, "F25": 1, "F26": 2, "F27": 1},
        **{"F28": 3, "F29": 2},
    },
    full=True,
)
"""On PostgreSQL and RabbitMQ: what only servers can suffer, and most of the rest."""
BUSY = 4
"""While faults are on at so many homes, no further one begins."""
LAST = {"F23": "a node's database is put back to an old copy, after the verdict"}
NOT_HERE = {} if os.environ.get(OTHER_RABBITMQ) else {"F30": f"{OTHER_RABBITMQ} names no other RabbitMQ; see 0182"}
NOT_EMBEDDED = {"F28": "the embedded footing has no PostgreSQL (profile full)"}
NOT_FULL = {
    **dict.fromkeys(("F11", "F13"), "the homes' own bus is that broker (campaign)"),
    "F10": "campaign only",
    "F12": "SQLite only",
    "F23": "SQLite only",
    "F24": "SQLite only",
}
"""Faults that a footing or the machine cannot have, or that are not built for it; they are no part of any figure."""


@dataclass
class Result:
    """What a run found."""

    profile: Profile
    seed: int
    plan: list[tuple[str, str]]
    done: Counter[str] = field(default_factory=Counter)
    by_carrier: Counter[str] = field(default_factory=Counter)
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
    carriers = dict(zip(partners, profile.carriers, strict=True))
    by_broker = [partner for partner in partners if carriers[partner] == "amqp"]
    connected = [partner for partner in partners if carriers[partner] != "file"]

    def at(fault: str, number: int) -> str:
        if fault == "F12":
            return partners[-1]  # whose home has the small disk
        fit = by_broker if fault in BY_BROKER else connected if fault == "F09" else partners
        return fit[number % len(fit)]

    return [(fault, at(fault, number)) for number, fault in enumerate(faults)]


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
    """One run in `folder`. `environment` is given to the lead's processes; after `seconds` no further fault begins,
    and the run has failed; `after` gets the healed federation before it ends."""
    began = time.monotonic()
    with ExitStack() as ending:
        made = ending.enter_context(
            federation(
                folder, profile.carriers, environment, seed=seed, tight="F12" in profile.faults, full=profile.full
            )
        )
        ledger = Ledger(folder / "ledger.jsonl")
        ending.callback(ledger.close)
        sites = {site.partner: site for site in made.partners}
        plan = plan_of(profile, list(sites), seed)
        result = Result(profile, seed, plan)
        size = marks.size_of(-(-profile.facts // len(profile.carriers)))
        paces = {
            name: Pace(sum(name == at or fault in AT_THE_LEAD for fault, at in plan), size.blocks) for name in sites
        }
        drivers = {name: Driver(site, ledger, size, paces[name]) for name, site in sites.items()}
        scene = Scene(made, drivers, seed)
        watch = Watch(scene)
        threads = [threading.Thread(target=driver.run, daemon=True) for driver in drivers.values()]
        for thread in threads:
            thread.start()
        watching = watch.start()
        lanes = ThreadPoolExecutor(BUSY)
        ending.callback(lanes.shutdown)  # not sooner: a server that a thread has started ends with that thread
        Injection(result, scene, watch, ledger, paces, progress).run(lanes, began + seconds if seconds else None)
        result.failures += never_staged(result)
        for pace in paces.values():
            pace.free()
        progress(f"the faults are over after {time.monotonic() - began:.0f} s; the load ends")
        for thread in threads:
            thread.join(600)
        _heal(result, watch, profile.heal_seconds)
        watch.stopping.set()
        watching.join(30)
        result.verdict = _judge(made, scene, watch, folder)
        result.failures += [driver.failed for driver in drivers.values() if driver.failed]
        result.heal, result.samples, result.complete_samples = watch.healed, watch.samples, watch.complete_samples
        result.failures += too_little(result)
        result.ambiguous = sum(driver.ambiguous for driver in drivers.values())
        result.stop_seconds = scene.stop_seconds
        result.reasons = Counter(scene.refused.values())
        after(made, scene, result)
    result.seconds = time.monotonic() - began
    return result


def never_staged(result: Result) -> list[str]:
    """What was tried three times and more, and came about not once: then it is the bench that cannot do it."""
    tried = [fault for fault, times in result.not_staged.items() if times >= 3 and not result.done[fault]]
    return [f"{fault} was never staged" for fault in tried if fault not in NOT_HERE]


def too_little(result: Result) -> list[str]:
    """What must have happened, else the zeros say nothing."""
    done, said = sum(result.done.values()), []
    if done < result.profile.at_least:
        said.append(f"{done} faults came about, {result.profile.at_least} are needed")
    if not result.complete_samples:
        said.append("the lead was never heard to say that a stream is complete")
    return said


@dataclass
class Injection:
    """Injects the plan's faults in its order, several at once, never two at the same home."""

    result: Result
    scene: Scene
    watch: Watch
    ledger: Ledger
    paces: Mapping[str, Pace]
    progress: Callable[[str], None]
    _busy: set[str] = field(default_factory=set)
    _turn: threading.Condition = field(default_factory=threading.Condition)

    def run(self, lanes: ThreadPoolExecutor, deadline: float | None) -> None:
        """All of them; what does not begin before the deadline is a failure."""
        turns: Counter[str] = Counter()
        for number, (fault, at) in enumerate(self.result.plan, 1):
            homes = self._homes(fault, at)
            with self._turn:
                self._turn.wait_for(lambda homes=homes: not self._busy & homes and len(self._busy) < BUSY)  # type: ignore[misc]
                if deadline is not None and time.monotonic() > deadline:
                    self.result.failures.append(f"time was up after {number - 1} of {len(self.result.plan)} faults")
                    break
                self._busy |= homes
            meant = list(self.paces) if fault in AT_THE_LEAD else [at]
            turns.update(meant)
            for name in meant:
                self.paces[name].begin(turns[name])
            lanes.submit(self._one, number, fault, at, homes)
        with self._turn:
            self._turn.wait_for(lambda: not self._busy)

    def _homes(self, fault: str, at: str) -> set[str]:
        """What nothing else may meddle with meanwhile."""
        if fault in ALONE:
            return {"lead", *self.paces}
        return {at} if fault in AT_A_NODE else {"lead", at}

    def _one(self, number: int, fault: str, at: str, homes: set[str]) -> None:
        try:
            self._inject(number, fault, at)
            self._stand_up(homes)
        except Exception as error:  # the bench itself could not do it: the run has failed, and goes on to be judged
            self.result.failures.append(f"{fault} at {at}: {type(error).__name__}: {error}")
            self.progress(self.result.failures[-1])
        finally:
            self._over(number, fault, at)
            with self._turn:
                self._busy -= homes
                self._turn.notify_all()

    def _inject(self, number: int, fault: str, at: str) -> None:
        site = self._site(at)
        self.scene.begin(number)
        self.ledger.entry("fault", id=fault, at_partner=at, number=number)
        try:
            FAULTS[fault](self.scene, site)
            self.result.done[fault] += 1
            self.result.by_carrier[site.link.kind] += 1
        except NotStaged:
            self.result.not_staged[fault] += 1

    def _over(self, number: int, fault: str, at: str) -> None:
        """Healing begins."""
        self.ledger.entry("fault_over", id=fault, number=number)
        sites = self.scene.federation.partners
        self.watch.heal_from_now(fault, list(sites) if fault in AT_THE_LEAD else [self._site(at)])
        if number % 20 == 0:
            blocks = sum(driver.blocks for driver in self.scene.drivers.values())
            self.progress(f"{number} of {len(self.result.plan)} faults, {blocks} blocks")

    def _site(self, partner: str) -> Partner:
        return next(site for site in self.scene.federation.partners if site.partner == partner)

    def _stand_up(self, homes: set[str]) -> None:
        """Start again what has ended by itself, as systemd would; it is counted."""
        for site in self.scene.federation.ended():
            name = site.partner if isinstance(site, Partner) else "lead"
            if name in homes:
                self.result.ended.append(name)
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


def work_folder() -> Path:
    """A folder with a short name, on a real disk."""
    return Path(tempfile.mkdtemp(prefix="polku-bench-"))
