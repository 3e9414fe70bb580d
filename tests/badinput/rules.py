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
    ("DrawSample", "from_"): "behind the figures of days on which nothing was recorded are no rows",
    ("DrawSample", "to"): "behind the figures of days on which nothing was recorded are no rows",
    ("RemoveReturn", "date"): "of a day on which nobody came back nothing is taken back: again, and never, look alike",
}
"""Days that may lie anywhere: by command and member, why."""
LIES_AHEAD = {
    ("RecordFollowUps", "items.0.due"): "who is called before it is due is called too",
    ("RecordPlans", "items.0.entries.0.day"): "agreed on",
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
        Rule("RegisterParticipants", "not its participant", "paid_by_project", _record(paid_by_project="yes")),
        Rule("RaiseStanding", "not its participant", "paid_by_project", _esf(people["client"], paid_by_project="yes")),
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
        Rule("RaiseStanding", "ask the visitor", "keeps_history", _record(keeps_history=None)),
        Rule("RaiseStanding", "is a esf_participant already", "standing", _record(subject=people["anna"])),
        Rule("RaiseStanding", "has one record", "keeps_history", _esf(people["client"], keeps_history=False)),
        Rule("RaiseStanding", "has a name", "given_name", _record(keeps_history=False), {"token": "kettu"}),
        # encounters and doors
        Rule("RecordEncounters", "outside", "date", _record(date="2015-04-30")),
        Rule("RecordEncounters", "nobody wrote down", "women", _record(people_new=None, women=1)),
        Rule("RecordEncounters", "more than the 2", "women", _record(people_known=0, women=3)),
        Rule("CorrectEncounter", "somebody else", "encounter", {"revision": 7}),
        Rule("RemoveEncounter", "somebody else", "encounter", {"revision": 7}),
        Rule("OpenDoor", "outside", "date", {"date": "2015-04-30"}),
        Rule("TapDoor", "not counted at a door", "encounter", {"encounter": ids["encounters"][0]}),
        Rule("TapDoor", "not counted apart", "women", {"tap": "new_woman"}),
        Rule("MeetVisitor", "one nickname", "tokens", {}, {"tokens": ["yksi", "kaksi"]}),
        # start records, exit forms, EURA
        Rule("RecordStarts", "not its participant", "paid_by_project", _record(paid_by_project="yes")),
        Rule("RecordStarts", "somebody else", "was", _record(was="00" * 32)),
        Rule("RecordStarts", "outside", "start_date", _record(start_date="2015-04-30")),
        Rule("RecordStarts", "say who", "eura_by", _record(eura_on="2016-03-01")),
        Rule("AddStarts", "already recorded", "gender", _record(gender="m")),
        Rule("AddStarts", "already recorded", "start_date", _record(start_date="2016-03-02")),
        Rule("AddStarts", "already recorded", "birth_date", {}, {"birth_date": "1981-02-04"}),
        Rule("AddStarts", "not its participant", "paid_by_project", _record(paid_by_project="yes")),
        Rule("AddStarts", "say who", "eura_by", _record(eura_on="2016-03-01")),
        Rule("AddExitForms", "has not left", "person", _record(subject=people["leaving"], may_call="yes")),
        Rule("AddExitForms", "before the start", "form_signed_on", _record(form_signed_on="2016-02-29")),
        Rule("RecordAttempts", "before the start", "date", _record(record="exit", date="2016-02-29")),
        Rule("AskFilled", "nobody is recognised without", "subject", {"subject": people["visitor"]}),
        Rule("NoteEura", "no ESF participant", "person", client),
        Rule("NoteEura", "has not left", "person", _record(record="exit")),
        Rule("NoteEura", "before the exit", "date", _record(record="exit", subject=people["left"], date="2016-05-31")),
        Rule("RecordExitForms", "somebody else", "was", _record(was="00" * 32)),
        Rule("RecordExitForms", "has not left", "person", _record(subject=people["leaving"], was=ids["leaving_was"])),
        Rule("RecordExitForms", "before the start", "form_signed_on", _record(form_signed_on="2016-02-29")),
        Rule("RecordExitForms", "before the exit", "eura_on", _record(eura_on="2016-05-31", eura_by="self")),
        Rule("RecordExitForms", "with the day", "eura_by", _record(eura_by="self")),
        Rule("RecordExitForms", "no text of this person", "wishes_ref", _record(wishes_ref=ids["text"])),
        # rights
        Rule("CorrectPerson", "has a name", "given_name", {}, {"given_name": None, "family_name": None}),
        Rule("CorrectPerson", "not valid", "identity_code", {}, {"identity_code": "030281-9990"}),
        Rule("CorrectPerson", "outside", "start_date", {"record": {"start_date": "2015-04-30"}}),
        Rule("CorrectPerson", "somebody else", "was", {"was": "00" * 32}),
        Rule("EndPurpose", "somebody else", "seen", {"seen": 0}),
        Rule("ErasePerson", "somebody else", "seen", {"subject": people["anna"], "seen": 0}),
        Rule("RestrictPerson", "has one", "ground", {"ground": None}),
        Rule("RecordInformed", "no matter of consent", "consents", _record(consents=["support"])),
        Rule("EndPurpose", "only a consent", "purpose", {"purpose": "support", "why": "withdrawn"}),
        Rule("JudgePair", "the same one", "same_as", {"same_as": people["anna"]}),
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
        Rule("RemoveOutcome", "no such person", "person", {"subject": people["visitor"][::-1]}),
        Rule("RemoveStep", "no such person", "person", {"subject": people["visitor"][::-1]}),
        Rule("RemovePause", "no such person", "person", {"subject": people["visitor"][::-1]}),
        Rule("RemoveAttempt", "no such person", "person", {"subject": people["visitor"][::-1]}),
        Rule("RemoveFollowUp", "no such person", "participant", {"subject": people["visitor"][::-1]}),
        Rule("RemoveReturn", "no such person", "participant", {"subject": people["visitor"][::-1]}),
        Rule("ConfirmPeriod", "not over", "period", {"period": "whole_project"}),
        Rule("RecordPauses", "not on this step", "from", _record(paused_on="2016-02-28")),
        Rule("RecordPauses", "before from", "to", _record(resumed_on="2016-03-31")),
        Rule("RecordPauses", "never entered", "step", _record(step="togetherness")),
        Rule("RecordPlans", "somebody else", "was", _record(was=7)),
        Rule("RecordPlans", "comes next", "next", _record(ready=True)),
        Rule("RecordPlans", "have a text", "text_ref", _record(entries=[{"what": "goal"}])),
        Rule("RecordPlans", "which one", "barrier", _record(entries=[{"what": "barrier"}])),
        Rule("RecordPlans", "not after today", "day", _record(entries=[{"what": "review", "day": TOMORROW}])),
        Rule("CloseTask", "needs one", "reason", {"how": "dismissed"}),
        Rule("CloseTask", "only a dismissed", "reason", {"how": "done", "reason": "mistake"}),
        # leaving
        Rule("RecordExits", "before the start", "date", {f"{first}.date": "2016-02-29"}),
        Rule("RecordExits", "stands beside", "results", {f"{first}.results": ["none", "employment"]}),
        Rule("RecordExits", "before the exit", "resumed_on", {f"{first}.resumed_on": "2016-03-01"}),
        Rule("RecordExits", "nothing to leave", "participant", client),
        Rule("RecordExits", "there is no exit", "corrects", {f"{first}.corrects": True}),
        Rule("ResumeParticipation", "has not left", "person", {"subject": people["anna"]}),
        Rule("ResumeParticipation", "before the exit", "date", {"date": "2016-05-31"}),
        Rule("RecordFollowUps", "before the exit", "date", {f"{first}.date": "2016-05-31"}),
        Rule(
            *("RecordFollowUps", "before due", "date"),
            {f"{first}.date": "2016-09-02", f"{first}.due": "2016-09-03", f"{first}.status": "reached"},
        ),
        Rule("RecordFollowUps", "has not left", "participant", {f"{first}.subject": people["anna"]}),
        Rule("RecordFollowUps", "nobody was reached", "results", {f"{first}.results": ["employment"]}),
        # measuring
        Rule("RecordAssessments", "no such item", "item", {f"{first}.answers": {"no_such": 1}}),
        Rule("RecordAssessments", "somebody else", "was", {f"{first}.was": 7}),
        Rule("RecordAssessments", "not a whole number", "answers", {f"{first}.answers": {"work_ability": 11}}),
        Rule(
            "RecordAssessments",
            "before the person",
            "date",
            {f"{first}.occasion": "exit", f"{first}.date": "2016-01-01"},
        ),
        Rule("RemoveAssessment", "no such person", "participant", {"subject": people["visitor"][::-1]}),
        Rule("LoadWording", "no such instrument", "instrument", {"document": _words("four_items", "functioning")}),
        Rule("LoadWording", "no key in", "document", {"document": _words("three_items", "pain")}),
        # referrals
        Rule("SendReferral", "not agreed to their name", "agreed", {"agreed": ["birth_date"]}),
        Rule("SendReferral", "longer than", "text", {}, {"text": "x" * 2001}),
        Rule("AcceptReferral", "has a start date", "start_date", {"standing": "esf_participant"}),
        Rule(
            "AcceptReferral",
            "not its participant",
            "paid_by_project",
            {"standing": "esf_participant", "paid_by_project": "yes"},
        ),
        Rule("FollowUpReferral", "outcome", "outcome", {"became": "outcome", "outcome": None}),
        Rule("RegisterParticipants", "no phone number", "phone", {}, named | {"phone": "soita"}),
        Rule("RegisterParticipants", "no e-mail", "email", {}, named | {"email": "a@b"}),
        Rule(
            "RegisterParticipants",
            "protected address",
            "email",
            _record(protected_address="yes"),
            named | {"email": "a@example.org"},
        ),
        # workers
        Rule("HandOver", "the same worker", "to", {"to": "anna"}),
        Rule("HandOver", "of one programme", "programme", {"programme": None, "people": [people["anna"]]}),
        Rule("HandOver", "is not this worker's", "people", {"people": [people["visitor"]]}),
        # the lead
        Rule("AskReport", "before from", "to", {"from_": "2016-03-02", "to": "2016-03-01"}),
        Rule("DrawSample", "before from", "to", {"from_": "2016-03-02", "to": "2016-03-01"}),
    ]


def _words(instrument: str, item: str) -> dict[str, Any]:
    return {"instrument": instrument, "version": "1", "items": [{"key": item, "text": {"fi": "Oma kysymys"}}]}


def _record(**members: Any) -> dict[str, Any]:
    return {f"items.0.{name}": value for name, value in members.items()}


def _esf(subject: str, **members: Any) -> dict[str, Any]:
    return _record(subject=subject, standing="esf_participant", start_date="2016-03-01", **members)


def _heads(heads: int, women: int) -> dict[str, Any]:
    return _record(headcount=heads, headcount_women=women, headcount_basis="counted")
