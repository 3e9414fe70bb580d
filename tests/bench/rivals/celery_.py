"""Celery with two processes, tasks acked late, no results; psycopg, a connection per process."""

import json
import os
import sys
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_ready
from psycopg import Connection, connect

from tests.bench.rivals import INSERT, QUEUE

STATEMENT = INSERT.format("%s", "%s", "%s", "%s")
app = Celery("bench", broker=os.environ.get("BENCH_AMQP"))
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_default_queue=QUEUE,
    worker_prefetch_multiplier=50,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    broker_connection_retry_on_startup=False,
)
_connection: list[Connection[Any]] = []


@worker_process_init.connect
def _open(**_: Any) -> None:
    _connection.append(connect(os.environ["BENCH_POSTGRES"], autocommit=True))


@worker_ready.connect
def _say(**_: Any) -> None:
    print("ready", flush=True)


@app.task(name="take")
def take(text: str) -> None:
    """Store one line."""
    line = json.loads(text)
    _connection[0].execute(STATEMENT, (line["stream"], line["seq"], line["kind"], text))


def main(amqp: str, postgres: str) -> None:
    """Store lines until ended."""
    os.environ.update(BENCH_AMQP=amqp, BENCH_POSTGRES=postgres)
    app.conf.broker_url = amqp
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]
    app.worker_main(["worker", "--pool=prefork", "--concurrency=2", *quiet])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
