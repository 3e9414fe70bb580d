"""The CSV set of an archive is what holds at the end: corrections count, what was taken back is gone."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.node.closingcli import HEADER, _read
from services.node.csvarchive import CsvArchive, informed_rows
from services.node.csvrows import CONTACTS, ORDER, PLANS, STARTS, WORKERS
from services.portal.closing_work import Open, Reason, check
from shared.contracts.catalogue import (
    AnonymousAnswersRecorded,
    AnswersRecorded,
    AttendanceRecorded,
    AttendanceRemoved,
    HeadsCounted,
    OutcomeRecorded,
    SessionHeld,
    StepEntered,
    StepLeft,
)
from shared.contracts.encounter_facts import EncounterRecorded
from shared.contracts.errors import InvalidInput
from shared.contracts.mistake_facts import (
    AnonymousSheetRemoved,
    AssessmentRemoved,
    FollowUpRemoved,
    OutcomeRemoved,
    PauseRemoved,
    StepRemoved,
)
from shared.contracts.record_facts import FollowUpRecorded, ParticipationEnded, ParticipationResumed
from shared.contracts.step_facts import StepPaused, StepResumed
from tests.services.kit import PROGRAMME

ANNA, GONE = "a5" * 16, "b5" * 16
FIRST, SECOND = "01" * 16, "02" * 16


def attendance(number: str, subject: str = ANNA) -> AttendanceRecorded:
    said = {"attendance": number, "session": FIRST, "role": "participant", "occurred_on": "2016-03-01"}
    return AttendanceRecorded(subject, **said)


@pytest.fixture
def written(tmp_path: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of each file, by column."""
    mapping = {("steps", "street"): "outreach", ("activities", "old"): "duuniin", ("outcomes", "school"): "education"}
    made = CsvArchive(replace(PROGRAMME, mapping=mapping | {("areas", "centre"): "sampola"}), "leader")
    for session in (FIRST, SECOND):
        made.take(SessionHeld(session=session, activity="kaapeli", occurred_on="2016-03-01", languages=["fi", "so"]))
    made.take(SessionHeld(session=FIRST, activity="old", occurred_on="2016-03-02", area="centre"))
    made.take(EncounterRecorded(**EncounterRecorded.example | {"area": "centre"}))
    made.take(OutcomeRecorded(ANNA, **OutcomeRecorded.example | {"outcome": "school"}))
    made.take(OutcomeRecorded(ANNA, **OutcomeRecorded.example | {"outcome_id": SECOND}))
    made.take(OutcomeRemoved(ANNA, outcome_id=SECOND))
    made.take(FollowUpRecorded(ANNA, **FollowUpRecorded.example))
    made.take(FollowUpRemoved(ANNA, follow_up=FollowUpRecorded.example["follow_up"]))
    made.take(HeadsCounted(session=SECOND, heads=0, basis="counted"))
    for fact in (attendance("11" * 16), attendance("12" * 16), attendance("13" * 16, GONE)):
        made.take(fact)
    made.take(AttendanceRemoved(ANNA, attendance="12" * 16, session=FIRST))
    for step in (StepEntered, StepLeft, StepEntered):
        made.take(step(ANNA, step="street" if step is StepEntered else "outreach", occurred_on="2016-04-01"))
    for pause, day in ((StepPaused, "10"), (StepResumed, "12"), (StepPaused, "20")):
        made.take(pause(ANNA, step="street", occurred_on=f"2016-04-{day}"))
    for step in (StepEntered, StepLeft):
        made.take(step(ANNA, step="street", occurred_on="2016-05-02"))
    made.take(StepPaused(ANNA, step="street", occurred_on="2016-05-01"))
    made.take(PauseRemoved(ANNA, step="outreach", paused_on="2016-05-01"))
    made.take(StepRemoved(ANNA, step="outreach", entered_on="2016-05-02", left_on="2016-05-02"))
    for number in (FIRST, SECOND):
        made.take(AnswersRecorded(ANNA, **AnswersRecorded.example | {"assessment": number}))
    made.take(AssessmentRemoved(ANNA, assessment=SECOND))
    made.take(AnonymousAnswersRecorded(**AnonymousAnswersRecorded.example | {"assessment": SECOND}))
    made.take(AnonymousSheetRemoved(assessment=SECOND))
    made.people[ANNA] = "p1"
    identity: dict[str, Any] = {"given_name": "=HYPERLINK(1)", "interpreter": False, "started_on": "2016-02-01"}
    identity |= {"protected_address": "no", "paid_by_project": "no"}
    ended = {"ended_on": "2016-09-01", "end_reason": "completed", "end_results": "education employment"}
    ended |= {"end_next": "ready_plan", "end_planned": "school", "area": "centre"}
    made.write(tmp_path, {ANNA: identity | ended})
    return {
        name: list(csv.DictReader((tmp_path / name).open(encoding="utf-8")))
        for name in ORDER
        if name not in (WORKERS, CONTACTS, STARTS, PLANS)
    }


def test_the_last_word_holds_and_what_was_taken_back_is_gone(written: dict[str, list[dict[str, str]]]) -> None:
    first, second = written["sessions.csv"]
    assert (first["activity"], first["date"], first["headcount"]) == ("duuniin", "2016-03-02", "")
    assert (second["languages"], second["headcount"]) == ("fi;so", "0")
    assert [row["participant"] for row in written["attendance.csv"]] == ["p1"], "neither taken back nor of the erased"
    assert (len(written["outcomes.csv"]), written["followups.csv"]) == (1, [])
    assert [(row["from"], row["to"]) for row in written["steps.csv"]] == [
        ("2016-04-01", "2016-04-01"),
        ("2016-04-01", ""),
    ]
    assert [(row["participant"], row["step"], row["from"], row["to"]) for row in written["pauses.csv"]] == [
        ("p1", "outreach", "2016-04-10", "2016-04-12"),
        ("p1", "outreach", "2016-04-20", ""),
    ]
    (answer,) = written["assessments.csv"]
    assert (answer["participant"], answer["item"], answer["value"]) == ("p1", "work_ability", "6")


def test_a_key_that_a_later_version_left_out_stands_as_what_it_has_become(
    written: dict[str, list[dict[str, str]]],
) -> None:
    areas = [written[f"{name}.csv"][0]["area"] for name in ("sessions", "encounters", "participants")]
    assert areas == ["sampola"] * 3
    assert (written["sessions.csv"][0]["activity"], written["outcomes.csv"][0]["outcome"]) == ("duuniin", "education")
    assert {row["step"] for row in written["steps.csv"]} == {"outreach"}
    assert written["exits.csv"][0]["next"] == "ready_plan;education"


def test_people_stand_as_they_are_and_no_name_is_a_formula(written: dict[str, list[dict[str, str]]]) -> None:
    (person,), (leaving,) = written["participants.csv"], written["exits.csv"]
    assert (person["given_name"], person["interpreter"], person["start_date"]) == ("'=HYPERLINK(1)", "no", "2016-02-01")
    assert (person["protected_address"], person["paid_by_project"]) == ("no", "no")
    assert (leaving["results"], leaving["next"]) == ("education;employment", "ready_plan;education")


def test_a_visitor_whom_nothing_leads_to_any_more_goes_by_their_ref_so_that_the_set_can_be_read_back(
    tmp_path: Path,
) -> None:
    made = CsvArchive(PROGRAMME, "leader", {ANNA: "p1", GONE: "p2"})
    made.write(tmp_path, {ANNA: {"standing": "visitor"}, GONE: {"standing": "visitor", "token": "Nalle"}})
    rows = csv.DictReader((tmp_path / "participants.csv").open(encoding="utf-8"))
    assert [(row["ref"], row["token"]) for row in rows] == [("p1", "p1"), ("p2", "Nalle")]


def test_an_exit_after_which_somebody_came_back_is_told_beside_the_one_that_holds(tmp_path: Path) -> None:
    made = CsvArchive(PROGRAMME, "leader", {ANNA: "p1"})
    for day, reason in (("2016-05-01", "moved"), ("2016-05-02", "interrupted")):  # the second corrects the first
        made.take(ParticipationEnded(ANNA, reason=reason, occurred_on=day, results=["education"]))
    made.take(ParticipationResumed(ANNA, occurred_on="2016-06-01"))
    made.take(ParticipationEnded(ANNA, reason="completed", occurred_on="2016-09-01"))
    made.write(tmp_path, {ANNA: {"ended_on": "2016-09-01", "end_reason": "completed", "end_results": None}})
    rows = list(csv.DictReader((tmp_path / "exits.csv").open(encoding="utf-8")))
    told = [(row["date"], row["reason"], row["results"], row["back"]) for row in rows]
    assert told == [("2016-05-02", "interrupted", "education", "2016-06-01"), ("2016-09-01", "completed", "", "")]


def test_a_worklist_that_was_filled_in_wrongly_is_refused_by_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "worklist.csv"
    for text, field in (
        ("what,item\n", "--reasons"),
        (",".join(HEADER) + "\nexit,x\n", "--reasons, line 2"),
        (",".join(HEADER) + "\nexit,x,,,completed,1.9.2016\n", "--reasons, line 2"),
        ("\xff", "--reasons"),
    ):
        file.write_text(text, encoding="latin-1")
        with pytest.raises(InvalidInput) as refused:
            _read(file)
        assert refused.value.params["field"] == field
    known = [Open("exit", ANNA, "2016-02-01"), Open("period", "year", "2016-12-31")]
    known.append(Open("period", "first", "2015-12-31", over=True))
    for reason, field in (
        (Reason("exit", ANNA, "completed"), "row 1, day"),
        (Reason("exit", ANNA, "not_over"), "row 1, reason"),
        (Reason("exit", GONE, "completed", "2016-09-01"), "row 1, item"),
        (Reason("dog", "", "completed"), "row 1, reason"),
        (Reason("period", "first", "not_over"), "row 1, reason"),
    ):
        with pytest.raises(InvalidInput) as refused:
            check([reason], known)
        assert refused.value.params["field"] == field
    check([Reason("exit", ANNA, "completed", "2016-09-01"), Reason("period", "year", "not_over")], known)


def test_who_was_informed_is_told_by_notice_language_and_consents() -> None:
    made = {"programme": "lahde-mukaan", "language": "so"}
    told = [
        made | {"informed": "b0", "notice": 2, "consents": "measurement support", "occurred_on": "2016-05-01"},
        made | {"informed": "a0", "notice": 1, "consents": "", "occurred_on": "2016-02-01"},
    ]
    people = {ANNA: {"informed": told}, GONE: {"informed": []}}
    assert list(informed_rows({ANNA: "p1", GONE: "p2"}, people)) == [
        ["p1", 1, "so", [], "2016-02-01"],
        ["p1", 2, "so", ["measurement", "support"], "2016-05-01"],
    ]
