"""The five shipped projects say what their workers need to write down; what a source leaves open stays left out."""

import pytest

from shared.programmes import load_file, parse
from shared.programmes.checking import SCHEMA_FILE

KEYS = ("osallisuuden-askeleet", "kuntsari", "lahde-mukaan", "suunta-yhdessa", "tyollista-valittaen")
DOCUMENTS = {key: load_file(SCHEMA_FILE.parent / f"{key}.yaml") for key in KEYS}


@pytest.mark.parametrize("key", KEYS)
def test_an_exit_a_plan_a_talk_and_a_meeting_outside_each_have_words(key: str) -> None:
    programme = parse(DOCUMENTS[key])
    assert programme.outcomes, "where somebody goes when leaving"
    assert programme.strengths, "what a plan builds on"
    assert programme.barriers, "what a plan answers"
    assert all(barrier.solutions for barrier in programme.barriers)
    assert programme.topics, "what a talk is about"
    assert bool(programme.services) == (key != "kuntsari"), (
        "where somebody is guided; the other four met people outside"
    )
    assert programme.tasks, "what the workflow reminds of"
    assert programme.products, "what it leaves behind"


@pytest.mark.parametrize("key", KEYS)
def test_the_signed_forms_are_those_of_the_funding_period_that_had_them(key: str) -> None:
    document = DOCUMENTS[key]
    forms = {form["when"] for form in document.get("forms", ())}
    assert forms == ({"start", "end"} if document["funding_programme"] == "esf_2014_2020" else set())


def test_pori_has_client_panels_without_a_figure_of_them() -> None:
    programme = parse(DOCUMENTS["lahde-mukaan"])
    (panel,) = [activity for activity in programme.activities if activity.kind == "client_panel"]
    assert programme.figures is not None
    assert panel.group not in {figure.group for figure in programme.figures.groups}


def test_where_six_partners_work_in_one_town_one_person_is_counted_once() -> None:
    programmes = {key: parse(document) for key, document in DOCUMENTS.items()}
    (tagged,) = [one for one in programmes.values() if one.tag]
    assert tagged.key == "osallisuuden-askeleet"
    assert tagged.tag is not None
    assert tagged.partner_by_key[tagged.tag.steward].role == "partner"
