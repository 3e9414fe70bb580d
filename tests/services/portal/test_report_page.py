"""The report's page says what the report's JSON says, in three languages, and nothing else."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portal.charts import Bar, bar_chart
from services.portal.labels import figure
from services.portal.names import ProgrammeNames
from services.portal.rendering import Frame
from services.portal.report_page import render_report_html
from services.portal.words import LANGS, Lang
from tests.services.portal.documents import CHAIN, DOCUMENT, LISTED, report
from tests.services.portal.pages import Page, table_rows

NAMES = ProgrammeNames.of(LISTED)
FRAME = Frame(home="Leader-yhdistys", path="/report/lahde-mukaan", user_name="anna", form_token="t")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;"


def page(lang: Lang = "fi", frame: Frame | None = FRAME, **changes: Any) -> str:
    """The sample report's page with other members."""
    return render_report_html(report(**changes), NAMES, lang, frame)


def activity(**changes: Any) -> str:
    """A page whose only group has other members."""
    return page(activities=[report()["activities"][0] | changes])


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("frame", [FRAME, None])
def test_page_is_well_formed_with_headings_in_order_and_its_language(lang: Lang, frame: Frame | None) -> None:
    html = page(lang, frame)
    read = Page(html)
    assert read.problems == []
    assert f'<html lang="{lang}">' in html
    assert read.headings[0] == 1
    assert read.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(read.headings, read.headings[1:], strict=False))
    scopes = {values.get("scope") for tag, values in read.elements if tag == "th"}
    assert scopes == {"col", "row", "colgroup"}
    assert "None" not in read.said


def test_table_holds_the_published_figures_each_on_its_basis() -> None:
    assert table_rows(page(), "bases") == [
        ["Yhteisövalmennus", "125", "281,5", "74", "1\u00a0012", "ei kirjattu"],
        [
            "Työllisyys- ja toimintakykytapahtumat sekä infotilaisuudet",
            "15",
            "30",
            "ei kirjattu",
            "ei kirjattu",
            "214",
        ],
        ["Yhteisö- ja pienryhmätapahtumat", "32", "80", "ei kirjattu", "ei kirjattu", "379"],
        ["Yleisötapahtumat", "16", "64", "ei kirjattu", "ei kirjattu", "2\u00a0369"],
    ]


@pytest.mark.parametrize("lang", LANGS)
def test_bases_are_never_added_up(lang: Lang) -> None:
    said = re.sub(r"[\u00a0,]", "", Page(page(lang)).said)
    rows = report()["activities"]
    people, heads = 74, sum(row["heads"] or 0 for row in rows)
    for total in (heads, people + heads, people + 1012, 1012 + heads, sum(row["sessions"] for row in rows)):
        assert not re.search(rf"(?<!\d){total}(?!\d)", said), total


def test_five_values_read_differently() -> None:
    said = {
        value: table_rows(activity(participants=value), "bases")[0][3]
        for value in (0, None, "unknown", "refused", "not_asked", "not_set", "not_due", "not_arrived")
    }
    assert said == {
        0: "0",
        None: "ei kirjattu",
        "unknown": "ei tiedossa",
        "refused": "ei halua vastata",
        "not_asked": "ei kysytty",
        "not_set": "ei asetettu",
        "not_due": "ei vielä ajankohtainen",
        "not_arrived": "ei vielä saapunut",
    }


@given(st.one_of(st.none(), st.integers(0, 10**9), st.decimals(0, 10**6, places=2).map(str)))
def test_no_cell_is_blank_and_no_number_changes(value: int | str | None) -> None:
    cell = figure(value, "fi")
    assert cell.text.strip()
    if value is None:
        assert (cell.text, cell.words) == ("–", "ei kirjattu")
    else:
        assert Decimal(cell.text.replace("\u00a0", "").replace(",", ".")) == Decimal(value)


@pytest.mark.parametrize("value", ["many", True, [], {"n": 1}, float("nan"), "Infinity"])
def test_cell_that_is_no_value_is_an_error(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        figure(value, "fi")


def test_member_that_is_absent_is_not_shown_as_zero() -> None:
    rows = [{"group": "community_coaching", "sessions": 3}]
    assert table_rows(page(activities=rows), "bases")[0][1:] == ["3"] + ["ei kirjattu"] * 4


@pytest.mark.parametrize(
    ("arrived", "words", "others"),
    [
        (True, "Kaikki saapunut", ("Osa puuttuu", "Ei tiedossa, onko")),
        (False, "Osa puuttuu", ("Kaikki saapunut", "Ei tiedossa, onko")),
        (None, "Ei tiedossa, onko kaikki saapunut", ("Osa puuttuu", "Kaikki saapunut")),
    ],
)
def test_arrived_is_one_of_three(arrived: bool | None, words: str, others: tuple[str, str]) -> None:
    said = Page(page(arrived=arrived)).said
    assert words in said
    assert not any(other in said for other in others)


def test_not_known_says_since_when() -> None:
    assert "viimeksi kuultu 12.6.2017 klo\u00a010.18" in Page(page(arrived=None)).said
    silent = [report()["streams"][0] | {"manifest_at": None, "head": None}]
    assert "ei ole kuultu vielä kertaakaan" in Page(page(arrived=None, streams=silent)).said


def test_facts_of_a_newer_release_are_told() -> None:
    assert "uudemmalla Polun versiolla" not in page()
    assert "1\u00a0200 kirjausta on tehty tätä uudemmalla" in Page(page(arrived=False, newer_facts=1200)).said


def test_lines_that_could_not_be_read_are_told() -> None:
    assert "ei voitu lukea" not in page(data_quality={"refused_lines": 0})
    assert "4 riviä on saapunut, mutta" in Page(page(data_quality={"refused_lines": 4})).said


def test_proof_has_a_row_for_each_partner_joined_or_not() -> None:
    html = page()
    first, second = table_rows(html, "proof")
    assert first == [
        "Leader-yhdistys",
        "kaikki mukana",
        "1\u00a0894",
        "1\u00a0894",
        "12\u00a0min vanha",
        "leader-yhdistys-4f1c22ab",
        f"{CHAIN[:8]}…{CHAIN[-8:]}",
    ]
    assert second == ["Ammattikorkeakoulu"] + ["ei ole liittynyt"] * 6
    assert f'title="{CHAIN}"' in html


def test_proof_counts_missing_lines_and_claims_no_more_than_is_known() -> None:
    stream = report()["streams"][0]
    behind = page(arrived=False, streams=[stream | {"watermark": 1800}])
    assert table_rows(behind, "proof")[0][1] == "rivejä puuttuu: 1\N{NO-BREAK SPACE}801–1\N{NO-BREAK SPACE}894"
    differs = page(arrived=False, streams=[stream])  # equal numbers, but the chains differ
    assert table_rows(differs, "proof")[0][1] == "viimeiseen riviin asti"
    left = page(streams=[stream | {"expelled": "2017-01-31T10:00:00.000000Z"}])
    assert table_rows(left, "proof")[0][1].startswith("jäsenyys päättynyt 31.1.2017")
    unheard = page(arrived=None, streams=[stream | {"head": None, "watermark": None, "manifest_at": None}])
    assert table_rows(unheard, "proof")[0][1:5] == [
        "ei tiedossa",
        "ei vielä saapunut",
        "ei vielä saapunut",
        "ei vielä saapunut",
    ]


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (None, None, "koko hanke, 1.5.2015 – 31.5.2017"),
        ("2016-01-01", "2016-12-31", "1.1.2016 – 31.12.2016"),
        ("2016-01-01", None, "alkaen 1.1.2016"),
        (None, "2016-12-31", "31.12.2016 asti"),
    ],
)
def test_period_is_named(first: str | None, last: str | None, said: str) -> None:
    assert said in Page(page(**{"from": first, "to": last})).said


def test_numbers_and_times_are_of_the_language() -> None:
    expected = {
        "fi": ("2\u00a0369", "281,5", "12.6.2017 klo\u00a010.30", "Osallistujia (eri ihmisiä)"),
        "sv": ("2\u00a0369", "281,5", "12.6.2017 kl.\u00a010.30", "Deltagare (olika personer)"),
        "en": ("2,369", "281.5", "2017-06-12 10:30", "Participants (different people)"),
    }
    for lang in LANGS:
        said = Page(page(lang)).said
        for text in expected[lang]:
            assert text in said, (lang, text)


def test_label_without_the_language_falls_back_and_says_which_it_is() -> None:
    html = page("sv")
    assert '<span lang="fi">Yhteisövalmennus</span>' in html
    assert "Publikevenemang" in html


def test_unknown_group_and_partner_are_shown_by_their_codes() -> None:
    bare = ProgrammeNames(key="lahde-mukaan")
    html = render_report_html(report(), bare, "fi")
    assert table_rows(html, "bases")[0][0] == "community_coaching"
    assert table_rows(html, "proof")[0][0] == "leader_association"
    assert "<h1>lahde-mukaan</h1>" in html


def test_indicators_stand_beside_what_was_planned_and_nothing_is_taken_for_nought() -> None:
    assert table_rows(page(), "indicators") == [
        ["Aloittaneita", "1\u00a0200", "1\u00a0051", "1\u00a0019", "32", "0", "0"],
        ["Työttömät CO01", "ei asetettu", "0", "0", "0", "0", "0"],
        ["Uudet työpaikat", "0", *["ei kirjattu"] * 5],
    ]


def test_funding_says_what_a_total_includes_and_what_was_not_set() -> None:
    assert table_rows(page(), "funding") == [
        ["eu_and_state", "Myönnetty", "170\u00a0000", "162\u00a0158"],
        ["total sisältää: eu_and_state", "Suunniteltu", "ei asetettu", "ei kirjattu"],
    ]


def test_outcomes_are_told_with_their_zeros_and_the_unknown() -> None:
    html = page()
    assert table_rows(html, "outcomes") == [["Hakeutui koulutukseen", "6"], ["Työkokeilu", "0"], ["Ei tiedossa", "1"]]
    assert "Duuniin!: 29 osallistujaa" in re.sub("<[^>]+>", "", html)
    assert table_rows(page("sv"), "outcomes")[-1] == ["Okänt", "1"]


def test_each_partner_has_confirmed_a_period_or_not() -> None:
    assert table_rows(page(), "confirmed") == [
        ["Leader-yhdistys", "Ensimmäinen vuosi", "ei vahvistettu"],
        ["Leader-yhdistys", "Koko hanke", "vahvistettu 12.6.2017"],
        ["Ammattikorkeakoulu", "Ensimmäinen vuosi", "ei vahvistettu"],
        ["Ammattikorkeakoulu", "Koko hanke", "ei vahvistettu"],
    ]
    assert table_rows(page("sv"), "confirmed")[1][2] == "bekräftad 12.6.2017"


def test_what_a_report_says_nothing_of_has_no_table() -> None:
    html = page(outcomes=[], confirmed=[])
    assert 'id="outcomes"' not in html
    assert all(row[2] == "ei vahvistettu" for row in table_rows(html, "confirmed"))
    old = {name: value for name, value in report().items() if name not in ("outcomes", "confirmed")}
    html = render_report_html(old, NAMES, "fi", FRAME)
    assert Page(html).problems == []
    assert 'id="confirmed"' not in html


def test_names_cannot_become_markup() -> None:
    hostile = {"fi": HOSTILE, "sv": HOSTILE, "en": HOSTILE}
    document = DOCUMENT | {
        "groups": [item | {"name": hostile} for item in DOCUMENT["groups"]],
        **{part: [item | {"name": hostile} for item in DOCUMENT[part]] for part in ("partners", "outcomes", "periods")},
        "activities": [item | {"name": hostile} for item in DOCUMENT["activities"]],
    }
    names = ProgrammeNames.of(LISTED | {"name": hostile, "document": document})
    streams = [report()["streams"][0] | {"chain": HOSTILE, "node": HOSTILE}]
    for frame in (FRAME, None):
        html = render_report_html(report(streams=streams), names, "fi", frame)
        assert Page(html).problems == []
        assert not re.search(r"<(script|img)", html)


def test_report_by_itself_needs_nothing_and_may_run_nothing() -> None:
    html = page(frame=None)
    read = Page(html)
    tags = {tag for tag, _ in read.elements}
    assert not tags & {"script", "link", "img", "form", "iframe", "a"}
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'; style-src 'sha256-" in html


def test_empty_report_says_so() -> None:
    html = page(activities=[], streams=[], arrived=None)
    assert Page(html).problems == []
    assert "Saapuneessa ei ole yhtään kertaa" in html
    assert '<svg class="chart"' not in html


def test_people_and_heads_are_in_charts_of_their_own() -> None:
    described = re.findall(r"<desc[^>]*>(.*?)</desc>", page())
    assert len(described) == 3
    assert described[1] == "Yhteisövalmennus: 74"
    assert "Yhteisövalmennus" not in described[2]
    assert described[2].endswith("Yleisötapahtumat: 2\u00a0369")


@given(st.lists(st.integers(0, 10**7), max_size=12))
def test_bars_are_as_long_as_their_values(values: list[int]) -> None:
    bars = [Bar(f"bar {n}", value, str(value)) for n, value in enumerate(values)]
    drawn = bar_chart(bars, chart_id="c", title="T", tone="people")
    widths = [float(width) for width in re.findall(r'<rect[^>]* width="([\d.]+)%"', drawn)]
    assert len(widths) == len(values)
    most = max(values, default=0) or 1
    for width, value in zip(widths, values, strict=True):
        assert abs(width - 80 * value / most) <= 0.01
    assert Page(str(drawn)).problems == []


@pytest.mark.parametrize(
    ("once", "apart", "ends", "said", "not_said"),
    [
        (51, 0, [51, 51], ["51 different people took part"], ["could not be compared", "at least"]),
        (51, 3, [51, 54], ["51 different people", "3 people could not", "at least 51 and at most 54"], []),
        (None, 54, [40, 54], ["does not compare", "at least 40 and at most 54"], ["took part in"]),
        (None, 40, [40, 40], [], ["at least", "Different people</h3>"]),
    ],
)
def test_different_people_are_said_with_what_could_not_be_compared(
    once: int | None, apart: int, ends: list[int], said: list[str], not_said: list[str]
) -> None:
    html = page("en", people={"counted_once_by_tag": once, "not_comparable": apart, "range": ends})
    assert all(words in html for words in said)
    assert not any(words in html for words in not_said)


def test_a_report_that_says_nothing_of_different_people_shows_nothing_of_them() -> None:
    assert "Different people</h3>" not in page("en")


ENCOUNTERS: dict[str, Any] = {
    **{"encounters": 3, "heads": 8, "people_new": 3, "people_known": 5, "women": None},
    "not_recorded": {"heads": 1, "people_new": 1, "people_known": 1, "women": 3},
}
ROW = ENCOUNTERS | {"key": "finances"}
BY = {"location": [ROW | {"key": None}], "area": [], "topic": [ROW, ROW | {"key": None, "heads": 0}], "guided_to": []}


def test_encounters_stand_apart_and_what_was_not_recorded_is_no_0() -> None:
    assert 'id="encounters"' not in page()
    html = page(encounters=ENCOUNTERS | {"by": BY})
    assert Page(html).problems == []
    assert table_rows(html, "encounters-all") == [["Kohtaamiset", "3", "8", "3", "5", "ei kirjattu"]]
    assert table_rows(html, "encounters-topic") == [
        ["Raha ja velat", "3", "8", "3", "5", "ei kirjattu"],
        ["ei kirjattu tai jää toteuttajalle", "3", "0", "3", "5", "ei kirjattu"],
    ]
    assert "encounters-location" not in html  # nothing is told apart by it
    assert "Naisia: 3 kohtaamisesta ei kirjattu" in Page(html).said
    assert table_rows(html, "bases") == table_rows(page(), "bases")


def test_how_many_records_wait_for_a_signature_is_said_beside_the_indicators() -> None:
    rows = [{"code": "CO01", "label": {"fi": "x"}, "planned": None, "realised": 2, "by": {}, "suppressed": False}]
    for lang, said in (
        ("fi", "odottaa 3 aloitustietoa"),
        ("sv", "3 startuppgifter väntar"),
        ("en", "confirmation: 3."),
    ):
        html = render_report_html(
            report(indicators=rows, data_quality={"unproved_records": 3}), ProgrammeNames.of(LISTED), lang
        )
        assert said in html
    none = report(indicators=rows, data_quality={"unproved_records": 0})
    assert "wait for a signature" not in render_report_html(none, ProgrammeNames.of(LISTED), "en")


def test_how_many_are_in_eura_stands_in_the_report_where_nodes_have_said() -> None:
    quality = {"refused_lines": 0, "void_lines": 0, "incomplete_records": 0, "eura": {"starts": 12, "exits": 3}}
    html = render_report_html(report(data_quality=quality), ProgrammeNames.of(LISTED), "en")
    assert "start data 12, exit data 3" in html
    assert "start data" not in render_report_html(report(), ProgrammeNames.of(LISTED), "en")
