"""Leaving on one page: what is sent where, what is said when it is refused, and who is asked afterwards."""

import pytest

from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    ChangedMeanwhile,
    ConsentWithdrawn,
    InvalidInput,
    NeverTookPart,
    PolkuError,
    RpcTimeout,
    UnknownCode,
)
from tests.services.portal.documents import MADE, person
from tests.services.portal.pages import Page, page
from tests.services.portal.samples import Portal

FORM = f"/exit/lahde-mukaan/{MADE}"
FILLED = {
    **{"key": "0a" * 32, "was": "ef" * 32, "date": "2017-05-01", "reason": "completed", "results": "employment"},
    **{"next": "work_trial", "outcome": "work_trial", "may_call": "yes", "wishes": "Haluaa Merille"},
    **{"form_signed_on": "2017-05-01", "form_help": "self", "form_language": "sv", "form_kept": "Kaappi Kolme"},
}
ENDED = {"date": "2017-05-01", "reason": "moved", "results": ["none"], "next": None, "planned": None}


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.people = [person("Aino", "Esimerkki", person=MADE)]
    return worker


def methods(worker: Portal) -> list[str]:
    return [method for _, method, _ in worker.rpc.calls if method.startswith(("record", "keep"))]


def test_one_page_is_exit_outcome_wishes_and_form_and_typed_text_goes_sealed(worker: Portal) -> None:
    assert worker.post(FORM, form=FORM, **FILLED).headers["Location"] == f"{FORM}?saved=1"
    assert methods(worker) == ["keep_texts", "record_leaving", "record_outcomes"]
    leaving, form = (worker.rpc.sent("record_leaving")[part] for part in ("exit", "form"))
    assert (leaving["results"], leaving["next"], leaving["corrects"]) == (["employment"], "work_trial", False)
    assert (form["may_call"], form["wishes_ref"], form["was"]) == ("yes", "01" * 16, "ef" * 32)
    assert "Merille" not in str(worker.rpc.calls)
    assert "Kaappi" not in str(worker.rpc.calls)


def test_whoever_has_left_comes_back_by_a_day_and_a_button(worker: Portal) -> None:
    assert f"{FORM}/back" not in worker.client.get(FORM).get_data(as_text=True), "nobody has left"
    worker.rpc.exit = {"ended": ENDED}
    assert f'action="{FORM}/back"' in worker.client.get(FORM).get_data(as_text=True)
    answer = worker.post(f"{FORM}/back", form=FORM, date="2017-05-20")
    assert answer.headers["Location"] == f"{FORM}?saved=back"
    sent = worker.rpc.sent("resume_participation")
    assert (sent["subject"], sent["date"], sent["by"]) == (MADE, "2017-05-20", "worker")
    worker.rpc.exit = {"resumed_on": "2017-05-20"}
    shown = page(worker.client.get(answer.headers["Location"]))
    assert "Palasi 20.5.2017." in shown.said
    assert "Paluu on kirjattu." in shown.said
    worker.rpc.exit = {"ended": ENDED}
    refused: list[tuple[str, Exception | None, int]] = [("20.5.2017", None, 400)]
    refused += [("2017-04-01", InvalidInput(field="date", reason="x"), 400)]
    refused += [("2017-05-20", RpcTimeout(service="intake", method="resume_participation", seconds=10), 503)]
    for day, error, status in refused:
        if error is not None:
            worker.rpc.failing["resume_participation"] = error
        assert worker.post(f"{FORM}/back", form=FORM, date=day).status_code == status


def test_a_recorded_exit_is_shown_and_corrected(worker: Portal) -> None:
    worker.rpc.exit = {"ended": ENDED, "form": {"may_call": "no", "wishes_ref": "01" * 16}}
    worker.rpc.texts = {"01" * 16: "Haluaa Merille"}
    html = worker.client.get(FORM).get_data(as_text=True)
    assert "Haluaa Merille" in html
    assert 'name="ended" value="1"' in html
    given = FILLED | {"ended": "1", "wishes_ref": "01" * 16, "outcome": ""}
    assert worker.post(FORM, form=FORM, **given).status_code == 303
    assert methods(worker) == ["record_leaving"], "the same wish is not kept twice"
    assert worker.rpc.sent("record_leaving")["exit"]["corrects"]


def test_an_outcome_that_is_refused_leaves_the_exit_saved_and_says_so(worker: Portal) -> None:
    worker.rpc.outcome = {"error": NeverTookPart(field="participant", value="duuniin").to_wire()}
    answer = worker.post(FORM, form=FORM, **FILLED)
    assert answer.headers["Location"] == f"{FORM}?saved=outcome"
    assert "ei ole osallistunut" in page(worker.client.get(f"{FORM}?saved=outcome")).said


@pytest.mark.parametrize(
    "error",
    [
        ConsentWithdrawn(field="participant", purpose="support"),
        ChangedMeanwhile(field="participant"),
        UnknownCode(field="outcome", programme="lahde-mukaan", value="work_trial"),
    ],
)
def test_whatever_refuses_the_outcome_the_page_says_that_the_exit_is_saved(worker: Portal, error: PolkuError) -> None:
    worker.rpc.outcome = {"error": error.to_wire()}
    answer = worker.post(FORM, form=FORM, **FILLED)
    assert answer.headers["Location"] == f"{FORM}?saved=no_outcome"
    assert "Lopettaminen on tallennettu" in page(worker.client.get(answer.headers["Location"])).said


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"date": ""}, "date"), ({"reason": "tired"}, "reason"), ({"wishes": "x" * 4001}, "wishes")],
)
def test_a_slip_is_named_at_its_field_and_nothing_is_sent(worker: Portal, changes: dict[str, str], field: str) -> None:
    answer = worker.post(FORM, form=FORM, **FILLED | changes)
    assert answer.status_code == 400
    assert f'id="wrong-{field}"' in answer.get_data(as_text=True)
    assert methods(worker) == []


@pytest.mark.parametrize(
    ("error", "status", "field"),
    [
        (InvalidInput(field="next", reason="x"), 400, "next"),
        (InvalidInput(field="planned", reason="x"), 400, "planned"),
        (InvalidInput(field="participant", reason="x"), 400, ""),
        (InvalidInput(field="exit.resumed_on", reason="x"), 400, "date"),
        (AlreadyRecordedDiffers(field="date"), 409, ""),
        (ChangedMeanwhile(field="was"), 409, ""),
        (RpcTimeout(service="intake", method="record_leaving", seconds=10), 503, ""),
    ],
)
def test_every_refusal_has_words(worker: Portal, error: PolkuError, status: int, field: str) -> None:
    worker.rpc.listed[0]["document"]["outcomes"][1]["is_plan"] = True
    worker.rpc.failing = {"record_leaving": error}
    answer = worker.post(FORM, form=FORM, **FILLED)
    assert answer.status_code == status
    assert page(answer).elements
    assert not field or f'id="wrong-{field}"' in answer.get_data(as_text=True)


def test_another_partner_is_offered_only_where_the_project_has_one(worker: Portal) -> None:
    assert 'value="transferred"' in worker.client.get(FORM).get_data(as_text=True)
    del worker.rpc.listed[0]["document"]["partners"][1:]
    assert 'value="transferred"' not in worker.client.get(FORM).get_data(as_text=True)


@pytest.mark.parametrize(
    ("error", "dropped"),
    [
        (ChangedMeanwhile(field="was"), True),
        (InvalidInput(field="next", reason="x"), True),
        (ConsentWithdrawn(field="participant", purpose="support"), True),
        (RpcTimeout(service="intake", method="record_leaving", seconds=10), False),
    ],
)
def test_a_text_whose_exit_is_refused_does_not_stay_and_what_is_unsure_does(
    worker: Portal, error: PolkuError, dropped: bool
) -> None:
    worker.rpc.failing = {"record_leaving": error}
    worker.post(FORM, form=FORM, **FILLED)
    names = [name for _, name, _ in worker.rpc.calls if name in ("keep_texts", "record_leaving", "drop_texts")]
    assert names == ["keep_texts", "record_leaving", *(["drop_texts"] if dropped else [])]
    keys = [[item["key"] for item in worker.rpc.sent(name)["items"]] for name in names if name.endswith("texts")]
    assert all(some == keys[0] for some in keys)


def test_what_was_typed_stays_on_the_page_beside_what_another_has_recorded_meanwhile(worker: Portal) -> None:
    form = {"may_call": "no", "wishes_ref": "0f" * 16}
    worker.rpc.exit, worker.rpc.texts = {"ended": ENDED, "form": form}, {"0f" * 16: "Muuttaa Turkuun"}
    worker.rpc.failing = {"record_leaving": ChangedMeanwhile(field="was")}
    answer = worker.post(FORM, form=FORM, **FILLED)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert ">Haluaa Merille</textarea>" in html
    assert "Muuttaa Turkuun" in html, "how it stands is seen too"
    assert 'value="Kaappi Kolme"' in html
    assert f'name="was" value="{"ef" * 32}"' in html, "saved again, it is meant"


def test_who_has_no_start_is_sent_to_the_start_form(worker: Portal) -> None:
    worker.rpc.exit = {"started_on": None}
    links = [values.get("href") for _, values in page(worker.client.get(FORM)).elements]
    assert f"/start/lahde-mukaan/{MADE}" in links


@pytest.mark.parametrize(("away", "said"), [("left", "On lopettanut."), ("died", "Kuoli.")])
def test_whoever_is_away_and_the_record_erased_comes_back_on_the_same_page(
    worker: Portal, away: str, said: str
) -> None:
    worker.rpc.exit = {"started_on": None, "away": away}
    html = worker.client.get(FORM).get_data(as_text=True)
    assert (said in html, f'action="{FORM}/back"' in html, "Aloitus pysyy" in html) == (True, True, False)


def test_afterwards_is_asked_only_where_the_project_does_until_three_tries_were_in_vain(worker: Portal) -> None:
    worker.rpc.exit = {"ended": ENDED}
    assert "Jälkiseuranta" not in page(worker.client.get(FORM)).said
    assert "ei kysy kuulumisia" in page(worker.client.get("/followups/lahde-mukaan")).said
    worker.rpc.listed[0]["document"]["followup"] = {"after_days": 30}
    vain = {"follow_up": "ab" * 16, "due": "2017-05-31", "date": "2017-06-01", "status": "not_reached", "results": None}
    for tries, offered in ((2, True), (3, False)):
        worker.rpc.exit = {"ended": ENDED, "follow_ups": [vain] * tries}
        read = page(worker.client.get(FORM))
        statuses = [v["value"] for tag, v in read.elements if tag == "input" and v.get("name") == "status"]
        assert ("not_reached" in statuses[:3]) == offered or not offered
        assert ("Ei tavoitettu kolmella yrityksellä." in read.said) != offered
    given = {"key": "0b" * 32, "due": "2017-05-31", "date": "2017-06-05", "status": "reached", "results": "employment"}
    assert worker.post(f"{FORM}/asked", form=FORM, **given).headers["Location"] == f"{FORM}?saved=asked"
    assert worker.rpc.sent("record_follow_ups")["items"][0]["results"] == ["employment"]
    worker.rpc.due = [{"person": MADE, "due": "2017-05-31", "tries": 2}]
    assert "Aino Esimerkki" in page(worker.client.get("/followups/lahde-mukaan")).said


def test_who_does_not_want_to_be_called_is_not_asked(worker: Portal) -> None:
    worker.rpc.listed[0]["document"]["followup"] = {"after_days": 30}
    worker.rpc.exit = {"ended": ENDED, "form": {"may_call": "no"}}
    html = worker.client.get(FORM).get_data(as_text=True)
    assert f'action="{FORM}/asked"' not in html
    assert "ei halua, että soitetaan" in Page(html).said
