"""Commands about a person's own plan."""

from marshmallow import fields, validate

from shared.contracts.commands import Command, Item, Members, Question, items
from shared.contracts.fields import Code, Codes, Day, EntityId, Flag, Number, ProgrammeKey, SubjectRef
from shared.contracts.plan_facts import DOERS, ENTRIES, STATES

MOST_ENTRIES = 60
"""Of one plan: nobody works at more at once, and reviews of years fit in."""


class PlanEntry(Members):
    """An entry as it is to stand; `entry` names one that is there already, whose text stays what it is."""

    entry = EntityId(allow_none=True)
    what = Code(*ENTRIES, required=True)
    state = Code(*STATES, load_default="open")
    shown = Flag(load_default=True)
    text_ref = EntityId(allow_none=True)
    who = Code(*DOERS, allow_none=True)
    day = Day(allow_none=True)
    barrier = Code(allow_none=True)
    solutions = Codes(Code(), load_default=list)


class PlanItem(Item):
    """One person's plan, whole: an entry that is left out is taken out of it. `was`: the revision that whoever writes
    has seen, 0 before there is a plan. `ready`: it says which service comes next."""

    subject = SubjectRef(required=True)
    was = Number(0, 2**31 - 1, required=True)
    strengths = Codes(Code(), load_default=list)
    next = Code(allow_none=True)
    ready = Flag(load_default=False)
    entries = fields.List(fields.Nested(PlanEntry), load_default=list, validate=validate.Length(max=MOST_ENTRIES))


class RecordPlans(Command):
    """`pathways.record_plans`: results hold each person's subject."""

    programme = ProgrammeKey(required=True)
    items = items(PlanItem)
    skip_bad = Flag(load_default=False)


class ShowPlan(Question):
    """`pathways.show_plan`: one person's plan, in codes; texts are intake's. Nobody is named."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
