"""The facts of purposes: who was informed, what was ended, and the receipts of all who have cleared it away."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Codes, Day, EntityId, Language, Number, ProgrammeKey
from shared.contracts.purposes import PURPOSES, WHYS

_ID = "00112233445566778899aabbccddeeff"


class PersonInformed(Fact):
    """A person was informed about the processing, by this version of the notice, in this language; `consents`: to what
    they agreed then, where that is the basis. It takes back an earlier withdrawal of the same."""

    kind, v, reach, about = "intake.person_informed", 1, Reach.NODE, About.SOMEBODY
    programme = ProgrammeKey()
    notice = Number(1, 9999)
    language = Language()
    consents = Codes(Code(*PURPOSES), allow_none=True)
    occurred_on = Day()
    example = {"programme": "a-b", "notice": 3, "language": "sv", "occurred_on": "2016-02-01"}


class PurposeEnded(Fact):
    """What was recorded about this person for a purpose was erased; who hears it deletes it, and says so by `ending`.

    Recording it turns the subject's earlier lines of that purpose into their digests. After `withdrawn` nothing more is
    recorded for the purpose until the person has agreed again. `programme` is named where the line stands in no stream
    of one, because that is sealed.
    """

    kind, v, reach, about = "intake.purpose_ended", 1, Reach.LEAD, About.SOMEBODY
    ending = EntityId()
    purpose = Code(*PURPOSES)
    why = Code(*WHYS)
    occurred_on = Day()
    programme = ProgrammeKey(allow_none=True)
    example = {"ending": _ID, "purpose": "measurement", "why": "withdrawn", "occurred_on": "2016-09-01"}


class ActivitiesCleared(Fact):
    """Activities has deleted what it kept of a person for a purpose that ended: so many rows."""

    kind, v, reach, about = "activities.purpose_cleared", 1, Reach.NODE, About.SOMEBODY
    ending = EntityId()
    programme = ProgrammeKey()
    rows = Number()
    example = {"ending": _ID, "programme": "a-b", "rows": 3}


class PathwaysCleared(Fact):
    """Pathways has deleted what it kept of a person for a purpose that ended: so many rows."""

    kind, v, reach, about = "pathways.purpose_cleared", 1, Reach.NODE, About.SOMEBODY
    ending = EntityId()
    programme = ProgrammeKey()
    rows = Number()
    example = {"ending": _ID, "programme": "a-b", "rows": 3}


class MeasurementCleared(Fact):
    """Measurement has deleted what it kept of a person for a purpose that ended: so many rows."""

    kind, v, reach, about = "measurement.purpose_cleared", 1, Reach.NODE, About.SOMEBODY
    ending = EntityId()
    programme = ProgrammeKey()
    rows = Number()
    example = {"ending": _ID, "programme": "a-b", "rows": 3}


class LeadCleared(Fact):
    """The lead has turned the lines that it held for a purpose that ended into digests: so many. It names nobody: who
    knows the `ending` is the node that recorded it."""

    kind, v, reach, about = "reporting.purpose_cleared", 1, Reach.LEAD, About.NOBODY
    ending = EntityId()
    rows = Number()
    example = {"ending": _ID, "rows": 3}


RECEIPTS = (ActivitiesCleared, PathwaysCleared, MeasurementCleared)
PURPOSE_FACTS = (PersonInformed, PurposeEnded, *RECEIPTS, LeadCleared)
