"""RPC round trips on the embedded bus and on RabbitMQ, in one process, one after the other.

``python -m tests.bench.bench_rpc [calls]`` prints a table and writes ``build/bench/rpc.json``: milliseconds per call
(median and 99th percentile), the ratio, the time to know that a service is absent, and what an idle bus costs.
"""

# ruff: noqa: E402  patching comes before all other imports

import os

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

import warnings

warnings.filterwarnings("ignore", message=".*[Ee]ventlet.*")

import eventlet

eventlet.monkey_patch()

import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from shared.bus.client import RpcClient
from shared.bus.entrypoints import rpc
from shared.bus.runner import Runner
from shared.contracts.errors import ServiceAbsent
from shared.testing.broker import end_broker, shared_broker

IDLE_SECONDS = 5
RESULT = Path(__file__).parents[2] / "build" / "bench" / "rpc.json"


class Echo:
    """Answers what it was asked."""

    name = "echo"

    @rpc
    def echo(self, **values: Any) -> dict[str, Any]:
        """The arguments."""
        return values


def measure(url: str, calls: int) -> dict[str, float]:
    """Figures of the bus at `url`: milliseconds, and per cent of one core."""
    runner = Runner([Echo], url)
    runner.start()
    client = RpcClient(url)
    command = {"items": [{"ref": str(n), "text": "x" * 50} for n in range(10)]}
    for _ in range(100):
        client.call("echo", "echo", **command)
    took = sorted(timed(lambda: client.call("echo", "echo", **command)) for _ in range(calls))
    absent = median(timed(lambda: call_nobody(client)) for _ in range(50))
    before = time.process_time()
    eventlet.sleep(IDLE_SECONDS)
    idle = (time.process_time() - before) / IDLE_SECONDS * 100
    client.close()
    runner.stop()
    return {"p50_ms": median(took), "p99_ms": took[int(calls * 0.99)], "absent_ms": absent, "idle_percent": idle}


def timed(action: Any) -> float:
    """Milliseconds that `action()` takes."""
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def call_nobody(client: RpcClient) -> None:
    """Call a service that is not there."""
    try:
        client.call("nobody", "echo")
    except ServiceAbsent:
        return
    raise AssertionError("an absent service answered")


def main(calls: int) -> None:
    """Measure both, print, write."""
    try:
        figures = {"embedded": measure("embedded://bench", calls)}
        figures["rabbitmq"] = measure(shared_broker().new_vhost(), calls)
    finally:
        end_broker()
    ratio = figures["rabbitmq"]["p50_ms"] / figures["embedded"]["p50_ms"]
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"calls": calls, **figures, "ratio": ratio}, indent=2) + "\n")
    print(f"{'bus':10}{'p50 ms':>10}{'p99 ms':>10}{'absent ms':>12}{'idle %':>9}")
    for name, row in figures.items():
        print(f"{name:10}{row['p50_ms']:10.2f}{row['p99_ms']:10.2f}{row['absent_ms']:12.2f}{row['idle_percent']:9.2f}")
    print(f"RabbitMQ takes {ratio:.1f} times as long as the embedded bus")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
