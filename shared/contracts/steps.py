"""Commands and questions about steps: times on them, pauses, products, what is proposed, how steps stand, what a new
version of the programme would move; and how many tasks wait."""

from marshmallow import fields

from shared.contracts.commands import MAX_ITEMS, Command, Item, Question, items
from shared.contracts.fields import Code, Day, Flag, Number, ProgrammeKey, SubjectRef
from shared.contracts.step_facts import PRODUCT_STATES


class StepItem(Item):
    """One person's time on an individual step: from a day, perhaps to a day. With the same first day it ends the one
    that is open."""

    subject = SubjectRef(required=True)
    step = Code(required=True)
    entered_on = Day(required=True)
    left_on = Day(allow_none=True)


class RecordSteps(Command):
    """`pathways.record_steps`: results hold the id of each time on a step."""

    programme = ProgrammeKey(required=True)
    items = items(StepItem)
    skip_bad = Flag(load_default=False)


class PauseItem(Item):
    """One person's time away from a step that they are on: from a day, perhaps to the day of coming back. With the
    same first day it ends the one that is open."""

    subject = SubjectRef(required=True)
    step = Code(required=True)
    paused_on = Day(required=True)
    resumed_on = Day(allow_none=True)


class RecordPauses(Command):
    """`pathways.record_pauses`: results hold the id of each pause."""

    programme = ProgrammeKey(required=True)
    items = items(PauseItem)
    skip_bad = Flag(load_default=False)


class RecordProduct(Command):
    """`pathways.record_product`: how far a product is; the same again changes nothing."""

    programme = ProgrammeKey(required=True)
    product = Code(required=True)
    state = Code(*PRODUCT_STATES, required=True)
    date = Day(required=True)


class StepsOf(Question):
    """`pathways.steps_of`: a person's times on steps with their pauses, and what is proposed."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)


class ListProposals(Question):
    """`pathways.list_proposals`: steps that people may enter, and that are done for them, as the programme says."""

    programme = ProgrammeKey(required=True)
    limit = Number(1, MAX_ITEMS, load_default=100)
    offset = Number(0, 10_000_000, load_default=0)


class StepStates(Question):
    """`pathways.step_states` on a node, of what it has; `reporting.step_states` on a lead, of what has arrived."""

    programme = ProgrammeKey(required=True)


class RehearseProgramme(Question):
    """`pathways.rehearse_programme` on a node, `reporting.rehearse_programme` on a lead: what loading this version
    would move and what forbids it; nothing is changed."""

    document = fields.Dict(required=True)


class CountWaiting(Question):
    """`pathways.count_waiting`: how many tasks of all programmes are due today or late, by whose they are:
    the roles, and `workers`, how many of the case workers' are about the people of each (the id by which facts name
    one)."""
