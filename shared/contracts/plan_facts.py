"""The facts of people's own plans. A part of `catalogue`. Which barriers somebody has, and what they agreed, never
leaves the node; what was typed is in intake's vault."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Codes, Day, EntityId, Flag, ProgrammeKey

ENTRIES = ("goal", "action", "barrier", "review")
"""What a plan is made of, beside strengths and the next service."""
STATES = ("open", "done", "given_up")
"""How it stands with an entry; a review that was held is done."""
DOERS = ("person", "worker", "together", "other")
"""Who does what was agreed."""

_ID = "00112233445566778899aabbccddeeff"


class PlanRevised(Fact):
    """A person's plan as a whole: strengths, the service that comes next, whether it is ready; the last one holds."""

    kind, v, reach, about = "pathways.plan_revised", 1, Reach.NODE, About.SOMEBODY
    programme = ProgrammeKey()
    strengths = Codes(Code())
    next = Code(allow_none=True)
    ready = Flag()
    occurred_on = Day()
    example = {"programme": "a-b", "strengths": ["wishes"], "ready": False, "occurred_on": "2016-02-01"}


class PlanEntryRecorded(Fact):
    """An entry of a person's plan; the last one of an `entry` holds.

    A goal or an action has a text, in intake's vault at `text_ref`; an action says who does it, and on which day it is
    due. A barrier is a key of the programme file, as its `solutions` are. A review was held on `day`. `shown`: the
    person sees it on their copy.
    """

    kind, v, reach, about = "pathways.plan_entry_recorded", 1, Reach.NODE, About.SOMEBODY
    entry = EntityId()
    programme = ProgrammeKey()
    what = Code(*ENTRIES)
    state = Code(*STATES)
    shown = Flag()
    text_ref = EntityId(allow_none=True)
    who = Code(*DOERS, allow_none=True)
    day = Day(allow_none=True)
    barrier = Code(allow_none=True)
    solutions = Codes(Code(), allow_none=True)
    example = {
        **{"entry": _ID, "programme": "a-b", "what": "action", "state": "open", "shown": True, "text_ref": _ID},
        **{"who": "worker", "day": "2016-02-08"},
    }


class PlanEntryWithdrawn(Fact):
    """An entry was taken out of a plan, or its text was written anew; intake deletes the text at `text_ref`."""

    kind, v, reach, about = "pathways.plan_entry_withdrawn", 1, Reach.NODE, About.SOMEBODY
    entry = EntityId()
    programme = ProgrammeKey()
    text_ref = EntityId(allow_none=True)
    example = {"entry": _ID, "programme": "a-b", "text_ref": _ID}


PLAN_FACTS = (PlanRevised, PlanEntryRecorded, PlanEntryWithdrawn)
