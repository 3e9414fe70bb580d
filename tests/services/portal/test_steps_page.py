"""One person's steps: entered, left, paused, returned to, several in parallel; proposals taken up by one tap."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.portal import formats
from services.portal.words import LANGS
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    InvalidInput,
    PolkuError,
    ProcessingRestricted,
    RpcTimeout,
    UnknownPerson,
)
from tests.services.portal.documents import person
from tests.services.portal.pages import Page, table_rows
from tests.services.portal.samples import Portal

AINO = "a1" * 16
URL, TASKS, PERSON = (f"/{page}/lahde-mukaan" for page in ("steps", "tasks", "person"))
OWN, PERSONS = f"{URL}/{AINO}", f"{PERSON}/{AINO}"
STAY, OTHER, PAUSE = "51" * 16, "52" * 16, "61" * 16
TODAY = "2017-03-01"


def stay(which: str = STAY, step: str = "resources", **more: Any) -> dict[str, Any]:
    return {"stay": which, "step": step, "entered_on": "2017-02-01", "left_on": None, "pauses": []} | more


@pytest.fixture
def worker(node: Portal) -> Portal:
    node.clock.time = datetime(2017, 3, 1, 7, 30, tzinfo=UTC)
    node.user_logged_in("worker", "case_worker")
    node.rpc.people = [person("Aino", "Esimerkki", person=AINO)]
    node.rpc.listed[0]["document"]["steps"] = [
        {"key": "resources", "level": "individual", "name": {"fi": "Voimavarat", "sv": "Resurser"}},
        {"key": "studies", "level": "individual", "name": {"fi": "Opinnot"}},
        {"key": "network", "level": "service_system", "name": {"fi": "Verkosto"}},
    ]
    return node


def send(portal: Portal, act: str, day: str = TODAY, **fields: Any) -> Any:
    return portal.post(OWN, form=OWN, act=act, day=day, **fields)


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_shows_several_steps_at_once_pauses_and_what_was(worker: Portal, lang: str) -> None:
    away = {"pause": PAUSE, "paused_on": "2017-02-20", "resumed_on": None}
    before = {"pause": "62" * 16, "paused_on": "2016-05-02", "resumed_on": "2016-05-09"}
    worker.rpc.steps = [
        stay(OTHER, "studies", entered_on="2016-05-01", left_on="2016-06-01", pauses=[before]),
        stay(),
        stay("53" * 16, "studies", pauses=[away]),
    ]
    html = worker.client.get(f"{OWN}?lang={lang}").get_data(as_text=True)
    read = Page(html)
    assert read.problems == []
    acts = [at["value"] for _, at in read.elements if at.get("name") == "act"]
    assert acts == ["pause", "leave", "return", "leave", "enter"]
    for day in ("2017-02-01", "2017-02-20", "2016-05-02", "2016-05-09", "2016-06-01"):
        assert formats.day(date.fromisoformat(day), lang) in read.said  # type: ignore[arg-type]
    assert "Aino Esimerkki" in read.said
    assert "Verkosto" not in read.said, "nobody enters a step of the service system"


def test_a_step_is_entered_on_the_day_and_a_form_sent_twice_enters_once(worker: Portal) -> None:
    answer = send(worker, "enter", step="studies", key="ab" * 32)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{OWN}?done=enter")
    sent = worker.rpc.sent("record_steps")
    item = {"key": "ab" * 32, "subject": AINO, "step": "studies", "entered_on": TODAY}
    assert (sent["items"], sent["by"]) == ([item], "worker")


def test_of_two_workers_who_end_a_step_at_once_one_does(worker: Portal) -> None:
    worker.rpc.steps = [stay()]
    keys = set()
    for form in ("ab" * 32, "cd" * 32):
        assert send(worker, "leave", stay=STAY, key=form).status_code == 303
        (item,) = worker.rpc.sent("record_steps")["items"]
        assert (item["step"], item["entered_on"], item["left_on"]) == ("resources", "2017-02-01", TODAY)
        keys.add(item["key"])
    assert len(keys) == 1, "the key is of what ends, not of the form"
    worker.rpc.step = {"error": AlreadyRecordedDiffers(field="key").to_wire()}
    said = send(worker, "leave", stay=STAY)
    assert (said.status_code, "tällä välin" in said.get_data(as_text=True)) == (409, True)


@pytest.mark.parametrize("act", ["leave", "pause", "return"])
def test_what_somebody_else_has_ended_meanwhile_is_not_ended_again(worker: Portal, act: str) -> None:
    worker.rpc.steps = [stay(left_on="2017-02-27")]
    for which in (STAY, "ff" * 16, ""):
        assert send(worker, act, stay=which).status_code == 409
    assert not {"record_steps", "record_pauses"} & {method for _, method, _ in worker.rpc.calls}


def test_who_pauses_and_who_returns_stays_on_the_step(worker: Portal) -> None:
    worker.rpc.steps = [stay()]
    assert send(worker, "return", stay=STAY).status_code == 409, "whoever is not away does not return"
    assert send(worker, "pause", stay=STAY, key="ab" * 32).status_code == 303
    item = {"key": "ab" * 32, "subject": AINO, "step": "resources", "paused_on": TODAY}
    assert worker.rpc.sent("record_pauses")["items"] == [item]
    worker.rpc.steps = [stay(pauses=[{"pause": PAUSE, "paused_on": "2017-02-20", "resumed_on": None}])]
    assert send(worker, "return", stay=STAY).headers["Location"] == f"{OWN}?done=return"
    (item,) = worker.rpc.sent("record_pauses")["items"]
    assert (item["paused_on"], item["resumed_on"]) == ("2017-02-20", TODAY)


@pytest.mark.parametrize(
    ("act", "refusal", "status", "said"),
    [
        ("enter", InvalidInput(field="from", reason="x"), 400, "yhtä aikaa"),
        ("enter", InvalidInput(field="to", reason="x"), 400, "milloin hän palasi"),
        ("enter", InvalidInput(field="step", reason="x"), 400, "ehto"),
        ("past", InvalidInput(field="from", reason="x"), 400, "päällekkäin"),
        ("past", InvalidInput(field="to", reason="x"), 400, "päällekkäin"),
        ("leave", InvalidInput(field="from", reason="x"), 409, "tällä välin"),
        ("leave", InvalidInput(field="to", reason="x"), 400, "ennen viimeistä taukoa"),
        ("pause", InvalidInput(field="from", reason="x"), 400, "jo tauolla"),
        ("return", InvalidInput(field="to", reason="x"), 400, "Paluu ei voi"),
        ("enter", ProcessingRestricted(purpose="support"), 403, "rajoit"),
    ],
)
def test_a_refusal_is_said_in_the_workers_words(
    worker: Portal, act: str, refusal: PolkuError, status: int, said: str
) -> None:
    worker.rpc.steps = [stay(pauses=[{"pause": PAUSE, "paused_on": "2017-02-20", "resumed_on": None}])]
    worker.rpc.step = {"error": refusal.to_wire()}
    answer = send(worker, act, stay=STAY, step="studies", until=TODAY)
    assert (answer.status_code, said in answer.get_data(as_text=True)) == (status, True)


def test_nonsense_reaches_no_service_and_no_answer_is_said(worker: Portal) -> None:
    for wrong in ({"act": "zz"}, {"act": ""}, {"step": "network"}, {"step": "zz"}, {"day": "2017-03-02"}):
        fields: dict[str, Any] = {"act": "enter", "step": "studies", "day": TODAY} | wrong
        assert worker.post(OWN, form=OWN, **fields).status_code == 400
    for day in ("", "2015-04-30", "x" * 10_000):
        assert send(worker, "enter", day, step="studies").status_code == 400
    assert "record_steps" not in [method for _, method, _ in worker.rpc.calls]
    worker.rpc.failing["record_steps"] = RpcTimeout(service="pathways", method="record_steps", seconds=10)
    assert send(worker, "enter", step="studies").status_code == 503
    worker.rpc.failing["steps_of"] = UnknownPerson(field="participant", programme="lahde-mukaan")
    assert worker.client.get(OWN).status_code == 404
    assert worker.client.get(PERSONS).status_code == 200, "the person's page waits for nobody"


@pytest.mark.parametrize(("page", "to"), [(TASKS, "tasks"), (PERSONS, "person")])
def test_a_proposal_is_taken_up_by_one_tap_where_it_is_told(worker: Portal, page: str, to: str) -> None:
    one = {"subject": AINO, "step": "studies", "since": "2017-02-27"}
    worker.rpc.proposals = [
        one | {"what": "enter", "stay": None},
        one | {"what": "complete", "stay": STAY, "step": "resources"},
    ]
    worker.rpc.steps = [stay()]
    html = worker.client.get(page).get_data(as_text=True)
    read = Page(html)
    assert read.problems == []
    if to == "tasks":
        assert [row[4] for row in table_rows(html, "proposals")] == [
            "Aloita tänään: Aino Esimerkki, Opinnot",
            "Päätä tänään: Aino Esimerkki, Voimavarat",
        ]
    forms = html.split(f'action="{OWN}"')[1:3]
    assert len(forms) == 2
    for form in forms:
        fields = Page(f"<p>{form.split('</form>')[0][1:]}</p>").elements
        tap: dict[str, Any] = {
            at["name"]: at["value"] for _, at in fields if at.get("name", "form_token") != "form_token"
        }
        assert (tap["to"], tap["day"]) == (to, TODAY)
        answer = worker.post(OWN, form=page, **tap)
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"{page}?done={tap['act']}"
        assert worker.rpc.sent("record_steps")["items"][0]["step"] == (
            "studies" if tap["act"] == "enter" else "resources"
        )
        assert "Vaihe on" in worker.client.get(answer.headers["Location"]).get_data(as_text=True)


def test_after_the_projects_end_nothing_begins_by_one_tap(worker: Portal) -> None:
    worker.clock.time = datetime(2017, 6, 12, 7, 30, tzinfo=UTC)
    worker.user_logged_in("other", "case_worker")
    worker.rpc.proposals = [{"subject": AINO, "step": "studies", "what": "enter", "since": "2017-02-27", "stay": None}]
    html = worker.client.get(TASKS).get_data(as_text=True)
    assert (OWN in html, f'action="{OWN}"' in html) == (True, False)


@pytest.mark.parametrize("ended", ["2017-02-20", "2017-03-31"])
def test_who_has_left_enters_no_step_but_a_time_on_one_that_is_over_is_put_right(worker: Portal, ended: str) -> None:
    worker.rpc.people[0]["ended_on"] = ended
    worker.rpc.steps = [stay(left_on="2017-02-20")]
    read = Page(worker.client.get(OWN).get_data(as_text=True))
    assert read.problems == []
    assert [at["value"] for _, at in read.elements if at.get("name") == "act"] == ["past"]
    days = {at["name"]: at for _, at in read.elements if at.get("type") == "date"}
    assert {name: at["max"] for name, at in days.items()} == dict.fromkeys(("day", "until"), min(ended, TODAY))
    assert "20.2.2017" in read.said
    for until in ("", "2017-01-09", "2017-03-02", "zz"):
        assert send(worker, "past", "2017-01-10", step="studies", until=until).status_code == 400
    assert "record_steps" not in [method for _, method, _ in worker.rpc.calls]
    answer = send(worker, "past", "2017-01-10", step="studies", until="2017-02-17", key="ab" * 32)
    assert answer.headers["Location"] == f"{OWN}?done=past"
    item = {"step": "studies", "entered_on": "2017-01-10", "left_on": "2017-02-17"}
    assert worker.rpc.sent("record_steps")["items"] == [{"key": "ab" * 32, "subject": AINO} | item]


def test_a_project_without_steps_that_people_enter_speaks_of_none(worker: Portal) -> None:
    del worker.rpc.listed[0]["document"]["steps"]
    assert OWN not in worker.client.get(PERSONS).get_data(as_text=True)
    assert "steps_of" not in [method for _, method, _ in worker.rpc.calls]


def test_a_step_that_was_a_wrong_tap_is_taken_back_also_when_it_is_over(worker: Portal) -> None:
    worker.rpc.steps = [stay(), stay(OTHER, "studies", left_on="2017-02-10")]
    html = worker.client.get(OWN).get_data(as_text=True)
    assert html.count(f'action="{OWN}/mistake"') == 2
    answer = worker.post(f"{OWN}/mistake", form=OWN, stay=OTHER)
    sent = worker.rpc.sent("remove_step")
    assert (sent["subject"], sent["stay"]) == (AINO, OTHER)
    assert "Kirjaus on poistettu." in Page(worker.client.get(answer.headers["Location"]).get_data(as_text=True)).said


def test_a_time_away_that_was_a_wrong_tap_is_taken_back_by_itself(worker: Portal) -> None:
    away = {"pause": PAUSE, "paused_on": "2017-02-20", "resumed_on": None}
    worker.rpc.steps = [stay(pauses=[away]), stay(OTHER, "studies", left_on="2017-02-10")]
    html = worker.client.get(OWN).get_data(as_text=True)
    assert html.count(f'action="{OWN}/no-pause"') == 1
    answer = worker.post(f"{OWN}/no-pause", form=OWN, pause=PAUSE)
    sent = worker.rpc.sent("remove_pause")
    assert (sent["subject"], sent["pause"], sent["by"]) == (AINO, PAUSE, "worker")
    assert answer.headers["Location"] == f"{OWN}?done=removed"
    worker.rpc.failing["remove_pause"] = InvalidInput(field="pause", reason="the person is on studies then")
    refused = worker.post(f"{OWN}/no-pause", form=OWN, pause=PAUSE)
    assert (refused.status_code, "Taukoa ei poistettu" in refused.get_data(as_text=True)) == (409, True)
