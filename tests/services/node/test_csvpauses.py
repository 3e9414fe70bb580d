"""pauses.csv."""

from pathlib import Path
from typing import Any

import pytest

from services.node.csvset import check_set
from services.node.importing import Import
from shared.programmes import parse
from tests.services.node.sets import OWN, PAUSE, STEP, STEPPED, write_set

PROGRAMMES = {"lahde-mukaan": parse(STEPPED)}
WHO = "a5" * 16


class Services:
    """Makes one thing of each item, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[dict[str, Any]]]] = []

    def call(self, _service: str, method: str, /, *, items: list[dict[str, Any]], **_: Any) -> Any:
        self.asked.append((method, items))
        made = dict.fromkeys(("subject", "session", "attendance", "stay", "pause"), WHO)
        return {"pos": 1, "results": [made | {"new": True} for _ in items]}


def test_times_away_are_imported_after_the_steps_they_lie_in(tmp_path: Path) -> None:
    folder = write_set(tmp_path, steps=[STEP], pauses=[PAUSE | {"to": "2016-03-20"}, PAUSE, PAUSE])
    checked = check_set(folder, PROGRAMMES, {"lahde-mukaan": OWN})
    assert checked.problem_lines() == []
    services = Services()
    bringing = Import(services, bytes.fromhex("09" + "00" * 31))
    bringing.run(checked)
    assert [method for method, _ in services.asked][-2:] == ["record_steps", "record_pauses"]
    (_, steps), (_, pauses) = services.asked[-2:]
    assert [{name: one.get(name) for name in ("subject", "step", "paused_on", "resumed_on")} for one in pauses] == [
        {"subject": WHO, "step": "outreach", "paused_on": "2016-03-10", "resumed_on": "2016-03-20"},
        *[{"subject": WHO, "step": "outreach", "paused_on": "2016-03-10", "resumed_on": None}] * 2,
    ]
    assert len({one["key"] for one in (*steps, *pauses)}) == 4, "a step and a pause of the same days are two things"
    assert bringing.new["pauses.csv"] == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"step": "network"}, 'column step: "network" is a service_system step, which people never enter'),
        ({"to": "2016-03-09"}, 'column to: "2016-03-09" is before the day in from'),
        ({"from": "2018-01-01"}, 'column from: "2018-01-01" lies outside the programme\'s period'),
        ({"participant": "p9"}, "column participant: no row of participants.csv has this ref"),
    ],
)
def test_a_pause_that_cannot_be_is_a_problem(tmp_path: Path, change: dict[str, str], says: str) -> None:
    checked = check_set(write_set(tmp_path, steps=[STEP], pauses=[PAUSE | change]), PROGRAMMES)
    assert checked.problem_lines() == [f"pauses.csv, line 2, {says}"]
