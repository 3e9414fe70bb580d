"""A year of all five programmes with thousands of people, held against the slow models, on SQLite and on PostgreSQL.

Both live side by side, each in a process of its own.

``python -m tests.bench.bench_years [people]`` (2000 in all) prints figures, writes ``build/bench/years.json``. Exit 1
if anything differs from the models or a state was not reached in a programme. ``POLKU_SEED`` chooses other years.
"""

import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from services.pathways import store
from shared.journal.tables import journal_line
from shared.journal.unit import prepare
from shared.storage import open_engine
from shared.storage.migrate import migrate
from shared.testing.postgres import new_database
from tests.bench.servers import hosted
from tests.years.checks import checked, missing
from tests.years.must import MUST
from tests.years.programmes import KEYS
from tests.years.year import Years

SPAWN = multiprocessing.get_context("spawn")
RESULT = Path(__file__).parents[2] / "build" / "bench" / "years.json"


def lived(url: str, people: int, seed: int) -> dict[str, Any]:
    """Live five years in this database and check them; the figures."""
    engine = open_engine(url)
    migrate(engine, prepare)
    began = time.monotonic()
    years = Years(engine, random.Random(seed), people_each=people // len(KEYS)).live()
    living = time.monotonic() - began
    reached = checked(years)
    with engine.connect() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(t)).scalar_one() for t in (journal_line, store.task)
        ]
    engine.dispose()

    def total(what: str) -> int:
        return sum(times for (_, said), times in reached.items() if said == what)

    said = [(what, times) for (_, what), times in reached.items()]
    refused = sum(times for what, times in said if " refused:" in what or (":" not in what and "refused" in what))
    return {
        "people": len(years.people),
        "events": years.events,
        "lines": counts[0],
        "tasks": counts[1],
        "steps": total("step taken"),
        "refused": refused,
        "kills": total("killed"),
        "states": len(MUST) * len(KEYS),
        "missing": [list(pair) for pair in missing(reached, each=True)],
        "living_seconds": round(living, 1),
        "checking_seconds": round(time.monotonic() - began - living, 1),
    }


def main(people: int, seed: int) -> int:
    """Both databases; 0 if all states were reached (what differs from a model raises)."""
    with hosted() as (_, postgres), tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(2, SPAWN) as pool:
        sqlite = pool.submit(lived, f"sqlite:///{folder}/home.db", people, seed)
        postgresql = pool.submit(lived, new_database(postgres), people, seed + 1)
        rows = {"sqlite": sqlite.result(), "postgresql": postgresql.result()}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"seed": seed, "rows": rows}, indent=2) + "\n")
    print(f"{'':20}" + "".join(f"{name:>14}" for name in rows))
    for word in next(iter(rows.values())):
        print(
            f"{word:20}" + "".join(f"{len(row[word]) if word == 'missing' else row[word]:>14}" for row in rows.values())
        )
    return int(any(row["missing"] for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000, int(os.environ.get("POLKU_SEED", "1"))))
