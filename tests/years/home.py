"""The home that lives: intake and pathways on one database, with a clock, kills, and what pathways has heard."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

import services.intake.store
from services.pathways import hearing, planning
from services.pathways.store import shelf
from shared.contracts.facts import Fact
from shared.journal import Journal
from shared.journal.follow import Follower
from shared.programmes import Programme, parse
from tests.services import kit
from tests.services.kit import NODE
from tests.services.pathways.kit import follower, noon
from tests.services.pathways.living import Living
from tests.services.pathways.model import Entry, Looked
from tests.years.comings import Life
from tests.years.programmes import KEYS, with_everything


@dataclass
class Known:
    """One person: as intake has taken them, and all that pathways has heard of them, with a number for the order."""

    subject: str
    programme: Programme
    life: Life
    token: str | None = None
    """The nickname that leads to them."""
    nameless: bool = False
    """Registered anew without what happened before: nothing leads to this one any more."""
    heard: list[tuple[int, Entry]] = field(default_factory=list)
    things: list[tuple[str, str, str]] = field(default_factory=list)
    plan: list[planning.Entry] = field(default_factory=list)
    revision: int = 0
    """The person's plan, as it was last written down."""

    @property
    def gone(self) -> bool:
        return self.life.erased


@dataclass
class Home(Living):
    """The system under test, and the history as pathways has seen it."""

    engine: Engine
    chance: random.Random
    people_each: int
    events_each: int = 20
    tries_each: int = 8
    """Of intake, for each person."""
    every: int = 1
    """Days between those on which anything is done."""
    kills: float = 0.2
    deadly: int = 14
    reached: Counter[tuple[str, str]] = field(default_factory=Counter)
    people: dict[str, Known] = field(default_factory=dict)
    mine: dict[str, list[Known]] = field(default_factory=dict)
    """Everybody who ever came, by programme and in the order of coming."""
    verdicts: dict[frozenset[str], str] = field(default_factory=dict)
    """Of two subjects, whether they are one."""
    looks: list[tuple[int, Looked]] = field(default_factory=list)
    by_hand: set[tuple[str, str, date]] = field(default_factory=set)
    """Times on steps (person, step, first day) that a command has ended."""
    activity: dict[str, str] = field(default_factory=dict)
    counted: int = 0
    seen: int = 0
    now: datetime = field(default_factory=lambda: noon("2008-09-01"))
    journal: Journal = field(init=False)
    following: Follower = field(init=False)
    events: int = 0

    def __post_init__(self) -> None:
        self.documents = {key: with_everything(key) for key in KEYS}
        self.programmes = {key: parse(document) for key, document in self.documents.items()}
        for document in self.documents.values():
            kit.put_programme(self.engine, shelf, document)
            kit.put_programme(self.engine, services.intake.store.shelf, document)
        self.mine = {key: [] for key in KEYS}
        self.journal = Journal(self.engine, NODE)
        self.following = follower(self.journal)

    def some_day(self, programme: Programme) -> date:
        """Today, or some days ago: people write things down late."""
        back = self.chance.choice([0, 0, 0, 1, 5, 20])
        return max(programme.period.start, self.today - timedelta(days=back))

    def here(self, programme: Programme) -> list[Known]:
        """Who is there and not erased."""
        return [one for one in self.mine[programme.key] if not one.gone]

    def write(self, programme: Programme, facts: list[Fact], day: date | None = None) -> list[Fact]:
        if day is not None:
            self.now = max(self.now, noon(day))
        if facts:
            with self.journal.unit(self.now) as unit:
                for fact in facts:
                    unit.record(fact, programme.key)
        return []

    def number(self) -> int:
        self.counted += 1
        return self.counted

    def note(self) -> None:
        for told in self.heard_since():
            self.people[told.person].heard.append((self.number(), told))

    def look(self) -> None:
        """The timer, which as in the service follows first."""
        self.hear()
        self.dies(lambda: list(hearing.look_at_clock(self.journal, self.now)))
        self.looks.append((self.number(), Looked(self.today)))
