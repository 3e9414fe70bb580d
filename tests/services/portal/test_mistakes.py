"""Taking back what was recorded by mistake: what is offered, what is sent, what is said."""

import pytest

from tests.services.portal.documents import MADE, person
from tests.services.portal.pages import page
from tests.services.portal.samples import Portal

EXIT = f"/exit/lahde-mukaan/{MADE}"
BECAME = {"outcome_id": "ab" * 16, "outcome": "work_trial", "date": "2016-08-15"}


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.people = [person("Aino", "Esimerkki", person=MADE)]
    return worker


def test_a_wrong_outcome_is_taken_back_from_the_exit_page_also_before_anybody_has_left(worker: Portal) -> None:
    assert f'action="{EXIT}/outcome"' not in worker.client.get(EXIT).get_data(as_text=True), "there is none"
    worker.rpc.outcomes, worker.rpc.exit = [BECAME], {"started_on": None}
    html = worker.client.get(EXIT).get_data(as_text=True)
    assert f'action="{EXIT}/outcome"' in html
    assert "15.8.2016" in html
    answer = worker.post(f"{EXIT}/outcome", form=EXIT, outcome_id="ab" * 16)
    sent = worker.rpc.sent("remove_outcome")
    assert (sent["subject"], sent["outcome_id"], sent["by"]) == (MADE, "ab" * 16, "worker")
    assert "Kirjaus on poistettu." in page(worker.client.get(answer.headers["Location"])).said
    assert worker.post(f"{EXIT}/outcome", form=EXIT, outcome_id="no id").status_code == 400


def test_a_try_that_was_noted_for_the_wrong_person_is_taken_back_whatever_the_project_asks_now(worker: Portal) -> None:
    asked = {"follow_up": "cd" * 16, "due": "2017-05-31", "date": "2017-06-01", "status": "refused", "results": None}
    worker.rpc.exit = {"follow_ups": [asked]}
    assert "ei halunnut vastata" in page(worker.client.get(EXIT)).said
    answer = worker.post(f"{EXIT}/not-asked", form=EXIT, follow_up="cd" * 16)
    assert answer.headers["Location"] == f"{EXIT}?saved=removed"
    assert worker.rpc.sent("remove_follow_up")["follow_up"] == "cd" * 16


def test_a_return_of_the_wrong_person_is_taken_back_where_it_is_told(worker: Portal) -> None:
    assert f'action="{EXIT}/not-back"' not in worker.client.get(EXIT).get_data(as_text=True), "nobody was back"
    worker.rpc.exit = {"resumed_on": "2017-05-20"}
    assert "lopetusilmoitus sen mukana" in page(worker.client.get(EXIT)).said
    answer = worker.post(f"{EXIT}/not-back", form=EXIT, date="2017-05-20")
    assert answer.headers["Location"] == f"{EXIT}?saved=removed"
    sent = worker.rpc.sent("remove_return")
    assert (sent["subject"], sent["date"], sent["by"]) == (MADE, "2017-05-20", "worker")
    assert worker.post(f"{EXIT}/not-back", form=EXIT, date="20.5.2017").status_code == 400


@pytest.mark.parametrize("record", ["start", "exit"])
def test_a_try_in_vain_of_the_wrong_person_is_taken_back_from_the_page_of_its_form(worker: Portal, record: str) -> None:
    tried = [{"attempt": "ef" * 16, "record": record, "status": "refused", "date": "2017-05-02"}]
    worker.rpc.exit, worker.rpc.start = {"attempts": tried}, {"attempts": tried}
    form = f"/{record}/lahde-mukaan/{MADE}"
    assert f'name="record" value="{record}"' in worker.client.get(form).get_data(as_text=True)
    answer = worker.post(f"/start/lahde-mukaan/{MADE}/no-try", form=form, attempt="ef" * 16, record=record)
    assert answer.headers["Location"] == f"{form}?saved=removed"
    assert worker.rpc.sent("remove_attempt")["attempt"] == "ef" * 16
    assert "Kirjaus on poistettu." in page(worker.client.get(answer.headers["Location"])).said
