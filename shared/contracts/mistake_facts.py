"""The facts by which is taken back what was recorded of the wrong person, or by a wrong tap (decision 0249). A part of
`catalogue`; those of attendance, talks and encounters stand beside what they take back."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Day, EntityId, ProgrammeKey

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


class AttemptRemoved(Fact):
    """Nobody asked this person for the form in vain: the try was recorded by mistake."""

    kind, v, reach, about = "intake.attempt_removed", 1, Reach.NODE, About.SOMEBODY
    attempt = EntityId()
    programme = ProgrammeKey()
    example = {"attempt": _ID, "programme": "a-b"}


class StepRemoved(Fact):
    """A person was not on a step from this day on, nor until that one: the time on it was recorded by mistake.

    It takes back one entering of `entered_on` and, if it says so, one leaving of `left_on`; of several equal ones the
    last. Times away from it have facts of their own.
    """

    kind, v, reach, about = "pathways.step_removed", 1, Reach.LEAD, About.SOMEBODY
    step = Code()
    entered_on = Day()
    left_on = Day(allow_none=True)
    example = {"step": "resources", "entered_on": "2016-02-01", "left_on": "2016-05-01"}


class PauseRemoved(Fact):
    """A time away from a step was recorded by mistake, or the time on it was; as in `StepRemoved`."""

    kind, v, reach, about = "pathways.pause_removed", 1, Reach.LEAD, About.SOMEBODY
    step = Code()
    paused_on = Day()
    resumed_on = Day(allow_none=True)
    example = {"step": "resources", "paused_on": "2016-03-01", "resumed_on": "2016-04-01"}


class AssessmentRemoved(Fact):
    """This person did not fill in this form: it was recorded of the wrong one. Its answers and all its scores go."""

    kind, v, reach, about = "measurement.assessment_removed", 1, Reach.LEAD, About.SOMEBODY
    assessment = EntityId()
    example = {"assessment": _ID}


class AnonymousSheetRemoved(Fact):
    """There was no such form that names nobody: it was recorded by mistake, and its answers go."""

    kind, v, reach, about = "measurement.anonymous_sheet_removed", 1, Reach.LEAD, About.NOBODY
    assessment = EntityId()
    example = {"assessment": _ID}


MISTAKE_FACTS = (
    *(OutcomeRemoved, FollowUpRemoved, AttemptRemoved, StepRemoved, PauseRemoved),
    *(AssessmentRemoved, AnonymousSheetRemoved),
)
