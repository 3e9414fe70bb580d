"""Every fact of the house, by the service that records it. A new fact: see CONTRIBUTING."""

from types import MappingProxyType

from shared.contracts.client_facts import CLIENT_FACTS
from shared.contracts.closing_facts import CLOSING_FACTS
from shared.contracts.encounter_facts import ENCOUNTER_FACTS
from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import (
    Answers,
    Code,
    Codes,
    Day,
    Digest,
    EntityId,
    Language,
    Moment,
    Municipality,
    NodeName,
    Number,
    ProgrammeKey,
    ProgrammeText,
    PublicKey,
    Score,
    Signature,
    SubjectRef,
    TimeOfDay,
)
from shared.contracts.mistake_facts import MISTAKE_FACTS
from shared.contracts.plan_facts import PLAN_FACTS
from shared.contracts.purpose_facts import PURPOSE_FACTS
from shared.contracts.record_facts import RECORD_FACTS
from shared.contracts.referral_facts import REFERRAL_FACTS
from shared.contracts.release_facts import RELEASE_FACTS
from shared.contracts.rights_facts import RIGHTS_FACTS
from shared.contracts.start_facts import START_FACTS
from shared.contracts.step_facts import STEP_FACTS
from shared.contracts.worker_facts import WORKER_FACTS

STANDINGS = ("visitor", "client", "esf_participant")
"""From least to most; *met* has no subject and therefore no fact of this kind."""
GENDERS = ("f", "m", "x", "unknown")
LABOUR_STATUSES = ("unemployed", "inactive", "inactive_in_education", "employed")
SENSITIVE_ANSWERS = ("yes", "no", "refused", "not_asked")
"""`refused` and `not_asked` are answers of their own; a member left out is *not recorded*."""
PROOFS = ("signed", "eura", "none")
"""What confirms a start record: a signed form, an entry in EURA, nothing yet."""
ROLES = ("participant", "peer_instructor", "volunteer", "expert", "staff", "network")
BASES = ("counted", "estimated")
OCCASIONS = ("baseline", "interim", "exit", "followup")
"""When people are asked how they fare, in the order of a participation."""
HOWS = ("meeting", "phone", "message", "home_visit", "accompanied_visit")
"""How a conversation was held."""

_ID = "00112233445566778899aabbccddeeff"

CLOSINGS = ("met", "done", "dismissed")
"""How a task ends: by a fact, or by a worker's hand, done or not."""
TASK_REASONS = ("not_needed", "done_elsewhere", "refused", "not_reached", "has_left", "mistake")
"""Why a worker dismisses a task."""


class StandingReached(Fact):
    """A person reached a standing on this node, or was put back to it by a correction; the last one holds.

    `occurred_on` is left out where nobody wrote the day down. `continues` as in `ParticipationStarted`, of somebody who
    was referred and is no ESF participant here.
    """

    kind, v, reach, about = "intake.standing_reached", 1, Reach.LEAD, About.SOMEBODY
    standing = Code(*STANDINGS)
    occurred_on = Day(allow_none=True)
    continues = SubjectRef(allow_none=True)
    example = {"standing": "client", "occurred_on": "2016-02-01"}


class ParticipationStarted(Fact):
    """The start record of an ESF participant: what the fund asks, on the start day; a later one corrects it.

    Age in full years on the start day; never a birth date or an address. `education` is the ISCED level. `continues` is
    the subject under which another partner of the programme knew the person and referred them: a claim that the two are
    one person, which changes nothing of the other. `proof` says what confirms the record (decision 0204); it is left
    out by releases that did not tell.
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
    continues = SubjectRef(allow_none=True)
    proof = Code(*PROOFS, allow_none=True)
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


class StepEntered(Fact):
    """A person entered an individual step of the programme file; entering again after leaving is a return."""

    kind, v, reach, about = "pathways.step_entered", 1, Reach.LEAD, About.SOMEBODY
    step = Code()
    occurred_on = Day()
    example = {"step": "resources", "occurred_on": "2016-02-01"}


class StepLeft(Fact):
    """A person left a step that they were on."""

    kind, v, reach, about = "pathways.step_left", 1, Reach.LEAD, About.SOMEBODY
    step = Code()
    occurred_on = Day()
    example = {"step": "resources", "occurred_on": "2016-05-01"}


class OutcomeRecorded(Fact):
    """What became of a participant of an activity, and when; a person may have several, the report says each once."""

    kind, v, reach, about = "pathways.outcome_recorded", 1, Reach.LEAD, About.SOMEBODY
    outcome_id = EntityId()
    activity = Code()
    outcome = Code()
    occurred_on = Day()
    example = {"outcome_id": _ID, "activity": "duuniin", "outcome": "education", "occurred_on": "2016-08-15"}


class PeriodConfirmed(Fact):
    """The partner has seen what is unmarked, unfinished or missing in a reporting period, and confirms it.

    `occurred_on` is the day of confirming. The last one of a period holds.
    """

    kind, v, reach, about = "pathways.period_confirmed", 1, Reach.LEAD, About.NOBODY
    period = Code()
    occurred_on = Day()
    example = {"period": "whole_project", "occurred_on": "2017-06-12"}


class TaskOpened(Fact):
    """A rule of the programme file made a task for a worker, about a person; `text_ref` names a text in the vault."""

    kind, v, reach, about = "pathways.task_opened", 1, Reach.NODE, About.SOMEBODY
    task = EntityId()
    rule = Code()
    programme = ProgrammeKey()
    due_on = Day()
    text_ref = EntityId(allow_none=True)
    example = {"task": _ID, "rule": "ask_outcome", "programme": "a-b", "due_on": "2016-08-15"}


class TaskClosed(Fact):
    """A task ended: met by a fact, or closed by a worker, done, or dismissed for a reason."""

    kind, v, reach, about = "pathways.task_closed", 1, Reach.NODE, About.SOMEBODY
    task = EntityId()
    how = Code(*CLOSINGS)
    reason = Code(*TASK_REASONS, allow_none=True)
    occurred_on = Day()
    example = {"task": _ID, "how": "dismissed", "reason": "not_needed", "occurred_on": "2016-08-15"}


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


class NodeExpelled(Fact):
    """A partner's node left the programme: from this line on the lead takes nothing of it. Its figures stay."""

    kind, v, reach, about = "reporting.node_expelled", 1, Reach.LEAD, About.NOBODY
    partner = Code()
    node = NodeName()
    example = {"partner": "yhdistys", "node": "pori-0a1b2c3d"}


class NodeKeysChanged(Fact):
    """A node's new public keys, as it has stated them itself under a key before (`shared/journal/renewing.py`).

    The other signing keys that the directory lists of it are taken until `until`. Members but `until` are the node's
    statement: everybody can check its signature.
    """

    kind, v, reach, about = "reporting.node_keys_changed", 1, Reach.LEAD, About.NOBODY
    node = NodeName()
    signing_key = PublicKey()
    receiving_key = PublicKey()
    stated_at = Moment()
    signed_by = PublicKey()
    signature = Signature()
    until = Moment()
    example = {
        **{"node": "pori-0a1b2c3d", "signing_key": "1" * 64, "receiving_key": "1" * 64},
        **{"stated_at": "2026-11-22T09:15:02.123456Z", "signed_by": "0" * 64, "signature": "0" * 128},
        "until": "2027-01-21T09:15:02.123456Z",
    }


class LeadKeysChanged(Fact):
    """The lead's own new public keys, stated under a key before. A node follows the same statement from the key that
    it has pinned, as it comes with the channel; this is the record of it.
    """

    kind, v, reach, about = "reporting.lead_keys_changed", 1, Reach.LEAD, About.NOBODY
    signing_key = PublicKey()
    receiving_key = PublicKey()
    stated_at = Moment()
    signed_by = PublicKey()
    signature = Signature()
    example = {
        **{"signing_key": "1" * 64, "receiving_key": "1" * 64, "stated_at": "2026-11-22T09:15:02.123456Z"},
        **{"signed_by": "0" * 64, "signature": "0" * 128},
    }


class EpochAccepted(Fact):
    """The lead goes on with a restored node's stream after line `seq`, in this epoch; what it held beyond is void.

    If the epoch is the stream's present one: of two histories the one that the lead holds counts. `held`: how far the
    lead stood then; what comes beyond is not void by this.
    """

    kind, v, reach, about = "reporting.epoch_accepted", 1, Reach.LEAD, About.NOBODY
    node = NodeName()
    epoch = Number(1, 9999)
    seq = Number(0, 10**12)
    held = Number(0, 10**12, allow_none=True)
    example = {"node": "pori-0a1b2c3d", "epoch": 2, "seq": 4711, "held": 4720}


class AnswersRecorded(Fact):
    """What a person answered on one filled-in form; stays on the node. A later one of the same assessment corrects it.

    `definition` is the digest of the instrument's definition; an item that is not in `answers` was not answered.
    """

    kind, v, reach, about = "measurement.answers_recorded", 1, Reach.NODE, About.SOMEBODY
    assessment = EntityId()
    programme = ProgrammeKey()
    instrument = Code()
    version = Code()
    definition = Digest()
    occasion = Code(*OCCASIONS)
    occurred_on = Day()
    session = EntityId(allow_none=True)
    answers = Answers()
    example = {
        **{"assessment": _ID, "programme": "a-b", "instrument": "three_items", "version": "1"},
        **{"definition": "0" * 64, "occasion": "baseline", "occurred_on": "2016-02-01", "answers": {"work_ability": 6}},
    }


class ScoreComputed(Fact):
    """One score of a person's assessment, by the instrument's own rule; the last of an assessment and scale holds.

    `score` is left out where too little was answered for one. `definition` names the rule, so that whoever has the
    answers can compute it again.
    """

    kind, v, reach, about = "measurement.score_computed", 1, Reach.LEAD, About.SOMEBODY
    assessment = EntityId()
    instrument = Code()
    version = Code()
    definition = Digest()
    scale = Code()
    score = Score(allow_none=True)
    occasion = Code(*OCCASIONS)
    occurred_on = Day()
    example = {
        **{"assessment": _ID, "instrument": "three_items", "version": "1", "definition": "0" * 64},
        **{"scale": "work_ability", "score": "6", "occasion": "baseline", "occurred_on": "2016-02-01"},
    }


class AnonymousAnswersRecorded(Fact):
    """What was answered on one form that names nobody; stays on the node, otherwise as `AnswersRecorded`."""

    kind, v, reach, about = "measurement.anonymous_answers_recorded", 1, Reach.NODE, About.NOBODY
    assessment = EntityId()
    programme = ProgrammeKey()
    instrument = Code()
    version = Code()
    definition = Digest()
    occasion = Code(*OCCASIONS)
    occurred_on = Day()
    session = EntityId(allow_none=True)
    answers = Answers()
    example = {
        **{"assessment": _ID, "programme": "a-b", "instrument": "three_items", "version": "1"},
        **{"definition": "0" * 64, "occasion": "baseline", "occurred_on": "2016-02-01", "answers": {"work_ability": 6}},
    }


class AnonymousSheetRecorded(Fact):
    """That there is a form which names nobody. Neither answers nor scores: of a small group, one form may tell who."""

    kind, v, reach, about = "measurement.anonymous_sheet_recorded", 1, Reach.LEAD, About.NOBODY
    assessment = EntityId()
    instrument = Code()
    version = Code()
    occasion = Code(*OCCASIONS)
    occurred_on = Day()
    example = {
        **{"assessment": _ID, "instrument": "three_items", "version": "1"},
        **{"occasion": "interim", "occurred_on": "2016-02-01"},
    }


class SubjectErased(Fact):
    """Everything about this person in this programme was erased; whoever hears it deletes what it keeps of them.

    Recording it turns the subject's other lines into their digests; this line follows when all have heard it.
    """

    kind, v, reach, about = "intake.subject_erased", 1, Reach.LEAD, About.SOMEBODY
    example = {}


class AttendanceRemoved(Fact):
    """A person was not at the session after all: the attendance was a slip. Recorded again, it holds again."""

    kind, v, reach, about = "activities.attendance_removed", 1, Reach.LEAD, About.SOMEBODY
    attendance = EntityId()
    session = EntityId()
    example = {"attendance": _ID, "session": _ID}


class SessionRemoved(Fact):
    """A session did not take place after all; its attendances are removed by facts of their own."""

    kind, v, reach, about = "activities.session_removed", 1, Reach.LEAD, About.NOBODY
    session = EntityId()
    example = {"session": _ID}


class ConversationHeld(Fact):
    """What a talk with a person was about; that it took place say `SessionHeld` and `AttendanceRecorded`.

    Topics such as debt or health, tied to a person, never leave the node (decision 0080). `text_ref` is the note in
    intake's vault, left out where nobody wrote one.
    """

    kind, v, reach, about = "activities.conversation_held", 1, Reach.NODE, About.SOMEBODY
    session = EntityId()
    programme = ProgrammeKey()
    how = Code(*HOWS)
    topics = Codes(Code(), allow_none=True)
    text_ref = EntityId(allow_none=True)
    occurred_on = Day()
    example = {"session": _ID, "programme": "a-b", "how": "phone", "topics": ["debt"], "occurred_on": "2016-02-01"}


class ConversationRemoved(Fact):
    """A conversation was recorded by mistake or is recorded anew; intake deletes the note at `text_ref`."""

    kind, v, reach, about = "activities.conversation_removed", 1, Reach.NODE, About.SOMEBODY
    session = EntityId()
    programme = ProgrammeKey()
    text_ref = EntityId(allow_none=True)
    example = {"session": _ID, "programme": "a-b"}


class ActionAgreed(Fact):
    """A person and a worker agreed on something to be done; what it is stands in intake's vault at `text_ref`.

    `session` is left out where it was not agreed in a conversation, `due_on` where no day was agreed.
    """

    kind, v, reach, about = "activities.action_agreed", 1, Reach.NODE, About.SOMEBODY
    action = EntityId()
    programme = ProgrammeKey()
    text_ref = EntityId()
    due_on = Day(allow_none=True)
    session = EntityId(allow_none=True)
    example = {"action": _ID, "programme": "a-b", "text_ref": _ID, "due_on": "2016-02-08"}


class ActionWithdrawn(Fact):
    """An agreed action was recorded by mistake, with its conversation; intake deletes the text at `text_ref`."""

    kind, v, reach, about = "activities.action_withdrawn", 1, Reach.NODE, About.SOMEBODY
    action = EntityId()
    programme = ProgrammeKey()
    text_ref = EntityId()
    example = {"action": _ID, "programme": "a-b", "text_ref": _ID}


class MeetingPlanned(Fact):
    """The day of the next meeting with a person; `start` is left out where no time was agreed."""

    kind, v, reach, about = "activities.meeting_planned", 1, Reach.NODE, About.SOMEBODY
    meeting = EntityId()
    programme = ProgrammeKey()
    on = Day()
    start = TimeOfDay(allow_none=True)
    session = EntityId(allow_none=True)
    example = {"meeting": _ID, "programme": "a-b", "on": "2016-02-08", "start": "10:00"}


class MeetingWithdrawn(Fact):
    """A planned meeting was recorded by mistake, with its conversation."""

    kind, v, reach, about = "activities.meeting_withdrawn", 1, Reach.NODE, About.SOMEBODY
    meeting = EntityId()
    programme = ProgrammeKey()
    example = {"meeting": _ID, "programme": "a-b"}


class PersonTagged(Fact):
    """By what the lead recognises a person whom several partners met: equal tags of one programme are one person.

    `tag` is HMAC-SHA-256 under the programme's tag key number `key_no`, which no lead has (`services/intake/domain.py`
    says of what). The last one of a person and `key_no` holds. Who has none could not be compared.
    """

    kind, v, reach, about = "intake.person_tagged", 1, Reach.LEAD, About.SOMEBODY
    tag = Digest()
    key_no = Number(1, 999_999)
    example = {"tag": "0" * 64, "key_no": 1}


class TaggingDue(Fact):
    """People of the programme have no tag under the tag key number `key_no` yet: it has just come, or some are left."""

    kind, v, reach, about = "intake.tagging_due", 1, Reach.NODE, About.NOBODY
    programme = ProgrammeKey()
    key_no = Number(1, 999_999)
    example = {"programme": "a-b", "key_no": 1}


class TagsRetired(Fact):
    """Tags of the programme under the tag key number `key_no` are needed no longer on this node: a newer key is in use.

    Recording it turns the lines that hold them into their digests, here and, when it has arrived, at the lead.
    """

    kind, v, reach, about = "intake.tags_retired", 1, Reach.LEAD, About.NOBODY
    key_no = Number(1, 999_999)
    example = {"key_no": 1}


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
            StepEntered,
            StepLeft,
            OutcomeRecorded,
            PeriodConfirmed,
            TaskOpened,
            TaskClosed,
            ProgrammeVersion,
            NodeAdmitted,
            NodeExpelled,
            EpochAccepted,
            NodeKeysChanged,
            LeadKeysChanged,
            AnswersRecorded,
            ScoreComputed,
            AnonymousAnswersRecorded,
            AnonymousSheetRecorded,
            SubjectErased,
            AttendanceRemoved,
            SessionRemoved,
            ConversationHeld,
            ConversationRemoved,
            ActionAgreed,
            ActionWithdrawn,
            MeetingPlanned,
            MeetingWithdrawn,
            PersonTagged,
            TaggingDue,
            TagsRetired,
            *ENCOUNTER_FACTS,
            *PLAN_FACTS,
            *RECORD_FACTS,
            *CLIENT_FACTS,
            *REFERRAL_FACTS,
            *START_FACTS,
            *RIGHTS_FACTS,
            *STEP_FACTS,
            *PURPOSE_FACTS,
            *WORKER_FACTS,
            *CLOSING_FACTS,
            *MISTAKE_FACTS,
            *RELEASE_FACTS,
        )
    }
)
"""Every fact this release knows, by wire name and version."""
