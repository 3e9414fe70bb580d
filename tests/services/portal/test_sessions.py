"""What a controller looks at: the sessions behind a figure, and the attendance list of one."""

from typing import Any

import pytest

from shared.contracts.errors import UnknownSession
from tests.services.portal.documents import MADE, person
from tests.services.portal.pages import Page, table_rows
from tests.services.portal.samples import Portal
from tests.services.portal.test_workers import many

AINO, PEKKA = "a1" * 16, "b2" * 16
KEY = "lahde-mukaan"


HELD = {
    **{"session": MADE, "occurred_on": "2016-05-21", "start": "10:00"},
    **{"minutes": 120, "location": None, "area": None},
}


@pytest.fixture
def worker(worker: Portal) -> Portal:
    worker.rpc.people = [person("Pekka", "Toinen", person=PEKKA), person("Aino", "Esimerkki", person=AINO)]
    base: dict[str, Any] = {"session": MADE, "occurred_on": "2016-05-21", "area": None, "start": None, "minutes": None}
    heads = base | {"activity": "public_event", "location": None, "attendances": None}
    worker.rpc.sessions = [
        heads | {"heads": 2300, "heads_basis": "counted"},
        heads | {"heads": 69, "heads_basis": "estimated"},
        base | {"activity": "kaapeli", "location": None, "attendances": 8, "heads": None, "heads_basis": None},
    ]
    return worker


def test_the_rows_behind_a_figure_are_listed_with_their_sums_each_basis_by_itself(worker: Portal) -> None:
    html = worker.client.get(f"/sessions/{KEY}?group=public_events").get_data(as_text=True)
    read = Page(html)
    assert read.problems == []
    assert "Kävijämäärä, laskettu 2\u00a0300" in read.said
    assert "Kävijämäärä, arvioitu 69" in read.said
    assert len(table_rows(html, "figures")) == 2
    assert worker.rpc.sent("list_sessions")["activities"] == ["public_event"]
    assert worker.client.get(f"/sessions/{KEY}?group=nothing").status_code == 404
    whole = worker.client.get(f"/sessions/{KEY}").get_data(as_text=True)
    assert whole.count(f'href="/sessions/{KEY}/{MADE}"') == 1, "only of people there is a list"


def test_keys_of_earlier_versions_are_behind_the_figure_too(worker: Portal) -> None:
    document = worker.rpc.listed[0]["document"]
    document["mapping"] = [{"list": "activities", "key": "open_day", "becomes": "public_event"}]
    worker.client.get(f"/sessions/{KEY}?group=public_events")
    assert worker.rpc.sent("list_sessions")["activities"] == ["open_day", "public_event"]


def test_an_attendance_list_names_who_was_there_in_which_role_and_reads_no_other_name(worker: Portal) -> None:
    present = [
        {"subject": PEKKA, "role": "peer_instructor", "minutes": None},
        {"subject": AINO, "role": "participant", "minutes": 90},
    ]
    worker.rpc.register = {"activity": "kaapeli", "session": HELD, "present": present, "regulars": [], "earlier": []}
    html = worker.client.get(f"/sessions/{KEY}/{MADE}").get_data(as_text=True)
    assert Page(html).problems == []
    none = "ei kirjattu"
    assert table_rows(html, "figures") == [
        ["Aino Esimerkki", "osallistuja", "90"],
        ["Pekka Toinen", "vertaisohjaaja", none],
    ]
    assert sorted(worker.rpc.sent("list_people")["people"]) == [AINO, PEKKA]
    worker.rpc.failing["show_register"] = UnknownSession(field="session", programme=KEY)
    assert worker.client.get(f"/sessions/{KEY}/{MADE}").status_code == 404


def test_an_attendance_list_has_no_name_of_somebody_with_a_protected_address(worker: Portal) -> None:
    worker.rpc.people = [person("Aino", "Esimerkki", "Tähti", person=AINO, protected=True)]
    present = [{"subject": AINO, "role": "participant", "minutes": None}]
    worker.rpc.register = {"activity": "kaapeli", "session": HELD, "present": present, "regulars": [], "earlier": []}
    html = worker.client.get(f"/sessions/{KEY}/{MADE}").get_data(as_text=True)
    assert ("Esimerkki" in html, "Tähti" in html) == (False, True)


def test_a_group_that_has_no_activity_is_an_empty_list(worker: Portal) -> None:
    document = worker.rpc.listed[0]["document"]
    document["groups"].append({"key": "empty", "counts": "heads", "name": {"fi": "Tyhjä"}})
    assert "Tyhjä" in Page(worker.client.get(f"/sessions/{KEY}?group=empty").get_data(as_text=True)).said
    assert worker.rpc.sent("list_sessions")["activities"] == []


def test_in_a_node_of_more_than_ten_an_attendance_list_says_whose_names_it_does_not_have(worker: Portal) -> None:
    many(worker)
    present = [{"subject": one, "role": "participant", "minutes": None} for one in (AINO, "c3" * 16)]
    worker.rpc.register = {"activity": "kaapeli", "session": HELD, "present": present, "regulars": [], "earlier": []}
    html = worker.client.get(f"/sessions/{KEY}/{MADE}").get_data(as_text=True)
    assert [row[0] for row in table_rows(html, "figures")] == ["Aino Esimerkki", "Toisen työntekijän"]
