"""activities on the bus: parse by contract, call once, answer."""

from datetime import date
from typing import Any

from services.activities import operations, queries, store
from services.activities.domain import NewAttendance, NewSession
from shared.bus.entrypoints import JournalFollower, rpc, subscribes
from shared.bus.home import HomeResource
from shared.contracts.catalogue import ProgrammeLoaded, StandingReached
from shared.contracts.commands import ListSessions, RecordAttendance, RecordSessions, load
from shared.journal import Line, Unit


class ActivitiesService:
    """Records sessions, attendance and head-counts."""

    name = "activities"
    home = HomeResource()
    follower = JournalFollower("home")

    @rpc
    def ping(self) -> dict[str, Any]:
        return {"service": self.name, "ready": True}

    @rpc
    def record_sessions(self, **command: Any) -> dict[str, Any]:
        body = load(RecordSessions, command)
        return self._record(body, operations.record_sessions, [_session(item) for item in body["items"]])

    @rpc
    def record_attendance(self, **command: Any) -> dict[str, Any]:
        body = load(RecordAttendance, command)
        return self._record(body, operations.record_attendance, [_attendance(item) for item in body["items"]])

    @rpc
    def list_sessions(self, **command: Any) -> dict[str, Any]:
        body = load(ListSessions, command)
        return queries.list_sessions(self.home.engine, body["programme"], body["limit"], body["offset"])

    @subscribes(ProgrammeLoaded)
    def on_programme_loaded(self, unit: Unit, _line: Line, fact: ProgrammeLoaded) -> None:
        store.shelf.put(unit.connection, fact)

    @subscribes(StandingReached)
    def on_standing_reached(self, unit: Unit, line: Line, fact: StandingReached) -> None:
        store.put_person(unit.connection, str(fact.subject), line.stream.partition("/")[2])

    def _record(self, body: dict[str, Any], operation: Any, items: list[Any]) -> dict[str, Any]:
        self.home.follow_to(body["after"])
        common = {"by": body["by"], "now": self.home.now(), "skip_bad": body["skip_bad"]}
        results, pos = operation(self.home.journal, body["programme"], items, **common)
        return {"pos": self.home.committed(pos), "results": results}


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
