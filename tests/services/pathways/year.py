"""A simulated year of each of the five programmes, one after the other in one home, with a virtual clock.

Each programme is the file of `deploy/programmes` with what it lacks to have every kind of rule: some tasks, steps that
are conditional, alone and complete themselves, a step that nobody is on, a product, an outcome. Facts are written down
late and out of order; pathways is killed at random statements and commits, is down for days, hears in pieces; the timer
looks when it is up. Every fifth command on steps is nonsense, and of the others `legal.py` says which may be. `checked`
holds all of it against `model.py`. What was reached is counted.
"""

import copy
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from services.pathways import hearing, operations, queries, step_queries, step_store, stepping, store
from services.pathways.domain import NewOutcome, NewPause, NewStay
from services.pathways.store import shelf
from shared.contracts.catalogue import (
    FACTS,
    ActionAgreed,
    ActionWithdrawn,
    AttendanceRecorded,
    ConversationHeld,
    HeadsCounted,
    MeetingPlanned,
    MeetingWithdrawn,
    ParticipationStarted,
    SessionHeld,
    StandingReached,
    SubjectErased,
)
from shared.contracts.encounter_facts import VisitorMet
from shared.contracts.facts import Fact
from shared.contracts.plan_facts import PlanEntryRecorded, PlanEntryWithdrawn
from shared.contracts.record_facts import (
    EXITS,
    FOLLOW_UPS,
    FollowUpRecorded,
    ParticipationEnded,
    ParticipationResumed,
)
from shared.contracts.start_facts import RECORDS, EuraEntered, ExitFormRecorded, RecordAttempted
from shared.journal import Journal, lines
from shared.journal.follow import Follower
from shared.journal.tables import journal_line
from shared.ops.clock import today_in_helsinki
from shared.programmes import Programme, load_file, parse
from shared.programmes.checking import SCHEMA_FILE
from shared.storage import snapshot
from tests.journal.journal_kit import Killed, killed_at
from tests.services import kit
from tests.services.kit import NODE, key_of
from tests.services.pathways.kit import follower, hex_id, noon
from tests.services.pathways.legal import Person, Seen, done, is_due, may_pause, may_stay, still_open
from tests.services.pathways.model import ByHand, Entry, Expected, Key, Looked, Told, expected

KEYS = ("kuntsari", "tyollista-valittaen", "lahde-mukaan", "osallisuuden-askeleet", "suunta-yhdessa")
"""The five, in the order of their first days."""
DAYS = 366
NAME = {"fi": "lisätty"}
SIM = ("sim_guarded", "sim_done", "sim_alone", "sim_free")


def with_everything(key: str) -> dict[str, Any]:
    """The programme's file, and what it lacks."""
    document = copy.deepcopy(load_file(SCHEMA_FILE.parent / f"{key}.yaml"))
    counts = {group["key"]: group["counts"] for group in document["groups"]}
    of_people = [a["key"] for a in document["activities"] if counts[a["group"]] == "people"]
    of_heads = [a["key"] for a in document["activities"] if counts[a["group"]] == "heads"]
    there = {"on": "attendance_recorded", "activity": of_people[0]}
    steps: list[dict[str, Any]] = [
        {"key": "sim_guarded", "entry": "conditional", "enter_when": [{"on": "conversation_held"}]},
        {"key": "sim_done", "completion": "automatic", "complete_when": [there, {"on": "conversation_held"}]},
        {"key": "sim_alone", "alone": True},
        {"key": "sim_free", "enter_when": [{"on": "outcome_recorded", "outcome": "sim_outcome"}]},
    ]
    tasks: list[dict[str, Any]] = [
        {"key": "sim_talk", "opens": {"on": "standing_reached", "standing": "client"}, "due_days": 7,
         "closes": {"on": "conversation_held"}, "repeats_days": 23},
        {"key": "sim_ask", "opens": there, "due_days": 30, "closes": {"on": "outcome_recorded"}},
        {"key": "sim_next", "opens": {"on": "step_left"}, "due_days": 0, "closes": {"on": "step_entered"}},
        {"key": "sim_start", "opens": {"on": "participation_started"}, "due_days": 5,
         "closes": {"on": "meeting_planned"}},
        {"key": "sim_action", "opens": {"on": "action_agreed"}, "due_days": 14},
        {"key": "sim_call", "opens": {"on": "participation_ended"}, "due_days": 90,
         "closes": {"on": "follow_up_recorded", "status": "reached"}},
        {"key": "sim_form", "opens": {"on": "participation_ended", "reason": "completed"}, "due_days": 28,
         "closes": {"on": "exit_form_recorded"}},
        {"key": "sim_eura", "opens": {"on": "participation_started"}, "due_days": 14,
         "closes": {"on": "eura_entered", "record": "start"}},
        {"key": "sim_again", "opens": {"on": "record_attempted", "status": "not_reached"}, "due_days": 7,
         "closes": {"on": "visitor_met"}},
        {"key": "sim_plan", "opens": {"on": "plan_action", "who": "worker"}, "due_days": 14},
        {"key": "sim_review", "opens": {"on": "standing_reached", "standing": "client"}, "due_days": 30,
         "closes": {"on": "plan_reviewed"}, "repeats_days": 60},
        {"key": "sim_meet", "opens": {"on": "meeting_planned"}, "due_days": 1, "closes": {"on": "conversation_held"}},
    ]  # fmt: skip
    document["steps"] = [
        *document.get("steps", []),
        *({"name": NAME, "level": "individual", **step} for step in steps),
        {"key": "sim_net", "name": NAME, "level": "service_system", "advanced_by": of_heads[:1]},
    ]
    document["tasks"] = [*document.get("tasks", []), *({"name": NAME, **task} for task in tasks)]
    document["products"] = [*document.get("products", []), {"key": "sim_book", "name": NAME, "step": "sim_net"}]
    outcome = {"key": "sim_outcome", "name": NAME, "activity": of_people[0]}
    document["outcomes"] = [*document.get("outcomes", []), outcome]
    return document


@dataclass
class Known:
    """One person as the simulation made them, and all that pathways has heard of them, with a number for the order."""

    subject: str
    programme: Programme
    heard: list[tuple[int, Entry]] = field(default_factory=list)
    things: list[tuple[str, str, str]] = field(default_factory=list)
    plan: list[dict[str, Any]] = field(default_factory=list)
    """The actions in the person's plan, as they were last written down."""
    gone: bool = False


@dataclass
class Years:
    """The system under test, and the history as pathways has seen it."""

    engine: Engine
    chance: random.Random
    people_each: int
    events_each: int = 20
    every: int = 1
    """Days between those on which anything is done."""
    kills: float = 0.2
    reached: Counter[tuple[str, str]] = field(default_factory=Counter)
    people: dict[str, Known] = field(default_factory=dict)
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
        self.journal = Journal(self.engine, NODE)
        self.following = follower(self.journal)

    # --- living

    def live(self) -> "Years":
        """All five years."""
        for programme in self.programmes.values():
            self._year(programme)
        for programme in self.programmes.values():
            self._complete_one(programme)
        self.hear()
        self.look()
        return self

    def _complete_one(self, programme: Programme) -> None:
        """Somebody on a step that completes itself, whatever chance has done with the others."""
        one = self.people[hex_id(programme.key, "one")] = Known(hex_id(programme.key, "one"), programme)
        day = programme.period.start + timedelta(days=30)
        self._write(programme, [StandingReached(one.subject, standing="visitor")])
        self.hear()
        new = NewStay(key_of(f"one {programme.key}"), one.subject, "sim_done", day, None)
        stepping.record_steps(self.journal, programme.key, [new], by="worker", now=self.now)
        ids, on = {"session": hex_id("session", self.number())}, {"occurred_on": day.isoformat()}
        held = SessionHeld(**ids, activity=programme.outcome_by_key["sim_outcome"].activity, **on)
        there = {"attendance": hex_id("attendance", self.number()), "role": "participant"}
        self._write(programme, [held, AttendanceRecorded(one.subject, **ids, **there, **on), *_talk(self, one, day)])

    def _year(self, programme: Programme) -> None:
        chance, down = self.chance, 0
        mine = [Known(hex_id(programme.key, number), programme) for number in range(self.people_each)]
        self.people |= {one.subject: one for one in mine}
        self._write(
            programme, [StandingReached(one.subject, standing="visitor") for one in mine], programme.period.start
        )
        first = max(self.today, programme.period.start)
        left = self.people_each * self.events_each
        for number in range(0, DAYS, self.every):
            self.now = noon(first + timedelta(days=number))
            days = -(-(DAYS - number) // self.every)
            share = left // days + (chance.random() < left % days / days)
            left -= share
            self._happens(programme, mine, share)
            down = down - 1 if down else chance.choice([0] * 20 + [3, 12])
            if down:
                continue
            if chance.random() < 0.6:
                self.hear(chance.choice([1, 2, 10]))
            if chance.random() < 0.3:
                self._close_a_task(programme)
            if chance.random() < 0.5:
                self.look()
        for one in mine[:: max(3, self.people_each // 3)]:
            self._erase(one)

    def _happens(self, programme: Programme, mine: list[Known], share: int) -> None:
        facts: list[Fact] = []
        one, day = self.chance.choice(mine), self._some_day(programme)
        for _ in range(share):
            self.events += 1
            if self.chance.random() < 0.6:  # else the same person on the same day
                one, day = self.chance.choice(mine), self._some_day(programme)
            what = self.chance.choice(_WEIGHTED)
            if what in _FACTS:
                facts += _FACTS[what](self, one, day)
            else:
                facts = self._write(programme, facts)
                _COMMANDS[what](self, one, day)
        self._write(programme, facts)

    def _some_day(self, programme: Programme) -> date:
        back = self.chance.choice([0, 0, 0, 1, 5, 20])
        return max(programme.period.start, self.today - timedelta(days=back))

    @property
    def today(self) -> date:
        return today_in_helsinki(self.now)

    def _write(self, programme: Programme, facts: list[Fact], day: date | None = None) -> list[Fact]:
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
        self._note()

    def _note(self) -> None:
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

    def _close_a_task(self, programme: Programme) -> None:
        with snapshot(self.engine) as connection:
            mine = (store.task.c.state == "open") & (store.task.c.programme == programme.key)
            query = select(store.task).where(mine).order_by(store.task.c.due_on, store.task.c.cause, store.task.c.rule)
            rows = connection.execute(query.limit(30)).all()
        if not rows:
            return
        self._note()
        row = self.chance.choice(rows)
        how, reason = self.chance.choice([("done", None), ("dismissed", "has_left"), ("done", None)])
        if row.due_on < self.today:
            self.reached[row.programme, "task late"] += 1
        self.dies(operations.close_task, self.journal, row.task.hex(), how, reason, by="worker", now=self.now)
        by_hand = ByHand((row.rule, row.subject.hex(), row.cause, row.round), how, self.today)
        self.people[row.subject.hex()].heard.append((self.number(), by_hand))

    def _erase(self, one: Known) -> None:
        self.hear()
        self._write(one.programme, [SubjectErased(one.subject)])
        self.hear()
        one.gone = True
        self.reached[one.programme.key, "person erased"] += 1

    # --- what people do

    def person(self, one: Known) -> Person:
        """What is known of somebody now, read from the tables of times and from what was heard."""
        with snapshot(self.engine) as connection:
            programme = store.find_people(connection, [one.subject]).get(one.subject)
            stays = {step: rows for (_, step), rows in store.find_stays(connection, [one.subject]).items()}
            pauses = {step: rows for (_, step), rows in step_store.find_pauses(connection, [one.subject]).items()}
            outcomes = connection.execute(
                select(store.outcome).where(store.outcome.c.subject == bytes.fromhex(one.subject))
            ).all()
        told = [entry for _, entry in one.heard if isinstance(entry, Told)]
        facts = [
            Seen(t.on, t.codes, min(t.day, t.heard) if t.on != "attendance_recorded" else t.day)
            for t in told
            if not t.on.startswith(("step_", "outcome_"))
        ]
        facts += [
            Seen("outcome_recorded", {"activity": o.activity, "outcome": o.outcome}, o.occurred_on) for o in outcomes
        ]
        return Person(programme, stays, pauses, facts)

    def judge(self, one: Known, what: str, may: bool, results: list[dict[str, Any]]) -> None:
        """A command was taken exactly if it may be."""
        error = results[0].get("error")
        assert may == (error is None), (one.programme.key, what, "must be taken" if may else "must be refused", results)
        self.reached[one.programme.key, f"{what} {'refused' if error else 'taken'}"] += 1

    def stay(self, one: Known, day: date) -> None:
        """A time on a step: a new one, the end of one that is open, or nonsense."""
        self._note()
        person, chance = self.person(one), self.chance
        step = chance.choice([*(s.key for s in one.programme.steps if s.level == "individual"), "sim_done", "sim_done"])
        entered, left = day - timedelta(days=chance.choice([0, 2, 9])), day if chance.random() < 0.5 else None
        opened = [
            (key, s.entered_on) for key, stays in sorted(person.stays.items()) for s in stays if s.left_on is None
        ]
        if opened and chance.random() < 0.4:
            step, entered = chance.choice(opened)
            left = max(day, entered)
        elif person.stays and chance.random() < 0.4:  # a return
            step = chance.choice(sorted(person.stays))
        if chance.random() < 0.2:
            step, entered, left = chance.choice([
                ("sim_net", day, None),
                ("nowhere", day, None),
                (step, self.today + timedelta(days=1), None),
                (step, one.programme.period.start - timedelta(days=1), None),
                (step, day, day - timedelta(days=1)),
            ])  # fmt: skip
        new = NewStay(key_of(f"stay {self.number()}"), one.subject, step, entered, left)
        may = may_stay(new, person, one.programme, self.today)
        common = {"by": "worker", "now": self.now}
        results, _ = self.dies(stepping.record_steps, self.journal, one.programme.key, [new], **common)
        self.judge(one, "step", may, results)
        if may:
            if left is not None:
                self.by_hand.add((one.subject, step, entered))
            self.reached[one.programme.key, f"on {step}"] += 1
            before = [s for s in person.stays.get(step, []) if s.entered_on < entered]
            self.reached[one.programme.key, "returned"] += bool(before)
            self.reached[one.programme.key, "in parallel"] += bool(opened) and (step, entered) not in opened
            again, pos = stepping.record_steps(self.journal, one.programme.key, [new], **common)
            assert (again[0]["stay"], again[0]["new"], pos) == (results[0]["stay"], False, None), "twice is once"

    def away(self, one: Known, day: date) -> None:
        """A time away from a step."""
        self._note()
        person, chance = self.person(one), self.chance
        stays = [(key, s) for key, several in sorted(person.stays.items()) for s in several]
        if not stays:
            return
        step, stay = chance.choice(stays)
        paused, back = max(day, stay.entered_on), chance.choice([None, None, day])
        opened = [(key, p.paused_on) for key, ps in sorted(person.pauses.items()) for p in ps if p.resumed_on is None]
        if opened and chance.random() < 0.6:
            step, paused = chance.choice(opened)
            back = max(day, paused)
        if chance.random() < 0.2:
            step, paused = chance.choice(
                [("sim_net", paused), (step, paused - timedelta(days=40)), ("nowhere", paused)]
            )
        new = NewPause(key_of(f"pause {self.number()}"), one.subject, step, paused, back)
        may = may_pause(new, person, one.programme, self.today)
        common = {"by": "worker", "now": self.now}
        results, _ = self.dies(stepping.record_pauses, self.journal, one.programme.key, [new], **common)
        self.judge(one, "pause", may, results)
        if may:
            self.reached[one.programme.key, "back" if back else "away"] += 1

    def outcome(self, one: Known, day: date) -> None:
        """What became of somebody; refused of whom nobody saw at its activity."""
        self._note()
        chosen = self.chance.choice([*one.programme.outcomes, *one.programme.outcomes[-1:] * 4])
        there = {
            entry.codes.get("activity")
            for _, entry in one.heard
            if isinstance(entry, Told) and entry.on == "attendance_recorded"
        }
        new = NewOutcome(key_of(f"outcome {self.number()}"), one.subject, chosen.key, day)
        common = {"by": "worker", "now": self.now}
        results, _ = self.dies(operations.record_outcomes, self.journal, one.programme.key, [new], **common)
        known = bool(self.person(one).programme)
        self.judge(one, "outcome", known and chosen.activity in there and day >= one.programme.period.start, results)

    def product(self, one: Known, day: date) -> None:
        """How far a product is."""
        state = "finished" if self.chance.random() < 0.5 else "begun"
        common = {"by": "worker", "now": self.now}
        key = self.chance.choice([one.programme.products[0].key, "sim_book", "sim_book"])
        self.dies(stepping.record_product, self.journal, one.programme.key, key, state, day, **common)
        self.reached[one.programme.key, f"product {state}"] += 1
        for row in step_queries.step_states(self.engine, one.programme.key, self.now):
            if row["step"] == "sim_net":
                self.reached[one.programme.key, f"network {row['state']}"] += 1


def _standing(years: Years, one: Known, day: date) -> list[Fact]:
    standing = years.chance.choice(["client", "client", "esf_participant", "visitor"])
    years.reached[one.programme.key, f"standing {standing}"] += 1
    return [StandingReached(one.subject, standing=standing, occurred_on=years.chance.choice([day.isoformat(), None]))]


def _started(years: Years, one: Known, day: date) -> list[Fact]:
    group = years.chance.choice([g.key for g in one.programme.target_groups] or [None])
    return [ParticipationStarted(one.subject, occurred_on=day.isoformat(), target_group=group, gender="unknown")]


def _there(years: Years, one: Known, day: date) -> list[Fact]:
    activity = years.chance.choice([a.key for a in one.programme.activities if a.counts == "people"][:2])
    role, name = years.chance.choice(["participant", "participant", "staff"]), years.number()
    ids = {"session": hex_id("session", name)}
    held = SessionHeld(**ids, activity=activity, occurred_on=day.isoformat())
    ids["attendance"] = hex_id("attendance", name)
    return [held, AttendanceRecorded(one.subject, **ids, role=role, occurred_on=day.isoformat())]


def _heads(years: Years, one: Known, day: date) -> list[Fact]:
    activity = years.chance.choice([a.key for a in one.programme.activities if a.counts == "heads"])
    ids = {"session": hex_id("session", years.number())}
    held = SessionHeld(**ids, activity=activity, occurred_on=day.isoformat())
    return [held, HeadsCounted(**ids, heads=3, basis="counted")]


def _talk(years: Years, one: Known, day: date) -> list[Fact]:
    ids = {"session": hex_id("talk", years.number()), "programme": one.programme.key}
    return [ConversationHeld(one.subject, **ids, how="meeting", occurred_on=day.isoformat())]


def _action(years: Years, one: Known, day: date) -> list[Fact]:
    ids = {"action": hex_id("action", years.number()), "text_ref": hex_id("text", years.number())}
    one.things.append(("action", ids["action"], ids["text_ref"]))
    due = years.chance.choice([None, (years.today + timedelta(days=3)).isoformat()])
    return [ActionAgreed(one.subject, **ids, programme=one.programme.key, due_on=due)]


def _meeting(years: Years, one: Known, day: date) -> list[Fact]:
    meeting = hex_id("meeting", years.number())
    one.things.append(("meeting", meeting, ""))
    on = (years.today + timedelta(days=years.chance.choice([0, 3, 20]))).isoformat()
    return [MeetingPlanned(one.subject, meeting=meeting, programme=one.programme.key, on=on)]


def _withdrawn(years: Years, one: Known, day: date) -> list[Fact]:
    if not one.things:
        return []
    what, thing, text = one.things.pop(years.chance.randrange(len(one.things)))
    common = {"programme": one.programme.key}
    if what == "meeting":
        return [MeetingWithdrawn(one.subject, meeting=thing, **common)]
    return [ActionWithdrawn(one.subject, action=thing, text_ref=text, **common)]


def _afterwards(years: Years, one: Known, day: date) -> list[Fact]:
    """Leaving, coming back, what is asked afterwards, forms and visits."""
    chance, at = years.chance, {"occurred_on": day.isoformat()}
    local, name = {"programme": one.programme.key}, hex_id("afterwards", years.number())
    reason, status = chance.choice(EXITS[:-1] if chance.random() < 0.9 else EXITS), chance.choice(FOLLOW_UPS)
    what, facts = chance.choice([
        ("left", [ParticipationEnded(one.subject, reason=reason, **at)]),
        ("left", [ParticipationEnded(one.subject, reason="completed", **at)]),
        ("came back", [ParticipationResumed(one.subject, **at)]),
        ("asked", [FollowUpRecorded(one.subject, follow_up=name, due=day.isoformat(), status=status, **at)]),
        ("exit form", [ExitFormRecorded(one.subject, may_call="yes", **local)]),
        ("in vain", [RecordAttempted(one.subject, attempt=name, record="exit", status="not_reached", **local, **at)]),
        ("EURA", [EuraEntered(one.subject, record=chance.choice(RECORDS), entered_by="self", **local, **at)]),
        ("met", [VisitorMet(one.subject, visit=name, encounter=name, **local, **at)]),
    ])  # fmt: skip
    years.reached[one.programme.key, what] += 1
    return list(facts)


def _planned(years: Years, one: Known, day: date) -> list[Fact]:
    """An action of the plan: a new one, or the same written down once more, with another day, done, taken out."""
    chance, local = years.chance, {"programme": one.programme.key}
    if chance.random() < 0.2:
        review = {"what": "review", "state": "done", "shown": True, "day": day.isoformat()}
        return [PlanEntryRecorded(one.subject, entry=hex_id("review", years.number()), **local, **review)]
    if not one.plan or chance.random() < 0.4:
        number = years.number()
        ids = {"entry": hex_id("entry", number), "text_ref": hex_id("text", number)}
        one.plan.append(ids | {"what": "action", "state": "open", "shown": True, "who": "worker", "day": None})
        changed: dict[str, Any] = {}
    else:
        later = (years.today + timedelta(days=chance.choice([3, 9]))).isoformat()
        changed = chance.choice(
            [{"shown": False}, {"day": later}, {"day": later}, {"who": "person"}, {"who": "worker"}]
            + [{"state": state} for state in ("done", "given_up", "open", "gone")]
        )
    entry = one.plan[-1] if not changed else chance.choice(one.plan)
    years.reached[one.programme.key, "plan " + next(iter(changed), "written")] += 1
    if changed.get("state") == "gone":
        one.plan.remove(entry)
        return [PlanEntryWithdrawn(one.subject, entry=entry["entry"], text_ref=entry["text_ref"], **local)]
    entry.update(changed)
    return [PlanEntryRecorded(one.subject, **local, **entry)]


_FACTS: dict[str, Callable[[Years, Known, date], list[Fact]]] = {
    "standing": _standing,
    "started": _started,
    "there": _there,
    "heads": _heads,
    "talk": _talk,
    "action": _action,
    "meeting": _meeting,
    "withdrawn": _withdrawn,
    "afterwards": _afterwards,
    "planned": _planned,
}
_COMMANDS: dict[str, Callable[[Years, Known, date], None]] = {
    "stay": Years.stay,
    "away": Years.away,
    "outcome": Years.outcome,
    "product": Years.product,
}
_WEIGHTED = [
    *("standing", "started", "there", "there", "heads", "talk", "talk", "action", "meeting", "withdrawn"),
    *("afterwards", "afterwards", "planned", "planned"),
    *("stay", "stay", "stay", "stay", "away", "away", "outcome", "product"),
]

MUST = [
    *("step taken", "step refused", "pause taken", "pause refused", "outcome taken", "outcome refused"),
    *("returned", "in parallel", "away", "back", "on sim_guarded", "on sim_done", "on sim_alone", "on sim_free"),
    *("standing client", "standing esf_participant", "standing visitor", "person erased", "task late"),
    *("left", "came back", "asked", "exit form", "in vain", "EURA", "met", "plan written", "plan day", "plan state"),
    *("product begun", "product finished", "network going_on", "network done"),
    *("task open", "task met", "task done", "task dismissed", "task repeated", "step completed", "proposed"),
]
"""What must have been reached."""


def checked(years: Years) -> Counter[tuple[str, str]]:
    """Hold everything against the models; returns what was reached."""
    stored: dict[str, dict[Key, Expected]] = defaultdict(dict)
    hands = years.by_hand
    for row in kit.rows(years.engine, store.task):
        place: Key = (row["rule"], row["subject"].hex(), row["cause"], row["round"])
        stored[row["subject"].hex()][place] = Expected(row["opened_on"], row["due_on"], row["state"], row["closed_on"])
    for one in years.people.values():
        programme, mine = one.programme, stored.pop(one.subject, {})
        if one.gone:
            assert mine == {}
            continue
        history = _with_looks(one.heard, years.looks)
        assert mine == expected(history, programme.tasks, programme.period.end), (programme.key, one.subject)
        for key, task in mine.items():
            years.reached[programme.key, f"task {task.state}"] += 1
            years.reached[programme.key, "task repeated"] += key[3] > 0
        person = years.person(one)
        assert still_open(person, programme) == []
        _is_as_the_lines_say(one, person)
        left = [
            (step, stay) for step, stay in done(person, programme) if (one.subject, step, stay.entered_on) not in hands
        ]
        assert [step for step, stay in left if not is_due(step, stay, person, programme)] == []
        years.reached[programme.key, "step completed"] += len(left)
    assert not stored
    for key in years.programmes:
        years.reached[key, "proposed"] += step_queries.list_proposals(years.engine, key, 1, 0)["total"]
        assert (
            queries.list_tasks(years.engine, key, "open", 1, 0, years.now)["total"] == years.reached[key, "task open"]
        )
    return years.reached


def _with_looks(heard: list[tuple[int, Entry]], looks: list[tuple[int, Looked]]) -> list[Entry]:
    """One person's history, with the timer's looks between: of several in a row only the last, as time goes on."""
    merged = sorted([*heard, *looks], key=lambda numbered: numbered[0])
    entries = [entry for _, entry in merged]
    nexts: list[Entry | None] = [*entries[1:], None]
    return [
        e for e, after in zip(entries, nexts, strict=True) if not (isinstance(e, Looked) and isinstance(after, Looked))
    ]


def _is_as_the_lines_say(one: Known, person: Person) -> None:
    """Times on steps are what the lines of entering and leaving add up to."""
    told = Counter(
        (entry.on, entry.codes["step"], entry.day)
        for _, entry in one.heard
        if isinstance(entry, Told) and entry.on.startswith("step_")
    )
    kept: Counter[tuple[str, str | None, date]] = Counter()
    for step, stays in person.stays.items():
        for stay in stays:
            kept["step_entered", step, stay.entered_on] += 1
            if stay.left_on is not None:
                kept["step_left", step, stay.left_on] += 1
    assert told == kept


def missing(reached: Counter[tuple[str, str]], *, each: bool) -> list[tuple[str, str]]:
    """What of `MUST` was not reached in `each` programme, or in none of them."""
    anywhere = {what for (_, what), times in reached.items() if times}
    wanted = [(key, what) for key in KEYS for what in MUST] if each else []
    return [
        *(pair for pair in wanted if not reached[pair]),
        *(("", what) for what in (*MUST, "killed") if what not in anywhere),
    ]
