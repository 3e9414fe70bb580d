"""The conversation form: what is typed reaches intake alone, sealed; slips are told; nothing is saved twice."""

import json
import logging
from typing import Any

import pytest

from services.portal import talks
from services.portal.talks import Person, cleaned, matching
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    InternalError,
    InvalidInput,
    RpcTimeout,
    ServiceAbsent,
    UnknownSession,
)
from tests.services.portal.documents import MADE, person, recorded_talk
from tests.services.portal.pages import Page, page
from tests.services.portal.samples import Portal

FORM = "/conversation/lahde-mukaan"
AINO, PEKKA, OTHER = "a1" * 16, "b2" * 16, "c3" * 16
NOTE = "Velkaneuvonnan aika\r\nvarattu: luottotiedot menivät"


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.people = [
        person("Aino", "Esimerkki", person=AINO),
        person("Pekka", "Testinen", person=PEKKA),
        person("Pekka", "Toinen-Testinen", person=OTHER, started_on=None),
    ]
    return worker


def filled(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"key": "e" * 64, "person": AINO, "who": "", "activity": "duuniin", "date": "2017-05-30"}
    given |= {"minutes": "45", "how": "meeting", "topic": ["finances", "language"], "note": NOTE, "corrects": ""}
    given |= {"action0": "Soita velkaneuvontaan", "due0": "2017-06-05", "action1": "", "due1": ""}
    return given | {"action2": "", "due2": "", "next_on": "2017-06-06", "next_start": "09:30"} | changes


def save(portal: Portal, **changes: Any) -> Any:
    return portal.post(FORM, form=FORM, **filled(**changes))


def saved(portal: Portal) -> list[str]:
    return [method for _, method, _ in portal.rpc.calls if method in ("keep_texts", "record_conversation")]


def values(read: Page, name: str) -> list[str]:
    return [v.get("value", "") for tag, v in read.elements if v.get("name") == name and tag != "button"]


def checked(read: Page, name: str) -> list[str]:
    return [v["value"] for _, v in read.elements if v.get("name") == name and "checked" in v]


def test_what_was_filled_in_is_recorded_with_references_to_its_texts(worker: Portal) -> None:
    answer = save(worker)
    assert answer.headers["Location"] == f"{FORM}/{MADE}?saved=1"
    sent = worker.rpc.sent("record_conversation")
    assert (sent["programme"], sent["by"]) == ("lahde-mukaan", "worker")
    note, action = list(worker.rpc.texts)
    assert sent["items"] == [
        {
            "key": "e" * 64,
            "activity": "duuniin",
            "subject": AINO,
            "date": "2017-05-30",
            "minutes": 45,
            "how": "meeting",
            "topics": ["finances", "language"],
            "text_ref": note,
            "actions": [{"text_ref": action, "due_on": "2017-06-05"}],
            "next_meeting": {"on": "2017-06-06", "start": "09:30"},
            "replaces": None,
        }
    ]
    assert worker.rpc.texts == {note: NOTE.replace("\r", ""), action: "Soita velkaneuvontaan"}
    assert [item["subject"] for item in worker.rpc.sent("keep_texts")["items"]] == [AINO, AINO]


def test_no_word_that_was_typed_crosses_the_bus_or_reaches_a_log(
    worker: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        save(worker, who="Aino")
        worker.rpc.failing["record_conversation"] = RuntimeError(NOTE)
        save(worker)
    crossed = json.dumps(worker.rpc.calls, default=str)
    for word in ("luottotiedot", "velkaneuvontaan", "Aino", "Esimerkki"):
        assert word not in crossed
        assert word not in caplog.text


def test_a_form_of_nothing_but_a_person_has_sensible_defaults(worker: Portal) -> None:
    read = page(worker.client.get(FORM))
    assert values(read, "date") == ["2017-05-31"]  # the project has ended: its last day, not a day it refuses
    assert (values(read, "minutes"), checked(read, "how"), checked(read, "topic")) == (["45"], ["meeting"], [])
    nothing = dict.fromkeys(("note", "action0", "due0", "next_on", "next_start"), "")
    assert save(worker, topic=[], **nothing).status_code == 303
    assert saved(worker) == ["record_conversation"]
    sent = worker.rpc.sent("record_conversation")["items"][0]
    assert (sent["topics"], sent["actions"], sent["next_meeting"]) == ([], [], None)


def test_today_is_offered_while_the_project_runs(worker: Portal) -> None:
    worker.clock.forward(days=-100)
    assert values(page(worker.client.get(FORM)), "date") == ["2017-03-04"]


@pytest.mark.parametrize(
    ("who", "found"),
    [("Aino Esimerkki", AINO), ("aino", AINO), ("esim", AINO), ("testinen pekka toinen", OTHER), ("PEKKA TOI", OTHER)],
)
def test_a_name_or_its_beginning_is_enough(worker: Portal, who: str, found: str) -> None:
    assert save(worker, person="", who=who).status_code == 303
    assert worker.rpc.sent("record_conversation")["items"][0]["subject"] == found


def test_a_name_that_fits_several_asks_which_and_keeps_all_that_was_typed(worker: Portal) -> None:
    answer = save(worker, person="", who="pekka")
    assert answer.status_code == 400
    read = page(answer)
    assert values(read, "person") == [PEKKA, OTHER]
    assert checked(read, "topic") == ["finances", "language"]
    assert "luottotiedot" in read.said
    assert values(read, "action0") == ["Soita velkaneuvontaan"]
    assert saved(worker) == []


def test_a_whole_name_is_that_person_also_where_another_begins_alike(worker: Portal) -> None:
    assert save(worker, person="", who="Pekka Testinen").status_code == 303
    assert worker.rpc.sent("record_conversation")["items"][0]["subject"] == PEKKA


def test_a_name_and_a_pick_that_differ_are_asked_about(worker: Portal) -> None:
    answer = save(worker, person=AINO, who="Pekka Testinen")
    assert answer.status_code == 400
    assert set(values(page(answer), "person")) == {AINO, PEKKA}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"person": ""}, "Valitse, kenen kanssa."),
        ({"person": "d4" * 16}, "Valitse, kenen kanssa."),
        ({"person": "", "who": "kukaan"}, "ei löydy"),
        ({"date": "2017-06-01"}, "hankkeen ajalta"),
        ({"date": ""}, "Anna päivä."),
        ({"date": "30.5.2017"}, "Anna päivä."),
        ({"minutes": "0"}, "minuutteina"),
        ({"minutes": "721"}, "minuutteina"),
        ({"minutes": "٤٥"}, "minuutteina"),
        ({"minutes": "9" * 5000}, "minuutteina"),
        ({"minutes": "0" * 5000 + "45"}, "minuutteina"),
        ({"how": "kuu"}, "vaihtoehdoista"),
        ({"activity": "kaapeli"}, "vaihtoehdoista"),
        ({"due0": "2017-05-01"}, "ennen keskustelua"),
        ({"action0": ""}, "Kirjoita, mitä sovittiin"),
        ({"next_on": "2017-05-01"}, "ennen keskustelua"),
        ({"next_on": ""}, "seuraavan tapaamisen päivä"),
        ({"next_start": "25:00"}, "kellonaika"),
        ({"note": "x" * 4001}, "liian pitkä"),
    ],
)
def test_a_slip_is_told_at_its_field_and_nothing_is_sent(worker: Portal, changes: dict[str, str], said: str) -> None:
    answer = save(worker, **changes)
    assert answer.status_code == 400
    read = page(answer)
    assert said in read.said
    assert saved(worker) == []
    assert values(read, "key") != ["e" * 64]  # what is changed now is another form


@pytest.mark.parametrize("method", ["keep_texts", "record_conversation"])
@pytest.mark.parametrize("error", [RpcTimeout(service="s", method="m", seconds=10), ServiceAbsent(service="s")])
def test_after_no_answer_the_same_form_can_be_sent_again(worker: Portal, method: str, error: Exception) -> None:
    worker.rpc.failing[method] = error
    answer = save(worker)
    assert answer.status_code == 503
    read = page(answer)
    assert "vain kerran" in read.said
    assert values(read, "key") == ["e" * 64]
    assert "luottotiedot" in read.said
    first = worker.rpc.sent("keep_texts")
    worker.rpc.failing.clear()
    assert save(worker).status_code == 303
    again = worker.rpc.sent("keep_texts")
    assert [item["key"] for item in first["items"]] == [item["key"] for item in again["items"]]


def test_the_form_is_shown_again_also_when_the_list_of_the_last_ones_does_not_answer(worker: Portal) -> None:
    silent = RpcTimeout(service="activities", method="m", seconds=10)
    worker.rpc.failing |= {"record_conversation": silent, "recent_people": silent}
    token = worker.form_token("/")
    answer = worker.client.post(FORM, data=filled() | {"form_token": token}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 503
    assert "luottotiedot" in page(answer).said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AlreadyRecordedDiffers(field="ref"), "jo tallennettu"),
        (UnknownSession(field="replaces", programme="a"), "jo korjannut"),
    ],
)
def test_what_another_has_done_already_is_told(worker: Portal, error: Exception, said: str) -> None:
    worker.rpc.failing["record_conversation"] = error
    answer = save(worker)
    assert answer.status_code == 409
    assert said in page(answer).said


def test_what_only_the_service_refuses_is_told_with_all_that_was_typed(worker: Portal) -> None:
    worker.rpc.failing["record_conversation"] = InvalidInput(field="next_meeting.on", reason="too far")
    answer = save(worker, next_on="2027-06-06")
    assert answer.status_code == 400
    read = page(answer)
    assert "enintään vuoden päässä" in read.said
    assert "luottotiedot" in read.said
    assert values(read, "key") != ["e" * 64]


def test_a_failure_is_an_error_page_with_nothing_of_what_was_typed(worker: Portal) -> None:
    worker.rpc.failing["record_conversation"] = InternalError(service="activities", method="m", reference="r")
    answer = save(worker)
    assert answer.status_code == 500
    assert "luottotiedot" not in answer.get_data(as_text=True)


def test_those_talked_with_last_can_be_picked_by_a_tap(worker: Portal) -> None:
    worker.rpc.recent = [PEKKA, "d4" * 16, AINO]
    assert values(page(worker.client.get(FORM)), "person") == [PEKKA, AINO]


def test_who_has_left_is_not_offered_and_an_earlier_talk_is_recorded_still(worker: Portal) -> None:
    worker.rpc.people = [person("Aino", "Esimerkki", person=AINO), person("Pekka", "Esimerkki", person=PEKKA)]
    worker.rpc.people[1]["ended_on"] = "2017-01-10"
    worker.rpc.recent = [PEKKA, AINO]
    shown = page(worker.client.get(FORM))
    assert values(shown, "person") == [AINO]
    assert [v["value"] for tag, v in shown.elements if tag == "option"] == ["Aino Esimerkki"]
    assert PEKKA in values(page(worker.client.get(f"{FORM}?person={PEKKA}")), "person"), "from their own page"
    assert save(worker, person="", who="Pekka Esimerkki").status_code == 303


def test_people_of_the_same_name_are_told_apart(worker: Portal) -> None:
    worker.rpc.people = [
        person("Aino", "Esimerkki", person=AINO),
        person("Aino", "Esimerkki", person=PEKKA, started_on="2016-03-01"),
        person("Aino", "Esimerkki", person=OTHER, started_on=None),
    ]
    labels = [v["value"] for tag, v in page(worker.client.get(FORM)).elements if tag == "option"]
    assert labels == ["Aino Esimerkki · 1.2.2016", "Aino Esimerkki · 1.3.2016", "Aino Esimerkki · c3c3"]
    assert save(worker, person="", who="Aino Esimerkki · 1.3.2016").status_code == 303
    assert worker.rpc.sent("record_conversation")["items"][0]["subject"] == PEKKA


def test_what_was_saved_is_shown_and_only_that_person_is_read(worker: Portal) -> None:
    worker.rpc.talk = recorded_talk(subject=AINO)
    worker.rpc.texts = {"01" * 16: "Ensimmäinen\nToinen", "02" * 16: "Soita"}
    read = page(worker.client.get(f"{FORM}/{MADE}?saved=1"))
    for said in ("Tallennettu.", "Aino Esimerkki", "puhelu", "Raha ja velat", "Ensimmäinen\nToinen", "Soita"):
        assert said in read.said, said
    assert "6.6.2017 klo\u00a09.30" in read.said
    assert worker.rpc.sent("list_people")["people"] == [AINO]
    assert worker.rpc.sent("read_texts")["by"] == "worker"


def test_an_erased_text_is_said_to_be_gone(worker: Portal) -> None:
    worker.rpc.talk = recorded_talk(subject=AINO)
    assert page(worker.client.get(f"{FORM}/{MADE}")).said.count("Teksti on poistettu.") == 2


def test_a_conversation_that_is_not_there_is_no_page(worker: Portal) -> None:
    for path in (f"{FORM}/{MADE}", f"{FORM}?corrects={MADE}", f"{FORM}?corrects=x", f"{FORM}/x"):
        assert worker.client.get(path).status_code == 404, path


def test_correcting_shows_what_was_saved_and_replaces_it(worker: Portal) -> None:
    worker.rpc.talk = recorded_talk(subject=AINO)
    worker.rpc.texts = {"01" * 16: "Muistiinpano tästä", "02" * 16: "Soita"}
    read = page(worker.client.get(f"{FORM}?corrects={MADE}"))
    assert (checked(read, "person"), checked(read, "how"), checked(read, "topic")) == ([AINO], ["phone"], ["finances"])
    assert (values(read, "action0"), values(read, "due0")) == (["Soita"], ["2017-06-05"])
    assert (values(read, "next_on"), values(read, "corrects")) == (["2017-06-06"], [MADE])
    assert "Muistiinpano tästä" in read.said
    save(worker, corrects=MADE)
    assert worker.rpc.sent("record_conversation")["items"][0]["replaces"] == MADE


def test_taking_back_needs_a_form_of_ours_and_says_that_it_is_done(worker: Portal) -> None:
    worker.rpc.talk = recorded_talk()
    assert worker.client.get(f"{FORM}/{MADE}/remove").status_code == 405
    answer = worker.post(f"{FORM}/{MADE}/remove", form=f"{FORM}/{MADE}")
    assert answer.headers["Location"] == f"{FORM}?removed=1"
    assert worker.rpc.sent("remove_conversation") == {
        "programme": "lahde-mukaan",
        "session": MADE,
        "by": "worker",
        "after": 0,
    }
    assert "poistettu" in page(worker.client.get(f"{FORM}?removed=1")).said


def test_a_project_without_individual_activities_has_no_form(worker: Portal) -> None:
    for document in ({}, {"activities": [], "groups": []}):
        worker.rpc.listed[0]["document"] = document
        read = page(worker.client.get(FORM))
        assert "ei ole yksilövalmennusta" in read.said
        assert "button" not in [tag for tag, v in read.elements if v.get("name") == "who"]


def test_names_and_notes_cannot_become_markup(worker: Portal) -> None:
    answer = save(worker, person="", note="<script>alert(1)</script>", who='"><b>')
    html = answer.get_data(as_text=True)
    assert "<script" not in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" a\r\nb\rc ", "a\nb\nc"),
        ("a\tb\x00\x1b", "a b"),
        ("\ud800x", "x"),
        ("\n\n", ""),
        ("\u200eA\u2066i\ufeff", "Ai"),
    ],
)
def test_typed_text_is_brought_to_what_the_vault_takes(typed: str, kept: str) -> None:
    assert cleaned(typed) == kept


def test_matching_needs_every_word_and_finds_nobody_by_nothing() -> None:
    people = [Person("1", "Åsa Öberg-Järvi"), Person("2", "Asa Oberg")]
    assert [p.subject for p in matching(people, "järvi ås")] == ["1"]
    assert [p.subject for p in matching(people, "öberg oberg")] == []
    assert matching(people, " - ") == []
    assert repr(people[0]) == "Person(…)"
    assert talks.key_from("x") != talks.key_from("x")
