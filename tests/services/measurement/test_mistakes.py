"""Taking a form back that was recorded of the wrong person, or of nobody by mistake."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import Engine

from services.measurement import mistakes, store
from services.measurement.queries import check_scores
from shared.contracts.errors import UnknownPerson
from shared.journal import Journal
from shared.storage import transaction
from shared.testing.wait import until
from tests.services import kit
from tests.services.kit import KEY, NODE, NOW
from tests.services.measurement.kit import OTHER_SUBJECT, SUBJECT, form, known, record
from tests.storage.test_overtaken import waiting


def remove(journal: Journal, made: str, subject: str | None = SUBJECT) -> bool:
    removed, pos = mistakes.remove_assessment(journal, KEY, subject, made, by="worker", now=NOW)
    assert removed == (pos is not None)
    return removed


def test_a_form_of_the_wrong_person_is_taken_back_once_with_its_scores(engine: Engine) -> None:
    journal = known(engine)
    with transaction(engine) as connection:
        store.put_person(connection, OTHER_SUBJECT, KEY, None)
    (wrong, right), _ = record(journal, form(), form("later", occurred_on=date(2016, 3, 2)))
    with pytest.raises(UnknownPerson):
        remove(journal, wrong["assessment"], "c5" * 16)
    for somebody in (OTHER_SUBJECT, None):
        assert not remove(journal, wrong["assessment"], somebody), "it is not theirs"
    assert remove(journal, wrong["assessment"])
    assert not remove(journal, wrong["assessment"])
    for table in (store.assessment, store.score):
        assert {row["assessment"].hex() for row in kit.rows(engine, table)} == {right["assessment"]}
    assert check_scores(engine).different == []
    (gone,) = [line for line in kit.lines(engine) if line.kind == "measurement.assessment_removed"]
    assert (gone.stream, gone.subject) == (f"{NODE}/{KEY}", SUBJECT)
    assert gone.body == {"assessment": wrong["assessment"]}
    assert kit.audit(engine)[-1]["action"] == "remove_assessment"


def test_what_was_taken_back_comes_back_by_no_list_and_no_correction_but_by_hand(engine: Engine) -> None:
    journal = known(engine)
    (wrong,), _ = record(journal, form())
    assert remove(journal, wrong["assessment"])
    (again, corrected), _ = record(journal, form(), form("c", corrects=wrong["assessment"]))
    assert again == wrong | {"new": False}
    said = {"field": "corrects", "programme": KEY}
    assert corrected["error"] == {"code": "unknown_assessment", "params": said}
    assert kit.rows(engine, store.assessment) == []
    (anew,), _ = record(journal, form("anew"))
    assert anew["new"]


def test_a_form_that_names_nobody_is_taken_back_by_a_line_about_nobody(engine: Engine) -> None:
    journal = known(engine)
    (made,), _ = record(journal, form(subject=None))
    assert not remove(journal, made["assessment"]), "it is not hers"
    assert remove(journal, made["assessment"], None)
    last = kit.lines(engine)[-1]
    assert (last.kind, last.subject) == ("measurement.anonymous_sheet_removed", None)
    assert (kit.rows(engine, store.assessment), kit.rows(engine, store.score)) == ([], [])


@pytest.mark.parametrize("subject", [SUBJECT, None])
def test_whoever_corrects_what_is_just_being_taken_back_brings_nothing_back(
    postgres_engine: Engine, subject: str | None
) -> None:
    engine, journal = postgres_engine, known(postgres_engine)
    (made,), _ = record(journal, form(subject=subject))
    with ThreadPoolExecutor(1) as pool, engine.begin() as taking:
        assert store.remove_assessment(taking, KEY, subject, made["assessment"])
        corrected = pool.submit(record, journal, form("c", subject=subject, corrects=made["assessment"]))
        until(lambda: waiting(engine))
        taking.commit()
        ((refused,), _) = corrected.result(30)
    assert refused["error"]["code"] == "unknown_assessment"
    assert (kit.rows(engine, store.assessment), kit.rows(engine, store.score)) == ([], [])
