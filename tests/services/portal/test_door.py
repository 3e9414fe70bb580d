"""The door's pages: each button one step on the revision shown, a tile one visitor, and no name anywhere."""

import pytest

from shared.contracts.encounters import TAPS
from shared.contracts.errors import InvalidInput, NotFound
from tests.services.portal.documents import MADE, door
from tests.services.portal.pages import Page, page
from tests.services.portal.samples import Portal

PATH = "/door/lahde-mukaan"
AT = f"{PATH}/{MADE}"
NALLE, KETTU = "a1" * 16, "b2" * 16


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.doors = [door()]
    worker.rpc.regulars = [(NALLE, "Nalle", True), (KETTU, "K.", False)]
    return worker


def taps(read: Page) -> dict[str, bool]:
    return {v["value"]: "disabled" not in v for tag, v in read.elements if tag == "button" and v.get("name") == "tap"}


def test_a_door_is_opened_once_however_often_the_form_is_sent(worker: Portal) -> None:
    for _ in range(2):
        answer = worker.post(PATH, form=PATH, key="e" * 64, date="2017-05-30", location="", women="yes")
        assert answer.headers["Location"] == AT
        sent = worker.rpc.sent("open_door")
        assert (sent["key"], sent["date"], sent["women"], sent["by"]) == ("e" * 64, "2017-05-30", True, "worker")
    assert worker.post(PATH, form=PATH, key="e" * 64, date="2017-06-01", location="kuu").status_code == 400


def test_when_where_and_how_many_of_staff_are_written_down_as_the_door_opens(worker: Portal) -> None:
    worker.rpc.listed[0]["document"]["areas"] = [{"key": "sampola", "name": {"fi": "Sampola"}}]
    begun = {v["name"]: v.get("value") for tag, v in page(worker.client.get(PATH)).elements if "name" in v}
    assert begun["start"] == "10:30", "it is now, in Finland"
    told = {"date": "2017-05-30", "start": "18:30", "area": "sampola", "staff": "2"}
    assert worker.post(PATH, form=PATH, key="e" * 64, **told).status_code == 303
    sent = worker.rpc.sent("open_door")
    assert (sent["start"], sent["area"], sent["staff"], sent["location"]) == ("18:30", "sampola", 2, None)
    for wrong in ({"start": "25:00"}, {"area": "kuu"}, {"staff": "-1"}, {"staff": "1001"}, {"staff": "\u0663"}):
        answer = worker.post(PATH, form=PATH, key="f" * 64, **told | wrong)
        assert (answer.status_code, f'id="wrong-{next(iter(wrong))}"' in answer.get_data(as_text=True)) == (400, True)
    worker.rpc.doors = [door(location=None, area="sampola")]
    assert "Sampola" in page(worker.client.get(AT)).said


@pytest.mark.parametrize("button", TAPS)
def test_each_button_is_one_tap_on_the_revision_shown(worker: Portal, button: str) -> None:
    assert worker.post(AT, form=AT, tap=button, revision="7").headers["Location"] == AT
    sent = worker.rpc.sent("tap_door")
    assert (sent["tap"], sent["revision"], sent["encounter"], sent["by"]) == (button, 7, MADE, "worker")


@pytest.mark.parametrize("bad", [{"tap": "x"}, {"revision": "-1"}, {"revision": "9" * 99}])
def test_what_is_no_tap_is_refused(worker: Portal, bad: dict[str, str]) -> None:
    assert worker.post(AT, form=AT, **({"tap": "new", "revision": "7"} | bad)).status_code == 400


def test_the_page_shows_the_counts_and_the_buttons_that_fit(worker: Portal) -> None:
    read = page(worker.client.get(AT))
    every = {"new_woman": True, "new": True, "known_woman": True, "known": True, "undo": True, "done": True}
    assert taps(read) == every
    assert "uusia 2 · tuttuja 5" in read.said
    worker.rpc.doors = [door(women=None, can_undo=False)]
    assert taps(page(worker.client.get(AT))) == {"new": True, "known": True, "undo": False, "done": True}
    worker.rpc.doors = [door(done=True)]
    assert taps(page(worker.client.get(AT))) == {"go_on": True}
    assert "ei laskettu" in worker.client.get(f"{AT}?missed=1").get_data(as_text=True)


def test_a_tile_says_whether_the_regular_is_there_and_a_tap_turns_it(worker: Portal) -> None:
    tiles = [v for tag, v in page(worker.client.get(AT)).elements if tag == "button" and "tile" in v.get("class", "")]
    shown = [(v["value"], v["name"], v["aria-pressed"]) for v in tiles]
    assert shown == [(NALLE, "gone", "true"), (KETTU, "come", "false")]
    for field, subject, there in (("come", KETTU, True), ("gone", NALLE, False)):
        assert worker.post(f"{AT}/visitor", form=AT, **{field: subject}).headers["Location"] == AT
        sent = worker.rpc.sent("tap_visitor")
        assert (sent["subject"], sent["there"], sent["by"]) == (subject, there, "worker")
    assert "list_people" not in [method for _, method, _ in worker.rpc.calls]  # no name is even asked for


def test_a_nickname_travels_sealed(worker: Portal) -> None:
    worker.post(f"{AT}/visitor", form=AT, token="  Nalle ", woman="yes")
    sent = worker.rpc.sent("meet_visitor")
    assert (worker.rpc.opened(sent["sealed"]), sent["woman"]) == ({"tokens": ["Nalle"]}, True)
    assert "Nalle" not in str(sent)


@pytest.mark.parametrize("token", ["", "x" * 81, "a;b"])
def test_what_is_no_nickname_is_told(worker: Portal, token: str) -> None:
    where = worker.post(f"{AT}/visitor", form=AT, token=token).headers["Location"]
    assert "meet_visitor" not in [method for _, method, _ in worker.rpc.calls]
    assert "Lempinimi on liian pitkä" in page(worker.client.get(where)).said


def test_a_nickname_of_several_people_is_told(worker: Portal) -> None:
    worker.rpc.failing["meet_visitor"] = InvalidInput(field="token", reason="several people")
    where = worker.post(f"{AT}/visitor", form=AT, token="Nalle").headers["Location"]
    assert "Monella on sama lempinimi" in page(worker.client.get(where)).said


def test_a_door_that_is_not_there_is_no_page(worker: Portal) -> None:
    worker.rpc.doors = []
    assert worker.client.get(AT).status_code == 404
    for method, path, sent in (
        ("tap_door", AT, {"tap": "new", "revision": "0"}),
        ("tap_visitor", f"{AT}/visitor", {"come": KETTU}),
    ):
        worker.rpc.failing[method] = NotFound(what="encounter")
        assert worker.post(path, form=PATH, **sent).status_code == 404
