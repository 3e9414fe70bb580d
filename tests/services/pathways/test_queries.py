"""The list of programmes."""

from sqlalchemy import Engine

from services.pathways import queries
from services.pathways.store import shelf
from tests.services import kit


def test_programmes_are_listed_by_key_with_names_and_document(engine: Engine) -> None:
    assert queries.list_programmes(engine) == []
    other = kit.changed(key="aaa", name={"fi": "Toinen"})
    for document in (kit.DOCUMENT, other):
        kit.put_programme(engine, shelf, document)
    assert queries.list_programmes(engine) == [
        {"programme": "aaa", "name": {"fi": "Toinen"}, "document": other},
        {"programme": kit.KEY, "name": kit.DOCUMENT["name"], "document": kit.DOCUMENT},
    ]
