"""A restored node records and ships nothing until its leads have answered a question asked after the restore."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.intake.operations import log_identities_read
from services.reporting import partner_queries
from shared.contracts.errors import HomeHeld
from shared.journal.holding import AHEAD, BEHIND, DIFFERS, WAITING, held_streams, is_held, release
from shared.storage import snapshot, transaction
from tests.flows.house import STREAM, House, backup_of
from tests.services import kit


def reasons(house: House) -> dict[str, str]:
    return held_streams(house.node, [STREAM])


def talk(house: House) -> None:
    """The held courier and the lead's receiver, in turn."""
    for _ in range(3):
        house.courier.listen([STREAM], house.now)
        house.receiver.round(partner_queries.admitted_keys(house.lead, house.now), house.now)


def test_a_held_home_records_nothing_reads_on_and_ships_nothing(house: House, backup: Engine) -> None:
    house.put_back(backup)
    before, segments = kit.heads(house.node), house.courier.carrier.list_segments(STREAM)
    with pytest.raises(HomeHeld):
        house.register("bertta")
    log_identities_read(house.journal, [], by="worker", programme=kit.KEY, now=house.now)
    assert {**kit.heads(house.node), "audit": before["audit"]} == before
    house.courier.listen([STREAM], house.now)
    assert house.courier.carrier.list_segments(STREAM) == segments == []
    assert reasons(house) == {STREAM: WAITING}


def test_an_old_receipt_on_the_carrier_is_no_answer(house: House, backup: Engine) -> None:
    house.put_back(backup)
    for _ in range(3):
        house.courier.listen([STREAM], house.now)
        assert reasons(house) == {STREAM: WAITING}


def test_it_goes_on_when_the_lead_has_answered_and_agrees(house: House, backup: Engine) -> None:
    house.put_back(backup)
    talk(house)
    assert reasons(house) == {}
    release(house.node)
    house.register("bertta")
    house.work()
    house.assert_whole()


def test_it_stays_held_while_the_lead_is_ahead(house: House, backup: Engine) -> None:
    house.register("bertta")
    house.work()
    house.put_back(backup)
    talk(house)
    assert reasons(house) == {STREAM: AHEAD}
    with pytest.raises(HomeHeld):
        house.register("cecilia")


def test_it_goes_on_if_what_came_after_the_backup_never_reached_the_lead(house: House, backup: Engine) -> None:
    house.register("lost")
    house.put_back(backup)
    talk(house)
    assert reasons(house) == {}


def test_until_the_lead_has_all_of_the_backup_it_is_held_and_ships_that(
    house: House, migrated_file: Path, tmp_path: Path
) -> None:
    house.register("bertta")  # and not shipped
    with backup_of(house.node, migrated_file, tmp_path / "one") as one:
        house.put_back(one)
        for _ in range(2):
            house.courier.listen([STREAM], house.now)
            last, now = reasons(house), house.now
            house.receiver.round(partner_queries.admitted_keys(house.lead, now), now)
        assert last == {STREAM: BEHIND}
        talk(house)
        assert reasons(house) == {}


def test_it_stays_held_if_the_lead_has_another_history(house: House, backup: Engine, tmp_path: Path) -> None:
    with transaction(backup) as connection:
        connection.exec_driver_sql("UPDATE journal_head SET chain = zeroblob(32), seq = seq + 1 WHERE name LIKE '%/l%'")
        connection.exec_driver_sql(
            "INSERT INTO journal_line SELECT 99, stream, epoch, seq + 1, NULL, NULL, zeroblob(32), NULL "
            "FROM journal_line WHERE stream LIKE '%/lahde-mukaan' ORDER BY seq DESC LIMIT 1"
        )
    house.register("bertta")
    house.work()
    house.put_back(backup)
    talk(house)
    assert set(reasons(house).values()) <= {WAITING, AHEAD, DIFFERS}
    assert reasons(house)
    with snapshot(house.node) as connection:
        assert is_held(connection)


def test_services_do_not_follow_a_held_journal(house: House, backup: Engine, tmp_path: Path) -> None:
    with transaction(backup) as connection:
        connection.exec_driver_sql("UPDATE journal_cursor SET pos = 0")
    house.put_back(backup)
    house.follow()
    assert {row["pos"] for row in rows_of_cursor(house.node)} == {0}
    release(house.node)
    house.follow()
    assert {row["pos"] for row in rows_of_cursor(house.node)} != {0}


def rows_of_cursor(engine: Engine) -> list[dict[str, int]]:
    from shared.journal.tables import journal_cursor

    return kit.rows(engine, journal_cursor)


def test_a_home_that_is_not_held_gives_no_reasons(house: House) -> None:
    assert reasons(house) == {}


def test_a_backup_of_a_held_home_can_be_restored(backup: Engine, migrated_file: Path, tmp_path: Path) -> None:
    with backup_of(backup, migrated_file, tmp_path / "again") as again:
        assert held_streams(again, [STREAM]) == {STREAM: WAITING}
