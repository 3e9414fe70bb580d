"""The fact of a form that was asked for in vain. A part of `catalogue`; those of the records are in `record_facts`."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Day, EntityId, ProgrammeKey

RECORDS = ("start", "exit")
"""The two forms of the fund."""
ATTEMPTS = ("refused", "not_reached")
"""What came of asking for a form that was not given: the evidence of why there is none."""

_ID = "00112233445566778899aabbccddeeff"


class RecordAttempted(Fact):
    """A start or exit form was asked for and not given: the person refused, or was not reached. Each try is one."""

    kind, v, reach, about = "intake.record_attempted", 1, Reach.NODE, About.SOMEBODY
    attempt = EntityId()
    programme = ProgrammeKey()
    record = Code(*RECORDS)
    status = Code(*ATTEMPTS)
    occurred_on = Day()
    example = {
        **{"attempt": _ID, "programme": "a-b", "record": "exit", "status": "not_reached"},
        **{"occurred_on": "2017-03-03"},
    }


START_FACTS = (RecordAttempted,)
