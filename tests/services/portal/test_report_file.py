"""Reports as files: certified, in three languages, plain tables that no spreadsheet runs."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portal.names import ProgrammeNames
from services.portal.report_csv import render_report_csv
from services.portal.report_page import statement
from services.portal.words import LANGS, Lang, words
from shared.journal.certificate import PLACES, Form, check
from tests.services.portal.certifying import SIGNED_BY
from tests.services.portal.documents import CHAIN, DOCUMENT, LISTED, report
from tests.services.portal.pages import Page
from tests.services.portal.samples import Portal

NAMES = ProgrammeNames.of(LISTED)
FORMS: tuple[Form, ...] = ("json", "html", "csv")


def tables(text: str) -> dict[str, list[list[str]]]:
    """The rows of each table by its name, headings first."""
    found: dict[str, list[list[str]]] = {}
    rows: list[list[str]] | None = None
    for row in csv.reader(io.StringIO(text)):
        if not row:
            rows = None
        elif rows is None:
            rows = found[row[0]] = []
        else:
            rows.append(row)
    return found


def csv_of(lang: Lang = "en", names: ProgrammeNames = NAMES, **changes: Any) -> dict[str, list[list[str]]]:
    return tables(render_report_csv(report(**changes), names, lang, statement(lang)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("lang", LANGS)
def test_a_downloaded_report_holds_its_certificate_and_says_what_that_proves(
    lead: Portal, form: Form, lang: Lang
) -> None:
    lead.user_logged_in("worker", "reporter")
    answer = lead.client.get(f"/report/lahde-mukaan.{form}?lang={lang}")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="lahde-mukaan.{form}"'
    found, held = check(answer.data)
    assert (found, held.proof.lead) == (form, "leader_association")
    text = answer.get_data(as_text=True)
    for key in ("certificate_unaltered", "certificate_held", "not_proved_recorded", "not_proved_follow"):
        assert words(lang)(key) in text


def test_the_page_offers_every_file_and_is_none_itself(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    html = lead.client.get("/report/lahde-mukaan").get_data(as_text=True)
    for form in PLACES:
        assert f'href="/report/lahde-mukaan.{form}"' in html
    assert "polku-certificate" not in html
    assert SIGNED_BY not in html


def test_the_json_file_is_the_report_its_statement_and_the_certificate_last(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    made = json.loads(lead.client.get("/report/lahde-mukaan.json").data)
    assert list(made)[-2:] == ["statement", "certificate"]
    told = report()
    for row in told["indicators"]:
        row["label"] = row["label"]["fi"]
    assert {member: made[member] for member in made if member not in ("statement", "certificate")} == {
        member: value for member, value in told.items() if member != "proof"
    }


def test_the_html_file_is_well_formed_and_names_who_signed_it(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    html = lead.client.get("/report/lahde-mukaan.html").get_data(as_text=True)
    read = Page(html)
    assert read.problems == []
    assert SIGNED_BY in read.said
    assert "Leader-yhdistys" in read.said


def test_activities_are_a_table_with_each_basis_in_its_column() -> None:
    head, *rows = csv_of("fi")["Toiminta"]
    assert head[2:] == ["Kertoja", "Tunteja", "Osallistujia (eri ihmisiä)", "Läsnäoloja", "Kävijämäärä"]
    assert rows[0] == ["community_coaching", "Yhteisövalmennus", "125", "281.5", "74", "1012", "ei kirjattu"]
    assert rows[3][2:] == ["16", "64.0", "ei kirjattu", "ei kirjattu", "2369"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (None, "not recorded"),
        ("unknown", "unknown"),
        ("refused", "refused"),
        ("not_asked", "not asked"),
        ("not_set", "not set"),
        ("not_due", "not due yet"),
        ("not_arrived", "not arrived yet"),
    ],
)
def test_no_two_of_the_values_look_alike(value: object, shown: str) -> None:
    made = csv_of(activities=[report()["activities"][0] | {"participants": value}])["Activities"]
    assert made[1][4] == shown


def test_indicators_are_a_table_with_what_was_planned() -> None:
    assert csv_of()["Indicators"] == [
        ["Code", "Indicator", "Planned", "Realised", "Women", "Men", "Non-binary", "Gender unknown"],
        ["participants_started", "Participants started", "1200", "1051", "1019", "32", "0", "0"],
        ["CO01", "Unemployed", "not set", "0", "0", "0", "0", "0"],
        ["new_jobs", "Uudet työpaikat", "0", *["not recorded"] * 5],
    ]


def test_funding_is_a_table_in_which_no_total_passes_for_one_more_source() -> None:
    assert csv_of()["Funding, euros"] == [
        ["Code", "Source", "What it includes", "State", "Planned", "Published as realised"],
        ["eu_and_state", "eu_and_state", "–", "Granted", "170000", "162158"],
        ["total", "total", "includes: eu_and_state", "Planned", "not set", "not recorded"],
    ]


def test_what_became_of_people_ends_with_the_unknown() -> None:
    assert csv_of()["Outcomes: Duuniin!"] == [
        ["Code", "Outcome", "Different people", "Participants (different people)"],
        ["education", "Hakeutui koulutukseen", "6", "29"],
        ["work_trial", "Työkokeilu", "0", "29"],
        ["unknown", "Unknown", "1", "29"],
    ]


def test_streams_and_periods_say_of_each_partner_how_it_is() -> None:
    made = csv_of()
    joined, absent = made["What the figures rest on"][1:]
    assert joined[2:] == [
        "all contained", "1894", "1894", "2017-06-12T07:18:00.000000Z", "leader-yhdistys-4f1c22ab", "1", CHAIN
    ]  # fmt: skip
    assert absent[2:] == ["has not joined"] * 7
    assert made["Confirmed periods"][1:] == [
        ["Leader association", "Ensimmäinen vuosi", "not confirmed"],
        ["Leader association", "Koko hanke", "2017-06-12"],
        ["University of applied sciences", "Ensimmäinen vuosi", "not confirmed"],
        ["University of applied sciences", "Koko hanke", "not confirmed"],
    ]


@pytest.mark.parametrize(
    ("arrived", "says"),
    [(True, "Everything has arrived"), (False, "Something is missing"), (None, "Not known whether")],
)
def test_the_first_table_says_whether_everything_has_arrived(arrived: bool | None, says: str) -> None:
    about = dict(row for row in csv_of(arrived=arrived)["Report"])
    assert about["State"].startswith(says)
    assert about["First day"] == "the whole project"


@given(st.text(max_size=5), st.sampled_from(["=", "+", "-", "@", "\t", "\r"]))
def test_no_cell_is_a_formula_whatever_a_programme_calls_its_things(rest: str, begin: str) -> None:
    hostile = begin + rest
    groups = [{"key": "community_coaching", "counts": "people", "name": {"fi": hostile}}]
    document = DOCUMENT | {"groups": groups, "name": {"fi": hostile}}
    names = ProgrammeNames.of(LISTED | {"document": document, "name": {"fi": hostile}})
    text = render_report_csv(report(), names, "fi", statement("fi"))
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("lang", LANGS)
def test_no_cell_of_a_table_is_empty(lang: Lang) -> None:
    for name, rows in csv_of(lang).items():
        assert name
        assert all(cell for row in rows for cell in row)


def test_encounters_are_a_table_of_their_own_with_a_reason_in_every_empty_place() -> None:
    row = {"encounters": 3, "heads": 8, "people_new": 3, "people_known": 5, "women": None}
    row |= {"not_recorded": {"heads": 0, "people_new": 0, "people_known": 0, "women": 3}}
    by = {"location": [row | {"key": "sampola_meeting_place"}], "area": [], "guided_to": []}
    told = csv_of("fi", encounters=row | {"by": by | {"topic": [row | {"key": None}]}})["Kohtaamiset"]
    assert told[0][:4] == ["Erittely", "Tunnus", "Nimi", "Kohtaamiset"]
    figures = ["3", "8", "3", "5", "ei kirjattu", "0", "0", "0", "3"]
    assert told[1:] == [
        ["Kaikki", "all", "Kohtaamiset", *figures],
        ["Paikka", "sampola_meeting_place", "Kohtaamispaikka, Sampola", *figures],
        ["Aihe", "not_recorded", "ei kirjattu tai jää toteuttajalle", *figures],
    ]
    assert "Kohtaamiset" not in csv_of("fi")
