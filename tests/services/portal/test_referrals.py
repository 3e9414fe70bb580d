"""The pages of referrals and of the partners' nodes ask for what was pressed, and show what came of it."""

import json
import logging
from typing import Any

import pytest

from shared.contracts.catalogue import STANDINGS
from shared.contracts.errors import InvalidInput, NodeNotConfirmed, NotFound, ReferralClosed, RpcTimeout
from shared.journal.sealed import open_command
from tests.services.portal.documents import MADE, node_row, person, referral
from tests.services.portal.fake_rpc import BUS_PRIVATE
from tests.services.portal.pages import Page, page
from tests.services.portal.samples import Portal
from tests.services.portal.test_workers import many

LIST = "/referrals/lahde-mukaan"
FORM = f"/refer/lahde-mukaan/{MADE}"
PARTNERS = "/partners/lahde-mukaan"
UAS = "university_of_applied_sciences"
REASON = "Haluaa ryhmään"


@pytest.fixture
def worker(node: Portal) -> Portal:
    node.user_logged_in("worker", "case_worker", "coordinator")
    node.rpc.people = [person("Aino", "Esimerkki", person=MADE)]
    return node


def names_of(read: Page) -> list[str]:
    return [v["value"] for tag, v in read.elements if tag == "button" and v.get("name") == "action"]


def test_each_referral_offers_what_can_be_done_with_it_and_nothing_else(worker: Portal) -> None:
    for direction, state, offered in (
        ("in", "received", ["accepted", "declined"]),
        ("in", "accepted", ["told"]),
        ("in", "declined", []),
        ("out", "sent", ["withdrawn"]),
        ("out", "accepted", []),
        ("out", "withdrawn", []),
        ("out", "undone", []),
    ):
        worker.rpc.referrals = [referral("Aino", "Esimerkki", direction, state)]
        read = page(worker.client.get(LIST))
        assert names_of(read) == offered, (direction, state)
        assert "Aino Esimerkki" in read.said
    assert worker.rpc.sent("list_referrals")["by"] == "worker"


def test_of_anothers_person_a_list_names_nobody_and_offers_nothing(worker: Portal) -> None:
    for direction, state in (("in", "accepted"), ("out", "sent")):
        worker.rpc.referrals = [referral("", "", direction, state, text=None, others=True)]
        read = page(worker.client.get(LIST))
        assert (names_of(read), "Toisen työntekijän" in read.said) == ([], True)


def test_of_two_who_take_somebody_where_each_sees_their_own_the_second_is_told(node: Portal) -> None:
    node.user_logged_in("bertta", "case_worker")
    many(node)
    node.rpc.referrals = [referral("Aino", "Esimerkki")]
    node.rpc.failing["accept_referral"] = NotFound(what="referral")
    answer = node.post(f"{LIST}/{MADE}", form=LIST, action="accepted", standing="client", start_date="")
    assert (answer.status_code, "jo ratkaistu" in page(answer).said) == (409, True)
    assert node.rpc.sent("accept_referral")["own_only"] is True


def test_who_has_a_protected_address_is_named_on_a_page_of_their_own_alone(worker: Portal) -> None:
    worker.rpc.referrals = [referral("", "", text=None, protected=True)]
    read = page(worker.client.get(LIST))
    assert "turvakielto" in read.said.lower()
    link = f"{LIST}/{MADE}"
    assert link in [v.get("href") for tag, v in read.elements if tag == "a"]
    worker.rpc.referrals = [referral("Aino", "Esimerkki", protected=True)]
    assert "Aino Esimerkki" in page(worker.client.get(link)).said
    assert worker.rpc.sent("list_referrals")["referral"] == MADE
    worker.rpc.referrals = []
    assert worker.client.get(link).status_code == 404


def test_who_is_known_by_a_token_alone_can_be_taken_as_a_visitor(worker: Portal) -> None:
    worker.rpc.referrals = [referral("", "", "in", "received")]
    read = page(worker.client.get(LIST))
    offered = [v["value"] for tag, v in read.elements if tag == "option" and v["value"] in STANDINGS]
    assert offered == ["client", "esf_participant", "visitor"]


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_every_state_reason_and_end_has_words(worker: Portal, lang: str) -> None:
    from shared.contracts.referral_facts import DECLINES

    rows = [referral("A", "B", "out", "declined", reason=reason) for reason in DECLINES]
    ends = [("started", None), ("did_not_come", None), ("outcome", "education")]
    rows += [referral("A", "B", "out", "accepted", became=became, outcome=outcome) for became, outcome in ends]
    worker.rpc.referrals = rows
    assert worker.client.get(f"{LIST}?lang={lang}").status_code == 200


@pytest.mark.parametrize(
    ("fields", "method", "given"),
    [
        (
            {"action": "accepted", "standing": "esf_participant", "start_date": "2017-05-30", "paid_by_project": "no"},
            "accept_referral",
            {"standing": "esf_participant", "start_date": "2017-05-30", "paid_by_project": "no"},
        ),
        ({"action": "declined", "reason": "no_places"}, "decline_referral", {"reason": "no_places"}),
        ({"action": "withdrawn"}, "withdraw_referral", {}),
        ({"action": "told", "became": "started"}, "follow_up_referral", {"became": "started", "outcome": None}),
        (
            {"action": "told", "became": "outcome:education"},
            "follow_up_referral",
            {"became": "outcome", "outcome": "education"},
        ),
    ],
)
def test_a_button_is_one_command(worker: Portal, fields: Any, method: str, given: Any) -> None:
    worker.rpc.referrals = [referral("Aino", "Esimerkki")]
    answer = worker.post(f"{LIST}/{MADE}", form=LIST, **fields)
    assert answer.headers["Location"] == f"{LIST}?done={fields['action']}"
    sent = worker.rpc.sent(method)
    assert {"by": "worker", "referral": MADE, **given}.items() <= sent.items()
    assert page(worker.client.get(answer.headers["Location"])).said.count("Esimerkki") == 1


@pytest.mark.parametrize(
    ("error", "status", "why"),
    [
        (ReferralClosed(state="withdrawn"), 409, "ratkaistu"),
        (NodeNotConfirmed(field="partner", partner=UAS), 409, "ei ole vahvistettu"),
        (InvalidInput(field="start_date", reason="x"), 400, "on aloituspäivä"),
        (InvalidInput(field="birth_date", reason="x"), 400, "ennen syntymäaikaa"),
        (RpcTimeout(service="intake", method="m", seconds=1), 503, "Vastausta ei saatu"),
    ],
)
def test_what_is_refused_shows_the_list_and_says_why(worker: Portal, error: Exception, status: int, why: str) -> None:
    worker.rpc.failing["accept_referral"] = error
    worker.rpc.referrals = [referral("Aino", "Esimerkki")]
    answer = worker.post(f"{LIST}/{MADE}", form=LIST, action="accepted", standing="client", start_date="")
    assert answer.status_code == status
    assert ("div", "problems") in [(tag, v.get("id")) for tag, v in page(answer).elements]
    assert why in page(answer).said


def test_the_page_says_that_a_told_birth_date_was_left_out(worker: Portal) -> None:
    worker.rpc.referrals = [referral("Aino", "Esimerkki")]
    assert "ei voi olla oikea" not in page(worker.client.get(LIST)).said
    worker.rpc.referrals = [referral("Aino", "Esimerkki", left_out=["birth_date"])]
    assert "ei voi olla oikea" in page(worker.client.get(LIST)).said


def test_a_referral_is_sent_with_what_was_ticked_and_its_reason_sealed(worker: Portal) -> None:
    read = page(worker.client.get(FORM))
    assert "Aino Esimerkki" in read.said
    assert [v for _, v in read.elements if v.get("name") == "agreed" and "checked" in v] == [], (
        "nothing is ticked for them"
    )
    fields = {"key": "a" * 64, "partner": UAS, "agreed": ["name", "birth_date"], "text": REASON}
    answer = worker.post(FORM, form=FORM, **fields)
    assert answer.headers["Location"] == f"{LIST}?done=sent"
    sent = worker.rpc.sent("send_referral")
    assert (sent["subject"], sent["partner"], sent["agreed"]) == (MADE, UAS, ["name", "birth_date"])
    opened = open_command(BUS_PRIVATE.private_bytes_raw(), sent["sealed"])
    assert json.loads(opened) == {"text": REASON}
    assert REASON not in repr(worker.rpc.calls)


def test_nothing_is_sent_without_the_persons_yes_to_their_name(worker: Portal) -> None:
    answer = worker.post(FORM, form=FORM, key="a" * 64, partner=UAS, agreed=["birth_date"], text=REASON)
    assert answer.status_code == 400
    assert REASON in page(answer).said
    assert "send_referral" not in [name for _, name, _ in worker.rpc.calls]


def test_where_nobody_is_confirmed_the_form_says_who_does_that(worker: Portal) -> None:
    worker.rpc.reachable = []
    assert "Koordinaattori" in page(worker.client.get(FORM)).said


def test_names_and_reasons_reach_no_log(worker: Portal, caplog: pytest.LogCaptureFixture) -> None:
    worker.rpc.referrals = [referral("Aino", "Esimerkki", text=REASON)]
    with caplog.at_level(logging.DEBUG):
        worker.client.get(LIST)
        worker.post(FORM, form=FORM, key="a" * 64, partner=UAS, agreed=["name"], text=REASON)
    assert "Aino" not in caplog.text
    assert REASON not in caplog.text


# --- partners


def test_own_words_states_and_who_has_the_key_are_shown(worker: Portal) -> None:
    own = node_row("leader_association", own=True, words="hame-hame-hame-hame-hame-hame", tag_key="has")
    others = [
        node_row(UAS, state="confirmed", tag_key="on_its_way"),
        node_row("third_one", state="changed", tag_key="waits"),
        node_row("fourth_one"),
        node_row("fifth_one", expelled="2017-01-01T00:00:00.000000Z"),
    ]
    worker.rpc.nodes = {"steward": "leader_association", "key_nos": [1, 2], "nodes": [own, *others]}
    read = page(worker.client.get(PARTNERS))
    for words in ("hame-hame", "Vahvistettu", "Avaimet ovat vaihtuneet", "Odottaa vahvistusta", "Ei ole enää mukana"):
        assert words in read.said
    assert "matkalla" in read.said
    assert "kalo-tuve" not in read.said, "theirs are heard from them, not copied from the page"
    assert sorted(names_of(read)) == ["confirm", "confirm", "renew", "retire"]


def test_typed_words_are_compared_by_intake(worker: Portal) -> None:
    worker.rpc.nodes = {"steward": None, "key_nos": [], "nodes": [node_row(UAS)]}
    fields = {"action": "confirm", "node": "univer-0a1b2c3d", "words": " kalo tuve  hame noki pilu sota "}
    answer = worker.post(PARTNERS, form=PARTNERS, **fields)
    assert answer.headers["Location"] == f"{PARTNERS}?done=confirmed"
    sent = worker.rpc.sent("confirm_node")
    assert (sent["words"], sent["by"]) == ("kalo tuve hame noki pilu sota", "worker")
    worker.rpc.failing["confirm_node"] = InvalidInput(field="words", reason="not those")
    answer = worker.post(PARTNERS, form=PARTNERS, **fields)
    assert answer.status_code == 400
    assert "älä anna mitään" in page(answer).said


def test_keys_are_renewed_and_given_up_by_the_same_commands(worker: Portal) -> None:
    worker.rpc.nodes = {"steward": UAS, "key_nos": [1], "nodes": []}
    renewed = worker.post(PARTNERS, form=PARTNERS, action="renew", newest="1")
    assert renewed.headers["Location"].endswith("done=renewed")
    assert worker.post(PARTNERS, form=PARTNERS, action="retire", key_no="1").headers["Location"].endswith("=retired")
    assert worker.rpc.sent("retire_tag_key")["key_no"] == 1
    worker.rpc.failing["retire_tag_key"] = InvalidInput(field="key_no", reason="the newest")
    assert worker.post(PARTNERS, form=PARTNERS, action="retire", key_no="1").status_code == 400
    for action, key_no in (("other", "1"), ("retire", "²"), ("retire", "9" * 5000)):
        assert worker.post(PARTNERS, form=PARTNERS, action=action, key_no=key_no).status_code == 400


def test_a_renewal_that_is_posted_twice_makes_one_key(worker: Portal) -> None:
    worker.rpc.nodes = {"steward": UAS, "key_nos": [1, 2], "nodes": []}
    answer = worker.post(PARTNERS, form=PARTNERS, action="renew", newest="1")
    assert answer.headers["Location"].endswith("done=renewed")
    assert "renew_tag_key" not in [method for _, method, *_ in worker.rpc.calls]


def test_only_the_coordinator_sees_the_nodes(node: Portal) -> None:
    node.user_logged_in("worker", "case_worker")
    assert node.client.get(PARTNERS).status_code == 403
    assert "/partners/" not in node.client.get("/").get_data(as_text=True)
