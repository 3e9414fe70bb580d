"""FastStream on asyncio: aio-pika, asyncpg with 10 connections, messages acked when stored, 100 of them ahead."""

import asyncio
import json
import logging
import sys
from typing import Any

import asyncpg
from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue

from tests.bench.rivals import INSERT, QUEUE

STATEMENT = INSERT.format("$1", "$2", "$3", "$4")


async def main(amqp: str, postgres: str) -> None:
    """Store lines until ended."""
    pool = await asyncpg.create_pool(postgres, min_size=10, max_size=10)
    broker = RabbitBroker(amqp, default_channel=Channel(prefetch_count=100), logger=logging.getLogger("quiet"))

    @broker.subscriber(RabbitQueue(QUEUE, durable=True), ack_policy=AckPolicy.NACK_ON_ERROR)
    async def take(line: dict[str, Any]) -> None:
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        await pool.execute(STATEMENT, line["stream"], line["seq"], line["kind"], text)

    app = FastStream(broker, logger=None)
    app.after_startup(lambda: print("ready", flush=True))
    await app.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
