"""The RPC methods of encounters and doors, a part of `service.py`: parse by contract, call once, answer."""

import json
from datetime import date
from typing import Any

from services.intake import doors, encounter_queries, encounters, operations, store
from services.intake.domain import is_protected
from services.intake.encounter_rules import Encounter, NewEncounter, tile
from services.intake.sealing import inside, vault_of
from shared.bus.entrypoints import rpc, timer
from shared.bus.home import ServiceHome
from shared.contracts.commands import load
from shared.contracts.encounters import (
    CorrectEncounter,
    EncounterTokens,
    ListDoors,
    ListEncounters,
    ListRegulars,
    MeetVisitor,
    OpenDoor,
    RecordEncounters,
    RemoveEncounter,
    TapDoor,
    TapVisitor,
)
from shared.contracts.errors import InvalidInput
from shared.journal.sealed import seal_reply


class EncounterMethods:
    """Put before intake's service class."""

    home: ServiceHome

    @rpc
    def record_encounters(self, **command: Any) -> dict[str, Any]:
        body = load(RecordEncounters, command)
        new = [self._encounter(number, item) for number, item in enumerate(body["items"])]
        return self.home.record(body, encounters.record_encounters, new, vault_of(self.home.keys))

    @rpc
    def correct_encounter(self, **command: Any) -> dict[str, Any]:
        body = load(CorrectEncounter, command)
        self.home.follow_to(body["after"])
        content, sealed = body["content"], body["content"].get("sealed")
        place = (self.home.journal, vault_of(self.home.keys), body["programme"], body["encounter"])
        tokens = self._tokens("content.sealed", sealed) if sealed else None
        common = {"revision": body["revision"], "by": body["by"], "now": self.home.now()}
        revision, left, pos = encounters.correct_encounter(*place, _content(content), tokens, **common)
        return {"pos": self.home.committed(pos), "revision": revision, "left": left}

    @rpc
    def remove_encounter(self, **command: Any) -> dict[str, Any]:
        body = load(RemoveEncounter, command)
        self.home.follow_to(body["after"])
        common = {"revision": body["revision"], "by": body["by"], "now": self.home.now()}
        place = self.home.journal, body["programme"], body["encounter"]
        removed, left, pos = encounters.remove_encounter(*place, **common)
        return {"pos": self.home.committed(pos), "removed": removed, "left": left}

    @rpc
    def list_encounters(self, **command: Any) -> dict[str, Any]:
        body = load(ListEncounters, command)
        page = (body["limit"], body["offset"], body.get("encounter"))
        return encounter_queries.list_encounters(self.home.engine, body["programme"], *page)

    @rpc
    def open_door(self, **command: Any) -> dict[str, Any]:
        body = load(OpenDoor, command)
        content = Encounter(
            date.fromisoformat(body["date"]),
            start=body.get("start"),
            location=body.get("location"),
            area=body.get("area"),
            staff=body.get("staff"),
            people_new=0,
            people_known=0,
            women=0 if body["women"] else None,
        )
        common = {"by": body["by"], "now": self.home.now()}
        made, new = doors.open_door(self.home.journal, body["programme"], body["key"], content, **common)
        return {"encounter": made, "new": new}

    @rpc
    def tap_door(self, **command: Any) -> dict[str, Any]:
        body = load(TapDoor, command)
        tap = {name: body[name] for name in ("revision", "tap", "by")}
        state, pos = doors.tap_door(self.home.journal, body["programme"], body["encounter"], **tap, now=self.home.now())
        return {"pos": self.home.committed(pos), **state}

    @rpc
    def tap_visitor(self, **command: Any) -> dict[str, Any]:
        body = load(TapVisitor, command)
        self.home.follow_to(body["after"])
        place = (self.home.journal, body["programme"], body["encounter"], body["subject"])
        state, pos = doors.tap_visitor(*place, there=body["there"], by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), **state}

    @rpc
    def meet_visitor(self, **command: Any) -> dict[str, Any]:
        body = load(MeetVisitor, command)
        tokens = self._tokens("sealed", body["sealed"])
        if len(tokens) != 1:
            raise InvalidInput(field="sealed.tokens", reason="one nickname at a time")
        place = (self.home.journal, vault_of(self.home.keys), body["programme"], body["encounter"])
        common = {"woman": body["woman"], "by": body["by"], "now": self.home.now()}
        state, pos = doors.meet_visitor(*place, tokens[0], **common)
        return {"pos": self.home.committed(pos), **state}

    @rpc
    def list_doors(self, **command: Any) -> list[dict[str, Any]]:
        body = load(ListDoors, command)
        return encounter_queries.list_doors(self.home.engine, body["programme"], body.get("encounter"))

    @rpc
    def list_regulars(self, **command: Any) -> list[dict[str, Any]]:
        body = load(ListRegulars, command)
        programme = body["programme"]
        subjects, there = encounter_queries.regulars(self.home.engine, programme, body["encounter"], body["limit"])
        operations.log_identities_read(
            self.home.journal, subjects, by=body["by"], programme=programme, now=self.home.now()
        )
        rows = encounter_queries.open_tiles(self.home.engine, programme, subjects)
        tiles = [(subject, self._tile(rows[subject])) for subject in subjects if subject in rows]
        reply_to = body["reply_to"]
        return [
            {"subject": subject, "there": subject in there, "sealed": seal_reply(reply_to, {"text": told})}
            for subject, told in tiles
            if told or subject in there
        ]

    @timer(interval=60)
    def tell_doors(self) -> None:
        self.home.committed(doors.tell_doors(self.home.journal, self.home.now()))

    def _tile(self, row: Any) -> str:
        identity = store.open_identity(vault_of(self.home.keys).vault, row.person, row.wrapped_key, row.box)
        return tile({"token": identity.get("token")} if is_protected(json.loads(row.record)) else identity)

    def _encounter(self, number: int, item: dict[str, Any]) -> NewEncounter:
        sealed = item.get("sealed")
        tokens = self._tokens(f"items.{number}.sealed", sealed) if sealed else ()
        return NewEncounter(item["key"], _content(item), tokens)

    def _tokens(self, field: str, sealed: str) -> tuple[str, ...]:
        return tuple(inside(self.home.keys, EncounterTokens, field, sealed)["tokens"])


def _content(item: dict[str, Any]) -> Encounter:
    plain = ("start", "location", "area", "staff", "people_new", "people_known", "women")
    told: dict[str, Any] = {name: item.get(name) for name in plain}
    told |= {name: tuple(item[name]) for name in ("languages", "topics", "guided_to")}
    return Encounter(date.fromisoformat(item["date"]), **told)
