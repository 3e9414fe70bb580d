"""Correcting and erasing in the portal: what is shown first, what is sent, and what the person is given."""

from typing import Any

import pytest

from services.portal.words import LANGS
from services.portal.words_erasing import ERASING_WORDS, KINDS_ERASED
from shared.contracts.catalogue import FACTS
from shared.contracts.errors import ChangedMeanwhile, InvalidInput, KeptByLaw, RpcTimeout, UnknownPerson
from shared.contracts.facts import About
from shared.contracts.purposes import purpose_of
from tests.badinput.mutations import LONG
from tests.services.portal.documents import MADE, person
from tests.services.portal.pages import Page
from tests.services.portal.samples import Portal

RIGHTS = f"/rights/lahde-mukaan/{MADE}"
CORRECT = f"{RIGHTS}/correct"
WHO = {"given_name": "Aino", "family_name": "Esimerkki", "token": "", "birth_date": "1991-05-04"}
TYPED = WHO | {"identity_code": "", "protected_address": "", "was": "ef" * 32}


@pytest.fixture
def head(node: Portal) -> Portal:
    node.user_logged_in("head", "coordinator")
    node.rpc.people = [person("Aino", "Esimerkki", person=MADE)]
    node.rpc.who = dict(WHO)
    return node


def kept(portal: Portal, until: str = "2034-12-31") -> None:
    rule = {"key": "esf_record", "basis": "legal_obligation", "law": "Yhtenäinen laki 1 §", "keep_until": until}
    portal.rpc.listed[0]["document"]["purposes"] = [rule]


def shown(portal: Portal, what: str, **query: str) -> Page:
    page = Page(portal.client.get(f"{RIGHTS}/erase", query_string={"what": what} | query).get_data(as_text=True))
    assert page.problems == []
    return page


def confirm(portal: Portal, what: str, **fields: str) -> Any:
    given = {"what": what, "seen": "41", "sure": "1"} | fields
    return portal.post(f"{RIGHTS}/erase", form=f"{RIGHTS}/erase?what={what}", **given)


def sent(portal: Portal) -> list[str]:
    return [name for _, name, _ in portal.rpc.calls if name in ("erase_person", "end_purpose", "correct_person")]


# --- erasing


def test_what_goes_is_counted_in_words_before_anything_is_erased(head: Portal) -> None:
    page = shown(head, "support")
    for said in ("Läsnäolot: 1\u00a0250", "Sovitut asiat ja tapaamiset: 5", "Vapaat tekstit: 3", "yleinen etu"):
        assert said in page.said
    assert "Näistä 1\u00a0250 on myös päätoteuttajalla" in page.said
    assert "Rahoittajan aloitus- ja lopetustiedot" in page.said, "which stays"
    assert sent(head) == []


def test_every_kind_that_a_purpose_has_is_told_in_words() -> None:
    about = [kind for (kind, _), fact in FACTS.items() if fact.about is not About.NOBODY and purpose_of(kind)]
    lost = [kind for kind in about if not any(kind.startswith(start) for start, _ in KINDS_ERASED)]
    assert lost == []
    assert {word for _, word in KINDS_ERASED} <= ERASING_WORDS.keys()


def test_confirming_sends_what_was_seen_and_the_page_after_it_shows_the_receipts(head: Portal) -> None:
    answer = confirm(head, "support")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{RIGHTS}?done=erased")
    given = head.rpc.sent("end_purpose")
    assert (given["purpose"], given["why"], given["seen"], given["by"]) == ("support", "asked", 41, "head")
    assert "Tiedot on poistettu." in head.client.get(answer.headers["Location"]).get_data(as_text=True)


def test_after_everything_is_erased_a_page_without_a_name_says_what_is_left(head: Portal) -> None:
    answer = confirm(head, "all")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/erased/lahde-mukaan")
    assert head.rpc.sent("erase_person")["seen"] == 41
    for lang in LANGS:
        page = Page(head.client.get(f"/erased/lahde-mukaan?lang={lang}").get_data(as_text=True))
        assert (page.problems, "Aino" in page.said, "30" in page.said) == ([], False, True)


@pytest.mark.parametrize("fields", [{"sure": ""}, {"seen": ""}, {"seen": "-1"}, {"seen": "9" * 30}, {"seen": "٣"}])
def test_without_the_second_step_nothing_is_erased(head: Portal, fields: dict[str, str]) -> None:
    for what in ("support", "all"):
        assert confirm(head, what, **fields).status_code == 400
    assert sent(head) == []


def test_what_the_law_keeps_is_told_with_its_day_and_what_can_go_instead(head: Portal) -> None:
    kept(head)
    page = shown(head, "all")
    assert "säilytetään 31.12.2034 asti (Yhtenäinen laki 1 §)" in page.said
    links = [values.get("href", "") for tag, values in page.elements if tag == "a"]
    assert f"{RIGHTS}/erase?what=support" in links
    assert f"{RIGHTS}/erase?what=esf_record" not in links
    assert ("button", "careful") not in [(tag, values.get("class")) for tag, values in page.elements]
    assert "säilytetään 31.12.2034" not in shown(head, "support").said
    kept(head, "2017-06-11")
    passed = shown(head, "all").said
    assert ("Täytyy säilyttää" in passed, "Tarkista rahoituspäätöksestä" in passed) == (False, False), "its day is over"


def test_where_nobody_has_said_until_when_the_law_wants_it_kept_whoever_erases_is_warned(head: Portal) -> None:
    for what, warned in (("esf_record", True), ("all", True), ("support", False)):
        assert ("Tarkista rahoituspäätöksestä" in shown(head, what).said) is warned


@pytest.mark.parametrize(
    ("refusal", "status", "said"),
    [
        (ChangedMeanwhile(field="seen"), 409, "Mitään ei poistettu: katso uudelleen."),
        (KeptByLaw(field="purpose", purpose="support", until="2034-12-31", law="x"), 409, "laki vaatii"),
        (UnknownPerson(field="person", programme="lahde-mukaan"), 404, ""),
    ],
)
def test_a_refusal_is_said_and_the_page_is_there_again(
    head: Portal, refusal: Exception, status: int, said: str
) -> None:
    head.rpc.failing = {"end_purpose": refusal, "erase_person": refusal}
    for what in ("support", "all"):
        answer = confirm(head, what)
        assert (answer.status_code, said in answer.get_data(as_text=True)) == (status, True)


def test_without_an_answer_it_is_said_that_nobody_knows_also_while_nothing_answers(head: Portal) -> None:
    silent = RpcTimeout(service="intake", method="x", seconds=1)
    head.rpc.failing = {method: silent for method in ("end_purpose", "erase_person", "list_people", "preview_erasing")}
    for what in ("support", "all"):
        answer = head.post(f"{RIGHTS}/erase", form="/", what=what, seen="41", sure="1")
        page = Page(answer.get_data(as_text=True))
        assert (answer.status_code, page.problems) == (503, [])
        assert "ei tiedetä, poistettiinko tiedot" in page.said
        assert "Mitään ei ole kadonnut" not in page.said


def test_where_nothing_is_recorded_there_is_nothing_to_confirm(head: Portal) -> None:
    page = shown(head, "measurement", lang="sv")
    assert "Inget har antecknats för detta." in page.said
    assert [tag for tag, values in page.elements if values.get("class") == "careful"] == []


def test_a_case_worker_is_told_to_ask_a_coordinator(node: Portal) -> None:
    node.user_logged_in("worker", "case_worker")
    node.rpc.people = [person("Aino", "Esimerkki", person=MADE)]
    html = node.client.get(RIGHTS).get_data(as_text=True)
    assert "Poistamisesta päättää koordinaattori" in html
    assert "/erase?" not in html
    for path in (f"{RIGHTS}/erase?what=all", "/erased/lahde-mukaan"):
        assert node.client.get(path).status_code == 403
    assert node.post(f"{RIGHTS}/erase", form=RIGHTS, what="all", seen="41", sure="1").status_code == 403
    assert sent(node) == []


# --- the receipt


def test_the_receipt_is_in_the_persons_language_and_says_who_is_waited_for(head: Portal) -> None:
    receipt = {"holder": "measurement", "rows": 3, "received_at": "2016-09-01T09:15:02.123456Z"}
    head.rpc.endings = [
        {
            **{"ending": MADE, "purpose": "measurement", "why": "asked", "occurred_on": "2016-09-01"},
            **{"receipts": [receipt], "waiting": ["reporting"]},
        }
    ]
    page = Page(head.client.get(f"{RIGHTS}/receipts").get_data(as_text=True))
    assert page.problems == []
    for said in ("Kvitto på raderingen: Aino Esimerkki", "Du bad om radering. Raderat 1.9.2016.", "huvudgenomföraren"):
        assert said in page.said
    assert "enkäterna: 1.9.2016 kl." in page.said.replace("\u00a0", " ")
    assert "You asked for it." in head.client.get(f"{RIGHTS}/receipts?form=en").get_data(as_text=True)


# --- correcting


def test_the_page_shows_who_they_are_and_sends_it_sealed_with_what_was_seen(head: Portal) -> None:
    page = Page(head.client.get(CORRECT).get_data(as_text=True))
    assert page.problems == []
    values = {
        given["name"]: given.get("value", "") for tag, given in page.elements if tag == "input" and "name" in given
    }
    assert {name: values[name] for name in WHO} == WHO
    typed = TYPED | {"given_name": " Aina\t", "identity_code": "040591-999b"}
    head.rpc.failing = {"correct_person": InvalidInput(field="identity_code", reason="is not valid")}
    assert head.post(CORRECT, form=CORRECT, **typed).status_code == 400
    assert sent(head) == [], "a code that cannot be is not sent"
    head.rpc.failing = {}
    answer = head.post(CORRECT, form=CORRECT, **TYPED | {"given_name": " Aina\t", "protected_address": "yes"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{RIGHTS}?done=corrected")
    given = head.rpc.sent("correct_person")
    assert (given["was"], given["record"], given["by"]) == ("ef" * 32, {"protected_address": "yes"}, "head")
    told = WHO | {"given_name": "Aina", "token": None, "identity_code": None}
    assert head.rpc.opened(given["sealed"]) == told


def test_what_cannot_be_is_said_at_its_field(head: Portal) -> None:
    wrong = {"given_name": LONG, "token": LONG, "birth_date": "2016-02-30", "protected_address": "zz"}
    for field, value in wrong.items():
        answer = head.post(CORRECT, form=CORRECT, **TYPED | {field: value})
        assert (answer.status_code, f'href="#{field}"' in answer.get_data(as_text=True)) == (400, True), field
    again = head.post(CORRECT, form=CORRECT, **TYPED | {"token": LONG, "was": "12" * 32}).get_data(as_text=True)
    assert f'name="was" value="{"12" * 32}"' in again, "whoever changed it meanwhile is not overtaken unseen"
    nobody = TYPED | {"given_name": "", "family_name": ""}
    assert "Anna nimi, lempinimi tai tunnus." in head.post(CORRECT, form=CORRECT, **nobody).get_data(as_text=True)
    assert sent(head) == []


@pytest.mark.parametrize(
    ("refusal", "status", "said"),
    [
        (InvalidInput(field="birth_date", reason="in the future"), 400, 'href="#birth_date"'),
        (InvalidInput(field="sealed.given_name", reason="x"), 400, 'href="#given_name"'),
        (InvalidInput(field="start_date", reason="x"), 400, "jokin tieto on ristiriidassa"),
        (ChangedMeanwhile(field="was"), 409, 'role="alert"'),
        (RpcTimeout(service="intake", method="x", seconds=1), 503, 'role="alert"'),
        (UnknownPerson(field="person", programme="lahde-mukaan"), 404, ""),
    ],
)
def test_what_intake_refuses_is_said(head: Portal, refusal: Exception, status: int, said: str) -> None:
    head.rpc.failing = {"correct_person": refusal}
    answer = head.post(CORRECT, form=CORRECT, **TYPED)
    assert (answer.status_code, said in answer.get_data(as_text=True)) == (status, True)
