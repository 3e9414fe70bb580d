"""The workflow parts of a programme file: read as values, and every way they can be wrong, with the line."""

from datetime import date
from pathlib import Path

import pytest

from shared.programmes import Condition, ReportingPeriod, check_file, load_file, parse
from shared.programmes.checking import SCHEMA_FILE

LAHDE = (SCHEMA_FILE.parent / "lahde-mukaan.yaml").read_text(encoding="utf-8")
PARTS = """\
steps:
  - key: outreach
    name: {fi: Etsivä työ}
    level: individual
    work_area: work
  - key: network
    name: {fi: Verkosto}
    level: service_system
"""
TALK = """\
  - key: talk
    name: {fi: Keskustele}
    opens: {on: step_entered, step: outreach}
    due_days: 7
    closes: {on: conversation_held}
    repeats_days: 23
    owner: coordinator
  - key: action
    name: {fi: Sovittu asia}
    opens: {on: action_agreed}
    due_days: 14
"""
GOOD = LAHDE.replace("# In the order the page tells them.\n", PARTS).replace("\ngroups:\n", TALK + "\ngroups:\n", 1)


def problems(tmp_path: Path, text: str) -> list[tuple[str, str, int]]:
    """Path, reason and line."""
    path = tmp_path / "lahde-mukaan.yaml"
    path.write_text(text, encoding="utf-8")
    return [(p.path, p.reason, p.line) for p in check_file(path)]


def test_parts_are_read_as_values(tmp_path: Path) -> None:
    path = tmp_path / "lahde-mukaan.yaml"
    path.write_text(GOOD, encoding="utf-8")
    programme = parse(load_file(path))
    assert [(s.key, s.level, s.work_area) for s in programme.steps] == [
        ("outreach", "individual", "work"),
        ("network", "service_system", None),
    ]
    assert programme.periods == (
        ReportingPeriod("whole_project", programme.periods[0].name, date(2015, 5, 1), date(2017, 5, 31)),
    )
    ask, talk, action = programme.tasks
    assert (ask.opens, ask.repeats_days, ask.owner, ask.one_each) == (
        Condition("attendance_recorded", {"activity": "duuniin"}), None, "case_worker", False
    )  # fmt: skip
    assert (talk.closes, talk.due_days, talk.repeats_days, talk.owner) == (
        Condition("conversation_held", {}), 7, 23, "coordinator"
    )  # fmt: skip
    assert (action.closes, action.one_each) == (None, True)
    assert [rule.after_leaving for rule in programme.tasks] == [True, False, False], (
        "as the file says; no if it is silent"
    )
    assert programme.outcome_by_key["education"].activity == "duuniin"


BROKEN = {
    # what: (text taken out, text put in, path, part of the reason)
    "unknown area of work": ("work_area: work\n", "work_area: wrok\n", "steps[0].work_area", "did you mean work?"),
    "unknown level": ("level: individual", "level: personal", "steps[0].level", "must be one of individual"),
    "step without a level": ("    level: service_system\n", "", "steps[1]", '"level" is missing'),
    "step twice": ("- key: network", "- key: outreach", "steps[1].key", "twice"),
    "outcome of no activity": (
        "activity: duuniin\n    name: {fi: Työk",
        "activity: dunin\n    name: {fi: Työk",
        "outcomes[5].activity",
        "did you mean duuniin?",
    ),
    "outcome where heads are counted": (
        "activity: duuniin\n    name: {fi: Työk",
        "activity: info_session\n    name: {fi: Työk",
        "outcomes[5].activity",
        "counts heads",
    ),
    "outcome twice": ("- key: work_trial", "- key: education", "outcomes[5].key", "twice"),
    "period that ends first": (
        "    end: 2017-05-31\n\n# Ours",
        "    end: 2015-04-30\n\n# Ours",
        "periods[0].end",
        "before it starts",
    ),
    "period before the project": (
        "Hela projektet, en: The whole project}\n    start: 2015-05-01",
        "Hela projektet, en: The whole project}\n    start: 2015-04-30",
        "periods[0].start",
        "first day",
    ),
    "period after the project": (
        "    end: 2017-05-31\n\n# Ours",
        "    end: 2017-06-01\n\n# Ours",
        "periods[0].end",
        "last day",
    ),
    "unknown fact": ("{on: action_agreed}", "{on: action_done}", "tasks[2].opens.on", "must be one of"),
    "narrowed by another fact's code": (
        "on: conversation_held}",
        "on: conversation_held, step: outreach}",
        "tasks[1].closes.step",
        "narrowed by nothing",
    ),
    "narrowed by one it has not": (
        "on: step_entered, step: outreach",
        "on: step_entered, activity: duuniin",
        "tasks[1].opens.activity",
        "only by step",
    ),
    "closed by an instrument that the project does not use": (
        "closes: {on: conversation_held}",
        "closes: {on: answers_recorded, instrument: four_items, occasion: baseline}",
        "tasks[1].closes.instrument",
        "no key in instruments",
    ),
    "unknown step in a rule": ("step: outreach}", "step: outrech}", "tasks[1].opens.step", "did you mean outreach?"),
    "people on a community step": (
        "step: outreach}",
        "step: network}",
        "tasks[1].opens.step",
        "never entered by people",
    ),
    "attendance where heads are counted": (
        "opens: {on: attendance_recorded, activity: duuniin}",
        "opens: {on: attendance_recorded, activity: info_session}",
        "tasks[0].opens.activity",
        "counts heads",
    ),
    "outcome of another activity": (
        "closes: {on: outcome_recorded, activity: duuniin}",
        "closes: {on: outcome_recorded, activity: kaapeli, outcome: education}",
        "tasks[0].closes.outcome",
        "an outcome of duuniin",
    ),
    "closed by what opens it": (
        "closes: {on: conversation_held}",
        "closes: {on: step_entered}",
        "tasks[1].closes",
        "repeats_days",
    ),
    "an action that a fact closes": (
        "    opens: {on: action_agreed}\n    due_days: 14\n",
        "    opens: {on: action_agreed}\n    due_days: 14\n    closes: {on: step_left}\n",
        "tasks[2].closes",
        "only a worker",
    ),
    "an action that repeats": (
        "    opens: {on: action_agreed}\n    due_days: 14\n",
        "    opens: {on: action_agreed}\n    due_days: 14\n    repeats_days: 3\n",
        "tasks[2].repeats_days",
        "cannot repeat",
    ),
    "repeating every 0 days": ("repeats_days: 23", "repeats_days: 0", "tasks[1].repeats_days", "at least 1"),
    "due before it is opened": ("due_days: 7", "due_days: -1", "tasks[1].due_days", "at least 0"),
    "rule twice": ("- key: talk", "- key: ask_outcome", "tasks[1].key", "twice"),
    "unknown owner": ("owner: coordinator", "owner: boss", "tasks[1].owner", "must be one of"),
    "after leaving, neither yes nor no": (
        "owner: coordinator",
        "after_leaving: often",
        "tasks[1].after_leaving",
        "true or false",
    ),
    "after leaving what leaving opens": (
        "    opens: {on: action_agreed}\n",
        "    opens: {on: eura_entered, record: exit}\n    after_leaving: true\n",
        "tasks[2].after_leaving",
        "leave it out",
    ),
    "figure of no outcome": (
        "{outcome: education,",
        "{outcome: eduction,",
        "figures.outcomes[0].outcome",
        "education?",
    ),
    "figure twice": ("{outcome: work_trial,", "{outcome: education,", "figures.outcomes[5].outcome", "already"),
    "more outcomes than people": (
        "{outcome: apprenticeship, people: 2}",
        "{outcome: apprenticeship, people: 4}",
        "figures.outcomes[6].people",
        "more people",
    ),
    "fewer talks than people": (
        "sessions: 145",
        "sessions: 28",
        "figures.groups[4].sessions",
        "fewer than participants",
    ),
    "made up, but absent": (
        "illustrative: [sessions]",
        "illustrative: [heads]",
        "figures.groups[4].illustrative[0]",
        "no heads",
    ),
    "outcomes of one of several activities": (
        "    group: individual_coaching\n    kind: individual",
        "    group: community_coaching\n    kind: individual",
        "figures.outcomes[0].outcome",
        "not the only one",
    ),
}
ELSEWHERE = "outcomes of one of several activities"
"""Blamed where the figure stands, not where the activity was changed."""


def test_the_file_that_is_broken_below_is_right(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []


@pytest.mark.parametrize("what", BROKEN)
def test_each_mistake_is_told_with_its_line(what: str, tmp_path: Path) -> None:
    old, new, path, reason = BROKEN[what]
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new, 1))
    lines = [line for at, why, line in found if at == path and reason in why]
    assert lines, found
    first = GOOD[: GOOD.index(old)].count("\n") + 1
    # What is missing is blamed on the item that it is missing from, up to three lines above.
    assert what == ELSEWHERE or first - (3 if "missing" in reason else 0) <= lines[0] <= first + max(
        old.count("\n"), new.count("\n")
    )


def test_two_facts_that_differ_by_a_code_may_open_and_close_a_task(tmp_path: Path) -> None:
    text = GOOD.replace(
        "closes: {on: outcome_recorded, activity: duuniin}", "closes: {on: attendance_recorded, activity: kaapeli}"
    )
    assert problems(tmp_path, text) == []
