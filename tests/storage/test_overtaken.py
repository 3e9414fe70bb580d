"""Two workers that keep the same key at the same moment: one does, the other is told and has done nothing."""

import threading

import pytest
from sqlalchemy import Engine, func, select

from services.activities.store import keys
from shared.contracts.errors import Overtaken
from shared.storage import snapshot, transaction
from shared.storage.once import Done, already_done, remember
from shared.testing.wait import until

ONE, TWO = "11" * 32, "22" * 32
FIRST, SECOND = Done(b"1" * 32, b"1" * 16), Done(b"2" * 32, b"2" * 16)


def test_the_second_to_keep_a_key_is_overtaken(postgres_engine: Engine) -> None:
    outcome: list[object] = []

    def second() -> None:
        try:
            with transaction(postgres_engine) as connection:
                assert already_done(connection, keys, [ONE, TWO]) == {}
                remember(connection, keys, {TWO: SECOND, ONE: SECOND})
        except Overtaken as error:
            outcome.append(error)

    with postgres_engine.begin() as connection:  # not `transaction`, in which nobody may wait
        remember(connection, keys, {ONE: FIRST})
        worker = threading.Thread(target=second)
        worker.start()
        until(lambda: waiting(postgres_engine))
    worker.join(20)
    assert [type(error) for error in outcome] == [Overtaken]
    with snapshot(postgres_engine) as connection:
        assert already_done(connection, keys, [ONE, TWO]) == {ONE: FIRST}


def test_two_workers_with_the_same_keys_in_other_orders_do_not_block_each_other(postgres_engine: Engine) -> None:
    names = [f"{number:02x}" * 32 for number in range(50)]
    failures: list[BaseException] = []
    start = threading.Barrier(2)

    def work(order: list[str], done: Done) -> None:
        try:
            start.wait(10)
            with transaction(postgres_engine) as connection:
                remember(connection, keys, dict.fromkeys(order, done))
        except Overtaken:
            return
        except Exception as error:
            failures.append(error)

    workers = [
        threading.Thread(target=work, args=(order, done))
        for order, done in ((names, FIRST), (list(reversed(names)), SECOND))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert failures == []
    with snapshot(postgres_engine) as connection:
        assert connection.execute(select(func.count()).select_from(keys)).scalar_one() == 50


def test_a_key_kept_earlier_is_an_error_too(engine: Engine) -> None:
    with transaction(engine) as connection:
        remember(connection, keys, {ONE: FIRST})
    with pytest.raises(Overtaken):
        with transaction(engine) as connection:
            remember(connection, keys, {ONE: SECOND})


def waiting(engine: Engine) -> bool:
    """Whether somebody waits for a lock in this database."""
    query = (
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE NOT granted AND datname = current_database()"
    )
    with engine.connect() as connection:
        return bool(connection.exec_driver_sql(query).scalar_one())
