"""encounters.csv: rows are typed, each flaw has file, line and column, and no nickname is shown."""

import copy
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from services.node.csvrows import COLUMNS, ENCOUNTERS
from services.node.csvset import CheckedSet, check_set
from services.node.synth import synthesize
from shared.programmes import load_file, parse
from shared.programmes.checking import SCHEMA_FILE
from tests.services.node.sets import ENCOUNTER, LAHDE, OTHER, OWN, read

GUIDED = parse(copy.deepcopy(LAHDE) | {"services": [{"key": "debt_advice", "name": {"fi": "Velkaneuvonta"}}]})


def check(folder: Path, *rows: dict[str, str]) -> CheckedSet:
    """A set of this file alone."""
    lines = [",".join(COLUMNS[ENCOUNTERS])]
    lines += [",".join(row.get(column, "") for column in COLUMNS[ENCOUNTERS]) for row in rows]
    (folder / ENCOUNTERS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return check_set(folder, {"lahde-mukaan": GUIDED}, {"lahde-mukaan": OWN})


def test_a_row_is_typed_and_empty_is_not_recorded(tmp_path: Path) -> None:
    least = {name: ENCOUNTER[name] for name in ("programme", "partner", "date")} | {"ref": "c2"}
    other = ENCOUNTER | {"ref": "c3", "partner": OTHER}
    checked = check(
        tmp_path, ENCOUNTER | {"guided_to": "debt_advice"}, least, other, ENCOUNTER | {"guided_to": "debt_advice"}
    )
    assert checked.problem_lines() == []
    full, empty = checked.encounters()
    assert (full.date, full.time, full.staff) == (date(2016, 3, 1), time(19, 30), 2)
    assert (full.people_new, full.people_known, full.women) == (3, 5, 4)
    assert (full.topics, full.guided_to, full.token) == (
        ("finances", "health"),
        ("debt_advice",),
        ("Nalle", "sinikettu 7"),
    )
    assert (empty.time, empty.people_new, empty.women, empty.topics, empty.token) == (None, None, None, (), ())
    assert checked.left_out["lahde-mukaan", OTHER] == {ENCOUNTERS: 1}
    assert checked.repeated == {ENCOUNTERS: 1}
    assert repr(full) == "<EncounterRow of line 2>"


CELLS: dict[str, tuple[dict[str, str], str, str]] = {
    # what: (changes, column blamed, part of the reason)
    "no ref": ({"ref": ""}, "ref", "missing"),
    "no date": ({"date": ""}, "date", "missing"),
    "after the project": ({"date": "2017-06-01"}, "date", "outside"),
    "time with a point": ({"time": "19.30"}, "time", "HH:MM"),
    "unknown location": ({"location": "street"}, "location", '"street" is no location'),
    "unknown area": ({"area": "moon"}, "area", '"moon" is no area'),
    "half a worker": ({"staff": "1.5"}, "staff", "whole number"),
    "fewer than none": ({"people_new": "-1"}, "people_new", "whole number"),
    "too many": ({"people_known": "100001"}, "people_known", "between 0 and 100000"),
    "more women than people": ({"women": "9"}, "women", "more than the 8 people"),
    "women of nobody": ({"people_new": "", "people_known": ""}, "women", "without people_new"),
    "language in words": ({"languages": "suomi"}, "languages", "ISO 639"),
    "unknown topic": ({"topics": "finances;luck"}, "topics", '"luck" is no topic'),
    "topic twice": ({"topics": "health;health"}, "topics", "twice"),
    "guided nowhere": ({"guided_to": "moon"}, "guided_to", '"moon" is no service'),
    "empty nickname": ({"token": "Nalle;;x"}, "token", "semicolons"),
    "long nickname": ({"token": "x" * 81}, "token", "longer than 80"),
    "crowd of nicknames": ({"token": ";".join(f"n{n}" for n in range(51))}, "token", "more than 50"),
    "another row's ref": ({"ref": "c1", "staff": "3"}, "ref", "another row already"),
}


@pytest.mark.parametrize("what", CELLS)
def test_bad_cell_is_reported_once_with_line_and_column(what: str, tmp_path: Path) -> None:
    changes, column, reason = CELLS[what]
    checked = check(tmp_path, ENCOUNTER, ENCOUNTER | {"ref": "c2"} | changes)
    (problem,) = checked.problems
    assert (problem.file, problem.line, problem.column) == (ENCOUNTERS, 3, column)
    assert reason in problem.reason
    assert not any(name in str(problem) for name in ("Nalle", "sinikettu", "xxx", "n50"))


@pytest.mark.parametrize("key", ["osallisuuden-askeleet", "tyollista-valittaen"])
def test_synthetic_encounters_have_the_programmes_heads_times_scale(key: str, tmp_path: Path) -> None:
    document: dict[str, Any] = load_file(SCHEMA_FILE.parent / f"{key}.yaml")
    synthesize(document, tmp_path / "a", seed=3, scale=2)
    rows, told = read(tmp_path / "a", ENCOUNTERS), document["figures"]["encounters"]
    assert len(rows) == told["encounters"] * 2
    for name in ("people_new", "people_known"):
        assert sum(int(row[name]) for row in rows) == told[name] * 2
    assert all(name.startswith("synteettinen") for row in rows for name in filter(None, row["token"].split(";")))
    assert check_set(tmp_path / "a", {key: parse(document)}).problem_lines() == []
    synthesize(document, tmp_path / "b", seed=3, scale=2)
    assert (tmp_path / "a" / ENCOUNTERS).read_bytes() == (tmp_path / "b" / ENCOUNTERS).read_bytes()
    del document["figures"]["encounters"]
    synthesize(document, tmp_path / "c", seed=3, scale=2)
    assert not (tmp_path / "c" / ENCOUNTERS).exists()
    for file in ("participants.csv", "sessions.csv", "attendance.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "c" / file).read_bytes()
