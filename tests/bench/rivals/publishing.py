"""What feeds the rivals: the journal's lines as messages, confirmed in batches, by a process of its own.

``python -m tests.bench.rivals.publishing NAME AMQP-URL DATABASE-URL`` prints "ready" and goes when it reads a line.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

from amqp import Connection, Message
from kombu.utils.url import parse_url
from sqlalchemy import select

from shared.journal.tables import journal_line
from shared.storage import open_engine
from tests.bench.rivals import QUEUE

CONFIRM_EVERY = 500


def main(name: str, amqp: str, database: str) -> None:
    """Publish every line of the journal to the rival called `name`."""
    print("ready", flush=True)
    sys.stdin.readline()
    send, settle = _to_celery(amqp) if name == "celery_" else _to_queue(amqp)
    for number, line in enumerate(_lines(database), 1):
        send(line)
        if number % CONFIRM_EVERY == 0:
            settle()
    settle()
    sys.stdin.readline()


def _lines(database: str) -> Iterator[bytes]:
    query = select(journal_line.c.line).order_by(journal_line.c.pos).execution_options(yield_per=1000)
    with open_engine(database).connect() as connection:
        yield from connection.execute(query).scalars()


def _to_queue(amqp: str) -> tuple[Callable[[bytes], None], Callable[[], None]]:
    """Persistent messages; the second function waits until the broker has confirmed all."""
    at: Any = parse_url(amqp)
    where = {"userid": at["userid"], "password": at["password"], "virtual_host": at["virtual_host"]}
    connection = Connection(f"{at['hostname']}:{at['port']}", **where)
    connection.connect()
    channel = connection.channel()
    channel.confirm_select()
    sent, unconfirmed = 0, set[int]()

    def acked(tag: int, multiple: bool) -> None:
        nonlocal unconfirmed
        unconfirmed = {t for t in unconfirmed if t > tag} if multiple else unconfirmed - {tag}

    def send(line: bytes) -> None:
        nonlocal sent
        channel.basic_publish(Message(line, delivery_mode=2, content_type="application/json"), routing_key=QUEUE)
        sent += 1
        unconfirmed.add(sent)

    def settle() -> None:
        while unconfirmed:
            connection.drain_events(timeout=30)

    channel.events["basic_ack"].add(acked)
    return send, settle


def _to_celery(amqp: str) -> tuple[Callable[[bytes], None], Callable[[], None]]:
    from tests.bench.rivals.celery_ import app, take

    app.conf.broker_url = amqp
    return lambda line: take.delay(line.decode()) and None, lambda: None


if __name__ == "__main__":
    main(*sys.argv[1:])
