"""activities on the bus: parse by contract, call once, answer."""

from datetime import date
from typing import Any

from services.activities import conversations, counters, hearing, operations, queries, registers, sharing, store
from services.activities.domain import Agreed, NewAttendance, NewConversation, NewSession, Presence
from shared.bus.entrypoints import JournalFollower, rpc, subscribes, timer
from shared.bus.home import HomeResource
from shared.bus.parked import ParkedLines
from shared.contracts.catalogue import ProgrammeLoaded, StandingReached, SubjectErased
from shared.contracts.client_facts import ClientLeft
from shared.contracts.commands import load
from shared.contracts.errors import InvalidInput
from shared.contracts.purpose_facts import PurposeEnded
from shared.contracts.record_facts import ParticipationEnded
from shared.contracts.rights import PersonShare
from shared.contracts.sessions import ListSessions, RecordAttendance, RecordSessions
from shared.contracts.talks import (
    AskRecent,
    AskRegister,
    CountHeads,
    ListCounters,
    RecordConversation,
    RecordRegister,
    RemoveConversation,
    ShowConversation,
    StartCounter,
)
from shared.journal import Line, Unit
from shared.ops.clock import day_of


class ActivitiesService(ParkedLines):
    """Records sessions, attendance and head-counts."""

    name = "activities"
    home = HomeResource()
    follower = JournalFollower("home")

    @rpc
    def ping(self) -> dict[str, Any]:
        return {"service": self.name, "ready": True}

    @rpc
    def person_share(self, **command: Any) -> dict[str, Any]:
        body = load(PersonShare, command)
        self.home.follow_to(body["after"])
        return sharing.person_share(self.home.engine, body["programme"], body["subject"])

    @rpc
    def record_sessions(self, **command: Any) -> dict[str, Any]:
        body = load(RecordSessions, command)
        return self.home.record(body, operations.record_sessions, [_session(item) for item in body["items"]])

    @rpc
    def record_attendance(self, **command: Any) -> dict[str, Any]:
        body = load(RecordAttendance, command)
        return self.home.record(body, operations.record_attendance, [_attendance(item) for item in body["items"]])

    @rpc
    def list_sessions(self, **command: Any) -> dict[str, Any]:
        body = load(ListSessions, command)
        page = (body["limit"], body["offset"], body.get("activities"))
        return queries.list_sessions(self.home.engine, body["programme"], *page)

    @rpc
    def record_conversation(self, **command: Any) -> dict[str, Any]:
        body = load(RecordConversation, command)
        self.home.follow_to(body["after"])
        new = [_conversation(item) for item in body["items"]]
        results, pos = conversations.record_conversation(
            self.home.journal, body["programme"], new, by=body["by"], now=self.home.now()
        )
        return {"pos": self.home.committed(pos), "results": results}

    @rpc
    def remove_conversation(self, **command: Any) -> dict[str, Any]:
        body = load(RemoveConversation, command)
        self.home.follow_to(body["after"])
        pos = conversations.remove_conversation(
            self.home.journal, body["programme"], body["session"], by=body["by"], now=self.home.now()
        )
        return {"pos": self.home.committed(pos)}

    @rpc
    def show_conversation(self, **command: Any) -> dict[str, Any]:
        body = load(ShowConversation, command)
        return queries.show_conversation(self.home.engine, body["programme"], body["session"])

    @rpc
    def recent_people(self, **command: Any) -> list[str]:
        body = load(AskRecent, command)
        return queries.recent_people(self.home.engine, body["programme"], body["limit"])

    @rpc
    def record_register(self, **command: Any) -> dict[str, Any]:
        body = load(RecordRegister, command)
        self.home.follow_to(body["after"])
        register = [_presence(item) for item in body["items"]]
        session, results, pos = registers.record_register(
            self.home.journal, body["programme"], _at(body), register, by=body["by"], now=self.home.now()
        )
        return {"pos": self.home.committed(pos), "session": session, "results": results}

    @rpc
    def show_register(self, **command: Any) -> dict[str, Any]:
        body = load(AskRegister, command)
        asked = (body["programme"], body.get("activity"), body.get("session"))
        return queries.show_register(self.home.engine, *asked)

    @rpc
    def start_counter(self, **command: Any) -> dict[str, Any]:
        body = load(StartCounter, command)
        common = {"women": body["women"], "by": body["by"], "now": self.home.now()}
        counter, new = counters.start_counter(self.home.journal, body["programme"], _session(body), **common)
        return {"counter": counter, "new": new}

    @rpc
    def count_heads(self, **command: Any) -> dict[str, Any]:
        body = load(CountHeads, command)
        tap = {name: body[name] for name in ("revision", "heads", "women", "done", "by")}
        state, pos = counters.count_heads(
            self.home.journal, body["programme"], body["counter"], **tap, now=self.home.now()
        )
        return {"pos": self.home.committed(pos), **state}

    @rpc
    def list_counters(self, **command: Any) -> list[dict[str, Any]]:
        body = load(ListCounters, command)
        return queries.list_counters(self.home.engine, body["programme"], body.get("counter"))

    @timer(interval=60)
    def tell_counts(self) -> None:
        self.home.committed(counters.tell_counts(self.home.journal, self.home.now()))

    @subscribes(ProgrammeLoaded)
    def on_programme_loaded(self, unit: Unit, _line: Line, fact: ProgrammeLoaded) -> None:
        store.shelf.put(unit.connection, fact)

    @subscribes(StandingReached)
    def on_standing_reached(self, unit: Unit, line: Line, fact: StandingReached) -> None:
        store.put_person(unit.connection, str(fact.subject), line.stream.partition("/")[2], fact["standing"])

    @subscribes(ParticipationEnded)
    def on_participation_ended(self, unit: Unit, _line: Line, fact: ParticipationEnded) -> None:
        hearing.left(unit, fact)

    @subscribes(ClientLeft)
    def on_client_left(self, unit: Unit, _line: Line, fact: ClientLeft) -> None:
        hearing.left(unit, fact)

    @subscribes(PurposeEnded)
    def on_purpose_ended(self, unit: Unit, line: Line, fact: PurposeEnded) -> None:
        hearing.purpose_ended(unit, line, fact)

    @subscribes(SubjectErased)
    def on_subject_erased(self, unit: Unit, _line: Line, fact: SubjectErased) -> None:
        store.forget_person(unit.connection, str(fact.subject))


def _session(item: dict[str, Any]) -> NewSession:
    return NewSession(
        key=item["key"],
        activity=item["activity"],
        occurred_on=date.fromisoformat(item["date"]),
        start=item.get("start"),
        minutes=item.get("minutes"),
        location=item.get("location"),
        area=item.get("area"),
        languages=tuple(item.get("languages") or ()),
        heads=item.get("headcount"),
        women=item.get("headcount_women"),
        basis=item.get("headcount_basis"),
    )


def _attendance(item: dict[str, Any]) -> NewAttendance:
    return NewAttendance(item["key"], item["session"], item["subject"], item["role"], item.get("minutes"))


def _conversation(item: dict[str, Any]) -> NewConversation:
    meeting = item.get("next_meeting")
    return NewConversation(
        key=item["key"],
        activity=item["activity"],
        subject=item["subject"],
        occurred_on=date.fromisoformat(item["date"]),
        minutes=item["minutes"],
        how=item["how"],
        topics=tuple(item["topics"]),
        text_ref=item.get("text_ref"),
        actions=tuple(Agreed(agreed["text_ref"], day_of(agreed.get("due_on"))) for agreed in item["actions"]),
        meeting=(date.fromisoformat(meeting["on"]), meeting.get("start")) if meeting else None,
        replaces=item.get("replaces"),
    )


def _presence(item: dict[str, Any]) -> Presence:
    asked = {name: item.get(name) for name in ("role", "minutes")}
    return Presence(item["key"], item["subject"], item["there"], item["was"], **asked)


def _at(body: dict[str, Any]) -> str | NewSession:
    session, held = body.get("session"), body.get("held")
    if session and not held:
        return str(session)
    if held and not session:
        return _session(held)
    raise InvalidInput(field="session", reason="name a recorded session, or tell of a new one in held")
