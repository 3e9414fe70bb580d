"""Faults of what is between a node and its lead (`proxy.Mode`)."""

import time

from tests.faults.bench.federation import PATIENCE_SECONDS, Partner
from tests.faults.bench.proxy import Mode
from tests.faults.bench.scene import NotStaged, Scene, staged

BROKEN = (Mode.CUT, Mode.HALF_OPEN, Mode.ONE_WAY, Mode.STALLED, Mode.TORN)
LATE = (Mode.SLOW, Mode.DRIP, Mode.STALLED)


def cut_link(scene: Scene, site: Partner) -> None:
    """F08: the link is cut, half-open, one-way, stalled, or connections are reset in mid-item."""
    scene.random_moment(0.3)
    # A folder can only be away.
    site.link.set(scene.chance.choice(BROKEN))
    try:
        scene.random_moment(2.5)
    finally:
        site.link.set(Mode.OPEN)


def late_answers(scene: Scene, site: Partner) -> None:
    """F09: what is sent or answered arrives only after its sender has given up, or a few bytes at a time."""
    scene.drivers[site.partner].calling.wait(1)
    mode = scene.chance.choice(LATE)
    if not site.link.set(mode):
        site.link.set(Mode.OPEN)
        raise NotStaged
    try:
        scene.random_moment(2)
        time.sleep(PATIENCE_SECONDS + 1)  # the fault's length
    finally:
        site.link.set(Mode.OPEN)


def long_cut(scene: Scene, site: Partner) -> None:
    """F10: the link stays down while the node goes on recording, then everything comes at once."""
    before, _ = scene.watermark(site)
    driver = scene.drivers[site.partner]
    blocks = driver.blocks
    site.link.set(Mode.CUT)
    try:
        driver.pace.more()
        staged(lambda: driver.blocks > blocks)
        assert scene.watermark(site)[0] >= before
    finally:
        site.link.set(Mode.OPEN)
