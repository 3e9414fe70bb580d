"""Lines that a lead drew become people with their evidence, on their own node alone."""

from datetime import date
from typing import Any

from sqlalchemy import Engine

from services.intake import encounters, operations, samples
from services.intake.encounter_rules import Encounter, NewEncounter
from shared.contracts.catalogue import OutcomeRecorded, StepEntered
from shared.contracts.mistake_facts import OutcomeRemoved, StepRemoved
from shared.journal import Journal
from tests.services import kit
from tests.services.intake.kit import KEYS, arrival, register


def test_a_line_becomes_the_person_one_erased_or_unknown_says_so(engine: Engine, journal: Journal) -> None:
    def show(*lines: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        return samples.show_sample(journal, KEYS, kit.KEY, lines, by="boss", now=kit.NOW)

    subjects = [str(register(journal, arrival(name))[0][0]["subject"]) for name in ("a", "b")]
    lines = {line.subject: line.seq for line in kit.lines(engine) if line.kind.endswith("participation_started")}
    first, second = (lines[subject] for subject in subjects)
    (coded, named), (gone, nobody) = show(first, 1)
    assert (coded["state"], coded["start"]["person"], coded["exit"]["ended"]) == ("found", subjects[0], None)
    assert named["form_kept"] == "kaapissa-kolme"
    assert (gone, nobody) == ({"line": 1, "state": "unknown"}, {}), "a standing is no start record"
    assert [entry["action"] for entry in kit.audit(engine)][-2:] == ["read_identities", "read_identities"]
    operations.erase_person(journal, kit.KEY, subjects[1], by="worker", now=kit.NOW)
    assert [coded["state"] for coded, _ in show(second, 10**9, first)] == ["erased", "unknown", "found"]


def test_an_encounter_is_shown_as_it_was_written_down_until_it_is_taken_back(engine: Engine, journal: Journal) -> None:
    def show() -> tuple[dict[str, Any], dict[str, Any]]:
        return samples.show_sample(journal, KEYS, kit.KEY, [1], by="boss", now=kit.NOW)[0]

    content = Encounter(date(2016, 3, 1), None, None, "sampola", None, 3, None, None, (), (), ())
    new, common = NewEncounter(kit.key_of("e"), content, ()), {"by": "worker", "now": kit.NOW}
    made = encounters.record_encounters(journal, KEYS, kit.KEY, [new], **common)[0][0]["encounter"]
    (coded, named), body = show(), kit.lines(engine)[0].body
    assert (coded["state"], coded["kind"], coded["body"], named) == ("found", "intake.encounter_recorded", body, {})
    assert coded["body"]["people_new"] == 3
    encounters.remove_encounter(journal, kit.KEY, made, revision=0, **common)
    assert show() == ({"line": 1, "state": "erased"}, {})


def test_what_was_drawn_and_taken_back_since_is_nobodys(engine: Engine, journal: Journal) -> None:
    subject = str(register(journal, arrival("a"))[0][0]["subject"])
    became = [OutcomeRecorded(subject, **OutcomeRecorded.example | {"outcome_id": made * 16}) for made in ("ab", "cd")]
    entered = StepEntered(subject, step="outreach", occurred_on="2016-03-01")
    wrong = StepRemoved(subject, step="outreach", entered_on="2016-03-01")
    for fact in (*became, entered, entered, OutcomeRemoved(subject, outcome_id="ab" * 16), wrong, entered):
        with journal.unit(kit.NOW) as unit:
            unit.record(fact, kit.KEY)
    lines = [line.seq for line in kit.lines(engine) if line.kind in (OutcomeRecorded.kind, StepEntered.kind)]
    shown = samples.show_sample(journal, KEYS, kit.KEY, lines, by="boss", now=kit.NOW)
    assert [coded["state"] for coded, _ in shown] == ["removed", "found", "found", "removed", "found"]
    assert not shown[0][1], "nobody is named"
