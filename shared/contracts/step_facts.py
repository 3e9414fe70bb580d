"""The facts of steps that are paused, and of products. A part of `catalogue`; entering and leaving are there."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Day

PRODUCT_STATES = ("begun", "finished")
"""How far a product is; one that nobody has said anything of has not been begun."""


class StepPaused(Fact):
    """A person who is on a step is away from it from a day on, and has not left it."""

    kind, v, reach, about = "pathways.step_paused", 1, Reach.LEAD, About.SOMEBODY
    step = Code()
    occurred_on = Day()
    example = {"step": "resources", "occurred_on": "2016-03-01"}


class StepResumed(Fact):
    """A person came back to a step that was paused; whoever leaves it while away has both facts, of the same day."""

    kind, v, reach, about = "pathways.step_resumed", 1, Reach.LEAD, About.SOMEBODY
    step = Code()
    occurred_on = Day()
    example = {"step": "resources", "occurred_on": "2016-04-01"}


class ProductRecorded(Fact):
    """How far this partner is with a product of the programme file, and since when; the last one of a product holds."""

    kind, v, reach, about = "pathways.product_recorded", 1, Reach.LEAD, About.NOBODY
    product = Code()
    state = Code(*PRODUCT_STATES)
    occurred_on = Day()
    example = {"product": "guide", "state": "finished", "occurred_on": "2016-11-01"}


STEP_FACTS = (StepPaused, StepResumed, ProductRecorded)
