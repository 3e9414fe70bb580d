"""intake on the bus, of start records and their evidence: a part of the service."""

from collections.abc import Callable
from datetime import date
from typing import Any

from services.intake import eura, exit_forms, exits, queries, returns, samples, starts, text_store, texts
from services.intake.peers import Desk
from services.intake.records import NewExit, PlannedExit, ReturnedExit
from services.intake.sealing import inside, vault_of
from shared.bus.entrypoints import rpc, subscribes
from shared.bus.home import ServiceHome
from shared.contracts.closing import ListStillIn
from shared.contracts.commands import load
from shared.contracts.mistakes import RemoveAttempt, RemoveFollowUp, RemoveReturn
from shared.contracts.people import ParticipantItem
from shared.contracts.plan_facts import PlanEntryWithdrawn
from shared.contracts.samples import ShowSample
from shared.contracts.starts import (
    AddExitForms,
    AddStarts,
    ExitFormContent,
    ListEura,
    ListFollowUps,
    NoteEura,
    RecordAttempts,
    RecordExitForms,
    RecordLeaving,
    RecordStarts,
    ShowExit,
    ShowStart,
    StartContent,
)
from shared.contracts.talks import DropTexts
from shared.journal import Line, Unit
from shared.journal.sealed import seal_reply
from shared.ops.clock import today_in_helsinki


def coded(item: dict[str, Any]) -> dict[str, Any]:
    """What exits and follow-ups have in common with their commands, as values."""
    days = {name: date.fromisoformat(item[name]) for name in ("due", "date") if name in item}
    codes = {name: item[name] for name in ("key", "subject", "reason", "status") if name in item}
    results = item.get("results")
    return codes | days | {"results": None if results is None else tuple(results)}


def new_exit(item: dict[str, Any]) -> NewExit:
    """An exit of a command."""
    told = coded(item) | {"next": item.get("next"), "corrects": item["corrects"]}
    if item.get("resumed_on"):
        back = date.fromisoformat(item["resumed_on"])
        return ReturnedExit(**told, planned=item.get("planned") or "", back=back)
    return PlannedExit(**told, planned=item["planned"]) if item.get("planned") else NewExit(**told)


_OWN_MEMBERS = ("key", "sealed", "standing", "start_date")
RECORD = tuple(name for name in ParticipantItem().fields if name not in _OWN_MEMBERS)
"""The coded part of a start record."""


class RecordMethods:
    """Put before a service class, as `ParkedLines` is."""

    home: ServiceHome
    _desk: Callable[[], Desk]

    @rpc
    def show_start(self, **command: Any) -> dict[str, Any]:
        body = load(ShowStart, command)
        common = {"by": body["by"], "now": self.home.now()}
        who = self.home.journal, vault_of(self.home.keys), body["programme"], body["subject"]
        coded, named = starts.show_start(*who, **common)
        return coded | {"sealed": seal_reply(body["reply_to"], named)}

    @rpc
    def record_starts(self, **command: Any) -> dict[str, Any]:
        return self._record_starts(load(RecordStarts, command))

    @rpc
    def add_starts(self, **command: Any) -> dict[str, Any]:
        return self._record_starts(load(AddStarts, command))

    def _record_starts(self, body: dict[str, Any]) -> dict[str, Any]:
        new = [self._start(number, item) for number, item in enumerate(body["items"])]
        return self.home.record(body, starts.record_starts, new, vault_of(self.home.keys), desk=self._desk())

    @rpc
    def record_attempts(self, **command: Any) -> dict[str, Any]:
        body = load(RecordAttempts, command)
        new = [starts.NewAttempt(**item | {"date": date.fromisoformat(item["date"])}) for item in body["items"]]
        return self.home.record(body, starts.record_attempts, new)

    @rpc
    def note_eura(self, **command: Any) -> dict[str, Any]:
        body = load(NoteEura, command)
        new = [eura.NewEntry(**item | {"date": date.fromisoformat(item["date"])}) for item in body["items"]]
        return self.home.record(body, eura.note_entries, new, vault_of(self.home.keys).vault)

    @rpc
    def list_eura(self, **command: Any) -> dict[str, Any]:
        body = load(ListEura, command)
        found = queries.eura_worklist(self.home.engine, body["programme"])
        people, first = found["people"], body["offset"]
        return found | {"total": len(people), "people": people[first : first + body["limit"]]}

    @rpc
    def show_exit(self, **command: Any) -> dict[str, Any]:
        body = load(ShowExit, command)
        common = {"by": body["by"], "now": self.home.now()}
        who = self.home.journal, vault_of(self.home.keys), body["programme"], body["subject"]
        coded, named = exit_forms.show_exit(*who, **common)
        return coded | {"sealed": seal_reply(body["reply_to"], named)}

    @rpc
    def list_still_in(self, **question: Any) -> dict[str, Any]:
        return queries.still_in(self.home.engine, **load(ListStillIn, question))

    @rpc
    def record_exit_forms(self, **command: Any) -> dict[str, Any]:
        return self._record_exit_forms(load(RecordExitForms, command))

    @rpc
    def add_exit_forms(self, **command: Any) -> dict[str, Any]:
        return self._record_exit_forms(load(AddExitForms, command))

    def _record_exit_forms(self, body: dict[str, Any]) -> dict[str, Any]:
        new = [self._exit_form(f"items.{number}.sealed", item) for number, item in enumerate(body["items"])]
        return self.home.record(body, exit_forms.record_exit_forms, new, vault_of(self.home.keys))

    @rpc
    def record_leaving(self, **command: Any) -> dict[str, Any]:
        body = load(RecordLeaving, command)
        self.home.follow_to(body["after"])
        both = new_exit(body["exit"]), self._exit_form("form.sealed", body["form"])
        common = {"by": body["by"], "now": self.home.now()}
        place = self.home.journal, vault_of(self.home.keys), body["programme"]
        new, pos = exit_forms.record_leaving(*place, *both, **common)
        return {"pos": self.home.committed(pos), "new": new}

    @rpc
    def remove_follow_up(self, **command: Any) -> dict[str, Any]:
        body = load(RemoveFollowUp, command)
        what = body["programme"], body["subject"], body["follow_up"]
        removed, pos = exits.remove_follow_up(self.home.journal, *what, by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "removed": removed}

    @rpc
    def remove_return(self, **command: Any) -> dict[str, Any]:
        body = load(RemoveReturn, command)
        self.home.follow_to(body["after"])
        what = body["programme"], body["subject"], date.fromisoformat(body["date"])
        removed, pos = returns.remove_return(self.home.journal, *what, by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "removed": removed}

    @rpc
    def remove_attempt(self, **command: Any) -> dict[str, Any]:
        body = load(RemoveAttempt, command)
        what = body["programme"], body["subject"], body["attempt"]
        removed, pos = starts.remove_attempt(self.home.journal, *what, by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "removed": removed}

    @rpc
    def list_follow_ups(self, **command: Any) -> dict[str, Any]:
        body = load(ListFollowUps, command)
        found = queries.due_follow_ups(self.home.engine, body["programme"], today_in_helsinki(self.home.now()))
        first = body["offset"]
        return {"total": len(found), "people": found[first : first + body["limit"]]}

    @rpc
    def show_sample(self, **command: Any) -> dict[str, Any]:
        body = load(ShowSample, command)
        if body["node"] != self.home.journal.home:
            return {"own": False, "rows": []}
        common = {"by": body["by"], "now": self.home.now()}
        place = self.home.journal, vault_of(self.home.keys), body["programme"]
        found = samples.show_sample(*place, body["lines"], **common)
        reply_to = body["reply_to"]
        return {"own": True, "rows": [coded | {"sealed": seal_reply(reply_to, named)} for coded, named in found]}

    @rpc
    def drop_texts(self, **command: Any) -> dict[str, Any]:
        body = load(DropTexts, command)
        self.home.follow_to(body["after"])
        what = body["programme"], [item["key"] for item in body["items"]]
        return {"dropped": texts.drop_texts(self.home.journal, *what, by=body["by"], now=self.home.now())}

    @subscribes(PlanEntryWithdrawn)
    def on_plan_entry_withdrawn(self, unit: Unit, _line: Line, fact: PlanEntryWithdrawn) -> None:
        if fact["text_ref"]:
            text_store.drop_text(unit.connection, fact["text_ref"], str(fact.subject))

    def _exit_form(self, field: str, item: dict[str, Any]) -> exit_forms.NewExitForm:
        content = inside(self.home.keys, ExitFormContent, field, item["sealed"])
        own = ("key", "subject", "was", "sealed")
        told = {name: value for name, value in item.items() if name not in own and value is not None}
        return exit_forms.NewExitForm(item["key"], item["subject"], item.get("was"), told, content)

    def _start(self, number: int, item: dict[str, Any]) -> starts.NewStart:
        field = f"items.{number}.sealed"
        content = inside(self.home.keys, StartContent, field, item["sealed"])
        record = {name: item[name] for name in RECORD if item.get(name) is not None}
        who = item["key"], item["subject"], item.get("was")
        return starts.NewStart(*who, date.fromisoformat(item["start_date"]), record, content)
