"""From journal line to the lead: receipted, and derived with corrections, beside what others do with the same lines.

``python -m tests.bench.bench_uplink [lines] [rivals' lines]`` (500000, 16000: about five seconds of work each, so that
beginning and end weigh alike) prints a table with ratios and writes
``build/bench/uplink.json``. In each row sender, broker, receiver and database work at the same time: a process that
reads the journal in PostgreSQL and sends, RabbitMQ with persistent messages and confirms, a process (Celery: two) that
stores in PostgreSQL with fsync. Exits 1 under the limits of issue 4.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.engine import make_url

from shared.journal.amqpcarrier import box_of
from shared.journal.tables import journal_line
from shared.storage import open_engine, transaction
from shared.storage.upsert import insert_many
from shared.testing.broker import Broker
from shared.testing.postgres import drop_database, new_database
from shared.testing.wait import until
from tests.bench.rivals import TABLE
from tests.bench.servers import hosted
from tests.bench.uplink_kit import COLUMNS, PROGRAMME, fill, lead_with, new_home, partner_key, stream_name
from tests.journal.exchange_kit import make_key

RESULT = Path(__file__).parents[2] / "build" / "bench" / "uplink.json"
RIVALS = {"faststream_": "FastStream", "nameko_": "nameko", "celery_": "Celery"}
LIMITS = {"receipted": 30.0, "derived": 12.0}
"""How many times the better of FastStream and nameko."""
START_SECONDS, SLOWEST = 60, 500
"""How long a program may take to begin; and lines a second under which a side is taken to hang."""


@contextmanager
def journal(postgres: int, nodes: Sequence[int], lines: int) -> Iterator[str]:
    """The URL of a database with the lines of these nodes."""
    url = new_database(postgres)
    engine = new_home(url)
    fill(engine, nodes, lines)
    engine.dispose()
    yield url
    drop_database(postgres, url)


def uplink(
    node: str, broker: Broker, postgres: int, *, nodes: Sequence[int], lines: int, derive: bool
) -> dict[str, float]:
    """Ship `lines` lines of each node. Seconds until all were receipted or derived, and what the two processes used."""
    lead, amqp = new_database(postgres), broker.new_vhost()
    keys = {number: make_key("signing") for number in nodes}
    engine = new_home(lead)
    lead_with(engine, keys)
    engine.dispose()

    def halves(key: Any) -> list[str]:
        return [key.private.hex(), key.public.hex()]

    at = urlsplit(amqp)
    config = {
        "node": node,
        "lead_database": lead,
        "amqp": amqp.replace(f":{at.password}@", "@"),
        "amqp_password": at.password,
        "boxes": {stream_name(number): box_of(PROGRAMME, partner_key(number)) for number in nodes},
        "lines": lines,
        "derive": derive,
        "streams": {stream_name(number): halves(key) for number, key in keys.items()},
        "lead": {name: halves(make_key(name)) for name in ("signing", "receiving")},
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.json"
        file.write_text(json.dumps(config | {"inbox": str(Path(folder) / "inbox")}))
        with _started("tests.bench.uplink_ends", "receive", str(file)) as receiver:
            with _started("tests.bench.uplink_ends", "send", str(file)) as sender:
                began = time.monotonic()
                for end in (receiver, sender):
                    end.say("go")
                patience = START_SECONDS + lines * len(nodes) / SLOWEST
                sent, received = (json.loads(line) for line in hear([sender, receiver], patience))
    broker.drop_vhost(amqp)
    drop_database(postgres, lead)
    with open_engine(node).begin() as connection:
        for table in ("courier_receipt", "courier_manifest", "courier_segment"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    total = lines * len(nodes)
    seconds = (received if derive else sent)["at"] - began
    return {
        "lines": total,
        "seconds": seconds,
        "per_second": total / seconds,
        "sender_us": sent["cpu"] / total * 1e6,
        "receiver_us": received["cpu"] / total * 1e6,
        "receiver_peak_mb": received["peak_mb"],
    }


def rival(name: str, node: str, broker: Broker, postgres: int, lines: int) -> dict[str, float]:
    """The same lines through one of the others."""
    url, amqp = new_database(postgres), broker.new_vhost()
    at = make_url(url)
    dsn = f"postgresql://{at.username}@{at.host}:{at.port}/{at.database}"
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(TABLE)

    def stored() -> bool:
        with engine.connect() as connection:
            return bool(connection.exec_driver_sql("SELECT count(*) FROM rival_line").scalar_one() == lines)

    with _started(f"tests.bench.rivals.{name}", amqp, dsn):
        with _started("tests.bench.rivals.publishing", name, amqp, node) as publisher:
            began = time.monotonic()
            publisher.say("go")
            until(stored, 120, every=0.02)
            seconds = time.monotonic() - began
    engine.dispose()
    broker.drop_vhost(amqp)
    drop_database(postgres, url)
    return {"lines": lines, "seconds": seconds, "per_second": lines / seconds}


def copying(node: str, postgres: int) -> dict[str, float]:
    """A binary COPY of the same lines alone into the table they come from: what the database could do at most."""
    source, url = open_engine(node), new_database(postgres)
    with source.connect() as connection:
        rows = [tuple(row) for row in connection.execute(select(*(journal_line.c[name] for name in COLUMNS)))]
    target = new_home(url)
    began = time.monotonic()
    with transaction(target) as connection:
        insert_many(connection, journal_line, COLUMNS, rows)
    seconds = time.monotonic() - began
    for engine in (source, target):
        engine.dispose()
    drop_database(postgres, url)
    return {"lines": len(rows), "seconds": seconds, "per_second": len(rows) / seconds}


@dataclass(frozen=True)
class Side:
    """A program of the benchmark, with what it writes to standard error."""

    name: str
    process: subprocess.Popen[bytes]
    log: IO[str]

    def say(self, word: str) -> None:
        """Tell it something."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n".encode())

    def last_words(self) -> str:
        """The end of its log."""
        self.log.seek(0)
        return self.log.read()[-2000:]


def hear(sides: Sequence[Side], seconds: float) -> list[bytes]:
    """A line from each. Raises RuntimeError with the last words of one that ends first, or when time is up."""
    heard: dict[Side, bytes] = {}
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as waiting:
        for side in sides:
            assert side.process.stdout is not None
            waiting.register(side.process.stdout, selectors.EVENT_READ, side)
        while len(heard) < len(sides):
            ready = waiting.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                silent = [side for side in sides if side not in heard]
                words = "; ".join(f"{side.name}: {side.last_words()}" for side in silent)
                raise RuntimeError(f"nothing heard within {seconds:.0f} s of {words}")
            for event, _ in ready:
                side = event.data
                if not (line := side.process.stdout.readline()):
                    raise RuntimeError(f"{side.name} has ended: {side.last_words()}")
                heard[side] = line
                waiting.unregister(event.fileobj)
    return [heard[side] for side in sides]


@contextmanager
def _started(module: str, *arguments: str) -> Iterator[Side]:
    """A program of the benchmark once it has said that it is ready."""
    with started(module, [sys.executable, "-m", module, *arguments]) as side:
        while hear([side], START_SECONDS) != [b"ready\n"]:
            pass  # Celery has more to say first
        yield side


@contextmanager
def started(name: str, program: Sequence[str]) -> Iterator[Side]:
    """A program that ends with us."""
    command = ["setpriv", "--pdeathsig", "KILL", "--", *program]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
        try:
            yield Side(name, process, log)
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # Celery's children too
            process.communicate()


def measure(broker: Broker, postgres: int, lines: int, rival_lines: int) -> dict[str, dict[str, float]]:
    """All rows of the table."""
    found = {}
    with journal(postgres, [1], rival_lines) as node:
        for name, title in RIVALS.items():
            if find_spec(title.lower()):
                found[title] = rival(name, node, broker, postgres, rival_lines)
    with journal(postgres, [1], lines) as node:
        found["receipted"] = uplink(node, broker, postgres, nodes=[1], lines=lines, derive=False)
        found["derived"] = uplink(node, broker, postgres, nodes=[1], lines=lines, derive=True)
        found["COPY alone"] = copying(node, postgres)
    return found


def main(lines: int, rival_lines: int) -> int:
    """Measure; 0 if all is within the limits."""
    with hosted() as (broker, postgres):
        found = measure(broker, postgres, lines, rival_lines)
    if absent := [title for title in RIVALS.values() if title not in found]:
        sys.exit(f"nothing to compare with: {', '.join(absent)} (make install-bench)")
    rivals = [found[name]["per_second"] for name in ("FastStream", "nameko")]
    for row in found.values():
        row["times_the_better"] = row["per_second"] / max(rivals)
        row["of_copy"] = row["per_second"] / found["COPY alone"]["per_second"]
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"limits": LIMITS, "rows": found}, indent=2) + "\n")
    print(f"{'from journal line to':22}{'lines/s':>10}{'times the better':>18}{'of COPY':>9}{'limit':>7}")
    for name, row in found.items():
        limit = f"{LIMITS[name]:.0f}" if name in LIMITS else ""
        times, part = row["times_the_better"], row["of_copy"]
        print(f"{name:22}{row['per_second']:10.0f}{times:18.1f}{part:9.3f}{limit:>7}")
    return int(any(found[name]["times_the_better"] < limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])) if sys.argv[1:] else main(500_000, 16_000))
