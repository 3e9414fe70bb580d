"""Assessments through a running node: imported, their scores at the lead, and checked by `polku score --check`."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from services.measurement import store as measurement
from services.node.control import connect
from services.node.opening import open_database
from services.reporting import store as reporting
from shared.contracts.errors import PolkuError, UnknownInstrument
from shared.ops.settings import load_home
from shared.testing.wait import until
from tests.flows.kit import Pair, Site, joined_pair
from tests.services import kit
from tests.services.kit import KEY, key_of
from tests.services.node.commands import Done, run
from tests.services.node.sets import ANSWER, PERSON, SESSION, write_set

ITEMS = ("work_ability", "functioning", "life_satisfaction")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with joined_pair(tmp_path_factory.mktemp("pair")) as made:
        yield made


def bring(pair: Pair, folder: Path, *rows: dict[str, str]) -> Done:
    write_set(folder, [PERSON | {"given_name": "Synteettinen-1"}], [SESSION], [], assessments=rows)
    return run("import", folder, home=pair.node.path)


def database(site: Site) -> Any:
    return open_database(load_home(site.path))


def scores(site: Site, table: Any) -> list[tuple[str, str, str | None]]:
    rows = kit.rows(database(site), table)
    return sorted((row["assessment"].hex(), row["scale"], row["score"]) for row in rows)


@pytest.fixture(scope="module")
def imported(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of the one person's assessment; another form names nobody."""
    forms = [ANSWER | {"item": item, "value": value} for item, value in zip(ITEMS, ("6", "", "10"), strict=True)]
    nobody = ANSWER | {"participant": "", "session": "s1", "sheet": "anon", "value": "3"}
    done = bring(pair, tmp_path_factory.mktemp("csv"), *forms, nobody)
    assert (done.code, "assessments.csv: 2 new, 0 already there" in done.err) == (0, True), done.err
    found = kit.rows(database(pair.node), measurement.assessment)
    return str(next(row["assessment"].hex() for row in found if row["subject"] is not None))


def test_scores_reach_the_lead_and_answers_do_not(pair: Pair, imported: str) -> None:
    mine = [row for row in scores(pair.node, measurement.score) if row[0] == imported]
    assert mine == [
        (imported, "functioning", None),
        (imported, "life_satisfaction", "10"),
        (imported, "work_ability", "6"),
    ]
    until(lambda: scores(pair.lead, reporting.score) == mine, 60)
    until(lambda: len(kit.rows(database(pair.lead), reporting.sheet)) == 1, 60)
    found = kit.lines(database(pair.node))
    shipped = [line.kind for line in found if line.stream.endswith(f"/{KEY}") and line.kind.startswith("measurement")]
    assert sorted(set(shipped)) == ["measurement.anonymous_sheet_recorded", "measurement.score_computed"]
    assert b"answers_recorded" not in kit.stored_bytes(database(pair.lead))


def test_importing_again_adds_nothing_and_other_content_is_told(pair: Pair, imported: str, tmp_path: Path) -> None:
    before = kit.heads(database(pair.node))
    done = bring(pair, tmp_path, *(ANSWER | {"item": item, "value": "1"} for item in ITEMS))
    assert (done.code, "assessments.csv, line 2" in done.err, "already imported, differs" in done.err) == (
        2,
        True,
        True,
    )
    assert kit.heads(database(pair.node)) == before


def test_a_command_with_an_unknown_instrument_comes_back_as_that_error(pair: Pair) -> None:
    client = connect(load_home(pair.node.path).socket)
    assert client is not None
    with closing(client):
        item = {"key": key_of("x"), "instrument": "moods", "version": "1", "occasion": "exit", "date": "2016-03-01"}
        answer = client.call(
            "measurement", "record_assessments", by="x", programme=KEY, items=[item | {"answers": {}}], skip_bad=True
        )
    assert isinstance(PolkuError.from_wire(answer["results"][0]["error"]), UnknownInstrument)


def test_score_check_says_how_much_was_checked_and_names_what_was_changed(pair: Pair, imported: str) -> None:
    done = run("score", "--check", home=pair.node.path)
    assert (done.code, done.out) == (0, "6 scores of 2 assessments checked, 0 different\n")

    def write(value: str) -> None:
        with closing(sqlite3.connect(pair.node.path / "node.db", timeout=20)) as connection:
            where = "WHERE assessment = ? AND scale = 'work_ability'"
            connection.execute(f"UPDATE measurement_score SET score = ? {where}", (value, bytes.fromhex(imported)))
            connection.commit()

    write("9")
    try:
        done = run("score", "--check", home=pair.node.path)
        assert done.code == 1
        assert f"{imported}  work_ability  stored 9  computed 6" in done.out
        done = run("score", "--check", "--json", home=pair.node.path)
        assert done.code == 1
        named = {"assessment": imported, "scale": "work_ability", "stored": "9", "computed": "6", "reason": "differs"}
        assert json.loads(done.out) == {"assessments": 2, "scores": 6, "different": [named]}
    finally:
        write("6")


def test_on_a_lead_there_is_nothing_to_check(pair: Pair) -> None:
    done = run("score", "--check", home=pair.lead.path)
    assert (done.code, done.out.startswith("nothing to check")) == (0, True)
    assert run("score", "--check", "--json", home=pair.lead.path).code == 0


def test_score_asks_for_what_it_can_do() -> None:
    done = run("score")
    assert (done.code, "--check" in done.error) == (2, True)
