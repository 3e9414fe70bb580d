"""Reaching people: links with a text in the person's language that tells nobody else anything."""

from html import unescape
from typing import Any
from urllib.parse import unquote

import pytest

from services.portal.words import LANGS, words
from shared.contracts.errors import ChangedMeanwhile, InvalidInput
from tests.badinput.mutations import LONG
from tests.services.portal.documents import person
from tests.services.portal.pages import Page
from tests.services.portal.samples import Portal
from tests.services.portal.test_tasks import task

AINO = "a1" * 16
PERSON, TASKS = f"/person/lahde-mukaan/{AINO}", "/tasks/lahde-mukaan"
REACHED = {"phone": "+358401112223", "email": "aino&x@example.org", "contact_way": "message", "contact_language": "sv"}


@pytest.fixture
def anna(node: Portal) -> Portal:
    node.user_logged_in("anna", "case_worker")
    node.rpc.people = [person("Aino", "Esimerkki", person=AINO)]
    node.rpc.contacts[AINO] = dict(REACHED)
    node.rpc.tasks = [task()]
    return node


def hrefs(portal: Portal, url: str = PERSON) -> list[str]:
    html = portal.client.get(url).get_data(as_text=True)
    read = Page(html)
    assert read.problems == []
    found = (values["href"] for tag, values in read.elements if tag == "a")
    return [unescape(href) for href in found if href.startswith(("tel:", "sms:", "mailto:"))]


@pytest.mark.parametrize("lang", LANGS)
def test_the_text_is_in_the_persons_language_and_the_wished_way_stands_first(anna: Portal, lang: str) -> None:
    anna.rpc.contacts[AINO]["contact_language"] = lang
    message, call, mail = hrefs(anna, f"{PERSON}?lang=fi")
    text = words(lang)("text_call_me")  # type: ignore[arg-type]
    assert message.startswith("sms:+358401112223?body=Hej" if lang == "sv" else "sms:+358401112223?body=He")
    assert unquote(message.partition("?body=")[2]) == text
    assert call == "tel:+358401112223"
    assert mail.startswith("mailto:aino%26x@example.org?subject=")
    assert unquote(mail.partition("&body=")[2]) == text


def test_no_text_says_what_the_project_is_or_who_writes(anna: Portal) -> None:
    names = ("Lähde", "lahde", "hanke", "ESR", "Leader", "anna", "Aino", "projekt", "project")
    for lang in LANGS:
        for key in ("call_me", "how_are_you", "our_meeting"):
            said = words(lang)(f"text_{key}", day="1.2.2016").replace("hur du har det", "")
            assert not [name for name in names if name.casefold() in said.casefold()]


@pytest.mark.parametrize(
    ("spoken", "lang"), [({}, "fi"), ({"service_language": "en"}, "en"), ({"contact_language": "so"}, "fi")]
)
def test_without_a_language_of_ours_it_is_the_next_best(anna: Portal, spoken: dict[str, str], lang: str) -> None:
    anna.rpc.contacts[AINO] = {"phone": "0401112223"} | spoken
    assert unquote(hrefs(anna)[1].partition("?body=")[2]) == words(lang)("text_call_me")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"opens": {"on": "meeting_planned"}}, ("text_our_meeting", "1.3.2016")),
        ({"opens": {"on": "action_agreed"}}, ("text_call_me", "")),
        ({"opens": {"on": "attendance_recorded"}, "closes": {"on": "outcome_recorded"}}, ("text_how_are_you", "")),
    ],
)
def test_the_text_of_a_task_fits_it(anna: Portal, rule: dict[str, Any], text: tuple[str, str]) -> None:
    anna.rpc.contacts[AINO]["contact_language"] = "fi"
    anna.rpc.listed[0]["document"]["tasks"] = [{"key": "ask_outcome", "name": {"fi": "Kysy"}, "due_days": 1, **rule}]
    message, *_ = hrefs(anna, TASKS)
    assert unquote(message.partition("?body=")[2]) == words("fi")(text[0], day=text[1])


def test_whom_nobody_may_reach_has_no_link_and_no_form(anna: Portal) -> None:
    anna.rpc.unreached = {AINO}
    assert hrefs(anna) == hrefs(anna, TASKS) == []
    html = anna.client.get(PERSON).get_data(as_text=True)
    assert 'name="phone"' not in html
    assert "Tietojen käsittelyä on rajoitettu: yhteystietoja ei näytetä." in html
    anna.rpc.people[0] |= {"ended_on": "2020-08-03", "end_reason": "died"}
    html = anna.client.get(PERSON).get_data(as_text=True)
    assert "Hän on kuollut: yhteystietoja ei näytetä." in html
    assert "rajoitettu" not in html
    anna.rpc.people[0]["protected"] = True
    assert "Turvakielto: yhteystietoja ei säilytetä." in anna.client.get(PERSON).get_data(as_text=True)


def test_what_is_typed_reaches_intake_sealed_with_what_was_seen(anna: Portal) -> None:
    was = {f"was_{name}": REACHED[name] for name in ("phone", "email", "contact_way")}
    typed = {"phone": "040 111-22 23", "email": "", "contact_way": "call", "contact_language": "fi"}
    assert anna.post(f"{PERSON}/contact", form=PERSON, **was, **typed).status_code == 303
    sent = anna.rpc.sent("set_contact")
    assert (sent["subject"], sent["by"], sent["contact_language"]) == (AINO, "anna", "fi")
    assert anna.rpc.opened(sent["sealed"]) == {
        "was": {name: REACHED[name] for name in ("phone", "email", "contact_way")},
        "now": {"phone": "0401112223", "email": None, "contact_way": "call"},
    }


def test_what_cannot_be_is_said_at_its_field(anna: Portal) -> None:
    for field, wrong in (("phone", LONG), ("email", LONG), ("contact_way", "zz"), ("contact_language", "<b>")):
        said = anna.post(f"{PERSON}/contact", form=PERSON, **{field: wrong})
        assert (said.status_code, f'href="#{field}"' in said.get_data(as_text=True)) == (400, True), field
    anna.rpc.failing["set_contact"] = InvalidInput(field="phone", reason="x")
    said = anna.post(f"{PERSON}/contact", form=PERSON, phone="12")
    assert (said.status_code, "alussa + tai 0" in said.get_data(as_text=True)) == (400, True)
    anna.rpc.failing["set_contact"] = ChangedMeanwhile(field="was")
    assert anna.post(f"{PERSON}/contact", form=PERSON).status_code == 409


def test_service_language_and_interpreter_are_seen_and_set(anna: Portal) -> None:
    spoken = {"service_language": "so", "interpreter": "yes"}
    anna.rpc.people = [person("Aino", "Esimerkki", person=AINO, protected=True, **spoken)]
    form = Page(anna.client.get(PERSON).get_data(as_text=True))
    chosen = {values["value"] for tag, values in form.elements if tag == "option" and "selected" in values}
    assert (form.problems, {"so", "yes"} <= chosen) == ([], True)
    kept = {"was_service_language": "so", "was_interpreter": "yes"}
    answer = anna.post(f"{PERSON}/language", form=PERSON, **kept, service_language="sv", interpreter="")
    assert answer.headers["Location"] == f"{PERSON}?done=language"
    sent = anna.rpc.sent("set_languages")
    assert (sent["was"], sent["now"]) == (spoken, {"service_language": "sv", "interpreter": None})
    for wrong in ({"service_language": LONG}, {"interpreter": "maybe"}):
        assert anna.post(f"{PERSON}/language", form=PERSON, **wrong).status_code == 400
    anna.rpc.failing["set_languages"] = ChangedMeanwhile(field="was")
    assert anna.post(f"{PERSON}/language", form=PERSON, service_language="sv").status_code == 409


def test_a_visitor_who_registers_may_say_how_they_are_reached(anna: Portal) -> None:
    url = f"/standing/lahde-mukaan/{AINO}"
    typed = {"given_name": "Aino", "history": "yes", "phone": "+358 40 111 2223", "contact_language": "sv"}
    assert anna.post(url, form=url, **typed).status_code == 303
    sent = anna.rpc.sent("raise_standing")
    assert (sent["worker"], sent["items"][0]["contact_language"]) == ("anna", "sv")
    assert anna.rpc.opened(sent["items"][0]["sealed"]) == {"given_name": "Aino", "phone": "+358401112223"}


def test_from_a_persons_page_a_talk_with_them_is_one_tap(anna: Portal) -> None:
    url = f"/conversation/lahde-mukaan?person={AINO}"
    html = anna.client.get(PERSON).get_data(as_text=True)
    assert f'href="{url}"' in html
    assert f'href="/questionnaire/lahde-mukaan/{AINO}"' in html
    assert "asiakas · Aloitti 1.2.2016" in Page(html).said
    form = Page(anna.client.get(url).get_data(as_text=True))
    picked = [values["value"] for _, values in form.elements if values.get("name") == "person" and "checked" in values]
    assert picked == [AINO]


@pytest.mark.parametrize("url", ["/followups/lahde-mukaan", f"/exit/lahde-mukaan/{AINO}"])
def test_who_is_asked_how_they_are_is_reached_from_where_it_is_written_down(anna: Portal, url: str) -> None:
    anna.rpc.listed[0]["document"]["followup"] = {"after_days": 30}
    left = {"date": "2016-01-01", "reason": "completed", "results": None, "next": None, "planned": None}
    anna.rpc.due, anna.rpc.exit = [{"person": AINO, "due": "2016-01-31", "tries": 0}], {"ended": left}
    message, call, _ = hrefs(anna, url)
    assert unquote(message.partition("?body=")[2]) == words("sv")("text_how_are_you")
    assert call == "tel:+358401112223"
    anna.rpc.exit |= {"form": {"may_call": "no"}}
    anna.rpc.unreached.add(AINO)
    assert hrefs(anna, url) == []
