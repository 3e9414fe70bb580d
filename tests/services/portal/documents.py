"""A programme, a report and rows of services, as the portal gets them."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from tests.services.portal import certifying

START = datetime(2017, 6, 12, 7, 30, tzinfo=UTC)
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
