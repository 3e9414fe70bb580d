"""Writing down an encounter, correcting it; and a visitor who registers."""

from typing import Any

import pytest

from shared.contracts.errors import ChangedMeanwhile, InvalidInput, RpcTimeout, StandingTooLow
from tests.services.portal.documents import MADE, encounter, person
from tests.services.portal.pages import page
from tests.services.portal.samples import Portal

PATH = "/encounters/lahde-mukaan"
AT = f"{PATH}/{MADE}"
STANDING = f"/standing/lahde-mukaan/{MADE}"


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.encounters = [encounter()]
    worker.rpc.people = [person("", "", "Nalle", standing="visitor", person=MADE)]
    return worker


def record(portal: Portal, path: str = PATH, **changes: Any) -> Any:
    given = {"key": "e" * 64, "revision": "4", "date": "2017-05-30", "people_new": "3", **changes}
    return portal.post(path, form=path, **given)


def test_what_is_left_blank_is_not_recorded_and_nicknames_travel_sealed(worker: Portal) -> None:
    answer = record(worker, topics=["finances"], tokens="Nalle, kettu; nalle 2", women="1", people_known="0")
    assert answer.headers["Location"] == f"{PATH}?done=encounter_saved"
    (item,) = worker.rpc.sent("record_encounters")["items"]
    assert (item["key"], item["date"], item["topics"]) == ("e" * 64, "2017-05-30", ["finances"])
    assert (item["people_new"], item["people_known"], item["women"], item["staff"]) == (3, 0, 1, None)
    assert worker.rpc.opened(item["sealed"]) == {"tokens": ["Nalle", "kettu", "nalle 2"]}
    assert "Nalle" not in str(worker.rpc.sent("record_encounters"))
    assert "tallennettu" in page(worker.client.get(answer.headers["Location"])).said


SLIPS = [
    ("date", {"date": "2017-06-01"}),
    ("start", {"start": "9.30"}),
    ("location", {"location": "kuu"}),
    ("topics", {"topics": ["luck"]}),
    ("people_new", {"people_new": "-1"}),
    ("staff", {"staff": "1001"}),
    ("women", {"women": "4", "people_known": "0"}),
    ("women", {"women": "1", "people_new": ""}),
    ("tokens", {"tokens": "x" * 81}),
]


@pytest.mark.parametrize(("field", "changes"), SLIPS)
def test_a_slip_is_told_at_its_field_and_nothing_is_sent(worker: Portal, field: str, changes: dict[str, Any]) -> None:
    for path in (PATH, AT):
        answer = record(worker, path, **changes)
        assert answer.status_code == 400
        assert f'id="wrong-{field}"' in answer.get_data(as_text=True)
        assert page(answer)
    assert not {"record_encounters", "correct_encounter"} & {method for _, method, _ in worker.rpc.calls}


def test_after_no_answer_the_same_form_comes_back_with_its_key(worker: Portal) -> None:
    worker.rpc.failing["record_encounters"] = RpcTimeout(service="intake", method="record_encounters", seconds=10)
    answer = record(worker)
    assert answer.status_code == 503
    assert f'value="{"e" * 64}"' in answer.get_data(as_text=True)


def test_a_correction_carries_the_revision_and_leaves_visitors_when_none_are_typed(worker: Portal) -> None:
    read = page(worker.client.get(AT))
    shown = {v["name"]: v["value"] for tag, v in read.elements if tag == "input" and v.get("type") == "number"}
    assert shown == {"people_new": "3", "people_known": "0", "women": "", "staff": "2"}
    record(worker, AT)
    sent = worker.rpc.sent("correct_encounter")
    assert (sent["revision"], sent["encounter"], sent["content"]["sealed"]) == (4, MADE, None)
    worker.rpc.failing["correct_encounter"] = ChangedMeanwhile(field="encounter")
    answer = record(worker, AT)
    assert (answer.status_code, "muuttanut" in page(answer).said) == (409, True)


def test_whose_visit_was_left_as_it_is_is_named(worker: Portal) -> None:
    worker.rpc.left = [MADE]
    answer = record(worker, AT)
    assert answer.headers["Location"] == f"{PATH}?done=encounter_saved&left={MADE}"
    said = page(worker.client.get(answer.headers["Location"])).said
    assert "käsittelyä on rajoitettu tai suostumus on peruttu: Nalle" in said


def test_an_encounter_is_removed_after_asking(worker: Portal) -> None:
    assert worker.post(f"{AT}/remove", form=AT, revision="4").headers["Location"] == f"{PATH}?done=encounter_removed"
    assert worker.rpc.sent("remove_encounter")["revision"] == 4
    worker.rpc.encounters = []
    assert worker.client.get(AT).status_code == 404


def test_what_intake_refuses_is_told_with_what_was_typed(worker: Portal) -> None:
    worker.rpc.failing["record_encounters"] = InvalidInput(field="token", reason="several people")
    html = record(worker, tokens="Nalle").get_data(as_text=True)
    assert "Monella on sama lempinimi" in html
    assert 'value="Nalle"' in html


@pytest.mark.parametrize(("wish", "kept"), [("yes", True), ("no", False)])
def test_a_visitor_registers_with_their_wish_and_the_name_sealed(worker: Portal, wish: str, kept: bool) -> None:
    assert f'href="{STANDING}"' in worker.client.get("/people/lahde-mukaan").get_data(as_text=True)
    assert "Nalle" in page(worker.client.get(STANDING)).said
    worker.post(STANDING, form=STANDING, key="e" * 64, given_name="Aino", family_name="Esimerkki", history=wish)
    (item,) = worker.rpc.sent("raise_standing")["items"]
    assert (item["subject"], item["standing"], item["keeps_history"]) == (MADE, "client", kept)
    assert worker.rpc.opened(item["sealed"]) == {"given_name": "Aino", "family_name": "Esimerkki"}


@pytest.mark.parametrize(
    ("field", "changes"),
    [("history", {"history": ""}), ("given_name", {"given_name": " "}), ("birth_date", {"birth_date": "1.2.1990"})],
)
def test_nobody_registers_unasked_or_unnamed(worker: Portal, field: str, changes: dict[str, str]) -> None:
    answer = worker.post(STANDING, form=STANDING, **({"given_name": "Aino", "history": "yes"} | changes))
    assert (answer.status_code, f'id="wrong-{field}"' in answer.get_data(as_text=True)) == (400, True)
    assert "raise_standing" not in [method for _, method, _ in worker.rpc.calls]


def test_a_register_says_that_somebody_must_register_first(worker: Portal) -> None:
    worker.rpc.failing["record_register"] = StandingTooLow(field="subject", asked="client", standing="visitor")
    path = "/register/lahde-mukaan?activity=kaapeli"
    told = {"activity": "kaapeli", "date": "2017-05-30", "minutes": "60", "there": [MADE]}
    answer = worker.post("/register/lahde-mukaan", form=path, **told)
    assert (answer.status_code, "rekisteröi hänet ensin" in page(answer).said) == (400, True)


def test_a_register_offers_only_those_whose_standing_is_enough(worker: Portal) -> None:
    worker.rpc.people.append(person("Aino", "Esimerkki", person="cd" * 16))
    (kaapeli,) = [a for a in worker.rpc.listed[0]["document"]["activities"] if a["key"] == "kaapeli"]
    path = "/register/lahde-mukaan?activity=kaapeli"
    assert "Nalle" in page(worker.client.get(path)).said
    kaapeli["standing"] = "client"
    said = page(worker.client.get(path)).said
    assert ("Nalle" in said, "Aino Esimerkki" in said) == (False, True)
