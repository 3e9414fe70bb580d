"""Faults of what is remembered: a home goes back in time, its clock is wrong, a person is erased."""

from contextlib import suppress

from services.node.backup import back_up
from shared.ops.clock import utcnow
from tests.faults.bench.federation import Partner
from tests.faults.bench.scene import NotStaged, Scene, staged


def restore_lead(scene: Scene, site: Partner) -> None:
    """F24: the lead is restored from a backup that lacks what came since."""
    backup = scene.federation.folder / f"backup-{next(scene.numbers)}"
    passphrase = back_up(scene.lead.home, backup, utcnow(), new_passphrase=True)
    assert passphrase is not None
    before, _ = scene.watermark(site)
    scene.drivers[site.partner].pace.more()
    staged(lambda: scene.watermark(site)[0] > before)
    scene.restoring = True
    scene.leads += 1
    scene.lead.end(kill=True)
    scene.federation.restore_lead(backup, passphrase)
    scene.lead.up()
    scene.leads += 1


def wrong_clock(scene: Scene, site: Partner) -> None:
    """F14: the node's clock is 20 hours ahead or behind, and jumps back: more than a day, and no portal answers."""
    driver, right = scene.drivers[site.partner], site.environment
    scene.skewed.add(site.partner)
    for skew in (scene.chance.choice(("20", "-20")), None):
        site.end(kill=False)
        site.environment = {**right, "POLKU_BENCH_SKEW": skew} if skew else right
        site.up()
        blocks = driver.blocks
        if skew:
            driver.pace.more()
            with suppress(NotStaged):  # or the load was over
                staged(lambda: driver.blocks > blocks, 5)  # noqa: B023


def erase(scene: Scene, site: Partner) -> None:
    """F29: a person is erased while facts about them are on their way."""
    driver = scene.drivers[site.partner]
    left = [subject for subject in driver.subjects if subject not in scene.erased]
    if len(left) < 10:
        raise NotStaged
    subject = scene.chance.choice(left)
    scene.erased.add(subject)
    driver.erase(subject)
