"""A sixth project, invented, written from CONTRIBUTING.md and the schema alone; and every way it can be wrong."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.programmes import check_file, load_file, parse

SIXTH = Path(__file__).with_name("rannan-tuvat.yaml")
GOOD = SIXTH.read_text(encoding="utf-8")
CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"


def instead(old: str, new: str, which: int = 0) -> Callable[[str], str]:
    """Other text in the place of the first, or a later, `old`."""

    def change(text: str) -> str:
        parts = text.split(old)
        assert len(parts) > which + 1, old
        return old.join(parts[: which + 1]) + new + old.join(parts[which + 1 :])

    return change


BROKEN: dict[str, tuple[Callable[[str], str], str, str]] = {
    # what: (change, text of the line that is blamed, part of the reason)
    "people on a community step": (
        instead("opens: {on: step_left, step: own_boat}", "opens: {on: step_entered, step: shore_folk}"),
        "opens: {on: step_entered, step: shore_folk}",
        "a community step is never entered by people",
    ),
    "people who are recognised by a code that is not asked": (
        lambda text: instead("basis: name_birth_date", "basis: identity_code")(text) + "identity_code: not_asked\n",
        "basis: identity_code",
        "a code that is not asked",
    ),
    "a service-system step that people are alone on": (
        instead("level: community", "level: service_system\n    alone: true"),
        "alone: true",
        "a service_system step is never entered by people",
    ),
    "a community step with a condition for people": (
        instead("level: community", "level: community\n    enter_when: [{on: conversation_held}]"),
        "enter_when: [{on: conv",
        "a community step is never entered by people",
    ),
    "a step that waits for itself": (
        instead("{on: step_left, step: arrival}", "{on: step_left, step: own_boat}"),
        "- {on: step_left, step: own_boat}",
        "would wait for itself",
    ),
    "steps that wait for each other": (
        instead("    complete_when:", "    enter_when: [{on: step_entered, step: own_boat}]\n    complete_when:"),
        "enter_when: [{on: step_entered",
        "wait for this one",
    ),
    "a step that is entered by a condition that it has not": (
        instead("level: individual", "level: individual\n    entry: conditional"),
        "entry: conditional",
        "there is no enter_when",
    ),
    "an individual step that sessions advance": (
        instead("level: individual", "level: individual\n    advanced_by: [nets]"),
        "advanced_by: [nets]",
        "nothing else advances it",
    ),
    "a key that stands still and is mapped": (
        lambda text: text + "mapping:\n  - {list: steps, key: arrival, becomes: own_boat}\n",
        "- {list: steps, key: arrival",
        "stands in steps still",
    ),
    "a key that becomes nothing of its list": (
        lambda text: text + "mapping:\n  - {list: steps, key: earlier, becomes: nowhere}\n",
        "- {list: steps, key: earlier",
        "is no key in steps",
    ),
    "a key that is mapped twice": (
        lambda text: (
            text
            + "mapping:\n  - {list: steps, key: e, becomes: own_boat}\n  - {list: steps, key: e, becomes: arrival}\n"
        ),
        "becomes: arrival}",
        "is mapped already",
    ),
    "a condition with a word that its fact has not": (
        instead("{on: standing_reached, standing: client}", "{on: standing_reached, step: arrival}"),
        "{on: standing_reached, step: arrival}",
        "can be narrowed only by standing",
    ),
    "a condition of a fact that there is not": (
        instead("on: attendance_recorded", "on: attendence_recorded"),
        "attendence_recorded",
        "did you mean attendance_recorded?",
    ),
    "a condition on attendance where heads are counted": (
        instead("activity: net_group}", "activity: open_day}"),
        "activity: open_day}",
        "nobody's attendance is recorded",
    ),
    "somebody who left and is asked again and again": (
        instead("opens: {on: step_left, step: own_boat}", "opens: {on: participation_ended}\n    repeats_days: 9"),
        "repeats_days: 9",
        "somebody leaves once",
    ),
    "a form asked for in vain that was had": (
        instead("opens: {on: step_left, step: own_boat}", "opens: {on: record_attempted, status: reached}"),
        "opens: {on: record_attempted, status: reached}",
        "refused or not_reached",
    ),
    "what was promised, done by something else": (
        instead("opens: {on: step_left, step: own_boat}", "opens: {on: plan_action, who: worker}"),
        "closes: {on: outcome_recorded}",
        "leave closes out",
    ),
    "a step that waits for a form": (
        instead("{on: step_left, step: arrival}", "{on: exit_form_recorded}"),
        "- {on: exit_form_recorded}",
        "only a task may wait for it",
    ),
    "alone that is no yes or no": (instead("alone: true", "alone: yes"), "alone: yes", "must be true or false"),
    "a wrong business id": (instead("0000001-9", "0000001-8"), "0000001-8", "wrong check digit"),
    "a business id without its dash": (instead("0000001-9", '"00000019"'), "00000019", "seven digits, a dash"),
    "ESF participants at an info session": (
        instead(
            "kind: group\n    name: {fi: Verkkoryhmä}\n    standing: client",
            "kind: info_session\n    name: {fi: Verkkoryhmä}\n    standing: esf_participant",
        ),
        "standing: esf_participant",
        "nobody is an ESF participant by coming to info_session",
    ),
    "ESF participants at a public event": (
        instead(
            "kind: group\n    name: {fi: Verkkoryhmä}\n    standing: client",
            "kind: public_event\n    name: {fi: Verkkoryhmä}\n    standing: esf_participant",
        ),
        "standing: esf_participant",
        "nobody is an ESF participant by coming to public_event",
    ),
    "one legal entity with two names": (
        instead("    name: {sv: Hamnföreningen}", "    name: {sv: Hamnen}\n    organisation: {business_id: 0000001-9}"),
        "organisation: {business_id",
        "one legal entity has one name",
    ),
    "a logo of nobody": (instead("[harbour, village]", "[harbor, village]"), "logos:", "did you mean harbour?"),
    "a logo twice": (instead("[harbour, village]", "[harbour, harbour]"), "logos:", "twice"),
    "a barrier with a solution that is not there": (
        instead("[shared_ride]", "[share_ride]"),
        "[share_ride]",
        "did you mean shared_ride?",
    ),
    "a solution of nothing": (
        instead("    solutions: [shared_ride]\n", ""),
        "- key: shared_ride",
        "answers no barrier",
    ),
    "a barrier twice": (instead("- key: darkness", "- key: distance"), "- key: distance", "stands in this list twice"),
    "a strength without a name": (instead("{fi: Kädentaidot}", "{}"), "name: {}", "must not be empty"),
    "a target of no indicator": (
        instead("indicator: started, planned: 24", "indicator: start, planned: 24"),
        "planned: 24",
        "no key in indicators",
    ),
    "two targets from one day": (
        instead("2024-03-01, decided", "2023-03-01, decided"),
        "planned: 24",
        "another row from the same day",
    ),
    "a target after the project's end": (
        instead("2024-03-01, decided", "2025-03-01, decided"),
        "planned: 24",
        "after the project's last day",
    ),
    "more women than people": (instead("women: 15", "women: 31"), "women: 31", "more women than planned"),
    "a target below nothing": (instead("planned: 24", "planned: -1"), "planned: -1", "must be at least 0"),
    "a decision on no day": (instead("2024-02-20", "2024-02-30"), "2024-02-30", "no day of the calendar"),
    "a sum with cents": (instead("planned: 80000", "planned: 80000.50"), "80000.50", "must be a whole number"),
    "a total below what it includes": (
        instead("planned: 80000", "planned: 120000"),
        "planned: 120000",
        "is less than what it includes",
    ),
    "a total that includes itself": (
        instead("includes: [esf]", "includes: [everything]"),
        "includes: [everything]",
        "includes itself",
    ),
    "a source called by another word": (
        instead("planned_is: granted", "planned_is: given"),
        "planned_is: given",
        "must be one of granted, planned",
    ),
    "a budget of no source": (
        instead("source: esf, planned", "source: esr, planned"),
        "source: esr",
        "did you mean esf?",
    ),
    "a form where participants enter their own data": (
        instead("followup:", "forms:\n  - {key: paper, name: {fi: Paperi}, when: start}\nfollowup:"),
        "forms:",
        "has no forms",
    ),
    "follow-up on the day of leaving": (instead("after_days: 180", "after_days: 0"), "after_days: 0", "at least 1"),
    "an instrument due when it is not asked": (
        instead("{occasion: interim, days: 90}", "{occasion: exit, days: 90}"),
        "occasion: exit",
        "none of its occasions",
    ),
    "an instrument due twice at the beginning": (
        instead("{occasion: interim, days: 90}", "{occasion: baseline, days: 90}"),
        "days: 90}",
        "already",
    ),
    "an instrument that this release has not": (
        instead("three_items", "four_items"),
        "four_items",
        "no such instrument",
    ),
    "women where heads are counted": (
        instead("heads: 90", "heads: 90, women: 50"),
        "women: 50",
        "only of participants",
    ),
    "a figure of an indicator twice": (
        instead("realised: 12, women: 7}", "realised: 12, women: 7}\n    - {indicator: started, realised: 1}"),
        "realised: 1}",
        "has a figure already",
    ),
    "a figure of money that came from nowhere": (
        instead("source: esf, realised", "source: own, realised"),
        "source: own",
        "no key in funding",
    ),
    "a word in the place of a list's item": (
        instead("barriers:\n", "barriers:\n  - cold\n"),
        "- cold",
        "must be a mapping",
    ),
    "a code as a key": (
        instead("indicators:\n", "indicators:\n  started: 30\nother:\n"),
        "indicators:",
        "must be a list",
    ),
    "a word of a later release": (instead("followup:\n", "follow_up:\n"), "follow_up:", "did you mean followup?"),
}


def test_the_sixth_project_has_no_problem() -> None:
    assert check_file(SIXTH) == []
    programme = parse(load_file(SIXTH))
    assert [step.key for step in programme.steps if step.alone] == ["own_boat"]
    assert programme.partner_by_key["harbour"].name == {"sv": "Hamnföreningen"}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_project_gives_its_error_with_the_line(what: str, tmp_path: Path) -> None:
    change, blamed, reason = BROKEN[what]
    path, text = tmp_path / SIXTH.name, change(GOOD)
    path.write_text(text, encoding="utf-8")
    found = [(text.splitlines()[problem.line - 1], problem.reason) for problem in check_file(path)]
    assert any(blamed in line and reason in said for line, said in found), found


def test_a_step_that_only_leads_to_a_ring_is_not_blamed_for_it(tmp_path: Path) -> None:
    ring = "    enter_when: [{on: step_entered, step: shed}]\n"
    more = "  - key: shed\n    name: {fi: Vaja}\n    level: individual\n"
    more += "    enter_when: [{on: step_entered, step: pier}]\n"
    pier = "  - key: pier\n    name: {fi: Laituri}\n    level: individual\n" + ring
    text = GOOD.replace("    complete_when:\n", ring + "    complete_when:\n", 1).replace(
        "outcomes:\n", more + pier + "outcomes:\n", 1
    )
    path = tmp_path / SIXTH.name
    path.write_text(text, encoding="utf-8")
    assert [(p.path, p.reason) for p in check_file(path)] == [
        ("steps[3].enter_when", "waits for steps that wait for this one")
    ]


def test_there_are_thirty_ways_and_more() -> None:
    assert len(BROKEN) >= 30
    assert len({change(GOOD) for change, _, _ in BROKEN.values()}) == len(BROKEN)


def test_the_project_in_contributing_is_a_whole_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", CONTRIBUTING.read_text(encoding="utf-8"), re.S)
    path = tmp_path / "metsan-reuna.yaml"
    path.write_text(example, encoding="utf-8")
    assert check_file(path) == []
    assert parse(load_file(path)).figures is not None
