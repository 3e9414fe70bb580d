"""The facts of people who leave without the fund's record. A part of `catalogue`; who has one leaves by `record_facts`.

They stay on the node: the lead's figures hold ESF participants alone.
"""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Day, ProgrammeKey
from shared.contracts.record_facts import EXITS


class ClientLeft(Fact):
    """Somebody who has no start of the fund's record left; reasons are those of exits. The last one holds, unless they
    returned after it, or began a record."""

    kind, v, reach, about = "intake.client_left", 1, Reach.NODE, About.SOMEBODY
    programme = ProgrammeKey()
    reason = Code(*EXITS)
    occurred_on = Day()
    example = {"programme": "a-b", "reason": "moved", "occurred_on": "2016-09-01"}


class ClientReturned(Fact):
    """Somebody who had left so is there again; whoever begins the fund's record after they left is back on that day."""

    kind, v, reach, about = "intake.client_returned", 1, Reach.NODE, About.SOMEBODY
    programme = ProgrammeKey()
    occurred_on = Day()
    example = {"programme": "a-b", "occurred_on": "2017-01-10"}


CLIENT_FACTS = (ClientLeft, ClientReturned)
