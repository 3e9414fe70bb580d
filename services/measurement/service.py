"""measurement on the bus: parse by contract, call once, answer."""

from datetime import date
from typing import Any

from services.measurement import operations, sharing, store
from services.measurement.domain import NewAssessment
from shared.bus.entrypoints import JournalFollower, rpc, subscribes
from shared.bus.home import HomeResource
from shared.bus.parked import ParkedLines
from shared.contracts.catalogue import ProgrammeLoaded, SessionHeld, StandingReached, SubjectErased
from shared.contracts.commands import RecordAssessments, load
from shared.contracts.purpose_facts import MeasurementCleared, PurposeEnded
from shared.contracts.purposes import PURPOSE_OF_SERVICE
from shared.contracts.rights import PersonShare
from shared.journal import Line, Unit


class MeasurementService(ParkedLines):
    """Records assessments and computes their scores."""

    name = "measurement"
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
    def record_assessments(self, **command: Any) -> dict[str, Any]:
        body = load(RecordAssessments, command)
        self.home.follow_to(body["after"])
        items = [_assessment(item) for item in body["items"]]
        common = {"by": body["by"], "now": self.home.now(), "skip_bad": body["skip_bad"]}
        results, pos = operations.record_assessments(self.home.journal, body["programme"], items, **common)
        return {"pos": self.home.committed(pos), "results": results}

    @subscribes(ProgrammeLoaded)
    def on_programme_loaded(self, unit: Unit, _line: Line, fact: ProgrammeLoaded) -> None:
        store.shelf.put(unit.connection, fact)

    @subscribes(StandingReached)
    def on_standing_reached(self, unit: Unit, line: Line, fact: StandingReached) -> None:
        since = date.fromisoformat(fact["occurred_on"]) if fact["occurred_on"] else None
        store.put_person(unit.connection, str(fact.subject), line.stream.partition("/")[2], since)

    @subscribes(PurposeEnded)
    def on_purpose_ended(self, unit: Unit, line: Line, fact: PurposeEnded) -> None:
        if fact["purpose"] == PURPOSE_OF_SERVICE[self.name]:
            rows = store.clear_person(unit.connection, str(fact.subject))
            programme = fact["programme"] or line.stream.partition("/")[2]
            unit.record(MeasurementCleared(fact.subject, ending=fact["ending"], programme=programme, rows=rows))

    @subscribes(SubjectErased)
    def on_subject_erased(self, unit: Unit, _line: Line, fact: SubjectErased) -> None:
        store.forget_person(unit.connection, str(fact.subject))

    @subscribes(SessionHeld)
    def on_session_held(self, unit: Unit, line: Line, fact: SessionHeld) -> None:
        day = date.fromisoformat(fact["occurred_on"])
        store.put_session(unit.connection, fact["session"], line.stream.partition("/")[2], day)


def _assessment(item: dict[str, Any]) -> NewAssessment:
    return NewAssessment(
        key=item["key"],
        subject=item.get("subject"),
        session=item.get("session"),
        instrument=item["instrument"],
        version=item["version"],
        occasion=item["occasion"],
        occurred_on=date.fromisoformat(item["date"]),
        answers=dict(sorted(item["answers"].items())),  # one order: the same form sent twice is the same
        corrects=item.get("corrects"),
    )
