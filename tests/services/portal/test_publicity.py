"""What is made for people says who funds it, in their language: flag, statement, mark and who carries it out."""

import io
import json
from html import unescape

import pytest

from tests.services.portal.documents import MADE, person
from tests.services.portal.pages import Page
from tests.services.portal.samples import SAME_ORIGIN, Portal, make_portal
from tests.services.portal.test_sample import SAMPLE
from tests.services.portal.test_sessions import HELD

KEY, AINO = "lahde-mukaan", "a1" * 16
WHICH = "instrument=three_items&version=1&occasion=interim"
SAID = {
    "fi": ("Euroopan unioni, Euroopan sosiaalirahasto", "Vipuvoimaa EU:lta 2014–2020", "Leader-yhdistys"),
    "sv": ("Europeiska unionen, Europeiska socialfonden", "Hävkraft från EU 2014–2020", "Leaderförening"),
}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    """A node's portal with one person, who is served in Swedish, on a Finnish screen."""
    made = make_portal(str(tmp_path_factory.mktemp("publicity") / "node.db"), "node")
    made.user_logged_in("boss", "coordinator")
    made.rpc.people = [person("Aino", "Esimerkki", person=AINO, service_language="sv")]
    made.rpc.listed[0]["document"]["instruments"] = [{"key": "three_items", "version": "1", "schedule": []}]
    present = [{"subject": AINO, "role": "participant", "minutes": None}]
    made.rpc.register = {"activity": "kaapeli", "session": HELD, "present": present, "regulars": [], "earlier": []}
    made.rpc.plan = {"revision": 1, "strengths": ["humour"], "next": None, "entries": []}
    return made


@pytest.mark.parametrize(
    ("path", "lang"),
    [
        (f"/programme/{KEY}", "fi"),
        (f"/sessions/{KEY}/{MADE}", "fi"),
        (f"/questionnaire/{KEY}/{AINO}?{WHICH}", "sv"),
        (f"/questionnaire/{KEY}/{AINO}/thanks?form=sv", "sv"),
        (f"/start/{KEY}/{AINO}", "sv"),
        (f"/exit/{KEY}/{AINO}", "sv"),
        (f"/plan/{KEY}/{AINO}/copy", "sv"),
        (f"/rights/{KEY}/{AINO}/copy.html", "sv"),
        (f"/rights/{KEY}/{AINO}/receipts", "sv"),
        (f"/erased/{KEY}", "fi"),
        (f"/sample/{KEY}", "fi"),
    ],
)
def test_flag_statement_mark_and_implementers_stand_on_what_is_made_for_people(
    portal: Portal, path: str, lang: str
) -> None:
    if path.startswith("/sample"):
        data = {"form_token": portal.form_token(path), "file": (io.BytesIO(json.dumps(SAMPLE).encode()), "s.json")}
        answer = portal.client.post(path, data=data, headers=SAME_ORIGIN, content_type="multipart/form-data")
    else:
        answer = portal.client.get(path)
    html = answer.get_data(as_text=True)
    assert (answer.status_code, Page(html).problems) == (200, [])
    tag, _, foot = html.partition('<footer class="publicity"')[2].partition(">")
    assert 'class="eu-flag"' in foot
    for text in SAID[lang]:
        assert text in unescape(foot), text
    page_lang = html.partition('<html lang="')[2][:2]
    assert (f'lang="{lang}"' in tag) == (page_lang != lang), "it is read out in its own language"
