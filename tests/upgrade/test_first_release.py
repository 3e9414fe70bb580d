"""A home of the first release is brought to this one with its data as they were and its journal whole."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from services.activities import store as activities
from services.intake import queries as intake
from services.intake import store as intake_store
from services.intake.operations import erase_person
from services.reporting import operations as reporting
from services.reporting import queries
from services.reporting import store as reporting_store
from shared.journal import Journal, audit, crypto, erasing
from shared.journal.carry_tables import received_head, received_line, received_segment
from shared.journal.lines import chain_next, chain_start, line_digest
from shared.journal.tables import journal_head, journal_line
from shared.storage import open_engine, snapshot
from shared.storage.migrate import migrate, newest, present
from tests.flows.house import needles
from tests.services import kit
from tests.services.intake.kit import IDENTITY, KEYS

HERE = Path(__file__).parent
FIRST = {f"{branch}_0001" for branch in ("activities", "intake", "journal", "pathways", "portal", "reporting")}


def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with sqlite3.connect(path) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}


def upgraded(role: str, folder: Path) -> Iterator[Engine]:
    """The role's database after the upgrade; that nothing was lost on the way is checked here."""
    path = folder / f"{role}.db"
    with sqlite3.connect(path) as connection:
        connection.executescript((HERE / f"first-{role}.sql").read_text(encoding="utf-8"))
    before = tables(path)
    engine = open_engine(f"sqlite:///{path}")
    assert present(engine) == FIRST
    migrate(engine)
    assert present(engine) == newest()
    after = tables(path)
    for name, rows in before.items():
        if name != "alembic_version":
            width = len(rows[0]) if rows else 0
            assert [row[:width] for row in after[name]] == rows, name  # columns are only added behind
    yield engine
    engine.dispose()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Engine]:
    yield from upgraded("node", tmp_path)


@pytest.fixture
def lead(tmp_path: Path) -> Iterator[Engine]:
    yield from upgraded("lead", tmp_path)


@pytest.mark.parametrize("role", ["node", "lead"])
def test_the_journal_still_verifies(role: str, request: pytest.FixtureRequest) -> None:
    engine: Engine = request.getfixturevalue(role)
    with snapshot(engine) as connection:
        assert audit.verify(connection) is None
        streams = connection.execute(select(journal_head).where(journal_head.c.name.contains("/"))).all()
        assert streams
        for head in streams:
            chain = chain_start(head.name)
            of_stream = select(journal_line).where(journal_line.c.stream == head.name).order_by(journal_line.c.seq)
            for row in connection.execute(of_stream):
                assert line_digest(row.line) == row.digest
                chain = chain_next(chain, row.digest)
            assert chain == head.chain


def test_a_node_goes_on_where_it_was(node: Engine) -> None:
    engine = node
    total, people = intake.list_people(engine, kit.KEY, 10, 0)
    assert total == 3
    opened = [intake_store.open_identity(KEYS.vault, p.person, p.wrapped_key, p.box) for p in people]
    # The first release took a code that cannot be; what is stored is not looked at again.
    assert opened == [IDENTITY | {"identity_code": "030281-9999"}] * 3
    assert {row["subject"].hex() for row in kit.rows(engine, activities.attendance)} == {p.subject for p in people}
    before = kit.heads(engine)
    with Journal(engine, kit.NODE).unit(kit.NOW) as unit:
        unit.audit("anna", "looked", subjects=[people[0].subject])
    assert kit.heads(engine)["audit"][0] == before["audit"][0] + 1


def test_a_person_of_the_first_release_can_be_erased(node: Engine) -> None:
    engine = node
    subject = intake.list_people(engine, kit.KEY, 1, 0)[1][0].subject
    assert all(needle in kit.stored_bytes(engine) for needle in needles(subject))
    erase_person(Journal(engine, kit.NODE), kit.KEY, subject, by="anna", now=kit.NOW)
    with engine.begin() as connection:  # what services and lead would have done
        connection.execute(text("UPDATE journal_cursor SET pos = 1000"))
        connection.execute(text("UPDATE courier_receipt SET seq = 1000"))
        activities.forget_person(connection, subject)
    assert erasing.finish(engine) == 1
    assert erasing.scrub(engine)
    assert not any(needle in kit.stored_bytes(engine) for needle in needles(subject))
    with snapshot(engine) as connection:
        assert audit.verify(connection) is None


def test_a_leads_figures_and_proofs_stay(lead: Engine) -> None:
    engine = lead
    report = queries.report(engine, kit.KEY, None, None, kit.NOW)
    first = report["activities"][0]
    assert (report["arrived"], first["sessions"], first["participants"], first["hours"]) == (True, 1, 3, 2.0)
    signing = crypto.public_half("signing", bytes([1]) * 32)
    assert signing is not None
    with snapshot(engine) as connection:
        head = connection.execute(select(received_head)).one()
        chain = chain_start(head.stream)
        for digest in connection.execute(select(received_line.c.digest).order_by(received_line.c.seq)).scalars():
            chain = chain_next(chain, digest)
        assert chain == head.chain
        for proof in connection.execute(select(received_segment)):
            said = proof.header + proof.payload_digest
            assert crypto.verify(signing, proof.signature, crypto.SEGMENT_CONTEXT, said)
    with engine.begin() as connection:
        reporting_store.forget_derived(connection, [head.stream])
    while reporting.derive(engine, {}):
        pass
    assert queries.report(engine, kit.KEY, None, None, kit.NOW)["activities"] == report["activities"]
