"""Faults of what is carried: garbage, forgeries, repetitions, another order, losses."""

from shared.journal.carrier import Place
from shared.journal.segment import Reason
from shared.testing.wait import until
from tests.faults.bench.federation import Partner
from tests.faults.bench.forging import FAR, Forger, garbage
from tests.faults.bench.links import standing_still
from tests.faults.bench.scene import DECIDING_SECONDS, Scene, coming, place, taken_out


def plant_garbage(scene: Scene, site: Partner) -> None:
    """F16: undecodable, cut off, over-long, a bomb."""
    with standing_still(site.running_child()):
        scene.plant(site, garbage(scene.chance))


def plant_forged(scene: Scene, site: Partner) -> None:
    """F18: other keys, other streams, changed bytes; and what a stolen key could sign."""
    other = scene.chance.choice([p for p in scene.federation.partners if p is not site]).stream
    forger = Forger(site, other, scene.chance)
    with standing_still(site.running_child()):
        scene.plant(site, forger.forged(FAR))  # and with them what had come before
        seq, chain = scene.watermark(site)
        scene.plant(site, forger.in_place(seq + 1, chain), Place(1, seq + 1, seq + 1))


def replay(scene: Scene, site: Partner) -> None:
    """F19: everything that was ever seen on its way comes again."""
    courier = site.running_child()
    with standing_still(courier):
        if not site.link.tape:
            with coming(scene, site, courier):
                pass  # now there is something
        for name, data in sorted(site.link.tape.items()):
            site.link.put(name, data)
        # The last to be looked at in a round is refused, and says that the round has come to the end.
        scene.plant(site, [(scene.chance.randbytes(64), Reason.BAD_MAGIC)])


def out_of_order(scene: Scene, site: Partner) -> None:
    """F20: segments come in a random order, one after the other."""
    courier = site.running_child()
    with standing_still(courier):
        segments = list(taken_out(scene, site, courier, 2).items())
        scene.chance.shuffle(segments)
        for name, data in segments:
            site.link.put(name, data)
            until(lambda n=name: scene.decided(site, [place(n)]), DECIDING_SECONDS, every=0.05)  # type: ignore[misc]


def lose_tail(scene: Scene, site: Partner) -> None:
    """F21: the last segments are lost before a silence; the lead must say so from the manifest alone."""
    courier = site.running_child()
    with standing_still(courier):
        segments = list(taken_out(scene, site, courier, 1).items())
        for name, data in segments[: -scene.chance.randint(1, 3)]:
            site.link.put(name, data)
        scene.random_moment(2)


def purge(scene: Scene, site: Partner) -> None:
    """F22: somebody empties the folder: segments, manifest, receipt; or deletes the queue."""
    courier = site.running_child()
    with standing_still(courier), coming(scene, site, courier) as held:
        held.wipe()
