"""A simulated year of tasks against the slow model, whatever is killed, late, out of order or repeated.

The clock is virtual. Facts are written down late and out of order; pathways is killed at random statements and commits,
is down for days, hears in pieces; the timer looks when it is up; sometimes the machine's clock is weeks ahead.
``POLKU_SEED`` chooses another year; a failure names its seed.
"""

import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from services.pathways import hearing, operations, store
from services.pathways.store import shelf
from shared.contracts.catalogue import TaskClosed, TaskOpened
from shared.contracts.record_facts import ParticipationEnded, ParticipationResumed
from shared.journal import Journal
from shared.journal.follow import Follower
from shared.programmes import parse
from shared.storage import snapshot
from tests.services import kit
from tests.services.pathways.kit import (
    DOCUMENT,
    action,
    client,
    follower,
    hex_id,
    known,
    meeting,
    noon,
    outcome,
    record,
    record_outcomes,
    record_steps,
    session,
    stay,
    talk,
    there,
)
from tests.services.pathways.living import Living
from tests.services.pathways.model import ByHand, Entry, Expected, Key, Looked, expected

SEED = int(os.environ.get("POLKU_SEED", "1"))
ABOUT_WHO_LEFT: list[dict[str, Any]] = [
    {"key": "call", "opens": {"on": "participation_ended"}, "due_days": 90, "closes": {"on": "conversation_held"}},
    {"key": "bye", "opens": {"on": "standing_reached"}, "due_days": 9, "closes": {"on": "participation_ended"},
     "repeats_days": 40},
    {"key": "came_of_it", "opens": {"on": "attendance_recorded", "activity": "kaapeli"}, "due_days": 20,
     "closes": {"on": "outcome_recorded"}, "repeats_days": 50, "after_leaving": True},
    {"key": "whereto", "opens": {"on": "step_left"}, "due_days": 3, "closes": {"on": "step_entered"},
     "after_leaving": True},
]  # fmt: skip
WHOLE = DOCUMENT | {"tasks": DOCUMENT["tasks"] + [{"name": {"fi": rule["key"]}, **rule} for rule in ABOUT_WHO_LEFT]}
PROGRAMME = parse(WHOLE)
PEOPLE = [hex_id("person", number) for number in range(4)]
FIRST, DAYS = date(2016, 1, 4), 366


@dataclass
class Year(Living):
    """The system under test, and the history as pathways has seen it."""

    engine: Engine
    chance: random.Random
    journal: Journal = field(init=False)
    following: Follower = field(init=False)
    now: datetime = field(default_factory=lambda: noon(FIRST))
    history: list[Entry] = field(default_factory=list)
    seen: int = 0
    activity: dict[str, str] = field(default_factory=dict)
    kills: float = 0.3
    deadly: int = 12
    reached: Counter[tuple[str, str]] = field(default_factory=Counter)
    made: int = 0
    away: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.journal = known(self.engine, WHOLE)
        self.following = follower(self.journal)

    def note(self) -> None:
        self.history += self.heard_since()

    def look(self) -> None:
        """The timer; as in the service it follows first, unless following is what fails."""
        if self.chance.random() < 0.8:
            self.hear()
        self.note()
        self.dies(lambda: list(hearing.look_at_clock(self.journal, self.now)))
        self.history.append(Looked(self.today))

    def close(self) -> None:
        """A worker closes a task."""
        with snapshot(self.engine) as connection:
            query = (
                select(store.task).where(store.task.c.state == "open").order_by(store.task.c.due_on, store.task.c.cause)
            )
            rows = connection.execute(query).all()
        if not rows:
            return
        self.note()
        row = self.chance.choice(rows)
        how, reason = self.chance.choice([("done", None), ("dismissed", "has_left"), ("done", None)])
        self.dies(operations.close_task, self.journal, row.task.hex(), how, reason, by="worker", now=self.now)
        self.history.append(ByHand((row.rule, row.subject.hex(), row.cause, row.round), how, self.today, reason))

    def happens(self) -> None:
        """Something is written down, today or of some day before."""
        self.made += 1
        name, person = self.made, self.chance.choice(PEOPLE)
        back = self.chance.choice([0, 0, 0, 1, 5, 20])
        day = max(FIRST, self.today - timedelta(days=back)).isoformat()
        kind = self.chance.choice(["standing", "talk", "talk", "there", "outcome", "step", "action", "meeting", "exit"])
        if person in self.away and self.chance.random() < 0.3:
            kind = "exit"
        if kind == "standing":
            record(self.journal, client(person, self.chance.choice([day, None])), now=self.now)
        elif kind == "talk":
            record(self.journal, talk(name, day, person), now=self.now)
        elif kind == "there":
            activity = self.chance.choice(["duuniin", "kaapeli"])
            role = self.chance.choice(["participant", "participant", "staff"])
            record(self.journal, session(name, activity, day), there(name, person, role, day), now=self.now)
        elif kind == "exit" and person in self.away and self.chance.random() < 0.7:
            self.away.remove(person)
            record(self.journal, ParticipationResumed(person, occurred_on=day), now=self.now)
        elif kind == "exit":  # or another day or reason of it
            self.away.add(person)
            reason = self.chance.choice(["completed", "completed", "moved", "died"])
            record(self.journal, ParticipationEnded(person, reason=reason, occurred_on=day), now=self.now)
        elif kind == "action":
            due = (self.today + timedelta(days=3)).isoformat() if back else None
            record(self.journal, action(name, person, due), now=self.now)
        elif kind == "meeting":
            record(self.journal, meeting(name, (self.today + timedelta(days=back)).isoformat(), person), now=self.now)
        elif kind == "outcome":
            self.dies(record_outcomes, self.journal, outcome(f"o{name}", person, day=day), now=self.now)
        else:
            step = self.chance.choice(["outreach", "resources"])
            left = day if self.chance.random() < 0.7 else None
            entered = (date.fromisoformat(day) - timedelta(days=self.chance.choice([0, 3, 9]))).isoformat()
            new = stay(f"s{name}", person, step, entered_on=entered, left_on=left)
            self.dies(record_steps, self.journal, new, now=self.now)


def stored(engine: Engine) -> dict[Key, Expected]:
    return {
        (row["rule"], row["subject"].hex(), row["cause"], row["round"]): Expected(
            row["opened_on"], row["due_on"], row["state"], row["closed_on"], row["reason"]
        )
        for row in kit.rows(engine, store.task)
    }


def live(year: Year) -> None:
    """The year, day by day."""
    chance, down = year.chance, 0
    for number in range(DAYS):
        year.now = noon(FIRST + timedelta(days=number))
        for _ in range(chance.choice([0, 1, 1, 2, 3])):
            year.happens()
        down = down - 1 if down else chance.choice([0] * 20 + [3, 12])
        if down:
            continue  # pathways does not run; the others do
        if chance.random() < 0.7:
            year.hear(chance.choice([1, 2, 10]))
        if chance.random() < 0.15:
            year.close()
        if chance.random() < 0.8:
            year.look()
        if chance.random() < 0.01:  # somebody set the clock wrong, and right again
            year.now += timedelta(days=40)
            year.look()
    year.hear()
    year.look()


@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_a_year_of_tasks_is_the_models_on_sqlite(sqlite_engine: Engine, seed: int) -> None:
    agrees(Year(sqlite_engine, random.Random(seed)))


def test_a_year_of_tasks_is_the_models_on_postgresql(postgres_engine: Engine) -> None:
    agrees(Year(postgres_engine, random.Random(SEED)))


def agrees(year: Year) -> None:
    live(year)
    tasks = stored(year.engine)
    assert tasks == expected(year.history, PROGRAMME.tasks, PROGRAMME.period.end)
    states = [task.state for task in tasks.values()]
    assert all(states.count(state) > 3 for state in ("met", "done", "dismissed")), "a year in which all happens"
    assert "open" in states
    reasons = [task.reason for task in tasks.values()]
    assert all(reasons.count(reason) > 3 for reason in ("has_left", "not_needed")), "people leave, and come back"
    assert any(key[3] > 1 for key in tasks), "something is repeated more than once"
    assert {key[0] for key in tasks} == set(PROGRAMME.task_by_key)
    every_task_is_told_once(year.engine)


def every_task_is_told_once(engine: Engine) -> None:
    rows = {row["task"].hex(): row for row in kit.rows(engine, store.task)}
    found = kit.lines(engine)
    opened = [line for line in found if line.kind == TaskOpened.kind]
    closed = [line for line in found if line.kind == TaskClosed.kind]
    assert sorted(line.body["task"] for line in opened) == sorted(rows)
    assert {line.stream for line in (*opened, *closed)} == {f"{kit.NODE}/local"}
    ends = {line.body["task"]: (line.body["how"], line.body.get("reason")) for line in closed}
    assert len(ends) == len(closed)
    assert ends == {task: (row["state"], row["reason"]) for task, row in rows.items() if row["state"] != "open"}


@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_while_the_clock_goes_on_it_does_not_matter_when_the_timer_looked(sqlite_engine: Engine, seed: int) -> None:
    """The model itself: with the looks in between left out, and one at the end, the tasks are the same."""
    year = Year(sqlite_engine, random.Random(seed))
    year.chance = random.Random(seed)
    for number in range(150):
        year.now = noon(FIRST + timedelta(days=number))
        year.happens()
        year.hear()
        year.look()
    rules, last = PROGRAMME.tasks, PROGRAMME.period.end
    seldom = [entry for entry in year.history if not isinstance(entry, Looked)]
    assert stored(sqlite_engine) == expected([*seldom, year.history[-1]], rules, last)


def test_the_programme_of_the_year_is_one_that_may_be_loaded(sqlite_engine: Engine) -> None:
    known(sqlite_engine, WHOLE)
    with snapshot(sqlite_engine) as connection:
        assert shelf.get(connection, PROGRAMME.key) == PROGRAMME
