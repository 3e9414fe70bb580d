"""The tap counter's pages: each button one step on the revision that the page showed."""

from typing import Any

import pytest

from shared.contracts.errors import UnknownSession
from tests.services.portal.documents import MADE, counter
from tests.services.portal.pages import Page, page
from tests.services.portal.samples import Portal

PATH = "/counter/lahde-mukaan"
AT = f"{PATH}/{MADE}"


@pytest.fixture
def worker(node: Portal) -> Portal:
    node.user_logged_in("worker", "coordinator")
    node.rpc.counters = [counter()]
    return node


def buttons(read: Page) -> dict[str, bool]:
    """The taps that the page offers, and whether they are alive."""
    return {v["value"]: "disabled" not in v for tag, v in read.elements if tag == "button" and v.get("name") == "tap"}


def start(portal: Portal, **changes: Any) -> Any:
    given = {"key": "e" * 64, "activity": "public_event", "date": "2017-05-30", "location": "", **changes}
    return portal.post(PATH, form=PATH, **given)


def test_a_count_begins_once_however_often_the_form_is_sent(worker: Portal) -> None:
    for _ in range(2):
        assert start(worker, women="yes").headers["Location"] == AT
        sent = worker.rpc.sent("start_counter")
        assert (sent["key"], sent["activity"], sent["women"], sent["by"]) == ("e" * 64, "public_event", True, "worker")


@pytest.mark.parametrize("changes", [{"activity": "kaapeli"}, {"date": "2017-06-01"}, {"location": "kuu"}])
def test_a_slip_at_the_beginning_is_told(worker: Portal, changes: dict[str, str]) -> None:
    answer = start(worker, **changes)
    assert answer.status_code == 400
    assert page(answer)
    assert "start_counter" not in [method for _, method, _ in worker.rpc.calls]


@pytest.mark.parametrize(
    ("button", "step"),
    [
        ("add", (1, 0, False)),
        ("add_woman", (1, 1, False)),
        ("undo", (-1, 0, False)),
        ("undo_woman", (-1, -1, False)),
        ("done", (0, 0, True)),
        ("go_on", (0, 0, False)),
    ],
)
def test_each_button_is_one_step_on_the_revision_shown(
    worker: Portal, button: str, step: tuple[int, int, bool]
) -> None:
    assert worker.post(AT, form=AT, tap=button, revision="3").headers["Location"] == AT
    sent = worker.rpc.sent("count_heads")
    assert (sent["heads"], sent["women"], sent["done"]) == step
    assert (sent["revision"], sent["counter"], sent["by"]) == (3, MADE, "worker")


@pytest.mark.parametrize("bad", [{"tap": "x"}, {"revision": "-1"}, {"revision": ""}, {"revision": "9" * 99}])
def test_what_is_no_tap_is_refused(worker: Portal, bad: dict[str, str]) -> None:
    assert worker.post(AT, form=AT, **({"tap": "add", "revision": "3"} | bad)).status_code == 400


def test_a_tap_that_did_not_count_is_told(worker: Portal) -> None:
    worker.rpc.counters = [counter(heads=7)]
    html = worker.client.get(f"{AT}?missed=1").get_data(as_text=True)
    assert "ei laskettu" in html
    assert "ei laskettu" not in worker.client.get(AT).get_data(as_text=True)


def test_the_page_shows_the_count_and_the_buttons_that_fit(worker: Portal) -> None:
    read = page(worker.client.get(AT))
    assert buttons(read) == {"add": True, "undo": True, "done": True}
    assert [v["value"] for _, v in read.elements if v.get("name") == "revision"] == ["3"]
    worker.rpc.counters = [counter(heads=0)]
    assert buttons(page(worker.client.get(AT)))["undo"] is False
    worker.rpc.counters = [counter(heads=2, women=2)]
    read = page(worker.client.get(AT))
    assert buttons(read) == {"add_woman": True, "add": True, "undo_woman": True, "undo": False, "done": True}
    assert "joista naisia 2" in read.said
    worker.rpc.counters = [counter(done=True)]
    assert buttons(page(worker.client.get(AT))) == {"go_on": True}


def test_what_is_still_counted_can_be_gone_on_with(worker: Portal) -> None:
    worker.rpc.counters = [counter(heads=17)]
    html = worker.client.get(PATH).get_data(as_text=True)
    assert f'href="{AT}"' in html
    assert "Yleisötapahtuma 30.5.2017: 17" in " ".join(page(worker.client.get(PATH)).said.split())


def test_a_counter_that_is_not_there_is_no_page(worker: Portal) -> None:
    worker.rpc.counters = []
    assert worker.client.get(AT).status_code == 404
    worker.rpc.failing["count_heads"] = UnknownSession(field="counter", programme="a")
    assert worker.post(AT, form=PATH, tap="add", revision="0").status_code == 404
