"""A new client on a page, and a protected address that is told when somebody registers."""

import pytest

from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, RpcTimeout
from tests.badinput.mutations import LONG
from tests.services.portal.documents import MADE, person
from tests.services.portal.pages import Page
from tests.services.portal.samples import Portal

NEW, VISITOR = "/new/lahde-mukaan", f"/standing/lahde-mukaan/{MADE}"


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.people = [person("", "", "Nalle", standing="visitor", person=MADE)]
    return worker


def test_a_new_client_is_registered_without_having_been_a_nickname(worker: Portal) -> None:
    assert f'href="{NEW}"' in worker.client.get("/people/lahde-mukaan").get_data(as_text=True)
    html = worker.client.get(NEW).get_data(as_text=True)
    assert (Page(html).problems, 'name="history"' in html) == ([], False)
    typed = {
        "given_name": "\u200eAino\u2069",
        "birth_date": "1990-02-01",
        "phone": "040 111 2223",
        "contact_language": "sv",
    }
    answer = worker.post(NEW, form=NEW, key="e" * 64, **typed)
    assert answer.headers["Location"] == f"/person/lahde-mukaan/{MADE}"
    sent = worker.rpc.sent("register_participants")
    (item,) = sent["items"]
    assert (sent["worker"], item["key"], item["standing"]) == ("worker", "e" * 64, "client")
    assert (item["contact_language"], "protected_address" in item) == ("sv", False)
    assert worker.rpc.opened(item["sealed"]) == {
        "given_name": "Aino",
        "birth_date": "1990-02-01",
        "phone": "0401112223",
    }


def test_a_protected_address_is_told_before_anything_else_is_recorded(worker: Portal) -> None:
    for url, method in ((NEW, "register_participants"), (VISITOR, "raise_standing")):
        typed = {"given_name": "Aino", "history": "yes", "protected_address": "yes"}
        refused = worker.post(url, form=url, **typed, phone="0401112223")
        html = refused.get_data(as_text=True)
        assert (refused.status_code, 'href="#phone"' in html, "checked" in html) == (400, True, True)
        assert worker.post(url, form=url, **typed).status_code == 303
        (item,) = worker.rpc.sent(method)["items"]
        assert item["protected_address"] == "yes"


@pytest.mark.parametrize(
    ("refused", "status", "says"),
    [
        (InvalidInput(field="birth_date", reason="x"), 400, 'href="#birth_date"'),
        (InvalidInput(field="items.0.sealed.given_name", reason="x"), 400, 'href="#given_name"'),
        (AlreadyRecordedDiffers(field="ref"), 409, "Aino"),
        (RpcTimeout(service="intake", method="register_participants", seconds=10), 503, "Aino"),
    ],
)
def test_what_is_refused_is_told_with_what_was_typed(
    worker: Portal, refused: Exception, status: int, says: str
) -> None:
    worker.rpc.failing["register_participants"] = refused
    answer = worker.post(NEW, form=NEW, given_name="Aino")
    assert (answer.status_code, says in answer.get_data(as_text=True)) == (status, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [("given_name", ""), ("given_name", "\u200b\u2060"), ("given_name", LONG), ("birth_date", "1.2.1990")],
)
def test_nobody_is_registered_without_a_name_or_with_no_day(worker: Portal, field: str, value: str) -> None:
    answer = worker.post(NEW, form=NEW, **({"given_name": "Aino"} | {field: value}))
    assert (answer.status_code, f'href="#{field}"' in answer.get_data(as_text=True)) == (400, True)
    assert "register_participants" not in [method for _, method, _ in worker.rpc.calls]


def test_a_code_that_the_project_requires_is_asked_of_a_new_client_and_of_a_visitor_and_told_sealed(
    worker: Portal,
) -> None:
    assert 'name="identity_code"' not in worker.client.get(NEW).get_data(as_text=True)
    worker.rpc.listed[0]["document"]["identity_code"] = "required"
    for url, method in ((NEW, "register_participants"), (VISITOR, "raise_standing")):
        assert 'name="identity_code"' in worker.client.get(url).get_data(as_text=True)
        typed = {"form": url, "given_name": "Aino", "history": "yes"}
        assert worker.post(url, **typed, identity_code="030281-999n").status_code == 303
        (item,) = worker.rpc.sent(method)["items"]
        assert worker.rpc.opened(item["sealed"])["identity_code"] == "030281-999N"
        html = worker.post(url, **typed, identity_code="030281-9990").get_data(as_text=True)
        assert 'href="#identity_code"' in html
