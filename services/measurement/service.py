"""measurement on the bus: parse by contract, call once, answer."""

from datetime import date
from typing import Any

from services.measurement import mistakes, operations, rounds, sharing, store, wordings
from services.measurement.domain import NewAssessment
from shared.bus.entrypoints import JournalFollower, rpc, subscribes
from shared.bus.home import EVERYTHING, HomeResource
from shared.bus.parked import ParkedLines
from shared.contracts.catalogue import ProgrammeLoaded, SessionHeld, StandingReached, SubjectErased
from shared.contracts.commands import load
from shared.contracts.mistakes import RemoveAssessment
from shared.contracts.purpose_facts import MeasurementCleared, PurposeEnded
from shared.contracts.purposes import PURPOSE_OF_SERVICE
from shared.contracts.questionnaires import ListDue, LoadWording, RecordAssessments, ShowForms, ShowWording
from shared.contracts.rights import PersonShare
from shared.journal import Line, Unit
from shared.ops.clock import day_of


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
        items = [_assessment(item) for item in body["items"]]
        seen = {item["key"]: item["was"] for item in body["items"] if item.get("was") is not None}
        revisions = {item["key"]: item["revision"] for item in body["items"] if item.get("revision") is not None}
        return self.home.record(body, operations.record_assessments, items, seen=seen, revisions=revisions)

    @rpc
    def remove_assessment(self, **command: Any) -> dict[str, Any]:
        body = load(RemoveAssessment, command)
        what = body["programme"], body.get("subject"), body["assessment"]
        removed, pos = mistakes.remove_assessment(self.home.journal, *what, by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "removed": removed}

    @rpc
    def list_due(self, **question: Any) -> dict[str, Any]:
        body = load(ListDue, question)
        self.home.follow_to(EVERYTHING)  # who has just come in is due too
        page = (body.get("people"), body["limit"], body["offset"])
        return rounds.list_due(self.home.journal, body["programme"], *page, self.home.now())

    @rpc
    def show_forms(self, **question: Any) -> dict[str, Any]:
        body = load(ShowForms, question)
        self.home.follow_to(EVERYTHING)
        who = {"by": body["by"], "now": self.home.now()}
        return rounds.show_forms(self.home.journal, body["programme"], body["subject"], **who)

    @rpc
    def load_wording(self, **command: Any) -> dict[str, Any]:
        body = load(LoadWording, command)
        common = {"by": body["by"], "now": self.home.now()}
        return {"items": wordings.load_wording(self.home.journal, body["document"], **common)}

    @rpc
    def show_wording(self, **question: Any) -> dict[str, Any]:
        body = load(ShowWording, question)
        return {"texts": wordings.show_wording(self.home.engine, body["instrument"], body["version"])}

    @subscribes(ProgrammeLoaded)
    def on_programme_loaded(self, unit: Unit, _line: Line, fact: ProgrammeLoaded) -> None:
        store.shelf.put(unit.connection, fact)

    @subscribes(StandingReached)
    def on_standing_reached(self, unit: Unit, line: Line, fact: StandingReached) -> None:
        since = day_of(fact["occurred_on"])
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
