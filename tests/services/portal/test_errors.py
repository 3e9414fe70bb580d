"""What goes wrong is said plainly, with a reference, and never with an exception's text."""

import logging

import pytest
from markupsafe import escape

from services.portal.words import Lang, words
from shared.contracts.errors import (
    ConsentWithdrawn,
    InternalError,
    InvalidInput,
    PolkuError,
    ProcessingRestricted,
    RpcTimeout,
    ServiceAbsent,
)
from tests.services.portal.samples import Portal


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RpcTimeout(service="reporting", method="report", seconds=10), 503),
        (ServiceAbsent(service="reporting"), 503),
        (InternalError(service="reporting", method="report", reference="ab12"), 500),
        (InvalidInput(field="from", reason="not a date"), 400),
    ],
)
def test_refusal_of_a_service_is_told_in_the_readers_language_with_a_reference_that_the_log_has(
    lead: Portal, error: PolkuError, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    lead.user_logged_in("worker", "reporter")
    lead.rpc.fails = error
    asked: list[tuple[Lang, str]] = [("fi", "/"), ("sv", "/report/lahde-mukaan"), ("fi", "/report/lahde-mukaan.json")]
    for lang, path in asked:
        caplog.clear()
        with caplog.at_level(logging.INFO):
            answer = lead.client.get(path, query_string={"lang": lang}, follow_redirects=True)
        html = answer.get_data(as_text=True)
        assert answer.status_code == status
        assert f"<h1>{words(lang)(f'error_{status}')}</h1>" in html
        assert escape(str(error)) not in html
        assert (words(lang)("error_503_help") in html) == (status == 503)
        record = next(r for r in caplog.records if r.message == "page refused")
        assert vars(record)["reference"] in html
        assert vars(record)["code"] == error.code
        assert getattr(record, "service", None) == error.params.get("service")
        assert str(error) not in "".join(str(vars(r)) for r in caplog.records)


def test_failure_shows_a_reference_that_the_log_has_and_no_text(lead: Portal, caplog: pytest.LogCaptureFixture) -> None:
    lead.user_logged_in("worker", "reporter")
    lead.rpc.fails = ValueError("Aino Esimerkki 010101-999X")
    with caplog.at_level(logging.DEBUG):
        answer = lead.client.get("/report/lahde-mukaan")
    html = answer.get_data(as_text=True)
    assert answer.status_code == 500
    record = next(r for r in caplog.records if r.message == "page failed")
    assert vars(record)["reference"] in html
    assert vars(record)["error"] == "ValueError"
    everything = html + caplog.text + "".join(str(vars(r)) for r in caplog.records)
    assert "Aino" not in everything
    assert "Traceback" not in everything


def test_malformed_report_is_an_error_page_not_a_guess(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    lead.rpc.report["activities"][0]["sessions"] = "many"
    assert lead.client.get("/report/lahde-mukaan").status_code == 500


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ProcessingRestricted(field="participant"), "behandlingen av någons uppgifter är begränsad"),
        (ConsentWithdrawn(field="participant", purpose="support"), "återkallat sitt samtycke"),
    ],
)
def test_who_works_on_a_person_nothing_may_be_recorded_about_is_told_so(
    node: Portal, error: PolkuError, said: str
) -> None:
    node.user_logged_in("worker", "case_worker")
    node.rpc.fails = error
    answer = node.client.get("/people/lahde-mukaan?lang=sv", follow_redirects=True)
    assert (answer.status_code, said in answer.get_data(as_text=True)) == (403, True)
