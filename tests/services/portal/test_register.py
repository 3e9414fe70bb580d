"""The register page sends what was changed on it and nothing else; who was there last time stands first."""

from typing import Any

import pytest

from shared.contracts.errors import ChangedMeanwhile, ProcessingRestricted, RpcTimeout, UnknownSession
from tests.services.portal.documents import EMPTY_REGISTER, MADE, person
from tests.services.portal.pages import Page, page
from tests.services.portal.samples import Portal

PATH = "/register/lahde-mukaan"
PEOPLE = {f"{n:02x}" * 16: f"Henkilö {chr(ord('A') + n)}" for n in range(12)}
IDS = list(PEOPLE)
HELD = {"session": MADE, "occurred_on": "2017-05-30", "start": None, "minutes": 90, "location": None, "area": None}


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.people = [person("", "", name, person=subject) for subject, name in PEOPLE.items()]
    return worker


def regular(subject: str, *, last_time: bool, times: int = 1) -> dict[str, Any]:
    return {"subject": subject, "times": times, "last_time": last_time}


def ticks(read: Page, *, checked: bool = False) -> list[str]:
    there = [v for _, v in read.elements if v.get("name") == "there"]
    return [v["value"] for v in there if not checked or "checked" in v]


def filled(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"key": "e" * 64, "activity": "kaapeli", "date": "2017-05-30", "minutes": "120"}
    return given | {"location": "sampola_meeting_place", "there": IDS[:3]} | changes


def save(portal: Portal, **changes: Any) -> Any:
    return portal.post(PATH, form=PATH, **filled(**changes))


def test_a_new_session_and_its_ticks_are_one_command(worker: Portal) -> None:
    answer = save(worker)
    assert answer.headers["Location"] == f"{PATH}/{MADE}?saved=1"
    sent = worker.rpc.sent("record_register")
    assert sent["by"] == "worker"
    assert {name: sent["held"][name] for name in ("activity", "date", "minutes", "location")} == {
        "activity": "kaapeli",
        "date": "2017-05-30",
        "minutes": 120,
        "location": "sampola_meeting_place",
    }
    assert [(i["subject"], i["there"], i["was"]) for i in sent["items"]] == [(s, True, False) for s in IDS[:3]]
    save(worker)
    again = worker.rpc.sent("record_register")
    assert [i["key"] for i in again["items"]] == [i["key"] for i in sent["items"]]
    assert again["held"]["key"] == sent["held"]["key"]


def test_who_was_left_out_is_named_beside_what_was_saved(worker: Portal) -> None:
    worker.rpc.ticked = [{"new": True}, {"error": ProcessingRestricted(field="subject").to_wire()}, {"new": True}]
    answer = save(worker)
    assert answer.headers["Location"] == f"{PATH}/{MADE}?saved=1&left={IDS[1]}"
    worker.rpc.register = EMPTY_REGISTER | {"session": HELD}
    assert "käsittelyä on rajoitettu" in page(worker.client.get(answer.headers["Location"])).said
    assert "käsittelyä on rajoitettu" not in page(worker.client.get(f"{PATH}/{MADE}?saved=1&left=x")).said


def test_who_was_there_last_time_comes_first_then_who_came_before_then_all_others(worker: Portal) -> None:
    worker.rpc.register = EMPTY_REGISTER | {
        "last": HELD | {"location": "sampola_meeting_place"},
        "regulars": [
            regular(IDS[5], last_time=False, times=9),
            regular(IDS[7], last_time=True),
            regular(IDS[2], last_time=True),
        ],
    }
    read = page(worker.client.get(PATH))
    assert ticks(read)[:3] == [IDS[2], IDS[7], IDS[5]]
    assert sorted(ticks(read)) == sorted(IDS)
    assert ticks(read, checked=True) == []
    assert [v["value"] for _, v in read.elements if v.get("name") == "minutes"] == ["90"]
    assert [v["value"] for t, v in read.elements if t == "option" and "selected" in v] == ["sampola_meeting_place"]


def test_who_left_not_long_ago_is_offered_among_the_others_for_a_list_on_paper_is_written_down_late(
    worker: Portal,
) -> None:
    today = "2017-05-31"
    for subject, left in zip(IDS[:3], ("2017-03-31", "2017-04-01", today), strict=True):
        worker.rpc.people[IDS.index(subject)]["ended_on"] = left
    worker.rpc.register = EMPTY_REGISTER | {"regulars": [regular(subject, last_time=True) for subject in IDS[:4]]}
    read = page(worker.client.get(PATH))
    assert ticks(read) == [IDS[2], IDS[3], IDS[1], *IDS[4:]], "last time, then all others"
    assert "(lopetti 1.4.2017)" in read.said
    assert "lopetti 31.5.2017" not in read.said


def test_who_has_left_is_offered_for_the_days_before_alone_once_the_session_is_there(worker: Portal) -> None:
    worker.rpc.people[0]["ended_on"], worker.rpc.people[1]["ended_on"] = "2017-05-29", "2017-05-30"
    for day, offered in (("2017-05-29", True), ("2017-05-30", False)):
        worker.rpc.register = EMPTY_REGISTER | {"session": HELD | {"occurred_on": day}}
        shown = ticks(page(worker.client.get(f"{PATH}/{MADE}")))
        assert (IDS[0] in shown, IDS[1] in shown) == (offered, True)
    there = [{"subject": IDS[0], "role": "participant", "minutes": None}]
    worker.rpc.register = worker.rpc.register | {"present": there}
    assert IDS[0] in ticks(page(worker.client.get(f"{PATH}/{MADE}")), checked=True), "a slip can be mended"


def test_of_several_groups_one_is_chosen_first(worker: Portal) -> None:
    document = worker.rpc.listed[0]["document"]
    document["activities"].append({"key": "reeraa", "group": "community_coaching", "kind": "group", "name": {}})
    read = page(worker.client.get(PATH))
    links = [v["href"] for tag, v in read.elements if tag == "a" and "activity=" in v.get("href", "")]
    assert links == [f"{PATH}?activity=kaapeli", f"{PATH}?activity=reeraa"]
    assert ticks(page(worker.client.get(links[1]))) == IDS
    for wrong in ("duuniin", "public_event", "kuu"):
        assert ticks(page(worker.client.get(f"{PATH}?activity={wrong}"))) == []
        assert save(worker, activity=wrong).status_code == 404


def test_mending_sends_only_what_was_changed(worker: Portal) -> None:
    present = [{"subject": s, "role": "participant", "minutes": None} for s in IDS[:3]]
    worker.rpc.register = EMPTY_REGISTER | {"session": HELD, "present": present}
    path = f"{PATH}/{MADE}"
    read = page(worker.client.get(f"{path}?saved=1"))
    assert ticks(read, checked=True) == IDS[:3]
    assert "Paikalla 3." in read.said
    assert "30.5.2017" in read.said
    was = [v["value"] for _, v in read.elements if v.get("name") == "was"]
    assert was == IDS[:3]
    answer = worker.post(path, form=path, key="e" * 64, was=was, there=[IDS[0], IDS[2], IDS[9]])
    assert answer.headers["Location"] == f"{path}?saved=1"
    sent = worker.rpc.sent("record_register")
    assert (sent["session"], sent.get("held")) == (MADE, None)
    changed = {i["subject"]: (i["there"], i["was"]) for i in sent["items"]}
    assert changed == {IDS[1]: (False, True), IDS[9]: (True, False)}


def test_what_another_has_changed_meanwhile_is_shown_as_it_is_now(worker: Portal) -> None:
    worker.rpc.register = EMPTY_REGISTER | {"session": HELD}
    worker.rpc.failing["record_register"] = ChangedMeanwhile(field="subject")
    path = f"{PATH}/{MADE}"
    answer = worker.post(path, form=path, key="e" * 64, was=IDS[:1])
    assert answer.status_code == 409
    read = page(answer)
    assert "sillä välin" in read.said
    assert ticks(read, checked=True) == []


def test_a_register_that_is_not_there_is_no_page(worker: Portal) -> None:
    worker.rpc.failing["show_register"] = UnknownSession(field="session", programme="a")
    assert worker.client.get(f"{PATH}/{MADE}").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"date": "2017-06-01"},
        {"date": "x"},
        {"minutes": "0"},
        {"minutes": "1441"},
        {"minutes": "0" * 5000 + "9"},
        {"location": "kuu"},
    ],
)
def test_a_slip_is_told_with_all_ticks_kept_and_nothing_sent(worker: Portal, changes: dict[str, str]) -> None:
    answer = save(worker, **changes)
    assert answer.status_code == 400
    read = page(answer)
    assert ticks(read, checked=True) == IDS[:3]
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert "record_register" not in [method for _, method, _ in worker.rpc.calls]


def test_after_no_answer_the_same_page_can_be_sent_again(worker: Portal) -> None:
    silent = RpcTimeout(service="activities", method="m", seconds=10)
    token = worker.form_token(PATH)
    worker.rpc.failing |= {"record_register": silent, "show_register": silent}
    data = filled() | {"form_token": token}
    answer = worker.client.post(PATH, data=data, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 503
    read = page(answer)
    assert ticks(read, checked=True) == IDS[:3]
    assert [v["value"] for _, v in read.elements if v.get("name") == "key"] == ["e" * 64]


def test_earlier_sessions_are_there_to_be_corrected(worker: Portal) -> None:
    worker.rpc.register = EMPTY_REGISTER | {"earlier": [{"session": MADE, "occurred_on": "2017-05-02"}]}
    html = worker.client.get(PATH).get_data(as_text=True)
    assert f'href="{PATH}/{MADE}"' in html
    assert "2.5.2017" in html
