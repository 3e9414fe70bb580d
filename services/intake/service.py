"""intake on the bus: parse by contract, call once, answer."""

import logging
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.intake import (
    exits,
    letters,
    operations,
    peers,
    previewing,
    purposes,
    queries,
    raising,
    referral_listing,
    referrals,
    rotation,
    steward,
    store,
    tags,
    text_store,
    texts,
)
from services.intake.contact_methods import ContactMethods
from services.intake.domain import Arrival, is_meant
from services.intake.encounter_methods import EncounterMethods
from services.intake.encounter_rules import Raise
from services.intake.filled_methods import FilledMethods
from services.intake.record_methods import RECORD, RecordMethods, coded, new_exit
from services.intake.records import NewFollowUp
from services.intake.rights_methods import RightsMethods
from services.intake.sealing import inside, vault_of
from services.intake.worker_methods import WorkerMethods
from shared.bus.entrypoints import JournalFollower, rpc, subscribes, timer
from shared.bus.home import HomeResource
from shared.bus.parked import ParkedLines
from shared.contracts.catalogue import (
    ActionWithdrawn,
    ConversationRemoved,
    ProgrammeLoaded,
    StandingReached,
    TaggingDue,
)
from shared.contracts.commands import load
from shared.contracts.encounters import RaiseStanding
from shared.contracts.partners import ConfirmNode, ListNodes, RenewTagKey, RetireTagKey
from shared.contracts.people import (
    ErasePerson,
    FindPeople,
    ListPeople,
    PersonIdentity,
    PersonQuery,
    RegisterParticipants,
)
from shared.contracts.records import ListMissingEvidence, RecordExits, RecordFollowUps, ResumeParticipation
from shared.contracts.referrals import (
    AcceptReferral,
    DeclineReferral,
    FollowUpReferral,
    ListReferrals,
    ReferralPartners,
    SendReferral,
    WithdrawReferral,
)
from shared.contracts.talks import KeepTexts, ReadTexts, TextContent
from shared.journal import Line, Unit
from shared.journal.crypto import read_secret
from shared.journal.sealed import seal_reply
from shared.ops.clock import day_of, iso_day
from shared.storage import snapshot

log = logging.getLogger(__name__)

POST_SECONDS = 5
"""Letters come every few minutes at most, and nobody waits for one."""

ROTATION_SECONDS = 5
"""Between batches of people's keys that are wrapped with a newer vault key."""

RESTORED_SECONDS = 5
"""How often it is looked whether a restore has brought back somebody who was erased, or what had ended."""


class IntakeService(
    ContactMethods, EncounterMethods, FilledMethods, RecordMethods, RightsMethods, WorkerMethods, ParkedLines
):
    """Registers people and keeps their identities."""

    name = "intake"
    home = HomeResource()
    follower = JournalFollower("home")

    @rpc
    def ping(self) -> dict[str, Any]:
        return {"service": self.name, "ready": True}

    @rpc
    def register_participants(self, **command: Any) -> dict[str, Any]:
        body = load(RegisterParticipants, command)
        arrivals = [self._arrival(number, item) for number, item in enumerate(body["items"])]
        register = operations.register_participants
        return self.home.record(body, register, arrivals, self._vault(), worker=body["worker"])

    @rpc
    def raise_standing(self, **command: Any) -> dict[str, Any]:
        body = load(RaiseStanding, command)
        new = [
            Raise(item["key"], item["subject"], item.get("keeps_history"), self._arrival(number, item))
            for number, item in enumerate(body["items"])
        ]
        more = {"desk": self._desk(), "worker": body["worker"]}
        return self.home.record(body, raising.raise_standing, new, self._vault(), **more)

    @rpc
    def record_exits(self, **command: Any) -> dict[str, Any]:
        body = load(RecordExits, command)
        return self.home.record(body, exits.record_exits, [new_exit(item) for item in body["items"]])

    @rpc
    def resume_participation(self, **command: Any) -> dict[str, Any]:
        body = load(ResumeParticipation, command)
        self.home.follow_to(body["after"])
        who = body["programme"], body["subject"], date.fromisoformat(body["date"])
        new, pos = exits.resume_participation(self.home.journal, *who, by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "new": new}

    @rpc
    def record_follow_ups(self, **command: Any) -> dict[str, Any]:
        body = load(RecordFollowUps, command)
        return self.home.record(body, exits.record_follow_ups, [NewFollowUp(**coded(item)) for item in body["items"]])

    @rpc
    def list_missing_evidence(self, **command: Any) -> dict[str, Any]:
        body = load(ListMissingEvidence, command)
        found = queries.missing_evidence(self.home.engine, body["programme"], self._vault().vault)
        first = body["offset"]
        people = queries.with_attempts(self.home.engine, found[first : first + body["limit"]])
        return {"total": len(found), "people": people}

    @rpc
    def list_people(self, **command: Any) -> dict[str, Any]:
        body = load(ListPeople, command)
        programme = body["programme"]
        page = (body["limit"], body["offset"], body.get("people"), body["by"])
        total, rows = queries.list_people(
            self.home.engine, programme, *page, of=body["worker"], own_only=body["own_only"]
        )
        subjects = [row.subject for row in rows]
        operations.log_identities_read(
            self.home.journal, subjects, by=body["by"], programme=programme, now=self.home.now()
        )
        # Who has a protected address is named to whom asks for them, and in no list.
        whole, reply_to = body.get("people") is None, body["reply_to"]
        return {
            "total": total,
            "people": [self._named(row, reply_to, by_token=whole and row.protected) for row in rows],
        }

    @rpc
    def find_people(self, **command: Any) -> dict[str, Any]:
        body = load(FindPeople, command)
        query = inside(self.home.keys, PersonQuery, "sealed", body["sealed"])
        programme = body["programme"]
        total, rows = queries.find_people(
            self.home.engine,
            programme,
            lambda row: is_meant(self._identity(row), query, protected=row.protected),
            theirs=body["by"] if body["own_only"] else None,
        )
        subjects = [row.subject for row in rows]
        operations.log_identities_read(
            self.home.journal, subjects, by=body["by"], programme=programme, now=self.home.now()
        )
        return {"total": total, "people": [self._named(row, body["reply_to"]) for row in rows]}

    @timer(interval=RESTORED_SECONDS)
    def erase_again(self) -> None:
        self.home.committed(operations.erase_again(self.home.journal, self.home.now(), self._recall))
        self.home.committed(purposes.end_again(self.home.journal, self._vault(), self.home.now(), self._recall))

    @rpc
    def erase_person(self, **command: Any) -> dict[str, Any]:
        body = load(ErasePerson, command)
        self.home.follow_to(body["after"])
        may = previewing.unless_unseen(purposes.check_may_erase, body["seen"])
        common = {"by": body["by"], "now": self.home.now(), "first": self._recall, "may": may}
        erased, pos = operations.erase_person(self.home.journal, body["programme"], body["subject"], **common)
        return {"pos": self.home.committed(pos), "erased": erased}

    @subscribes(ProgrammeLoaded)
    def on_programme_loaded(self, unit: Unit, _line: Line, fact: ProgrammeLoaded) -> None:
        store.shelf.put(unit.connection, fact)

    @rpc
    def keep_texts(self, **command: Any) -> dict[str, Any]:
        body = load(KeepTexts, command)
        self.home.follow_to(body["after"])
        new = [self._text(number, item) for number, item in enumerate(body["items"])]
        common = {"by": body["by"], "now": self.home.now()}
        return {"results": texts.keep_texts(self.home.journal, self._vault(), body["programme"], new, **common)}

    @rpc
    def read_texts(self, **command: Any) -> dict[str, Any]:
        body = load(ReadTexts, command)
        common = self._whose(body)
        found = texts.read_texts(self.home.journal, self._vault(), body["programme"], body["refs"], **common)
        reply_to = body["reply_to"]
        return {"texts": [_sealed_text(ref, found.get(ref), reply_to) for ref in body["refs"]]}

    @subscribes(ConversationRemoved)
    def on_conversation_removed(self, unit: Unit, _line: Line, fact: ConversationRemoved) -> None:
        if fact["text_ref"]:
            text_store.drop_text(unit.connection, fact["text_ref"], str(fact.subject))

    @subscribes(ActionWithdrawn)
    def on_action_withdrawn(self, unit: Unit, _line: Line, fact: ActionWithdrawn) -> None:
        text_store.drop_text(unit.connection, fact["text_ref"], str(fact.subject))

    @subscribes(StandingReached)
    def on_standing_reached(self, unit: Unit, line: Line, fact: StandingReached) -> None:
        programme = line.stream.split("/")[1]
        tags.tag_person(unit, self._vault().vault, self._tag_key, programme, str(fact.subject))

    @subscribes(TaggingDue)
    def on_tagging_due(self, unit: Unit, _line: Line, fact: TaggingDue) -> None:
        tags.tag_those_due(unit, self._vault().vault, self._tag_key, fact["programme"], fact["key_no"])

    @rpc
    def list_nodes(self, **command: Any) -> dict[str, Any]:
        body = load(ListNodes, command)
        with snapshot(self.home.engine) as connection:
            return peers.list_nodes(connection, self._desk(), body["programme"])

    @rpc
    def confirm_node(self, **command: Any) -> dict[str, Any]:
        body = load(ConfirmNode, command)
        programme, node, now = body["programme"], body["node"], self.home.now()
        peers.confirm_node(self.home.journal, self._desk(), programme, node, body["words"], by=body["by"], now=now)
        return {"handed_tag_key": steward.hand_tag_key(self.home.journal, self._desk(), programme, node, now)}

    @rpc
    def renew_tag_key(self, **command: Any) -> dict[str, Any]:
        body = load(RenewTagKey, command)
        common = {"by": body["by"], "now": self.home.now()}
        key_no, pos = steward.renew_tag_key(self.home.journal, self._desk(), body["programme"], **common)
        return {"pos": self.home.committed(pos), "key_no": key_no}

    @rpc
    def retire_tag_key(self, **command: Any) -> dict[str, Any]:
        body = load(RetireTagKey, command)
        common = {"by": body["by"], "now": self.home.now()}
        place = self.home.journal, self._desk(), body["programme"]
        return {"pos": self.home.committed(steward.retire_tag_key(*place, body["key_no"], **common))}

    @timer(interval=POST_SECONDS)
    def take_letters(self) -> None:
        self.home.committed(letters.take_letters(self.home.journal, self._desk(), self._vault(), self.home.now()))

    @rpc
    def referral_partners(self, **command: Any) -> dict[str, Any]:
        body = load(ReferralPartners, command)
        with snapshot(self.home.engine) as connection:
            found = peers.confirmed_partners(connection, self._desk(), body["programme"])
        return {"partners": sorted(found)}

    @rpc
    def send_referral(self, **command: Any) -> dict[str, Any]:
        body = load(SendReferral, command)
        self.home.follow_to(body["after"])
        sealed = body["sealed"]
        text = sealed and inside(self.home.keys, TextContent, "sealed", sealed)["text"]
        new = referrals.NewReferral(body["key"], body["subject"], body["partner"], tuple(body["agreed"]), text)
        referral, is_new, pos = referrals.send(self._place(body), new, by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "referral": referral, "new": is_new}

    @rpc
    def list_referrals(self, **command: Any) -> dict[str, Any]:
        body = load(ListReferrals, command)
        page = (body["limit"], body["offset"])
        common = self._whose(body)
        total, found = referral_listing.listed(self._place(body), *page, number=body["referral"], **common)
        reply_to = body["reply_to"]
        return {
            "total": total,
            "referrals": [shown.coded | {"sealed": seal_reply(reply_to, shown.named)} for shown in found],
        }

    @rpc
    def accept_referral(self, **command: Any) -> dict[str, Any]:
        body = load(AcceptReferral, command)
        given = (body["referral"], body["standing"], day_of(body["start_date"]))
        common = self._whose(body) | {"worker": body["worker"], "paid": body["paid_by_project"]}
        subject, is_new, pos = referrals.accept(self._place(body), *given, **common)
        return {"pos": self.home.committed(pos), "subject": subject, "new": is_new}

    @rpc
    def decline_referral(self, **command: Any) -> dict[str, Any]:
        body = load(DeclineReferral, command)
        given = (self._place(body), body["referral"], body["reason"])
        return {"pos": self.home.committed(referrals.decline(*given, **self._whose(body)))}

    @rpc
    def withdraw_referral(self, **command: Any) -> dict[str, Any]:
        body = load(WithdrawReferral, command)
        pos = referrals.withdraw(self._place(body), body["referral"], **self._whose(body))
        return {"pos": self.home.committed(pos)}

    @rpc
    def follow_up_referral(self, **command: Any) -> dict[str, Any]:
        body = load(FollowUpReferral, command)
        given = (self._place(body), body["referral"], body["became"], body["outcome"])
        return {"pos": self.home.committed(referrals.follow_up(*given, **self._whose(body)))}

    def _whose(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"by": body["by"], "now": self.home.now(), "own_only": body["own_only"]}

    def _place(self, body: dict[str, Any]) -> referrals.Place:
        return referrals.Place(self.home.journal, self._desk(), self._vault(), body["programme"])

    def _recall(self, unit: Unit, programme: str, subject: str) -> None:
        referrals.recall(unit, self._desk(), programme, subject)

    @timer(interval=ROTATION_SECONDS)
    def keep_keys(self) -> None:
        rotation.wrap_anew(self.home.engine, self._vault().vault)
        if gone := rotation.discard(self.home.engine, self.home.keys, self.home.context.home.keys):
            log.warning("keys that nothing needs any more were deleted", extra={"files": ", ".join(gone)})

    def _desk(self) -> peers.Desk:
        home = self.home.context.home
        return peers.Desk(home.name, self.home.keys, home.keys)

    def _arrival(self, number: int, item: dict[str, Any]) -> Arrival:
        identity = inside(self.home.keys, PersonIdentity, f"items.{number}.sealed", item["sealed"])
        record = {name: item[name] for name in RECORD if item.get(name) is not None}
        return Arrival(item["key"], item["standing"], day_of(item.get("start_date")), record, identity)

    def _text(self, number: int, item: dict[str, Any]) -> texts.NewText:
        text = inside(self.home.keys, TextContent, f"items.{number}.sealed", item["sealed"])["text"]
        return texts.NewText(item["key"], item.get("subject"), text)

    def _vault(self) -> operations.Vault:
        return vault_of(self.home.keys)

    def _tag_key(self, number: int) -> bytes:
        return _read_tag_key(self.home.context.home.keys, number)

    def _identity(self, row: queries.PersonRow) -> dict[str, Any]:
        return store.open_identity(self._vault().vault, row.person, row.wrapped_key, row.box)

    def _named(self, row: queries.PersonRow, reply_to: str, *more: str, by_token: bool = False) -> dict[str, Any]:
        identity = self._identity(row)
        names = ("token",) if by_token else ("given_name", "family_name", "token", *more)
        shown = dict.fromkeys(("given_name", "family_name")) | {name: identity.get(name) for name in names}
        return {
            "person": row.subject,
            "standing": row.standing,
            "started_on": iso_day(row.started_on),
            "ended_on": iso_day(row.ended_on),
            "end_reason": row.end_reason,
            "restricted": row.restricted,
            "protected": row.protected,
            "worker": row.worker,
            "service_language": row.language,
            "interpreter": row.interpreter,
            "sealed": seal_reply(reply_to, shown),
        }


@lru_cache(maxsize=64)
def _read_tag_key(directory: Path, number: int) -> bytes:
    """A key that came while we run; what is in a key file never changes."""
    return read_secret(directory, "tag", number)


def _sealed_text(ref: str, text: str | None, reply_to: str) -> dict[str, Any]:
    """`sealed` is None for a text that is not there (any more)."""
    if text is None:
        return {"text_ref": ref, "sealed": None}
    return {"text_ref": ref, "sealed": seal_reply(reply_to, {"text": text})}
