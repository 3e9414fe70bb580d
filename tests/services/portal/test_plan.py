"""A person's plan is written with them; what they may see is printed in their language, and nothing else."""

from typing import Any

import pytest

from shared.contracts.errors import ChangedMeanwhile, InvalidInput, PolkuError, RpcTimeout
from tests.services.portal.documents import MADE, person
from tests.services.portal.pages import page
from tests.services.portal.samples import Portal

FORM = f"/plan/lahde-mukaan/{MADE}"
GOAL, ACTION, HIDDEN, REVIEW = "1a" * 16, "2a" * 16, "3a" * 16, "4a" * 16


def entry(what: str, entry_id: str, **more: Any) -> dict[str, Any]:
    given = dict.fromkeys(("text_ref", "who", "day", "barrier")) | {"solutions": []}
    return {"entry": entry_id, "what": what, "state": "open", "shown": True} | given | more


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.people = [person("Aino", "Esimerkki", person=MADE)]
    worker.rpc.texts = {"01" * 16: "Puutarhalle Töihin", "02" * 16: "Käydä Pankissa", "03" * 16: "Salainen Huomio"}
    entries = [
        entry("goal", GOAL, text_ref="01" * 16),
        entry("action", ACTION, text_ref="02" * 16, who="person", day="2017-06-20"),
        entry("action", HIDDEN, text_ref="03" * 16, shown=False),
        entry("barrier", "5a" * 16, barrier="debt", solutions=["guide"]),
        entry("review", REVIEW, day="2017-05-02", state="done", shown=False),
    ]
    worker.rpc.plan = {"revision": 3, "strengths": ["humour"], "next": "education", "entries": entries}
    return worker


def as_shown(worker: Portal) -> dict[str, Any]:
    """What a browser would send of the page, unchanged."""
    read = page(worker.client.get(FORM))
    sent: dict[str, Any] = {"is": []}
    for tag, values in read.elements:
        if tag == "input" and values.get("type") == "hidden" and values["name"] not in ("form_token",):
            if values["name"] == "is":
                sent["is"].append(values["value"])
            else:
                sent[values["name"]] = values["value"]
    return sent


def test_what_is_typed_goes_sealed_and_the_plan_names_it(worker: Portal) -> None:
    worker.rpc.plan = {}
    given = {"key": "0a" * 32, "was": "0", "strengths": "humour", "new_goal": ["Uusi Tavoite", ""], "next": "education"}
    given |= {"new_action": ["Soittaa Sinne", "", ""], "new_who": ["worker", "", ""], "new_day": ["2017-07-01", "", ""]}
    given |= {"barrier": "debt", "solution:debt": "guide", "is": "- barrier - debt", "ready": "yes"}
    given |= {"review_day": "2017-06-10", "review_note": "Hyvä Alku"}
    assert worker.post(FORM, form=FORM, **given).headers["Location"] == f"{FORM}?saved=1"
    (item,) = worker.rpc.sent("record_plans")["items"]
    assert (item["ready"], item["next"], item["strengths"], item["was"]) == (True, "education", ["humour"], 0)
    told = {one["what"]: one for one in item["entries"]}
    assert told["barrier"]["solutions"] == ["guide"]
    assert not told["barrier"]["shown"], "a barrier is shown only where that was chosen"
    assert (told["action"]["who"], told["action"]["day"]) == ("worker", "2017-07-01")
    assert (told["review"]["day"], told["review"]["shown"]) == ("2017-06-10", False)
    assert len({one["text_ref"] for one in item["entries"] if one["text_ref"]}) == 3
    for text in ("Tavoite", "Soittaa", "Alku"):
        assert text not in str(worker.rpc.calls), text


def test_entries_stand_keep_their_texts_and_go_when_they_are_taken_out(worker: Portal) -> None:
    given = as_shown(worker) | {"barrier": "debt", f"state:{GOAL}": "done", f"shown:{GOAL}": "yes"}
    given |= {f"state:{ACTION}": "out", f"state:{HIDDEN}": "open"}
    assert worker.post(FORM, form=FORM, **given).status_code == 303
    (item,) = worker.rpc.sent("record_plans")["items"]
    found = {one["entry"]: one for one in item["entries"]}
    assert ACTION not in found
    assert (found[GOAL]["state"], found[GOAL]["text_ref"], item["was"]) == ("done", "01" * 16, 3)
    assert found[REVIEW]["day"] == "2017-05-02"
    assert "keep_texts" not in [method for _, method, _ in worker.rpc.calls]


def test_the_copy_is_in_the_persons_language_and_has_only_what_they_may_see(worker: Portal) -> None:
    answer = worker.client.get(f"{FORM}/copy")
    said = page(answer).said
    for text in ("Min egen plan", "Puutarhalle Töihin", "Käydä Pankissa", "jag", "Humor", "Skulder", "Penningguide"):
        assert text in said, text
    assert "Salainen Huomio" not in answer.get_data(as_text=True)
    assert "03" * 16 not in worker.rpc.sent("read_texts")["refs"], "what is not shown is not even read"
    assert "Europeiska unionen" in said


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ready": "yes", "next": ""}, "next"),
        ({"new_action": ["", "", ""], "new_who": ["", "", ""], "new_day": ["2017-07-01", "", ""]}, "new_action0"),
        ({"review_note": "x"}, "review_day"),
        ({"new_goal": ["x" * 4001, ""]}, ""),
    ],
)
def test_a_slip_is_named_and_nothing_is_sent(worker: Portal, changes: dict[str, Any], field: str) -> None:
    answer = worker.post(FORM, form=FORM, **as_shown(worker) | changes)
    assert answer.status_code == 400
    assert not field or f'id="wrong-{field}"' in answer.get_data(as_text=True)
    assert "record_plans" not in [method for _, method, _ in worker.rpc.calls]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ChangedMeanwhile(field="was"), 409),
        (InvalidInput(field="items.0.entries.1.day", reason="x"), 400),
        (RpcTimeout(service="pathways", method="record_plans", seconds=10), 503),
    ],
)
def test_every_refusal_has_words(worker: Portal, error: PolkuError, status: int) -> None:
    given = as_shown(worker)
    worker.rpc.failing = {"record_plans": error}
    answer = worker.post(FORM, form=FORM, **given | {"new_goal": ["Yksi", ""]})
    assert answer.status_code == status
    assert page(answer).elements
    assert 'value="Yksi"' in answer.get_data(as_text=True), "what was typed is there to be sent again"
    asked = [name for _, name, _ in worker.rpc.calls if name.endswith("_texts") and name != "read_texts"]
    assert asked == ["keep_texts", *(["drop_texts"] if status != 503 else [])]


def test_an_exit_begins_with_what_the_ready_plan_names(worker: Portal) -> None:
    worker.rpc.listed[0]["document"]["outcomes"][1]["is_plan"] = True
    worker.rpc.plan |= {"ready_on": "2017-05-02"}
    html = worker.client.get(f"/exit/lahde-mukaan/{MADE}").get_data(as_text=True)
    assert '<option value="education" selected>' in html.partition('id="planned"')[2].partition("</select>")[0]
    assert "Suunnitelma on valmis" in html


@pytest.mark.parametrize("was", ["", "²", "9" * 5000, "-1", "x"])
def test_a_revision_that_is_none_is_one_that_nobody_has(worker: Portal, was: str) -> None:
    assert worker.post(FORM, form=FORM, **as_shown(worker) | {"was": was}).status_code == 303
    assert worker.rpc.sent("record_plans")["items"][0]["was"] == 0
