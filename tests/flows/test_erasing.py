"""An erased person is found nowhere afterwards, where a search has found them before; everything else still holds."""

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, delete, event, insert, make_url, select, update

from services.intake import store as intake
from services.reporting import store as reporting
from shared.contracts.errors import UnknownPerson
from shared.journal import crypto, erasing, segment
from shared.journal.carry_tables import received_line
from shared.journal.lines import chain_next, chain_start, line_digest
from shared.journal.tables import journal_audit, journal_erased, journal_head, journal_line, journal_parked
from shared.storage import metadata, open_engine, snapshot, transaction
from shared.storage.forgetting import naming_people
from tests.flows.house import STREAM, House, copied, joined, lines_of, needles
from tests.journal.journal_kit import Killed, killed_at
from tests.services import kit
from tests.services.intake.kit import IDENTITY

NAMES = [IDENTITY[name] for name in ("given_name", "family_name", "birth_date", "identity_code", "token", "form_kept")]

STRIDE = 1 if "POLKU_KILLS" in os.environ else 4
"""Every step takes two minutes: `make faults` does that."""


@pytest.fixture
def sqlite_house(migrated_file: Path, tmp_path: Path) -> Iterator[House]:
    with joined(migrated_file, tmp_path) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_house")
        return
    from shared.testing.postgres import drop_database, new_database

    port, template = request.getfixturevalue("postgres"), request.getfixturevalue("migrated_database")
    urls = [new_database(port, template.rpartition("/")[2]) for _ in range(2)]
    engines = [open_engine(url) for url in urls]
    made = House(*engines, tmp_path / "inbox")
    made.join()
    yield made
    for engine, url in zip(engines, urls, strict=True):
        engine.dispose()
        drop_database(port, url)


def on_disk(engine: Engine) -> bytes:
    """What the database's files hold, PostgreSQL's after VACUUM FULL and a checkpoint, without pg_wal; and its rows."""
    rows = kit.stored_bytes(engine)
    if engine.dialect.name == "sqlite":
        return rows
    url = make_url(engine.url.render_as_string(hide_password=False))
    with psycopg.connect(
        host=url.host, port=url.port or 0, user=url.username, dbname=url.database, autocommit=True
    ) as server:
        server.execute("VACUUM FULL")
        server.execute("CHECKPOINT")
        found = server.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        directory = server.execute("SHOW data_directory").fetchone()
    assert found is not None
    assert directory is not None
    files = (Path(directory[0]) / "base" / str(found[0])).iterdir()
    return rows + b"".join(path.read_bytes() for path in files if path.is_file())


def carried(house: House) -> bytes:
    return b"".join(path.read_bytes() for path in house.folder.rglob("*") if path.is_file())


def test_an_erased_person_is_found_nowhere_and_all_else_still_holds(house: House) -> None:
    anna, bertta = house.register("anna", "bertta")
    both = house.attend("first", anna, bertta)[0]["attendance"]
    alone = house.attend("second", anna)[0]["attendance"]
    house.work()
    before = {engine: on_disk(engine) for engine in (house.node, house.lead)}
    for engine, data in before.items():
        for needle in needles(anna, both, alone):
            assert needle in data, "the search would find it"
        assert house.report()["activities"][0]["participants"] == 2
        for name in NAMES:
            assert name.encode() not in data, engine
    table = {house.node: journal_line, house.lead: received_line}
    others = {engine: lines_of(engine, table[engine], bertta) for engine in table}

    assert house.erase(anna)
    assert IDENTITY["token"].encode() not in carried(house)
    house.work()

    for engine in (house.node, house.lead):
        data = on_disk(engine)
        for needle in needles(anna, both, alone):
            assert needle not in data, engine
        assert needles_found(data, bertta)
        assert lines_of(engine, table[engine], bertta) == others[engine]
        assert lines_of(engine, table[engine], anna) == []
    for needle in needles(anna, both, alone):
        assert needle not in carried(house)
    house.assert_whole()
    report = house.report()
    assert (report["arrived"], report["activities"][0]["participants"]) == (True, 1)
    assert report["activities"][0]["sessions"] == 2
    assert report["data_quality"] == {
        **{"refused_lines": 0, "void_lines": 0, "incomplete_records": 1, "unproved_records": 1},
        **{"erased_people": 1, "erased_lines": 5, "restricted_people": 0},
    }
    assert len(kit.rows(house.node, intake.person)) == len(kit.rows(house.node, intake.vault)) == 1


def needles_found(data: bytes, subject: str) -> bool:
    return all(needle in data for needle in needles(subject))


def test_what_is_carried_shows_nobody_even_without_compression(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "LEVEL", -100_000)
    house = sqlite_house
    anna, bertta = house.register("anna", "bertta")
    house.courier.round([STREAM], house.now)
    assert house.erase(anna)
    house.courier.round([STREAM], house.now)
    (first, second) = sorted(house.folder.rglob("*.seg"))
    verified = [segment.verify(f.read_bytes(), *house.taken()) for f in (first, second)]
    key = house.lead_receiving.secret()
    plain = [crypto.open_sealed(key, opened.header_bytes, opened.payload) for opened in verified]
    assert anna.encode() in plain[0], "the search would find it"
    assert b"intake.subject_erased" in plain[1]
    for needle in (*needles(anna), *needles(bertta), *(name.encode() for name in NAMES)):
        assert needle not in carried(house)
    assert not any(name.encode() in opened for name in NAMES for opened in plain)
    house.work()
    assert list(house.folder.rglob("*.seg")) == []


def test_erasing_twice_is_one_erasing_and_a_stranger_is_unknown(house: House) -> None:
    (anna,) = house.register("anna")
    assert house.erase(anna)
    heads = kit.heads(house.node)
    assert not house.erase(anna)
    house.work()
    assert not house.erase(anna)
    assert kit.heads(house.node) == heads
    with pytest.raises(UnknownPerson):
        house.erase("0" * 32)


def test_nothing_can_be_recorded_of_an_erased_person(house: House) -> None:
    (anna,) = house.register("anna")
    assert house.erase(anna)
    # activities has not heard it yet
    with pytest.raises(UnknownPerson):
        house.attend("late", anna)
    house.work()
    assert house.attend("later", anna)[0]["error"]["code"] == "unknown_person"


def test_lines_that_were_not_shipped_before_leave_as_digests(sqlite_house: House) -> None:
    house = sqlite_house
    (anna,) = house.register("anna")
    assert house.erase(anna)
    house.work()
    data = kit.stored_bytes(house.lead)
    assert not any(needle in data for needle in needles(anna))
    assert house.report()["data_quality"]["erased_lines"] == 1, "the line that says so is the one that had arrived"
    house.assert_whole()


def test_the_line_that_says_so_stays_until_services_and_lead_have_heard_it(sqlite_house: House) -> None:
    house = sqlite_house
    (anna,) = house.register("anna")
    house.work()
    assert house.erase(anna)
    house.courier.round([STREAM], house.now)
    assert erasing.finish(house.node) == 0
    house.follow()
    assert erasing.finish(house.node) == 0, "the lead has not answered"
    house.ship()
    house.ship()
    assert lines_of(house.node, journal_line, anna) == []


def test_a_service_that_has_parked_the_line_keeps_it(sqlite_house: House) -> None:
    house = sqlite_house
    (anna,) = house.register("anna")
    assert house.erase(anna)
    house.follow()
    (row,) = kit.rows(house.node, journal_erased)
    parked = {"service": "activities", "pos": row["pos"], "subject": bytes.fromhex(anna), "error": "X"}
    with transaction(house.node) as connection:
        connection.execute(journal_parked.insert(), parked | {"parked_at": "2026-11-22T09:15:02.123456Z"})
    house.work()
    assert len(lines_of(house.node, journal_line, anna)) == 1
    kit.empty(house.node, journal_parked)
    house.work()
    assert lines_of(house.node, journal_line, anna) == []


def test_a_programme_without_a_lead_keeps_no_line_back(sqlite_house: House) -> None:
    house = sqlite_house
    (anna,) = house.register("anna")
    assert house.erase(anna)
    house.follow()
    assert erasing.finish(house.node) == 1
    assert erasing.scrub(house.node)
    assert not any(needle in kit.stored_bytes(house.node) for needle in needles(anna))


def test_killed_at_any_step_it_is_completed_later(migrated_file: Path, tmp_path: Path) -> None:
    template = tmp_path / "template"
    template.mkdir()
    first = House(*(copied(migrated_file, template / name) for name in ("node", "lead")), template / "inbox")
    first.join()
    anna, bertta = first.register("anna", "bertta")
    there = first.attend("first", anna, bertta)[0]["attendance"]
    first.work()
    keys = {"node_key": first.node_key, "lead_key": first.lead_key, "lead_receiving": first.lead_receiving}
    now = first.now
    for engine in (first.node, first.lead):
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
    for victim in ("node", "lead"):
        for step in count(0, STRIDE):
            folder = Path(shutil.copytree(template, tmp_path / f"{victim}{step}"))
            engines = {name: quick(folder / name / "home.db") for name in ("node", "lead")}
            house = House(engines["node"], engines["lead"], folder / "inbox", now, **keys)
            killed = died(house, engines[victim], step, anna)
            house.restart()
            house.erase(anna)
            house.work()
            for engine in engines.values():
                data = kit.stored_bytes(engine)
                assert not any(needle in data for needle in needles(anna, there)), (victim, step)
                assert needles_found(data, bertta)
            house.assert_whole()
            for engine in engines.values():
                engine.dispose()
            shutil.rmtree(folder)
            if not killed:
                break
        assert step > 5


def quick(file: Path) -> Engine:
    """The database without waiting for the disk: the process dies here, not the machine."""
    engine = open_engine(f"sqlite:///{file}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return engine


def died(house: House, victim: Engine, step: int, subject: str) -> bool:
    """Erase and work until the process dies at its `step`-th step; whether it did."""
    try:
        with killed_at(victim, step):
            house.erase(subject)
            house.follow()
            house.ship()
            house.ship()
    except Killed:
        return True
    return False


def test_an_audit_entry_of_the_first_release_that_names_them_becomes_its_digest(house: House) -> None:
    (anna,) = house.register("anna")
    entries = [b'{"n":1,"subjects":["%s"]}' % anna.encode(), b'{"n":2,"by":"x"}']
    chain = chain_start("audit")
    for entry in entries:
        chain = chain_next(chain, line_digest(entry))
    with transaction(house.node) as connection:
        connection.execute(delete(journal_audit))
        connection.execute(insert(journal_audit), [{"n": n, "entry": entry} for n, entry in enumerate(entries, 1)])
        at = journal_head.c.name == "audit"
        connection.execute(update(journal_head).where(at).values(seq=2, chain=chain))
    house.work()
    house.erase(anna)
    with snapshot(house.node) as connection:
        first, second, _ = connection.execute(select(journal_audit.c.entry).order_by(journal_audit.c.n)).scalars()
    assert first == b"#" + line_digest(entries[0]).hex().encode()
    assert second == entries[1]
    house.work()
    house.assert_whole()


def test_every_service_that_names_people_forgets_them() -> None:
    """A service with a table that has subjects must hear `SubjectErased` and call `forget_subject`; then name it."""
    naming = {t.name for t in metadata.sorted_tables if {"subject", "person"} & set(t.c.keys())}
    forgetting = {
        t.name for service in ("intake", "activities", "measurement", "pathways") for t in naming_people(service)
    }
    derived = {table.name for table in reporting.DERIVED if "subject" in table.c}
    assert naming - forgetting - derived == {
        "intake_person",  # with the last participation
        "intake_vault",  # the same
        "journal_line",
        "journal_parked",
        "journal_restricted",  # by `erasing.erase`
        "post_out",  # by `erasing.erase`
        "received_line",
        "received_void",
    }
