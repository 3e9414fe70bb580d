"""The facts by which is taken back what was recorded of the wrong person, or by a wrong tap (decision 0249). A part of
`catalogue`; those of attendance, talks and encounters stand beside what they take back."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import EntityId

_ID = "00112233445566778899aabbccddeeff"


class OutcomeRemoved(Fact):
    """An outcome did not come of this person after all: it was recorded by mistake."""

    kind, v, reach, about = "pathways.outcome_removed", 1, Reach.LEAD, About.SOMEBODY
    outcome_id = EntityId()
    example = {"outcome_id": _ID}


class FollowUpRemoved(Fact):
    """Nobody asked this person after they left, or not so: the try was recorded by mistake."""

    kind, v, reach, about = "intake.follow_up_removed", 1, Reach.LEAD, About.SOMEBODY
    follow_up = EntityId()
    example = {"follow_up": _ID}


MISTAKE_FACTS = (OutcomeRemoved, FollowUpRemoved)
