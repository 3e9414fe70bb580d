"""A home that lives: a clock, kills, and what pathways has heard, read without any code of pathways."""

import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, select

from shared.contracts.catalogue import FACTS
from shared.journal import Journal, Line
from shared.journal.follow import Follower
from shared.journal.lines import parse
from shared.journal.tables import journal_line
from shared.ops.clock import today_in_helsinki
from shared.storage import snapshot
from tests.journal.journal_kit import Killed, killed_at
from tests.services.pathways.kit import follower
from tests.services.pathways.model import Told


class Living(ABC):
    """What a home that lives can do; whoever inherits has these members and says what becomes of the lines heard."""

    engine: Engine
    chance: random.Random
    journal: Journal
    following: Follower
    now: datetime
    seen: int
    """Up to which position the history has been written."""
    activity: dict[str, str]
    """Of the sessions that were heard of."""
    kills: float
    """How often something is killed on the way, and before which of its statements (`deadly`: one of so many)."""
    deadly: int
    reached: Counter[tuple[str, str]]
    """What has happened, and how often."""

    @property
    def today(self) -> date:
        return today_in_helsinki(self.now)

    def dies(self, what: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Do it, perhaps killed on the way and done again from the beginning by a new process."""
        while True:
            try:
                if self.chance.random() < self.kills:
                    with killed_at(self.engine, self.chance.randrange(self.deadly)):
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

    @abstractmethod
    def note(self) -> None:
        """Write into the history what pathways has heard since."""

    def heard_since(self) -> list[Told]:
        """What pathways has heard since this was asked last."""
        with snapshot(self.engine) as connection:
            at = self.following.position()
            between = (journal_line.c.pos > self.seen) & (journal_line.c.pos <= at) & journal_line.c.line.is_not(None)
            query = select(journal_line.c.line).where(between).order_by(journal_line.c.pos)
            found = list(connection.execute(query).scalars())
        self.seen = at
        return [told for data in found for told in self._told(parse(data))]

    def _told(self, line: Line) -> Iterator[Told]:
        """What a line tells, read without any code of pathways."""
        fact, on = FACTS[line.kind, line.v].read(line.subject, line.body), line.kind.partition(".")[2]
        if on == "session_held":
            self.activity[fact["session"]] = fact["activity"]
        if fact.subject is None or on.startswith(("task_", "step_paused", "step_resumed", "subject_erased")):
            return
        codes: dict[str, str | None] = {word: fact[word] for word in _CODES if word in fact.members}
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


_CODES = (
    *("standing", "step", "activity", "outcome", "target_group", "reason", "status", "record", "who", "state"),
    *("purpose", "entered_on", "left_on"),
)
"""The members of facts that hold codes which rules look at, and the days of a time on a step that was none."""
