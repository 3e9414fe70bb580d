"""What a service gets of its home: engine, journal, keys, the clock, and the way to say that it has committed.

``home = HomeResource()`` on a service class, with ``follower = JournalFollower("home")``. The runner passes the
`HomeContext` in the container's configuration under `HOME_CONFIG`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nameko.containers import WorkerContext
from nameko.extensions import DependencyProvider
from sqlalchemy import Engine

from shared.contracts.facts import Fact
from shared.journal import Journal
from shared.journal.crypto import Keys, current_keys
from shared.journal.follow import LEADS, Follower, Handler, LeadFollowers
from shared.ops.clock import utcnow
from shared.ops.settings import Home

HOME_CONFIG = "POLKU_HOME"
EVERYTHING = 2**62
"""A position that no journal reaches: `follow_to` it hears all that is there."""


@dataclass(frozen=True, slots=True)
class HomeContext:
    """An opened home. `wake` tells everybody who follows the journal that it has grown to a position."""

    home: Home
    engine: Engine
    wake: Callable[[int], None]
    now: Callable[[], datetime] = utcnow
    followers: dict[str, Follower] = field(default_factory=dict)

    @property
    def journal(self) -> Journal:
        """The home's journal."""
        return Journal(self.engine, self.home.name)


@dataclass(frozen=True, slots=True)
class ServiceHome:
    """The home as one service sees it."""

    context: HomeContext
    service: str

    @property
    def engine(self) -> Engine:
        """The home's database."""
        return self.context.engine

    @property
    def journal(self) -> Journal:
        """The home's journal."""
        return self.context.journal

    @property
    def keys(self) -> Keys:
        """The home's keys, as they are now."""
        return current_keys(self.context.home.keys)

    def now(self) -> datetime:
        """The time, for operations."""
        return self.context.now()

    def committed(self, pos: int | None) -> int | None:
        """Wake those who follow the journal; hands `pos` on for the reply. None: nothing was recorded."""
        if pos is not None:
            self.context.wake(pos)
        return pos

    @property
    def follower(self) -> Follower:
        """The service's way through the journal."""
        return self.context.followers[self.service]

    def follow_to(self, pos: int) -> None:
        """Hear everything up to `pos` first: for a command that carries `after`."""
        if pos:
            self.follower.follow_to(pos, self.context.now)

    def record(
        self, body: Mapping[str, Any], operation: Callable[..., Any], items: list[Any], *needs: Any, **more: Any
    ) -> dict[str, Any]:
        """Answer a command with items: `operation` gives the results in order and the journal position. `needs`: what
        it takes after the journal (keys of the vault)."""
        self.follow_to(body["after"])
        common = {"by": body["by"], "now": self.now(), "skip_bad": body["skip_bad"], **more}
        results, pos = operation(self.journal, *needs, body["programme"], items, **common)
        return {"pos": self.committed(pos), "results": results}


class HomeResource(DependencyProvider):
    """Gives a service its `ServiceHome`, and its journal follower the step to take."""

    def setup(self) -> None:
        self.context: HomeContext = self.container.config[HOME_CONFIG]

    def get_dependency(self, worker_ctx: WorkerContext) -> ServiceHome:
        return ServiceHome(self.context, self.container.service_name)

    def drain_for(self, handlers: Mapping[type, Callable[..., Any]]) -> Callable[[], bool]:
        """The step through the journal for these `@subscribes` methods, by fact class."""
        service = self.container.service_name
        by_kind: dict[tuple[str, int], Handler] = {
            (fact.kind, fact.v): handler for fact, handler in handlers.items() if issubclass(fact, Fact)
        }
        journal, followers = self.context.journal, self.context.followers
        leads = {kind: handler for kind, handler in by_kind.items() if kind[0].startswith(LEADS)}
        own = {kind: handler for kind, handler in by_kind.items() if kind not in leads}
        follower = followers[service] = Follower(journal, service, own, committed=self.context.wake)
        lead_followers = LeadFollowers(journal, service, leads, followers, self.context.wake)
        return lambda: follower.advance(self.context.now()) or lead_followers.advance(self.context.now())
