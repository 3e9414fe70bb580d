"""A case worker's week and a controller's visit, on a phone against real homes; what each task costs is counted.

A task begins on the start page. Counted are taps (a native picker of a day is four), fields typed into and pages
loaded; a task that needs more than is written down here fails. The table of all tasks is printed at the end (-s).
Leaves pictures in build/screens, to be looked at.
"""

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from shared.ops.settings import load_home
from shared.programmes.files import programme_file
from shared.testing.wait import until
from tests.browser.chromium import CHROMIUM, NARROW, SCREENS, assert_nothing_overflows
from tests.flows.kit import Pair, Site, joined_pair
from tests.services.node.sets import write_set
from tests.services.portal.samples import PASSWORD

pytestmark = [pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"), pytest.mark.slow]

KEY = "suunta-yhdessa"
"""Project 4, which has the schedule of its questionnaires in its file; with more beside it."""
OF = {"programme": KEY, "partner": "implementer"}
PROVED = {"form_version": "esf_2014_2020", "form_signed_on": "2021-06-01", "form_kept": "Kansio 1"}
PERSON = OF | {
    **{"standing": "esf_participant", "gender": "f", "target_group": "unemployed", "labour_status": "unemployed"},
    **{"start_date": "2021-06-01", "birth_date": "1990-03-02", "unemployed_months": "14", "education": "3"},
    **{"municipality": "491", "foreign_background": "no", "minority": "no", "disability": "no"},
    **{"other_disadvantage": "no", "paid_by_project": "no"},
}
MORE = """\
followup:
  after_days: 180
tasks:
  - key: ask
    name: {fi: Kysy matkan varrella}
    opens: {on: participation_started}
    due_days: 180
    closes: {on: answers_recorded, instrument: three_items, occasion: interim}
"""
GROUP = [("Aino", "Apila"), ("Bertta", "Burmanni"), ("Cecilia", "Cembali"), ("Daavid", "Delfiini")]
"""Names of flowers and things, of nobody."""


@dataclass
class Cost:
    """What one task has cost so far."""

    task: str
    most: tuple[int, int, int]
    taps: int = 0
    fields: int = 0
    loads: int = 0

    @property
    def spent(self) -> tuple[int, int, int]:
        return (self.taps, self.fields, self.loads)

    def __str__(self) -> str:
        parts = (f"{spent:3} of {most:3}" for spent, most in zip(self.spent, self.most, strict=True))
        return f"{self.task:<44} {'   '.join(parts)}"


@dataclass
class Hand:
    """A thumb on one phone, and what its tasks have cost."""

    page: Page
    address: str
    costs: list[Cost] = field(default_factory=list)

    @contextmanager
    def task(self, name: str, *, taps: int, fields: int, loads: int) -> Iterator[None]:
        """A task, from the start page on, that may cost so much."""
        self.page.goto(self.address)
        self.costs.append(Cost(name, (taps, fields, loads)))
        yield
        cost = self.costs[-1]
        assert all(spent <= most for spent, most in zip(cost.spent, cost.most, strict=True)), str(cost)

    def tap(self, target: Locator) -> None:
        self.costs[-1].taps += 1
        target.tap()

    def go(self, target: Locator) -> None:
        """A tap that loads a page."""
        self.costs[-1].loads += 1
        with self.page.expect_navigation():
            self.tap(target)

    def link(self, name: str) -> None:
        self.go(self.page.get_by_role("link", name=re.compile(f"^{name}")).first)

    def button(self, name: str) -> None:
        self.go(self.page.get_by_role("button", name=name, exact=True))

    def choose(self, name: str, value: str) -> None:
        """One of several, or a tick."""
        self.tap(self.page.locator(f"input[name='{name}'][value='{value}']"))

    def write(self, at: str, text: str) -> None:
        self.costs[-1].fields += 1
        self.costs[-1].taps += 1
        self.page.fill(at, text)

    def day(self, at: str, value: str) -> None:
        """A day by the phone's own picker."""
        self.costs[-1].taps += 4
        self.page.fill(at, value)

    def select(self, at: str, value: str) -> None:
        """One of a list: open it, choose."""
        self.costs[-1].taps += 2
        self.page.select_option(at, value)

    def saw(self, *said: str) -> None:
        shown = self.page.locator("main").inner_text()
        assert all(text in shown for text in said), (said, shown)

    def picture(self, name: str) -> None:
        assert_nothing_overflows(self.page)
        self.page.screenshot(path=SCREENS / f"week-{name}-360.png", full_page=True)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A lead and its node with a group of four, a Swedish-speaking client, and one who left half a year ago."""
    folder = tmp_path_factory.mktemp("week")
    file, csv = folder / f"{KEY}.yaml", folder / "csv"
    text = programme_file(KEY).read_text(encoding="utf-8")
    assert text.count("\ntasks:\n") == 1
    file.write_text(text.replace("\ntasks:\n", f"\n{MORE}"), encoding="utf-8")
    csv.mkdir()
    people = [
        PERSON | PROVED | {"ref": f"p{n}", "given_name": given, "family_name": family}
        for n, (given, family) in enumerate(GROUP)
    ]
    people[1] |= dict.fromkeys(PROVED, "")
    client = {"ref": "client", "standing": "client", "given_name": "Lempi", "family_name": "Lupiini"}
    people.append(OF | client | {"service_language": "sv"})
    people.append(PERSON | PROVED | {"ref": "left", "given_name": "Maire", "family_name": "Mesikämmen"})
    held = OF | {"ref": "s1", "activity": "inclusion_group", "date": "2021-12-10", "minutes": "120", "location": "site"}
    heads = OF | {"activity": "network_meeting", "date": "2021-11-02"}
    sessions = [
        held,
        heads | {"ref": "h1", "headcount": "12", "headcount_basis": "counted"},
        heads | {"ref": "h2", "headcount": "30", "headcount_basis": "estimated"},
    ]
    there = [{"session": "s1", "participant": f"p{n}", "role": "participant", "minutes": "120"} for n in range(3)]
    asked = {"instrument": "three_items", "version": "1", "occasion": "baseline", "date": "2021-06-01"}
    answers = [asked | {"participant": f"p{n}", "item": "work_ability", "value": "5"} for n in range(4)]
    gone = {"participant": "left", "programme": KEY, "date": "2021-12-01", "reason": "completed", "next": "education"}
    write_set(csv, people, sessions, there, assessments=answers, exits=[gone])
    with joined_pair(folder, programme=file, partner="implementer") as made:
        made.node.polku("import", str(csv))
        yield made


@contextmanager
def phone(browser: Browser, site: Site, name: str, role: str) -> Iterator[Hand]:
    """Somebody's phone, logged in; fails if a page's policy was broken. The costs are printed at the end."""
    page = browser.new_context(viewport=NARROW, locale="fi-FI", has_touch=True, is_mobile=True).new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if "Content Security Policy" in m.text else None)
    one_time, address = site.polku("user", "add", name, "--role", role).split()[-1], load_home(site.path).port
    hand = Hand(page, f"http://127.0.0.1:{address}/")
    page.goto(hand.address)
    page.fill("[name=name]", name)
    page.fill("[name=password]", one_time)
    page.get_by_role("button", name="Kirjaudu sisään").tap()
    for at, typed in (("old", one_time), ("new", PASSWORD), ("again", PASSWORD)):
        page.fill(f"[name={at}]", typed)
    page.get_by_role("button", name="Tallenna salasana").tap()
    page.get_by_role("heading", name="Hankkeet", level=1).wait_for()
    yield hand
    page.context.close()
    assert complaints == []
    heading = f"{name + ', ' + role:<44} {'taps':<10}   {'fields':<10}   loads"
    sys.stdout.write("\n".join(["", heading, *map(str, hand.costs), ""]))


def test_a_case_workers_week(pair: Pair, browser: Browser) -> None:
    with phone(browser, pair.node, "anna", "case_worker") as hand:
        _take_on(pair)
        _street_and_drop_in(hand)
        _group_and_talk(hand)
        _questionnaire_round(hand)
        _start_form_in_swedish(hand)
        _exit_talk(hand)
        _six_month_call(hand)
    with phone(browser, pair.node, "kaisa", "case_worker") as colleague:  # Anna is ill
        with colleague.task("colleague takes the group's register", taps=6, fields=0, loads=3):
            colleague.link("Läsnäolot")
            colleague.link("Osallisuusryhmä")
            last = colleague.page.get_by_role("group", name="Viimeksi paikalla").get_by_role("checkbox")
            assert last.count() == 4, "whom Anna had last time"
            for n in range(3):
                colleague.tap(last.nth(n))
            colleague.button("Tallenna läsnäolot")
            colleague.saw("Paikalla 3.")
        with colleague.task("colleague takes over all of Anna's people", taps=9, fields=0, loads=3):
            colleague.link("Siirrä ihmisiä")
            colleague.select("[name=worker]", "anna")
            colleague.button("Näytä")
            colleague.select("[name=to]", "kaisa")
            colleague.select("[name=reason]", "absent")
            colleague.picture("handover")
            colleague.button(f"Siirrä kaikki, joka hankkeessa ({len(GROUP)})")
            colleague.saw("kaisa")
    with closing(sqlite3.connect(pair.node.path / "node.db")) as database:
        met = "SELECT count(*) FROM pathways_task WHERE rule = 'ask' AND state = 'met'"
        until(lambda: database.execute(met).fetchone() == (4,), 20)
    figures = {row["group"]: row for row in pair.wait_until_arrived()["activities"]}
    assert (figures["inclusion_activity"]["sessions"], figures["inclusion_activity"]["attendances"]) == (3, 10)
    assert figures["individual_coaching"]["sessions"] == 1


def _take_on(pair: Pair) -> None:
    """The group are Anna's people, are reached and were informed so, as a coordinator's files say."""
    csv = pair.node.path.parent / "csv"
    rows = [f"p{n},{KEY},anna\n" for n in range(len(GROUP))]
    (csv / "workers.csv").write_text("participant,programme,worker\n" + "".join(rows))
    rows = [f"p{n},{KEY},040 111-22 0{n},,call\n" for n in range(len(GROUP))]
    (csv / "contacts.csv").write_text("participant,programme,phone,email,contact_way\n" + "".join(rows))
    rows = [f"p{n},2,so,measurement,2021-06-0{n + 1}\n" for n in range(len(GROUP))]
    (csv / "informed.csv").write_text("ref,notice,language,consents,occurred_on\n" + "".join(rows))
    pair.node.polku("import", str(csv))
    with closing(sqlite3.connect(pair.node.path / "node.db")) as database:
        told = database.execute("SELECT occurred_on, notice, consents FROM intake_informed ORDER BY 1").fetchall()
        assert told[1:] == [(f"2021-06-0{n + 1}", 2, "measurement") for n in range(1, len(GROUP))]
        (subject,) = database.execute("SELECT lower(hex(subject)) FROM intake_caseload").fetchone()
    assert '"phone": "04011122' in pair.node.polku("person", "contact", KEY, subject)


def _street_and_drop_in(hand: Hand) -> None:
    with hand.task("street at night: heads with undo, topic", taps=11, fields=0, loads=10):
        hand.link("Ovi")
        hand.button("Aloita")
        for tap in ("Uusi +1", "Uusi +1", "Tuttu +1", "Uusi +1", "Peru viimeisin"):
            hand.button(tap)
        assert hand.page.locator(".count-number").inner_text() == "3"
        hand.picture("street")
        hand.button("Valmis, tallenna")
        hand.link("Lisää aiheet")
        hand.choose("topics", "health")
        hand.button("Tallenna")
        hand.saw("Kohtaaminen on tallennettu.")
    with hand.task("drop-in: two by nickname, one head", taps=10, fields=2, loads=6):
        hand.link("Ovi")
        hand.select("#location", "site")
        hand.button("Aloita")
        for nickname in ("Kissa", "Sinikettu"):
            hand.write("#token", nickname)
            hand.button("Lisää kävijä")
        hand.button("Uusi +1")
        hand.picture("drop-in")
        hand.button("Valmis, tallenna")
        hand.saw("Tallennettu.")


def _group_and_talk(hand: Hand) -> None:
    with hand.task("group: register of four", taps=8, fields=0, loads=3):
        hand.link("Läsnäolot")
        hand.link("Osallisuusryhmä")
        last = hand.page.get_by_role("group", name="Viimeksi paikalla").get_by_role("checkbox")
        for n in range(last.count()):
            hand.tap(last.nth(n))
        hand.tap(hand.page.get_by_text("Kaikki muut"))
        hand.tap(hand.page.get_by_label("Daavid Delfiini"))
        hand.button("Tallenna läsnäolot")
        hand.saw("Paikalla 4.")
    with hand.task("talk with note and next meeting", taps=9, fields=2, loads=2):
        hand.link("Keskustelu")
        hand.write("#who", "Aino")
        hand.tap(hand.page.get_by_label("Työ ja opiskelu"))
        hand.write("#note", "Haluaa puutarhalle.")
        hand.day("#next_on", "2021-12-31")
        hand.button("Tallenna")
        hand.saw("Aino Apila", "Haluaa puutarhalle.")


def _questionnaire_round(hand: Hand) -> None:
    with hand.task("questionnaire round of four", taps=23, fields=0, loads=11):
        hand.link("Kyselykierros")
        hand.link("Osallisuusryhmä")
        hand.saw("Täytettävänä 4", "välikartoitus", "Kolme omaa arviota")
        hand.picture("round")
        hand.link("Aloita kierros")
        for n in range(4):
            for item in ("work_ability", "functioning"):
                hand.choose(f"item.{item}", str(5 + n))
            hand.choose("item.life_satisfaction", "none")
            if n == 0:
                hand.picture("questionnaire")
            hand.button("Tallenna vastaukset")
            hand.saw("Kiitos!")
            if n == 0:
                hand.picture("questionnaire-thanks")
            hand.link("Seuraava")
        hand.saw("Kenenkään vuoro ei ole nyt.")


def _start_form_in_swedish(hand: Hand) -> None:
    page = hand.page
    with hand.task("start form in Swedish", taps=30, fields=3, loads=3):
        hand.link("Ihmiset")
        hand.go(page.get_by_role("row", name="Lempi Lupiini").get_by_role("link", name="Aloitusilmoitus"))
        assert page.get_by_text("Situation på arbetsmarknaden").is_visible(), "the person's language"
        hand.choose("paid_by_project", "no")
        hand.day("#start_date", "2021-12-20")
        hand.day("#birth_date", "1991-05-04")
        hand.select("#target_group", "unemployed")
        hand.write("#municipality", "491")
        hand.choose("gender", "f")
        hand.choose("labour_status", "unemployed")
        hand.write("#unemployed_months", "14")
        hand.select("#education", "3")
        for question in ("foreign_background", "minority", "disability", "other_disadvantage"):
            hand.choose(question, "no")
        hand.day("#form_signed_on", "2021-12-20")
        hand.choose("form_help", "self")
        hand.write("#form_kept", "Kansio 2")
        hand.button("Tallenna")
        hand.saw("tiedot ovat täydet")


def _exit_talk(hand: Hand) -> None:
    page = hand.page
    with hand.task("exit talk with its questionnaire", taps=23, fields=1, loads=5):
        hand.link("Ihmiset")
        hand.go(page.get_by_role("row", name="Cecilia Cembali").get_by_role("link", name="Lopettaminen"))
        assert "three_items" not in page.locator("main").inner_text()
        hand.write("#wishes", "Puutarhalle töihin.")
        hand.day("#date", "2021-12-31")
        hand.choose("reason", "completed")
        hand.choose("results", "education")
        hand.select("#next", "education")
        hand.choose("may_call", "yes")
        hand.day("#form_signed_on", "2021-12-31")
        hand.choose("form_help", "self")
        hand.button("Tallenna")
        hand.saw("Tallennettu.")
        hand.picture("exit")
        hand.link("Kolme omaa arviota")
        hand.saw("loppukartoitus", "Cecilia Cembali")
        for item in ("work_ability", "functioning", "life_satisfaction"):
            hand.choose(f"item.{item}", "8")
        hand.button("Tallenna vastaukset")
        hand.saw("Kiitos!")


def _six_month_call(hand: Hand) -> None:
    with hand.task("six-month call", taps=6, fields=0, loads=4):
        hand.link("Puuttuva näyttö")
        hand.link("Jälkiseuranta")
        hand.go(hand.page.get_by_role("row", name="Maire Mesikämmen").get_by_role("link"))
        hand.choose("status", "reached")
        hand.tap(hand.page.locator("form[action$='/asked'] input[name=results][value=education]"))
        hand.button("Kirjaa yhteydenotto")
        hand.saw("Yhteydenotto on kirjattu.")


def test_a_controllers_visit(pair: Pair, browser: Browser, tmp_path: Path) -> None:
    report = pair.wait_until_arrived()
    file = tmp_path / "sample.json"
    with phone(browser, pair.lead, "raili", "reporter") as lead:
        with lead.task("lead: the sample is drawn", taps=3, fields=1, loads=1):
            lead.link("Tarkastajan otos")
            lead.write("#size", "3")
            with lead.page.expect_download() as drawn:
                lead.tap(lead.page.get_by_role("button", name="Arvo ja lataa tiedosto"))
            drawn.value.save_as(file)
    with phone(browser, pair.node, "niina", "coordinator") as hand:
        page = hand.page
        with hand.task("which forms are missing", taps=1, fields=0, loads=1):
            hand.link("Puuttuva näyttö")
            hand.saw("Bertta Burmanni")
            hand.picture("evidence")
        with hand.task("the drawn people with their signed forms", taps=3, fields=0, loads=2):
            hand.link("Tarkastajan otos")
            hand.costs[-1].taps += 1
            page.set_input_files("#file", file)
            hand.go(page.locator("main button[type=submit]"))
            assert page.locator(".sheet").count() == 3
            hand.picture("sample")
            assert len(page.pdf()) > 1000
        with hand.task("an attendance list on paper", taps=3, fields=0, loads=3):
            hand.link("Kerrat")
            hand.link("Osallisuustoiminta")
            hand.picture("sessions")
            hand.go(page.locator("tbody th a").last)
            hand.saw("Läsnäololista", "Aino Apila", "10.12.2021", "osallistuja")
            hand.picture("attendance-list")
            assert len(page.pdf()) > 1000
        with hand.task("which head-counts are behind a figure", taps=2, fields=0, loads=2):
            hand.link("Kerrat")
            hand.link("Verkostoyhteistyö")
            hand.saw("laskettu 12", "arvioitu 30")
            assert page.locator("tbody tr").count() == 2
            hand.picture("heads")
    heads = next(row for row in report["activities"] if row["group"] == "networks")
    assert (heads["sessions"], heads["heads"]) == (2, 42), "what the rows come to is what the report says"
