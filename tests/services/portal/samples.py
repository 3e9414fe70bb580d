"""A programme, a report and answers of services, as the portal gets them; and the fakes around the portal."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from services.portal import store
from services.portal.app import create_app
from services.portal.context import HomeRole, PortalContext, directly
from services.portal.passwords import Hasher
from services.portal.users import add_user
from shared.contracts.closing import AskClosing, CloseProgramme, LeaveOpen, ListLeft, ListStillIn, SealStream
from shared.contracts.commands import (
    AskReport,
    CertifyReport,
    CloseTask,
    ErasePerson,
    FindPeople,
    ListPeople,
    ListSessions,
    ListTasks,
    RecordAssessments,
    RecordOutcomes,
    RecordSteps,
    RegisterParticipants,
    load,
)
from shared.contracts.contacts import ReadContacts, SetContact, SetLanguages
from shared.contracts.encounters import (
    CorrectEncounter,
    ListDoors,
    ListEncounters,
    ListRegulars,
    MeetVisitor,
    OpenDoor,
    RaiseStanding,
    RecordEncounters,
    RemoveEncounter,
    TapDoor,
    TapVisitor,
)
from shared.contracts.errors import UnknownProgramme, UnknownSession
from shared.contracts.filled import AskFilled, ShowFilled
from shared.contracts.partners import ConfirmNode, ListNodes, RenewTagKey, RetireTagKey
from shared.contracts.plans import RecordPlans, ShowPlan
from shared.contracts.questionnaires import ListDue, ShowForms, ShowWording
from shared.contracts.records import ListMissingEvidence, RecordFollowUps, ResumeParticipation
from shared.contracts.referrals import (
    AcceptReferral,
    DeclineReferral,
    FollowUpReferral,
    ListReferrals,
    ReferralPartners,
    SendReferral,
    WithdrawReferral,
)
from shared.contracts.releases import ListReleases, ReadRelease
from shared.contracts.rights import (
    AskInformed,
    AskReceipts,
    CopyPerson,
    CorrectPerson,
    EndPurpose,
    JudgePair,
    ListDuplicates,
    PersonShare,
    PreviewErasing,
    RecordInformed,
    RestrictPerson,
    ShowIdentity,
)
from shared.contracts.rights import (
    ListDue as RetentionDue,
)
from shared.contracts.samples import DrawSample, ShowSample
from shared.contracts.starts import (
    ListEura,
    ListFollowUps,
    NoteEura,
    RecordAttempts,
    RecordLeaving,
    RecordStarts,
    ShowExit,
    ShowStart,
)
from shared.contracts.steps import ListProposals, RecordPauses, StepsOf, StepStates
from shared.contracts.talks import (
    AskRecent,
    AskRegister,
    CountHeads,
    KeepTexts,
    ListCounters,
    ReadTexts,
    RecordConversation,
    RecordRegister,
    RemoveConversation,
    ShowConversation,
    StartCounter,
)
from shared.contracts.workers import AssignWorkers, HandOver, ListWorkers, SeesPeople, TasksOf
from shared.journal.sealed import open_command, seal_reply
from shared.storage import metadata, open_engine
from tests.services.portal import certifying

START = datetime(2017, 6, 12, 7, 30, tzinfo=UTC)
PASSWORD = "kolme pientä porsasta"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
CHEAP = Hasher(memory_kib=8, passes=1)

DOCUMENT: dict[str, Any] = {
    "key": "lahde-mukaan",
    "name": {"fi": "Lähde mukaan!"},
    "period": {"start": "2015-05-01", "end": "2017-05-31"},
    "funding_programme": "esf_2014_2020",
    "partners": [
        {
            "key": "leader_association",
            "role": "lead",
            "name": {"fi": "Leader-yhdistys", "sv": "Leaderförening", "en": "Leader association"},
        },
        {
            "key": "university_of_applied_sciences",
            "role": "partner",
            "name": {"fi": "Ammattikorkeakoulu", "sv": "Yrkeshögskola", "en": "University of applied sciences"},
        },
    ],
    "groups": [
        {
            "key": "community_coaching",
            "counts": "people",
            "name": {"fi": "Yhteisövalmennus", "en": "Community coaching"},
        },
        {
            "key": "info_sessions",
            "counts": "heads",
            "name": {
                "fi": "Työllisyys- ja toimintakykytapahtumat sekä infotilaisuudet",
                "en": "Employment and ability events and info sessions",
            },
        },
        {
            "key": "small_group_events",
            "counts": "heads",
            "name": {"fi": "Yhteisö- ja pienryhmätapahtumat", "en": "Community and small-group events"},
        },
        {
            "key": "public_events",
            "counts": "heads",
            "name": {"fi": "Yleisötapahtumat", "sv": "Publikevenemang", "en": "Public community events"},
        },
        {"key": "individual_coaching", "counts": "people", "name": {"fi": "Yksilövalmennus"}},
    ],
    "activities": [
        {"key": "kaapeli", "group": "community_coaching", "kind": "group", "name": {"fi": "Kaapeli"}},
        {
            "key": "public_event",
            "group": "public_events",
            "kind": "public_event",
            "name": {"fi": "Yleisötapahtuma", "sv": "Publikevenemang"},
        },
        {"key": "duuniin", "group": "individual_coaching", "kind": "individual", "name": {"fi": "Duuniin!"}},
    ],
    "outcomes": [
        {"key": "education", "activity": "duuniin", "name": {"fi": "Hakeutui koulutukseen", "sv": "Sökte sig vidare"}},
        {"key": "work_trial", "activity": "duuniin", "name": {"fi": "Työkokeilu", "sv": "Arbetsprövning"}},
    ],
    "periods": [
        {"key": "first_year", "name": {"fi": "Ensimmäinen vuosi"}},
        {"key": "whole_project", "name": {"fi": "Koko hanke", "sv": "Hela projektet"}},
    ],
    "topics": [
        {"key": "finances", "name": {"fi": "Raha ja velat", "sv": "Pengar och skulder"}},
        {"key": "language", "name": {"fi": "Kieli", "sv": "Språk"}},
    ],
    "strengths": [{"key": "humour", "name": {"fi": "Huumori", "sv": "Humor"}}],
    "solutions": [{"key": "guide", "name": {"fi": "Rahaopas", "sv": "Penningguide"}}],
    "barriers": [{"key": "debt", "name": {"fi": "Velat", "sv": "Skulder"}, "solutions": ["guide"]}],
    "locations": [
        {"key": "sampola_meeting_place", "name": {"fi": "Kohtaamispaikka, Sampola", "sv": "Mötesplats, Sampola"}}
    ],
}

LISTED: dict[str, Any] = {
    "programme": "lahde-mukaan",
    "name": DOCUMENT["name"],
    "digest": "ab" * 32,
    "document": DOCUMENT,
}

CHAIN = "1f8c0d2a9be7" + "0" * 40 + "77d0c4e1a9f2"

REPORT: dict[str, Any] = {
    "programme": "lahde-mukaan",
    "from": None,
    "to": None,
    "audience": "funder",
    "as_of": "2017-06-12T07:30:00.000000Z",
    "arrived": True,
    "confirmed": [{"partner": "leader_association", "period": "whole_project", "on": "2017-06-12"}],
    "newer_facts": 0,
    "streams": [
        {
            "node": "leader-yhdistys-4f1c22ab",
            "partner": "leader_association",
            "epoch": 1,
            "watermark": 1894,
            "head": 1894,
            "chain": CHAIN,
            "manifest_at": "2017-06-12T07:18:00.000000Z",
        },
        {
            "node": None,
            "partner": "university_of_applied_sciences",
            "epoch": None,
            "watermark": None,
            "head": None,
            "chain": None,
            "manifest_at": None,
        },
    ],
    "activities": [
        {
            "group": "community_coaching",
            "sessions": 125,
            "participants": 74,
            "attendances": 1012,
            "heads": None,
            "hours": 281.5,
        },
        {
            "group": "info_sessions",
            "sessions": 15,
            "participants": None,
            "attendances": None,
            "heads": 214,
            "hours": 30.0,
        },
        {
            "group": "small_group_events",
            "sessions": 32,
            "participants": None,
            "attendances": None,
            "heads": 379,
            "hours": 80.0,
        },
        {
            "group": "public_events",
            "sessions": 16,
            "participants": None,
            "attendances": None,
            "heads": 2369,
            "hours": 64.0,
        },
    ],
    "indicators": [
        {
            **{"code": "participants_started", "planned": 1200, "realised": 1051, "suppressed": False},
            "label": {"fi": "Aloittaneita", "sv": "Deltagare som börjat", "en": "Participants started"},
            "by": {"gender": {"f": 1019, "m": 32, "x": 0, "unknown": 0}},
        },
        {
            **{"code": "CO01", "planned": None, "realised": 0, "suppressed": False},
            "label": {"fi": "Työttömät", "sv": "Arbetslösa", "en": "Unemployed"},
            "by": {"gender": {"f": 0, "m": 0, "x": 0, "unknown": 0}},
        },
        {
            **{"code": "new_jobs", "planned": 0, "realised": None, "suppressed": False},
            "label": {"fi": "Uudet työpaikat"},
            "by": {},
        },
    ],
    "funding": [
        {"source": "eu_and_state", "planned_label": "granted", "planned": 170000, "realised": 162158},
        {
            "source": "total",
            "includes": ["eu_and_state"],
            "planned_label": "planned",
            "planned": None,
            "realised": None,
        },
    ],
    "outcomes": [
        {"activity": "duuniin", "participants": 29, "outcomes": {"education": 6, "work_trial": 0}, "unknown": 1}
    ],
    "proof": certifying.PROOF,
}


def report(**changes: Any) -> dict[str, Any]:
    """The sample report with other members."""
    return deepcopy(REPORT) | changes


@dataclass
class Clock:
    """A clock that is moved by hand."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **span: float) -> None:
        """Let time pass."""
        self.time += timedelta(**span)


_BODIES = {
    ("reporting", "report"): AskReport,
    ("reporting", "certify"): CertifyReport,
    ("reporting", "list_releases"): ListReleases,
    ("reporting", "read_release"): ReadRelease,
    ("pathways", "list_releases"): ListReleases,
    ("intake", "list_people"): ListPeople,
    ("intake", "find_people"): FindPeople,
    ("intake", "list_receipts"): AskReceipts,
    ("intake", "restrict_person"): RestrictPerson,
    ("intake", "end_purpose"): EndPurpose,
    ("intake", "preview_erasing"): PreviewErasing,
    ("intake", "erase_person"): ErasePerson,
    ("intake", "show_identity"): ShowIdentity,
    ("intake", "list_duplicates"): ListDuplicates,
    ("intake", "judge_pair"): JudgePair,
    ("intake", "correct_person"): CorrectPerson,
    ("intake", "list_due"): RetentionDue,
    ("intake", "assign_workers"): AssignWorkers,
    ("intake", "hand_over"): HandOver,
    ("intake", "list_workers"): ListWorkers,
    ("intake", "sees"): SeesPeople,
    ("intake", "read_contacts"): ReadContacts,
    ("intake", "set_contact"): SetContact,
    ("intake", "set_languages"): SetLanguages,
    ("pathways", "tasks_of"): TasksOf,
    ("intake", "copy_person"): CopyPerson,
    **{(service, "person_share"): PersonShare for service in ("activities", "pathways", "measurement")},
    ("activities", "list_sessions"): ListSessions,
    ("intake", "keep_texts"): KeepTexts,
    ("intake", "read_texts"): ReadTexts,
    ("activities", "record_conversation"): RecordConversation,
    ("activities", "remove_conversation"): RemoveConversation,
    ("activities", "show_conversation"): ShowConversation,
    ("activities", "recent_people"): AskRecent,
    ("activities", "record_register"): RecordRegister,
    ("activities", "show_register"): AskRegister,
    ("activities", "start_counter"): StartCounter,
    ("activities", "count_heads"): CountHeads,
    ("activities", "list_counters"): ListCounters,
    ("intake", "list_referrals"): ListReferrals,
    ("intake", "referral_partners"): ReferralPartners,
    ("intake", "send_referral"): SendReferral,
    ("intake", "accept_referral"): AcceptReferral,
    ("intake", "decline_referral"): DeclineReferral,
    ("intake", "withdraw_referral"): WithdrawReferral,
    ("intake", "follow_up_referral"): FollowUpReferral,
    ("intake", "list_nodes"): ListNodes,
    ("intake", "confirm_node"): ConfirmNode,
    ("intake", "renew_tag_key"): RenewTagKey,
    ("intake", "retire_tag_key"): RetireTagKey,
    ("intake", "show_start"): ShowStart,
    ("intake", "record_starts"): RecordStarts,
    ("intake", "record_attempts"): RecordAttempts,
    ("intake", "show_filled"): ShowFilled,
    ("intake", "ask_filled"): AskFilled,
    ("intake", "list_missing_evidence"): ListMissingEvidence,
    ("intake", "list_eura"): ListEura,
    ("intake", "show_exit"): ShowExit,
    ("intake", "show_sample"): ShowSample,
    ("reporting", "draw_sample"): DrawSample,
    ("intake", "record_leaving"): RecordLeaving,
    ("intake", "record_follow_ups"): RecordFollowUps,
    ("intake", "list_follow_ups"): ListFollowUps,
    ("pathways", "record_outcomes"): RecordOutcomes,
    ("pathways", "record_plans"): RecordPlans,
    ("pathways", "show_plan"): ShowPlan,
    ("intake", "note_eura"): NoteEura,
    ("measurement", "list_due"): ListDue,
    ("measurement", "show_forms"): ShowForms,
    ("measurement", "record_assessments"): RecordAssessments,
    ("measurement", "show_wording"): ShowWording,
    ("intake", "record_encounters"): RecordEncounters,
    ("intake", "correct_encounter"): CorrectEncounter,
    ("intake", "remove_encounter"): RemoveEncounter,
    ("intake", "list_encounters"): ListEncounters,
    ("intake", "open_door"): OpenDoor,
    ("intake", "tap_door"): TapDoor,
    ("intake", "tap_visitor"): TapVisitor,
    ("intake", "meet_visitor"): MeetVisitor,
    ("intake", "list_doors"): ListDoors,
    ("intake", "list_regulars"): ListRegulars,
    ("intake", "raise_standing"): RaiseStanding,
    ("intake", "resume_participation"): ResumeParticipation,
    ("intake", "list_informed"): AskInformed,
    ("intake", "record_informed"): RecordInformed,
    ("intake", "register_participants"): RegisterParticipants,
    ("pathways", "list_tasks"): ListTasks,
    ("pathways", "close_task"): CloseTask,
    ("pathways", "list_proposals"): ListProposals,
    ("pathways", "steps_of"): StepsOf,
    ("pathways", "record_steps"): RecordSteps,
    ("pathways", "record_pauses"): RecordPauses,
    ("pathways", "closing_state"): AskClosing,
    ("pathways", "list_left"): ListLeft,
    ("pathways", "leave_open"): LeaveOpen,
    ("pathways", "close_programme"): CloseProgramme,
    ("pathways", "seal_stream"): SealStream,
    ("intake", "list_still_in"): ListStillIn,
    ("pathways", "step_states"): StepStates,
    ("reporting", "step_states"): StepStates,
}

BUS_PRIVATE = X25519PrivateKey.generate()
MADE = "ab" * 16
"""The session that the fake services make."""
EMPTY_PLAN: dict[str, Any] = {"revision": 0, "strengths": [], "next": None, "ready_on": None, "entries": []}
CLOSING: dict[str, Any] = {
    **{"programme": "lahde-mukaan", "stream": "leader-0a1b2c3d/lahde-mukaan", "state": "open"},
    **dict.fromkeys(("closed_on", "final_on", "sealed_on")),
    **{"tasks": 0, "periods": [], "left": 0, "head": 9, "receipted": 9},
    "kept": [
        {"purpose": purpose, "basis": "consent", "law": None, "keep_until": None, "keep_months": months}
        for purpose, months in (("esf_record", None), ("support", 24), ("measurement", None))
    ],
}
PREVIEW: dict[str, Any] = {
    "seen": 41,
    "other": [{"kind": "intake.standing_reached", "lines": 2, "to_lead": 2}],
    "purposes": [
        {
            **{"purpose": "esf_record", "texts": 0, "record": True},
            "kinds": [{"kind": "intake.participation_started", "lines": 2, "to_lead": 2}],
        },
        {
            **{"purpose": "support", "texts": 3, "record": False},
            "kinds": [
                {"kind": "activities.attendance_recorded", "lines": 1250, "to_lead": 1250},
                {"kind": "activities.action_agreed", "lines": 4, "to_lead": 0},
                {"kind": "activities.meeting_planned", "lines": 1, "to_lead": 0},
            ],
        },
        {"purpose": "measurement", "texts": 0, "record": False, "kinds": []},
    ],
}
EMPTY_REGISTER: dict[str, Any] = {"activity": "kaapeli", "session": None, "last": None}
EMPTY_REGISTER |= {"present": [], "regulars": [], "earlier": []}


@dataclass
class FakeRpc:
    """Checks what it is asked as the services do, and answers as they would.

    `fails` is raised instead; `calls` is what was asked.
    """

    report: dict[str, Any] = field(default_factory=report)
    people: list[dict[str, Any]] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    listed: list[dict[str, Any]] = field(default_factory=lambda: [deepcopy(LISTED)])
    released: list[dict[str, Any]] = field(default_factory=list)
    fails: Exception | None = None
    talk: dict[str, Any] = field(default_factory=dict)
    register: dict[str, Any] = field(default_factory=lambda: dict(EMPTY_REGISTER))
    counters: list[dict[str, Any]] = field(default_factory=list)
    recent: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    encounters: list[dict[str, Any]] = field(default_factory=list)
    drawn: tuple[str, dict[str, Any]] = ("intake.participation_started", {"occurred_on": "2016-02-01"})
    doors: list[dict[str, Any]] = field(default_factory=list)
    regulars: list[tuple[str, str, bool]] = field(default_factory=list)
    """Of a door: subject, what stands on the tile, whether they are there."""
    referrals: list[dict[str, Any]] = field(default_factory=list)
    endings: list[dict[str, Any]] = field(default_factory=list)
    preview: dict[str, Any] = field(default_factory=lambda: deepcopy(PREVIEW))
    tasks: list[dict[str, Any]] = field(default_factory=list)
    proposals: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    step: dict[str, Any] = field(default_factory=lambda: {"stay": MADE, "new": True})
    still_in: list[dict[str, Any]] = field(default_factory=list)
    left_open: list[dict[str, Any]] = field(default_factory=list)
    assigned: dict[str, Any] = field(default_factory=lambda: {"subject": MADE, "new": True})
    closing: dict[str, Any] = field(default_factory=lambda: deepcopy(CLOSING))
    reachable: list[str] = field(default_factory=lambda: ["university_of_applied_sciences"])
    start: dict[str, Any] = field(default_factory=dict)
    filled: dict[str, Any] = field(default_factory=dict)
    who: dict[str, str] = field(default_factory=lambda: {"given_name": "Aino", "family_name": "Esimerkki"})
    exit: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    kept_too_long: int = 0
    due: list[dict[str, Any]] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=lambda: {"outcome": MADE, "new": True})
    missing: list[dict[str, Any]] = field(default_factory=list)
    forms_due: list[dict[str, Any]] = field(default_factory=list)
    forms: list[dict[str, Any]] = field(default_factory=list)
    refused: dict[str, Any] | None = None
    """As what one more form of the person would be refused."""
    wording: dict[str, dict[str, str]] = field(default_factory=dict)
    assessed: dict[str, Any] = field(default_factory=lambda: {"assessment": MADE, "new": True})
    eura: dict[str, Any] = field(
        default_factory=lambda: {"counts": dict.fromkeys(("participants", "starts", "left", "exits"), 0), "people": []}
    )
    saved: dict[str, Any] = field(default_factory=lambda: {"subject": MADE, "new": True})
    pairs: list[dict[str, Any]] = field(default_factory=list)
    nodes: dict[str, Any] = field(default_factory=lambda: {"steward": None, "key_nos": [], "nodes": []})
    workers: list[dict[str, Any]] = field(default_factory=list)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    unreached: set[str] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    ticked: list[dict[str, Any]] = field(default_factory=list)
    informed: list[dict[str, Any]] = field(default_factory=list)
    informed_result: dict[str, Any] = field(default_factory=lambda: {"informed": MADE, "new": True})
    left: list[str] = field(default_factory=list)
    """What a method raises, by its name, after it was called."""
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def _read_release(self, programme: str, release: str) -> dict[str, Any]:
        told = self.report | {"release": release}
        told["indicators"] = [row | {"label": "Aloittaneet"} for row in told["indicators"]]
        document = json.dumps({name: value for name, value in told.items() if name != "proof"}).encode()
        common = {"language": "fi", "definition": DOCUMENT, "proof": certifying.PROOF}
        return {"document": document.hex(), **common}

    def call(self, service: str, method: str, /, *, timeout: float = 10.0, **kwargs: Any) -> Any:
        """One call; a method that no service has is a KeyError, and the test fails."""
        if (service, method) in _BODIES:
            kwargs = load(_BODIES[service, method], kwargs)
        self.calls.append((service, method, kwargs))
        if self.fails is not None:
            raise self.fails
        if method in self.failing:
            raise self.failing[method]
        answers: dict[tuple[str, str], Callable[..., Any]] = {
            ("reporting", "list_programmes"): lambda: self.listed,
            ("pathways", "list_programmes"): lambda: self.listed,
            ("pathways", "step_states"): lambda **_: [],
            ("pathways", "list_releases"): lambda **_: self.released,
            ("reporting", "list_releases"): lambda **_: self.released,
            ("reporting", "read_release"): self._read_release,
            ("pathways", "list_tasks"): lambda **_: {"total": len(self.tasks), "tasks": self.tasks},
            ("pathways", "list_proposals"): lambda **_: {"total": len(self.proposals), "proposals": self.proposals},
            ("pathways", "steps_of"): lambda **_: {"steps": self.steps, "proposals": self.proposals},
            ("pathways", "record_steps"): lambda **_: {"pos": 1, "results": [self.step]},
            ("pathways", "record_pauses"): lambda **_: {"pos": 1, "results": [self.step]},
            ("pathways", "tasks_of"): lambda **_: [{"programme": "lahde-mukaan", "tasks": 2}],
            ("intake", "list_workers"): lambda: self.workers,
            ("intake", "assign_workers"): lambda **_: {"pos": 1, "results": [self.assigned]},
            ("intake", "hand_over"): lambda **_: {"pos": 1, "total": 2, "programmes": []},
            ("intake", "read_contacts"): self._read_contacts,
            ("intake", "set_languages"): lambda **_: {"changed": ["service_language"]},
            ("intake", "set_contact"): lambda **_: {"changed": []},
            ("intake", "sees"): lambda people, **_: [one for one in people if one in self.seen],
            ("pathways", "close_task"): lambda **_: {"pos": 1, "new": True},
            ("pathways", "closing_state"): lambda **_: dict(self.closing),
            ("pathways", "list_left"): lambda **_: {"total": len(self.left_open), "items": self.left_open},
            ("pathways", "leave_open"): lambda **_: {"pos": 1, "new": 1},
            ("pathways", "close_programme"): lambda **_: {"pos": 1, "on": "2017-06-12", "new": True},
            ("pathways", "seal_stream"): lambda **_: {"pos": 1, "on": "2017-06-12", "new": True},
            ("intake", "list_still_in"): lambda **_: {"total": len(self.still_in), "people": self.still_in},
            ("reporting", "step_states"): lambda **_: [],
            ("reporting", "report"): self._report,
            ("reporting", "certify"): certifying.certify,
            ("intake", "list_people"): self._list_people,
            ("intake", "find_people"): lambda **given: self._list_people(limit=50, offset=0, **given),
            ("activities", "list_sessions"): self._list_sessions,
            ("intake", "keep_texts"): self._keep_texts,
            ("intake", "read_texts"): self._read_texts,
            ("activities", "record_conversation"): lambda **_: {"pos": 1, "results": [{"session": MADE, "new": True}]},
            ("activities", "remove_conversation"): lambda **_: {"pos": 1},
            ("activities", "show_conversation"): self._show_conversation,
            ("activities", "recent_people"): lambda **_: self.recent,
            ("activities", "record_register"): lambda **_: {"pos": 1, "session": MADE, "results": self.ticked},
            ("activities", "show_register"): lambda **_: self.register,
            ("activities", "start_counter"): lambda **_: {"counter": MADE, "new": True},
            ("activities", "count_heads"): lambda **_: {"pos": None, "taken": True},
            ("activities", "list_counters"): lambda **_: self.counters,
            ("intake", "list_referrals"): self._list_referrals,
            ("intake", "referral_partners"): lambda **_: {"partners": self.reachable},
            ("intake", "send_referral"): lambda **_: {"pos": 1, "referral": MADE, "new": True},
            ("intake", "accept_referral"): lambda **_: {"pos": 1, "subject": MADE, "new": True},
            ("intake", "decline_referral"): lambda **_: {"pos": 1},
            ("intake", "withdraw_referral"): lambda **_: {"pos": 1},
            ("intake", "follow_up_referral"): lambda **_: {"pos": 1},
            ("intake", "list_receipts"): lambda **_: {"endings": self.endings},
            ("intake", "restrict_person"): lambda **_: {"pos": 1, "new": True},
            ("intake", "end_purpose"): lambda **_: {"pos": 1, "ending": MADE},
            ("intake", "preview_erasing"): lambda **_: deepcopy(self.preview),
            ("intake", "erase_person"): lambda **_: {"pos": 1, "erased": True},
            ("intake", "show_identity"): self._show_identity,
            ("intake", "list_duplicates"): self._list_duplicates,
            ("intake", "judge_pair"): lambda **_: {"pos": 1, "new": True},
            ("intake", "list_due"): lambda **_: {"total": self.kept_too_long, "due": []},
            ("intake", "correct_person"): lambda **_: {"pos": 1, "changed": ["given_name"]},
            ("intake", "copy_person"): self._copy_person,
            **{(service, "person_share"): lambda **_: {} for service in ("activities", "pathways", "measurement")},
            ("intake", "list_nodes"): lambda **_: self.nodes,
            ("intake", "confirm_node"): lambda **_: {"handed_tag_key": False},
            ("intake", "renew_tag_key"): lambda **_: {"pos": 1, "key_no": 2},
            ("intake", "retire_tag_key"): lambda **_: {"pos": 1},
            ("intake", "show_start"): self._show_start,
            ("intake", "record_starts"): lambda items, **_: {"pos": 1, "results": [self.saved]},
            ("intake", "list_missing_evidence"): lambda **_: {"total": len(self.missing), "people": self.missing},
            ("intake", "list_eura"): lambda **_: self.eura | {"total": len(self.eura["people"])},
            ("intake", "note_eura"): lambda **_: {"pos": 1, "results": [{"subject": MADE, "new": True}]},
            ("intake", "show_exit"): self._show_exit,
            ("intake", "show_sample"): self._show_sample,
            ("reporting", "draw_sample"): lambda indicator, **_: {"indicator": indicator.upper(), "seed": "0a"},
            ("intake", "record_exits"): lambda **_: {"pos": 1, "results": [{"subject": MADE, "new": True}]},
            ("intake", "list_informed"): lambda **_: {"informed": self.informed},
            ("intake", "record_informed"): lambda **_: {"pos": 1, "results": [self.informed_result]},
            ("intake", "resume_participation"): lambda **_: {"pos": 1, "new": True},
            ("intake", "record_leaving"): lambda **_: {"pos": 1, "new": True},
            ("intake", "record_follow_ups"): lambda **_: {"pos": 1, "results": [{"follow_up": MADE, "new": True}]},
            ("measurement", "list_due"): lambda **_: {"total": len(self.forms_due), "due": self.forms_due},
            ("measurement", "show_forms"): lambda **_: {"refused": self.refused, "forms": self.forms},
            ("measurement", "show_wording"): lambda **_: {"texts": self.wording},
            ("measurement", "record_assessments"): lambda **_: {"pos": 1, "results": [self.assessed]},
            ("intake", "list_follow_ups"): lambda **_: {"total": len(self.due), "people": self.due},
            ("pathways", "record_plans"): lambda **_: {"pos": 1, "results": [{"subject": MADE, "new": True}]},
            ("pathways", "show_plan"): lambda **_: EMPTY_PLAN | self.plan,
            ("pathways", "record_outcomes"): lambda **_: {"pos": 1, "results": [self.outcome]},
            ("intake", "record_attempts"): lambda **_: {"pos": 1, "results": [{"attempt": MADE, "new": True}]},
            ("intake", "show_filled"): lambda **_: {"why_not": None, "not_asked": [], "answers": []} | self.filled,
            ("intake", "ask_filled"): lambda **_: {"pos": None, "asked": self.reachable},
            ("intake", "record_encounters"): lambda **_: {"pos": 1, "results": [{"encounter": MADE, "new": True}]},
            ("intake", "correct_encounter"): lambda **_: {"pos": 1, "revision": 1, "left": self.left},
            ("intake", "remove_encounter"): lambda **_: {"pos": 1, "removed": True, "left": self.left},
            ("intake", "list_encounters"): lambda **_: {"total": len(self.encounters), "encounters": self.encounters},
            ("intake", "open_door"): lambda **_: {"encounter": MADE, "new": True},
            ("intake", "tap_door"): lambda **_: {"pos": None, "taken": True},
            ("intake", "tap_visitor"): lambda **_: {"pos": 1},
            ("intake", "meet_visitor"): lambda **_: {"pos": 1, "subject": MADE},
            ("intake", "list_doors"): lambda **_: self.doors,
            ("intake", "list_regulars"): self._list_regulars,
            ("intake", "register_participants"): lambda **_: {"pos": 1, "results": [self.saved]},
            ("intake", "raise_standing"): lambda **_: {"pos": 1, "results": [{"subject": MADE, "new": True}]},
        }
        return answers[service, method](**kwargs)

    def _list_regulars(self, reply_to: str, **_: Any) -> Any:
        def sealed(text: str) -> str:
            return seal_reply(reply_to, {"text": text})

        return [{"subject": who, "there": there, "sealed": sealed(text)} for who, text, there in self.regulars]

    def opened(self, text: str) -> Any:
        """What was sealed to intake."""
        return json.loads(open_command(BUS_PRIVATE.private_bytes_raw(), text))

    def _report(self, programme: str, **_: Any) -> Any:
        if programme != self.report["programme"]:
            raise UnknownProgramme(programme=programme)
        return self.report

    def sent(self, method: str) -> dict[str, Any]:
        """What the last call of a method was given."""
        return [given for _, name, given in self.calls if name == method][-1]

    def _keep_texts(self, items: list[dict[str, Any]], **_: Any) -> Any:
        results = []
        for place, item in enumerate(items):
            opened = open_command(BUS_PRIVATE.private_bytes_raw(), item["sealed"])
            ref = f"{place + 1:02x}" * 16
            self.texts[ref] = json.loads(opened)["text"]
            results.append({"text_ref": ref, "new": True})
        return {"results": results}

    def _read_texts(self, refs: list[str], reply_to: str, **_: Any) -> Any:
        def sealed(ref: str) -> str | None:
            if ref not in self.texts:
                return None
            return seal_reply(reply_to, {"text": self.texts[ref]})

        return {"texts": [{"text_ref": ref, "sealed": sealed(ref)} for ref in refs]}

    def _read_contacts(self, people: list[str], reply_to: str, **_: Any) -> Any:
        rows = []
        for one in people:
            how = dict(self.contacts.get(one) or {})
            coded = {name: how.pop(name, None) for name in ("contact_language", "service_language")}
            sealed = seal_reply(reply_to, how)
            if one not in self.unreached:
                rows.append({"person": one, **coded, "sealed": sealed})
        return rows

    def _show_conversation(self, programme: str, session: str) -> Any:
        if session != self.talk.get("session"):
            raise UnknownSession(field="session", programme=programme)
        return self.talk

    def _list_people(
        self,
        programme: str,
        reply_to: str,
        limit: int,
        offset: int,
        people: list[str] | None = None,
        worker: str | None = None,
        **_: Any,
    ) -> Any:
        rows = []
        everybody = [p for p in self.people if people is None or p["person"] in people]
        everybody = [p for p in everybody if worker is None or p.get("worker") == worker]
        for person in everybody[offset : offset + limit]:
            sealed = seal_reply(reply_to, person["identity"])
            row = {key: value for key, value in person.items() if key != "identity"}
            rows.append(row | {"sealed": sealed})
        return {"total": len(everybody), "people": rows}

    def _show_start(self, subject: str, reply_to: str, **_: Any) -> Any:
        empty: dict[str, Any] = {"person": subject, "standing": "client", "started_on": None, "ended_on": None}
        empty |= {"record": {"gender": "f", "service_language": "sv"}, "revision": "ef" * 32, "attempts": []}
        empty |= {"lacks": [], "missing": [], "misfits": []} | self.start
        sealed = seal_reply(reply_to, self.who)
        return empty | {"sealed": sealed}

    def _list_duplicates(self, reply_to: str, limit: int, offset: int, **_: Any) -> Any:
        pairs = [dict(pair) for pair in self.pairs[offset : offset + limit]]
        for pair in pairs:
            whom = {"programme": "", "reply_to": reply_to, "limit": 2, "offset": 0, "people": pair["people"]}
            pair["people"] = self._list_people(**whom)["people"]
        return {"total": len(self.pairs), "pairs": pairs}

    def _show_identity(self, subject: str, reply_to: str, **_: Any) -> Any:
        coded = {"person": subject, "standing": "client", "protected_address": None, "revision": "ef" * 32}
        coded |= {"contact_language": None, "service_language": "sv"}
        sealed = seal_reply(reply_to, self.who)
        return coded | {"sealed": sealed}

    def _show_exit(self, subject: str, reply_to: str, **_: Any) -> Any:
        empty: dict[str, Any] = {"person": subject, "standing": "esf_participant", "started_on": "2016-02-01"}
        empty |= {"resumed_on": None, "ended": None, "form": {}, "service_language": "sv", "revision": "ef" * 32}
        empty |= {"attempts": [], "follow_ups": []} | self.exit
        sealed = seal_reply(reply_to, self.who)
        return empty | {"sealed": sealed}

    def _show_sample(self, node: str, lines: list[int], reply_to: str, **_: Any) -> Any:
        if not node.startswith("leader"):
            return {"own": False, "rows": []}
        who = self.who | {"birth_date": "1991-05-04", "form_kept": "Kaappi kolme", "exit_form_kept": "Kaappi neljä"}
        sealed = seal_reply(reply_to, who)
        given = {"subject": MADE, "reply_to": reply_to}
        kind, body = self.drawn
        said = {"state": "found", "kind": kind, "recorded_at": "2016-03-02T10:00:00.000Z", "body": body}
        if kind == "intake.encounter_recorded":
            return {"own": True, "rows": [{"line": n, **said, "sealed": sealed} for n in lines]}
        both = said | {"start": self._show_start(**given), "exit": self._show_exit(**given)}
        rows = [{"line": n} | (both if n < 90 else {"state": "erased"}) for n in lines]
        return {"own": True, "rows": [row | {"sealed": sealed} for row in rows]}

    def _copy_person(self, reply_to: str, **_: Any) -> Any:
        kept = {"identity": {"given_name": "Aino"}, "participation": {"contact_language": "sv"}, "text": []}
        return {"sealed": seal_reply(reply_to, {"intake": kept, "history": [], "reads": []})}

    def _list_referrals(self, reply_to: str, limit: int, offset: int, **_: Any) -> Any:
        rows = []
        for row in self.referrals[offset : offset + limit]:
            sealed = seal_reply(reply_to, row["identity"])
            coded = {key: value for key, value in row.items() if key != "identity"}
            rows.append(coded | {"sealed": sealed})
        return {"total": len(self.referrals), "referrals": rows}

    def _list_sessions(self, programme: str, limit: int, offset: int, activities: list[str] | None = None) -> Any:
        rows = [row for row in self.sessions if activities is None or row["activity"] in activities]
        sums = {"attendances": sum(row.get("attendances") or 0 for row in rows), "heads": {}}
        for row in rows:
            if row.get("heads") is not None:
                sums["heads"][row["heads_basis"]] = sums["heads"].get(row["heads_basis"], 0) + row["heads"]
        return {"total": len(rows), **sums, "sessions": rows[offset : offset + limit]}


def person(given: str, family: str, token: str = "", **more: Any) -> dict[str, Any]:
    """A person as intake lists them."""
    identity = {"given_name": given, "family_name": family, "token": token}
    return {"person": "0" * 32, "standing": "client", "started_on": "2016-02-01", "identity": identity} | more


def referral(given: str, family: str, direction: str = "in", state: str = "received", **more: Any) -> dict[str, Any]:
    """A referral as intake lists it."""
    identity: dict[str, Any] = {"given_name": given, "family_name": family, "token": None, "birth_date": "1981-02-03"}
    identity["text"] = more.pop("text", "Haluaa ryhmään.\nSoita vasta iltapäivällä.")
    identity["left_out"] = more.pop("left_out", [])
    row = {"referral": MADE, "direction": direction, "partner": "university_of_applied_sciences", "state": state}
    row |= {"node": "uas-0a1b2c3d", "reason": None, "became": None, "outcome": None, "person": None}
    return row | {"changed_at": "2017-05-30T09:00:00.000000Z", "identity": identity} | more


def node_row(partner: str, *, own: bool = False, **more: Any) -> dict[str, Any]:
    """A partner's node as intake lists it."""
    row = {"partner": partner, "node": f"{partner[:6]}-0a1b2c3d", "words": "kalo-tuve-hame-noki-pilu-sota", "own": own}
    return row | {"expelled": None, "state": None if own else "unconfirmed", "tag_key": None} | more


def recorded_talk(**changes: Any) -> dict[str, Any]:
    """A conversation as activities show it."""
    talk = {"session": MADE, "activity": "duuniin", "subject": "0" * 32, "date": "2017-05-30", "minutes": 45}
    talk |= {"how": "phone", "topics": ["finances"], "text_ref": "01" * 16}
    talk |= {"actions": [{"text_ref": "02" * 16, "due_on": "2017-06-05"}]}
    return talk | {"next_meeting": {"on": "2017-06-06", "start": "09:30"}} | changes


def counter(**changes: Any) -> dict[str, Any]:
    """A counter as activities show it."""
    state = {"counter": MADE, "activity": "public_event", "occurred_on": "2017-05-30", "location": None}
    return state | {"revision": 3, "heads": 2, "women": None, "done": False} | changes


def encounter(**changes: Any) -> dict[str, Any]:
    """An encounter as intake lists it."""
    row = {"encounter": MADE, "date": "2017-05-30", "start": "19:30", "location": None, "area": None, "staff": 2}
    row |= {"people_new": 3, "people_known": 0, "women": None, "languages": ["fi"], "topics": ["finances"]}
    return row | {"guided_to": [], "revision": 4, "door": False, "visitors": 1} | changes


def door(**changes: Any) -> dict[str, Any]:
    """A door as intake shows it."""
    state = {"encounter": MADE, "occurred_on": "2017-05-30", "location": "sampola_meeting_place", "people_new": 2}
    state |= {"area": None}
    return state | {"people_known": 5, "women": 3, "revision": 7, "done": False, "can_undo": True} | changes


@dataclass
class Portal:
    """A portal with its fakes and one browser."""

    app: Flask
    client: FlaskClient
    engine: Engine
    rpc: FakeRpc
    clock: Clock
    context: PortalContext

    def add_user(self, name: str, *roles: str) -> str:
        """A new user; returns the one-time password."""
        return add_user(self.engine, name, roles, self.clock(), CHEAP, home_role=self.context.role)

    def form_token(self, path: str = "/login") -> str:
        """The token in the forms of a page."""
        html = self.client.get(path).get_data(as_text=True)
        return html.split('name="form_token" value="')[1].split('"')[0]

    def post(self, path: str, *, form: str = "/login", headers: dict[str, str] | None = None, **fields: Any) -> Any:
        """Send a form as a browser does, with the token of the page `form`; a list is a field several times."""
        data = {"form_token": self.form_token(form)} | fields
        return self.client.post(path, data=data, headers=SAME_ORIGIN if headers is None else headers)

    def log_in(self, name: str, password: str = PASSWORD) -> Any:
        """Send the login form."""
        return self.post("/login", name=name, password=password)

    def user_logged_in(self, name: str, *roles: str, password: str = PASSWORD) -> None:
        """A user who has changed the one-time password and is logged in."""
        first = self.add_user(name, *roles)
        assert self.log_in(name, first).status_code == 303
        changed = self.post("/password", form="/password", old=first, new=password, again=password)
        assert changed.status_code == 303, changed.get_data(as_text=True)


def make_portal(
    database: str, role: HomeRole = "lead", *, secure: bool = False, title: str = "Leader-yhdistys"
) -> Portal:
    """A portal with its tables only, on a new SQLite file or the database at a URL."""
    engine = open_engine(database if "://" in database else f"sqlite:///{database}")
    metadata.create_all(engine, tables=store.TABLES)
    rpc, clock = FakeRpc(), Clock()
    context = PortalContext(
        role=role,
        title=title,
        engine=engine,
        rpc=rpc,
        blocking=directly,
        now=clock,
        secure=secure,
        hasher=CHEAP,
        page_size=50,
        bus_key=lambda: BUS_PRIVATE.public_key().public_bytes_raw() if role == "node" else None,
    )
    app = create_app(context)
    return Portal(app, app.test_client(), engine, rpc, clock, context)
