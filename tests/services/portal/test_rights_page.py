"""The page of a participant's rights: what it shows, what it sends, the copy as files."""

import json

import pytest

from shared.contracts.errors import (
    ChangedMeanwhile,
    InvalidInput,
    KeptByLaw,
    PolkuError,
    RpcTimeout,
    ServiceAbsent,
    UnknownPerson,
)
from tests.services.portal.documents import MADE, person
from tests.services.portal.pages import Page
from tests.services.portal.samples import Portal

PATH = f"/rights/lahde-mukaan/{MADE}"


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.people = [person("Aino", "Esimerkki", person=MADE)]
    return worker


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


def test_who_was_informed_is_written_down_with_the_consents_that_are_asked(worker: Portal) -> None:
    html = worker.client.get(PATH).get_data(as_text=True)
    assert (Page(html).problems, html.count('name="consents"')) == ([], 1)
    form = {"notice": "3", "language": "so", "date": "2017-05-30", "consents": "measurement"}
    answer = worker.post(f"{PATH}/informed", form=PATH, **form)
    assert answer.headers["Location"] == f"{PATH}?done=informed"
    (item,) = worker.rpc.sent("record_informed")["items"]
    assert (item["subject"], item["notice"], item["language"]) == (MADE, 3, "so")
    assert (item["date"], item["consents"]) == ("2017-05-30", ["measurement"])
    worker.rpc.informed = [{"notice": 3, "language": "so", "consents": ["measurement"], "occurred_on": "2017-05-30"}]
    assert (
        "30.5.2017, seloste 3, Soomaali; suostui: Kyselyt voinnista"
        in Page(worker.client.get(PATH).get_data(as_text=True)).said
    )


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("notice", "0"), ("notice", "\u0663"), ("language", "zz"), ("date", "1.2.2016"), ("consents", "support")],
)
def test_what_nobody_can_have_been_told_is_refused_at_its_field(worker: Portal, field: str, wrong: str) -> None:
    form = {"notice": "3", "language": "so", "date": "2017-05-30"} | {field: wrong}
    answer = worker.post(f"{PATH}/informed", form=PATH, **form)
    assert (answer.status_code, f'href="#{field}"' in answer.get_data(as_text=True)) == (400, True)
    assert "record_informed" not in [method for _, method, _ in worker.rpc.calls]


def test_a_day_that_intake_refuses_is_told_at_its_field(worker: Portal) -> None:
    worker.rpc.informed_result = {"error": InvalidInput(field="date", reason="in the future").to_wire()}
    answer = worker.post(f"{PATH}/informed", form=PATH, notice="3", language="fi", date="2036-01-01")
    assert (answer.status_code, 'href="#date"' in answer.get_data(as_text=True)) == (400, True)


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
            {"action": "withdrawn", "purpose": "measurement", "sure": "1", "seen": "41"},
            "end_purpose",
            {"purpose": "measurement", "why": "withdrawn", "seen": 41},
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
        {"action": "withdrawn", "purpose": "x", "sure": "1", "seen": "41"},
        {"action": "withdrawn", "purpose": "measurement", "seen": "41"},
        {"action": "withdrawn", "purpose": "measurement", "sure": "1"},
    ],
)
def test_what_the_page_does_not_offer_is_refused(worker: Portal, fields: dict[str, str]) -> None:
    assert worker.post(PATH, form=PATH, **fields).status_code == 400
    assert [name for _, name, _ in worker.rpc.calls if name in ("restrict_person", "end_purpose")] == []


def test_what_is_withdrawn_is_what_was_recorded_when_the_page_was_opened(worker: Portal) -> None:
    worker.rpc.preview["seen"] = 17
    assert 'name="seen" value="17"' in worker.client.get(PATH).get_data(as_text=True)


@pytest.mark.parametrize(
    ("refusal", "status", "said"),
    [
        (ChangedMeanwhile(field="seen"), 409, "Mitään ei poistettu: katso uudelleen."),
        (KeptByLaw(field="purpose", purpose="measurement", until="2034-12-31", law="x"), 409, "laki vaatii"),
        (RpcTimeout(service="intake", method="end_purpose", seconds=60), 503, "ei tiedetä, poistettiinko tiedot"),
        (ServiceAbsent(service="intake"), 503, "ei tiedetä, poistettiinko tiedot"),
        (UnknownPerson(field="person", programme="lahde-mukaan"), 404, ""),
    ],
)
def test_a_withdrawal_that_is_refused_or_not_answered_is_said(
    worker: Portal, refusal: PolkuError, status: int, said: str
) -> None:
    worker.rpc.failing["end_purpose"] = refusal
    answer = worker.post(PATH, form=PATH, action="withdrawn", purpose="measurement", sure="1", seen="41")
    page = Page(answer.get_data(as_text=True))
    assert (answer.status_code, said in page.said, page.problems) == (status, True, [])


def test_without_an_answer_a_restriction_can_be_sent_again(worker: Portal) -> None:
    worker.rpc.failing["restrict_person"] = RpcTimeout(service="intake", method="restrict_person", seconds=10)
    answer = worker.post(PATH, form=PATH, action="restricted", ground="claims")
    assert (answer.status_code, "Tallenna uudelleen" in answer.get_data(as_text=True)) == (503, True)


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
