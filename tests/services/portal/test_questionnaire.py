"""A questionnaire in the person's language, and a round of them: what is asked, sent, refused, and who comes next."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.contracts.errors import ChangedMeanwhile, ConsentWithdrawn, InvalidInput, RpcTimeout, UnknownAssessment
from tests.services.portal.documents import MADE, person
from tests.services.portal.pages import page
from tests.services.portal.samples import Portal
from tests.services.portal.test_workers import many

AINO, PEKKA = "a1" * 16, "b2" * 16
KEY = "lahde-mukaan"
FORM = f"/questionnaire/{KEY}/{AINO}?instrument=three_items&version=1&occasion=interim&due=2017-06-01&activity=kaapeli"
WHICH = {"instrument": "three_items", "version": "1", "occasion": "interim", "form_lang": "sv"}
HERE = {"due": "2017-06-01", "activity": "kaapeli"}
ITEMS = {"item.work_ability": "6", "item.functioning": "0", "item.life_satisfaction": "none"}
FILLED = WHICH | HERE | ITEMS | {"key": "0a" * 32, "date": "2017-05-30", "was": "0", "corrects": ""}
DUE = {"instrument": "three_items", "version": "1", "occasion": "interim", "due_on": "2017-06-01", "late": True}
ANSWERED = {
    "assessment": MADE,
    "instrument": "three_items",
    "version": "1",
    "occasion": "interim",
    "date": "2017-05-02",
}
ANSWERED |= {
    "revision": "cd" * 32,
    "answers": {"work_ability": 4},
    "scores": {"work_ability": "4", "functioning": None},
}


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.people = [
        person("Aino", "Esimerkki", person=AINO, service_language="sv"),
        person("Pekka", "Toinen", person=PEKKA, service_language="fi"),
    ]
    worker.rpc.listed[0]["document"]["instruments"] = [{"key": "three_items", "version": "1", "schedule": []}]
    return worker


def send(worker: Portal, **changes: str) -> Any:
    """As the page does, whose token is that of every form of the session."""
    return worker.post(f"/questionnaire/{KEY}/{AINO}", form=f"/register/{KEY}?activity=kaapeli", **FILLED | changes)


def test_a_form_is_in_the_persons_language_and_names_the_instrument(worker: Portal) -> None:
    read = page(worker.client.get(FORM))
    for said in ("Tre egna skattningar", "Arbetsförmåga nu", "Dina svar stannar", "Aino Esimerkki", "10 = bäst"):
        assert said in read.said
    assert ("html", {"lang": "sv"}) in read.elements
    assert "Työkyky nyt" in page(worker.client.get(f"{FORM}&form=fi")).said
    assert "/people/" not in str(read.elements), "no way from a handed tablet to anybody else"
    assert "logout" not in str(read.elements)


def test_an_organisations_own_words_stand_instead_of_the_instruments_name(worker: Portal) -> None:
    worker.rpc.wording = {"functioning": {"sv": "Vår egen fråga <b>?", "fi": "Oma kysymyksemme?"}}
    said = page(worker.client.get(FORM)).said
    assert "Vår egen fråga <b>?" in said
    assert "Funktionsförmåga nu" not in said
    assert "Arbetsförmåga nu" in said, "an item without words keeps its name"


def test_answers_are_sent_as_numbers_and_what_was_not_answered_is_left_out(worker: Portal) -> None:
    answer = send(worker)
    assert answer.status_code == 303
    (item,) = worker.rpc.sent("record_assessments")["items"]
    assert item["answers"] == {"functioning": 0, "work_ability": 6}
    assert (item["subject"], item["occasion"], item["date"], item["was"]) == (AINO, "interim", "2017-05-30", 0)
    thanks = page(worker.client.get(answer.headers["Location"]))
    assert "Tack!" in thanks.said
    assert "Esimerkki" not in thanks.said


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"item.functioning": ""}, "item.functioning"),
        ({"item.functioning": "11"}, "item.functioning"),
        ({"item.functioning": "\u0663"}, "item.functioning"),
        ({"date": ""}, "date"),
    ],
)
def test_a_slip_is_named_at_its_item_nothing_is_sent_and_the_rest_stays_chosen(
    worker: Portal, changes: dict[str, str], field: str
) -> None:
    answer = send(worker, **changes)
    assert answer.status_code == 400
    html = answer.get_data(as_text=True)
    assert f'id="wrong-{field}"' in html
    assert 'name="item.work_ability" value="6" required checked' in html
    assert not [1 for _, method, _ in worker.rpc.calls if method == "record_assessments"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ChangedMeanwhile(field="was"), 409),
        (InvalidInput(field="items.0.date", reason="x"), 400),
        (InvalidInput(field="date", reason="x"), 400),
    ],
)
def test_a_refusal_is_told_in_words_and_the_page_comes_back(worker: Portal, error: Any, status: int) -> None:
    worker.rpc.assessed = {"error": error.to_wire()}
    answer = send(worker)
    assert answer.status_code == status
    assert 'id="problems"' in answer.get_data(as_text=True)


def test_a_form_that_would_be_refused_is_not_given_into_anybodys_hands(worker: Portal) -> None:
    worker.rpc.refused = ConsentWithdrawn(field="participant", purpose="measurement").to_wire()
    assert worker.client.get(FORM).status_code == 403
    assert worker.client.get(f"/questionnaire/{KEY}/{AINO}").status_code == 200, "what is there may be read"


def test_after_no_answer_the_same_form_has_the_same_key(worker: Portal) -> None:
    worker.rpc.failing["record_assessments"] = RpcTimeout(service="measurement", method="record_assessments", seconds=1)
    answer = send(worker)
    assert answer.status_code == 503
    assert FILLED["key"] in answer.get_data(as_text=True)


def test_an_instrument_or_occasion_that_the_project_does_not_use_is_no_page(worker: Portal) -> None:
    for wrong in ({"occasion": "never"}, {"instrument": "four_items"}, {"version": "2"}):
        assert send(worker, **wrong).status_code == 404
    assert worker.client.get(FORM.replace(AINO, "00" * 16)).status_code == 404


def test_earlier_answers_are_told_and_one_can_be_corrected(worker: Portal) -> None:
    worker.rpc.forms = [ANSWERED]
    assert "2.5.2017" in page(worker.client.get(FORM)).said
    listed = page(worker.client.get(f"/questionnaire/{KEY}/{AINO}"))
    assert "Työkyky 4" in listed.said
    assert "ei pistettä" in listed.said
    html = worker.client.get(f"{FORM}&corrects={MADE}").get_data(as_text=True)
    assert 'name="item.work_ability" value="4" required checked' in html
    assert 'name="item.functioning" value="none" required checked' in html
    assert f'name="revision" value="{"cd" * 32}"' in html
    assert send(worker, corrects=MADE, was="1", revision="cd" * 32).status_code == 303
    (sent,) = worker.rpc.sent("record_assessments")["items"]
    assert (sent["corrects"], sent["revision"]) == (MADE, "cd" * 32)


def test_a_form_of_the_wrong_person_is_taken_back_from_the_persons_questionnaires(worker: Portal) -> None:
    worker.rpc.forms, address = [ANSWERED], f"/questionnaire/{KEY}/{AINO}"
    assert f'action="{address}/mistake"' in worker.client.get(address).get_data(as_text=True)
    answer = worker.post(f"{address}/mistake", form=address, assessment=MADE)
    sent = worker.rpc.sent("remove_assessment")
    assert (sent["subject"], sent["assessment"], sent["by"]) == (AINO, MADE, "worker")
    assert "Kirjaus on poistettu." in page(worker.client.get(answer.headers["Location"])).said


def test_whoever_corrects_a_form_that_was_taken_back_meanwhile_is_told_and_keeps_what_was_typed(
    worker: Portal,
) -> None:
    worker.rpc.assessed = {"error": UnknownAssessment(field="corrects", programme=KEY).to_wire()}
    answer = send(worker, corrects=MADE, was="1", revision="cd" * 32)
    html = answer.get_data(as_text=True)
    assert (answer.status_code, "tagits bort som ett misstag" in html) == (409, True)
    assert 'name="item.work_ability" value="6" required checked' in html
    assert ('name="corrects" value=""' in html, 'name="was" value="0"' in html) == (True, True)
    assert "poistettu vahingossa" in page(worker.client.get(f"{FORM}&form=fi&corrects={MADE}")).said, "by a stale link"


def test_a_form_that_the_projects_file_has_no_more_is_shown_and_has_no_link_to_no_page(worker: Portal) -> None:
    worker.rpc.forms = [ANSWERED]
    address = f"/questionnaire/{KEY}/{AINO}"
    assert "corrects=" in worker.client.get(address).get_data(as_text=True)
    worker.rpc.listed[0]["document"]["instruments"][0]["occasions"] = ["baseline"]
    html = worker.client.get(address).get_data(as_text=True)
    assert ("2.5.2017" in html, "corrects=" in html) == (True, False)


def test_in_a_node_of_more_than_ten_a_round_is_of_ones_own_people_on_every_page(worker: Portal) -> None:
    many(worker)
    worker.rpc.seen = [PEKKA]
    worker.rpc.forms_due = [DUE | {"person": AINO}, DUE | {"person": PEKKA}]
    html = worker.client.get(f"/round/{KEY}").get_data(as_text=True)
    assert ("Täytettävänä 1" in html, PEKKA in html, AINO in html) == (True, True, False)
    at = worker.client.get(f"/round/{KEY}/next?due=2017-05-01&person={PEKKA}&instrument=three_items&occasion=interim")
    assert urlsplit(at.headers["Location"]).path == f"/questionnaire/{KEY}/{PEKKA}"


def test_a_round_lists_who_is_due_in_the_group_and_leads_from_one_to_the_next(worker: Portal) -> None:
    worker.rpc.forms_due = [DUE | {"person": AINO}, DUE | {"person": PEKKA, "due_on": "2017-06-02", "late": False}]
    worker.rpc.register = worker.rpc.register | {"regulars": [{"subject": AINO, "times": 1, "last_time": True}]}
    read = page(worker.client.get(f"/round/{KEY}?activity=kaapeli"))
    assert worker.rpc.sent("list_due")["people"] == [AINO]
    for said in ("Aino Esimerkki", "Pekka Toinen", "välikartoitus", "myöhässä", "Kolme omaa arviota"):
        assert said in read.said
    after = send(worker).headers["Location"]
    (following,) = [values["href"] for tag, values in page(worker.client.get(after)).elements if "next" in str(values)]
    at = worker.client.get(following).headers["Location"]
    assert urlsplit(at).path == f"/questionnaire/{KEY}/{PEKKA}"
    assert parse_qs(urlsplit(at).query)["activity"] == ["kaapeli"]
    worker.rpc.forms_due = []
    assert worker.client.get(following).headers["Location"] == f"/round/{KEY}?activity=kaapeli"
    assert "Kenenkään vuoro" not in page(worker.client.get(f"/round/{KEY}")).said, "the file has no schedule"


def test_the_exit_page_names_the_questionnaire_and_opens_it(worker: Portal) -> None:
    html = worker.client.get(f"/exit/{KEY}/{AINO}").get_data(as_text=True)
    assert "Kolme omaa arviota, 0–10" in html
    assert "three_items 1" not in html
    assert f"/questionnaire/{KEY}/{AINO}?instrument=three_items" in html
