"""The home that lives: intake and pathways on one database, with a clock, kills, and what pathways has heard."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

import services.intake.store
from services.pathways import hearing, planning
from services.pathways.store import shelf
from shared.contracts.catalogue import FACTS
from shared.contracts.facts import Fact
from shared.journal import Journal, lines
from shared.journal.follow import Follower
from shared.journal.tables import journal_line
from shared.ops.clock import today_in_helsinki
from shared.programmes import Programme, parse
from shared.storage import snapshot
from tests.journal.journal_kit import Killed, killed_at
from tests.services import kit
from tests.services.kit import NODE
from tests.services.pathways.kit import follower, noon
from tests.services.pathways.model import Entry, Looked, Told
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
class Home:
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

    @property
    def today(self) -> date:
        return today_in_helsinki(self.now)

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

    def dies(self, what: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Do it, perhaps killed on the way and done again from the beginning by a new process."""
        while True:
            try:
                if self.chance.random() < self.kills:
                    with killed_at(self.engine, self.chance.randrange(14)):
                        return what(*arguments, **options)
                return what(*arguments, **options)
            except Killed:
                self.reached["", "killed"] += 1
                self.following = follower(self.journal)

    def hear(self, most: int = 10**9) -> None:
        """Follow some steps."""
        for _ in range(most):
            if not self.dies(lambda: self.following.advance(self.now)):
                break
        self.note()

    def note(self) -> None:
        with snapshot(self.engine) as connection:
            at = self.following.position()
            between = (journal_line.c.pos > self.seen) & (journal_line.c.pos <= at) & journal_line.c.line.is_not(None)
            query = select(journal_line.c.line).where(between).order_by(journal_line.c.pos)
            found = list(connection.execute(query).scalars())
        for data in found:
            for told in self._told(lines.parse(data)):
                self.people[told.person].heard.append((self.number(), told))
        self.seen = at

    def _told(self, line: lines.Line) -> Iterator[Told]:
        """What a line tells, read without any code of pathways."""
        fact, on = FACTS[line.kind, line.v].read(line.subject, line.body), line.kind.partition(".")[2]
        if on == "session_held":
            self.activity[fact["session"]] = fact["activity"]
        if fact.subject is None or on.startswith(("task_", "step_paused", "step_resumed", "subject_erased")):
            return
        words = (
            "standing",
            "step",
            "activity",
            "outcome",
            "target_group",
            "reason",
            "status",
            "record",
            "who",
            "state",
            "purpose",
        )
        codes: dict[str, str | None] = {word: fact[word] for word in words if word in fact.members}
        if on == "attendance_recorded":
            if fact["role"] != "participant":
                return
            codes["activity"] = self.activity[fact["session"]]
        heard = datetime.strptime(line.recorded_at[:10], "%Y-%m-%d").date()  # noon UTC: the same day in Helsinki
        day = next((fact[word] for word in ("occurred_on", "on") if word in fact.members), None)
        due = date.fromisoformat(fact["due_on"]) if "due_on" in fact.members and fact["due_on"] else None
        thing = next((fact[word] for word in ("action", "meeting", "entry") if word in fact.members), None)
        if on == "plan_entry_recorded":
            on, told = ("plan_reviewed", fact["day"]) if fact["what"] == "review" else ("plan_action", None)
            due, day = date.fromisoformat(fact["day"]) if fact["day"] and not told else None, told
        cause = f"{line.stream} {line.epoch} {line.seq}"
        yield Told(on, str(fact.subject), date.fromisoformat(day) if day else heard, heard, cause, codes, due, thing)

    def look(self) -> None:
        """The timer, which as in the service follows first."""
        self.hear()
        self.dies(lambda: list(hearing.look_at_clock(self.journal, self.now)))
        self.looks.append((self.number(), Looked(self.today)))
