"""What a fault acts on, and what several of them use."""

import itertools
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select

from shared.journal.carrier import Place, place_named
from shared.journal.carry_tables import received_early, received_head, received_refused
from shared.journal.lines import chain_start
from shared.journal.segment import Reason
from shared.testing.wait import until
from tests.faults.bench.driver import Driver
from tests.faults.bench.federation import UP_SECONDS, BenchSite, Federation, Partner, Servers
from tests.faults.bench.forging import FAR, refused_as
from tests.faults.bench.links import BrokerLink, Held

STAGING_SECONDS = 15.0
DECIDING_SECONDS = 90.0
"""How long a receiver may take to look at what lies there, on a machine that does a lot else."""


class NotStaged(Exception):
    """What the fault needs did not come about."""


@dataclass
class Scene:
    """What a fault acts on: the homes, who works there, and what the lead must have refused, by digest.

    `skewed` are the partners whose clock was wrong, until they have healed from that. `leads` changes before and after
    the lead is replaced, and when a home becomes a newer release, `restoring` is true until it has healed from that.
    """

    federation: Federation
    drivers: dict[str, Driver]
    seed: int
    refused: dict[bytes, Reason] = field(default_factory=dict)
    seen_refused: dict[bytes, str] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    skewed: set[str] = field(default_factory=set)
    leads: int = 0
    restoring: bool = False
    stop_seconds: list[float] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    _own: threading.local = field(default_factory=threading.local)

    def begin(self, number: int) -> None:
        """In this thread fault `number` of the plan begins: its chance does not depend on the others."""
        self._own.chance = random.Random(f"{self.seed} {number}")

    @property
    def chance(self) -> random.Random:
        """The chance of the fault of this thread."""
        chance: random.Random = self._own.chance
        return chance

    @property
    def lead(self) -> BenchSite:
        """The lead."""
        return self.federation.lead

    def random_moment(self, longest: float) -> None:
        """Let a random time pass: a fault comes when it comes."""
        time.sleep(self.chance.uniform(0, longest))

    def watermark(self, site: Partner) -> tuple[int, bytes]:
        """How far the lead is with this partner's stream."""
        c = received_head.c
        with self.lead.look() as connection:
            row = connection.execute(select(c.seq, c.chain).where(c.stream == site.stream)).one_or_none()
        return (row.seq, bytes(row.chain)) if row else (0, chain_start(site.stream))

    def decided(self, site: Partner, places: list[Place]) -> bool:
        """Whether the lead has taken these or keeps them for later."""
        c = received_early.c
        with self.lead.look() as connection:
            early = {tuple(row) for row in connection.execute(select(c.first, c.last).where(c.stream == site.stream))}
        seq, _ = self.watermark(site)
        return all(place.last <= seq or (place.first, place.last) in early for place in places)

    def plant(self, site: Partner, contents: list[tuple[bytes, Reason]], place: Place | None = None) -> None:
        """Drop contents into the channel of a courier that stands still, and wait until each has been refused."""
        expected = {refused_as(data): reason for data, reason in contents}
        self.refused |= expected
        names = []
        try:
            for data, _ in contents:
                names.append((place or self.far()).name)
                site.link.put(names[-1], data)
                if place:  # all have the one name: one after the other
                    self._await_refused({refused_as(data): expected[refused_as(data)]})
            self._await_refused(expected)
        finally:
            for name in names:
                site.link.remove(name)

    def far(self) -> Place:
        """A place of its own that belongs to nobody."""
        number = FAR + next(self.numbers)
        return Place(1, number, number)

    def _await_refused(self, expected: dict[bytes, Reason]) -> None:
        c = received_refused.c
        found: dict[bytes, str] = {}

        def all_there() -> bool:
            with self.lead.look() as connection:
                rows = connection.execute(select(c.digest, c.reason).where(c.digest.in_(list(expected))))
                found.update({bytes(row.digest): row.reason for row in rows})
            return found.keys() == expected.keys()

        until(all_there, DECIDING_SECONDS, every=0.1)
        self.seen_refused |= found


def staged(condition: Callable[[], bool], seconds: float = STAGING_SECONDS) -> None:
    """Wait until it is so, or say that the fault cannot be staged."""
    try:
        until(condition, seconds, every=0.05)
    except AssertionError:
        raise NotStaged from None


def restarted_child(site: BenchSite, pid: int) -> None:
    """Wait until the home has a new child instead of `pid`."""
    until(lambda: site.child not in (0, pid), UP_SECONDS)


def servers_of(scene: Scene) -> Servers:
    """PostgreSQL and RabbitMQ under the homes, where there are any."""
    if scene.federation.servers is None:
        raise NotStaged
    return scene.federation.servers


def by_broker(site: Partner) -> BrokerLink:
    """The link of a node that comes by the lead's broker."""
    if not isinstance(site.link, BrokerLink):
        raise NotStaged
    return site.link


@contextmanager
def coming(scene: Scene, site: Partner, courier: int, count: int = 1) -> Iterator[Held]:
    """At least `count` segments that the lead has not read; the courier, which must stand still already, goes on until
    then. What comes is still held up while this lasts."""
    with site.link.held(scene.lead.running_child()) as held:
        os.kill(courier, signal.SIGCONT)
        try:
            staged(lambda: len(held.segments()) >= count)
        finally:
            os.kill(courier, signal.SIGSTOP)
        yield held


def taken_out(scene: Scene, site: Partner, courier: int, count: int) -> dict[str, bytes]:
    """At least `count` segments, taken away before the lead has read them, by name."""
    with coming(scene, site, courier, count) as held:
        found = held.segments()
        held.take_out()
    return found


def place(name: str) -> Place:
    """The place that a segment's name tells."""
    found = place_named(name)
    assert found is not None
    return found
