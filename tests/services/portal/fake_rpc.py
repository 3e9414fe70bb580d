"""The services as the portal sees them, without the services."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from shared.contracts.commands import (
    load,
)
from shared.contracts.errors import UnknownProgramme, UnknownSession
from shared.journal.sealed import open_command, seal_reply
from tests.services.portal import certifying
from tests.services.portal.documents import (
    CLOSING,
    DOCUMENT,
    EMPTY_PLAN,
    EMPTY_REGISTER,
    LISTED,
    MADE,
    PREVIEW,
    report,
)
from tests.services.portal.fake_bodies import BODIES

BUS_PRIVATE = X25519PrivateKey.generate()


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
    outcomes: list[dict[str, Any]] = field(default_factory=list)
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
        if (service, method) in BODIES:
            kwargs = load(BODIES[service, method], kwargs)
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
            ("intake", "drop_texts"): lambda items, **_: {"dropped": len(items)},
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
            ("pathways", "outcomes_of"): lambda **_: self.outcomes,
            ("pathways", "remove_outcome"): lambda **_: {"pos": 1, "removed": True},
            ("pathways", "remove_step"): lambda **_: {"pos": 1, "removed": True},
            ("pathways", "remove_pause"): lambda **_: {"pos": 1, "removed": True},
            ("measurement", "remove_assessment"): lambda **_: {"pos": 1, "removed": True},
            ("intake", "remove_attempt"): lambda **_: {"pos": 1, "removed": True},
            ("intake", "remove_return"): lambda **_: {"pos": 1, "removed": True},
            ("intake", "remove_follow_up"): lambda **_: {"pos": 1, "removed": True},
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
