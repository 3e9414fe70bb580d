"""What personal data are processed for, and which facts belong to which purpose (decision 0206)."""

PURPOSES = ("esf_record", "support", "measurement")
"""The fund's start and exit record · working with a person: what they take part in, talks, steps, referrals · how they
fare. Who somebody is, is kept as long as anything else is."""
WHYS = ("withdrawn", "asked", "retention")
"""Why what was recorded for a purpose was erased: the consent was withdrawn, the person asked, its time was over."""

_RECORD = (
    *("intake.participation_", "intake.follow_up_", "intake.record_attempted", "intake.eura_entered"),
    "intake.attempt_removed",
    *("intake.exit_form_recorded", "pathways.person_left_open"),
)
_SUPPORT = ("activities.", "pathways.", "intake.referral_", "intake.visit")
_NONE = ("purpose_cleared",)


def purpose_of(kind: str | None) -> str | None:
    """The purpose for which a fact of this kind about a person is recorded; None: of none alone, or erased."""
    if kind is None or kind.partition(".")[2] in _NONE:
        return None
    if kind.startswith(_RECORD):
        return "esf_record"
    if kind.startswith(_SUPPORT):
        return "support"
    return "measurement" if kind.startswith("measurement.") else None


PURPOSE_OF_SERVICE = {"activities": "support", "pathways": "support", "measurement": "measurement"}
"""For what a service records whatever it records about people; intake records for several."""
