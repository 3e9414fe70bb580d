"""The audit log: who did what, with the positions of what came of it, and every change of it is found."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, update

from shared.journal.audit import verify
from shared.journal.erasing import subject_digest
from shared.journal.tables import journal_audit, journal_head
from shared.storage import snapshot, transaction
from tests.journal.journal_kit import ANNA, NOW, journal_of, loaded, record, session


def _log(engine: Engine, entries: int = 5) -> None:
    for number in range(entries):
        with journal_of(engine).unit(NOW) as unit:
            unit.record(session(number), "lahde")
            unit.audit("anna", "record_sessions", programme="lahde", sessions=number)


def _verify(engine: Engine) -> int | None:
    with snapshot(engine) as connection:
        return verify(connection)


def test_an_entry_says_who_did_what_when_and_at_which_positions(engine: Engine) -> None:
    record(journal_of(engine), session())
    with journal_of(engine).unit(NOW) as unit:
        unit.record(session(), "lahde")
        unit.record(loaded())
        unit.audit("cli:änna", "read_identities", subjects=[ANNA])
        unit.audit("anna", "record_sessions", sessions=1)
    with journal_of(engine).unit(NOW) as unit:
        unit.audit("anna", "read_identities")
    with engine.connect() as connection:
        entries = connection.execute(select(journal_audit.c.entry).order_by(journal_audit.c.n)).scalars().all()
    assert (
        entries[0]
        == (
            '{"n":1,"at":"2026-11-22T09:15:02.123456Z","by":"cli:änna","action":"read_identities",'
            f'"subjects":["{subject_digest(ANNA)}"],"first":2,"last":3}}'
        ).encode()
    )
    assert (json.loads(entries[1])["n"], json.loads(entries[1])["first"]) == (2, 2)
    assert entries[2] == (b'{"n":3,"at":"2026-11-22T09:15:02.123456Z","by":"anna","action":"read_identities"}'), (
        "it caused no fact"
    )
    assert unit.pos is None
    assert _verify(engine) is None


def test_a_whole_log_and_an_empty_one_are_right(engine: Engine) -> None:
    assert _verify(engine) is None
    _log(engine)
    assert _verify(engine) is None


def _changed(connection: Connection) -> None:
    entry = connection.execute(select(journal_audit.c.entry).where(journal_audit.c.n == 3)).scalar_one()
    new = entry.replace(b"anna", b"eeva")
    connection.execute(update(journal_audit).where(journal_audit.c.n == 3).values(entry=new))


def _removed(connection: Connection) -> None:
    connection.execute(delete(journal_audit).where(journal_audit.c.n == 3))


def _closed_up(connection: Connection) -> None:
    _removed(connection)
    for n in (4, 5):
        connection.execute(update(journal_audit).where(journal_audit.c.n == n).values(n=n - 1))


def _inserted(connection: Connection) -> None:
    connection.execute(insert(journal_audit), {"n": 6, "entry": b'{"n":6}'})


def _truncated(connection: Connection) -> None:
    connection.execute(delete(journal_audit).where(journal_audit.c.n >= 4))


def _truncated_with_its_number(connection: Connection) -> None:
    _truncated(connection)
    connection.execute(update(journal_head).where(journal_head.c.name == "audit").values(seq=3))


def _swapped(connection: Connection) -> None:
    for old, new in ((2, 20), (3, 2), (20, 3)):
        connection.execute(update(journal_audit).where(journal_audit.c.n == old).values(n=new))


def _emptied(connection: Connection) -> None:
    connection.execute(delete(journal_audit))


def _without_head(connection: Connection) -> None:
    connection.execute(delete(journal_head).where(journal_head.c.name == "audit"))


@pytest.mark.parametrize(
    ("tamper", "shows_at"),
    [
        (_changed, 5),
        (_removed, 3),
        (_closed_up, 5),
        (_inserted, 6),
        (_truncated, 4),
        (_truncated_with_its_number, 3),
        (_swapped, 5),
        (_emptied, 1),
        (_without_head, 1),
    ],
)
def test_every_change_of_the_log_is_found(engine: Engine, tamper: Callable[[Connection], None], shows_at: int) -> None:
    _log(engine)
    with transaction(engine) as connection:
        tamper(connection)
    assert _verify(engine) == shows_at


@pytest.mark.parametrize("taken", ["n", "at", "first", "last"])
def test_details_do_not_replace_an_entrys_own_members(sqlite_engine: Engine, taken: str) -> None:
    with pytest.raises(ValueError, match=taken), journal_of(sqlite_engine).unit(NOW) as unit:
        unit.audit("anna", "record", **{taken: 1})


def test_a_log_that_is_verified_while_others_write_is_right(engine: Engine) -> None:
    _log(engine, 2)
    with snapshot(engine) as connection:
        assert connection.execute(select(journal_head.c.seq).where(journal_head.c.name == "audit")).scalar_one() == 2
        _log(engine, 2)
        assert verify(connection) is None
    assert _verify(engine) is None
