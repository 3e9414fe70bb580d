"""A restored home is held: it records nothing until each of its leads has answered.

Somebody may have recorded after the backup was made; what they recorded may have reached the lead. A home that went on
from the backup would give the same numbers to other facts: two histories. So `polku restore` of a node sets the hold
and forgets what the courier knew. While it holds, no unit of work commits a fact (`HomeHeld`), services do not follow,
the courier writes manifests and reads receipts but ships nothing (`sending.Courier.listen`). A receipt that echoes one
of these manifests was written after the restore, because nobody else could name its nonce. When such a receipt has
come for every stream and agrees with our chain, the courier ends the hold.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, delete, insert, select

from shared.journal.carry_tables import courier_manifest, courier_receipt, courier_segment
from shared.journal.tables import journal_hold
from shared.storage import snapshot, transaction

WAITING, AHEAD, DIFFERS = "waiting", "lead_ahead", "differs"


def hold(connection: Connection, since: str) -> None:
    """Hold the home from now on, and forget what the courier of another life wrote and read; `since` in wire form."""
    for table in (courier_receipt, courier_manifest, courier_segment):
        connection.execute(delete(table))
    connection.execute(insert(journal_hold), {"one": 1, "since": since})


def is_held(connection: Connection) -> bool:
    """Whether the home is held."""
    return connection.execute(select(journal_hold.c.one)).first() is not None


def held_streams(engine: Engine, streams: Sequence[str]) -> dict[str, str]:
    """Why the home is held, per stream of `streams` that has not been released; empty if it is not held."""
    with snapshot(engine) as connection:
        if not is_held(connection):
            return {}
        rows = {row.stream: row for row in connection.execute(select(courier_receipt))}
    reasons = {}
    for stream in streams:
        row = rows.get(stream)
        if row is not None and row.conflict is not None:
            reasons[stream] = AHEAD if row.conflict == "receipt_ahead" else DIFFERS
        elif row is None or not row.manifest:
            reasons[stream] = WAITING
    return reasons


def release(engine: Engine) -> None:
    """End the hold, if there is one."""
    with snapshot(engine) as connection:
        if not is_held(connection):
            return
    with transaction(engine) as connection:
        connection.execute(delete(journal_hold))
