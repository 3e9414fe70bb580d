"""A person's way through the forms on a phone, against a real home: start form in Swedish, evidence, leaving.

Leaves pictures in build/screens, to be looked at.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from services.node.control import connect
from shared.journal.crypto import load_keys
from shared.journal.sealed import seal_command
from shared.ops.settings import load_home
from shared.programmes.files import programme_file
from shared.testing.wait import until
from tests.browser.chromium import CHROMIUM, NARROW, SCREENS, assert_nothing_overflows, begin
from tests.flows.kit import Site, free_port_triple
from tests.services.kit import key_of
from tests.services.portal.samples import PASSWORD

pytestmark = [pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"), pytest.mark.slow]

FOUR = "suunta-yhdessa"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Site]:
    """A node of project 4 alone, with one client who is served in Swedish."""
    made = Site(tmp_path / "node", "node")
    made.polku("init", "--role", "node", "--name", "mikkeli", "--port", str(free_port_triple()))
    try:
        made.up()
        made.polku("programme", "load", str(programme_file(FOUR)))
        home = load_home(made.path)
        bus_key, rpc = load_keys(home.keys).newest("bus").public, connect(home.socket)
        assert bus_key is not None
        assert rpc is not None
        identity = {"given_name": "Lempi", "family_name": "Lupiini"}
        item = {"key": key_of("lempi"), "standing": "client", "gender": "unknown", "service_language": "sv"}
        item["sealed"] = seal_command(bus_key, identity)
        rpc.call("intake", "register_participants", programme=FOUR, by="cli:test", items=[item])
        rpc.close()
        yield made
    finally:
        made.down()


@pytest.fixture
def phone(node: Site, browser: Browser) -> Iterator[Page]:
    """A Finnish case worker's phone, logged in; fails if a page's policy was broken."""
    complaints: list[str] = []
    page = browser.new_context(viewport=NARROW, locale="fi-FI", has_touch=True, is_mobile=True).new_page()
    page.on("console", lambda m: complaints.append(m.text) if "Content Security Policy" in m.text else None)
    one_time = node.polku("user", "add", "anna", "--role", "case_worker").split()[-1]
    begin(page, f"http://127.0.0.1:{load_home(node.path).port}", "anna", one_time, PASSWORD)
    yield page
    page.context.close()
    assert complaints == []


def picture(page: Page, name: str) -> None:
    assert_nothing_overflows(page)
    page.screenshot(path=SCREENS / f"{name}-360.png", full_page=True)


def pick(page: Page, name: str, value: str) -> None:
    page.locator(f"input[name={name}][value={value}]").check()


def save(page: Page) -> None:
    page.get_by_role("button", name="Tallenna", exact=True).click()


def test_a_start_form_in_swedish_is_filled_in_proved_and_the_person_leaves_with_a_plan(node: Site, phone: Page) -> None:
    address = phone.url.rstrip("/")
    phone.goto(f"{address}/people/{FOUR}")
    phone.get_by_role("link", name="Aloitusilmoitus").click()
    assert phone.get_by_text("Situation på arbetsmarknaden").is_visible(), "the person's language, not the worker's"
    pick(phone, "paid_by_project", "no")
    phone.fill("#start_date", "2020-02-03")
    phone.fill("#birth_date", "1991-05-04")
    phone.select_option("#target_group", "unemployed")
    pick(phone, "gender", "f")
    pick(phone, "labour_status", "inactive")
    for question in ("foreign_background", "disability", "other_disadvantage"):
        pick(phone, question, "no")
    pick(phone, "minority", "refused")
    save(phone)
    assert "allekirjoitetun lomakkeen" in phone.get_by_role("alert").inner_text(), "a refusal needs its proof"
    phone.fill("#form_signed_on", "2020-02-03")
    pick(phone, "form_help", "with_help")
    phone.fill("#form_kept", "Kaappi kolme")
    save(phone)
    said = phone.locator(".panel").inner_text()
    assert "Ylin suoritettu koulutus" in said
    assert "Ikä aloituspäivänä: 28" in said
    assert "Ei sovi valittuun kohderyhmään" in said
    picture(phone, "start-record-incomplete")

    phone.goto(f"{address}/evidence/{FOUR}")
    assert "Ylin suoritettu koulutus" in phone.locator("main").inner_text()
    picture(phone, "evidence")
    phone.get_by_role("link", name="Aloitusilmoitus").click()
    phone.select_option("#education", "3")
    pick(phone, "labour_status", "unemployed")
    phone.fill("#unemployed_months", "14")
    save(phone)
    assert "tiedot ovat täydet" in phone.locator(".panel").inner_text()
    picture(phone, "start-record")
    phone.goto(f"{address}/evidence/{FOUR}")
    left = phone.locator("main").inner_text()
    assert "Ylin suoritettu koulutus" not in left
    assert "kerrottu henkilötietojen käsittelystä" in left, "that is all that is still to be looked at"

    phone.goto(f"{address}/people/{FOUR}")
    phone.get_by_role("link", name="Oma suunnitelma").click()
    phone.fill("#new_goal0", "Puutarhalle kesäksi")
    phone.fill("#new_goal1", "Turha tavoite")
    phone.select_option("#next", "education")
    phone.get_by_label("Suunnitelma on valmis").check()
    save(phone)
    picture(phone, "plan")
    phone.locator("select[id^=state-]").nth(1).select_option("out")
    save(phone)
    with sqlite3.connect(node.path / "node.db") as database:
        until(lambda: database.execute("SELECT count(*) FROM intake_text").fetchone() == (1,), 20)
    phone.get_by_role("link", name="Tulosta hänelle").click()
    assert "Min egen plan" in phone.locator("main").inner_text()
    assert "Utbildning" in phone.locator("main").inner_text()
    picture(phone, "plan-copy")

    phone.goto(f"{address}/people/{FOUR}")
    phone.get_by_role("link", name="Lopettaminen").click()
    assert phone.locator("#planned").input_value() == "education", "what the ready plan names"
    phone.select_option("#planned", "")
    phone.fill("#wishes", "Puutarhalle töihin.")
    phone.fill("#date", "2021-03-01")
    pick(phone, "reason", "completed")
    pick(phone, "results", "job_search")
    phone.select_option("#next", "ready_plan")
    pick(phone, "may_call", "yes")
    phone.fill("#form_signed_on", "2021-03-01")
    save(phone)
    assert "Valmis suunnitelma kertoo" in phone.get_by_role("alert").inner_text(), "project 4's rule"
    phone.select_option("#planned", "education")
    save(phone)
    assert phone.get_by_role("status").inner_text() == "Tallennettu."
    assert phone.locator("#wishes").input_value() == "Puutarhalle töihin."
    picture(phone, "exit-record")

    with sqlite3.connect(node.path / "node.db") as database:
        left = database.execute("SELECT end_next, end_planned, end_results FROM intake_participation").fetchall()
        started = database.execute("SELECT count(*) FROM journal_line WHERE kind = 'intake.participation_started'")
        assert (left, started.fetchone()) == ([("ready_plan", "education", "job_search")], (2,))
    assert b"Kaappi" not in b"".join(file.read_bytes() for file in node.path.glob("node.db*"))
