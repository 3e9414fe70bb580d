"""Looking at people, and that looking is logged."""

from datetime import date

import pytest
from sqlalchemy import Engine

from services.intake import operations, queries, store
from services.intake.exits import record_exits
from services.intake.records import NewExit
from shared.contracts.errors import UnknownProgramme
from shared.journal import audit
from shared.journal.erasing import subject_digest
from shared.storage import snapshot
from tests.services import kit
from tests.services.intake.kit import KEYS, arrival, known, register


def test_people_come_newest_first_and_those_without_a_start_last(engine: Engine) -> None:
    journal = known(engine)
    days = [date(2016, 1, 1), None, date(2016, 3, 1), date(2016, 2, 1)]
    register(journal, *(arrival(str(n), "client", start_date=day) for n, day in enumerate(days)))
    total, people = queries.list_people(engine, kit.KEY, 10, 0)
    assert total == 4
    assert [row.started_on for row in people] == [days[2], days[3], days[0], None]


def test_who_has_left_stands_after_everybody_who_is_here(engine: Engine) -> None:
    journal = known(engine)
    days = [date(2016, 1, 1), None, date(2016, 3, 1)]
    results, _ = register(journal, *(arrival(str(n), "client", start_date=day) for n, day in enumerate(days)))
    newest = NewExit(kit.key_of("e"), str(results[2]["subject"]), date(2016, 6, 1), "moved", None, None)
    record_exits(journal, kit.KEY, [newest], by="worker", now=kit.NOW)
    assert [row.started_on for row in queries.list_people(engine, kit.KEY, 10, 0)[1]] == days


def test_pages_follow_each_other_without_gap_or_repetition(engine: Engine) -> None:
    register(known(engine), *(arrival(str(n), "client") for n in range(7)))
    whole = [row.subject for row in queries.list_people(engine, kit.KEY, 100, 0)[1]]
    pages = [queries.list_people(engine, kit.KEY, 3, offset) for offset in (0, 3, 6, 9)]
    assert [total for total, _ in pages] == [7] * 4
    assert [row.subject for _, page in pages for row in page] == whole
    assert len(set(whole)) == 7


def test_whoever_is_asked_for_is_listed_and_nobody_else(engine: Engine) -> None:
    register(known(engine), *(arrival(str(n), "client") for n in range(4)))
    everybody = [row.subject for row in queries.list_people(engine, kit.KEY, 10, 0)[1]]
    for asked in ([everybody[-1]], everybody[1:3], ["00" * 16]):
        total, rows = queries.list_people(engine, kit.KEY, len(asked), 0, asked)
        assert {row.subject for row in rows} == {*asked} & {*everybody}
        assert total == len(rows)


def test_only_the_programme_asked_for_is_listed(engine: Engine) -> None:
    journal = known(engine)
    kit.put_programme(engine, store.shelf, kit.changed(key="toinen"))
    register(journal, arrival("a"))
    register(journal, arrival("b"), programme="toinen")
    assert queries.list_people(engine, kit.KEY, 10, 0)[0] == 1
    with pytest.raises(UnknownProgramme, match="kolmas"):
        queries.list_people(engine, "kolmas", 10, 0)


def test_a_listed_person_is_closed_until_the_key_opens_it(engine: Engine) -> None:
    register(known(engine), arrival("a", "visitor", identity={"token": "kettu"}))
    _, (row,) = queries.list_people(engine, kit.KEY, 10, 0)
    assert b"kettu" not in row.box + row.wrapped_key
    assert store.open_identity(KEYS.vault, row.person, row.wrapped_key, row.box) == {"token": "kettu"}


def test_who_reads_whose_identities_is_in_the_audit_log_by_subject(engine: Engine) -> None:
    journal = known(engine)
    results, _ = register(journal, arrival("a"), arrival("b"))
    subjects = [result["subject"] for result in results]
    before = kit.heads(engine)
    operations.log_identities_read(journal, subjects, by="maija", programme=kit.KEY, now=kit.NOW)
    entry = {"by": "maija", "action": "read_identities", "programme": kit.KEY}
    entry |= {"subjects": [subject_digest(subject) for subject in subjects]}
    assert kit.audit(engine)[-1] == entry
    after = kit.heads(engine)
    assert {name for name in after if after[name] != before[name]} == {"audit"}  # no line, no position
    with snapshot(engine) as connection:
        assert audit.verify(connection) is None
