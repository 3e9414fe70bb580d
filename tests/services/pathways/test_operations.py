"""Loading programmes: state, lines and audit log together, on both databases."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.intake import store as intake_store
from services.pathways import queries, versions
from services.pathways.store import shelf
from shared.contracts.catalogue import ProgrammeLoaded
from shared.contracts.errors import InvalidProgramme
from shared.journal import Journal
from shared.journal.follow import Follower
from shared.programmes import canonical, digest, parse
from shared.programmes.shelf import PIECE
from shared.storage import snapshot
from tests.services import kit


def load(engine: Engine, document: dict[str, Any] = kit.DOCUMENT) -> int | None:
    return versions.load_programme(Journal(engine, kit.NODE), document, "worker", kit.NOW)[1]


def in_use(engine: Engine) -> dict[str, str]:
    """Digests by key."""
    with snapshot(engine) as connection:
        return {programme.key: programme.digest for programme in shelf.all(connection)}


def test_a_programme_becomes_lines_that_never_leave_the_node(engine: Engine) -> None:
    pos = load(engine)
    lines = kit.lines(engine)
    assert {line.stream for line in lines} == {f"{kit.NODE}/local"}
    assert [line.body["part"] for line in lines] == list(range(1, (pos or 0) + 1))
    assert "".join(line.body["text"] for line in lines) == canonical(kit.DOCUMENT).decode()
    assert in_use(engine) == {kit.KEY: digest(kit.DOCUMENT)}


def test_the_version_in_use_adds_nothing(engine: Engine) -> None:
    load(engine)
    before = kit.heads(engine)
    assert load(engine) is None
    assert kit.heads(engine) == before


def test_a_new_version_replaces_the_old_and_the_old_may_come_back(engine: Engine) -> None:
    other = kit.changed(languages=["fi", "sv"])
    for document in (kit.DOCUMENT, other, kit.DOCUMENT):
        assert load(engine, document) is not None
        assert in_use(engine) == {kit.KEY: digest(document)}


def test_programmes_stand_side_by_side(engine: Engine) -> None:
    load(engine)
    load(engine, kit.changed(key="toinen"))
    assert set(in_use(engine)) == {kit.KEY, "toinen"}


@pytest.mark.parametrize("members", [{"key": "local"}, {"key": "lead"}, {"key": "A b"}, {"partners": []}])
def test_what_is_no_programme_is_refused_and_changes_nothing(engine: Engine, members: dict[str, Any]) -> None:
    load(engine)
    before = kit.heads(engine)
    with pytest.raises(InvalidProgramme):
        load(engine, kit.changed(**members))
    assert kit.heads(engine) == before
    assert in_use(engine) == {kit.KEY: digest(kit.DOCUMENT)}


def test_who_loaded_which_version_stands_in_the_audit_log(engine: Engine) -> None:
    pos = load(engine)
    entry = {"by": "worker", "action": "load_programme", "programme": kit.KEY, "digest": digest(kit.DOCUMENT)}
    assert kit.audit(engine) == [{**entry, "first": 1, "last": pos}]


def test_another_service_that_follows_has_the_same_version(engine: Engine) -> None:
    """Also where the text takes several lines and the newest version is the third."""
    long = kit.changed(name={"fi": "Lähde mukaan!"}, areas=[*kit.DOCUMENT["areas"], *_areas(300)])
    assert len(canonical(long)) > 2 * PIECE
    for document in (kit.DOCUMENT, kit.changed(languages=["fi", "sv"]), long):
        load(engine, document)
    theirs = intake_store.shelf
    follower = Follower(
        Journal(engine, kit.NODE),
        "intake",
        {(ProgrammeLoaded.kind, 1): lambda unit, _line, fact: theirs.put(unit.connection, fact)},
    )
    while follower.advance(kit.NOW):
        pass
    with snapshot(engine) as connection:
        assert theirs.get(connection, kit.KEY) == parse(long)


def _areas(count: int) -> list[dict[str, Any]]:
    return [{"key": f"area_{n}", "name": {"fi": f"Alue {n}" + " pitkä nimi" * 5}} for n in range(count)]


VERSIONS = [kit.DOCUMENT, kit.changed(languages=["fi", "sv"]), kit.changed(key="toinen")]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(loads=st.lists(st.sampled_from(range(3)), max_size=6))
def test_after_any_loads_the_last_of_each_key_is_in_use(sqlite_engine: Engine, loads: list[int]) -> None:
    kit.empty(sqlite_engine, shelf.table)
    model: dict[str, str] = {}
    for number in loads:
        document = VERSIONS[number]
        new = model.get(document["key"]) != digest(document)
        model[document["key"]] = digest(document)
        assert (load(sqlite_engine, document) is not None) == new
    assert in_use(sqlite_engine) == model
    listed = queries.list_programmes(sqlite_engine)
    assert {item["programme"]: digest(item["document"]) for item in listed} == model
