"""Filled-in forms, and a node whose measurement knows programme 3, one person and one session of it."""

from datetime import date
from typing import Any

from sqlalchemy import Engine

from services.measurement import operations, store
from services.measurement.domain import NewAssessment
from shared.instruments import find_instrument
from shared.journal import Journal
from shared.storage import transaction
from tests.services.kit import KEY, NODE, NOW, key_of, put_programme

DAY = date(2016, 3, 1)
SUBJECT, OTHER_SUBJECT, SESSION = "5a" * 16, "5b" * 16, "0a" * 16
THREE = find_instrument("three_items", "1")
ANSWERS = {"work_ability": 6, "functioning": 0, "life_satisfaction": 10}
Answer = tuple[list[dict[str, Any]], int | None]


def form(name: str = "f", **changes: Any) -> NewAssessment:
    """The three items as somebody answered them at first; `changes` replace members."""
    given: dict[str, Any] = {
        "subject": SUBJECT,
        "session": None,
        "instrument": "three_items",
        "version": "1",
        "occasion": "baseline",
        "occurred_on": DAY,
        "answers": ANSWERS,
        "corrects": None,
    }
    return NewAssessment(key=key_of(name), **given | changes)


def known(engine: Engine) -> Journal:
    """The journal of that node."""
    put_programme(engine, store.shelf)
    with transaction(engine) as connection:
        store.put_person(connection, SUBJECT, KEY, date(2016, 2, 1))
        store.put_session(connection, SESSION, KEY, DAY)
    return Journal(engine, NODE)


def record(journal: Journal, *forms: NewAssessment, **options: Any) -> Answer:
    given: dict[str, Any] = {"by": "worker", "now": NOW} | options
    return operations.record_assessments(journal, given.pop("programme", KEY), forms, **given)
