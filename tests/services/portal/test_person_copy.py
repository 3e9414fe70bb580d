"""The copy as a document: every field in words, in the person's language, nothing that a reader cannot use."""

import html
import importlib
import re
from typing import Any, get_args

import pytest

from services.portal.names import ProgrammeNames
from services.portal.person_copy import language_of, render_copy
from services.portal.words import Lang
from services.portal.words_copy import FIELDS, KINDS, TABLES, TECHNICAL, VALUES, WORKING_TABLES
from shared.contracts import catalogue, record_facts, referral_facts, rights_facts
from shared.contracts.catalogue import FACTS
from shared.contracts.facts import About
from shared.contracts.people import PersonIdentity
from shared.contracts.rights import RecordChanges
from shared.storage.forgetting import naming_people
from tests.conftest import ROOT
from tests.contracts.samples import options_of
from tests.services import kit

STORES = [
    importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for path in ROOT.glob("services/*/*store.py")
]
NAMES = ProgrammeNames.of({"programme": kit.KEY, "name": kit.DOCUMENT["name"], "document": kit.DOCUMENT})
TALK, ACTION, REF = "a1" * 16, "a2" * 16, "a3" * 16
COPY: dict[str, Any] = {
    "made_on": "2016-11-22",
    "node": kit.NODE,
    "programme": kit.KEY,
    "person": "ab" * 16,
    "intake": {
        "identity": {"given_name": "Äikkä <b>", "family_name": "Öystilä", "form_kept": "refused"},
        "participation": {"standing": "client", "started_on": "2016-03-01", "rural": "refused", "gender": "f"},
        "correction": [
            {"corrected_at": "2016-11-01T09:15:02.123456Z", "changed": {"given_name": ["Väärä", "Äikkä <b>"]}}
        ],
        "text": [REF],
    },
    "activities": {
        "conversation": [{"session": TALK, "how": "phone", "topics": "", "text_ref": REF}],
        "session": [{"session": TALK, "activity": "duuniin", "occurred_on": "2016-04-05", "languages": "fi"}],
    },
    "pathways": {},
    "measurement": {"assessment": [{"assessment": ACTION, "answers": {"work_ability": 6}, "occasion": "exit"}]},
    "texts": {REF: "Sovittiin kahvit"},
    "purposes": [{"purpose": "measurement", "basis": "consent", "law": None, "keep_until": None, "keep_months": 24}],
    "history": [
        {"recorded_at": "2016-03-01T09:15:02.123456Z", "kind": "intake.standing_reached", "to_lead": True, "body": {}}
    ],
    "reads": [{"at": "2016-11-22T09:15:02.123456Z", "action": "copy_person"}],
}


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page.split("</style>")[1]))


def test_every_table_that_names_people_has_a_place_in_the_copy() -> None:
    assert STORES
    tables = [t for service in ("intake", "activities", "pathways", "measurement") for t in naming_people(service)]
    for table in tables:
        place = table.name.replace("_", ".", 1)
        if place == "intake.receipt":
            continue  # with its ending
        assert (place in TABLES) != (place in WORKING_TABLES), place
        if place in TABLES:
            named = {column.name for column in table.c} - {"subject", "person", "box", "record"} - TECHNICAL
            assert named <= FIELDS.keys(), (place, named - FIELDS.keys())


def test_every_fact_about_somebody_has_its_word_and_so_have_its_members_and_codes() -> None:
    for fact in FACTS.values():
        if fact.about is About.NOBODY:
            continue
        assert fact.kind in KINDS
        assert set(fact.members) - TECHNICAL <= FIELDS.keys(), fact.kind
        for name, member in fact.members.items():
            for code in options_of(getattr(member, "inner", member)):
                assert code in VALUES or f"{name}.{code}" in VALUES, (fact.kind, name, code)
    assert {*PersonIdentity().fields, *RecordChanges().fields} <= FIELDS.keys()
    assert rights_facts.GROUNDS + record_facts.EXITS + referral_facts.BECAME + catalogue.HOWS


@pytest.mark.parametrize("lang", get_args(Lang))
def test_the_document_says_what_is_kept_in_words(lang: Lang) -> None:
    page = render_copy(COPY, NAMES, lang)
    said = text_of(page)
    assert f'<html lang="{lang}">' in page
    assert "<b>" not in page.split("<body>")[1].replace("&lt;b&gt;", "")
    for value in ("Äikkä <b> Öystilä", "Sovittiin kahvit", "Duuniin", "work_ability: 6", "Väärä → Äikkä"):
        assert value in said, value
    for code in (TALK, REF, "copy_person", "intake.standing_reached", "corrected_at", "started_on"):
        assert code not in said, code


def test_what_somebody_typed_is_not_read_as_a_code() -> None:
    assert text_of(render_copy(COPY, NAMES, "sv")).count("vill inte svara") == 1, "of rural, not of form_kept"


def test_a_text_that_is_gone_says_so() -> None:
    assert "(poistettu)" in render_copy({**COPY, "texts": {}}, NAMES, "fi")


def test_the_language_is_the_persons_own_if_the_document_can_be_in_it() -> None:
    for record, lang in (
        ({"contact_language": "sv", "service_language": "fi"}, "sv"),
        ({"contact_language": "so", "service_language": "fi"}, "fi"),
        ({"contact_language": "so"}, None),
        ({}, None),
    ):
        assert language_of({"intake": {"participation": record}}) == lang
