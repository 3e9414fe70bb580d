"""nameko's own consumer with its default ten workers; psycopg, a connection per worker."""

# ruff: noqa: E402  patching comes before all other imports

import os

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

import warnings

warnings.filterwarnings("ignore", message=".*[Ee]ventlet.*")

import eventlet

eventlet.monkey_patch()

import json
import sys
from typing import Any

from eventlet.queue import Queue
from kombu import Queue as KombuQueue
from nameko.messaging import consume
from nameko.runners import ServiceRunner
from psycopg import Connection, connect

from tests.bench.rivals import INSERT, QUEUE

STATEMENT = INSERT.format("%s", "%s", "%s", "%s")
free: Queue = Queue()


class Taker:
    """Stores each line."""

    name = "taker"

    @consume(KombuQueue(QUEUE, durable=True))
    def take(self, line: dict[str, Any]) -> None:
        """One line; it is acked when this returns."""
        connection: Connection[Any] = free.get()
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        connection.execute(STATEMENT, (line["stream"], line["seq"], line["kind"], text))
        free.put(connection)


def main(amqp: str, postgres: str) -> None:
    """Store lines until ended."""
    for _ in range(10):
        free.put(connect(postgres, autocommit=True))
    runner = ServiceRunner({"AMQP_URI": amqp})
    runner.add_service(Taker)
    runner.start()
    print("ready", flush=True)
    runner.wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
