"""The page on which a project is closed: what stands in the way is named, each kind has its reasons, one is needed."""

from typing import Any

import pytest

from shared.contracts.errors import TaskClosedAlready
from tests.services.portal.documents import MADE
from tests.services.portal.pages import Page
from tests.services.portal.samples import SAME_ORIGIN, Portal
from tests.services.portal.test_tasks import task

PAGE = "/closing/lahde-mukaan"


@pytest.fixture
def coordinator(node: Portal) -> Portal:
    node.user_logged_in("boss", "coordinator")
    return node


def post(portal: Portal, path: str, **fields: str) -> Any:
    data = {"form_token": portal.form_token(PAGE), **fields}
    return portal.client.post(path, data=data, headers=SAME_ORIGIN)


def asked(portal: Portal, method: str) -> list[dict[str, Any]]:
    return [given for _, name, given in portal.rpc.calls if name == method]


def still_in(portal: Portal, *, restricted: bool = False) -> None:
    portal.rpc.still_in = [{"person": MADE, "started_on": "2016-02-01", "restricted": restricted}]


def test_it_names_what_stands_in_the_way_and_does_not_offer_to_close(coordinator: Portal) -> None:
    still_in(coordinator)
    coordinator.rpc.closing |= {"receipted": 4, "periods": [PERIOD]}
    page = Page(coordinator.client.get(PAGE).get_data(as_text=True))
    for text in (
        "Ei ole kirjattu lopettaneeksi: 1",
        "1.2.2016",
        "Koko hanke",
        "5–9",
        "24 kk lopettamisesta",
        "ei kerro",
    ):
        assert text in page.said, text
    assert ("Päätä hanke" in page.said, page.problems) == (False, [])


PERIOD = {"period": "whole_project", "end": "2017-05-31", "over": True, "confirmed_on": None, "left": None}


def test_one_reason_is_recorded_for_all_of_a_kind(coordinator: Portal) -> None:
    still_in(coordinator)
    coordinator.rpc.closing |= {"periods": [PERIOD | {"over": False}]}
    coordinator.rpc.saved = {"subject": MADE, "new": True}
    assert post(coordinator, PAGE, what="exit", reason="completed").status_code == 400, "an exit has a day"
    assert post(coordinator, PAGE, what="period", reason="completed").status_code == 400, "no reason of a period"
    assert not asked(coordinator, "record_exits") + asked(coordinator, "leave_open")
    assert post(coordinator, PAGE, what="exit", reason="completed", day="2017-05-31").status_code == 303
    (exits,) = asked(coordinator, "record_exits")
    assert [(one["subject"], one["date"], one["reason"]) for one in exits["items"]] == [
        (MADE, "2017-05-31", "completed")
    ]
    assert post(coordinator, PAGE, what="period", reason="not_over").status_code == 303
    (left,) = asked(coordinator, "leave_open")
    assert [(one["what"], one["period"], one["reason"]) for one in left["items"]] == [
        ("period", "whole_project", "not_over")
    ]


def test_a_period_that_is_over_by_now_stands_in_the_way_again_and_is_left_for_another_reason(
    coordinator: Portal,
) -> None:
    coordinator.rpc.closing |= {"state": "closed", "periods": [PERIOD | {"left": "not_over"}]}
    coordinator.rpc.left_open = [{"what": "period", "item": "whole_project", "reason": "not_over", "on": "2017-01-01"}]
    page = coordinator.client.get(PAGE).get_data(as_text=True)
    assert ("Koko hanke" in Page(page).said, 'value="not_over"' in page) == (True, False)
    assert post(coordinator, PAGE, what="period", reason="not_over").status_code == 400
    assert post(coordinator, PAGE, what="period", reason="agreed_with_funder").status_code == 303


def test_a_task_that_a_colleague_closes_meanwhile_does_not_stop_the_rest(coordinator: Portal) -> None:
    coordinator.rpc.tasks = [task(), task(task="c3" * 16)]
    coordinator.rpc.failing["close_task"] = TaskClosedAlready(value="done")
    assert post(coordinator, PAGE, what="task", reason="has_left").status_code == 303
    assert [one["task"] for one in asked(coordinator, "close_task")] == [MADE, "c3" * 16]


def test_who_has_had_the_processing_restricted_is_left_in_for_that(coordinator: Portal) -> None:
    still_in(coordinator, restricted=True)
    post(coordinator, PAGE, what="exit", reason="completed", day="2017-05-31")
    (left,) = asked(coordinator, "leave_open")
    assert [(one["what"], one["subject"], one["reason"]) for one in left["items"]] == [("exit", MADE, "restricted")]
    assert not asked(coordinator, "record_exits")


def test_it_is_closed_only_when_nothing_is_open_and_somebody_is_sure(coordinator: Portal) -> None:
    assert post(coordinator, f"{PAGE}/close").status_code == 400
    still_in(coordinator)
    assert post(coordinator, f"{PAGE}/close", sure="1").status_code == 409
    assert not asked(coordinator, "close_programme")
    coordinator.rpc.still_in = []
    assert post(coordinator, f"{PAGE}/close", sure="1").status_code == 303
    assert [one["by"] for one in asked(coordinator, "close_programme")] == ["boss"]


def test_a_sealed_project_has_nothing_to_do(coordinator: Portal) -> None:
    still_in(coordinator)
    coordinator.rpc.closing |= {"state": "sealed", "closed_on": "2017-06-12"}
    said = coordinator.client.get(PAGE).get_data(as_text=True)
    assert "12.6.2017" in Page(said).said
    assert "<form" not in said.split("<main")[1].split("</main>")[0]


def test_what_is_kept_longer_than_the_file_says_is_told_where_keeping_is(coordinator: Portal) -> None:
    assert "polku retention" not in coordinator.client.get(PAGE).get_data(as_text=True)
    coordinator.rpc.kept_too_long = 3
    for lang, said in (("fi", "3 ihmisestä"), ("sv", "om 3 personer"), ("en", "of 3 people")):
        assert said in Page(coordinator.client.get(f"{PAGE}?lang={lang}").get_data(as_text=True)).said


def test_what_is_only_not_known_of_a_paper_stands_in_nobodys_way(coordinator: Portal) -> None:
    coordinator.rpc.missing = [{"person": MADE, "missing": [], "unsaid": ["form_kept"], "misfits": []}]
    assert post(coordinator, f"{PAGE}/close", sure="1").status_code == 303
