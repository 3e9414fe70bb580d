"""A project's own page says what its file says, and every page for people tells the European Union's part."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from services.portal.names import ProgrammeNames
from services.portal.programme_page import _SAID, programme_values
from services.portal.publicity import logos, publicity
from services.portal.rendering import Frame, render
from services.portal.report_csv import render_report_csv
from services.portal.report_page import render_report_html
from services.portal.words import LANGS, Lang, known_keys
from shared.programmes import load_file
from shared.programmes.checking import SCHEMA_FILE
from shared.programmes.workflow import FILTERS
from tests.services.portal.documents import report
from tests.services.portal.pages import Page, table_rows
from tests.services.portal.samples import Portal

SIXTH = Path(__file__).parents[2] / "programmes" / "rannan-tuvat.yaml"
FILES = [*sorted(SCHEMA_FILE.parent.glob("*.yaml")), SIXTH]
FRAME = Frame(home="Leader-yhdistys", path="/programme/x", user_name="anna", form_token="t")


def names_of(document: dict[str, Any]) -> ProgrammeNames:
    return ProgrammeNames.of({"programme": document["key"], "name": document["name"], "document": document})


def page(path: Path, lang: Lang = "fi") -> str:
    return render("programme.html", lang, FRAME, **programme_values(names_of(load_file(path)), lang))


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_project_has_a_well_formed_page_without_a_blank_cell(path: Path, lang: Lang) -> None:
    html = page(path, lang)
    read = Page(html)
    assert read.problems == []
    assert all(b - a <= 1 for a, b in zip(read.headings, read.headings[1:], strict=False))
    assert "None" not in read.said
    assert not re.findall(r"<td[^>]*><span>\s*</span>", html)


def test_planned_and_realised_stand_side_by_side_and_what_was_never_set_is_not_zero() -> None:
    html = page(SCHEMA_FILE.parent / "kuntsari.yaml")
    assert table_rows(html, "targets")[:2] == [
        ["Aloittaneet osallistujat", "60", "ei asetettu", "1.9.2008", "ei kirjattu", "51", "19"],
        ["Uudet työpaikat", "0", "ei asetettu", "1.9.2008", "ei kirjattu", "0", "0"],
    ]
    funding = table_rows(html, "funding")
    assert [(row[1], row[2], row[5]) for row in funding] == [
        ("Myönnetty", "170\u00a0000", "162\u00a0158"),
        ("Suunniteltu", "204\u00a0820", "196\u00a0299"),
    ]
    assert "sisältää: EU:n ja valtion rahoitus" in funding[1][0]


def test_a_changed_target_keeps_the_old_one_and_only_the_last_is_held_against_what_came() -> None:
    started = [row[1:] for row in table_rows(page(SIXTH), "targets") if row[0] == "Aloittaneet"]
    assert started == [
        ["30", "15", "1.3.2023", "10.2.2023", "ei kirjattu", "ei kirjattu"],
        ["24", "12", "1.3.2024", "20.2.2024", "12", "7"],
    ]
    assert table_rows(page(SIXTH), "targets")[-1][1:3] == ["ei asetettu", "ei asetettu"]


def test_steps_say_who_may_be_on_several_at_once_and_by_which_facts_they_begin_and_end() -> None:
    assert table_rows(page(SIXTH), "steps") == [
        ["Tulo", "yksilö", "voi olla yhtä aikaa", "ei ehtoa", "on ollut paikalla: Verkkoryhmä"],
        ["Oma vene", "yksilö", "ei yhtä aikaa", "on lähtenyt vaiheesta: Tulo" + "on mukana: asiakas", "ei ehtoa"],
        ["Rantaväki", "yhteisö", "ei ihmisiä tässä vaiheessa", "ei ehtoa", "ei ehtoa"],
    ]


def test_every_fact_that_a_rule_may_wait_for_and_all_that_narrows_it_has_words() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))["$defs"]["condition"]["properties"]
    assert set(schema["on"]["enum"]) == set(FILTERS)
    wanted = {f"on_{on}" for on in FILTERS}
    wanted |= {f"{said}_{code}" for word, said in _SAID.items() for code in schema[word]["enum"]}
    assert wanted <= known_keys()
    assert "suunnitelmassa on sovittu: työntekijä" in page(SCHEMA_FILE.parent / "suunta-yhdessa.yaml")


def test_barriers_solutions_legal_entities_and_follow_up_are_told() -> None:
    html = page(SIXTH)
    assert table_rows(html, "barriers") == [["Pitkä matka", "Kimppakyyti"], ["Pimeys", "ei vielä"]]
    assert table_rows(html, "implementers")[0][2] == "Keksityn kylän yhdistys ry" + "0000001-9"
    assert "Jälkiseuranta 180 päivän kuluttua" in html
    assert "Jälkiseurantaa ei ole" in page(SCHEMA_FILE.parent / "kuntsari.yaml")


@pytest.mark.parametrize(
    ("funding", "lang", "statement", "mark"),
    [
        ("esf_plus_2021_2027", "fi", "Euroopan unionin osarahoittama", None),
        ("esf_plus_2021_2027", "sv", "Medfinansieras av Europeiska unionen", None),
        ("esf_2014_2020", "fi", "Euroopan unioni, Euroopan sosiaalirahasto", "Vipuvoimaa EU:lta 2014–2020"),
        ("esf_2014_2020", "sv", "Europeiska unionen, Europeiska socialfonden", "Hävkraft från EU 2014–2020"),
        ("esf_2007_2013", "en", "European Union, European Social Fund", None),
    ],
)
def test_statement_and_mark_follow_from_period_and_language(
    funding: str, lang: Lang, statement: str, mark: str | None
) -> None:
    told = publicity(funding, (), lang)
    assert told is not None
    assert (told.statement, told.mark) == (statement, mark)


def test_the_flag_has_twelve_equal_upright_stars_on_a_circle() -> None:
    told = publicity("esf_2014_2020", (), "fi")
    assert told is not None
    stars = re.findall(r"M([^Z]+)Z", str(told.flag))
    assert len(stars) == 12
    tops = []
    for star in stars:
        corners = [tuple(map(float, corner.split())) for corner in star.split("L")]
        assert len(corners) == 10
        assert min(corners, key=lambda corner: corner[1]) == corners[0]  # one tip points up
        tops.append(corners[0])
    assert all(math.dist((x, y + 2), (27, 18)) == pytest.approx(12, abs=0.02) for x, y in tops)


def test_logos_stand_in_the_order_of_the_file_under_legal_names() -> None:
    document = load_file(SIXTH)
    assert [logo.name for logo in logos(document)] == [{"sv": "Hamnföreningen"}, {"fi": "Keksityn kylän yhdistys ry"}]
    del document["publicity"]
    assert [logo.name for logo in logos(document)] == [{"fi": "Keksityn kylän yhdistys ry"}, {"sv": "Hamnföreningen"}]


@pytest.mark.parametrize("frame", [FRAME, None])
def test_reports_carry_it_as_page_as_file_and_as_table(frame: Frame | None) -> None:
    names = names_of(load_file(SCHEMA_FILE.parent / "lahde-mukaan.yaml"))
    html = render_report_html(report(), names, "sv", frame)
    assert Page(html).problems == []
    foot = html.split('<footer class="publicity">')[1]
    assert "Hävkraft från EU 2014–2020" in foot
    assert foot.index("Leaderförening") < foot.index("Yrkeshögskola")
    rows = render_report_csv(report(), names, "sv", []).splitlines()
    assert 'EU-finansiering,"Hävkraft från EU 2014–2020. Europeiska unionen, Europeiska socialfonden"' in rows


@pytest.mark.parametrize("home", ["lead", "node"])
def test_who_works_with_a_project_can_read_its_page(home: str, request: pytest.FixtureRequest) -> None:
    portal: Portal = request.getfixturevalue(home)
    document = load_file(SIXTH)
    portal.rpc.listed = [{"programme": document["key"], "name": document["name"], "document": document}]
    portal.user_logged_in("anna", "reporter" if home == "lead" else "case_worker")
    assert 'href="/programme/rannan-tuvat"' in portal.client.get("/").get_data(as_text=True)
    answer = portal.client.get("/programme/rannan-tuvat?lang=sv")
    assert answer.status_code == 200
    assert "Medfinansieras av Europeiska unionen" in answer.get_data(as_text=True)
    assert portal.client.get("/programme/other").status_code == 404
