"""Every fact of the house, by the service that records it. A new fact: see CONTRIBUTING."""

from types import MappingProxyType

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import (
    Code,
    Codes,
    Day,
    Digest,
    EntityId,
    Language,
    Municipality,
    NodeName,
    Number,
    ProgrammeKey,
    ProgrammeText,
    PublicKey,
    TimeOfDay,
)

STANDINGS = ("visitor", "client", "esf_participant")
"""From least to most; *met* has no subject and therefore no fact of this kind."""
GENDERS = ("f", "m", "x", "unknown")
LABOUR_STATUSES = ("unemployed", "inactive", "inactive_in_education", "employed")
SENSITIVE_ANSWERS = ("yes", "no", "refused", "not_asked")
"""`refused` and `not_asked` are answers of their own; a member left out is *not recorded*."""
ROLES = ("participant", "peer_instructor", "volunteer", "expert", "staff", "network")
BASES = ("counted", "estimated")

_ID = "00112233445566778899aabbccddeeff"


class StandingReached(Fact):
    """A person reached a standing on this node, or was put back to it by a correction; the last one holds.

    `occurred_on` is left out where nobody wrote the day down.
    """

    kind, v, reach, about = "intake.standing_reached", 1, Reach.LEAD, About.SOMEBODY
    standing = Code(*STANDINGS)
    occurred_on = Day(allow_none=True)
    example = {"standing": "client", "occurred_on": "2016-02-01"}


class ParticipationStarted(Fact):
    """The start record of an ESF participant: what the fund asks, on the start day; a later one corrects it.

    Age in full years on the start day; never a birth date or an address. `education` is the ISCED level.
    """

    kind, v, reach, about = "intake.participation_started", 1, Reach.LEAD, About.SOMEBODY
    occurred_on = Day()
    age = Number(0, 120, allow_none=True)
    gender = Code(*GENDERS)
    municipality = Municipality(allow_none=True)
    area = Code(allow_none=True)
    target_group = Code(allow_none=True)
    labour_status = Code(*LABOUR_STATUSES, allow_none=True)
    unemployed_months = Number(0, 720, allow_none=True)
    education = Number(0, 8, allow_none=True)
    foreign_background = Code(*SENSITIVE_ANSWERS, allow_none=True)
    minority = Code(*SENSITIVE_ANSWERS, allow_none=True)
    disability = Code(*SENSITIVE_ANSWERS, allow_none=True)
    other_disadvantage = Code(*SENSITIVE_ANSWERS, allow_none=True)
    homeless = Code(*SENSITIVE_ANSWERS, allow_none=True)
    rural = Code(*SENSITIVE_ANSWERS, allow_none=True)
    example = {"occurred_on": "2016-02-01", "age": 34, "gender": "f", "municipality": "609", "education": 3}


class SessionHeld(Fact):
    """A session of an activity took place. What it was is in the programme file under `activity`."""

    kind, v, reach, about = "activities.session_held", 1, Reach.LEAD, About.NOBODY
    session = EntityId()
    activity = Code()
    occurred_on = Day()
    start = TimeOfDay(allow_none=True)
    minutes = Number(1, 1440, allow_none=True)
    location = Code(allow_none=True)
    area = Code(allow_none=True)
    languages = Codes(Language(), allow_none=True)
    example = {"session": _ID, "activity": "kaapeli", "occurred_on": "2016-02-01", "minutes": 120}


class AttendanceRecorded(Fact):
    """A person was at a session, in a role. `minutes` is left out when nobody wrote it down."""

    kind, v, reach, about = "activities.attendance_recorded", 1, Reach.LEAD, About.SOMEBODY
    attendance = EntityId()
    session = EntityId()
    role = Code(*ROLES)
    minutes = Number(1, 1440, allow_none=True)
    occurred_on = Day()
    example = {"attendance": _ID, "session": _ID, "role": "participant", "occurred_on": "2016-02-01"}


class HeadsCounted(Fact):
    """How many were at a session, without saying who; the last count of a session holds. 0 is a count."""

    kind, v, reach, about = "activities.heads_counted", 1, Reach.LEAD, About.NOBODY
    session = EntityId()
    heads = Number(0, 100_000)
    women = Number(0, 100_000, allow_none=True)
    basis = Code(*BASES)
    example = {"session": _ID, "heads": 148, "basis": "estimated"}


class ProgrammeLoaded(Fact):
    """A node took a version of a programme file into use; `text` is one piece of its canonical JSON."""

    kind, v, reach, about = "pathways.programme_loaded", 1, Reach.NODE, About.NOBODY
    programme = ProgrammeKey()
    digest = Digest()
    part = Number(1, 1000)
    parts = Number(1, 1000)
    text = ProgrammeText()
    example = {"programme": "a-b", "digest": "0" * 64, "part": 1, "parts": 1, "text": "{}"}


class ProgrammeVersion(Fact):
    """The lead's programme file, version by version, on the lead's own stream; pieces as in `ProgrammeLoaded`."""

    kind, v, reach, about = "reporting.programme_version", 1, Reach.LEAD, About.NOBODY
    programme = ProgrammeKey()
    digest = Digest()
    part = Number(1, 1000)
    parts = Number(1, 1000)
    text = ProgrammeText()
    example = {"programme": "a-b", "digest": "0" * 64, "part": 1, "parts": 1, "text": "{}"}


class NodeAdmitted(Fact):
    """A partner's node joined the programme: its public keys, from which day on the lead takes its segments."""

    kind, v, reach, about = "reporting.node_admitted", 1, Reach.LEAD, About.NOBODY
    partner = Code()
    node = NodeName()
    signing_key = PublicKey()
    receiving_key = PublicKey()
    example = {"partner": "yhdistys", "node": "pori-0a1b2c3d", "signing_key": "0" * 64, "receiving_key": "0" * 64}


FACTS: MappingProxyType[tuple[str, int], type[Fact]] = MappingProxyType(
    {
        (fact.kind, fact.v): fact
        for fact in (
            StandingReached,
            ParticipationStarted,
            SessionHeld,
            AttendanceRecorded,
            HeadsCounted,
            ProgrammeLoaded,
            ProgrammeVersion,
            NodeAdmitted,
        )
    }
)
"""Every fact this release knows, by wire name and version."""
