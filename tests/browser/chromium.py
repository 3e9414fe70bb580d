"""Chromium for tests: where it is, how it is started, where its pictures go; a plug-in (tests/conftest.py)."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCREENS = Path(__file__).parents[2] / "build" / "screens"
CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NARROW = {"width": 360, "height": 740}
WIDE = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright  # most test processes need none

    SCREENS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        yield launched
        launched.close()


def begin(page: "Page", address: str, user: str, one_time: str, password: str) -> None:
    """Go the way of a new user, in Finnish: one-time password, own password, start page."""
    page.goto(address)
    page.get_by_label("Käyttäjätunnus").fill(user)
    page.get_by_label("Salasana").fill(one_time)
    page.get_by_role("button", name="Kirjaudu sisään").click()
    page.get_by_label("Nykyinen salasana").fill(one_time)
    page.get_by_label("Uusi salasana", exact=True).fill(password)
    page.get_by_label("Uusi salasana uudelleen").fill(password)
    page.get_by_role("button", name="Tallenna salasana").click()
    page.get_by_role("heading", name="Hankkeet", level=1).wait_for()


def assert_nothing_overflows(page: "Page") -> None:
    """Nothing is wider than the screen or than the card or box that it is in, charts included."""
    too_wide = page.evaluate(
        """() => [...document.querySelectorAll('body *')].filter(e => {
            const box = e.getBoundingClientRect();
            const hidden = e.closest('.unseen, .skip, thead, svg defs');
            const frame = e.parentElement.closest('.cards-when-narrow tr, .chart-box, .panel, .notice, .card, body');
            const edge = frame.getBoundingClientRect();
            return !hidden && box.width > 0 && (box.right > edge.right + 1 || box.left < edge.left - 1);
        }).map(e => e.tagName + '.' + e.getAttribute('class') + ' ' + e.textContent.trim().slice(0, 40))"""
    )
    assert too_wide == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
