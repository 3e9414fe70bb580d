"""What pathways is asked to record: times on steps and away from them, outcomes, products; some that cannot be."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from services.pathways import operations, step_queries, step_store, stepping, store
from services.pathways.domain import NewOutcome, NewPause, NewStay
from shared.storage import snapshot
from tests.services.kit import key_of
from tests.services.pathways.legal import Person, Seen, may_pause, may_stay
from tests.services.pathways.model import Told, exit_of
from tests.years.home import Home, Known


def person_of(home: Home, one: Known) -> Person:
    """What is known of somebody now, read from the tables of times and from what was heard."""
    with snapshot(home.engine) as connection:
        programme = store.find_people(connection, [one.subject]).get(one.subject)
        stays = {step: rows for (_, step), rows in store.find_stays(connection, [one.subject]).items()}
        pauses = {step: rows for (_, step), rows in step_store.find_pauses(connection, [one.subject]).items()}
        outcomes = connection.execute(
            select(store.outcome).where(store.outcome.c.subject == bytes.fromhex(one.subject))
        ).all()
    told = [entry for _, entry in one.heard if isinstance(entry, Told)]
    gone = [n for n, t in enumerate(told) if (t.on, t.codes.get("purpose")) == ("purpose_ended", "esf_record")]
    told = [t for n, t in enumerate(told) if t.on != "participation_started" or n > max(gone, default=-1)]
    facts = [
        Seen(t.on, t.codes, min(t.day, t.heard) if t.on != "attendance_recorded" else t.day)
        for t in told
        if not t.on.startswith(("step_", "outcome_"))
    ]
    facts += [Seen("outcome_recorded", {"activity": o.activity, "outcome": o.outcome}, o.occurred_on) for o in outcomes]
    holds = exit_of(one.subject, told)
    return Person(programme, stays, pauses, facts, holds.day if holds else None)


def judge(home: Home, one: Known, what: str, may: bool, results: list[dict[str, Any]]) -> None:
    """A command was taken exactly if it may be."""
    error = results[0].get("error")
    assert may == (error is None), (one.programme.key, what, "must be taken" if may else "must be refused", results)
    home.reached[one.programme.key, f"{what} {'refused' if error else 'taken'}"] += 1


def stay(home: Home, one: Known, day: date, certainly: str | None = None) -> None:
    """A time on a step: a new one, the end of one that is open, or nonsense; `certainly`: on this one, from the day."""
    home.note()
    person, chance = person_of(home, one), home.chance
    step = chance.choice([*(s.key for s in one.programme.steps if s.level == "individual"), "sim_done", "sim_done"])
    entered, left = day - timedelta(days=chance.choice([0, 2, 9])), day if chance.random() < 0.5 else None
    opened = [(key, s.entered_on) for key, stays in sorted(person.stays.items()) for s in stays if s.left_on is None]
    if opened and chance.random() < 0.4:
        step, entered = chance.choice(opened)
        left = max(day, entered)
    elif person.stays and chance.random() < 0.4:  # a return
        step = chance.choice(sorted(person.stays))
    over = [(key, s) for key, stays in sorted(person.stays.items()) for s in stays if s.left_on and person.left_on]
    if over and chance.random() < 0.4:  # they had left it before they left the programme
        step, was = chance.choice(over)
        entered = was.entered_on
        left = max(entered, (was.left_on or day) - timedelta(days=chance.choice([0, 1, 5])))
    if chance.random() < 0.2:
        step, entered, left = chance.choice([
            ("sim_net", day, None),
            ("nowhere", day, None),
            (step, home.today + timedelta(days=1), None),
            (step, one.programme.period.start - timedelta(days=1), None),
            (step, day, day - timedelta(days=1)),
        ])  # fmt: skip
    if certainly is not None:
        step, entered, left = certainly, day, None
    new = NewStay(key_of(f"stay {home.number()}"), one.subject, step, entered, left)
    may = not one.life.restricted and may_stay(new, person, one.programme, home.today)
    common: dict[str, Any] = {"by": "worker", "now": home.now}
    results, _ = home.dies(stepping.record_steps, home.journal, one.programme.key, [new], **common)
    judge(home, one, "step", may, results)
    if may:
        if left is not None:
            home.by_hand.add((one.subject, step, entered))
        home.reached[one.programme.key, f"on {step}"] += 1
        before = [s for s in person.stays.get(step, []) if s.entered_on < entered]
        home.reached[one.programme.key, "returned"] += bool(before)
        longer = [s for s in person.stays.get(step, []) if s.entered_on == entered and s.left_on and left]
        home.reached[one.programme.key, "step corrected"] += any(s.left_on != left for s in longer)
        home.reached[one.programme.key, "in parallel"] += bool(opened) and (step, entered) not in opened
        again, pos = stepping.record_steps(home.journal, one.programme.key, [new], **common)
        assert (again[0]["stay"], again[0]["new"], pos) == (results[0]["stay"], False, None), "twice is once"


def away(home: Home, one: Known, day: date) -> None:
    """A time away from a step."""
    home.note()
    person, chance = person_of(home, one), home.chance
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
        step, paused = chance.choice([("sim_net", paused), (step, paused - timedelta(days=40)), ("nowhere", paused)])
    new = NewPause(key_of(f"pause {home.number()}"), one.subject, step, paused, back)
    may = not one.life.restricted and may_pause(new, person, one.programme, home.today)
    common: dict[str, Any] = {"by": "worker", "now": home.now}
    results, _ = home.dies(stepping.record_pauses, home.journal, one.programme.key, [new], **common)
    judge(home, one, "pause", may, results)
    if may:
        home.reached[one.programme.key, "back" if back else "away"] += 1


def outcome(home: Home, one: Known, day: date) -> None:
    """What became of somebody; refused of whom nobody saw at its activity."""
    home.note()
    likely, still = one.programme.outcomes[-1:], not home.reached[one.programme.key, "outcome taken"]
    chosen = home.chance.choice(likely if still else [*one.programme.outcomes, *likely * 4])
    there = {
        entry.codes.get("activity")
        for _, entry in one.heard
        if isinstance(entry, Told) and entry.on == "attendance_recorded"
    }
    new = NewOutcome(key_of(f"outcome {home.number()}"), one.subject, chosen.key, day)
    common: dict[str, Any] = {"by": "worker", "now": home.now}
    results, _ = home.dies(operations.record_outcomes, home.journal, one.programme.key, [new], **common)
    known = bool(person_of(home, one).programme) and not one.life.restricted
    judge(home, one, "outcome", known and chosen.activity in there and day >= one.programme.period.start, results)


def product(home: Home, one: Known, day: date) -> None:
    """How far a product is."""
    state = "finished" if home.chance.random() < 0.5 else "begun"
    common: dict[str, Any] = {"by": "worker", "now": home.now}
    key = home.chance.choice([one.programme.products[0].key, "sim_book", "sim_book"])
    home.dies(stepping.record_product, home.journal, one.programme.key, key, state, day, **common)
    home.reached[one.programme.key, f"product {state}"] += 1
    for row in step_queries.step_states(home.engine, one.programme.key, home.now):
        if row["step"] == "sim_net":
            home.reached[one.programme.key, f"network {row['state']}"] += 1


COMMANDS: dict[str, Callable[[Home, Known, date], None]] = {
    "stay": stay,
    "away": away,
    "outcome": outcome,
    "product": product,
}
