"""The portal in Chromium: what is seen at 360 px and on a wide screen, without a script and without a stray request.

Leaves pictures in build/screens, to be looked at.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from services.portal.names import ProgrammeNames
from services.portal.report_page import render_report_html
from tests.browser.chromium import CHROMIUM, NARROW, SCREENS, WIDE, assert_nothing_overflows, begin
from tests.carriers.kit import served
from tests.services.portal import documents
from tests.services.portal.documents import person, report
from tests.services.portal.samples import PASSWORD, Portal, make_portal

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A Finnish browser at 360 px; fails the test if the page's policy was broken or anything was fetched elsewhere."""
    context = browser.new_context(viewport=NARROW, locale="fi-FI", color_scheme="light")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if _matters(message.text) else None)
    opened.on("request", lambda request: complaints.append(request.url) if _is_foreign(request.url) else None)
    yield opened
    context.close()
    assert complaints == []


def _matters(text: str) -> bool:
    return "the server responded with a status of" not in text  # a refused login is not the page's fault


def _is_foreign(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "file://", "data:"))


def log_in(page: Page, address: str, portal: Portal, *roles: str) -> None:
    """Go the way of a new user: one-time password, own password, start page."""
    first = portal.add_user("anna.laine", *roles)
    begin(page, address, "anna.laine", first, PASSWORD)


def test_new_user_logs_in_on_a_phone_and_must_choose_a_password(page: Page, tmp_path: Path) -> None:
    portal = make_portal(str(tmp_path / "lead.db"))
    with served(portal.app) as address:
        page.goto(address)
        page.screenshot(path=SCREENS / "login-360.png")
        assert_nothing_overflows(page)
        page.get_by_label("Käyttäjätunnus").fill("anna.laine")
        page.get_by_label("Salasana").fill("väärä salasana")
        page.get_by_role("button", name="Kirjaudu sisään").click()
        assert page.get_by_role("alert").inner_text() == "Käyttäjätunnus tai salasana on väärin."
        page.screenshot(path=SCREENS / "login-refused-360.png")
        log_in(page, address, portal, "reporter")
        assert_nothing_overflows(page)
        page.screenshot(path=SCREENS / "start-360.png", full_page=True)
        page.get_by_role("link", name="Vaihda salasana").click()
        page.screenshot(path=SCREENS / "password-360.png", full_page=True)
        page.set_viewport_size(WIDE)
        page.goto(address)
        page.screenshot(path=SCREENS / "start-1280.png")
        page.get_by_role("button", name="Kirjaudu ulos").click()
        page.get_by_role("heading", name="Kirjaudu sisään").wait_for()
        page.screenshot(path=SCREENS / "login-1280.png")


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_report_is_read_on_a_phone_and_on_a_wide_screen(page: Page, tmp_path: Path, lang: str) -> None:
    portal = make_portal(str(tmp_path / "lead.db"))
    with served(portal.app) as address:
        log_in(page, address, portal, "reporter")
        page.goto(f"{address}/report/lahde-mukaan?lang={lang}")
        assert page.locator("html").get_attribute("lang") == lang
        assert page.get_by_role("heading", level=1).inner_text() == "Lähde mukaan!"
        assert page.get_by_role("img").count() == 3
        assert_nothing_overflows(page)
        page.screenshot(path=SCREENS / f"report-{lang}-360.png", full_page=True)
        page.set_viewport_size(WIDE)
        assert_nothing_overflows(page)
        page.screenshot(path=SCREENS / f"report-{lang}-1280.png", full_page=True)
        for width in (620, 700, 800, 960, 1024):
            page.set_viewport_size({"width": width, "height": 900})
            assert_nothing_overflows(page)
        page.set_viewport_size({"width": 800, "height": 900})
        page.screenshot(path=SCREENS / f"report-{lang}-800.png", full_page=True)


def test_report_says_what_is_missing_and_what_is_not_known(page: Page, tmp_path: Path) -> None:
    portal = make_portal(str(tmp_path / "lead.db"))
    streams = report()["streams"]
    missing = [streams[0] | {"watermark": 1800}, *streams[1:]]
    with served(portal.app) as address:
        log_in(page, address, portal, "reporter")
        page.set_viewport_size(WIDE)
        portal.rpc.report = report(arrived=False, streams=missing, newer_facts=3)
        page.goto(f"{address}/report/lahde-mukaan")
        assert page.get_by_role("heading", name="Osa puuttuu").is_visible()
        page.screenshot(path=SCREENS / "report-missing-1280.png")
        portal.rpc.report = report(arrived=None)
        page.goto(f"{address}/report/lahde-mukaan")
        assert page.get_by_role("heading", name="Ei tiedossa, onko kaikki saapunut").is_visible()
        page.screenshot(path=SCREENS / "report-not-known-1280.png")


def test_report_by_itself_is_one_file_that_looks_the_same_and_prints(page: Page, tmp_path: Path) -> None:
    html = render_report_html(report(), ProgrammeNames.of(documents.LISTED), "fi")
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    page.set_viewport_size(WIDE)
    page.goto(file.as_uri())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(247, 246, 242)"
    page.screenshot(path=SCREENS / "report-file-1280.png", full_page=True)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 between its margins
    page.screenshot(path=SCREENS / "report-print.png", full_page=True)
    assert_nothing_overflows(page)
    page.pdf(path=SCREENS / "report-print.pdf", prefer_css_page_size=True)


def test_worker_reads_people_and_sessions_of_a_node(page: Page, tmp_path: Path) -> None:
    portal = make_portal(str(tmp_path / "node.db"), "node", title="Leader-yhdistys")
    portal.rpc.people = [
        person("Aino", "Esimerkki", standing="esf_participant"),
        person("Pekka", "Testinen-Pitkäsukunimi"),
        person("", "", "Nalle", standing="visitor", started_on=None),
    ]
    portal.rpc.sessions = [
        _session("kaapeli", "2016-02-01", attendances=8, start="10:00", minutes=135),
        _session("public_event", "2016-05-21", heads=212, heads_basis="estimated", location="sampola_meeting_place"),
        _session("public_event", "2016-06-02", heads=0, heads_basis="counted", location="sampola_meeting_place"),
    ]
    with served(portal.app) as address:
        log_in(page, address, portal, "case_worker")
        for name in ("people", "sessions"):
            page.set_viewport_size(NARROW)
            page.goto(f"{address}/{name}/lahde-mukaan")
            assert_nothing_overflows(page)
            page.screenshot(path=SCREENS / f"{name}-360.png", full_page=True)
            page.set_viewport_size(WIDE)
            page.screenshot(path=SCREENS / f"{name}-1280.png", full_page=True)
        page.goto(f"{address}/people/lahde-mukaan")
        assert page.get_by_role("rowheader").all_inner_texts()[0] == "Aino Esimerkki"


def _session(activity: str, day: str, **more: object) -> dict[str, object]:
    empty = dict.fromkeys(("start", "minutes", "location", "area", "attendances", "heads", "heads_basis"))
    return {"session": "0" * 32, "activity": activity, "occurred_on": day} | empty | more


def test_referrals_and_partners_are_worked_on_a_phone(page: Page, tmp_path: Path) -> None:
    portal = make_portal(str(tmp_path / "node.db"), "node")
    uas = "university_of_applied_sciences"
    states = [("in", "received"), ("in", "accepted"), ("in", "declined"), ("out", "sent"), ("out", "accepted")]
    portal.rpc.referrals = [
        documents.referral("Aino-Orvokki", "Esimerkki-Pitkäniminen", direction, state, referral=f"{n:02x}" * 16)
        for n, (direction, state) in enumerate(states)
    ]
    portal.rpc.people = [person("Aino-Orvokki", "Esimerkki-Pitkäniminen", person=documents.MADE)]
    nodes = [
        documents.node_row("leader_association", own=True, tag_key="has"),
        documents.node_row(uas, tag_key="waits"),
    ]
    nodes.append(documents.node_row("third", state="confirmed", tag_key="has"))
    portal.rpc.nodes = {"steward": "leader_association", "key_nos": [1, 2], "nodes": nodes}
    with served(portal.app) as address:
        log_in(page, address, portal, "coordinator")
        one = f"lahde-mukaan/{documents.MADE}"
        of_rights = [f"rights/{one}{page}" for page in ("", "/correct", "/erase", "/receipts")]
        for name in ("referrals/lahde-mukaan", f"refer/{one}", "partners/lahde-mukaan", *of_rights):
            for lang in ("sv", "en", "fi"):
                page.goto(f"{address}/{name}?lang={lang}")
                assert_nothing_overflows(page)
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            assert_nothing_overflows(page)
            kind = "-".join(part for part in name.split("/") if part not in one.split("/"))
            page.screenshot(path=SCREENS / f"{kind}-360.png", full_page=True)
        page.goto(f"{address}/rights/{one}/erase?what=support")
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Poista lopullisesti").click()
        assert page.get_by_role("status").inner_text() == "Tiedot on poistettu."
        assert portal.rpc.sent("end_purpose")["seen"] == documents.PREVIEW["seen"]
        page.goto(f"{address}/refer/lahde-mukaan/{documents.MADE}")
        page.get_by_label("nimi tai lempinimi").check()
        page.get_by_role("button", name="Lähetä").click()
        assert page.get_by_role("status").inner_text() == "Ohjaus lähtee."
        assert portal.rpc.sent("send_referral")["agreed"] == ["name"]


def test_the_door_and_an_outreach_encounter_are_worked_on_a_phone(page: Page, tmp_path: Path) -> None:
    portal = make_portal(str(tmp_path / "node.db"), "node")
    document = portal.rpc.listed[0]["document"]
    document["services"] = [{"key": "debt_advice", "name": {"fi": "Velkaneuvonta", "sv": "Skuldrådgivning"}}]
    document["areas"] = [{"key": "sampola", "name": {"fi": "Sampola"}}]
    portal.rpc.doors, portal.rpc.encounters = [documents.door()], [documents.encounter()]
    names = ["Nalle", "Sinikettu 7", "A.E.", "Pitkänokkahuru", "Ö", "Kissa", "M.T.", "0471"]
    portal.rpc.regulars = [(f"{n:02x}" * 16, name, n % 3 == 0) for n, name in enumerate(names)]
    portal.rpc.people = [person("", "", "Nalle", standing="visitor", person=documents.MADE)]
    paths = {
        "door": "door/lahde-mukaan",
        "at-door": f"door/lahde-mukaan/{documents.MADE}",
        "encounters": "encounters/lahde-mukaan",
        "encounter": f"encounters/lahde-mukaan/{documents.MADE}",
        "standing": f"standing/lahde-mukaan/{documents.MADE}",
    }
    with served(portal.app) as address:
        log_in(page, address, portal, "case_worker")
        for name, path in paths.items():
            for lang in ("sv", "en", "fi"):
                page.goto(f"{address}/{path}?lang={lang}")
                page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
                assert_nothing_overflows(page)
            page.screenshot(path=SCREENS / f"{name}-360.png", full_page=True)
        page.goto(f"{address}/{paths['at-door']}")
        shown = page.locator("main").inner_text()
        assert "Esimerkki" not in shown
        page.get_by_role("button", name="Sinikettu 7").click()
        assert portal.rpc.sent("tap_visitor")["there"] is True
        page.get_by_role("button", name="Uusi nainen +1").click()
        page.get_by_role("button", name="Peru viimeisin").click()
        assert portal.rpc.sent("tap_door")["tap"] == "undo"
        page.goto(f"{address}/{paths['encounters']}")
        page.get_by_label("Uusia").fill("3")
        page.get_by_label("Raha ja velat").check()
        page.get_by_role("button", name="Tallenna").click()
        assert page.get_by_role("status").inner_text() == "Kohtaaminen on tallennettu."
        (item,) = portal.rpc.sent("record_encounters")["items"]
        assert (item["people_new"], item["people_known"], item["topics"]) == (3, None, ["finances"])
