"""Faults of disks."""

from contextlib import suppress

from tests.faults.bench.federation import Partner
from tests.faults.bench.scene import NotStaged, Scene, staged


def disk_full(scene: Scene, site: Partner) -> None:
    """F12: the disk under the node's database is full, until the node has refused something for it."""
    if site is not scene.federation.tight:
        raise NotStaged
    driver = scene.drivers[site.partner]
    ambiguous, filler = driver.ambiguous, site.path / "filler"
    try:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(65536))
        driver.pace.more()
        staged(lambda: driver.ambiguous > ambiguous)
    finally:
        filler.unlink()
