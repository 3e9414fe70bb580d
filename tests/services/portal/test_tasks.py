"""The page of what waits: names and texts are opened for this request, tasks are closed once, proposals are told."""

from typing import Any

import pytest

from services.portal.words import LANGS
from shared.contracts.errors import NotFound, TaskClosedAlready
from tests.services.portal.documents import MADE, person
from tests.services.portal.pages import Page, table_rows
from tests.services.portal.samples import SAME_ORIGIN, Portal

AINO, PEKKA = "a1" * 16, "b2" * 16
URL = "/tasks/lahde-mukaan"


def task(subject: str = AINO, **more: Any) -> dict[str, Any]:
    row = {"task": MADE, "rule": "ask_outcome", "owner": "case_worker", "person": subject, "opened_on": "2016-03-01"}
    row |= {"due_on": "2016-08-28", "late": True, "text_ref": None, "state": "open", "reason": None, "closed_on": None}
    return row | more


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.people = [person("Aino", "Esimerkki", person=AINO), person("", "", "Nalle", person=PEKKA)]
    return worker


def closed(portal: Portal, how: str, task: str = MADE) -> Any:
    form = {"form_token": portal.form_token(URL), "task": task, "how": how}
    return portal.client.post(URL, data=form, headers=SAME_ORIGIN)


@pytest.mark.parametrize("lang", LANGS)
def test_a_task_shows_whose_it_is_what_was_agreed_and_that_it_is_late(worker: Portal, lang: str) -> None:
    worker.rpc.texts["07" * 16] = "Soittaa Kelaan <maanantaina>"
    worker.rpc.tasks = [task(), task(PEKKA, late=False, due_on="2017-06-05", text_ref="07" * 16, task="cd" * 16)]
    worker.client.set_cookie("lang", lang)
    html = worker.client.get(URL).get_data(as_text=True)
    read = Page(html)
    assert read.problems == []
    rows = table_rows(html, "tasks")
    assert [row[0] for row in rows] == ["Aino Esimerkki", "Nalle"]
    assert "Soittaa Kelaan &lt;maanantaina&gt;" in rows[1][1]
    late, due = rows[0][2], rows[1][2]
    assert ("," in late, "," in due) == (True, False)
    asked = worker.rpc.sent("list_people")
    assert (sorted(asked["people"]), asked["by"]) == ([AINO, PEKKA], "worker"), "nobody else's name is read"


def test_in_a_list_who_has_a_protected_address_has_no_name(worker: Portal) -> None:
    worker.rpc.people = [
        person("Aino", "Esimerkki", person=AINO, protected=True),
        person("Pekka", "Esimerkki", "Nalle", person=PEKKA, protected=True),
    ]
    worker.rpc.tasks = [task(), task(PEKKA)]
    worker.rpc.missing = [{"person": one, "missing": ["education"], "attempts": []} for one in (AINO, PEKKA)]
    worker.rpc.listed[0]["document"]["followup"] = {"after_days": 30}
    worker.rpc.due = [{"person": one, "due": "2017-06-01", "tries": 0} for one in (AINO, PEKKA)]
    for url in (URL, "/evidence/lahde-mukaan", "/followups/lahde-mukaan"):
        html = worker.client.get(url).get_data(as_text=True)
        assert "Esimerkki" not in html
        assert "Nalle" in html, url
        assert "turvakielto" in html.casefold(), url


def test_nothing_waits_and_nobody_is_asked_for(worker: Portal) -> None:
    html = worker.client.get(URL).get_data(as_text=True)
    assert "Mikään ei odota." in html
    assert "list_people" not in [method for _, method, _ in worker.rpc.calls]


def test_a_proposal_names_the_person_and_the_step(worker: Portal) -> None:
    worker.rpc.proposals = [{"subject": AINO, "step": "resources", "what": "enter", "since": "2016-03-09"}]
    html = worker.client.get(URL).get_data(as_text=True)
    assert table_rows(html, "proposals") == [
        ["Aino Esimerkki", "voi aloittaa", "resources", "9.3.2016", "Vaiheet: Aino Esimerkki"]
    ]


@pytest.mark.parametrize(("how", "given"), [("done", ("done", None)), ("has_left", ("dismissed", "has_left"))])
def test_a_task_is_closed_as_the_worker_says(worker: Portal, how: str, given: tuple[str, str | None]) -> None:
    worker.rpc.tasks = [task()]
    answer = closed(worker, how)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{URL}?done=1")
    assert "Tehtävä on merkitty." in worker.client.get(f"{URL}?done=1").get_data(as_text=True)
    asked = worker.rpc.sent("close_task")
    assert (asked["how"], asked["reason"], asked["task"], asked["by"]) == (*given, MADE, "worker")


def test_the_second_worker_is_told_and_nonsense_is_refused(worker: Portal) -> None:
    worker.rpc.tasks = [task()]
    worker.rpc.failing["close_task"] = TaskClosedAlready(value="met")
    answer = closed(worker, "done")
    assert answer.status_code == 409
    assert "jo merkitty toisin" in answer.get_data(as_text=True)
    worker.rpc.failing["close_task"] = NotFound(what="task")
    assert closed(worker, "done").status_code == 404
    assert closed(worker, "whatever").status_code == 400
    assert closed(worker, "done", "x").status_code == 400
