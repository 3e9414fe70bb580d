"""A case worker's day on a phone, against a real home: conversation, register of twelve, head-counter; in a browser.

Prints how long a conversation takes by the Keystroke-Level Model (Card, Moran and Newell 1983) with what the browser
really did: taps, keys, swipes, measured answers. Leaves pictures in build/screens, to be looked at.
"""

import math
import re
import sqlite3
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from shared.ops.settings import load_home
from shared.testing.wait import until
from tests.browser.chromium import CHROMIUM, NARROW, SCREENS, assert_nothing_overflows, begin
from tests.flows.kit import PROGRAMME, Pair, figures, joined_pair
from tests.services.node.sets import ATTENDANCE, PERSON, SESSION, write_set
from tests.services.portal.samples import PASSWORD, SAME_ORIGIN

pytestmark = [pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"), pytest.mark.slow]

NAMES = [
    ("Aino", "Apila"), ("Bertta", "Burmanni"), ("Cecilia", "Cembali"), ("Daavid", "Delfiini"),
    ("Eero", "Ebenpuu"), ("Fanni", "Fenkoli"), ("Gunnar", "Gerbera"), ("Helmi", "Hiirenvirna"),
    ("Iivo", "Inkivääri"), ("Juulia", "Jasmiini"), ("Kauko", "Kielo"), ("Lempi", "Lupiini"),
    ("Maire", "Mesikämmen"), ("Niilo", "Näsiä"),
]  # fmt: skip
"""Names of flowers and things, of nobody."""
NOTE = "Velkaneuvonta-aika varattu, luottotiedot-menivät. Uni parempi."
ACTION = "Soittaa Ulosottoon"
SAID = ["luottotiedot-menivät", "Velkaneuvonta-aika", "Ulosottoon"]


@dataclass
class Hand:
    """A thumb on a phone: does what is asked and counts what it costs.

    Seconds: a tap 1.1 (pointing), a decision before it 1.35 (mental preparation), both Card et al.; a letter 0.33
    (36 words a minute on phones, Palin et al. 2019); a swipe 1.1. Native pickers of day and time: four taps.
    """

    page: Page
    taps: int = 0
    keys: int = 0
    thoughts: int = 0
    swipes: int = 0
    waited: float = 0.0
    steps: list[str] = field(default_factory=list)

    def tap(self, target: Locator) -> None:
        self.taps += 1
        self.thoughts += 1
        before = self._at()
        target.tap()
        self._swiped(before)

    def write(self, target: Locator, text: str) -> None:
        self._reach(target)
        self.taps += 1
        self.thoughts += 1
        self.keys += len(text)
        target.tap()
        target.press_sequentially(text)

    def pick(self, target: Locator, value: str) -> None:
        """A day or a time by the phone's own picker."""
        self._reach(target)
        self.taps += 4
        self.thoughts += 1
        target.fill(value)

    def go(self, target: Locator, path: str) -> None:
        """A tap that loads a page, whose answer is waited for."""
        self._reach(target)
        self.taps += 1
        begun = time.monotonic()
        target.tap()
        self.page.wait_for_url(re.compile(path))
        self.page.wait_for_load_state()
        self.waited += time.monotonic() - begun

    def _reach(self, target: Locator) -> None:
        before = self._at()
        target.scroll_into_view_if_needed()
        self._swiped(before)

    def _at(self) -> float:
        return float(self.page.evaluate("scrollY"))

    def _swiped(self, before: float) -> None:
        """A swipe moves about half a screen."""
        self.swipes += math.ceil(abs(self._at() - before) / (NARROW["height"] / 2))

    @property
    def seconds(self) -> float:
        return self.taps * 1.1 + self.keys * 0.33 + self.thoughts * 1.35 + self.swipes * 1.1 + self.waited

    def __str__(self) -> str:
        done = f"{self.taps} taps, {self.keys} letters, {self.thoughts} decisions, {self.swipes} swipes"
        return f"{done}, {self.waited:.1f} s of answers: {self.seconds:.0f} s"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A node with fourteen people, twelve of whom were at the last session of a group."""
    folder = tmp_path_factory.mktemp("recording")
    people = [
        PERSON | {"ref": f"p{n}", "given_name": given, "family_name": family, "start_date": "2016-02-01"}
        for n, (given, family) in enumerate(NAMES)
    ]
    there = [ATTENDANCE | {"participant": f"p{n}"} for n in range(12)]
    csv = folder / "csv"
    csv.mkdir()
    write_set(csv, people, [SESSION | {"minutes": "120", "location": "sampola_meeting_place"}], there)
    with joined_pair(folder) as made:
        made.node.polku("import", str(csv))
        yield made


@pytest.fixture(scope="module")
def phone(browser: Browser, pair: Pair) -> Iterator[Page]:
    """A case worker's phone, logged in; fails if a page's policy was broken."""
    context = browser.new_context(viewport=NARROW, locale="fi-FI", has_touch=True, is_mobile=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if "Content Security Policy" in m.text else None)
    first = re.search(
        r"password\D*?: *(\S+)|(\S+)\s*$", pair.node.polku("user", "add", "anna", "--role", "case_worker")
    )
    assert first is not None
    one_time = next(group for group in first.groups() if group)
    begin(page, address(pair), "anna", one_time, PASSWORD)
    yield page
    context.close()
    assert complaints == []


def address(pair: Pair) -> str:
    return f"http://127.0.0.1:{load_home(pair.node.path).port}"


def picture(page: Page, name: str) -> None:
    assert_nothing_overflows(page)
    page.screenshot(path=SCREENS / f"{name}-360.png", full_page=True)


def group(pair: Pair, name: str) -> tuple[int, int | None, int | None]:
    return figures(pair.wait_until_arrived())[name]


def test_a_conversation_is_recorded_in_less_than_90_seconds(pair: Pair, phone: Page) -> None:
    phone.goto(address(pair))
    picture(phone, "start-node")
    hand = Hand(phone)
    hand.go(phone.get_by_role("link", name="Keskustelu"), "/conversation/")
    picture(phone, "conversation")
    hand.write(phone.get_by_label(re.compile("nimen alku")), "gunn")
    hand.tap(phone.get_by_label("puhelu"))
    for topic in ("Raha ja velat", "Terveys", "Arki ja vapaa-aika"):
        hand.tap(phone.get_by_label(topic))
    hand.write(phone.get_by_label("Muistiinpano"), NOTE)
    hand.write(phone.get_by_label("1. sovittu asia"), ACTION)
    hand.pick(phone.get_by_label("Mihin mennessä").first, "2017-06-05")
    hand.pick(phone.locator("#next_on"), "2017-06-07")
    hand.pick(phone.locator("#next_start"), "09:30")
    picture(phone, "conversation-filled")
    hand.go(phone.get_by_role("button", name="Tallenna"), "saved=1")
    picture(phone, "conversation-saved")
    say(f"conversation: {hand}")
    assert hand.seconds < 90
    assert phone.get_by_role("status").inner_text() == "Tallennettu."
    shown = phone.locator("main").inner_text()
    for text in ("Gunnar Gerbera", NOTE, ACTION, "5.6.2017", "7.6.2017 klo\u00a09.30", "Terveys"):
        assert text in shown, text
    assert group(pair, "individual_coaching") == (1, 1, None)


def test_the_next_talk_with_the_same_person_needs_one_tap_to_name_them(pair: Pair, phone: Page) -> None:
    phone.goto(address(pair))
    hand = Hand(phone)
    hand.go(phone.get_by_role("link", name="Keskustelu"), "/conversation/")
    hand.tap(phone.get_by_label("Gunnar Gerbera"))
    hand.go(phone.get_by_role("button", name="Tallenna"), "saved=1")
    say(f"short conversation: {hand}")
    assert hand.seconds < 15
    assert group(pair, "individual_coaching") == (2, 1, None)
    phone.get_by_text("Kirjattiinko vahingossa?").tap()
    picture(phone, "conversation-remove")
    follow(phone, phone.get_by_role("button", name="Poista kirjaus"))
    phone.get_by_text("Kirjaus on poistettu.").wait_for()
    assert group(pair, "individual_coaching") == (1, 1, None)


def test_a_slip_is_corrected_from_what_was_saved(pair: Pair, phone: Page) -> None:
    phone.goto(f"{address(pair)}/conversation/{PROGRAMME}")
    phone.get_by_label(re.compile("Joku muu")).fill("Helmi")
    phone.get_by_label("Muistiinpano").fill(SAID[0])
    phone.get_by_label("Minuuttia").fill("500")
    follow(phone, phone.get_by_role("button", name="Tallenna"))
    follow(phone, phone.get_by_role("link", name="Korjaa"))
    assert phone.get_by_label("Muistiinpano").input_value() == SAID[0]
    assert phone.get_by_label("Helmi Hiirenvirna").is_checked()
    phone.get_by_label("Minuuttia").fill("50")
    picture(phone, "conversation-correct")
    follow(phone, phone.get_by_role("button", name="Tallenna"))
    phone.get_by_text("Tallennettu.").wait_for()
    assert group(pair, "individual_coaching") == (2, 2, None)
    until(lambda: count(pair, "SELECT count(*) FROM intake_text") == 3, 20)  # the replaced note is gone
    follow(phone, phone.get_by_role("link", name="Kirjaa seuraava"))
    phone.get_by_label(re.compile("Joku muu")).fill("kukaan tuntematon")
    follow(phone, phone.get_by_role("button", name="Tallenna"))
    phone.get_by_role("alert").wait_for()
    picture(phone, "conversation-refused")


def test_the_register_of_twelve_is_one_tap_a_person(pair: Pair, phone: Page) -> None:
    phone.goto(address(pair))
    hand = Hand(phone)
    hand.go(phone.get_by_role("link", name="Läsnäolot"), "/register/")
    picture(phone, "register-choose")
    hand.go(phone.get_by_role("link", name="Kaapeli"), "activity=kaapeli")
    last = phone.get_by_role("group", name="Viimeksi paikalla").get_by_role("checkbox")
    assert last.count() == 12
    picture(phone, "register")
    for n in range(12):
        hand.tap(last.nth(n))
    phone.screenshot(path=SCREENS / "register-ticked-360.png")
    hand.go(phone.get_by_role("button", name="Tallenna läsnäolot"), "saved=1")
    say(f"register of twelve: {hand}")
    assert hand.taps == 15
    assert hand.seconds < 60
    assert "Paikalla 12." in phone.get_by_role("status").inner_text()
    assert group(pair, "community_coaching") == (2, 12, None)
    assert attendances(pair) == 24
    phone.get_by_role("group", name="Paikalla").get_by_label("Aino Apila").uncheck()
    phone.get_by_text("Kaikki muut").tap()
    phone.get_by_label("Niilo Näsiä").check()
    picture(phone, "register-mended")
    follow(phone, phone.get_by_role("button", name="Tallenna läsnäolot"))
    phone.get_by_text("Paikalla 12.").wait_for()
    assert group(pair, "community_coaching") == (2, 13, None)
    assert attendances(pair) == 24


def attendances(pair: Pair) -> int:
    report = pair.wait_until_arrived()
    return next(int(row["attendances"]) for row in report["activities"] if row["group"] == "community_coaching")


def test_taps_count_once_through_undo_double_sending_and_a_broken_line(pair: Pair, phone: Page) -> None:
    phone.goto(address(pair))
    follow(phone, phone.get_by_role("link", name="Kävijälaskuri"))
    picture(phone, "counter")
    phone.get_by_label("Yleisötapahtuma").check()
    follow(phone, phone.get_by_role("button", name="Aloita laskeminen"))
    number, plus = phone.locator(".count-number"), phone.get_by_role("button", name="+1")
    for n in range(1, 8):
        follow(phone, plus)
        expect(phone, n)
    follow(phone, phone.get_by_role("button", name="Peru yksi"))
    expect(phone, 6)
    picture(phone, "counting")
    here = phone.url

    # The same tap sent twice.
    form = {
        name: phone.locator(f"form.tapping [name={name}]").first.input_value() for name in ("form_token", "revision")
    }
    for _ in range(2):
        phone.context.request.post(here, form={**form, "tap": "add"}, headers=SAME_ORIGIN)
    phone.goto(here)
    expect(phone, 7)

    # The tap arrives, the answer does not.
    def lose_the_answer(route: Any) -> None:
        # Not seen among the headers of an intercepted request, but sent with every real one.
        answered = route.fetch(headers={**route.request.all_headers(), **SAME_ORIGIN}, max_redirects=0)
        assert answered.status == 303
        route.abort()

    phone.route(here, lambda route: lose_the_answer(route) if route.request.method == "POST" else route.continue_())
    with phone.expect_event("requestfailed"):
        plus.tap()
    phone.unroute(here)
    phone.goto(here)
    expect(phone, 8)

    # No line at all.
    phone.context.set_offline(True)
    with phone.expect_event("requestfailed"):
        plus.tap()
    phone.wait_for_url("chrome-error://**")
    phone.context.set_offline(False)
    phone.goto(here)
    expect(phone, 8)
    before = lines(pair, "activities.heads_counted")
    follow(phone, phone.get_by_role("button", name="Valmis"))
    phone.get_by_text("Tallennettu.").wait_for()
    picture(phone, "counted")
    assert lines(pair, "activities.heads_counted") == before + 1
    assert number.inner_text() == "8"
    assert group(pair, "public_events") == (1, None, 8)


def test_women_are_counted_by_a_button_of_their_own(pair: Pair, phone: Page) -> None:
    phone.goto(f"{address(pair)}/counter/{PROGRAMME}")
    phone.get_by_label("Infotilaisuus").check()
    phone.get_by_label("Lasketaan naiset erikseen").check()
    follow(phone, phone.get_by_role("button", name="Aloita laskeminen"))
    for name in ("Nainen +1", "Nainen +1", "Muu +1", "Nainen −1"):
        follow(phone, phone.get_by_role("button", name=name))
    expect(phone, 2)
    assert "joista naisia 1" in phone.locator(".count").inner_text()
    picture(phone, "counting-women")
    phone.goto(f"{address(pair)}/counter/{PROGRAMME}")
    picture(phone, "counter-running")


def say(line: str) -> None:
    """On the terminal with -s, and with every failure."""
    sys.stdout.write(f"\n{line}\n")


def follow(page: Page, target: Locator) -> None:
    """A tap that loads a page."""
    with page.expect_navigation():
        target.tap()


def expect(page: Page, number: int) -> None:
    page.wait_for_function("n => document.querySelector('.count-number').innerText == n", arg=str(number))


def lines(pair: Pair, kind: str) -> int:
    return count(pair, "SELECT count(*) FROM journal_line WHERE kind = ?", kind)


def count(pair: Pair, query: str, *values: str) -> int:
    with sqlite3.connect(f"file:{pair.node.path}/node.db?mode=ro", uri=True) as connection:
        (found,) = connection.execute(query, values).fetchone()
    return int(found)


def test_no_word_and_no_name_is_anywhere_in_clear(pair: Pair, phone: Page) -> None:
    """After all of the above: databases, logs and carrier files of both homes, byte for byte."""
    pair.wait_until_arrived()
    files = [path for site in (pair.node, pair.lead) for path in site.path.rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    assert b"activities.conversation_held" in content  # the search finds what is there
    names = [name for pair_ in NAMES for name in pair_ if len(name) > 4]
    for word in [*SAID, *names]:
        for form in (word.encode(), word.encode("utf-16-le"), word.encode().hex().encode(), word.lower().encode()):
            assert form not in content, word
    lead = b"".join(path.read_bytes() for path in files if pair.lead.path in path.parents)
    for topic in (b'"finances"', b"conversation_held", b"action_agreed", b"accompanied_visit"):
        held = lead.replace(b'"key":"finances"', b"")
        assert topic not in held, topic
