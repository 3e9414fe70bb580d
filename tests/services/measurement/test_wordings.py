"""An organisation's own questions: replaced as a whole, logged, and in no line."""

import pytest
from sqlalchemy import Engine

from services.measurement.wordings import load_wording, show_wording
from shared.contracts.errors import InvalidInstrument
from shared.journal import Journal
from tests.services import kit
from tests.services.kit import NODE, NOW

THREE = {"instrument": "three_items", "version": "1"}


def words(**texts: str) -> dict[str, object]:
    return THREE | {"items": [{"key": item, "text": {"fi": text}} for item, text in texts.items()]}


def test_loading_again_replaces_all_of_it_and_writes_no_line(engine: Engine) -> None:
    journal = Journal(engine, NODE)
    assert show_wording(engine, "three_items", "1") == {}
    assert load_wording(journal, words(functioning="Yksi?", work_ability="Kaksi?"), by="anna", now=NOW) == 2
    assert load_wording(journal, words(functioning="Kolme?"), by="anna", now=NOW) == 1
    assert show_wording(engine, "three_items", "1") == {"functioning": {"fi": "Kolme?"}}
    assert kit.lines(engine) == []
    entries = [(entry["by"], entry["action"], entry["items"]) for entry in kit.audit(engine)]
    assert entries == [("anna", "load_wording", 2), ("anna", "load_wording", 1)]


def test_words_for_an_item_that_the_instrument_has_not_change_nothing(engine: Engine) -> None:
    with pytest.raises(InvalidInstrument, match="no key in items"):
        load_wording(Journal(engine, NODE), words(pain="Sattuuko?"), by="anna", now=NOW)
    assert show_wording(engine, "three_items", "1") == {}
    assert kit.audit(engine) == []
