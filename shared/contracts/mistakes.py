"""Commands that take back what was recorded of the wrong person, or by a wrong tap; and what shows it."""

from shared.contracts.commands import Command, Question
from shared.contracts.fields import Day, EntityId, ProgrammeKey, SubjectRef


class OutcomesOf(Question):
    """`pathways.outcomes_of`: what became of a person, the oldest first."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)


class RemoveOutcome(Command):
    """`pathways.remove_outcome`: it was recorded of this person by mistake; a second time changes nothing."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    outcome_id = EntityId(required=True)


class RemoveFollowUp(Command):
    """`intake.remove_follow_up`: this person was not asked, or not so; a second time changes nothing."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    follow_up = EntityId(required=True)


class RemoveReturn(Command):
    """`intake.remove_return`: this person did not come back on that day; the exit before it holds again, with its
    form. A second time changes nothing."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    date = Day(required=True)


class RemoveStep(Command):
    """`pathways.remove_step`: this person was not on a step then; times away from it go along. A second time changes
    nothing."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    stay = EntityId(required=True)


class RemoveAttempt(Command):
    """`intake.remove_attempt`: this person was not asked for the form in vain; a second time changes nothing."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    attempt = EntityId(required=True)


class RemovePause(Command):
    """`pathways.remove_pause`: this person was not away from a step then; the time on it stays. A second time changes
    nothing."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(required=True)
    pause = EntityId(required=True)


class RemoveAssessment(Command):
    """`measurement.remove_assessment`: this person did not fill in this form; no `subject`: it is one that names
    nobody. A second time changes nothing."""

    programme = ProgrammeKey(required=True)
    subject = SubjectRef(allow_none=True)
    assessment = EntityId(required=True)
