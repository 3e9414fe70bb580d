"""intake on the bus, of a participant's rights: a part of the service."""

from collections.abc import Callable
from datetime import date
from typing import Any

from services.intake import duplicates, previewing, purposes, retention, rights, rights_store, store
from services.intake.likeness import LIKELY
from services.intake.peers import Desk
from services.intake.sealing import inside, vault_of
from shared.bus.entrypoints import rpc, subscribes, timer
from shared.bus.home import ServiceHome
from shared.contracts.commands import load
from shared.contracts.errors import UnknownPerson
from shared.contracts.facts import Fact
from shared.contracts.purpose_facts import ActivitiesCleared, LeadCleared, MeasurementCleared, PathwaysCleared
from shared.contracts.rights import (
    AddInformed,
    ApplyRetention,
    AskInformed,
    AskReceipts,
    CopyPerson,
    CorrectPerson,
    EndPurpose,
    IdentityChanges,
    JudgePair,
    ListDue,
    ListDuplicates,
    PreviewErasing,
    RecordInformed,
    RestrictPerson,
    ShowIdentity,
)
from shared.journal import Line, Unit
from shared.journal.sealed import seal_reply
from shared.ops.clock import today_in_helsinki
from shared.storage import snapshot

RETENTION_SECONDS = 3600
"""How often it is looked at what is due: days decide, and it reads the lines of everybody."""


class RightsMethods:
    """Copies, corrections, restrictions."""

    home: ServiceHome
    _named: Callable[..., dict[str, Any]]
    _recall: Callable[[Unit, str, str], None]
    _desk: Callable[[], Desk]

    @rpc
    def copy_person(self, **command: Any) -> dict[str, Any]:
        body = load(CopyPerson, command)
        common = {"by": body["by"], "now": self.home.now()}
        who = self.home.journal, vault_of(self.home.keys), body["programme"], body["subject"]
        kept = rights.copy_person(*who, **common)
        return {"sealed": seal_reply(body["reply_to"], kept)}

    @rpc
    def show_identity(self, **command: Any) -> dict[str, Any]:
        body = load(ShowIdentity, command)
        common = {"by": body["by"], "now": self.home.now()}
        who = self.home.journal, vault_of(self.home.keys), body["programme"], body["subject"]
        coded, identity = rights.show_identity(*who, **common)
        return coded | {"sealed": seal_reply(body["reply_to"], identity)}

    @rpc
    def correct_person(self, **command: Any) -> dict[str, Any]:
        body = load(CorrectPerson, command)
        self.home.follow_to(body["after"])
        sealed, who = body["sealed"], (body["programme"], body["subject"])
        identity = inside(self.home.keys, IdentityChanges, "sealed", sealed) if sealed else {}
        changes, common = (identity, body["record"]), {"was": body["was"], "by": body["by"], "now": self.home.now()}
        changed, pos = rights.correct_person(
            self.home.journal, vault_of(self.home.keys), *who, *changes, desk=self._desk(), **common
        )
        return {"pos": self.home.committed(pos), "changed": changed}

    @rpc
    def restrict_person(self, **command: Any) -> dict[str, Any]:
        body = load(RestrictPerson, command)
        self.home.follow_to(body["after"])
        who, common = (body["programme"], body["subject"]), {"by": body["by"], "now": self.home.now()}
        new, pos = rights.restrict_person(self.home.journal, *who, body["ground"], lift=body["lift"], **common)
        return {"pos": self.home.committed(pos), "new": new}

    @rpc
    def record_informed(self, **command: Any) -> dict[str, Any]:
        body = load(RecordInformed, command)
        return self.home.record(body, purposes.record_informed, [_informed(item) for item in body["items"]])

    @rpc
    def add_informed(self, **command: Any) -> dict[str, Any]:
        body = load(AddInformed, command)
        items = [_informed(item) for item in body["items"]]
        return self.home.record(body, purposes.record_informed, items, listed=True)

    @rpc
    def list_informed(self, **question: Any) -> dict[str, Any]:
        body = load(AskInformed, question)
        with snapshot(self.home.engine) as connection:
            if not store.owners(connection, body["programme"], [body["subject"]]):
                raise UnknownPerson(field="person", programme=body["programme"])
            return {"informed": rights_store.informed_of(connection, body["programme"], body["subject"])}

    @rpc
    def preview_erasing(self, **question: Any) -> dict[str, Any]:
        body = load(PreviewErasing, question)
        with snapshot(self.home.engine) as connection:
            return previewing.preview(connection, body["programme"], body["subject"])

    @rpc
    def end_purpose(self, **command: Any) -> dict[str, Any]:
        body = load(EndPurpose, command)
        self.home.follow_to(body["after"])
        what = [body[name] for name in ("programme", "subject", "purpose", "why")]
        common = {"seen": body["seen"], "by": body["by"], "now": self.home.now(), "first": self._recall}
        ending, pos = purposes.end_purpose(self.home.journal, vault_of(self.home.keys), *what, **common)
        return {"pos": self.home.committed(pos), "ending": ending}

    @rpc
    def list_receipts(self, **command: Any) -> dict[str, Any]:
        body = load(AskReceipts, command)
        with snapshot(self.home.engine) as connection:
            if not store.owners(connection, body["programme"], [body["subject"]]):
                raise UnknownPerson(field="person", programme=body["programme"])
            return {"endings": rights_store.endings_of(connection, body["programme"], body["subject"])}

    @rpc
    def list_due(self, **command: Any) -> dict[str, Any]:
        body = load(ListDue, command)
        with snapshot(self.home.engine) as connection:
            found = retention.due(connection, body["programme"], today_in_helsinki(self.home.now()))
        first = body["offset"]
        return {"total": len(found), "due": [one.to_json() for one in found[first : first + body["limit"]]]}

    @timer(interval=RETENTION_SECONDS)
    def measure_retention(self) -> None:
        retention.measure(self.home.engine, self.home.now())

    @rpc
    def apply_retention(self, **command: Any) -> dict[str, Any]:
        body = load(ApplyRetention, command)
        self.home.follow_to(body["after"])
        common = {"by": body["by"], "now": self.home.now(), "first": self._recall, "limit": body["limit"]}
        done, pos = retention.apply(self.home.journal, vault_of(self.home.keys), body["programme"], **common)
        return {"pos": self.home.committed(pos), **done}

    @rpc
    def list_duplicates(self, **command: Any) -> dict[str, Any]:
        body = load(ListDuplicates, command)
        asked = {name: body[name] for name in ("judged", "limit", "offset", "by")}
        now, reply_to = self.home.now(), body["reply_to"]
        place = self.home.journal, vault_of(self.home.keys), body["programme"]
        total, found = duplicates.listed(*place, **asked, now=now)
        return {"total": total, "pairs": [self._pair(pair, reply_to) for pair in found]}

    def _pair(self, pair: duplicates.Pair, reply_to: str) -> dict[str, Any]:
        coded = {"score": pair.points, "likely": pair.points >= LIKELY, "verdict": pair.verdict}
        speaks = {"speaks_for": pair.speaks[0], "speaks_against": pair.speaks[1]}
        return (
            coded | speaks | {"people": [self._named(row, reply_to, "birth_date") for row in (pair.first, pair.second)]}
        )

    @rpc
    def judge_pair(self, **command: Any) -> dict[str, Any]:
        body = load(JudgePair, command)
        self.home.follow_to(body["after"])
        said = [body[name] for name in ("programme", "subject", "same_as", "verdict")]
        new, pos = duplicates.judge(self.home.journal, *said, was=body["was"], by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "new": new}

    @subscribes(ActivitiesCleared)
    def on_activities_cleared(self, unit: Unit, line: Line, fact: ActivitiesCleared) -> None:
        _receipt(unit, line, fact)

    @subscribes(PathwaysCleared)
    def on_pathways_cleared(self, unit: Unit, line: Line, fact: PathwaysCleared) -> None:
        _receipt(unit, line, fact)

    @subscribes(MeasurementCleared)
    def on_measurement_cleared(self, unit: Unit, line: Line, fact: MeasurementCleared) -> None:
        _receipt(unit, line, fact)

    @subscribes(LeadCleared)
    def on_lead_cleared(self, unit: Unit, line: Line, fact: LeadCleared) -> None:
        _receipt(unit, line, fact)


def _receipt(unit: Unit, line: Line, fact: Fact) -> None:
    holder = line.kind.partition(".")[0]
    rights_store.add_receipt(unit.connection, fact["ending"], holder, fact["rows"], line.recorded_at)


def _informed(item: dict[str, Any]) -> purposes.NewInformed:
    said = {name: item[name] for name in ("key", "subject", "notice", "language")}
    return purposes.NewInformed(**said, date=date.fromisoformat(item["date"]), consents=tuple(item["consents"]))
