"""The lead's sample is opened at the node: people with their evidence; a file that is none says so."""

import io
import json
from typing import Any

import pytest

from tests.services.portal.pages import Page
from tests.services.portal.samples import SAME_ORIGIN, Portal

PAGE = "/sample/lahde-mukaan"
OWN, OTHER = "leader-0a1b2c3d", "uas-0a1b2c3e"
SAMPLE: dict[str, Any] = {
    **{"polku_sample": 1, "programme": "lahde-mukaan", "indicator": "CO01", "seed": "0a1b", "population": 51},
    **{"from": "2016-01-01", "to": None, "streams": []},
    "rows": [{"node": OWN, "partner": "x", "line": n} for n in (4, 95)] + [{"node": OTHER, "partner": "y", "line": 7}],
}


@pytest.fixture
def coordinator(node: Portal) -> Portal:
    node.user_logged_in("boss", "coordinator")
    proof = {"form_signed_on": "2016-02-01", "form_language": "sv", "form_help": "self", "minority": "refused"}
    node.rpc.start = {"started_on": "2016-02-01", "record": {"gender": "f", **proof}, "missing": ["education"]}
    tried = [{"record": "exit", "status": "refused", "date": "2016-09-08"}]
    ended = {"date": "2016-09-01", "reason": "completed", "results": None, "next": None, "planned": None}
    node.rpc.exit = {"ended": ended, "attempts": tried}
    return node


def opened(portal: Portal, raw: bytes) -> Any:
    data = {"form_token": portal.form_token(PAGE), "file": (io.BytesIO(raw), "sample.json")}
    return portal.client.post(PAGE, data=data, headers=SAME_ORIGIN, content_type="multipart/form-data")


def test_people_behind_the_lines_are_shown_with_their_evidence(coordinator: Portal) -> None:
    answer = opened(coordinator, json.dumps(SAMPLE).encode())
    read = Page(answer.get_data(as_text=True))
    assert (answer.status_code, read.problems) == (200, [])
    for text in ("Aino Esimerkki", "Kaappi kolme", "Kaappi neljä", "1.2.2016", "Svenska", "8.9.2016: kieltäytyi"):
        assert text in read.said, text
    for text in ("CO01 Työttömät", "3 / 51", "0a1b", "Rivi 95", "poistettu", "1 riviä on muiden", "Puuttuu:"):
        assert text in read.said, text
    asked = [given for _, method, given in coordinator.rpc.calls if method == "show_sample"]
    assert [(one["node"], one["lines"], one["by"]) for one in asked] == [(OWN, [4, 95], "boss"), (OTHER, [7], "boss")]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[1]",
        b"{}",
        json.dumps(SAMPLE | {"rows": []}).encode(),
        json.dumps(SAMPLE | {"rows": [{"node": OWN, "line": 1}] * 201}).encode(),
        json.dumps(SAMPLE | {"rows": [{"node": "../etc", "line": 1}]}).encode(),
        json.dumps(SAMPLE | {"rows": [{"node": OWN, "line": True}]}).encode(),
        json.dumps(SAMPLE | {"polku_sample": 2}).encode(),
        json.dumps(SAMPLE | {"population": float("inf")}).encode(),
        json.dumps(SAMPLE | {"rows": [[]]}).encode(),
        json.dumps(SAMPLE | {"programme": "kuntsari"}).encode(),
    ],
)
def test_a_file_that_is_no_sample_of_the_project_is_refused_and_nobody_is_read(coordinator: Portal, raw: bytes) -> None:
    answer = opened(coordinator, raw)
    assert answer.status_code == 400
    assert Page(answer.get_data(as_text=True)).problems == []
    assert "show_sample" not in [method for _, method, _ in coordinator.rpc.calls]


@pytest.mark.parametrize(
    ("figure", "drawn", "says", "never"),
    [
        (
            "outcome:education",
            ("pathways.outcome_recorded", {"outcome": "education", "occurred_on": "2016-08-15"}),
            ("Hakeutui koulutukseen", "15.8.2016", "2.3.2016", "Aino Esimerkki", "Kaappi kolme"),
            "Tällaista riviä",
        ),
        (
            "encounters",
            ("intake.encounter_recorded", {"occurred_on": "2016-03-01", "start": "19:30", "people_new": 3, "staff": 2}),
            ("1.3.2016", "19.30", "Uusia", "Työntekijöitä", "Heistä naisia", "ei kirjattu"),
            "Aino",
        ),
    ],
)
def test_the_row_behind_another_figure_is_told_first_and_an_encounter_names_nobody(
    coordinator: Portal, figure: str, drawn: Any, says: tuple[str, ...], never: str
) -> None:
    coordinator.rpc.drawn = drawn
    answer = opened(coordinator, json.dumps(SAMPLE | {"indicator": figure}).encode())
    read = Page(answer.get_data(as_text=True))
    assert (answer.status_code, read.problems) == (200, [])
    for text in says:
        assert text in read.said, (text, read.said)
    assert never not in read.said


# --- at the lead


def test_the_lead_draws_rows_and_gets_a_file(lead: Portal) -> None:
    lead.user_logged_in("boss", "reporter")
    assert Page(lead.client.get(PAGE).get_data(as_text=True)).problems == []
    answer = lead.post(PAGE, form=PAGE, indicator="CO01", size="10", seed="0a", **{"from": "2016-01-01"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="lahde-mukaan-CO01-0a.json"'
    assert json.loads(answer.get_data()) == {"indicator": "CO01", "seed": "0a"}
    asked = lead.rpc.sent("draw_sample")
    assert (asked["indicator"], asked["size"], asked["seed"], asked["from_"]) == ("co01", 10, "0a", "2016-01-01")
    assert asked["by"] == "boss"


def test_the_lead_draws_behind_outcomes_and_encounters_too(lead: Portal) -> None:
    lead.user_logged_in("boss", "reporter")
    answer = lead.post(PAGE, form=PAGE, indicator="outcome:education", size="10")
    assert 'filename="lahde-mukaan-EDUCATION-0a.json"' in answer.headers["Content-Disposition"]
    asked = lead.rpc.sent("draw_sample")
    assert (asked["behind"], asked["indicator"]) == ("outcome", "education")
    assert lead.post(PAGE, form=PAGE, indicator="encounters", size="10").status_code == 200
    assert [given["behind"] for _, method, given in lead.rpc.calls if method == "draw_sample"][-1] == "encounters"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"indicator": "EECO01"}, "indicator"),
        ({"size": "201"}, "size"),
        ({"seed": "xyz"}, "seed"),
        ({"from": "eilen"}, "from"),
    ],
)
def test_what_cannot_be_drawn_is_named_at_its_field(lead: Portal, changes: dict[str, str], field: str) -> None:
    lead.user_logged_in("boss", "reporter")
    answer = lead.post(PAGE, form=PAGE, **{"indicator": "CO01", "size": "5"} | changes)
    assert answer.status_code == 400
    assert f'id="wrong-{field}"' in answer.get_data(as_text=True)
    assert "draw_sample" not in [method for _, method, _ in lead.rpc.calls]
