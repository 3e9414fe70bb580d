"""The facts of a participant's rights. A part of `catalogue`."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Day, SubjectRef

GROUNDS = ("accuracy", "unlawful", "claims", "objection")
"""Why the processing about a person is restricted: GDPR, article 18(1), a to d."""


class PersonRestricted(Fact):
    """Processing about this person is restricted: what is recorded stays, nobody records anything more about them.

    Recording it makes every service refuse commands about the person, from the same commit on. It stays in the lead's
    figures, which say how many such people there are. On which ground is nobody's business but the node's.
    """

    kind, v, reach, about = "intake.person_restricted", 1, Reach.LEAD, About.SOMEBODY
    occurred_on = Day()
    example = {"occurred_on": "2016-09-01"}


class RestrictionLifted(Fact):
    """Processing about this person is not restricted any more."""

    kind, v, reach, about = "intake.restriction_lifted", 1, Reach.LEAD, About.SOMEBODY
    occurred_on = Day()
    example = {"occurred_on": "2016-09-15"}


class SamePerson(Fact):
    """Somebody has looked at two people of this node and found that they are one: the other is `same_as`. Reports count
    them once; each keeps what is recorded under it."""

    kind, v, reach, about = "intake.same_person", 1, Reach.LEAD, About.SOMEBODY
    same_as = SubjectRef()
    occurred_on = Day()
    example = {"same_as": "ffeeddccbbaa99887766554433221100", "occurred_on": "2016-09-01"}


class NotSamePerson(Fact):
    """Two people of this node who were said to be one are two after all."""

    kind, v, reach, about = "intake.not_same_person", 1, Reach.LEAD, About.SOMEBODY
    same_as = SubjectRef()
    occurred_on = Day()
    example = {"same_as": "ffeeddccbbaa99887766554433221100", "occurred_on": "2016-09-15"}


RIGHTS_FACTS = (PersonRestricted, RestrictionLifted, SamePerson, NotSamePerson)
