"""The two processes of `bench_uplink`: ``python -m tests.bench.uplink_ends send|receive CONFIG``.

Both print "ready", wait for a line on standard input, work with the product's own courier, receiver and derive loop
until everything has got where it was to get, and print a line of JSON: when that was, processor seconds, peak memory.
"""

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func
from sqlalchemy import select as query

from services.node.rounds import assert_plain
from services.node.uplink import LeadCarrier
from services.reporting import partner_queries, store
from services.reporting.beside import Deriver
from shared.journal.amqpcarrier import AmqpCarrier
from shared.journal.brokerlink import Broker
from shared.journal.carry_tables import received_head
from shared.journal.crypto import Key, key_id
from shared.journal.filecarrier import FileCarrier
from shared.journal.received import completeness
from shared.journal.receiving import Receiver
from shared.journal.sending import Courier
from shared.ops.clock import utcnow
from shared.ops.collecting import collect_seldom
from shared.storage import open_engine, snapshot

IDLE_SECONDS = 0.5


def key(name: str, halves: list[str]) -> Key:
    """A key out of the configuration."""
    return Key(name, 1, bytes.fromhex(halves[0]), bytes.fromhex(halves[1]))


def broker(config: dict[str, Any]) -> Broker:
    """The lead's broker."""
    return Broker(config["amqp"], config["amqp_password"])


def send(config: dict[str, Any]) -> None:
    """Courier rounds until a receipt covers every line of every stream; each node has a carrier of its own."""
    engine = open_engine(config["node"])
    signing, receiving = (bytes.fromhex(config["lead"][name][1]) for name in ("signing", "receiving"))
    carriers = {stream: AmqpCarrier(broker(config), {stream: box}) for stream, box in config["boxes"].items()}
    couriers = {
        stream: Courier(engine, carriers[stream], key("signing", halves), {key_id(signing): signing}, receiving)
        for stream, halves in config["streams"].items()
    }
    used = _wait_for_start()
    open_ = dict.fromkeys(couriers)
    due = list(open_)
    while open_:
        for stream in due:
            sent = couriers[stream].round([stream], utcnow())[stream]
            if sent.receipt >= config["lines"]:
                del open_[stream]
        # Each node would be a process of its own and look when its receipt comes.
        at = {carriers[stream].fileno(): stream for stream in open_}
        readable, _, _ = (
            select.select([fd for fd in at if fd is not None], [], [], IDLE_SECONDS) if at else ([], [], [])
        )
        due = [at[fd] for fd in readable] or list(open_)
    _tell(used)


def receive(config: dict[str, Any]) -> None:
    """The receiver's rounds, and its derive loop if the configuration says so, until all lines are in."""
    engine = open_engine(config["lead_database"])
    carrier = LeadCarrier(FileCarrier(Path(config["inbox"])), AmqpCarrier(broker(config), {}, at_lead=True))
    receiving = key("receiving", config["lead"]["receiving"])
    receiver = Receiver(engine, carrier, key("signing", config["lead"]["signing"]), {receiving.id: receiving.secret()})
    admitted = partner_queries.admitted_keys(engine, utcnow())
    carrier.serve(*partner_queries.boxes(engine))
    carrier.read_joins(1)  # makes the boxes

    def take() -> int:
        return receiver.round(admitted, utcnow()).lines

    deriver = Deriver(engine)
    if config["derive"]:
        deriver.beside(lambda: 0)  # its process has begun too
    used = _wait_for_start()
    while True:
        if not (deriver.beside(take) if config["derive"] else take()):
            if _all_in(engine, config):
                break
            select.select(carrier.watched(), [], [], IDLE_SECONDS)
    _tell(used)


def _all_in(engine: Engine, config: dict[str, Any]) -> bool:
    """Whether all lines are in, and every node can hear so: where it speaks is known by its manifest alone. Raises
    RuntimeError if the lead does not call every stream complete then."""
    table = store.cursor if config["derive"] else received_head
    silent = query(func.count()).where(received_head.c.echo == "")
    with snapshot(engine) as connection:
        total = connection.execute(query(func.sum(table.c.seq))).scalar_one()
        if total != config["lines"] * len(config["streams"]) or connection.execute(silent).scalar_one():
            return False
        said = {row.stream: row.state for row in completeness(connection, utcnow(), streams=config["streams"])}
    if set(said.values()) != {"complete"}:
        raise RuntimeError(f"all lines are in, and yet: {said}")
    return True


def _wait_for_start() -> float:
    """Processor seconds that were used before: the imports."""
    print("ready", flush=True)
    sys.stdin.readline()
    return _processor_seconds()


def _tell(used: float) -> None:
    at = time.monotonic()
    kilobytes = [int(line.split()[1]) for file in _files("status") for line in file.split("\n") if "VmHWM" in line]
    print(json.dumps({"at": at, "cpu": _processor_seconds() - used, "peak_mb": sum(kilobytes) / 1024}), flush=True)
    sys.stdin.readline()
    os._exit(0)  # the broker's connections need no good-bye


def _processor_seconds() -> float:
    """Of this process and the one that derives."""
    stats = [file.rpartition(") ")[2].split() for file in _files("stat")]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


def _files(name: str) -> list[str]:
    """What the system says of this process and its children."""
    mine = str(os.getpid())
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = Path("/proc", process, "stat").read_text().rpartition(") ")[2].split()[1]
            if mine in (process, parent):
                found.append(Path("/proc", process, name).read_text())
        except OSError:  # has ended
            continue
    return found


if __name__ == "__main__":
    assert_plain()
    collect_seldom()
    {"send": send, "receive": receive}[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text()))
