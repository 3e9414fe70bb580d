"""The fact of who works with a person. A part of `catalogue`. It stays on the node, and so does who the worker is: a
worker is a random id, whose name stands in a table of intake alone."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Day, EntityId, ProgrammeKey

HAND_OVER_REASONS = ("absent", "back", "leaves", "workload", "wish")
"""Why people are handed over: the worker is away (ill, on leave), is back, leaves the job, has too many; the people
wished it."""


class WorkerChanged(Fact):
    """This person has this worker from now on; `reason` where they were handed over by another."""

    kind, v, reach, about = "intake.worker_changed", 1, Reach.NODE, About.SOMEBODY
    programme = ProgrammeKey()
    worker = EntityId()
    reason = Code(*HAND_OVER_REASONS, allow_none=True)
    occurred_on = Day()
    example = {
        **{"programme": "a-b", "worker": "00112233445566778899aabbccddeeff"},
        **{"reason": "absent", "occurred_on": "2016-09-01"},
    }


WORKER_FACTS = (WorkerChanged,)
