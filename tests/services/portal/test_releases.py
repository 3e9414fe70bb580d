"""Releases on pages: at the lead with their files, at a node as the lead has told of them."""

from typing import Any

import pytest

from services.portal.words import LANGS, Lang, words
from shared.journal.certificate import check
from tests.services.portal.pages import Page, table_rows
from tests.services.portal.samples import Portal

FIRST, SECOND, LOST = "aa" * 16, "bb" * 16, "cc" * 16


def told(release: str, **changes: Any) -> dict[str, Any]:
    row = {"release": release, "digest": "0123456789abcdef" * 4, "audience": "funder", "from": None, "to": None}
    return row | {"as_of": "2017-06-12T07:20:00.000000Z", "made_on": "2017-06-12", "follows": None} | changes


@pytest.mark.parametrize("lang", LANGS)
def test_the_leads_report_page_lists_releases_the_newest_first_with_their_files(lead: Portal, lang: Lang) -> None:
    days = {"from": "2016-01-01", "to": "2016-12-31"}
    lead.rpc.released = [
        told(LOST, kept=False, by=None),
        told(FIRST, kept=True, by="boss", **days),
        told(SECOND, kept=True, by="boss", follows=FIRST, **days),
    ]
    lead.user_logged_in("worker", "reporter")
    html = lead.client.get(f"/report/lahde-mukaan?lang={lang}").get_data(as_text=True)
    assert Page(html).problems == []
    second, first, lost = table_rows(html, "releases")
    assert SECOND in second[3]
    assert words(lang)("release_follows", release="aaaaaaaa…") in second[3]
    assert "01234567…89abcdef" in first[3]
    assert lost[4] == words(lang)("release_gone")
    for form in ("html", "csv", "json"):
        assert f'href="/report/lahde-mukaan/{FIRST}.{form}"' in html
        assert f"{LOST}.{form}" not in html


def test_a_report_page_without_releases_has_no_list_of_them(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    assert 'id="releases"' not in lead.client.get("/report/lahde-mukaan").get_data(as_text=True)


def test_a_released_file_comes_as_it_is_or_made_of_it(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    document = bytes.fromhex(lead.rpc._read_release("lahde-mukaan", FIRST)["document"])
    answer = lead.client.get(f"/report/lahde-mukaan/{FIRST}.json")
    assert answer.data == document
    assert answer.headers["Content-Disposition"] == f'attachment; filename="lahde-mukaan-{FIRST}.json"'
    for form in ("html", "csv"):
        made = lead.client.get(f"/report/lahde-mukaan/{FIRST}.{form}?lang=en").data
        assert check(made)[0] == form
        assert FIRST in made.decode()
        assert "Aloittaneet" in made.decode()


def test_releases_are_for_reporters_alone(lead: Portal) -> None:
    lead.user_logged_in("worker", "operator")
    assert lead.client.get(f"/report/lahde-mukaan/{FIRST}.json").status_code == 403


@pytest.mark.parametrize("lang", LANGS)
def test_a_nodes_page_of_the_project_lists_what_the_lead_has_released(node: Portal, lang: Lang) -> None:
    node.rpc.released = [told(FIRST)]
    node.user_logged_in("worker", "case_worker")
    html = node.client.get(f"/programme/lahde-mukaan?lang={lang}").get_data(as_text=True)
    assert Page(html).problems == []
    (row,) = table_rows(html, "releases")
    assert FIRST in row[3]
    assert words(lang)("audience_funder") == row[2]
    assert words(lang)("releases_note") in Page(html).said
    node.rpc.released = []
    assert 'id="releases"' not in node.client.get("/programme/lahde-mukaan").get_data(as_text=True)
