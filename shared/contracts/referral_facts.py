"""The facts of referrals. A part of `catalogue`; the end of a participation is in `record_facts`.

A person is referred by one partner's node to another's; each has a record of its own, with its own id. Facts say that
and when, in codes; who it is about and why stands in the sealed letter and in the two vaults alone.
"""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Codes, Day, EntityId, ProgrammeKey

AGREED = ("name", "birth_date", "identity_code", "start_record")
"""What a person may agree to have told to another partner; without the name (or nickname) nobody is referred."""
ANSWERS = ("accepted", "declined")
DECLINES = ("no_places", "not_suitable", "other_partner", "not_reached", "person_refused", "other")
"""Why a partner does not take somebody."""
BECAME = ("started", "did_not_come", "outcome")
"""What became of somebody who was taken; `outcome`: what the programme file calls so."""

_ID = "00112233445566778899aabbccddeeff"


class ReferralSent(Fact):
    """The person agreed to be referred to another partner of the programme, and to `agreed` being told there.

    `text_ref` is the reason in intake's vault, left out where nobody wrote one.
    """

    kind, v, reach, about = "intake.referral_sent", 1, Reach.NODE, About.SOMEBODY
    referral = EntityId()
    programme = ProgrammeKey()
    partner = Code()
    agreed = Codes(Code(*AGREED))
    text_ref = EntityId(allow_none=True)
    occurred_on = Day()
    example = {
        **{"referral": _ID, "programme": "a-b", "partner": "yhdistys"},
        **{"agreed": ["name", "birth_date"], "occurred_on": "2016-02-01"},
    }


class ReferralWithdrawn(Fact):
    """The sending partner took a referral back; if the other had answered before it heard so, the answer holds."""

    kind, v, reach, about = "intake.referral_withdrawn", 1, Reach.NODE, About.SOMEBODY
    referral = EntityId()
    programme = ProgrammeKey()
    occurred_on = Day()
    example = {"referral": _ID, "programme": "a-b", "occurred_on": "2016-02-01"}


class ReferralAnswered(Fact):
    """The sending node heard what the other partner decided; `reason` says why it declined."""

    kind, v, reach, about = "intake.referral_answered", 1, Reach.NODE, About.SOMEBODY
    referral = EntityId()
    programme = ProgrammeKey()
    answer = Code(*ANSWERS)
    reason = Code(*DECLINES, allow_none=True)
    occurred_on = Day()
    example = {"referral": _ID, "programme": "a-b", "answer": "accepted", "occurred_on": "2016-02-01"}


class ReferralReceived(Fact):
    """Another partner refers somebody to us. Nobody here yet: the person has no subject on this node."""

    kind, v, reach, about = "intake.referral_received", 1, Reach.NODE, About.NOBODY
    referral = EntityId()
    programme = ProgrammeKey()
    partner = Code()
    occurred_on = Day()
    example = {"referral": _ID, "programme": "a-b", "partner": "yhdistys", "occurred_on": "2016-02-01"}


class ReferralRecalled(Fact):
    """The receiving node heard, before it had decided, that the referral was taken back; it holds no identity more."""

    kind, v, reach, about = "intake.referral_recalled", 1, Reach.NODE, About.NOBODY
    referral = EntityId()
    programme = ProgrammeKey()
    occurred_on = Day()
    example = {"referral": _ID, "programme": "a-b", "occurred_on": "2016-02-01"}


class ReferralAccepted(Fact):
    """The receiving partner takes the person, who has this subject here; its start record says whom it continues."""

    kind, v, reach, about = "intake.referral_accepted", 1, Reach.NODE, About.SOMEBODY
    referral = EntityId()
    programme = ProgrammeKey()
    occurred_on = Day()
    example = {"referral": _ID, "programme": "a-b", "occurred_on": "2016-02-01"}


class ReferralDeclined(Fact):
    """The receiving partner does not take the person, and holds no identity more."""

    kind, v, reach, about = "intake.referral_declined", 1, Reach.NODE, About.NOBODY
    referral = EntityId()
    programme = ProgrammeKey()
    reason = Code(*DECLINES)
    occurred_on = Day()
    example = {"referral": _ID, "programme": "a-b", "reason": "no_places", "occurred_on": "2016-02-01"}


class ReferralFollowedUp(Fact):
    """What became of a person who was referred and taken: told by the receiving node, heard by the sending one; each
    records it of its own subject. The last one holds. `outcome` is a key of the programme file.
    """

    kind, v, reach, about = "intake.referral_followed_up", 1, Reach.NODE, About.SOMEBODY
    referral = EntityId()
    programme = ProgrammeKey()
    became = Code(*BECAME)
    outcome = Code(allow_none=True)
    occurred_on = Day()
    example = {
        **{"referral": _ID, "programme": "a-b", "became": "outcome", "outcome": "education"},
        **{"occurred_on": "2016-02-01"},
    }


REFERRAL_FACTS = (
    ReferralSent,
    ReferralWithdrawn,
    ReferralAnswered,
    ReferralReceived,
    ReferralRecalled,
    ReferralAccepted,
    ReferralDeclined,
    ReferralFollowedUp,
)
