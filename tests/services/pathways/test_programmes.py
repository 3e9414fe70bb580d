"""Programme versions at a node: by hand, and as the lead sends them."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from services.pathways import versions
from services.pathways.store import shelf
from shared.contracts.catalogue import ProgrammeLoaded, ProgrammeVersion
from shared.contracts.errors import InvalidProgramme, UnknownProgramme
from shared.contracts.facts import Fact
from shared.journal import Journal, Line
from shared.programmes import canonical, digest, parse
from shared.programmes import shelf as shelves
from shared.programmes.shelf import pieces
from shared.storage import snapshot
from tests.services import kit
from tests.services.kit import KEY, NODE, NOW


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "PIECE", 3000)


def sent(journal: Journal, pieces_: list[Fact], stream: str = f"lead/{KEY}") -> None:
    """Let pathways hear the pieces, each in a unit of its own."""
    for seq, piece in enumerate(pieces_, 1):
        with journal.unit(NOW) as unit:
            line = Line(stream, 1, seq, piece.kind, 1, "2016-11-22T09:15:02.123456Z", None, "0" * 32, piece.body)
            versions.take_version(unit, line, piece)


def version_of(**changed: object) -> tuple[str, list[Fact]]:
    """A version's digest, and the lead's facts of it."""
    document = kit.changed(**changed)
    programme = parse(document)
    return programme.digest, pieces(ProgrammeVersion, programme, canonical(document).decode())


def in_use(engine: Engine) -> str | None:
    with snapshot(engine) as connection:
        try:
            return shelf.get(connection, KEY).digest
        except UnknownProgramme:
            return None


def test_what_the_lead_sends_is_in_use_with_its_last_piece_and_tells_the_other_services(engine: Engine) -> None:
    journal = Journal(engine, NODE)
    digest, facts = version_of()
    assert len(facts) > 1
    sent(journal, facts[:-1])
    assert in_use(engine) is None
    sent(journal, facts[-1:])
    assert in_use(engine) == digest
    assert kit.kinds(engine) == [ProgrammeLoaded.kind] * len(facts)
    assert all(line.stream == f"{NODE}/local" for line in kit.lines(engine))
    assert [line.body for line in kit.lines(engine)] == [fact.body for fact in facts]


def test_what_was_loaded_by_hand_before_the_lead_sends_it_adds_no_line(engine: Engine) -> None:
    journal = Journal(engine, NODE)
    versions.load_programme(journal, kit.DOCUMENT, "boss", NOW)
    before = kit.heads(engine)
    sent(journal, version_of()[1])
    assert kit.heads(engine) == before


def test_loading_by_hand_what_the_lead_has_sent_adds_no_line(engine: Engine) -> None:
    journal = Journal(engine, NODE)
    sent(journal, version_of()[1])
    assert versions.load_programme(journal, kit.DOCUMENT, "boss", NOW)[1] is None


def test_a_newer_version_of_the_lead_replaces_the_one_in_use(engine: Engine) -> None:
    journal = Journal(engine, NODE)
    sent(journal, version_of()[1])
    digest, facts = version_of(silence_limit_days=5)
    sent(journal, facts)
    assert in_use(engine) == digest


def test_a_lead_cannot_change_another_leads_programme(engine: Engine) -> None:
    journal = Journal(engine, NODE)
    versions.load_programme(journal, kit.DOCUMENT, "boss", NOW)
    before = in_use(engine), kit.heads(engine)
    sent(journal, version_of(silence_limit_days=5)[1], "lead/kuntsari")
    assert (in_use(engine), kit.heads(engine)) == before


def test_pieces_that_do_not_make_the_version_they_name_leave_the_one_in_use(engine: Engine) -> None:
    journal = Journal(engine, NODE)
    versions.load_programme(journal, kit.DOCUMENT, "boss", NOW)
    before = in_use(engine)
    forged = [ProgrammeVersion(None, **{**piece.body, "digest": "e" * 64}) for piece in version_of()[1]]
    with pytest.raises(InvalidProgramme):
        sent(journal, forged)
    assert in_use(engine) == before


def test_a_version_with_words_of_a_newer_release_is_told_and_the_one_in_use_stays(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(engine, NODE)
    versions.load_programme(journal, kit.DOCUMENT, "boss", NOW)
    before, document = in_use(engine), kit.changed(tides=[{"key": "ebb"}])
    newer = replace(parse(kit.DOCUMENT), digest=digest(document))
    with pytest.raises(InvalidProgramme, match='unknown key "tides"'):
        sent(journal, pieces(ProgrammeVersion, newer, canonical(document).decode()))
    assert in_use(engine) == before
    (told,) = caplog.records
    assert "upgrade the node" in told.message
    assert told.__dict__["at"] == "tides"
