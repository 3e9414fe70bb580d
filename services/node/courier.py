"""`polku courier`: the plain process that ships a node's streams to its leads (`shared.journal.sending`)."""

from datetime import datetime

from sqlalchemy import Engine

from services.node.opening import open_database
from services.node.rounds import assert_plain, run_rounds
from services.node.uplink import folder_of
from shared.journal.crypto import Keys, key_id, load_keys
from shared.journal.filecarrier import FileCarrier
from shared.journal.sending import Courier, Sent
from shared.ops.logging import setup_logging
from shared.ops.settings import Home, Joined, load_home

IDLE_SECONDS = 5.0
WAITING_SECONDS = 0.5
"""Between looks for a receipt that is due."""


def run_courier(home: Home, *, child: bool) -> None:
    """Ship this node's streams until told to stop."""
    assert_plain()
    setup_logging("courier")
    engine, keys = open_database(home), load_keys(home.keys)
    couriers: dict[Joined, Courier] = {}
    results: dict[str, Sent] = {}

    def round_(now: datetime) -> float:
        for place in load_home(home.path).joined:  # a programme may be joined while we run
            courier = couriers.get(place) or couriers.setdefault(place, _courier(engine, keys, place))
            results.update(courier.round([f"{home.name}/{place.programme}"], now))
        waiting = any(sent.receipt < sent.head and not sent.failed for sent in results.values())
        return WAITING_SECONDS if waiting else IDLE_SECONDS

    def check() -> str | None:
        trouble = [stream for stream, sent in results.items() if sent.failed or sent.conflict]
        return f"not sent: {', '.join(trouble)}" if trouble else None

    run_rounds(home, round_, {"streams": check}, child=child)


def _courier(engine: Engine, keys: Keys, place: Joined) -> Courier:
    lead = bytes.fromhex(place.lead_signing_key)
    carrier = FileCarrier(folder_of(place.uplink))
    return Courier(
        engine, carrier, keys.newest("signing"), {key_id(lead): lead}, bytes.fromhex(place.lead_receiving_key)
    )
