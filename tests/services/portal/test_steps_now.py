"""How steps stand, in the report, its CSV and on the project's page."""

from typing import Any

import pytest

from services.portal.names import ProgrammeNames
from services.portal.programme_page import programme_values
from services.portal.rendering import Frame, render
from services.portal.report_csv import render_report_csv
from services.portal.report_page import render_report_html
from services.portal.words import LANGS, Lang
from shared.programmes import load_file
from shared.programmes.checking import SCHEMA_FILE
from tests.services.portal.documents import report
from tests.services.portal.pages import Page, table_rows

DOCUMENT = load_file(SCHEMA_FILE.parent / "kuntsari.yaml")
NAMES = ProgrammeNames.of({"programme": DOCUMENT["key"], "name": DOCUMENT["name"], "document": DOCUMENT})
PEOPLE = {"entered": 7, "on": 3, "paused": 1, "left": 3}
STAND: list[dict[str, Any]] = [
    {"step": "light_place", "level": "individual", "participations": PEOPLE},
    {
        "step": "model",
        "level": "service_system",
        "state": "going_on",
        "sessions": 2,
        "first": "2009-03-01",
        "last": "2010-05-04",
        "products": [{"product": "ok_unioni", "state": "begun", "on": "2010-01-31"}],
    },
    {
        "step": "gone",
        "level": "community",
        "state": None,
        "sessions": None,
        "first": None,
        "last": None,
        "products": [],
    },
]


@pytest.mark.parametrize("lang", LANGS)
def test_the_project_page_tells_how_each_step_stands(lang: Lang) -> None:
    frame = Frame(home="Säätiö", path="/programme/x", user_name="anna", form_token="t")
    html = render("programme.html", lang, frame, **programme_values(NAMES, lang, STAND))
    assert Page(html).problems == []
    if lang == "en":
        rows = table_rows(html, "steps_now")
        assert [row[1] for row in rows] == ["by the people on it", "going on", "no way to advance was set"]
        assert "paused: 1" in rows[0][2]
        assert "sessions 2: " in rows[1][2]
        assert "Description of the OK-UNIONI model: begun" in rows[1][2]


def test_the_report_and_its_csv_have_the_same_rows() -> None:
    made = {**report(), "steps": STAND}
    html = render_report_html(made, NAMES, "fi")
    assert Page(html).problems == []
    assert "Vaiheiden tilanne" in html
    [row] = [row for row in render_report_csv(made, NAMES, "en", ["s"]).splitlines() if row.startswith("light_place,")]
    assert row.endswith("individual,by the people on it,entered: 7; on it now: 3; paused: 1; left: 3")
    assert "Vaiheiden tilanne" not in render_report_html({**report(), "steps": []}, NAMES, "fi")


def test_what_was_recorded_with_a_key_of_an_earlier_version_has_the_name_of_what_it_became() -> None:
    document = {**DOCUMENT, "mapping": [{"list": "activities", "key": "old", "becomes": "work_place"}]}
    names = ProgrammeNames.of({"programme": "k", "document": document})
    assert names.activities["old"] == names.activities["work_place"]
    assert "old" not in names.groups
