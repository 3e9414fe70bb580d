"""A valid example of every command on the prepared home (`world`), made from its contract: the members that it demands.

What a member holds is found here by its name (`values`), where a command needs something else by the command and the
member (`special`), else by its kind (`tests/contracts/samples.py`). An optional member is in an example only if
`special` names it.
"""

from typing import Any

from marshmallow import Schema, fields

from shared.contracts import commands
from shared.contracts import fields as types
from tests.badinput.world import DOCUMENT, LEADERS, REPLY_TO, THEM, US, World
from tests.contracts import samples
from tests.services.intake.kit import IDENTITY
from tests.services.kit import KEY, key_of
from tests.services.measurement.kit import ANSWERS

NOT_REACHED = {
    "RetryParked": ("not_found", "nothing is parked in this home"),
    "DropParked": ("not_found", "nothing is parked in this home"),
    "CloseProgramme": ("closing_blocked", "tasks are open, and the home is needed open"),
    "SealStream": ("invalid_input", "the programme is not closed"),
}
"""Commands whose example is refused all the same: as what, and why that cannot be otherwise."""


def values(world: World) -> dict[str, Any]:
    """By the name of a member."""
    ids = world.ids
    return {
        "programme": KEY,
        "document": DOCUMENT,
        "subject": ids["people"]["anna"],
        "person": ids["people"]["anna"],
        "session": ids["sessions"]["kaapeli"],
        "activity": "kaapeli",
        "date": "2016-03-02",
        "due": "2016-09-01",
        "step": "outreach",
        "entered_on": "2016-03-01",
        "outcome": "education",
        "period": "year",
        "partner": THEM,
        "node": LEADERS,
        "words": ids["words"],
        "instrument": "three_items",
        "version": "1",
        "answers": ANSWERS,
        "reply_to": REPLY_TO,
        "refs": [ids["text"]],
        "counter": ids["counter"],
        "task": ids["task"],
        "agreed": ["name"],
        "encounter": ids["door"],
        "revision": 0,
        "product": "plan_sampola",
        "indicator": "participants_started",
        "why": "asked",
        "same_as": ids["people"]["eerik"],
        "worker": "anna",
        "outcome_id": ids["outcome"],
        "follow_up": ids["follow_up"],
        "attempt": ids["attempt"],
        "stay": ids["stay"],
        "pause": ids["pause"],
        "assessment": ids["assessment"],
        "key_no": ids["key_no"],
    }


def special(world: World) -> dict[str, dict[str, Any]]:
    """By command, then by the path of the member without the numbers of items."""
    people, ids = world.ids["people"], world.ids
    held = {"key": key_of("held"), "activity": "kaapeli", "date": "2016-03-03", "minutes": 60}
    named = {name: IDENTITY[name] for name in ("given_name", "family_name", "birth_date", "token")}
    return {
        "RegisterParticipants": {
            "items.sealed": world.sealed(named),
            "items.standing": "esf_participant",
            "items.start_date": "2016-03-01",
            "items.area": "sampola",
        },
        "RecordSessions": {"items.minutes": 60, "items.location": "sampola_meeting_place"},
        "RecordAttendance": {"items.minutes": 30},
        "RecordConversation": {
            "items.activity": "duuniin",
            "items.how": "phone",
            "items.topics": ["finances"],
            "items.actions": [{"text_ref": ids["text"], "due_on": "2016-04-01"}],
            "items.next_meeting": {"on": "2016-03-09", "start": "09:30"},
        },
        "RemoveConversation": {"session": ids["talks"][0]},
        "ShowConversation": {"session": ids["talks"][1]},
        "AskRegister": {"activity": "kaapeli"},
        "RecordRegister": {"held": held, "items.was": False},
        "StartCounter": {"activity": "public_event"},
        "CountHeads": {"revision": 0, "heads": 1},
        "RecordSteps": {"items.left_on": "2016-04-01"},
        "RecordAssessments": {"items.subject": people["eerik"], "items.occasion": "baseline"},
        "LoadWording": {
            "document": {
                **{"instrument": "three_items", "version": "1"},
                "items": [{"key": "functioning", "text": {"fi": "Oma kysymys"}}],
            },
        },
        "RecordExits": {"items.subject": people["exiting"], "items.results": ["employment"]},
        "ResumeParticipation": {"subject": people["back"], "date": "2016-09-01"},
        "RecordFollowUps": {"items.subject": people["left"], "items.date": "2016-09-02", "items.status": "not_reached"},
        "RemoveFollowUp": {"subject": people["left"]},
        "RemoveReturn": {"subject": people["returned"], "date": "2016-08-01"},
        "FindPeople": {"sealed": world.sealed({"name": named["family_name"]})},
        "KeepTexts": {"items.sealed": world.sealed({"text": "Soitetaan."}), "items.subject": people["anna"]},
        "SendReferral": {"subject": people["refer2"], "sealed": world.sealed({"text": "Haluaa ryhmään."})},
        "AcceptReferral": {"referral": ids["received"][0], "standing": "client"},
        "DeclineReferral": {"referral": ids["received"][1]},
        "FollowUpReferral": {"referral": ids["received"][2], "became": "started"},
        "WithdrawReferral": {"referral": ids["sent"]},
        "ErasePerson": {"subject": people["erased"]},
        "AcceptEpoch": {"node": "eura-00000003"},
        "AdmitPartner": {"partner": US},
        "CertifyReport": {"proof": ids["proof"]},
        "MakeRelease": {name: ids["to_release"][name] for name in ("release", "document")},
        "ReadRelease": {"release": ids["release"]},
        "RecordEncounters": {
            "items.location": "sampola_meeting_place",
            "items.topics": ["finances"],
            "items.people_new": 2,
            "items.sealed": world.sealed({"tokens": ["Vadelma"]}),
        },
        "CorrectEncounter": {"encounter": ids["encounters"][0], "content.people_new": 3},
        "RemoveEncounter": {"encounter": ids["encounters"][1]},
        "TapDoor": {"revision": 1},
        "TapVisitor": {"subject": people["visitor"]},
        "MeetVisitor": {"sealed": world.sealed({"tokens": ["Puolukka"]})},
        "RaiseStanding": {
            "items.sealed": world.sealed(named),
            "items.standing": "client",
            "items.subject": people["visitor"],
            "items.keeps_history": True,
        },
        "RecordPlans": {
            "items.entries": [
                {"what": "action", "text_ref": ids["text"], "who": "worker", "day": "2016-04-01"},
                {"what": "barrier", "barrier": "finances", "solutions": ["money_guide"]},
            ],
        },
        "RecordPauses": {
            "items.subject": people["eerik"],
            "items.step": "resources",
            "items.paused_on": "2016-04-01",
            "items.resumed_on": "2016-05-01",
        },
        "RecordStarts": {
            "items.subject": people["start"],
            "items.was": ids["start_was"],
            "items.sealed": world.sealed(
                {name: IDENTITY[name] for name in ("given_name", "family_name", "birth_date")}
            ),
            "items.start_date": "2016-03-01",
            "items.paid_by_project": "no",
        },
        "AddStarts": {
            "items.subject": people["listed"],
            "items.sealed": world.sealed({"form_kept": "kaapissa"}),
            "items.start_date": "2016-03-01",
        },
        "AddExitForms": {
            "items.subject": people["listed_form"],
            "items.sealed": world.sealed({"form_kept": "kaapissa"}),
        },
        "RecordExitForms": {
            "items.subject": people["form"],
            "items.was": ids["form_was"],
            "items.sealed": world.sealed({"form_kept": "kaapissa"}),
        },
        "RecordLeaving": {
            **{"exit.subject": people["leaving"], "form.subject": people["leaving"], "form.was": ids["leaving_was"]},
            **{"form.key": key_of("leaving form"), "form.sealed": world.sealed({"form_kept": "kaapissa"})},
        },
        "NoteEura": {"items.by": "worker"},
        "SetLanguages": {"was": {}, "now": {"service_language": "so"}},
        "SetContact": {"sealed": world.sealed({"was": {}, "now": {"phone": "+358401234567"}})},
        "AddContacts": {"items.subject": people["eerik"], "items.sealed": world.sealed({"phone": "+358401234567"})},
        "ReadContacts": {"people": [people["anna"]]},
        "HandOver": {"to": "bertta", "programme": KEY},
        "TasksOf": {"worker": ids["worker"]},
        "SeesPeople": {"people": [people["anna"]]},
        "ShowExit": {"subject": people["left"]},
        "ShowSample": {"node": world.node.home.name},
        "LeaveOpen": {"items.what": "evidence", "items.subject": people["anna"]},
        "RestrictPerson": {"subject": people["restricted"], "ground": "accuracy"},
        "EndPurpose": {"subject": people["ended"], "purpose": "measurement"},
    }


class NoExample(Exception):
    """A contract has a kind of member of which nothing is known here."""


def example(world: World, command: type[Schema], *, nested: bool = False) -> dict[str, Any]:
    """The example of one command; `nested`: with the objects too that it may have, whether or not they go together."""
    return _object(command(), command.__name__, special(world).get(command.__name__, {}), values(world), nested)


def _object(
    schema: Schema, command: str, known: dict[str, Any], named: dict[str, Any], nested: bool, at: str = ""
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, field in schema.fields.items():
        path = f"{at}{name}"
        inner = field.inner if isinstance(field, fields.List) else field
        if path in known:
            made[name] = known[path]
        elif isinstance(inner, fields.Nested) and (field.required or nested):
            item = _object(inner.schema, command, known, named, nested, f"{path}.")
            made[name] = [item] if isinstance(field, fields.List) else item
        elif field.required:
            made[name] = _value(field, command, path, named)
    return made


def _value(field: Any, command: str, path: str, named: dict[str, Any]) -> Any:
    name = path.rpartition(".")[2]
    if name in named:
        return named[name]
    if name == "key":
        return key_of(command)
    if isinstance(field, commands.Sealed):
        raise NoExample(f"{command}.{path}: what is sealed has no example")
    try:
        return samples.value_of(field)
    except KeyError:
        raise NoExample(f"{command}.{path}: {type(field).__name__} is a new kind of member") from None


def other_values(world: World, field: Any) -> list[Any]:
    """Values that a member takes, at least two that differ; none for kinds that have but one here."""
    if isinstance(field, commands.Sealed):
        inner = field.inside().fields
        others = {"tokens": ["toinen"], "text": "Toinen.", "token": "toinen", "form_kept": "toisaalla"}
        others |= {"phone": "+358401234568"}
        return [world.sealed({name: value}) for name, value in others.items() if name in inner][:1]
    if isinstance(field, commands.WorkerName):
        return ["bertta", "cecilia"]
    if isinstance(field, types.Day):
        return ["2016-03-04", "2016-03-05"]
    if isinstance(field, types.Number):
        return [field.low, field.low + 1]
    if isinstance(field, types.Code) and samples.options_of(field):
        return samples.options_of(field)[:2]
    return []
