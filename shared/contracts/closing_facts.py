"""The facts of a programme's end on a node. A part of `catalogue`."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Day, Flag, Number, ProgrammeKey

LEFT_REASONS = ("not_obtainable", "agreed_with_funder", "not_over", "on_its_way", "restricted")
"""Why something is left open when a programme is closed: it cannot be had any more · the funder knows · a period that
ends later · lines that are with the carrier · the person has had the processing restricted."""
REOPEN_REASONS = ("mistake", "extended")
"""Why a programme that was closed goes on: it was closed by mistake · the funder has given it more time."""
LEFT_OF_PEOPLE = ("exit", "evidence")
LEFT_OF_NOBODY = ("period", "receipts")


class ProgrammeClosed(Fact):
    """This node has closed a programme: from now on nothing new is recorded for it here, only corrections. `left`: so
    many things were left open, each for a reason that stands on the node; `final`: no reporting period is open."""

    kind, v, reach, about = "pathways.programme_closed", 1, Reach.LEAD, About.NOBODY
    left = Number()
    final = Flag()
    occurred_on = Day()
    example = {"left": 2, "final": False, "occurred_on": "2017-02-28"}


class ClosingFinal(Fact):
    """The last reporting period of a closed programme is confirmed: nothing is corrected any more either."""

    kind, v, reach, about = "pathways.closing_final", 1, Reach.LEAD, About.NOBODY
    occurred_on = Day()
    example = {"occurred_on": "2017-03-31"}


class ProgrammeReopened(Fact):
    """A programme that was closed here goes on: everything is recorded again, and nothing is left open."""

    kind, v, reach, about = "pathways.programme_reopened", 1, Reach.LEAD, About.NOBODY
    reason = Code(*REOPEN_REASONS)
    occurred_on = Day()
    example = {"reason": "extended", "occurred_on": "2017-03-15"}


class StreamSealed(Fact):
    """The last line of this stream: the node records nothing more for the programme, the lead takes nothing more."""

    kind, v, reach, about = "pathways.stream_sealed", 1, Reach.LEAD, About.NOBODY
    occurred_on = Day()
    example = {"occurred_on": "2017-04-15"}


class PersonLeftOpen(Fact):
    """Of this person something is missing for good in a programme that is closed: what, and why it is left so."""

    kind, v, reach, about = "pathways.person_left_open", 1, Reach.NODE, About.SOMEBODY
    programme = ProgrammeKey()
    what = Code(*LEFT_OF_PEOPLE)
    reason = Code(*LEFT_REASONS)
    occurred_on = Day()
    example = {"programme": "a-b", "what": "evidence", "reason": "not_obtainable", "occurred_on": "2017-02-28"}


class ThingLeftOpen(Fact):
    """Something that is about nobody is left open in a programme that is closed: `item` is the period, if it is one."""

    kind, v, reach, about = "pathways.thing_left_open", 1, Reach.NODE, About.NOBODY
    programme = ProgrammeKey()
    what = Code(*LEFT_OF_NOBODY)
    item = Code(allow_none=True)
    reason = Code(*LEFT_REASONS)
    occurred_on = Day()
    example = {
        **{"programme": "a-b", "what": "period", "item": "p4", "reason": "not_over"},
        "occurred_on": "2017-02-28",
    }


CLOSING_FACTS = (ProgrammeClosed, ClosingFinal, ProgrammeReopened, StreamSealed, PersonLeftOpen, ThingLeftOpen)
