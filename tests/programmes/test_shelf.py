"""A service's copy of the programmes: a version counts from its last piece on, in whatever state the others are."""

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from services.activities.store import shelf
from shared.contracts.catalogue import ProgrammeLoaded
from shared.contracts.errors import UnknownProgramme
from shared.journal.unit import Journal
from shared.programmes import canonical, load_file, parse
from shared.programmes import shelf as module
from shared.programmes.files import programme_file
from shared.programmes.shelf import PIECE, pieces
from shared.storage import transaction
from tests.journal.journal_kit import NOW, assert_whole

KEY = "lahde-mukaan"


def _document(town: str = "") -> dict[str, Any]:
    document = load_file(programme_file(KEY))
    document["name"]["fi"] += town
    return document


def _facts(document: dict[str, Any]) -> list[Any]:
    return pieces(ProgrammeLoaded, parse(document), canonical(document).decode())


def _put(connection: Connection, facts: list[Any]) -> None:
    for fact in facts:
        shelf.put(connection, fact)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 1000)


@pytest.mark.usefixtures("small")
def test_a_version_counts_from_its_last_piece_on_and_replaces_the_one_before(engine: Engine) -> None:
    old, new = _document(), _document(" Satakunnassa")
    facts = _facts(old)
    assert len(facts) > 3
    with transaction(engine) as connection:
        _put(connection, facts[:-1])
        with pytest.raises(UnknownProgramme, match=KEY):
            shelf.get(connection, KEY)
        assert shelf.all(connection) == shelf.documents(connection) == []
        _put(connection, facts[-1:])
        assert shelf.get(connection, KEY) == parse(old)
        _put(connection, _facts(new)[:-1])
        assert shelf.get(connection, KEY) == parse(old), "the old one as long as the new one is not whole"
        _put(connection, _facts(new)[-1:])
        assert shelf.get(connection, KEY) == parse(new)
        assert shelf.documents(connection) == [new]
        count = connection.execute(select(func.count()).select_from(shelf.table)).scalar_one()
    assert count == len(_facts(new)), "nothing is left of the old one"


@pytest.mark.usefixtures("small")
def test_the_same_version_again_and_an_older_one_again_count(engine: Engine) -> None:
    old, new = _document(), _document(" Satakunnassa")
    with transaction(engine) as connection:
        for document in (old, old, new, old):
            _put(connection, _facts(document))
            assert shelf.get(connection, KEY) == parse(document)


def test_a_version_that_another_release_cut_otherwise_is_whole_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = _document()
    with transaction(engine) as connection:
        for piece in (1000, 700, 1500):
            monkeypatch.setattr(module, "PIECE", piece)
            _put(connection, _facts(document))
            assert shelf.documents(connection) == [document]


def test_a_piece_of_the_widest_characters_still_fits_a_line(sqlite_engine: Engine) -> None:
    programme, text = parse(_document()), "😀" * PIECE + '"' * PIECE + "\\" * PIECE
    with Journal(sqlite_engine, "pori-0a1b2c3d").unit(NOW) as unit:
        for fact in pieces(ProgrammeLoaded, programme, text):
            unit.record(fact)
    assert len(assert_whole(sqlite_engine)) == 3
