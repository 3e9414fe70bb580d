"""What activities would tell: who was there, heads, talks, what was agreed in them."""

from collections.abc import Callable
from datetime import date, timedelta

from shared.contracts.catalogue import (
    ActionAgreed,
    ActionWithdrawn,
    AttendanceRecorded,
    ConversationHeld,
    HeadsCounted,
    MeetingPlanned,
    MeetingWithdrawn,
    SessionHeld,
)
from shared.contracts.facts import Fact
from tests.services.pathways.kit import hex_id
from tests.years.home import Home, Known


def _there(home: Home, one: Known, day: date) -> list[Fact]:
    activity = home.chance.choice([a.key for a in one.programme.activities if a.counts == "people"][:2])
    role, name = home.chance.choice(["participant", "participant", "staff"]), home.number()
    ids = {"session": hex_id("session", name)}
    held = SessionHeld(**ids, activity=activity, occurred_on=day.isoformat())
    ids["attendance"] = hex_id("attendance", name)
    return [held, AttendanceRecorded(one.subject, **ids, role=role, occurred_on=day.isoformat())]


def _heads(home: Home, one: Known, day: date) -> list[Fact]:
    activity = home.chance.choice([a.key for a in one.programme.activities if a.counts == "heads"])
    ids = {"session": hex_id("session", home.number())}
    held = SessionHeld(**ids, activity=activity, occurred_on=day.isoformat())
    return [held, HeadsCounted(**ids, heads=3, basis="counted")]


def talk(home: Home, one: Known, day: date) -> list[Fact]:
    ids = {"session": hex_id("talk", home.number()), "programme": one.programme.key}
    return [ConversationHeld(one.subject, **ids, how="meeting", occurred_on=day.isoformat())]


def _action(home: Home, one: Known, day: date) -> list[Fact]:
    ids = {"action": hex_id("action", home.number()), "text_ref": hex_id("text", home.number())}
    one.things.append(("action", ids["action"], ids["text_ref"]))
    due = home.chance.choice([None, (home.today + timedelta(days=3)).isoformat()])
    return [ActionAgreed(one.subject, **ids, programme=one.programme.key, due_on=due)]


def _meeting(home: Home, one: Known, day: date) -> list[Fact]:
    meeting = hex_id("meeting", home.number())
    one.things.append(("meeting", meeting, ""))
    on = (home.today + timedelta(days=home.chance.choice([0, 3, 20]))).isoformat()
    return [MeetingPlanned(one.subject, meeting=meeting, programme=one.programme.key, on=on)]


def _withdrawn(home: Home, one: Known, day: date) -> list[Fact]:
    if not one.things:
        return []
    what, thing, text = one.things.pop(home.chance.randrange(len(one.things)))
    common = {"programme": one.programme.key}
    if what == "meeting":
        return [MeetingWithdrawn(one.subject, meeting=thing, **common)]
    return [ActionWithdrawn(one.subject, action=thing, text_ref=text, **common)]


FACTS_OF: dict[str, Callable[[Home, Known, date], list[Fact]]] = {
    "there": _there,
    "heads": _heads,
    "talk": talk,
    "action": _action,
    "meeting": _meeting,
    "withdrawn": _withdrawn,
}
"""What is told by services that are not here."""
