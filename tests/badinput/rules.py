"""What well-formed input may not say: days of another time made for every command, the rest as a table by command."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from marshmallow import Schema

from shared.contracts.fields import Day
from tests.badinput.mutations import Place, places
from tests.badinput.world import World
from tests.services.intake.kit import IDENTITY
from tests.services.kit import NOW

TOMORROW = (NOW + timedelta(days=1)).date().isoformat()
FUTURE, PAST = (TOMORROW, "2038-01-19", "9999-12-31"), ("1066-10-14", "0001-01-01")

MAY_BE_ANY_DAY: dict[tuple[str, str], str] = {
    ("AskReport", "from_"): "figures of days on which nothing was recorded are 0",
    ("AskReport", "to"): "figures of days on which nothing was recorded are 0",
}
"""Days that may lie anywhere: by command and member, why."""
LIES_AHEAD = {
    ("RecordFollowUps", "items.0.due"): "who is called before it is due is called too",
    ("RecordConversation", "items.0.actions.0.due_on"): "agreed on",
    ("RecordConversation", "items.0.next_meeting.on"): "agreed on",
}
"""Days that may be tomorrow, but not decades away: why."""


@dataclass(frozen=True)
class Rule:
    """A command's example with other members (by path; None: left out), and what the refusal names and says."""

    command: str
    says: str
    names: str
    change: dict[str, Any]
    sealed: dict[str, Any] = field(default_factory=dict)


def days(command: type[Schema]) -> Iterator[tuple[Place, str]]:
    """Every day of a command, with days on which it cannot be."""
    for place in places(command()):
        name = (command.__name__, place.name)
        if isinstance(place.field, Day) and name not in MAY_BE_ANY_DAY:
            for day in (*FUTURE, *PAST):
                if day != TOMORROW or name not in LIES_AHEAD:
                    yield place, day


def rules(world: World) -> list[Rule]:
    """The table. A new command adds its rules here: one line each."""
    people, sessions, ids = world.ids["people"], world.ids["sessions"], world.ids
    first = "items.0"
    client = {f"{first}.subject": people["client"]}
    named = {name: IDENTITY[name] for name in ("given_name", "family_name", "birth_date", "token")}
    return [
        # people
        Rule("RegisterParticipants", "has a start date", "start_date", {f"{first}.start_date": None}),
        Rule("RegisterParticipants", "outside", "start_date", {f"{first}.start_date": "2015-04-30"}),
        Rule("RegisterParticipants", "after start_date", "birth_date", {}, named | {"birth_date": "2016-03-02"}),
        Rule("RegisterParticipants", "years ago", "birth_date", {}, named | {"birth_date": "1850-01-01"}),
        Rule("RegisterParticipants", "has a name", "given_name", {}, {"token": "kettu"}),
        Rule("RegisterParticipants", "not valid", "identity_code", {}, named | {"identity_code": "030281-9990"}),
        Rule("RegisterParticipants", "another birth", "identity_code", {}, named | {"identity_code": "010101-123N"}),
        Rule("RegisterParticipants", "asked only if", "unemployed_months", _record(unemployed_months=3)),
        Rule("RegisterParticipants", "signed form", "minority", _record(minority="refused")),
        Rule("RegisterParticipants", "future", "form_signed_on", _record(form_signed_on=TOMORROW)),
        Rule("ErasePerson", "no such person", "person", {"subject": ids["sent"]}),
        # sessions
        Rule("RecordSessions", "outside", "date", {f"{first}.date": "2015-04-30"}),
        Rule("RecordSessions", "go together", "headcount_basis", {f"{first}.headcount": 5}),
        Rule("RecordSessions", "more than headcount", "headcount_women", _heads(5, 6)),
        Rule("RecordSessions", "counts people", "headcount", _heads(5, 5)),
        Rule("RecordAttendance", "longer than", "minutes", {f"{first}.minutes": 61}),
        Rule("RecordRegister", "name a recorded session", "session", {"session": sessions["kaapeli"]}),
        Rule("RecordRegister", "name a recorded session", "session", {"held": None}),
        Rule("RecordConversation", "individual", "activity", {f"{first}.activity": "kaapeli"}),
        Rule("RecordConversation", "before", "next_meeting.on", {f"{first}.next_meeting": {"on": "2016-03-01"}}),
        Rule("StartCounter", "counts people", "activity", {"activity": "kaapeli"}),
        Rule("CountHeads", "not counted apart", "women", {"women": 1}),
        # the workflow
        Rule("RecordSteps", "before from", "to", {f"{first}.left_on": "2016-02-28"}),
        Rule("RecordSteps", "never entered", "step", {f"{first}.step": "togetherness"}),
        Rule("RecordOutcomes", "at no session", "participant", client),
        Rule("ConfirmPeriod", "not over", "period", {"period": "whole_project"}),
        Rule("CloseTask", "needs one", "reason", {"how": "dismissed"}),
        Rule("CloseTask", "only a dismissed", "reason", {"how": "done", "reason": "mistake"}),
        # leaving
        Rule("RecordExits", "before the start", "date", {f"{first}.date": "2016-02-29"}),
        Rule("RecordExits", "stands beside", "results", {f"{first}.results": ["none", "employment"]}),
        Rule("RecordExits", "nothing to leave", "participant", client),
        Rule("RecordExits", "there is no exit", "corrects", {f"{first}.corrects": True}),
        Rule("ResumeParticipation", "has not left", "person", {"subject": people["anna"]}),
        Rule("ResumeParticipation", "before the exit", "date", {"date": "2016-05-31"}),
        Rule("RecordFollowUps", "before the exit", "date", {f"{first}.date": "2016-05-31"}),
        Rule("RecordFollowUps", "has not left", "participant", {f"{first}.subject": people["anna"]}),
        Rule("RecordFollowUps", "nobody was reached", "results", {f"{first}.results": ["employment"]}),
        # measuring
        Rule("RecordAssessments", "no such item", "item", {f"{first}.answers": {"no_such": 1}}),
        Rule("RecordAssessments", "not a whole number", "answers", {f"{first}.answers": {"work_ability": 11}}),
        Rule(
            "RecordAssessments",
            "before the person",
            "date",
            {f"{first}.occasion": "exit", f"{first}.date": "2016-01-01"},
        ),
        # referrals
        Rule("SendReferral", "not agreed to their name", "agreed", {"agreed": ["birth_date"]}),
        Rule("SendReferral", "longer than", "text", {}, {"text": "x" * 2001}),
        Rule("AcceptReferral", "has a start date", "start_date", {"standing": "esf_participant"}),
        Rule("FollowUpReferral", "outcome", "outcome", {"became": "outcome", "outcome": None}),
        # the lead
        Rule("AskReport", "before from", "to", {"from_": "2016-03-02", "to": "2016-03-01"}),
    ]


def _record(**members: Any) -> dict[str, Any]:
    return {f"items.0.{name}": value for name, value in members.items()}


def _heads(heads: int, women: int) -> dict[str, Any]:
    return _record(headcount=heads, headcount_women=women, headcount_basis="counted")
