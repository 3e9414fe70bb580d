"""After `polku keys rotate vault|bus`: people's keys are wrapped anew, and what nothing needs any more is deleted.

The command only makes the next key file. Whatever is recorded from then on is wrapped with it; the rest follows here, a
batch in a transaction, by whichever worker looks: a batch says by itself what is still due, so it may end anywhere.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Engine

from services.intake import text_store
from shared.journal.crypto import Keys
from shared.storage import snapshot, transaction

AT_ONCE = 200
"""Keys wrapped anew in one transaction: on SQLite it stays under 50 ms."""

KEPT_SECONDS = 24 * 3600.0
"""How long a replaced key file is kept at least: no request, import or transaction that began under it goes on longer,
and a backup that is being written has read it."""


def wrap_anew(engine: Engine, vault: Mapping[int, bytes]) -> int:
    """Wrap the next keys that are wrapped with an older vault key; how many were."""
    if len(vault) < 2:
        return 0
    with snapshot(engine) as connection:
        due = text_store.wrapped_with_older(connection, max(vault), AT_ONCE)
    if due:
        with transaction(engine) as connection:
            text_store.wrap_again(connection, vault, due)
    return len(due)


def discard(engine: Engine, keys: Keys, directory: Path, now: float | None = None) -> list[str]:
    """Delete what nothing needs any more: older vault keys once nobody's key is wrapped with them, and the private
    halves of older bus keys. Both only `KEPT_SECONDS` after the key that replaced them; the names of the files."""
    now = time.time() if now is None else now
    gone = []
    for kind in ("vault", "bus"):
        newest = keys.newest(kind)
        older = [key for key in keys.all if key.name == kind and key.number < newest.number and key.private is not None]
        if not older or now - os.stat(directory / f"{kind}-{newest.number}").st_mtime < KEPT_SECONDS:
            continue
        if kind == "vault":
            with snapshot(engine) as connection:
                if text_store.wrapped_with_older(connection, newest.number, 1):
                    continue
        for key in older:
            (directory / f"{kind}-{key.number}").unlink(missing_ok=True)
            gone.append(f"{kind}-{key.number}")
    return gone
