"""A simulated year of each of the five programmes, one after the other in one home, with a virtual clock.

Each programme is the file of `deploy/programmes` with what it lacks to have every kind of rule (`programmes.py`).
People come, leave, come back and are asked by intake's own operations (`coming.py`, `tries.py`), pathways hears what
these write down, and is asked for steps and plans (`steps.py`, `plans.py`); only what activities would tell is made up
(`facts.py`). It is written down late and out of order; both services are killed at random statements and commits,
pathways is down for days, hears in pieces; the timer looks when it is up. What may be is said by `comings.py`,
`legal.py` and `model.py`, and all of it is held against these (`checks.py`). What was reached is counted.
"""

import random
from dataclasses import dataclass
from datetime import timedelta
from unittest.mock import patch

import pytest
from sqlalchemy import select

from services.pathways import operations, store
from shared.contracts.catalogue import AttendanceRecorded, SessionHeld
from shared.contracts.errors import ProcessingRestricted
from shared.contracts.facts import Fact
from shared.programmes import Programme
from shared.storage import snapshot
from tests.services.kit import key_of
from tests.services.pathways.kit import hex_id, noon
from tests.services.pathways.model import ByHand
from tests.years.coming import attempt, come
from tests.years.comings import Act
from tests.years.facts import FACTS_OF, talk
from tests.years.home import Home
from tests.years.lived import LIVES, last_lives, whole_lives
from tests.years.must import wanting
from tests.years.plans import plan
from tests.years.steps import COMMANDS, outcome, stay

DAYS = 366
AT_MOST = 80
"""Tries after the year of what it has not reached."""
_COMMANDS = {**COMMANDS, "plan": plan}
_WEIGHTED = [
    *("there", "there", "heads", "talk", "talk", "action", "meeting", "withdrawn"),
    *("plan", "plan", "stay", "stay", "stay", "stay", "away", "away", "outcome", "product"),
]


@dataclass
class Years(Home):
    """All five years, as they are lived."""

    def live(self) -> "Years":
        """All five years; the ids that services draw follow from the seed too."""
        ids = random.Random(self.chance.random())
        with patch("secrets.token_hex", lambda size: ids.randbytes(size).hex()):
            for programme in self.programmes.values():
                self._year(programme)
                self._complete_one(programme)
                self._whole_life(programme)
                self._what_is_left(programme)
            self.hear()
            self.look()
        return self

    def _comes(self, programme: Programme, name: object) -> str:
        """A visitor comes in, whatever chance does with the others."""
        told = {"standing": "visitor", "token": f"Nalle {name}", "record": {"gender": "unknown"}, "as": "visitor"}
        act = Act("register", self.today, told | {"key": key_of(f"first {programme.key} {name}")})
        return str(attempt(self, programme, act, None))

    def _complete_one(self, programme: Programme) -> None:
        """Somebody on a step that completes itself, then on one that has to be allowed; and somebody alone on one."""
        one, alone = self.people[self._comes(programme, "one")], self._comes(programme, "alone")
        day = programme.period.start + timedelta(days=30)
        self.hear()
        stay(self, one, day, "sim_done")
        ids, on = {"session": hex_id("session", self.number())}, {"occurred_on": day.isoformat()}
        held = SessionHeld(**ids, activity=programme.outcome_by_key["sim_outcome"].activity, **on)
        there = {"attendance": hex_id("attendance", self.number()), "role": "participant"}
        self.write(programme, [held, AttendanceRecorded(one.subject, **ids, **there, **on), *talk(self, one, day)])
        self.hear()
        outcome(self, one, day)
        stay(self, one, day, "sim_free")
        stay(self, one, day, "sim_guarded")
        stay(self, self.people[alone], day, "sim_alone")

    def _whole_life(self, programme: Programme) -> None:
        """Some go the whole way, whatever chance has done with the others: through what needs much before it."""
        self.now += timedelta(days=60)
        people = {name: self.people[self._comes(programme, name)] for name in LIVES}
        day = self.today - timedelta(days=40)
        for who, what, of, told, as_ in whole_lives(programme, day, self.today):
            told = {**told, "as": as_, "key": key_of(f"certainly {self.number()}")}
            attempt(self, programme, Act(what, of, told), people[who])

    def _what_is_left(self, programme: Programme) -> None:
        """What chance has not reached in the year, as far as it is reached by many tries."""
        for _ in range(AT_MOST):
            if not wanting(self.reached, programme.key, of_intake=True):
                break
            come(self, programme)
        self.write(programme, [fact for one in self.here(programme) for fact in talk(self, one, self.today)])
        self.hear()
        self.now += timedelta(days=30)
        self.look()  # what repeats is due
        told = {"ground": "claims", "as": "done", "key": key_of(f"restricted {programme.key}")}
        for one in self.here(programme):
            attempt(self, programme, Act("restrict", self.today, told), one)
        self._close_a_task(programme)
        for one in self.here(programme):
            attempt(self, programme, Act("lift", self.today, {"as": "done"}), one)
        for _ in range(6):
            self._close_a_task(programme)
        for _ in range(AT_MOST):
            if not (still := wanting(self.reached, programme.key, of_intake=False)):
                break
            one = self.chance.choice(self.here(programme))
            _COMMANDS[self.chance.choice(still)](self, one, self.some_day(programme))
        people = {name: self.people[self._comes(programme, f"last {name}")] for name in LIVES}
        for who, what, of, told, as_ in last_lives(self.today):
            told = {**told, "as": as_, "key": key_of(f"certainly {self.number()}")}
            attempt(self, programme, Act(what, of, told), people[who])

    def _year(self, programme: Programme) -> None:
        chance, down = self.chance, 0
        first = max(self.today, programme.period.start)
        self.now = noon(first)
        for number in range(self.people_each // 2):
            self._comes(programme, number)
        events, tries = self.people_each * self.events_each, self.people_each * self.tries_each
        for number in range(0, DAYS, self.every):
            self.now = noon(first + timedelta(days=number))
            days = -(-(DAYS - number) // self.every)
            share, shared = (left // days + (chance.random() < left % days / days) for left in (events, tries))
            events, tries = events - share, tries - shared
            self._happens(programme, share)
            for _ in range(shared):
                self.events += 1
                come(self, programme)
            down = down - 1 if down else chance.choice([0] * 20 + [3, 12])
            if down:
                continue
            if chance.random() < 0.6:
                self.hear(chance.choice([1, 2, 10]))
            if chance.random() < 0.3:
                self._close_a_task(programme)
            if chance.random() < 0.5:
                self.look()

    def _happens(self, programme: Programme, share: int) -> None:
        facts, here = list[Fact](), self.here(programme)
        one, day = self.chance.choice(here), self.some_day(programme)
        for _ in range(share):
            self.events += 1
            if self.chance.random() < 0.6:  # else the same person on the same day
                one, day = self.chance.choice(here), self.some_day(programme)
            still = wanting(self.reached, programme.key, of_intake=False)
            what = self.chance.choice(still if still and self.chance.random() < 0.4 else _WEIGHTED)
            if what in FACTS_OF:
                facts += FACTS_OF[what](self, one, day)
            else:
                facts = self.write(programme, facts)
                _COMMANDS[what](self, one, day)
        self.write(programme, facts)

    def _close_a_task(self, programme: Programme) -> None:
        with snapshot(self.engine) as connection:
            mine = (store.task.c.state == "open") & (store.task.c.programme == programme.key)
            query = select(store.task).where(mine).order_by(store.task.c.due_on, store.task.c.cause, store.task.c.rule)
            rows = connection.execute(query.limit(30)).all()
        if not rows:
            return
        self.note()
        restricted = [row for row in rows if self.people[row.subject.hex()].life.restricted]
        row = self.chance.choice(restricted if restricted and self.chance.random() < 0.5 else rows)
        one = self.people[row.subject.hex()]
        how, reason = self.chance.choice([("done", None), ("dismissed", "has_left"), ("done", None)])
        given, common = (self.journal, row.task.hex(), how, reason), {"by": "worker", "now": self.now}
        if one.life.restricted:
            with pytest.raises(ProcessingRestricted):
                self.dies(operations.close_task, *given, **common)
            self.reached[row.programme, "task refused"] += 1
            return
        if row.due_on < self.today:
            self.reached[row.programme, "task late"] += 1
        self.dies(operations.close_task, *given, **common)
        by_hand = ByHand((row.rule, row.subject.hex(), row.cause, row.round), how, self.today, reason)
        one.heard.append((self.number(), by_hand))
