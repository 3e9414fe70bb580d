"""A person's page and handing people over; whom a user sees in a small node and in a large one."""

from typing import Any

import pytest

from services.portal import sight
from services.portal.users import TEAM
from services.portal.words import LANGS
from shared.contracts.describing import command_classes, methods_of
from shared.contracts.errors import ChangedMeanwhile, InvalidInput
from tests.badinput.mutations import LONG
from tests.services.portal.documents import MADE, person, recorded_talk
from tests.services.portal.pages import Page, table_rows
from tests.services.portal.samples import Portal

AINO, PEKKA = "a1" * 16, "b2" * 16
PERSON, HAND_OVER, KEY = f"/person/lahde-mukaan/{AINO}", "/handover/lahde-mukaan", "lahde-mukaan"

WANTED: dict[str, Any] = {"worker": "bertta", "to": "anna", "reason": "absent", "date": "2016-11-22"}


@pytest.fixture
def anna(node: Portal) -> Portal:
    node.user_logged_in("anna", "case_worker")
    node.add_user("bertta", "case_worker")
    node.add_user("audit", "auditor")
    node.rpc.people = [
        person("Aino", "Esimerkki", person=AINO, worker="anna"),
        person("Pekka", "Testinen", person=PEKKA, worker="bertta"),
    ]
    node.rpc.workers = [
        {"name": name, "worker": raw * 16, "programmes": [{"programme": KEY, "people": 1}]}
        for name, raw in (("anna", "0a"), ("bertta", "0b"))
    ]
    return node


def many(portal: Portal) -> None:
    """So many users that each sees their own."""
    for number in range(TEAM):
        portal.add_user(f"w{number}", "case_worker")


@pytest.mark.parametrize("lang", LANGS)
def test_a_persons_page_says_who_works_with_them_and_whom_one_can_choose(anna: Portal, lang: str) -> None:
    html = anna.client.get(f"{PERSON}?lang={lang}").get_data(as_text=True)
    assert Page(html).problems == []
    offered = [v for tag, v in Page(html).elements if tag == "option" and v["value"] in ("anna", "bertta", "audit")]
    assert [(v["value"], "selected" in v) for v in offered] == [("anna", True), ("bertta", False)]
    assert anna.rpc.sent("list_people")["people"] == [AINO]


def test_who_is_nobodys_is_taken_by_one_tap(anna: Portal) -> None:
    taking = 'name="worker" value="anna"'
    assert taking not in anna.client.get(PERSON).get_data(as_text=True)
    del anna.rpc.people[0]["worker"]
    assert taking in anna.client.get(PERSON).get_data(as_text=True)


def test_another_worker_is_noted_and_nobody_who_does_not_work_with_people(anna: Portal) -> None:
    assert '<input type="hidden" name="was" value="anna">' in anna.client.get(PERSON).get_data(as_text=True)
    assert anna.post(f"{PERSON}/worker", form=PERSON, worker="bertta", was="anna").status_code == 303
    sent = anna.rpc.sent("assign_workers")
    assert (sent["items"][0]["subject"], sent["items"][0]["worker"], sent["by"]) == (AINO, "bertta", "anna")
    assert sent["items"][0]["was"] == "anna"
    anna.rpc.assigned = {"error": ChangedMeanwhile(field="worker").to_wire()}
    said = anna.post(f"{PERSON}/worker", form=PERSON, worker="bertta")
    assert (said.status_code, "joku muu ehti ensin" in said.get_data(as_text=True)) == (409, True)
    for wrong in ("audit", "", LONG, "Anna"):
        assert anna.post(f"{PERSON}/worker", form=PERSON, worker=wrong).status_code == 400


def test_the_list_says_whose_everybody_is(anna: Portal) -> None:
    html = anna.client.get("/people/lahde-mukaan").get_data(as_text=True)
    assert [row[3] for row in table_rows(html, "figures")] == [
        "Minä, ihmisen sivu: Aino Esimerkki",
        "bertta, ihmisen sivu: Pekka Testinen",
    ]
    assert "Tiimi näkee kaikki." in html


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_of_handing_over_reads_no_other_name_than_the_workers(anna: Portal, lang: str) -> None:
    html = anna.client.get(f"{HAND_OVER}?worker=bertta&lang={lang}").get_data(as_text=True)
    assert Page(html).problems == []
    assert ("Pekka Testinen" in html, "Aino" in html) == (True, False)
    assert anna.rpc.sent("list_people")["worker"] == "bertta"


def test_all_of_a_worker_who_is_ill_or_some_are_handed_over(anna: Portal) -> None:
    given = WANTED
    said = anna.post(HAND_OVER, form=f"{HAND_OVER}?worker=bertta", **given, which="all", people=PEKKA)
    assert (said.status_code, said.headers["Location"]) == (303, f"{HAND_OVER}?worker=bertta&done=2")
    sent = anna.rpc.sent("hand_over")
    assert (sent["people"], sent["programme"], sent["by"]) == (None, None, "anna")
    anna.post(HAND_OVER, form=f"{HAND_OVER}?worker=bertta", **given, which="ticked", people=[PEKKA, AINO])
    sent = anna.rpc.sent("hand_over")
    assert (sent["people"], sent["programme"]) == ([AINO, PEKKA], KEY)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"to": "audit"}, "joku muu kuin"),
        ({"to": "bertta"}, "joku muu kuin"),
        ({"reason": "zz"}, "Valitse yksi"),
        ({"date": LONG}, "enintään kuukausi"),
        ({"people": []}, "Valitse ainakin"),
    ],
)
def test_what_cannot_be_handed_over_is_said_and_what_was_ticked_stays(
    anna: Portal, wrong: dict[str, Any], word: str
) -> None:
    given: dict[str, Any] = {
        "worker": "bertta",
        "to": "anna",
        "reason": "absent",
        "date": "2016-11-22",
        "people": PEKKA,
    }
    said = anna.post(HAND_OVER, form=f"{HAND_OVER}?worker=bertta", **given | wrong, which="ticked")
    html = said.get_data(as_text=True)
    assert (said.status_code, word in html, Page(html).problems) == (400, True, [])
    assert "hand_over" not in [name for _, name, _ in anna.rpc.calls]


def test_who_comes_second_is_told_that_nobody_was_handed_over(anna: Portal) -> None:
    anna.rpc.failing["hand_over"] = InvalidInput(field="people", reason="x")
    given: dict[str, Any] = {
        "worker": "bertta",
        "to": "anna",
        "reason": "absent",
        "date": "2016-11-22",
        "people": PEKKA,
    }
    said = anna.post(HAND_OVER, form=f"{HAND_OVER}?worker=bertta", **given, which="ticked")
    assert (said.status_code, "Mitään ei siirretty" in said.get_data(as_text=True)) == (409, True)


def test_in_a_node_of_more_than_ten_each_asks_for_their_own_alone(anna: Portal) -> None:
    anna.client.get("/people/lahde-mukaan")
    assert anna.rpc.sent("list_people")["own_only"] is False
    many(anna)
    html = anna.client.get("/people/lahde-mukaan").get_data(as_text=True)
    assert (anna.rpc.sent("list_people")["own_only"], "Näet omasi" in html) == (True, True)
    anna.client.get("/tasks/lahde-mukaan")
    sent = anna.rpc.sent("list_tasks")
    assert (sent["own_only"], sent["worker"]) == (True, "0a" * 16)
    anna.client.get(f"{HAND_OVER}?worker=bertta")
    assert anna.rpc.sent("list_people")["worker"] == "anna", "another's people are not for her to hand over"


def test_in_a_node_of_more_than_ten_every_page_about_anothers_person_is_closed(anna: Portal) -> None:
    many(anna)
    of_coordinators = ("erase", "erase_now")  # who see everybody
    rules = [rule for rule in anna.app.url_map.iter_rules() if "person" in rule.arguments]
    rules = [rule for rule in rules if rule.endpoint not in of_coordinators]
    assert len(rules) > 15
    token = anna.form_token("/people/lahde-mukaan")
    for rule in rules:
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        url = rule.rule.replace("<programme:key>", KEY).replace("<entity:person>", PEKKA)
        url = url.replace("<entity:referral>", MADE)
        data = {"form_token": token} if method == "POST" else None
        said = anna.client.open(url, method=method, data=data, headers={"Sec-Fetch-Site": "same-origin"})
        assert (said.status_code, "toisen työntekijän" in said.get_data(as_text=True)) == (403, True), url
    assert {name for _, name, _ in anna.rpc.calls[-len(rules) :]} == {"sees"}
    anna.rpc.seen = [AINO]
    assert anna.client.get(PERSON).status_code == 200
    assert anna.client.get("/sample/lahde-mukaan").status_code == 403


def test_in_a_node_of_more_than_ten_anothers_conversation_is_neither_shown_nor_corrected_nor_removed(
    anna: Portal,
) -> None:
    many(anna)
    anna.rpc.talk = recorded_talk(subject=PEKKA)
    form, held = f"/conversation/{KEY}", f"/conversation/{KEY}/{MADE}"
    for url in (f"{form}?corrects={MADE}", held):
        assert anna.client.get(url).status_code == 403, url
    filled = {"key": "ab" * 16, "person": AINO, "activity": "duuniin", "date": "2017-05-30", "minutes": "30"}
    assert anna.post(form, form=form, **filled, how="phone", corrects=MADE).status_code == 403
    assert anna.post(f"{held}/remove", form=form).status_code == 403
    assert not {"record_conversation", "remove_conversation"} & {name for _, name, _ in anna.rpc.calls}


def test_a_round_goes_by_who_is_anothers_where_each_sees_their_own(anna: Portal) -> None:
    due = {"instrument": "three_items", "version": "1", "occasion": "interim", "due_on": "2017-06-01", "late": True}
    anna.rpc.listed[0]["document"]["instruments"] = [{"key": "three_items", "version": "1", "schedule": []}]
    anna.rpc.forms_due = [due | {"person": PEKKA}, due | {"person": AINO, "due_on": "2017-06-02"}]
    many(anna)
    anna.rpc.seen = [AINO]
    html = anna.client.get("/round/lahde-mukaan").get_data(as_text=True)
    assert (AINO in html, PEKKA in html) == (True, False)
    following = anna.client.get("/round/lahde-mukaan/next").headers["Location"]
    assert AINO in following, "no dead end at somebody whose page is closed"


def test_a_task_is_closed_as_ones_own_where_each_sees_their_own(anna: Portal) -> None:
    many(anna)
    anna.post("/tasks/lahde-mukaan", form="/tasks/lahde-mukaan", task=MADE, how="done")
    sent = anna.rpc.sent("close_task")
    assert (sent["own_only"], sent["worker"]) == (True, "0a" * 16)


def test_a_coordinator_sees_everybody_in_any_node(node: Portal) -> None:
    node.user_logged_in("cecilia", "coordinator")
    many(node)
    node.rpc.people = [person("Aino", "Esimerkki", person=AINO, worker="anna")]
    assert node.client.get(PERSON).status_code == 200
    assert node.client.get("/people/lahde-mukaan").status_code == 200
    assert node.rpc.sent("list_people")["own_only"] is False


def test_every_question_that_can_leave_out_others_people_is_asked_so() -> None:
    able = {pair for command in command_classes() if "own_only" in command().fields for pair in methods_of(command)}
    assert able == sight.LOOKS
