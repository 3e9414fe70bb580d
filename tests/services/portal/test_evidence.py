"""The lists of missing evidence and of EURA name people to the worker alone; the card names nobody."""

import re
from typing import Any

import pytest

from services.portal.evidence import EURA, _qr
from tests.services.portal.documents import MADE, person
from tests.services.portal.pages import Page, page, table_rows
from tests.services.portal.samples import Portal

LIST, WORK = "/evidence/lahde-mukaan", "/eura/lahde-mukaan"


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.people = [person("Aino", "Esimerkki", person=MADE), person("Muu", "Ihminen")]
    return worker


def esf_plus(worker: Portal) -> None:
    worker.rpc.listed[0]["document"] |= {"funding_programme": "esf_plus_2021_2027", "project_code": "S12345"}
    lacks: dict[str, Any] = {"person": MADE, "service_language": "sv", "left": False, "start": None, "exit": None}
    worker.rpc.eura = {"counts": {"participants": 4, "starts": 3, "left": 1, "exits": 1}, "people": [lacks]}


def test_missing_evidence_is_named_in_words_and_only_these_names_are_read(worker: Portal) -> None:
    tried = [{"record": "start", "status": "refused", "date": "2017-05-02"}]
    worker.rpc.missing = [{"person": MADE, "missing": ["form_signed_on", "education", "minority"], "attempts": tried}]
    html = worker.client.get(LIST).get_data(as_text=True)
    assert Page(html).problems == []
    assert table_rows(html, "figures") == [
        [
            "Aino Esimerkki",
            "allekirjoitettu lomake, Ylin suoritettu koulutus (ISCED), Vähemmistöön kuuluminen (2.5.2017 kieltäytyi)",
            "Aloitusilmoitus: Aino Esimerkki · Lopettaminen: Aino Esimerkki",
        ]
    ]
    assert worker.rpc.sent("list_people")["people"] == [MADE]


def test_what_is_not_known_of_the_paper_and_who_does_not_fit_stand_in_the_list(worker: Portal) -> None:
    worker.rpc.missing = [
        {"person": MADE, "missing": [], "unsaid": ["form_language", "form_kept"], "misfits": ["labour_status"]}
    ]
    ((_, said, _),) = table_rows(worker.client.get(LIST).get_data(as_text=True), "figures")
    assert "lomakkeen kieli, missä paperi säilytetään" in said
    assert "Ei sovi valittuun kohderyhmään: tilanne työmarkkinoilla" in said
    assert page(worker.client.get(f"{LIST}?lang=sv")).said.count("har inte antecknats") == 1


def test_of_whom_nobody_wrote_down_that_they_were_informed_the_list_says_so(worker: Portal) -> None:
    worker.rpc.missing = [{"person": MADE, "missing": [], "unsaid": [], "misfits": [], "uninformed": True}]
    html = worker.client.get(LIST).get_data(as_text=True)
    ((_, said, _),) = table_rows(html, "figures")
    assert "kerrottu henkilötietojen käsittelystä" in said
    assert f'href="/rights/lahde-mukaan/{MADE}"' in html


def test_the_worklist_says_who_lacks_what_and_how_many_are_there(worker: Portal) -> None:
    esf_plus(worker)
    read = page(worker.client.get(WORK))
    assert "Aloitustiedot 3 / 4, lopetustiedot 1 / 1." in read.said
    assert "ei vielä ajankohtainen" in read.said, "who has not left has no exit to enter"
    assert f"{WORK}/card?form=sv" in [values.get("href") for _, values in read.elements]


def test_an_entry_is_noted_with_who_and_when(worker: Portal) -> None:
    esf_plus(worker)
    given = {"key": "0b" * 32, "record": "start", "by": "self", "date": "2017-06-01"}
    assert worker.post(f"{WORK}/{MADE}", form=WORK, **given).headers["Location"] == f"{WORK}?saved=1"
    (item,) = worker.rpc.sent("note_eura")["items"]
    assert (item["subject"], item["record"], item["by"], item["date"]) == (MADE, "start", "self", "2017-06-01")
    for wrong in ({"by": "nobody"}, {"date": "x"}, {"record": "middle"}):
        assert worker.post(f"{WORK}/{MADE}", form=WORK, **given | wrong).status_code == 400


def test_the_card_is_in_the_persons_language_with_address_code_and_square_and_names_nobody(worker: Portal) -> None:
    esf_plus(worker)
    answer = worker.client.get(f"{WORK}/card?form=sv")
    html = answer.get_data(as_text=True)
    for text in ("Ge dina egna uppgifter", EURA, "S12345", "Medfinansieras av Europeiska unionen", str(_qr(EURA))):
        assert text in html, text
    assert page(answer).said
    assert "Esimerkki" not in html
    assert "list_people" not in [method for _, method, _ in worker.rpc.calls]
    assert not re.search(r"style=|<script", html)


def test_a_period_without_eura_has_no_card(worker: Portal) -> None:
    assert worker.client.get(f"{WORK}/card").status_code == 404
    assert "ei ole EURA 2021" in page(worker.client.get(WORK)).said
