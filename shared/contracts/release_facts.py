"""The facts of releases: reports that the lead has frozen. A part of `catalogue`."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Day, Digest, EntityId, Moment

AUDIENCES = ("internal", "funder", "steering", "public")
"""For whom a report is made (architecture §7)."""


class ReleaseMade(Fact):
    """The lead has frozen a report: of these days (None: from the beginning, to the end), for this audience, with the
    figures of `as_of`. `digest` is SHA-256 of the whole JSON document; not one figure is told, since not every audience
    may see them. A release is never taken back: a later one of the same days follows it.
    """

    kind, v, reach, about = "reporting.release_made", 1, Reach.LEAD, About.NOBODY
    release = EntityId()
    digest = Digest()
    audience = Code(*AUDIENCES)
    from_day = Day(allow_none=True)
    to_day = Day(allow_none=True)
    as_of = Moment()
    occurred_on = Day()
    example = {
        **{"release": "00112233445566778899aabbccddeeff", "digest": "0" * 64, "audience": "funder"},
        **{"from_day": "2016-01-01", "to_day": "2016-12-31", "as_of": "2017-01-15T09:15:02.123456Z"},
        "occurred_on": "2017-01-15",
    }


RELEASE_FACTS = (ReleaseMade,)
