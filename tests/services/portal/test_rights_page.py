"""The page of a participant's rights: what it shows, what it sends, the copy as files."""

import json

import pytest

from tests.services.portal.pages import Page
from tests.services.portal.samples import MADE, Portal, person

PATH = f"/rights/lahde-mukaan/{MADE}"


@pytest.fixture
def worker(node: Portal) -> Portal:
    node.user_logged_in("worker", "case_worker")
    node.rpc.people = [person("Aino", "Esimerkki", person=MADE)]
    return node


def test_the_page_says_which_purposes_there_are_and_what_has_ended(worker: Portal) -> None:
    receipt = {"holder": "measurement", "rows": 3, "received_at": "2016-09-01T09:15:02.123456Z"}
    worker.rpc.endings = [
        {
            **{"ending": MADE, "purpose": "measurement", "why": "withdrawn", "occurred_on": "2016-09-01"},
            **{"receipts": [receipt], "waiting": ["reporting"]},
        }
    ]
    html = worker.client.get(PATH).get_data(as_text=True)
    page = Page(html)
    assert page.problems == []
    for said in ("Oikeudet: Aino Esimerkki", "lakisääteinen velvoite", "Poistettu 1.9.2016", "Kuittaukset: kyselyt"):
        assert said in page.said
    assert "Odotetaan: päätoteuttaja" in page.said
    assert html.count('value="withdrawn"') == 1, "only a consent can be withdrawn"


def test_a_restricted_person_is_shown_so_and_can_be_set_free(worker: Portal) -> None:
    worker.rpc.people = [person("Aino", "Esimerkki", person=MADE, restricted=True)]
    html = worker.client.get(PATH).get_data(as_text=True)
    assert "Käsittelyä on rajoitettu." in html
    assert 'value="lifted"' in html
    assert 'value="restricted"' not in html


@pytest.mark.parametrize(
    ("fields", "method", "sent"),
    [
        ({"action": "restricted", "ground": "claims"}, "restrict_person", {"ground": "claims", "lift": False}),
        ({"action": "lifted"}, "restrict_person", {"ground": None, "lift": True}),
        (
            {"action": "withdrawn", "purpose": "measurement", "sure": "1"},
            "end_purpose",
            {"purpose": "measurement", "why": "withdrawn"},
        ),
    ],
)
def test_what_is_chosen_is_sent_with_who_did_it(
    worker: Portal, fields: dict[str, str], method: str, sent: dict[str, object]
) -> None:
    answer = worker.post(PATH, form=PATH, **fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PATH}?done={fields['action']}")
    given = worker.rpc.sent(method)
    assert {name: given[name] for name in sent} == sent
    assert (given["by"], given["subject"]) == ("worker", MADE)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "x"},
        {"action": "restricted", "ground": "x"},
        {"action": "withdrawn", "purpose": "x", "sure": "1"},
        {"action": "withdrawn", "purpose": "measurement"},
    ],
)
def test_what_the_page_does_not_offer_is_refused(worker: Portal, fields: dict[str, str]) -> None:
    assert worker.post(PATH, form=PATH, **fields).status_code == 400
    assert [name for _, name, _ in worker.rpc.calls if name in ("restrict_person", "end_purpose")] == []


def test_the_copy_comes_as_a_document_in_the_persons_language_and_as_a_file(worker: Portal) -> None:
    document = worker.client.get(f"{PATH}/copy.html")
    assert document.headers["Content-Disposition"] == 'attachment; filename="copy.html"'
    assert "Dina uppgifter: Aino" in document.get_data(as_text=True)
    file = worker.client.get(f"{PATH}/copy.json")
    assert json.loads(file.get_data())["intake"]["identity"] == {"given_name": "Aino"}
    assert worker.rpc.sent("copy_person")["by"] == "worker"


def test_who_is_not_there_has_no_page(worker: Portal) -> None:
    worker.rpc.people = []
    assert worker.client.get(PATH).status_code == 404
