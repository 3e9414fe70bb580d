"""The facts of exit records. A part of `catalogue`; the start record is `ParticipationStarted` there."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Codes, Day, EntityId

EXITS = ("completed", "interrupted", "moved", "transferred", "no_contact", "died")
"""Why a participation ends."""
GONE = ("died", "transferred")
"""Whoever left so is asked for nothing any more: the dead, and who goes on with another partner, which asks."""
RESULTS = ("job_search", "education", "qualification", "employment", "none")
"""What a person has on leaving or later; `none` is a result, nothing written down is not."""
FOLLOW_UPS = ("reached", "not_reached", "refused")
"""What came of asking somebody after they left."""
MOST_TRIES = 3
"""After so many tries in vain somebody is *not reached*; who calls back later is still heard."""

_ID = "00112233445566778899aabbccddeeff"


class ParticipationEnded(Fact):
    """A person's participation with this partner ended; `transferred`: another partner of the programme goes on with
    it. The last one holds, unless the participation was resumed after it.

    `results` is left out where nobody wrote them down; `next`, a key of the programme file: where the person went.
    `planned`, of who has a ready plan: the service that the plan names.
    """

    kind, v, reach, about = "intake.participation_ended", 1, Reach.LEAD, About.SOMEBODY
    reason = Code(*EXITS)
    occurred_on = Day()
    results = Codes(Code(*RESULTS), allow_none=True)
    next = Code(allow_none=True)
    planned = Code(allow_none=True)
    example = {"reason": "completed", "occurred_on": "2016-09-01", "results": ["employment"]}


class ParticipationResumed(Fact):
    """A person came back after the end: the start record stays the first one, and the exit will be the next one."""

    kind, v, reach, about = "intake.participation_resumed", 1, Reach.LEAD, About.SOMEBODY
    occurred_on = Day()
    example = {"occurred_on": "2017-01-10"}


class FollowUpRecorded(Fact):
    """Somebody was asked after they left, on `occurred_on`, as was `due`; each try is one, also one in vain.

    `results` as in `ParticipationEnded`, of somebody who was reached.
    """

    kind, v, reach, about = "intake.follow_up_recorded", 1, Reach.LEAD, About.SOMEBODY
    follow_up = EntityId()
    due = Day()
    status = Code(*FOLLOW_UPS)
    results = Codes(Code(*RESULTS), allow_none=True)
    occurred_on = Day()
    example = {"follow_up": _ID, "due": "2017-03-01", "status": "not_reached", "occurred_on": "2017-03-03"}


RECORD_FACTS = (ParticipationEnded, ParticipationResumed, FollowUpRecorded)
