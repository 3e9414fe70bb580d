"""`polku keys rotate KIND`: make the next key of a kind. Whatever follows from it, the running processes do.

signing, receiving   the node states them to its leads, the lead to its nodes (`terms`, `shared/journal/renewing.py`)
vault, bus           intake wraps people's keys anew and deletes what it needs no more (`services/intake/rotation.py`)
index                used from now on; older ones stay, to recognise a command that is repeated
"""

from datetime import datetime

from services.node.opening import KEYS, open_database
from services.node.rounds import one_round
from shared.contracts.errors import HomeHeld, InvalidInput
from shared.journal import Journal
from shared.journal.crypto import Key, make_key
from shared.journal.directory import member
from shared.journal.holding import is_held
from shared.ops.settings import Home
from shared.storage import snapshot

AFTER = {
    "lead": {
        "signing": "every node follows it from the key it has pinned; the older one stays, and verifies what it signed",
        "receiving": "nodes seal to it once they have heard of it; the older one stays, to open what is under way",
    },
    "node": {
        "signing": "it signs once the lead lists it, until then the older one does; that is taken for 60 days more",
        "receiving": "it is sealed to once the lead lists it; the older one stays, to open what is under way",
        "vault": "people's keys are wrapped anew while the home runs; a day later the older one is deleted",
        "index": "the older one stays, to recognise commands that are repeated",
        "bus": "a day later the private half of the older one is deleted",
    },
}
"""What becomes of the key before, by role and kind."""


def rotate(home: Home, kind: str, by: str, now: datetime) -> Key:
    """Make the home's next key of this kind. Raises `InvalidInput`, or `HomeHeld` after a restore."""
    if kind == "tag":
        raise InvalidInput(field="KIND", reason="the steward's node makes it: polku node tag-key PROGRAMME --new")
    if kind not in KEYS[home.role]:
        raise InvalidInput(field="KIND", reason=f"a {home.role} home has {', '.join(KEYS[home.role])}")
    engine = open_database(home)
    try:
        with one_round(home):
            with snapshot(engine) as connection:
                if is_held(connection):
                    raise HomeHeld()
                for place in home.joined if kind in ("signing", "receiving") else ():
                    if member(connection, place.programme, home.name) is None:
                        # Nobody could vouch for the new key: the lead knows none of ours yet.
                        reason = f"the lead of {place.programme} has not said yet that this node is in"
                        raise InvalidInput(field="KIND", reason=reason)
            with Journal(engine, home.name).unit(now) as unit:
                unit.audit(by, "rotate_key", kind=kind)
            return make_key(home.keys, kind)
    finally:
        engine.dispose()
