"""Faults of disks."""

import sqlite3
from contextlib import closing, suppress

from tests.faults.bench.federation import Partner
from tests.faults.bench.scene import NotStaged, Scene, staged


def disk_full(scene: Scene, site: Partner) -> None:
    """F12: the disk under the node's database is full, until the node has refused something for it."""
    if site is not scene.federation.tight:
        raise NotStaged
    driver = scene.drivers[site.partner]
    if driver.blocks == driver.size.blocks:
        raise NotStaged
    ambiguous, filler = driver.ambiguous, site.path / "filler"
    try:
        with closing(sqlite3.connect(site.path / "node.db", timeout=10)) as database:
            # Otherwise what is recorded fits into the room that the log has on the disk already.
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(65536))
        driver.pace.more()
        staged(lambda: driver.ambiguous > ambiguous)
    finally:
        filler.unlink()
