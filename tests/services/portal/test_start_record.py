"""The start form asks what the form of the funding period asks, in the person's language, and says what is wrong."""

import json
import logging

import pytest

from shared.contracts.errors import AlreadyRecordedDiffers, ChangedMeanwhile, InvalidInput, PolkuError, RpcTimeout
from shared.journal.sealed import open_command
from tests.services.portal.documents import MADE
from tests.services.portal.fake_rpc import BUS_PRIVATE
from tests.services.portal.pages import Page, page
from tests.services.portal.samples import Portal

FORM = f"/start/lahde-mukaan/{MADE}"
SPECIAL = {"foreign_background", "minority", "disability", "other_disadvantage"}
FILLED = {
    **{"key": "0a" * 32, "was": "ef" * 32, "paid_by_project": "no", "start_date": "2016-02-01", "gender": "f"},
    **{"birth_date": "1991-05-04", "labour_status": "unemployed", "unemployed_months": "14", "education": "0"},
    **{"minority": "refused", "form_signed_on": "2016-02-01", "form_language": "sv", "form_kept": "Kaappi Kolme"},
}


def fields(read: Page) -> set[str]:
    return {values.get("name", "") for tag, values in read.elements if tag in ("input", "select")}


def test_questions_stand_in_the_persons_language_and_the_rest_in_the_screens(worker: Portal) -> None:
    said = page(worker.client.get(FORM)).said
    assert "Situation på arbetsmarknaden" in said
    assert "vill inte svara" in said
    assert "Missä paperi säilytetään" in said
    assert "Tilanne työmarkkinoilla" in page(worker.client.get(f"{FORM}?form=fi")).said


@pytest.mark.parametrize(
    ("period", "record", "asked", "not_asked"),
    [
        ("esf_2014_2020", "here", SPECIAL | {"form_kept"}, {"eura_on"}),
        ("esf_2007_2013", "here", {"education"}, SPECIAL | {"homeless", "eura_on"}),
        ("esf_plus_2021_2027", "here", {"homeless", "eura_on"}, SPECIAL - {"foreign_background"}),
        ("esf_plus_2021_2027", "eura_only", {"gender", "eura_on"}, {"education", "form_kept", *SPECIAL}),
    ],
)
def test_each_period_asks_its_own_questions(
    worker: Portal, period: str, record: str, asked: set[str], not_asked: set[str]
) -> None:
    worker.rpc.listed[0]["document"] |= {"funding_programme": period, "esf_record": record}
    found = fields(page(worker.client.get(FORM)))
    assert asked <= found
    assert not not_asked & found


def test_a_visitor_is_sent_to_registering_where_the_history_is_asked(worker: Portal) -> None:
    worker.rpc.start = {"standing": "visitor"}
    assert worker.client.get(FORM).headers["Location"] == FORM.replace("/start/", "/standing/")


def test_what_was_filled_in_is_sent_and_identity_only_sealed(worker: Portal) -> None:
    assert worker.post(FORM, form=FORM, **FILLED).headers["Location"] == f"{FORM}?saved=1"
    (item,) = worker.rpc.sent("record_starts")["items"]
    opened = json.loads(open_command(BUS_PRIVATE.private_bytes_raw(), item["sealed"]))
    assert opened == {"birth_date": "1991-05-04", "form_kept": "Kaappi Kolme"}
    assert (item["unemployed_months"], item["education"], item["was"]) == (14, 0, "ef" * 32)
    assert "Kaappi" not in str(worker.rpc.calls)


def test_what_is_missing_and_who_does_not_fit_is_said_in_words(worker: Portal) -> None:
    worker.rpc.start = {"standing": "esf_participant", "started_on": "2016-02-01", "lacks": ["proof", "education"]}
    worker.rpc.start |= {"missing": ["form_signed_on", "education"], "misfits": ["age"]}
    worker.rpc.start |= {"record": {"gender": "f", "age": 24}}
    said = page(worker.client.get(f"{FORM}?lang=en&saved=1")).said
    for text in (
        "counts only in the grand total",
        "a signature or other confirmation",
        "the signed form",
        "Age on the start day: 24",
        "Does not fit",
    ):
        assert text in said, text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start_date": ""}, "start_date"),
        ({"birth_date": "eilen"}, "birth_date"),
        ({"paid_by_project": ""}, "paid_by_project"),
        ({"paid_by_project": "yes"}, "paid_by_project"),
        ({"education": "9"}, "education"),
        ({"unemployed_months": "-3"}, "unemployed_months"),
        ({"labour_status": "asleep"}, "labour_status"),
        ({"municipality": "Por"}, "municipality"),
        ({"eura_by": "self"}, "eura_on"),
        ({"form_kept": "x" * 10_000}, "form_kept"),
    ],
)
def test_a_slip_is_named_at_its_field_and_nothing_is_sent(worker: Portal, changes: dict[str, str], field: str) -> None:
    worker.rpc.listed[0]["document"]["funding_programme"] = "esf_2014_2020"
    answer = worker.post(FORM, form=FORM, **FILLED | changes)
    assert answer.status_code == 400
    read = page(answer)
    assert f"wrong-{field}" in read.ids
    marked = [values["aria-errormessage"] for _, values in read.elements if values.get("aria-invalid")]
    assert marked == ([f"wrong-{field}"] if field in read.ids else []), "this period has no such field"
    assert "record_starts" not in [method for _, method, _ in worker.rpc.calls]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput(field="minority", reason="x"), 400),
        (InvalidInput(field="items.0.sealed.birth_date", reason="x"), 400),
        (ChangedMeanwhile(field="was"), 409),
        (AlreadyRecordedDiffers(field="key"), 409),
        (RpcTimeout(service="intake", method="record_starts", seconds=10), 503),
    ],
)
def test_every_refusal_has_words_and_leaves_no_answer_in_a_log(
    worker: Portal, error: PolkuError, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    worker.rpc.failing = {"record_starts": error}
    answer = worker.post(FORM, form=FORM, **FILLED)
    assert answer.status_code == status
    assert page(answer).elements
    assert "Kaappi" not in caplog.text


def test_a_code_that_the_project_requires_is_asked_of_who_has_none_and_named_where_it_is_missing(
    worker: Portal,
) -> None:
    assert "identity_code" not in fields(page(worker.client.get(FORM)))
    worker.rpc.start = {"lacks_code": True}
    assert "identity_code" in fields(page(worker.client.get(FORM)))
    assert worker.post(FORM, form=FORM, **FILLED, identity_code="030281-999n").status_code == 303
    (item,) = worker.rpc.sent("record_starts")["items"]
    assert worker.rpc.opened(item["sealed"])["identity_code"] == "030281-999N"
    worker.rpc.failing = {"record_starts": InvalidInput(field="identity_code", reason="is required")}
    for lang, said in (("fi", "Henkilötunnus puuttuu"), ("sv", "Personbeteckningen saknas"), ("en", "code is missing")):
        answer = worker.post(f"{FORM}?lang={lang}", form=FORM, **FILLED)
        read = page(answer)
        assert (answer.status_code, "wrong-identity_code" in read.ids, said in read.said) == (400, True, True)
    answer = worker.post(FORM, form=FORM, **FILLED, identity_code="030281-9990")
    assert (answer.status_code, "wrong-identity_code" in page(answer).ids) == (400, True)


def test_a_birth_date_that_a_known_code_contradicts_is_said_at_the_birth_date(worker: Portal) -> None:
    error = InvalidInput(field="items.0.sealed.identity_code", reason="tells another birth date than birth_date")
    worker.rpc.failing = {"record_starts": error}
    read = page(worker.post(FORM, form=FORM, **FILLED))
    assert "wrong-birth_date" in read.ids
    assert "Henkilötunnus puuttuu" not in read.said
    assert "identity_code" not in fields(read), "the code is known and not asked anew"


def test_a_try_in_vain_is_dated(worker: Portal) -> None:
    given = {"key": "0b" * 32, "status": "refused", "date": "2017-06-01"}
    assert worker.post(f"{FORM}/try", form=FORM, **given).headers["Location"] == f"{FORM}?saved=try"
    (item,) = worker.rpc.sent("record_attempts")["items"]
    assert (item["record"], item["status"], item["date"]) == ("start", "refused", "2017-06-01")
    assert worker.post(f"{FORM}/try", form=FORM, **given | {"status": "dunno"}).status_code == 400


def test_what_other_partners_answered_stands_on_the_page_and_asking_again_is_offered(worker: Portal) -> None:
    assert "kysy muilta toteuttajilta" in page(worker.client.get(FORM)).said
    rows = [("yes", "2016-03-01"), ("no", None), (None, None), ("cannot_say", None)]
    worker.rpc.filled = {
        "answers": [
            {"partner": f"other_{number}", "answer": answer, "signed_on": day, "asked_on": "2016-11-20"}
            for number, (answer, day) in enumerate(rows)
        ],
        "not_asked": ["far_away"],
    }
    said = page(worker.client.get(FORM)).said
    for text in ("Täytetty: other_0, 1.3.2016.", "Ei tiedossa: other_1.", "odotetaan: 1 / 4.", "Kysytty 20.11.2016."):
        assert text in said
    assert "other_3." in said
    assert "far_away" in said
    assert "kysy uudelleen" in said
    worker.rpc.filled["answers"] = [worker.rpc.filled["answers"][1]] * 3
    assert "Ei tiedossa muualla. Kysyttyjä toteuttajia: 3." in page(worker.client.get(FORM)).said
    worker.rpc.filled = {"why_not": "no_tag"}
    assert "täytetty muualla" not in page(worker.client.get(FORM)).said


def test_asking_the_other_partners_says_what_came_of_it(worker: Portal) -> None:
    where = f"{FORM}/elsewhere"
    assert worker.post(where, form=FORM).headers["Location"] == f"{FORM}?saved=asked"
    assert worker.rpc.sent("ask_filled")["subject"] == MADE
    worker.rpc.reachable = []
    assert worker.post(where, form=FORM).headers["Location"] == f"{FORM}?saved=asked_nobody"
    worker.rpc.failing["ask_filled"] = InvalidInput(field="programme", reason="its tag key has not come here yet")
    refused = worker.post(where, form=FORM)
    assert (refused.status_code, "tunnisteavain" in page(refused).said) == (409, True)
