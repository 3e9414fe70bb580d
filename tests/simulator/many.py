"""Many schedules, in several processes, and what they came to."""

import gc
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.simulator.ledger import Counters, Coverage
from tests.simulator.schedule import draw, quiet, run

CHUNK = 250


@dataclass
class Total:
    """How many schedules went how. `failed` are seeds with what was not zero."""

    schedules: int = 0
    cpu_seconds: float = 0.0
    counters: Counters = field(default_factory=Counters)
    coverage: Coverage = field(default_factory=Coverage)
    failed: dict[int, dict[str, int]] = field(default_factory=dict)

    def add(self, other: "Total") -> None:
        """Add another part's."""
        self.schedules += other.schedules
        self.cpu_seconds += other.cpu_seconds
        self.counters.add(other.counters)
        self.coverage.add(other.coverage)
        self.failed |= other.failed


def run_range(first: int, count: int) -> Total:
    """The schedules of these numbers, one after the other."""
    total, began = Total(), time.process_time()
    gc.freeze()
    with quiet():
        for seed in range(first, first + count):
            result = run(draw(seed))
            total.schedules += 1
            total.counters.add(result.counters)
            total.coverage.add(result.coverage)
            if result.bad:
                total.failed[seed] = result.bad
    total.cpu_seconds = time.process_time() - began
    return total


def run_many(first: int, count: int, processes: int) -> Total:
    """The same in several processes."""
    total = Total()
    starts = range(first, first + count, CHUNK)
    sizes = [min(CHUNK, first + count - start) for start in starts]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        for part in pool.map(run_range, starts, sizes):
            total.add(part)
    return total
