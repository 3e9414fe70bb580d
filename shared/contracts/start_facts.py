"""The fact of a form that was asked for in vain. A part of `catalogue`; those of the records are in `record_facts`."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Day, EntityId, Number, ProgrammeKey

RECORDS = ("start", "exit")
"""The two forms of the fund."""
ATTEMPTS = ("refused", "not_reached")
"""What came of asking for a form that was not given: the evidence of why there is none."""
ENTERED_BY = ("self", "worker")
"""Who entered somebody's data in EURA."""
MAY_CALL = ("yes", "no", "not_asked")
"""Whether somebody who leaves may be called later."""

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


class EuraEntered(Fact):
    """A person's start or exit data were entered in the fund's system, EURA, by the person or a worker. The last one of
    each holds."""

    kind, v, reach, about = "intake.eura_entered", 1, Reach.NODE, About.SOMEBODY
    programme = ProgrammeKey()
    record = Code(*RECORDS)
    entered_by = Code(*ENTERED_BY)
    occurred_on = Day()
    example = {"programme": "a-b", "record": "start", "entered_by": "self", "occurred_on": "2023-03-03"}


class EuraCounted(Fact):
    """How many people's start and exit data this node knows to be in EURA; the last one holds. Nobody is named."""

    kind, v, reach, about = "intake.eura_counted", 1, Reach.LEAD, About.NOBODY
    starts = Number(0, 10_000_000)
    exits = Number(0, 10_000_000)
    example = {"starts": 12, "exits": 3}


class ExitFormRecorded(Fact):
    """What was written down when somebody left, beside the exit itself; the last one holds. `text_ref` is what the
    person wishes, in intake's vault, left out where nobody wrote it; `may_call`: whether they may be called later.
    """

    kind, v, reach, about = "intake.exit_form_recorded", 1, Reach.NODE, About.SOMEBODY
    programme = ProgrammeKey()
    may_call = Code(*MAY_CALL)
    signed_on = Day(allow_none=True)
    text_ref = EntityId(allow_none=True)
    example = {"programme": "a-b", "may_call": "yes", "signed_on": "2016-09-01"}


START_FACTS = (RecordAttempted, EuraEntered, EuraCounted, ExitFormRecorded)
