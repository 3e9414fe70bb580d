"""An organisation's own questions: replaced as a whole, logged, and in no line."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from services.measurement.wordings import load_wording, show_wording
from shared.contracts.errors import InvalidInstrument
from shared.journal import Journal
from shared.journal.closing import lock
from shared.testing.wait import until
from tests.services import kit
from tests.services.kit import NODE, NOW
from tests.storage.test_overtaken import waiting

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


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_of_two_who_load_at_once_the_second_replaces_all_of_the_first(engine: Engine) -> None:
    journal = Journal(engine, NODE)
    load_wording(journal, words(functioning="Vanha?"), by="anna", now=NOW)
    with ThreadPoolExecutor(2) as pool, engine.begin() as holding:
        lock(holding)
        first = pool.submit(load_wording, journal, words(functioning="Yksi?", work_ability="Kaksi?"), by="a", now=NOW)
        second = pool.submit(load_wording, journal, words(functioning="Kolme?"), by="b", now=NOW)
        until(lambda: waiting(engine))
        holding.rollback()
        assert sorted((first.result(30), second.result(30))) == [1, 2]
    last = kit.audit(engine)[-1]["by"]
    one, other = {"functioning": {"fi": "Yksi?"}, "work_ability": {"fi": "Kaksi?"}}, {"functioning": {"fi": "Kolme?"}}
    assert show_wording(engine, "three_items", "1") == (one if last == "a" else other)


def test_words_for_an_item_that_the_instrument_has_not_change_nothing(engine: Engine) -> None:
    with pytest.raises(InvalidInstrument, match="no key in items"):
        load_wording(Journal(engine, NODE), words(pain="Sattuuko?"), by="anna", now=NOW)
    assert show_wording(engine, "three_items", "1") == {}
    assert kit.audit(engine) == []
